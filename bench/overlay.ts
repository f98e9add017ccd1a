import { join } from "node:path";
import { ClusterShell, eventually, testImage } from "../tools/lab/cluster";
import { docker } from "../tools/lab/machines";
import { roundTrip, throughput } from "../tools/lab/measure";
import { missingTools, type NetworkFile, networkOf, networkOfContainer } from "../tools/lab/namespace";
import { root, Stack } from "../tools/lab/pulumi";
import { Sites } from "../tools/lab/sites";

/*
 * What an overlay costs: container to container across two hosts, against the same two hosts' own network, and how long it is from
 * hosts that run Docker to the first reply by name. All ways are tried in turn in one run on one machine, so that only the ratios mean
 * anything.
 */

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3);
const seconds = Number(process.env["BENCH_SECONDS"] ?? 3);
const port = 5201;

/** Two hosts in a swarm, with a container on each. */
class Pair {
  private readonly sites: Sites;
  private readonly stack: Stack;
  private readonly names = ["one", "two"] as const;

  constructor(
    readonly name: string,
    private readonly subnet: string,
    /** Overlay and underlay, as the tests' program takes them. */
    private readonly chosen: object,
  ) {
    this.sites = new Sites(name, { rack: { subnet, hosts: { one: {}, two: {} } } });
    this.stack = new Stack(name, join(root, "test", "lab", "program"));
  }

  /** @returns seconds from hosts that run Docker to the first reply by name. */
  async begin(): Promise<number> {
    await this.stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await this.stack.init();
    await this.sites.build();
    const group = (role: string, name: string): object => {
      const { address } = this.sites.host(name);
      return { role, site: "rack", machines: { [name]: { address, hostKey: this.sites.keys.host.publicKey } } };
    };
    const firewall = { ssh: this.sites.admins, allow: { bench: { port, from: ["members"] } } };
    const existing = { head: group("manager", "one"), tail: group("worker", "two") };
    const mirror = `${this.subnet.replace(/0\/24$/, "1")}:5000`;
    const source = { programs: { mirror }, engine: { settings: { "insecure-registries": [mirror] } } };
    await this.stack.setConfig({ "lab:spec": JSON.stringify({ existing, networks: { web: {} }, firewall, ...source, ...this.chosen }) });
    await succeed(this.stack.pulumi(["config", "set", "--secret", "lab:privateKey"], { stdin: this.sites.keys.client.privateKey }));
    const shell = new ClusterShell(Object.fromEntries(this.names.map((name) => [name, this.sites.connection(name)])));
    try {
      await Promise.all(this.names.map((name) => eventually(`Docker on ${name}`, 60, () => shell.on(name, "docker version"))));
      await shell.putTestImage();
      const start = Date.now();
      await succeed(this.stack.up());
      await this.startContainers(shell);
      await eventually("a reply by name", 60, () => shell.on("one", "docker exec one ping -c 1 -W 1 two"));
      return (Date.now() - start) / 1000;
    } finally {
      shell.close();
    }
  }

  private async startContainers(shell: ClusterShell): Promise<void> {
    for (const name of this.names) {
      const start = `docker run -d --name ${name} --network web ${testImage} /bin/busybox sleep 100000`;
      // A host sees a new network when it first needs it.
      await eventually(`a container on ${name}`, 30, () => shell.on(name, `docker rm -f ${name} >/dev/null 2>&1 || true; ${start}`));
    }
  }

  async end(): Promise<void> {
    await this.sites.remove();
    await this.stack.pulumi(["stack", "rm", "--yes", "--force"]);
  }

  private machine(name: string): string {
    return this.sites.host(name).machine;
  }

  /** On the hosts' own network. */
  async hosts(): Promise<Measure> {
    const { address } = this.sites.host("two");
    return measure(await networkOf(this.machine("one")), await networkOf(this.machine("two")), address, () =>
      roundTrip(this.machine("one"), undefined, address),
    );
  }

  async containers(): Promise<Measure> {
    const address = await docker("exec", this.machine("two"), "docker", "inspect", "--format", "{{.NetworkSettings.Networks.web.IPAddress}}", "two");
    const networks = await Promise.all(this.names.map((name) => networkOfContainer(this.machine(name), name)));
    const [from, to] = [networks[0] ?? "", networks[1] ?? ""];
    return measure(from, to, address, () => roundTrip(this.machine("one"), "one", address));
  }
}

interface Measure {
  readonly bitsPerSecond: number;
  readonly milliseconds: number;
}

async function measure(from: NetworkFile, to: NetworkFile, address: string, ping: () => Promise<number>): Promise<Measure> {
  const { bitsPerSecond } = await throughput(from, to, { address, port }, seconds);
  return { bitsPerSecond, milliseconds: await ping() };
}

async function succeed(result: Promise<{ code: number; stdout: string; stderr: string }>): Promise<void> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function row(what: string, measured: readonly Measure[], base: readonly Measure[], toFirstReply?: number): void {
  const [bits, time] = [median(measured.map(({ bitsPerSecond }) => bitsPerSecond)), median(measured.map(({ milliseconds }) => milliseconds))];
  const [baseBits, baseTime] = [median(base.map(({ bitsPerSecond }) => bitsPerSecond)), median(base.map(({ milliseconds }) => milliseconds))];
  process.stdout.write(
    `${what.padEnd(32)} ${(bits / 1e6).toFixed(0).padStart(7)} Mbit/s ${(bits / baseBits).toFixed(3).padStart(6)}× ` +
      `${time.toFixed(3).padStart(8)} ms ${(time / baseTime).toFixed(1).padStart(5)}× ${toFirstReply === undefined ? "" : `${toFirstReply.toFixed(1).padStart(10)} s`}\n`,
  );
}

/** Every way that is measured: what is chosen for it, and the third number of its network. No name may begin another one. */
const ways: readonly (readonly [title: string, name: string, third: number, chosen: object])[] = [
  ["native", "native", 21, {}],
  ["native over WireGuard", "tunnel", 22, { wireguard: {} }],
  ["weave", "weave", 23, { overlay: { weave: { encrypted: false } } }],
  ["weave, encrypted", "secret", 24, { overlay: { weave: { encrypted: true } } }],
  ["flannel, vxlan", "vxlan", 25, { overlay: { flannel: {} } }],
  ["flannel, host-gw", "gateway", 26, { overlay: { flannel: { backend: "host-gw" } } }],
  ["flannel over WireGuard", "inside", 27, { wireguard: {}, overlay: { flannel: {} } }],
];

interface Way {
  readonly title: string;
  readonly pair: Pair;
  readonly toFirstReply: number;
  readonly measured: Measure[];
}

/** Prints throughput and round trip of each way, their ratios to the hosts' own network, and the time to the first reply. */
export async function benchOverlays(): Promise<void> {
  const missing = missingTools("nsenter", "iperf3");
  if (missing.length > 0) throw new Error(`the overlays cannot be measured without ${missing.join(", ")}: node tools/setup/index.js tools`);
  const begun: Way[] = [];
  const pairs: Pair[] = [];
  try {
    for (const [title, name, third, chosen] of ways) {
      const pair = new Pair(`overlay-${name}`, `10.244.${third}.0/24`, chosen);
      pairs.push(pair);
      begun.push({ title, pair, toFirstReply: await pair.begin(), measured: [] });
    }
    const hosts: Measure[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const { pair, measured } of begun) measured.push(await pair.containers());
      if (pairs[0]) hosts.push(await pairs[0].hosts());
    }
    process.stdout.write(
      `${"container to container".padEnd(32)} ${"throughput".padStart(14)} ${"".padStart(7)} ${"round trip".padStart(11)} ${"".padStart(6)} ${"first reply".padStart(12)}\n`,
    );
    row("host network", hosts, hosts);
    for (const { title, measured, toFirstReply } of begun) row(title, measured, hosts, toFirstReply);
  } finally {
    await Promise.all(pairs.map((pair) => pair.end()));
  }
}

if (require.main === module) {
  benchOverlays().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
