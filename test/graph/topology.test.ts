import assert from "node:assert/strict";
import { calico, openvswitch, planCluster, SwarmCluster, type SwarmClusterArgs, weave, wireguard } from "pulumi-swarm";
import * as existing from "pulumi-swarm/existing";
import * as local from "pulumi-swarm/local";
import { mermaid } from "../../components/picture/mermaid";
import { svg } from "../../components/picture/svg";
import { topologyOf } from "../../components/cluster/topology";
import { topologiesIn, type WrittenResource } from "../../components/topology/of-resources";
import { record, type Registered } from "./harness";
import { clientKey } from "../unit/client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const spread: SwarmClusterArgs = {
  underlay: wireguard(),
  overlay: weave(),
  firewall: { ssh: ["198.51.100.0/24"], expose: { "the-web": { port: 443, from: ["world"], on: "workers" } } },
  hosts: {
    "far-edge": existing.hosts({ role: "worker", site: "rack", privateKey: clientKey, machines: { "a-1": { address: "203.0.113.7", hostKey } } }),
    control: local.hosts({ role: "manager", count: 3 }),
    many: local.hosts({ role: "worker", count: 11 }),
  },
  networks: { web: {}, "a.db": { internal: true } },
};

/** As an engine would write it down. */
function written(resources: readonly Registered[]): WrittenResource[] {
  const urn = (type: string, name: string): string => `urn:pulumi:test::test::${type}::${name}`;
  const parents = new Map(resources.filter(({ custom }) => !custom).map(({ type, name }) => [name, urn(type, name)]));
  return resources.map(({ type, name, parent, inputs }) => ({ urn: urn(type, name), type, inputs, parent: parents.get(parent) ?? "" }));
}

describe("the topology that is read out of resources", () => {
  const expected = topologyOf("prod", planCluster(spread).plan);
  let resources: readonly Registered[] = [];
  let drawn: readonly string[] = [];
  before(async () => {
    const recorded = await record(() => {
      const { picture, diagram } = new SwarmCluster("prod", spread);
      drawn = [picture, diagram];
      new SwarmCluster("lab", { hosts: { control: local.hosts({ role: "manager", network: "10.214.0.0/16" }) } });
    });
    assert.equal(recorded.error, undefined);
    ({ resources } = recorded);
  });

  it("is the planned one, whatever the order in which they come", () => {
    assert.deepEqual(
      expected.hosts.map(({ key }) => key).slice(3, 7),
      ["far-edge-a-1", "many-1", "many-2", "many-3"],
      "by name, numbers as a person counts",
    );
    for (const order of [resources, [...resources].reverse()]) {
      const [lab, prod] = topologiesIn(written(order));
      assert.equal(lab?.topology.cluster, "lab");
      assert.deepEqual(JSON.parse(JSON.stringify(prod?.topology)), JSON.parse(JSON.stringify(expected)));
    }
  });

  it("has the VLANs outside, which no picture stumbles over", async () => {
    const trunks = { rack: { interface: "eth1", vlan: 120, network: "web", on: "control-1" } };
    const args: SwarmClusterArgs = { ...spread, networks: { web: {} }, overlay: openvswitch({ trunks }) };
    let picture = "";
    const { resources: made, error } = await record(() => {
      const cluster = new SwarmCluster("prod", args);
      picture = cluster.picture + cluster.diagram;
    });
    assert.equal(error, undefined);
    const planned = topologyOf("prod", planCluster(args).plan);
    assert.equal(planned.trunks.length, 1);
    const [found] = topologiesIn(written(made));
    assert.deepEqual(JSON.parse(JSON.stringify(found?.topology)), JSON.parse(JSON.stringify(planned)));
    assert.match(picture, /VLAN 120 in web at control-1/);
  });

  it("has the routers outside, which no picture stumbles over", async () => {
    const peers = {
      tor: { address: "10.214.0.1", as: 65010, password: "tor-and-us", announce: ["web"], accept: "default", bfd: true },
      spine: { address: "10.214.0.2", as: 65011 },
    } as const;
    const args: SwarmClusterArgs = { ...spread, networks: { web: {} }, overlay: calico({ peers }) };
    let picture = "";
    const { resources: made, error } = await record(() => {
      const cluster = new SwarmCluster("prod", args);
      picture = cluster.picture + cluster.diagram;
    });
    assert.equal(error, undefined);
    const planned = topologyOf("prod", planCluster(args).plan);
    assert.deepEqual(
      planned.peers.map(({ name }) => name),
      ["spine", "tor"],
    );
    const [found] = topologiesIn(written(made));
    assert.deepEqual(JSON.parse(JSON.stringify(found?.topology)), JSON.parse(JSON.stringify(planned)));
    assert.ok(picture.length > 1000 && !picture.includes("tor-and-us"));
  });

  it("is what the cluster itself draws, before anything is made", () => {
    assert.deepEqual(drawn, [svg(expected), mermaid(expected)]);
  });
});
