import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { type ClusterNode, SwarmCluster } from "../../components";
import * as existing from "../../components/hosts/existing";
import * as local from "../../components/hosts/local";
import { isSecret, record } from "./harness";
import { clientKey } from "../unit/client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
const told = { hosts: { "control-1": { nodeId: "node1" }, "edge-a": { nodeId: "node2" } } };

/** Runs with the nodes of a cluster of one local host and one of the user's own. */
function withNodes(work: (nodes: Readonly<Record<string, ClusterNode>>) => void, preview = false): ReturnType<typeof record> {
  const outputs = ({ name }: pulumi.runtime.MockResourceArgs): Record<string, unknown> =>
    name === "lab-nodes" ? { stdout: JSON.stringify(told) } : {};
  return record(
    () => {
      const edge = existing.hosts({
        role: "worker",
        privateKey: clientKey,
        machines: { a: { address: "198.51.100.7", privateAddress: "10.213.9.9", hostKey, labels: { rack: "a" } } },
        site: "local 10.213.0.0/16",
        network: "10.213.0.0/16",
      });
      work(new SwarmCluster("lab", { hosts: { control: local.hosts({ role: "manager" }), edge }, firewall: { ssh: ["203.0.113.0/24"] } }).nodes);
    },
    { outputs, preview },
  );
}

describe("the nodes of a cluster", function () {
  this.timeout(30_000);

  it("say at preview what the plan knows, by the host's key", async () => {
    let said: unknown;
    const { error } = await withNodes((nodes) => {
      said = Object.values(nodes).map(({ key, role, site, plannedAddress, plan }) => [key, role, site, plannedAddress, plan.labels]);
    }, true);
    assert.equal(error, undefined);
    const [site, address] = ["local 10.213.0.0/16", (said as unknown[][])[0]?.[3]];
    assert.match(String(address), /^10\.213\.\d+\.1$/);
    assert.deepEqual(said, [
      ["control-1", "manager", site, address, {}],
      ["edge-a", "worker", site, "10.213.9.9", { rack: "a" }],
    ]);
  });

  it("give what the host came to be to other resources, the connection as a secret", async () => {
    const { resources, error } = await withNodes((nodes) => {
      const edge = nodes["edge-a"];
      assert.ok(edge);
      const { address, nodeId, machineId, connection } = edge;
      new pulumi.Stash("uses", { input: { address, nodeId, machineId, connection } });
    });
    assert.equal(error, undefined);
    const uses = resources.find(({ name }) => name === "uses");
    const { connection, ...rest } = uses?.inputs["input"] as Record<string, unknown>;
    assert.deepEqual(rest, { address: "10.213.9.9", nodeId: "node2", machineId: hostKey });
    assert.ok(isSecret(connection));
    assert.ok(uses?.dependsOn.includes("lab-nodes (command:local:Command)"), "nodeId is known when the host has joined");
  });

  it("can be depended on: what does so waits for the machine, and not for the swarm", async () => {
    const { resources } = await withNodes((nodes) => {
      const control = nodes["control-1"];
      if (control) new pulumi.Stash("after", { input: "a" }, { dependsOn: control.resource });
    });
    const { dependsOn } = resources.find(({ name }) => name === "after") ?? { dependsOn: [] };
    assert.deepEqual(dependsOn, ["lab-control-1 (docker:index/container:Container)"]);
  });
});
