import assert from "node:assert/strict";
import { withPrefix } from "../../components/cluster/request";
import { SshSession } from "../../components/remote/ssh";
import { raiseMesh } from "../../components/underlay/wireguard/apply";
import { eventually } from "../../tools/lab/cluster";
import { cutPower } from "../../tools/lab/virtual";
import { Knocks } from "./knocks";
import { names, patience, Shop } from "./shop";
import { bringModuleBack, farewell, hideModule, served } from "./tunnel";

const unit = "pulumi-swarm-wireguard.service";

/** The life of one cluster, told in order: v3 has no WireGuard in its kernel until it loses its power. */
describe("a swarm on real kernels that loses its power", function () {
  this.timeout(600_000);
  this.bail(true);
  const shop = new Shop("vmp", "10.249.0.0/24");
  const { lab, sites } = shop;
  const on = (key: string, command: string): Promise<string> => sites.on(key, "sh", "-c", command);
  const allServed = (): Promise<string[]> => Promise.all(names.map((name) => served(sites, name)));

  before(async function () {
    await shop.begin(this);
    await hideModule(sites, "v3");
  });
  after(() => shop.end());

  it("carries a swarm, whose containers' packets pass in one piece, whatever serves the tunnel", async () => {
    await shop.spec({ wireguard: {} });
    const { stdout } = await lab.up();
    assert.match(stdout, /no WireGuard in the kernel of edge-v3,/);
    assert.deepEqual(await allServed(), ["kernel", "kernel", "wireguard-go"]);
    await shop.open();
    await shop.assertExactMtu("v1", "v2");
    await shop.assertExactMtu("v2", "v3");
  });

  /** As an `up` does that changes nothing else, and so writes nothing after it. The plan's last host is the last one to change its key. */
  async function newKeys(): Promise<void> {
    const { plan } = await lab.outputs();
    assert.ok(plan.tunnel);
    const members = plan.hosts.map(async ({ key, place, site, address = "", tunnelAddress = "" }) => {
      const session = await SshSession.open(key, sites.connection(place));
      return { key, site, address, tunnelAddress, session };
    });
    const opened = await Promise.all(members);
    const options = { ...withPrefix(plan.tunnel), mtu: plan.underlayMtu, rotation: "before the power cut" };
    const { failures } = await raiseMesh(opened, options, { progress: () => {} });
    await farewell(opened.map(({ session }) => session));
    assert.deepEqual(failures, []);
  }

  /** All of it is there as it was, and nobody helped. */
  async function isBack(): Promise<void> {
    const began = Date.now();
    const note = (what: string): void => void process.stdout.write(`      ${what} after ${((Date.now() - began) / 1000).toFixed(0)} s\n`);
    await shop.meshAnswers(400);
    note("the mesh's port answers");
    const nodes = (): Promise<string> => sites.on("v1", "docker", "node", "ls", "--format", "{{.Status}} {{.ManagerStatus}}");
    const ready = async (): Promise<true> => {
      const said = await nodes();
      if (said.split("\n").filter((line) => /^Ready (Leader|Reachable)$/.test(line)).length === names.length) return true;
      throw new Error(said);
    };
    await eventually("all nodes are ready", 240, ready, patience);
    note("the nodes are ready");
    for (const name of names) await shop.allAnswer(name);
    note("all tasks answer each other");
  }

  /** What the kernel holds of the firewall. */
  const rules = (): Promise<string[]> => Promise.all(names.map((name) => on(name, "nft -s list table inet pulumi_swarm")));

  async function survives(cut: readonly string[], atLast: () => Promise<void> = async () => {}): Promise<void> {
    const { plan } = await lab.outputs();
    const before = await rules();
    const knocks = await Knocks.begin(sites);
    await atLast();
    const began = Date.now();
    await cutPower(...cut.map((name) => sites.host(name).machine));
    process.stdout.write(`      booted after ${((Date.now() - began) / 1000).toFixed(0)} s\n`);
    await isBack();
    for (const line of await knocks.end(plan)) process.stdout.write(`      ${line}\n`);
    assert.deepEqual(await rules(), before);
    for (const name of cut) await on(name, `systemctl is-active ${unit} pulumi-swarm-firewall.service docker.service`);
  }

  it("is back by itself after a power cut of a host that got a new key just before, with no port open that is not planned, and takes the kernel's WireGuard now that there is one", async () => {
    // A disk keeps what it was told to keep; the rest is written when there is time.
    await bringModuleBack(sites, "v3");
    await on("v3", "mount -o remount,commit=600 /");
    await survives(["v3"], newKeys);
    assert.equal(await served(sites, "v3"), "kernel");
    await shop.assertExactMtu("v2", "v3");
  });

  it("is back by itself after a power cut of all hosts at once, with no port open that is not planned", async () => {
    await survives(names);
    assert.deepEqual(await allServed(), ["kernel", "kernel", "kernel"]);
  });
});
