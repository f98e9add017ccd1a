import assert from "node:assert/strict";
import { SwarmCluster, type SwarmClusterArgs } from "../../components";
import * as aws from "../../components/hosts/aws";
import { behaviour as awsBehaviour } from "../../components/hosts/aws/behaviour";
import { type CloudBehaviour, propertiesThat, type ResourceBehaviour, unknownTo } from "../../components/hosts/cloud/behaviour";
import * as hetzner from "../../components/hosts/hetzner";
import { behaviour as hetznerBehaviour } from "../../components/hosts/hetzner/behaviour";
import { PublishedTypes } from "../plugins/clouds/shared/published";
import { type Graph, record } from "./harness";
import { answers } from "./hetzner-graph";

const kmsKeyId = "arn:aws:kms:eu-west-1:111122223333:key/0d990263-018e-4e65-a703-eff731de951e";

/** Every option by which anything is given to a resource. */
const awsHosts: SwarmClusterArgs["hosts"] = {
  control: aws.hosts({
    role: "manager",
    region: "eu-west-1",
    kmsKeyId,
    iamInstanceProfile: "hosts",
    tags: { team: "swarm" },
    image: { id: "ami-1" },
  }),
  edge: aws.hosts({ role: "worker", region: "eu-west-1", spot: true, image: { id: "ami-1" } }),
};
const hetznerHosts: SwarmClusterArgs["hosts"] = {
  control: hetzner.hosts({ role: "manager", protect: true, hcloudLabels: { team: "swarm" } }),
  edge: hetzner.hosts({ role: "worker", count: 2, locations: ["fsn1", "nbg1"] }),
};
const firewall = { ssh: ["203.0.113.0/24", "2001:db8::/32"], expose: { https: { port: 443, from: ["world"], on: "workers" } } } as const;

async function graphOf(hosts: SwarmClusterArgs["hosts"]): Promise<Graph> {
  const graph = await record(() => new SwarmCluster("lab", { hosts, firewall }), answers);
  assert.equal(graph.error, undefined, String(graph.error));
  return graph;
}

const clouds: readonly (readonly [string, string, CloudBehaviour, SwarmClusterArgs["hosts"]])[] = [
  ["AWS", "@pulumi/aws", awsBehaviour, awsHosts],
  ["Hetzner", "@pulumi/hcloud", hetznerBehaviour, hetznerHosts],
];

/** All properties that a row is about. */
function given(row: ResourceBehaviour): readonly string[] {
  return propertiesThat(row, "updates", "stops", "powers off", "replaces", "refuses", "nothing");
}

for (const [cloud, name, behaviour, hosts] of clouds) {
  describe(`the table of what ${cloud} does with what is made there`, function () {
    this.timeout(30_000);
    const rows = Object.entries<ResourceBehaviour>(behaviour);

    it("has a row for every property that is set on every resource", async () => {
      const { resources } = await graphOf(hosts);
      const made = resources.filter(({ type }) => type.startsWith(`${name.replace("@pulumi/", "")}:`));
      assert.deepEqual([...new Set(made.map(({ type }) => type))].sort(), Object.keys(behaviour).sort());
      for (const { type, inputs } of made) {
        const row = behaviour[type];
        assert.ok(row, type);
        assert.deepEqual(unknownTo(row, inputs), [], type);
      }
      const set = new Map<string, Set<string>>();
      for (const { type, inputs } of made) set.set(type, new Set([...(set.get(type) ?? []), ...Object.keys(inputs)]));
      // What is no longer set, but was by an earlier version, has its row for the states that it left.
      const gone = rows.flatMap(([type, row]) => given(row).flatMap((property) => (set.get(type)?.has(property) ? [] : [`${type} ${property}`])));
      assert.deepEqual(gone, cloud === "AWS" ? [] : ["hcloud:index/primaryIp:PrimaryIp assigneeType"]);
    });

    it("names properties that the provider's package has, each with where it was read", () => {
      const types = new PublishedTypes(name);
      for (const [type, { properties, deleteRefused, quotas }] of rows) {
        const { inputs } = types.resource(type);
        for (const path of Object.keys(properties)) assert.ok(inputs.includes(path.split(".")[0] ?? ""), `${type} ${path}`);
        for (const { source } of [...Object.values(properties), ...deleteRefused, ...Object.values(quotas)])
          assert.match(source, /\.go|docs\.|@pulumi\//, type);
      }
    });
  });
}
