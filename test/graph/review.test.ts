import assert from "node:assert/strict";
import { SwarmCluster, type SwarmClusterArgs } from "../../components";
import * as existing from "../../components/hosts/existing";
import { changesIn } from "../../components/review/changes";
import type { ReadPreview } from "../../components/review/read";
import type { WrittenResource } from "../../components/topology/of-resources";
import { record, type Registered } from "./harness";
import { clientKey } from "../unit/client-key";

const hostKeys = [
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9",
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI",
] as const;

/** As an engine would write it down. */
function written(resources: readonly Registered[]): WrittenResource[] {
  const urn = (type: string, name: string): string => `urn:pulumi:test::test::${type}::${name}`;
  const parents = new Map(resources.filter(({ custom }) => !custom).map(({ type, name }) => [name, urn(type, name)]));
  return resources.map(({ type, name, parent, inputs }) => ({ urn: urn(type, name), type, inputs, parent: parents.get(parent) ?? "" }));
}

/** One cluster over three machines of the rack, of which the first has one of two keys. */
async function cluster(more: Partial<SwarmClusterArgs>, hostKey: string = hostKeys[0]): Promise<WrittenResource[]> {
  const machine = (place: number, key: string): existing.ExistingMachine => ({ address: `192.168.7.${place}`, hostKey: key });
  const machines = { a: machine(1, hostKey), b: machine(2, hostKeys[0]), c: machine(3, hostKeys[0]) };
  const rack = existing.hosts({ role: "manager", privateKey: clientKey, machines });
  const { error, resources } = await record(() => void new SwarmCluster("prod", { hosts: { rack }, firewall: { ssh: ["203.0.113.0/24"] }, ...more }));
  assert.equal(error, undefined);
  return written(resources);
}

const seen = (before: readonly WrittenResource[], after: readonly WrittenResource[]): ReturnType<typeof changesIn>[number] => {
  const preview: ReadPreview = { before, after, steps: [], leftOut: 0, errors: [] };
  const [change] = changesIn(preview);
  assert.ok(change);
  return change;
};

describe("what a review reads of a cluster that its preview would otherwise not show", function () {
  this.timeout(30_000);

  it("is which pinned SSH host keys change, comments left out", async () => {
    const before = await cluster({});
    assert.deepEqual(seen(before, await cluster({}, hostKeys[1])).otherKeys, ["rack-a"]);
    assert.deepEqual(seen(before, await cluster({}, `${hostKeys[0]} the first machine`)).otherKeys, []);
  });

  it("is whether a swarm was adopted and lives on without its cluster", async () => {
    const swarmId = "pqrstuvwxyz0123456789abcd";
    const livesOn = async (more: Partial<SwarmClusterArgs>): Promise<boolean> => seen(await cluster(more), []).livesOn;
    assert.equal(await livesOn({ adopt: { swarmId } }), true);
    assert.equal(await livesOn({ adopt: { swarmId, dissolve: true } }), false);
    assert.equal(await livesOn({}), false);
  });
});
