import { join } from "node:path";
import { ClusterShell, eventually, testImage } from "../tools/lab/cluster";
import { docker } from "../tools/lab/machines";
import { roundTrip, throughput } from "../tools/lab/measure";
import { missingTools, type NetworkFile, networkOf, networkOfContainer } from "../tools/lab/namespace";
import { root, Stack } from "../tools/lab/pulumi";
import { Sites } from "../tools/lab/sites";

/*
 * What an overlay costs: container to container across two hosts, against the same two hosts' own network. All ways are tried
 * in turn in one run on one machine, so that only the ratios mean anything.
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
    subnet: string,
    private readonly underlay: object,
  ) {
    this.sites = new Sites(name, { rack: { subnet, hosts: { one: {}, two: {} } } });
    this.stack = new Stack(name, join(root, "test", "lab", "program"));
  }

  async begin(): Promise<void> {
    await this.stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await this.stack.init();
    await this.sites.build();
    const group = (role: string, name: string): object => {
      const { address } = this.sites.host(name);
      return { role, site: "rack", machines: { [name]: { address, hostKey: this.sites.keys.host.publicKey } } };
    };
    const firewall = { ssh: this.sites.admins, allow: { bench: { port, from: ["members"] } } };
    const existing = { head: group("manager", "one"), tail: group("worker", "two") };
    await this.stack.setConfig({ "lab:spec": JSON.stringify({ existing, networks: { web: {} }, firewall, ...this.underlay }) });
    await succeed(this.stack.pulumi(["config", "set", "--secret", "lab:privateKey"], { stdin: this.sites.keys.client.privateKey }));
    await succeed(this.stack.up());
    await this.startContainers();
  }

  private async startContainers(): Promise<void> {
    const shell = new ClusterShell(Object.fromEntries(this.names.map((name) => [name, this.sites.connection(name)])));
    try {
      await shell.putTestImage();
      for (const name of this.names) {
        const start = `docker run -d --name ${name} --network web ${testImage} /bin/busybox sleep 100000`;
        // A host sees a new network when it first needs it.
        await eventually(`a container on ${name}`, 30, () => shell.on(name, `docker rm -f ${name} >/dev/null 2>&1 || true; ${start}`));
      }
    } finally {
      shell.close();
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

function row(what: string, measured: readonly Measure[], base: readonly Measure[]): void {
  const [bits, time] = [median(measured.map(({ bitsPerSecond }) => bitsPerSecond)), median(measured.map(({ milliseconds }) => milliseconds))];
  const [baseBits, baseTime] = [median(base.map(({ bitsPerSecond }) => bitsPerSecond)), median(base.map(({ milliseconds }) => milliseconds))];
  process.stdout.write(
    `${what.padEnd(32)} ${(bits / 1e6).toFixed(0).padStart(7)} Mbit/s ${(bits / baseBits).toFixed(3).padStart(6)}× ` +
      `${time.toFixed(3).padStart(8)} ms ${(time / baseTime).toFixed(1).padStart(5)}×\n`,
  );
}

/** Prints throughput and round trip of each way, and their ratios to the hosts' own network. */
export async function benchOverlays(): Promise<void> {
  const missing = missingTools("nsenter", "iperf3");
  if (missing.length > 0) throw new Error(`the overlays cannot be measured without ${missing.join(", ")}: node tools/setup/index.js tools`);
  const plain = new Pair("overlay-plain", "10.244.21.0/24", {});
  const encrypted = new Pair("overlay-wireguard", "10.244.22.0/24", { wireguard: {} });
  try {
    await plain.begin();
    await encrypted.begin();
    const [hosts, native, tunnelled]: Measure[][] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      hosts?.push(await plain.hosts());
      native?.push(await plain.containers());
      tunnelled?.push(await encrypted.containers());
    }
    process.stdout.write(`${"container to container".padEnd(32)} ${"throughput".padStart(14)} ${"".padStart(7)} ${"round trip".padStart(11)}\n`);
    row("host network", hosts ?? [], hosts ?? []);
    row("native", native ?? [], hosts ?? []);
    row("native over WireGuard", tunnelled ?? [], hosts ?? []);
  } finally {
    await Promise.all([plain.end(), encrypted.end()]);
  }
}

if (require.main === module) {
  benchOverlays().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
