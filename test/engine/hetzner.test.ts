import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HetznerHostsArgs } from "../../components/hosts/hetzner/args";
import { root } from "../../tools/lab/pulumi";
import { CloudStack } from "./cloud-stack";

describe("an edit of a cluster at Hetzner", function () {
  this.timeout(480_000);
  const account = new CloudStack("hcloud", "hetzner-edits");
  const network = "10.233.16.0/20";
  const control: HetznerHostsArgs = { role: "manager", network };
  const edge: HetznerHostsArgs = { role: "worker", count: 2, locations: ["fsn1", "nbg1", "hel1"], network };
  const with_ = (more: Partial<HetznerHostsArgs>): object => ({ groups: { control, edge: { ...edge, ...more } } });

  before(async () => {
    await account.begin();
    account.describe(with_({}));
    const up = await account.stack.up();
    assert.equal(up.code, 0, up.stdout + up.stderr);
  });
  after(() => account.end());

  it("that changes nothing does nothing", async () => {
    account.describe(with_({}));
    assert.deepEqual(await account.planned(), []);
  });

  it("that adds workers makes just them", async () => {
    account.describe(with_({ count: 4 }));
    assert.deepEqual(await account.planned(), [
      "create Host cl-edge-3",
      "create Host cl-edge-4",
      "create PlacementGroup cl-hetzner-eu-central-edge-hel1-1",
      "create PrimaryIp cl-edge-3-hel1",
      "create PrimaryIp cl-edge-4-fsn1",
      "create Server cl-edge-3",
      "create Server cl-edge-4",
      "create Stash cl-edge-3-made",
      "create Stash cl-edge-3-renewed",
      "create Stash cl-edge-4-made",
      "create Stash cl-edge-4-renewed",
      "update Command cl-nodes",
      "update Command cl-swarm",
      "update Command cl-swarm-intent",
    ]);
  });

  it("that takes a worker out removes just that one", async () => {
    account.describe(with_({ count: 1 }));
    assert.deepEqual(await account.planned(), [
      "delete Host cl-edge-2",
      "delete PlacementGroup cl-hetzner-eu-central-edge-nbg1-1",
      "delete PrimaryIp cl-edge-2-nbg1",
      "delete Server cl-edge-2",
      "delete Stash cl-edge-2-made",
      "delete Stash cl-edge-2-renewed",
      "update Command cl-nodes",
      "update Command cl-swarm",
      "update Command cl-swarm-intent",
    ]);
  });

  it("that changes one host's type changes one server", async () => {
    account.describe(with_({ each: { 2: { serverType: "cx33" } } }));
    assert.deepEqual(await account.planned(), ["update Server cl-edge-2"]);
  });

  it("that opens a port is one firewall for those hosts, and the hosts' own", async () => {
    account.describe({ ...with_({}), firewall: { ssh: ["203.0.113.0/24"], expose: { https: { port: 443, from: ["world"], on: "workers" } } } });
    assert.deepEqual(await account.planned(), [
      "create Firewall cl-hetzner-eu-central-workers",
      "create FirewallRule cl-https",
      "update Command cl-nodes",
      "update Command cl-swarm",
      "update Command cl-swarm-intent",
    ]);
  });

  const servers = (): string[] => account.all("server:Server").map(({ id }) => id);

  it("that makes a host anew makes another server with the same addresses, each time that the text is another one, and no more when it is gone", async () => {
    const addresses = (): unknown[] => account.all("primaryIp:PrimaryIp").map(({ id, properties }) => [id, properties["ipAddress"]]);
    const placesBefore = addresses();
    account.describe(with_({ each: { 2: { renew: "1" } } }));
    assert.deepEqual(await account.planned(), [
      "replace Server cl-edge-2",
      "replace Stash cl-edge-2-made",
      "replace Stash cl-edge-2-renewed",
      "update Command cl-nodes",
      "update Command cl-swarm",
      "update Command cl-swarm-intent",
    ]);
    for (const renew of ["1", "2", "3"]) {
      account.describe(with_({ each: { 2: { renew } } }));
      const before = servers();
      await account.up();
      assert.deepEqual(addresses(), placesBefore);
      assert.equal(servers().filter((id) => before.includes(id)).length, 2, `two of three are the old ones after ${renew}`);
    }
    account.describe(with_({}));
    assert.deepEqual(await account.planned(), [], "taken out");
    await account.up();
    account.describe(with_({ each: { 2: { renew: "3" } } }));
    assert.deepEqual(await account.planned(), [], "the text that it was made anew by");
    account.describe(with_({ each: { 2: { renew: "4" } } }));
    assert.ok((await account.planned()).includes("replace Server cl-edge-2"), "another one after none");
  });

  it("that makes a manager anew can delete the old one", async () => {
    const before = servers();
    // The only one: the swarm goes with it.
    const membership = { replaceManagers: ["control-1"] };
    account.describe({ groups: { control: { ...control, each: { 1: { renew: "1" } } }, edge }, membership });
    await account.up();
    assert.equal(servers().filter((id) => before.includes(id)).length, 2, "two of three are the old ones");
  });

  it("that makes more servers of one network than Hetzner attaches at once makes all of them, new ones and those that are made anew", async () => {
    account.describe(with_({ count: 8 }));
    await account.up();
    const before = servers();
    assert.equal(before.length, 9);
    account.describe(with_({ count: 8, each: Object.fromEntries([3, 4, 5, 6, 7, 8].map((place) => [place, { renew: "1" }])) }));
    await account.up();
    assert.equal(servers().filter((id) => before.includes(id)).length, 3, "six are new");
    account.describe(with_({}));
    await account.up();
  });

  it("that removes or replaces a protected host is refused at preview, with what to do first, and succeeds after protection was taken off", async () => {
    account.describe(with_({ protect: true }));
    const planned = ["update Server cl-edge-1", "update Server cl-edge-2", "update Stash cl-managers", "update Stash cl-members"];
    assert.deepEqual(await account.planned(), planned);
    await account.up();
    const before = servers();
    const removed = /would remove edge-2, but the provider refuses to delete a protected machine, and only an update of its own takes/;
    const replaced = /would replace the machine of edge-2, but the provider refuses to delete a protected machine/;
    for (const [edit, said] of [
      [{ protect: true, count: 1 }, removed],
      [{ protect: false, count: 1 }, removed],
      [{ protect: false, each: { 2: { renew: "5" } } }, replaced],
    ] as const) {
      account.describe(with_(edit));
      const preview = await account.stack.preview();
      assert.notEqual(preview.code, 0, JSON.stringify(edit));
      assert.match(preview.stdout + preview.stderr, said);
      assert.match(preview.stdout + preview.stderr, /Fix: keep the hosts as they were with protect: false in their group, run `up` until it/);
    }
    const refused = await account.stack.up();
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout + refused.stderr, replaced);
    assert.deepEqual([servers(), await account.running("edge-2")], [before, true], "nothing was touched");
    account.describe(with_({ protect: false }));
    await account.up();
    account.describe(with_({ count: 1 }));
    await account.up();
    assert.equal(servers().length, 2);
  });

  it("that destroys a protected host, which no program can refuse, is refused by Hetzner, and leaves the machine running", async () => {
    account.describe(with_({ protect: true, count: 1 }));
    await account.up();
    const destroyed = await account.stack.destroy();
    assert.notEqual(destroyed.code, 0);
    assert.match(destroyed.stdout, /server deletion is protected \(protected\)/);
    assert.equal(await account.running("edge-1"), true, "it was not switched off before");
  });

  it("leaves nothing on the machine that plays the cloud when its account is closed", async () => {
    await account.end();
    assert.deepEqual(await account.left(), []);
  });
});

describe("an edit after which managers at Hetzner would be other machines", function () {
  this.timeout(480_000);
  const account = new CloudStack("hcloud", "hetzner-managers");
  const control: HetznerHostsArgs = { role: "manager", count: 3, network: "10.233.32.0/20", protect: false };
  const renewed = (texts: Readonly<Record<number, string>>): HetznerHostsArgs => ({
    ...control,
    each: Object.fromEntries(Object.entries(texts).map(([place, renew]) => [place, { renew }])),
  });
  const servers = (): string[] =>
    account
      .all("server:Server")
      .map(({ id }) => id)
      .sort();
  const fleet = join(root, ".lab", "hetzner-managers-fleet.json");
  const describeManagers = (spec: object): void => account.describe({ fleet, ...spec });
  /** The swarm that these managers form, with some of them dead. */
  const swarmWith = (dead: readonly string[]): void => {
    const hosts = account.all("primaryIp:PrimaryIp").map(({ properties }) => {
      const address = String(properties["ipAddress"]);
      const key = /^cl-(.+)-[a-z]+\d$/.exec(String(properties["name"]))?.[1] ?? assert.fail(String(properties["name"]));
      return { key, address, nodeId: `node of ${key}`, files: {}, dead: dead.includes(key) };
    });
    const nodes = hosts.map(({ key, address, nodeId, dead: down }) => {
      const labels = { "pulumi-swarm.host": key };
      return { id: nodeId, hostname: key, role: "manager", address, availability: "active", state: down ? "down" : "ready", labels };
    });
    const swarm = { id: "s1", version: 1, labels: {}, nodes, made: 9 };
    mkdirSync(join(root, ".lab"), { recursive: true });
    writeFileSync(fleet, JSON.stringify({ swarm, hosts: Object.fromEntries(hosts.map((host) => [host.address, host])), runs: [] }));
  };
  const both = async (): Promise<string> => {
    const results = [await account.stack.preview(), await account.stack.up()];
    for (const { code, stdout, stderr } of results) assert.notEqual(code, 0, stdout + stderr);
    return results.map(({ stdout, stderr }) => stdout + stderr).join("\n");
  };

  before(async () => {
    await account.begin();
    describeManagers({ groups: { control } });
    const up = await account.stack.up();
    assert.equal(up.code, 0, up.stdout + up.stderr);
    swarmWith([]);
  });
  after(() => account.end());

  it("counts a machine that an `up` which failed made anew, until one succeeds", async () => {
    const before = servers();
    describeManagers({ groups: { control: renewed({ 1: "a" }) }, broken: true });
    const failed = await account.stack.up();
    assert.notEqual(failed.code, 0);
    assert.equal(servers().filter((id) => before.includes(id)).length, 2, "one of three is new");
    describeManagers({ groups: { control: renewed({ 1: "a", 2: "a" }) } });
    const preview = await account.stack.preview();
    assert.notEqual(preview.code, 0);
    assert.match(preview.stdout + preview.stderr, /would replace the machines of control-1, control-2 in one run/);

    describeManagers({ groups: { control: renewed({ 1: "a" }) } });
    const up = await account.stack.up();
    assert.equal(up.code, 0, up.stdout + up.stderr);
    describeManagers({ groups: { control: renewed({ 1: "a", 2: "a" }) } });
    assert.ok((await account.planned()).includes("replace Server cl-control-2"));
  });

  it("is refused before anything is touched where the swarm could not do without so many, with the order to take", async () => {
    const before = servers();
    describeManagers({ groups: { control: renewed({ 1: "x", 2: "x" }) } });
    const said = await both();
    const refusal =
      /The swarm cluster "cl" would replace the machines of control-1, control-2 in one run, since .*renew.* changes: of 3 managers 1 tolerates/g;
    assert.equal([...said.matchAll(refusal)].length >= 2, true, said);
    assert.match(said, /one manager at a time, in the order control-1, control-2,/);
    assert.doesNotMatch(said, /\.ts:\d+|\.js:\d+| {4}at /, "no stack trace");
    assert.deepEqual(servers(), before);
  });

  it("replaces nothing when it is taken back after it was refused, and does what it says when it is made for one after the other", async () => {
    describeManagers({ groups: { control: renewed({ 1: "a", 2: "a" }) } });
    assert.deepEqual(
      (await account.planned()).filter((step) => step.includes(" Server ")),
      ["replace Server cl-control-2"],
    );
    await account.up();
    describeManagers({ groups: { control: renewed({ 1: "x", 2: "x" }) } });
    await both();
    describeManagers({ groups: { control: renewed({ 1: "a", 2: "a" }) } });
    assert.deepEqual(await account.planned(), []);
    describeManagers({ groups: { control } });
    const before = servers();
    assert.deepEqual(await account.planned(), [], "taken out altogether");
    await account.up();
    assert.deepEqual(servers(), before);
  });

  it("is refused where the swarm cannot do without it, since another manager is dead or none can be asked: again and again, until that is cured", async () => {
    const before = servers();
    describeManagers({ groups: { control: renewed({ 1: "c" }) } });
    const refused = async (why: RegExp): Promise<void> => {
      const { code, stdout, stderr } = await account.stack.up();
      const said = stdout + stderr;
      assert.notEqual(code, 0, said);
      assert.match(said, /would replace the machine of control-1, and that could cost the swarm its quorum/);
      assert.match(said, why);
      assert.match(said, /If the swarm may be lost, set membership\.replaceManagers: \["control-1"\]/);
      assert.deepEqual(servers(), before);
    };
    const dead = /control-1 is a manager, and without it the 3 managers would lose their majority of 2: control-3 cannot be reached by the others/;
    swarmWith(["control-3"]);
    await refused(dead);
    await refused(dead);
    swarmWith(["control-1", "control-2", "control-3"]);
    await refused(
      /none of the managers can be asked whether the swarm can do without:\s+- control-\d: cannot be reached over SSH at .* connection refused\.\n +- control-\d: .* connection refused\.\n/,
    );
    swarmWith([]);
    await account.up();
    assert.equal(servers().filter((id) => before.includes(id)).length, 2, "one of three is new");
  });

  it("replaces the dead one itself", async () => {
    const before = servers();
    swarmWith(["control-3"]);
    describeManagers({ groups: { control: renewed({ 3: "dead" }) } });
    await account.up();
    assert.equal(servers().filter((id) => before.includes(id)).length, 2, "one of three is new");
  });

  it("is allowed by name", async () => {
    describeManagers({
      groups: { control: renewed({ 1: "b", 2: "b", 3: "b" }) },
      membership: { replaceManagers: ["control-1", "control-2", "control-3"] },
    });
    const planned = await account.planned();
    assert.deepEqual(
      planned.filter((step) => step.includes(" Server ")),
      ["replace Server cl-control-1", "replace Server cl-control-2", "replace Server cl-control-3"],
    );
  });
});
