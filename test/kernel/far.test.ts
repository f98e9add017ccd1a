import assert from "node:assert/strict";
import { proveByName } from "../../tools/lab/cluster";
import { roundTrip } from "../../tools/lab/measure";
import { needTools } from "../../tools/lab/namespace";
import { Sites } from "../../tools/lab/sites";
import { needKernel } from "../../tools/lab/virtual";
import { assertNoChange, Lab } from "../lab/lab";

/** What a link over an ocean does to packets, half of it on each way. */
const half = "delay 40ms loss 0.5%";
/** All of it, for whom no machine of the lab slows the other way. */
const whole = "delay 80ms loss 1%";

const names = ["a1", "a2", "f1"] as const;
type Name = (typeof names)[number];

/** The life of one cluster of which a manager is far away, from the others and from the operator, told in order. */
describe("a site that is 80 ms away and loses a packet of a hundred, on a real kernel", function () {
  this.timeout(900_000);
  this.bail(true);
  const own = { kernel: "own" } as const;
  const sites = new Sites("vml", {
    a: { subnet: "10.244.62.0/24", hosts: { a1: own, a2: own } },
    b: { subnet: "10.244.63.0/24", hosts: { f1: own } },
  });
  const lab = new Lab("vml");

  const group = (role: "manager" | "worker", name: Name): object => {
    const { site, address, publicAddress } = sites.host(name);
    const machines = { [name]: { address, publicAddress, hostKey: sites.keys.host.publicKey } };
    return { role, site, network: sites.subnet(site), machines };
  };
  const all = { control: group("manager", "a1"), near: group("manager", "a2"), far: group("manager", "f1") };
  const spec = (existing: object, more: object = {}): Promise<void> =>
    lab.spec({ existing, networks: { web: {} }, wireguard: {}, firewall: { ssh: sites.admins }, ...more });

  /** What leaves a host for some networks goes over the long link, and the rest as fast as ever. */
  const stretch = async (name: Name, to: Readonly<Record<string, string>>): Promise<void> => {
    const link = "link=$(basename /sys/bus/virtio/drivers/virtio_net/*/net/*)";
    const bands = Object.entries(to).flatMap(([network, how], index) => [
      `tc qdisc add dev "$link" parent 1:${index + 2} netem ${how}`,
      `tc filter add dev "$link" parent 1: protocol ip prio ${index + 1} u32 match ip dst ${network} flowid 1:${index + 2}`,
    ]);
    const everything = "priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0";
    const script = [link, `tc qdisc add dev "$link" root handle 1: prio bands 4 ${everything}`, ...bands].join("\n");
    await sites.on(name, "sh", "-euc", script);
  };

  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const began = Date.now();
    const result = await work();
    process.stdout.write(`      ${what}: ${Math.round((Date.now() - began) / 1000)} s\n`);
    return result;
  };

  /** What those are to the managers that are ready for work. */
  const ready = async (): Promise<string[]> => {
    const listed = await sites.on("a1", "docker", "node", "ls", "--format", "{{.Status}} {{.Availability}} {{.ManagerStatus}}");
    return listed.split("\n").flatMap((line) => /^Ready Active ?(\w*)$/.exec(line.trim())?.[1] ?? []);
  };

  before(async function () {
    needKernel(this);
    needTools(this, "nsenter", "nft");
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    await sites.build();
    // The operator's own way: its other half is this machine's, whose kernel slows nothing.
    await stretch("f1", { [sites.subnet("a")]: half, [`${sites.subnet("b").replace(/0\/24$/, "1")}/32`]: whole });
    for (const name of ["a1", "a2"] as const) await stretch(name, { [sites.subnet("b")]: half });
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("is as far as it is called, and nobody else is", async () => {
    const from = sites.host("a1").machine;
    const [far, near] = [
      await roundTrip(from, undefined, sites.host("f1").address, 50),
      await roundTrip(from, undefined, sites.host("a2").address, 50),
    ];
    process.stdout.write(`      round trips: ${far} ms to the far host, ${near} ms to the near one\n`);
    assert.ok(far >= 80 && near < 40, `${far} ms, ${near} ms`);
  });

  it("is taken into a swarm by one up, and another one finds nothing to do", async () => {
    await spec(all);
    await timed("up from nothing", () => lab.up());
    assert.deepEqual((await ready()).sort(), ["Leader", "Reachable", "Reachable"]);
    assertNoChange(await timed("up without a change", () => lab.up()));
  });

  it("answers by name", async () => {
    const answer = await timed("a service that answers by name", () => lab.withShell((shell) => proveByName(shell, "control-a1", "far-f1", "web")));
    assert.match(answer, /^hello from/);
  });

  it("takes an edit of networks and of the firewall", async () => {
    await spec(all, { networks: { web: {}, db: {} }, firewall: { ssh: sites.admins, allow: { metrics: { port: 9100, from: ["world"] } } } });
    await timed("an edit", () => lab.up());
    for (const name of names) assert.match(await sites.on(name, "nft", "list", "table", "inet", "pulumi_swarm"), /dport 9100 accept/);
    assert.match(await sites.on("f1", "docker", "network", "ls"), / db /);
  });

  it("is drained and leaves when it is taken out of the program", async () => {
    // One manager is left: two would be worse than one.
    await spec({ control: all.control, near: group("worker", "a2") });
    await timed("a host taken out", () => lab.up());
    assert.deepEqual((await ready()).sort(), ["", "Leader"]);
    assert.equal(await sites.on("f1", "docker", "info", "--format", "{{.Swarm.LocalNodeState}}"), "inactive");
    assert.equal(await sites.on("f1", "sh", "-c", "nft list table inet pulumi_swarm >/dev/null 2>&1 || echo none"), "none");
  });
});
