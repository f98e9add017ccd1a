import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { SwarmProvider } from "../../plugin/provider";
import { record } from "./harness";

interface Schema {
  readonly resources: Readonly<Record<string, { readonly properties: Readonly<Record<string, unknown>> }>>;
}

const type = "swarm:index:Cluster";

describe("the cluster of other languages", function () {
  this.timeout(30_000);

  it("answers with each output that the schema promises, and with the line for Prometheus", async () => {
    const provider = new SwarmProvider();
    const hosts = { control: { provider: "local", role: "manager" } };
    let made: Promise<pulumi.provider.ConstructResult> | undefined;
    await record(() => (made = provider.construct("lab", type, { hosts, engine: { metrics: true } }, {})));
    const { state = {} } = (await made) ?? {};
    const { properties } = (JSON.parse(provider.schema) as Schema).resources[type] ?? assert.fail(`${type} is not in the schema`);
    assert.deepEqual(Object.keys(state).sort(), Object.keys(properties).sort());
    const line = await new Promise((resolve) => pulumi.output(state["prometheus"]).apply(resolve));
    assert.match(String(line), /^- \{"job_name":"docker-lab",.*"host":"control-1"/);
  });
});
