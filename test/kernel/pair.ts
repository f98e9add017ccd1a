import assert from "node:assert/strict";
import { capture } from "../../tools/lab/capture";
import { eventually, testImage } from "../../tools/lab/cluster";
import { runOn } from "../../tools/lab/machines";
import { tryPacket } from "../../tools/lab/measure";
import { needTools, networkOf } from "../../tools/lab/namespace";
import { mirrorOf, needImages } from "../../tools/lab/registry";
import { get } from "../../tools/lab/scan";
import { Sites } from "../../tools/lab/sites";
import { needKernel } from "../../tools/lab/virtual";
import { Lab } from "../lab/lab";
import { patience } from "./shop";

/** Where the ingress mesh publishes. */
const published = 8090;

/** Where iperf3 listens: in a container, and on a host, whose firewall opens it to the other one. */
const [within, outside] = [5201, 5202];
/** Of each way there are three, in turn; what is said is the middle one. */
const [rounds, seconds] = [3, 4];

const container = "probe";
export const pairNames = ["v1", "v2"] as const;
type Name = (typeof pairNames)[number];

/** What passed in a second over the hosts' own network, and from container to container. */
interface Round {
  readonly host: number;
  readonly containers: number;
}

interface Place {
  readonly id: string;
  readonly pid: string;
  readonly address: string;
}

/** Two virtual machines in a swarm on an overlay that a test names, with a container on each. */
export class Pair {
  readonly sites: Sites;
  readonly lab: Lab;
  private mirror = "";
  private readonly places = new Map<Name, Place>();

  /** @param subnet a /24 of its own */
  constructor(
    readonly name: string,
    subnet: string,
  ) {
    this.sites = new Sites(name, { rack: { subnet, hosts: Object.fromEntries(pairNames.map((each) => [each, { kernel: "own" }])) } });
    this.lab = new Lab(name);
  }

  async begin(context: Mocha.Context, ...images: readonly string[]): Promise<void> {
    needKernel(context);
    needTools(context, "nsenter", "nft", "tcpdump");
    await needImages(context, ...images);
    await this.lab.begin();
    await this.lab.logInWith(this.sites.keys.client.privateKey);
    await this.sites.build();
    this.mirror = await mirrorOf(`${this.name}-net-rack`);
  }

  async end(): Promise<void> {
    await this.lab.end();
    await this.sites.remove();
  }

  /** @param overlay its arguments by its kind */
  async up(overlay: object): Promise<string> {
    const group = (role: string, name: Name): object => {
      const { address } = this.sites.host(name);
      return { role, site: "rack", network: this.sites.subnet("rack"), machines: { [name]: { address, hostKey: this.sites.keys.host.publicKey } } };
    };
    await this.lab.spec({
      existing: { control: group("manager", "v1"), work: group("worker", "v2") },
      networks: { web: {} },
      overlay,
      programs: { mirror: this.mirror },
      engine: { settings: { "insecure-registries": [this.mirror] } },
      firewall: {
        ssh: this.sites.admins,
        expose: { shop: { port: published, from: ["world"] } },
        allow: { iperf: { port: outside, from: ["members"] } },
      },
    });
    const began = Date.now();
    const { stdout } = await this.lab.up();
    this.say(`up took ${Math.round((Date.now() - began) / 1000)} s`);
    for (const [line] of stdout.matchAll(/warning: .*/g)) this.say(line);
    return stdout;
  }

  /** A shell script on a host, as root. @returns what it printed */
  async on(name: Name, script: string): Promise<string> {
    const { code, stdout, stderr } = await runOn(this.sites.host(name).machine, ["sh", "-euc", script]);
    assert.equal(code, 0, `${name}: ${script}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  say(text: string): void {
    for (const line of text.split("\n")) process.stdout.write(`      ${line}\n`);
  }

  /** Makes the containers anew, in the network as it is now. */
  async place(): Promise<void> {
    for (const name of pairNames) {
      const run = `docker run --detach --init --name ${container} --network web --network-alias on-${name} ${testImage} /bin/busybox sleep 1000000`;
      // A worker knows a network when the swarm has told it.
      await eventually(`a container on ${name}`, 120, () => this.on(name, `docker rm -f ${container} >/dev/null 2>&1 || true; ${run}`), patience);
      const format = "{{.Id}} {{.State.Pid}} {{.NetworkSettings.Networks.web.IPAddress}}";
      const [id = "", pid = "", address = ""] = (await this.on(name, `docker inspect --format '${format}' ${container}`)).split(" ");
      this.places.set(name, { id, pid, address });
    }
  }

  private at(name: Name): Place {
    return this.places.get(name) ?? assert.fail(`no container on ${name}`);
  }

  /** A program of the host, in the container's network. */
  private inside(name: Name, command: string): Promise<string> {
    return this.on(name, `nsenter -t ${this.at(name).pid} -n ${command}`);
  }

  /** Containers of both hosts reach each other, by address and by name, and see each other's own address. */
  async talk(): Promise<void> {
    for (const [from, to] of [pairNames, [...pairNames].reverse() as [Name, Name]] as const) {
      await eventually(`${from} hears ${to}`, 120, () => this.inside(from, `ping -n -q -c 2 -i 0.2 -W 2 ${this.at(to).address}`), patience);
      const listen = `docker exec ${container} /bin/busybox timeout 40 /bin/busybox nc -l -p 7000 -e /bin/busybox netstat -tn`;
      const [, told] = await Promise.all([
        this.on(to, listen),
        eventually(
          `${to} tells ${from} who calls`,
          30,
          () => this.on(from, `docker exec ${container} /bin/busybox nc -w 5 on-${to} 7000 | grep 7000`),
          patience,
        ),
      ]);
      assert.match(told, new RegExp(`${this.at(to).address}:7000 +\\S*${this.at(from).address}:\\d+ `));
    }
  }

  /** A packet of the planned size passes both ways in one piece, and one byte more does not. @returns the largest that was on the wire */
  async exactMtu(mtu: number): Promise<number> {
    assert.equal((await this.lab.outputs()).plan.mtu, mtu);
    const sizes: number[] = [];
    for (const [from, to] of [pairNames, [...pairNames].reverse() as [Name, Name]] as const) {
      const send = (size: number): Promise<string> => tryPacket(this.sites.host(from).machine, this.at(from).id, this.at(to).address, size);
      const { packets, result } = await capture(
        await networkOf(this.sites.host(to).machine),
        "machine",
        async () => [await send(mtu), await send(mtu + 1)],
        // Containers' own addresses are on the wire where nothing is put around their packets.
        ["not", "port", "22"],
      );
      assert.deepEqual(result, ["passes", "refused"], `${mtu} bytes from ${from} to ${to}`);
      assert.equal(packets.filter(({ fragment }) => fragment).length, 0, "in one piece");
      sizes.push(Math.max(...packets.map(({ size }) => size)));
    }
    this.say(`packets of ${mtu} bytes are ${sizes.join(" and ")} on the wire`);
    return Math.max(...sizes);
  }

  /** A service with one task, on the second host, is published by the ingress mesh: it answers on both. */
  async meshAnswers(): Promise<void> {
    const serve = "mkdir -p /www && echo hello from $HOST > /www/index.html && exec /bin/busybox httpd -f -p 80 -h /www";
    const [, to] = pairNames.map((name) => this.sites.host(name).machine);
    const options = `--network web --stop-signal KILL --constraint node.hostname==${to} --publish published=${published},target=80`;
    const create = `docker service create --detach --quiet --no-resolve-image --name shop ${options} --env HOST={{.Node.Hostname}}`;
    await this.on("v1", `${create} ${testImage} /bin/busybox sh -c '${serve}'`);
    for (const name of pairNames) {
      const look = async (): Promise<true> => {
        const page = await get(await this.sites.network("outsider"), this.sites.host(name).address, published);
        if (page?.includes(`hello from ${to}`)) return true;
        throw new Error(`${page}; ${await this.on("v1", "docker service ps --no-trunc shop")}`);
      };
      await eventually(`${name} answers on the mesh's port`, 180, look, patience);
    }
    this.say("a port of the ingress mesh answers on both hosts");
    await this.on("v1", "docker service rm shop");
  }

  /**
   * One connection of TCP at a time, by turns over the hosts' own network and between containers.
   *
   * @returns how much of the hosts' own network containers get
   */
  async throughput(what: string): Promise<number> {
    const server = this.sites.host("v2").address;
    await this.on("v2", "pkill -x iperf3 || true");
    await this.inside("v2", `iperf3 --server --daemon --port ${within}`);
    await this.on("v2", `iperf3 --server --daemon --port ${outside}`);
    const call = (address: string, port: number): string =>
      `iperf3 --client ${address} --port ${port} --time ${seconds} --omit 1 --json --connect-timeout 5000`;
    const found: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      found.push({
        host: bitsOf(await this.on("v1", call(server, outside))),
        containers: bitsOf(await this.inside("v1", call(this.at("v2").address, within))),
      });
    }
    await this.on("v2", "pkill -x iperf3 || true");
    // Others may take this machine's processors meanwhile: what is measured right after each other is compared.
    const ratio = median(found.map(({ host, containers }) => containers / host));
    const mega = (bits: number): string => (bits / 1e6).toFixed(0);
    const all = found.map(({ host, containers }) => `${mega(containers)} of ${mega(host)}`);
    this.say(`${what}: ${ratio.toFixed(2)} of the hosts' network (Mbit/s: ${all.join(", ")})`);
    return ratio;
  }
}

function bitsOf(json: string): number {
  const { end } = JSON.parse(json) as { readonly end: { readonly sum_received?: { readonly bits_per_second: number } } };
  return end.sum_received?.bits_per_second ?? assert.fail(json);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
