import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deriveSshKey, type SshKey } from "../../components/remote/ssh-key";
import type { Connection } from "../../components/remote/connection";
import { docker } from "./docker";
import { type CommandResult, root, run, type RunOptions } from "./pulumi";
import { createVirtual, individualise, isVirtual, type OwnKernel, rebootVirtual, remember, runInVirtual } from "./virtual";

export { docker } from "./docker";

/*
 * Machines that somebody else made: containers that play whole hosts, or virtual machines, started without the product, so that
 * it is given them as it is given the machines of a rack.
 */

export interface MachineKeys {
  /** Logs in to all machines of the lab. */
  readonly client: SshKey;
  /** What all machines of the lab present. */
  readonly host: SshKey;
}

export interface MachineArgs {
  readonly name: string;
  /** Docker network of the outer machine. */
  readonly network: string;
  readonly address: string;
  /** @default - none but what the network gives */
  readonly address6?: string;
  /** `"own"`: a virtual machine with Debian's kernel. It has one image, and no IPv6. @default - a container, with this machine's kernel */
  readonly kernel?: OwnKernel;
  readonly keys: MachineKeys;
  /** @default "pulumi-swarm-host:trixie" */
  readonly image?: string;
  /** A user who may use sudo, as long as the image has it; root may log in as well. @default - root alone */
  readonly user?: string;
  /** Network, or `default`, to the address of the router that leads there; kept over a reboot. @default - as Docker makes them */
  readonly routes?: Readonly<Record<string, string>>;
  /** Docker's label, `name=value`, by which whoever made it finds it again. @default - none */
  readonly label?: string;
}

export const defaultImage = "pulumi-swarm-host:trixie";

/** Makes images of hosts that setup makes only on demand, such as `pulumi-swarm-host:bookworm`. A minute each the first time. */
export async function makeHostImages(...images: readonly string[]): Promise<void> {
  const made = await run("node", [join(root, "tools", "setup", "index.js"), ...images.map((image) => image.replace(/^[^:]*/, "image"))]);
  if (made.code !== 0) throw new Error(made.stdout + made.stderr);
}

export function machineKeys(secret: string): MachineKeys {
  return { client: deriveSshKey(secret, "client"), host: deriveSshKey(secret, "host") };
}

export function connectionTo({ address, keys, user }: Pick<MachineArgs, "address" | "keys" | "user">): Connection {
  return { host: address, privateKey: keys.client.privateKey, hostKey: keys.host.publicKey, ...(user !== undefined && { user }) };
}

// As the local hosts have them; components/hosts/local tells why.
const hostOptions =
  "--cap-add ALL --cap-drop SYS_RESOURCE --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined " +
  "--cgroupns=private --stop-signal SIGRTMIN+3 -v /var/lib/docker -v /var/lib/containerd --tmpfs /run --tmpfs /run/lock -e container=docker --device /dev/net/tun";

/** @returns when the machine runs; its sshd and its Docker may still be on their way. */
export async function startMachine(args: MachineArgs): Promise<void> {
  const { name, keys, user } = args;
  const access = [admit("root", keys.client.publicKey), ...(user ? [sudoer(user, keys.client.publicKey)] : [])];
  if (args.kernel === "own") {
    await createVirtual(args);
    await docker("start", name);
    await individualise(args, access);
  } else {
    await startContainer(args);
    await docker("exec", name, "sh", "-c", ["set -eu", ...access, routing(args.routes)].join("\n"));
  }
}

async function startContainer({ name, network, address, keys, image = defaultImage, ...args }: MachineArgs): Promise<void> {
  remember(name, undefined);
  const addresses = ["--ip", address, ...(args.address6 === undefined ? [] : ["--ip6", args.address6])];
  const label = args.label === undefined ? [] : ["--label", args.label];
  await docker("create", "--name", name, "--hostname", name, ...label, "--network", network, ...addresses, ...hostOptions.split(" "), image);
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-machine-"));
  try {
    writeFileSync(join(folder, "host_key"), keys.host.privateKey, { mode: 0o600 });
    await docker("cp", join(folder, "host_key"), `${name}:/etc/ssh/ssh_host_ed25519_key`);
  } finally {
    rmSync(folder, { recursive: true });
  }
  await docker("start", name);
}

/** Runs a command on a machine, as root, whatever its firewall and its sshd are. */
export async function runOn(name: string, command: readonly string[], options: Pick<RunOptions, "stdin"> = {}): Promise<CommandResult> {
  if (await isVirtual(name)) return runInVirtual(name, command, options);
  return run("docker", ["exec", ...(options.stdin === undefined ? [] : ["-i"]), name, ...command], options);
}

/** Like {@link runOn}, for commands that are to succeed. @returns what it printed */
export async function askOn(name: string, ...command: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runOn(name, command);
  if (code !== 0) throw new Error(`${name}: ${command.join(" ").slice(0, 200)}: exit code ${code}: ${stderr}${stdout}`);
  return stdout.trim();
}

function admit(user: string, publicKey: string): string {
  const folder = `~${user}/.ssh`;
  return `install -d -m 700 -o ${user} ${folder}; echo '${publicKey}' >${folder}/authorized_keys; chown ${user} ${folder}/authorized_keys`;
}

function sudoer(user: string, publicKey: string): string {
  return [
    `useradd -m -s /bin/sh ${user}`,
    // Some images have no sudo, as many minimal machines.
    `[ ! -d /etc/sudoers.d ] || echo '${user} ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/${user}`,
    admit(user, publicKey),
  ].join("\n");
}

/** Routes are set now, and by a unit after each reboot. */
function routing(routes: Readonly<Record<string, string>> = {}): string {
  const commands = Object.entries(routes).map(([to, via]) => `ip route replace ${to} via ${via}`);
  if (commands.length === 0) return "";
  const unit = [
    "[Unit]",
    "DefaultDependencies=no",
    "Before=sysinit.target",
    "[Service]",
    "Type=oneshot",
    ...commands.map((command) => `ExecStart=/usr/sbin/${command}`),
  ];
  const folder = "/etc/systemd/system";
  return [
    `printf '%s\\n' ${unit.map((line) => `'${line}'`).join(" ")} >${folder}/lab-routes.service`,
    `mkdir -p ${folder}/sysinit.target.wants; ln -s ${folder}/lab-routes.service ${folder}/sysinit.target.wants/`,
    ...commands,
  ].join("\n");
}

/** Turns a machine off and on again. @returns when it runs; its services may still be on their way. */
export async function reboot(name: string): Promise<void> {
  if (await isVirtual(name)) return rebootVirtual(name);
  await docker("restart", "-t", "60", name);
}

/** Removes all containers and then all networks whose names begin so. */
export async function removeMachines(prefix: string): Promise<void> {
  const names = (await docker("ps", "-a", "--filter", `name=^${prefix}`, "--format", "{{.Names}}")).split("\n").filter(Boolean);
  if (names.length > 0) await docker("rm", "-f", "-v", ...names);
  const networks = (await docker("network", "ls", "-q", "--filter", `name=^${prefix}`)).split("\n").filter(Boolean);
  if (networks.length > 0) await docker("network", "rm", ...networks);
}
