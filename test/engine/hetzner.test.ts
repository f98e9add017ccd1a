import assert from "node:assert/strict";
import type { HetznerHostsArgs } from "../../components/hosts/hetzner/args";
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

  it("that takes a protected host out is refused by Hetzner, leaves the machine running, and succeeds after protection was taken off", async () => {
    account.describe(with_({ protect: true }));
    assert.deepEqual(await account.planned(), ["update Server cl-edge-1", "update Server cl-edge-2"]);
    await account.up();
    account.describe(with_({ protect: true, count: 1 }));
    const refused = await account.stack.up();
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout, /server deletion is protected \(protected\)/);
    assert.deepEqual(await account.running("edge-2"), true, "it was not switched off before");
    account.describe(with_({ protect: false }));
    await account.up();
    account.describe(with_({ count: 1 }));
    await account.up();
    assert.equal(servers().length, 2);
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
  const both = async (): Promise<string> => {
    const results = [await account.stack.preview(), await account.stack.up()];
    for (const { code, stdout, stderr } of results) assert.notEqual(code, 0, stdout + stderr);
    return results.map(({ stdout, stderr }) => stdout + stderr).join("\n");
  };

  before(async () => {
    await account.begin();
    account.describe({ groups: { control } });
    const up = await account.stack.up();
    assert.equal(up.code, 0, up.stdout + up.stderr);
  });
  after(() => account.end());

  it("counts a machine that an `up` which failed made anew, until one succeeds", async () => {
    const before = servers();
    account.describe({ groups: { control: renewed({ 1: "a" }) }, broken: true });
    const failed = await account.stack.up();
    assert.notEqual(failed.code, 0);
    assert.equal(servers().filter((id) => before.includes(id)).length, 2, "one of three is new");
    account.describe({ groups: { control: renewed({ 1: "a", 2: "a" }) } });
    const preview = await account.stack.preview();
    assert.notEqual(preview.code, 0);
    assert.match(preview.stdout + preview.stderr, /would replace the machines of control-1, control-2 in one run/);

    account.describe({ groups: { control: renewed({ 1: "a" }) } });
    const up = await account.stack.up();
    assert.equal(up.code, 0, up.stdout + up.stderr);
    account.describe({ groups: { control: renewed({ 1: "a", 2: "a" }) } });
    assert.ok((await account.planned()).includes("replace Server cl-control-2"));
  });

  it("is refused before anything is touched where the swarm could not do without so many, with the order to take", async () => {
    const before = servers();
    account.describe({ groups: { control: renewed({ 1: "x", 2: "x" }) } });
    const said = await both();
    const refusal =
      /The swarm cluster "cl" would replace the machines of control-1, control-2 in one run, since .*renew.* changes: of 3 managers 1 tolerates/g;
    assert.equal([...said.matchAll(refusal)].length >= 2, true, said);
    assert.match(said, /one manager at a time, in the order control-1, control-2,/);
    assert.doesNotMatch(said, /\.ts:\d+|\.js:\d+| {4}at /, "no stack trace");
    assert.deepEqual(servers(), before);
  });

  it("replaces nothing when it is taken back after it was refused, and does what it says when it is made for one after the other", async () => {
    account.describe({ groups: { control: renewed({ 1: "a", 2: "a" }) } });
    assert.deepEqual(
      (await account.planned()).filter((step) => step.includes(" Server ")),
      ["replace Server cl-control-2"],
    );
    await account.up();
    account.describe({ groups: { control: renewed({ 1: "x", 2: "x" }) } });
    await both();
    account.describe({ groups: { control: renewed({ 1: "a", 2: "a" }) } });
    assert.deepEqual(await account.planned(), []);
    account.describe({ groups: { control } });
    const before = servers();
    assert.deepEqual(await account.planned(), [], "taken out altogether");
    await account.up();
    assert.deepEqual(servers(), before);
  });

  it("is allowed by name", async () => {
    account.describe({
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
