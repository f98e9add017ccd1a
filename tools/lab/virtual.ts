import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { addressesOf, docker } from "./docker";
import type { MachineArgs } from "./machines";
import { type CommandResult, root } from "./pulumi";

/*
 * Machines with a kernel of their own: QEMU in a container, whose place in the Docker network the machine takes. What has to do
 * with the container (its name, its network, its end) is as it is with the containers that play hosts; what runs on the machine
 * goes by its guest agent, which needs neither network nor sshd.
 */

interface Guest {
  exec(container: string, command: readonly string[], options?: { readonly stdin?: string; readonly timeout?: number }): Promise<CommandResult>;
  monitor(container: string, execute: string, args?: object, timeout?: number): Promise<unknown>;
}

interface Kernel {
  containerOptions(verb: "run", made: string): { readonly options: readonly string[]; readonly command: readonly string[] };
  folder(): string;
  readonly kernelLabel: string;
}

// Plain JavaScript, because the setup runs before anything is compiled.
const setup = join(root, "tools", "setup");
// eslint-disable-next-line @typescript-eslint/no-require-imports
const guest = require(join(setup, "guest.js")) as Guest;
// eslint-disable-next-line @typescript-eslint/no-require-imports
const kernel = require(join(setup, "kernel.js")) as Kernel;

/** What `kernel` may be of a machine. */
export type OwnKernel = "own";

const virtual = new Map<string, Promise<boolean>>();

/** Whether a machine is a virtual one. */
export function isVirtual(name: string): Promise<boolean> {
  const known =
    virtual.get(name) ?? docker("inspect", "--format", `{{index .Config.Labels "${kernel.kernelLabel}"}}`, name).then((kind) => kind === "own");
  virtual.set(name, known);
  return known;
}

/** For who makes a container in whose place another kind may have been. */
export function remember(name: string, kind: OwnKernel | undefined): void {
  virtual.set(name, Promise.resolve(kind === "own"));
}

/**
 * For a `before` hook of tests on a real kernel. Fails in CI; elsewhere the lack is said and the tests are skipped.
 */
export function needKernel(context: { skip(): void }, made = kernel.folder()): void {
  if (existsSync(join(made, "state"))) return;
  const message = "these tests need virtual machines; as root, node tools/setup/index.js kernel makes them of QEMU and Debian's kernel";
  if (process.env["CI"]) throw new Error(message);
  process.stderr.write(`    ${message}: left out\n`);
  context.skip();
}

/** Its container, which waits to be started. */
export async function createVirtual({ name, network, address, label }: MachineArgs): Promise<void> {
  remember(name, "own");
  const { options, command } = kernel.containerOptions("run", kernel.folder());
  const more = label === undefined ? [] : ["--label", label];
  await docker("create", "--name", name, ...more, "--network", network, "--ip", address, ...options, ...command);
}

/**
 * Gives a machine that goes on from the cached state what makes it another one than the rest: name, keys, address, time.
 * @param access commands that let the tests log in
 */
export async function individualise(args: MachineArgs, access: readonly string[]): Promise<void> {
  const { name, network, address, keys, routes = {} } = args;
  const { subnet, gateway } = await addressesOf(network);
  const script = [
    "set -eu",
    `date -s @${Math.ceil(Date.now() / 1000)} >/dev/null`,
    // QEMU tells the kernel that it was copied, which makes what is random differ; this costs nothing.
    `echo ${randomBytes(32).toString("hex")} >/dev/urandom`,
    `hostname ${name}; echo ${name} >/etc/hostname; echo '127.0.1.1 ${name}' >>/etc/hosts`,
    `echo ${randomBytes(16).toString("hex")} >/etc/machine-id`,
    `umask 077; echo '${keys.host.privateKey}' >/etc/ssh/ssh_host_ed25519_key; umask 022`,
    ...access,
    `echo '${resolvers()
      .map((server) => `nameserver ${server}`)
      .join("\n")}' >/etc/resolv.conf`,
    "link=$(basename /sys/bus/virtio/drivers/virtio_net/*/net/*)",
    `ip link set "$link" address ${await docker("exec", name, "cat", "/run/mac")}`,
    `echo '${networkFile(`${address}/${subnet.prefix}`, { default: gateway, ...routes })}' >/etc/systemd/network/lab.network`,
    "systemctl stop docker.socket docker.service; rm -f /var/lib/docker/engine-id",
    "systemctl restart systemd-networkd.service ssh.service",
    "systemctl start docker.service",
  ];
  await untilItListens(name);
  const { code, stdout, stderr } = await guest.exec(name, ["sh", "-s"], { stdin: script.join("\n") });
  if (code !== 0) throw new Error(`${name} cannot be made a machine of its own: ${stderr}${stdout}`);
}

/** It was kept while it stood still, and goes on when it is told to. */
async function untilItListens(name: string): Promise<void> {
  const until = Date.now() + 120_000;
  for (;;) {
    try {
      const { status } = (await guest.monitor(name, "query-status")) as { readonly status: string };
      if (status === "paused") await guest.monitor(name, "cont");
      return void (await askVirtual(name, "true"));
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** What this machine asks, as Docker gives it to its containers: a resolver on a loopback address is of no use to them. */
export function resolvers(): string[] {
  const lines = readFileSync("/etc/resolv.conf", "utf8").split("\n");
  return lines.flatMap((line) => /^nameserver (?!127\.|::1)(\S+)/.exec(line)?.[1] ?? []);
}

function networkFile(address: string, routes: Readonly<Record<string, string>>): string {
  const sections = Object.entries(routes).map(([to, via]) => `[Route]\nDestination=${to === "default" ? "0.0.0.0/0" : to}\nGateway=${via}`);
  return ["[Match]\nDriver=virtio_net", `[Network]\nAddress=${address}\nLinkLocalAddressing=no`, ...sections].join("\n");
}

export function runInVirtual(name: string, command: readonly string[], options: { readonly stdin?: string } = {}): Promise<CommandResult> {
  return guest.exec(name, command, options);
}

async function askVirtual(name: string, ...command: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await guest.exec(name, command);
  if (code !== 0) throw new Error(`${name}: ${command.join(" ").slice(0, 100)}: exit code ${code}: ${stderr}${stdout}`);
  return stdout.trim();
}

/** Tells one boot from another. */
function bootOf(name: string): Promise<string> {
  return askVirtual(name, "cat", "/proc/sys/kernel/random/boot_id");
}

/** @returns when it runs again; its services may still be on their way. */
export async function rebootVirtual(name: string): Promise<void> {
  const before = await bootOf(name);
  // The agent may end before it tells that the command did.
  await guest.exec(name, ["systemctl", "reboot", "--no-block"]).catch(() => {});
  await booted(name, before);
}

/** As if their plug were pulled, all at the same time, and power came back at once: what they held in memory is gone. @returns when they run again */
export async function cutPower(...names: readonly string[]): Promise<void> {
  const before = await Promise.all(names.map(bootOf));
  await Promise.all(names.map((name) => guest.monitor(name, "system_reset")));
  await Promise.all(names.map((name, index) => booted(name, before[index] ?? "")));
}

async function booted(name: string, before: string): Promise<void> {
  const until = Date.now() + 600_000;
  for (let seen = "nothing"; ;) {
    try {
      seen = await bootOf(name);
      if (seen !== before) return;
    } catch (error) {
      seen = (error as Error).message;
    }
    if (Date.now() > until) throw new Error(`${name} did not boot within ten minutes; seen last: ${seen}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
