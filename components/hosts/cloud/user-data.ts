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
}

/** What cloud-init does at the machine's first boot. JSON is YAML too, and needs no quoting of ours. */
export function userData({ hostname, authorizedKey, hostKey }: UserData): string {
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
  };
  return `#cloud-config\n${JSON.stringify(config, null, 2)}\n`;
}
