import { docker, unlessGone } from "../../../../tools/plugins/docker/client";
import { container } from "../../../../tools/plugins/docker/container";
import type { Context } from "../../../../tools/plugins/shared/plugin";
import type { Props } from "../../../../tools/plugins/shared/values";
import type { Account } from "./account";
import type { Stored } from "./store";

export interface MachineArgs {
  readonly id: string;
  /** What the user calls it. */
  readonly name: string;
  readonly hostname: string;
  /** The host image. */
  readonly image: string;
  /** Name of the Docker network. */
  readonly network: string;
  readonly address: string;
  readonly userData: string;
}

/** Starts a container that plays a machine: it has the address, and boots with the user data by cloud-init. @returns its id */
export async function startMachine(args: MachineArgs, account: Account, context: Context): Promise<string> {
  const { id } = await container.create(await propertiesOf(args, account), context);
  return id;
}

/** The container that plays a machine. */
export function playing({ id, played }: Stored): ReturnType<ReturnType<typeof docker>["getContainer"]> {
  return docker().getContainer(played?.["container"] ?? id);
}

export async function stands(stored: Stored): Promise<boolean> {
  return (await unlessGone(playing(stored).inspect())) !== undefined;
}

export async function removeMachine(stored: Stored): Promise<void> {
  await unlessGone(playing(stored).remove({ force: true, v: true }));
}

async function propertiesOf({ id, name, hostname, image, network, address, userData }: MachineArgs, account: Account): Promise<Props> {
  const metaData = JSON.stringify({ "instance-id": id, "local-hostname": hostname });
  return {
    name: await freeName(account.containerName(name), id),
    image,
    labels: [account.label],
    networksAdvanced: [{ name: network, ipv4Address: address }],
    // As the package's local hosts have them.
    capabilities: { adds: ["ALL"], drops: ["CAP_SYS_RESOURCE"] },
    securityOpts: ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"],
    cgroupnsMode: "private",
    stopSignal: "SIGRTMIN+3",
    envs: ["container=docker"],
    tmpfs: { "/run": "", "/run/lock": "" },
    volumes: [{ containerPath: "/var/lib/docker" }],
    devices: [{ hostPath: "/dev/net/tun", containerPath: "/dev/net/tun", permissions: "rwm" }],
    restart: "unless-stopped",
    uploads: [
      { file: "/var/lib/cloud/seed/nocloud/user-data", content: userData, permissions: "0600" },
      { file: "/var/lib/cloud/seed/nocloud/meta-data", content: metaData, permissions: "0600" },
      // Docker has set up the container's network, and there is no server of metadata here.
      { file: "/etc/cloud/cloud.cfg.d/99-lab.cfg", content: "network: { config: disabled }\ndatasource_list: [NoCloud]\n", permissions: "0644" },
    ],
  };
}

/** Docker's names are unique, a cloud's need not be. */
async function freeName(name: string, id: string): Promise<string> {
  const taken = await unlessGone(docker().getContainer(name).inspect());
  return taken === undefined ? name : `${name}-${id}`;
}
