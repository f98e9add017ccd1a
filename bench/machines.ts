import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ClusterShell, eventually, testImage } from "../tools/lab/cluster";
import { connectionTo, machineKeys, removeMachines, startMachine } from "../tools/lab/machines";
import { root, run, Stack } from "../tools/lab/pulumi";
import { pLimit } from "../components/remote/limit";

/* Prepared hosts: they stand and run Docker before any clock starts. */

/** Second number of the hosts' addresses. With another one, a second bench runs beside the first: all its names are different too. */
const site = process.env["BENCH_SITE"] ?? "220";
export const bench = site === "220" ? "bench" : `bench${site}`;
const network = `10.${site}.0.0/16`;
/** From where the hosts are reached. */
export const admin = `10.${site}.0.1`;
const keys = machineKeys("bench");
export const { client, host: hostKey } = keys;
export const folder = join(root, ".lab", bench);
/** For programs that use the system's ssh: it knows the hosts by name. */
export const sshConfig = join(folder, "ssh_config");
export const privateKeyFile = join(folder, "client");
/** One connection a host, which every such program shares. */
export const controlPath = join(folder, "cm-%n");

/** Booting machines share the processors. */
const startedAtOnce = 8;

export interface Machines {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  readonly shell: ClusterShell;
}

/** @param standing How many of them stand already. */
export async function startMachines(count: number, standing = 0): Promise<Machines> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(privateKeyFile, client.privateKey, { mode: 0o600 });
  if (standing === 0) await run("docker", ["network", "create", "--subnet", network, `${bench}-site`]);
  const names = Array.from({ length: count }, (_, index) => `${bench}-${index + 1}`);
  const addresses = names.map((_, index) => `10.${site}.1.${index + 1}`);
  const limit = pLimit(startedAtOnce);
  const start = (name: string, index: number): Promise<void> =>
    startMachine({ name, network: `${bench}-site`, address: addresses[index] ?? "", keys });
  await Promise.all(names.slice(standing).map((name, index) => limit(() => start(name, standing + index))));
  const connections = Object.fromEntries(names.map((name, index) => [name, connectionTo({ address: addresses[index] ?? "", keys })]));
  const config = names.map((name, index) => `Host ${name}\n  HostName ${addresses[index]}\n`).join("");
  writeFileSync(join(folder, "known_hosts"), addresses.map((address) => `${address} ${hostKey.publicKey}\n`).join(""));
  writeFileSync(
    sshConfig,
    `${config}Host *\n  User root\n  IdentityFile ${privateKeyFile}\n  IdentitiesOnly yes\n  UserKnownHostsFile ${join(folder, "known_hosts")}\n  ControlMaster auto\n  ControlPath ${controlPath}\n  ControlPersist 5\n`,
  );
  const shell = new ClusterShell(connections);
  await Promise.all(
    names.map((name) => eventually(`${name} runs Docker`, 60 + 6 * count, async () => shell.on(name, "docker info -f '{{.ServerVersion}}'"))),
  );
  await shell.putTestImage();
  return { names, addresses, shell };
}

export const dockerOf = ({ names, shell }: Machines): Promise<string> => shell.on(names[0] ?? "", "docker version -f '{{.Server.Version}}'");

export const stopMachines = (): Promise<void> => removeMachines(`${bench}-`);

/**
 * A stack of the program in bench/existing with the first machines, or so many of them. They are in a file: Pulumi gives a program its
 * whole configuration in one environment variable, and Linux takes 128 KiB.
 */
export async function describeMachines(stack: Stack, { addresses }: Pick<Machines, "addresses">, count = addresses.length): Promise<void> {
  const described = addresses.slice(0, count).map((address, index) => [`m${index + 1}`, { address, hostKey: hostKey.publicKey }]);
  const file = join(folder, "machines.json");
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify(Object.fromEntries(described)));
  await stack.setConfig({ "bench:machines": file, "bench:admin": `${admin}/32` });
}

/** The stack without anything that an earlier run left in it. */
export async function freshStack(stack: Stack): Promise<void> {
  // A run that was killed has left its lock.
  await stack.cancel();
  await stack.pulumi(["stack", "rm", "--yes", "--force"]);
  await stack.init();
  const { code, stderr } = await stack.pulumi(["config", "set", "--secret", "bench:privateKey"], { stdin: client.privateKey });
  if (code !== 0) throw new Error(stderr);
}

/** The same check for everybody: a container on the first host pings one on the last by name. */
export async function reachable({ names, shell }: Machines): Promise<void> {
  const [first = "", last = ""] = [names[0], names.at(-1)];
  const target = shell.on(
    last,
    `docker network ls >/dev/null; docker run -d --rm --name target --network bench ${testImage} /bin/busybox sleep 1000`,
  );
  await target.catch(async () =>
    eventually("the last host sees the network", 20, () =>
      shell.on(last, `docker run -d --rm --name target --network bench ${testImage} /bin/busybox sleep 1000`),
    ),
  );
  await eventually("a reply by name", 30, () => shell.on(first, `docker run --rm --network bench ${testImage} /bin/busybox ping -c 1 -W 1 target`));
}

/** Removes what `reachable` started: a network in use is rightly not removed. */
export async function removeTarget({ names, shell }: Machines): Promise<void> {
  await shell.on(names.at(-1) ?? "", "docker rm -f target >/dev/null 2>&1 || true");
}

/** Back to hosts that run Docker and know nothing of a swarm: settings, bridges, firewall and open connections too, whoever made them. */
export async function reset(machines: Machines): Promise<void> {
  const { names, shell } = machines;
  await removeTarget(machines);
  await Promise.all(names.map((name) => run("ssh", ["-F", sshConfig, "-O", "exit", name])));
  await Promise.all(names.map((name) => shell.on(name, "docker swarm leave --force >/dev/null 2>&1 || true")));
  await Promise.all(
    names.map((name) =>
      eventually(`${name} left`, 20, async () =>
        (await shell.on(name, "docker info -f '{{.Swarm.LocalNodeState}}'")) === "inactive" ? true : undefined,
      ),
    ),
  );
  const clean =
    "nft delete table inet pulumi_swarm 2>/dev/null; docker network rm docker_gwbridge >/dev/null 2>&1; rm -f /etc/docker/daemon.json; " +
    "systemctl reset-failed docker; systemctl restart docker";
  await Promise.all(names.map((name) => shell.on(name, clean)));
}

/** Machines for the time of some work with the stack of bench/existing; nothing of either is left, whatever comes. */
export async function withMachines(count: number, work: (stack: Stack, machines: Machines) => Promise<void>): Promise<void> {
  await stopMachines();
  const stack = new Stack(bench, join(root, "bench", "existing"));
  const machines = await startMachines(count);
  try {
    await work(stack, machines);
  } finally {
    machines.shell.close();
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    // What cannot be removed must not hide why the work failed.
    await stopMachines().catch((error: unknown) => process.stderr.write(`left behind: ${String(error)}\n`));
  }
}

/** Runs a benchmark. What it fails with is for a person, without a stack. */
export function runBench(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
