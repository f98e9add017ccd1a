import type { SshKey } from "../../remote/ssh-key";

/** Who logs in to the hosts, on every image. */
export const loginUser = "swarm";

export interface UserData {
  readonly hostname: string;
  /** Who may log in, in authorized_keys form. */
  readonly authorizedKey: string;
  /**
   * The host's own key. It is the one secret in user data: whoever reads it could pass for the host, but not log in to it.
   * Without it nobody could tell, at the first connection, whether it is the host that answers.
   */
  readonly hostKey: SshKey;
  /** Address of the package of Systems Manager's agent. @default - the agent is not needed, or is there already */
  readonly agentPackage?: string;
}

/**
 * Tried again, since the machine may boot before its public address is there. cloud-init itself runs on Python, which is therefore on
 * every image; a program that fetches may not be.
 */
const installAgent = `file=/run/amazon-ssm-agent.deb
fetch='import shutil, sys, urllib.request; shutil.copyfileobj(urllib.request.urlopen(sys.argv[1], timeout=20), open(sys.argv[2], "wb"))'
for attempt in $(seq 60); do
  python3 -c "$fetch" "$1" "$file" && dpkg -i "$file" && systemctl enable --now amazon-ssm-agent && exec rm "$file"
  sleep 5
done
exit 1`;

/** What cloud-init does at the machine's first boot. JSON is YAML too, and needs no quoting of ours. */
export function userData({ hostname, authorizedKey, hostKey, agentPackage }: UserData): string {
  const config = {
    hostname,
    // sudo looks its own host up.
    manage_etc_hosts: "localhost",
    ssh_pwauth: false,
    disable_root: true,
    // Images may come with keys, which others have too.
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
    users: [
      {
        name: loginUser,
        gecos: "pulumi-swarm",
        shell: "/bin/bash",
        lock_passwd: true,
        sudo: "ALL=(ALL) NOPASSWD:ALL",
        // Docker's package takes the group as it finds it; DOCKER_HOST=ssh://… needs it.
        groups: ["docker"],
        ssh_authorized_keys: [authorizedKey],
      },
    ],
    ...(agentPackage !== undefined && { runcmd: [["sh", "-c", installAgent, "install-agent", agentPackage]] }),
  };
  return `#cloud-config\n${JSON.stringify(config, null, 2)}\n`;
}
