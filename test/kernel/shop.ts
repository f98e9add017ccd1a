import assert from "node:assert/strict";
import { capture, kinds } from "../../tools/lab/capture";
import { eventually, testImage } from "../../tools/lab/cluster";
import { tryPacket } from "../../tools/lab/measure";
import { needTools, networkOf } from "../../tools/lab/namespace";
import { get } from "../../tools/lab/scan";
import { Sites } from "../../tools/lab/sites";
import { needKernel } from "../../tools/lab/virtual";
import { Lab } from "../lab/lab";

/** Ports that the service publishes in the ingress mesh: open on two hosts, and on none. */
export const published = { edge: 8090, nowhere: 8092 } as const;
export const names = ["v1", "v2", "v3"] as const;
const edge = ["v2", "v3"] as const;

/** Milliseconds between two looks: each takes a processor that is emulated some time. */
export const patience = 2_000;

/** HTTP spoken by hand: Debian's static busybox crashes in wget. */
const call = (place: string, path = ""): string => `printf 'GET /${path} HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${place} 80`;

/** Three virtual machines in a swarm, with one service that has a task on each. */
export class Shop {
  readonly sites: Sites;
  readonly lab: Lab;

  /** @param subnet a /24 of its own */
  constructor(
    readonly name: string,
    subnet: string,
  ) {
    this.sites = new Sites(name, { rack: { subnet, hosts: Object.fromEntries(names.map((each) => [each, { kernel: "own" }])) } });
    this.lab = new Lab(name);
  }

  async begin(context: Mocha.Context): Promise<void> {
    needKernel(context);
    needTools(context, "nsenter", "nmap", "nft", "tcpdump");
    await this.lab.begin();
    await this.lab.logInWith(this.sites.keys.client.privateKey);
    await this.sites.build();
  }

  async end(): Promise<void> {
    await this.lab.end();
    await this.sites.remove();
  }

  spec(more: object = {}): Promise<void> {
    return this.lab.spec({
      existing: { control: this.group("v1"), edge: this.group(...edge) },
      networks: { web: {} },
      firewall: { ssh: this.sites.admins, expose: { shop: { port: published.edge, from: ["world"], on: "group edge" } } },
      ...more,
    });
  }

  private group(...members: readonly string[]): object {
    const hostKey = this.sites.keys.host.publicKey;
    const machines = members.map((name) => [name, { address: this.sites.host(name).address, hostKey }]);
    return { role: "manager", site: "rack", network: this.sites.subnet("rack"), machines: Object.fromEntries(machines) as object };
  }

  /** Starts the service. @returns when each of its tasks hears all of them */
  async open(): Promise<void> {
    await this.sites.on(
      "v1",
      ..."docker service create --detach --quiet --no-resolve-image --name shop --mode global --network web --stop-signal KILL".split(" "),
      ...Object.values(published).flatMap((port) => ["--publish", `published=${port},target=80`]),
      ...["--env", "HOST={{.Node.Hostname}}", testImage, "/bin/busybox", "sh", "-c"],
      "mkdir -p /www && echo hello from $HOST > /www/index.html && exec /bin/busybox httpd -f -p 80 -h /www",
    );
    for (const name of names) await this.allAnswer(name);
  }

  /** A command in the service's container on a host: by its namespaces, which takes an emulated processor less than `docker exec`. */
  inTask(name: string, command: string): Promise<string> {
    const script = `id=$(docker ps -q --filter label=com.docker.swarm.service.name=shop)
      pid=$(docker inspect --format '{{.State.Pid}}' "$id")
      PATH=/bin exec /usr/bin/nsenter -t "$pid" -n -m /bin/busybox sh -c "$1"`;
    return this.sites.on(name, "sh", "-euc", script, "sh", command);
  }

  /** The service's container on a host, and its address in the network. */
  private async task(name: string): Promise<{ readonly id: string; readonly address: string }> {
    const id = await this.sites.on(name, "docker", "ps", "-q", "--filter", "label=com.docker.swarm.service.name=shop");
    assert.match(id, /^[0-9a-f]{12}$/, `one task on ${name}`);
    return { id, address: await this.sites.on(name, "docker", "inspect", "--format", "{{.NetworkSettings.Networks.web.IPAddress}}", id) };
  }

  /** All tasks answer the one on this host, which calls them by the service's name. */
  async allAnswer(name: string): Promise<void> {
    const all = names.map((each) => `hello from ${this.sites.host(each).machine}`);
    const look = async (): Promise<true> => {
      const heard = await this.inTask(name, `for i in 1 2 3 4 5 6; do ${call("shop")} | grep hello; done`);
      const lines = heard.split("\n");
      if (lines.length === 6 && all.every((line) => lines.includes(line))) return true;
      throw new Error(heard);
    };
    await eventually(`all tasks answer ${name}, and none is lost`, 240, look, patience);
  }

  /** What comes back on a port of a host, for somebody in the site. */
  async answer(name: string, port: number): Promise<string> {
    const page = await get(await this.sites.network("outsider"), this.sites.host(name).address, port);
    return /hello from \S+/.exec(page ?? "")?.[0] ?? "nothing";
  }

  /** Every host on which the plan opens the mesh's port answers there. */
  async meshAnswers(seconds = 60): Promise<void> {
    const look = (name: string) => async (): Promise<true | undefined> =>
      (await this.answer(name, published.edge)) === "nothing" ? undefined : true;
    for (const name of edge) await eventually(`${name} answers on the mesh's port`, seconds, look(name), patience);
  }

  /** What passes between two hosts while a task on one of them says something to the one on the other. */
  async onTheWire(from = "v2", to = "v3"): Promise<{ readonly seen: readonly string[]; readonly shown: boolean; readonly heard: boolean }> {
    const [said, { address }] = [`marker-${Date.now()}`, await this.task(to)];
    const { packets, bytes, result } = await capture(
      await networkOf(this.sites.host(to).machine),
      "machine",
      // Who hears nothing ends with an error.
      () => this.inTask(from, `${call(address, said)} || true`),
      ["host", this.sites.host(from).address],
      65_535,
    );
    const expected = ["arp", "protocol 50", "udp/4789", "udp/7946", "tcp/7946", "tcp/2377"];
    return { seen: [...kinds(packets, expected).keys()], shown: bytes.includes(said), heard: result.includes("404") };
  }

  async assertEncrypted(): Promise<void> {
    const { seen, shown, heard } = await this.onTheWire();
    assert.ok(heard && !shown && seen.includes("protocol 50") && !seen.includes("udp/4789"), seen.join());
  }

  /** A packet of the planned size passes between containers of two hosts in one piece, and one byte more does not. */
  async assertExactMtu(from: string, to: string): Promise<void> {
    const { mtu } = (await this.lab.outputs()).plan;
    const [own, other] = [await this.task(from), await this.task(to)];
    const send = (size: number): Promise<string> => tryPacket(this.sites.host(from).machine, own.id, other.address, size);
    const { packets, result } = await capture(
      await networkOf(this.sites.host(to).machine),
      "machine",
      async () => [await send(mtu), await send(mtu + 1)],
      ["host", this.sites.host(from).address, "and", "(udp port 4789 or udp port 4790 or udp port 51820 or esp)"],
    );
    assert.deepEqual(result, ["passes", "refused"], `${mtu} bytes`);
    assert.equal(packets.filter(({ fragment }) => fragment).length, 0, "in one piece");
    assert.equal(Math.max(...packets.map(({ size }) => size)), 1500, "the largest fills the link");
  }
}
