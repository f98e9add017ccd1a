import assert from "node:assert/strict";
import { flannel, native, type Overlay, SwarmCluster } from "../../components";
import type { SwarmRequest } from "../../components/agents/request";
import * as existing from "../../components/hosts/existing";
import { type Graph, isSecret, record } from "./harness";
import { clientKey } from "../unit/client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
const control = existing.hosts({ role: "manager", privateKey: clientKey, machines: { a: { address: "10.20.0.1", hostKey } } });
const firewall = { ssh: ["198.51.100.0/24"] };
const stash = "old-overlay-since";

/** A cluster whose first `up` was so many days ago. */
async function cluster(overlay: Overlay, days: number): Promise<Graph> {
  const since = new Date(Date.now() - days * 24 * 3600 * 1000).toISOString().slice(0, 10);
  const graph = await record(() => new SwarmCluster("old", { overlay, firewall, hosts: { control } }), {
    outputs: ({ name }) => ({ ...(name === stash && { output: since }), ...(/-(overlay-secret|memory-key)$/.test(name) && { output: "secret" }) }),
  });
  assert.equal(graph.error, undefined);
  return graph;
}

function requestOf({ resources }: Graph): SwarmRequest {
  const { stdin } = resources.find(({ type, name }) => type === "command:local:Command" && name === "old-swarm")?.inputs ?? {};
  assert.ok(isSecret(stdin));
  return JSON.parse(stdin.secret as string) as SwarmRequest;
}

describe("a cluster with certificates that end", function () {
  this.timeout(30_000);

  it("asks for the same each day of half a year, and then once more, so that an up without a change renews them", async () => {
    const after = async (days: number): Promise<SwarmRequest> => requestOf(await cluster(flannel(), days));
    const [first, later, next, again] = [await after(0), await after(170), await after(190), await after(350)];
    assert.deepEqual(later, first);
    assert.notDeepEqual(next, first);
    assert.equal(next.overlay.onHosts?.revisit, 1);
    assert.deepEqual(again, next);
  });

  it("keeps the first day that it saw, and one without certificates keeps none", async () => {
    const { resources } = await cluster(flannel(), 0);
    assert.deepEqual(resources.find(({ name }) => name === stash)?.ignoreChanges, ["input"]);
    assert.ok(!(await cluster(native(), 0)).resources.some(({ name }) => name === stash));
  });
});
