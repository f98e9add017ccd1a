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
    account.describe({ groups: { control: { ...control, each: { 1: { renew: "1" } } }, edge } });
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
