import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressesOf, docker } from "./docker";
import { root, run } from "./pulumi";
import { resolvers, runInVirtual } from "./virtual";

/** A virtual machine that runs, and where it is. */
export interface CloudMachine {
  readonly machine: string;
  /** Docker network of the outer machine. */
  readonly network: string;
  readonly address: string;
}

/**
 * Turns a machine off, makes of its disk what a cloud's image is, and turns it on. It then sets itself up by cloud-init, as at a cloud's
 * machine's first boot: its network by netplan, its names by systemd-resolved, and its upgrades come at once.
 *
 * @param userData as a cloud hands it to cloud-init
 * @returns as soon as it is turned on
 */
export async function bootAsCloudImage(args: CloudMachine, userData: string): Promise<void> {
  const { machine } = args;
  const network = await networkConfig(args);
  const { code, stdout, stderr } = await runInVirtual(machine, ["sh", "-s"], {
    stdin: readFileSync(join(root, "tools", "lab", "cloud-image.sh"), "utf8"),
  });
  if (code !== 0) throw new Error(`${machine} cannot be made a cloud's image: ${stderr}${stdout}`);
  // The agent may end before it tells that the command did.
  await runInVirtual(machine, ["systemctl", "poweroff", "--no-block"]).catch(() => {});
  const off = await run("docker", ["wait", machine], { killAfter: 180_000 });
  if (off.code !== 0) throw new Error(`${machine} does not turn itself off within three minutes: ${off.stderr}`);
  await plugIn(machine, { "meta-data": JSON.stringify({ "instance-id": machine }), "user-data": userData, "network-config": network });
  await docker("start", machine);
}

/** Its container hands this folder to the machine, as a disk. */
async function plugIn(machine: string, files: Readonly<Record<string, string>>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-seed-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `${text}\n`);
    await docker("cp", folder, `${machine}:/seed`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** In netplan's words; JSON is YAML too. The link is known by its address, as its name is up to the kernel. */
async function networkConfig({ machine, network, address }: CloudMachine): Promise<string> {
  const { subnet, gateway } = await addressesOf(network);
  const link = {
    match: { macaddress: await docker("exec", machine, "cat", "/run/mac") },
    addresses: [`${address}/${subnet.prefix}`],
    routes: [{ to: "default", via: gateway }],
    nameservers: { addresses: resolvers() },
  };
  return JSON.stringify({ version: 2, ethernets: { lab: link } });
}
