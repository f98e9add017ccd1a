import assert from "node:assert/strict";
import { argumentsDuring } from "../../../../tools/lab/secrets";
import { assertNoChange } from "../../lab";
import { managers, type SuiteCluster } from "../cluster";
import { everywhere, place, startService } from "../containers";
import { secretsAreHidden } from "../secrets";
import type { AsFound } from "../traces";
import { assertTraces } from "../traces";

/** A new cluster, and its networks. */
export function making(cluster: SuiteCluster, asFound: AsFound): void {
  it("is made by one up, with nothing secret where somebody could read it", async () => {
    await asFound.remember(managers);
    const { result, seen } = await argumentsDuring(() => cluster.up());
    await secretsAreHidden(cluster, { output: result.stdout + result.stderr, arguments: seen });
    await assertTraces(cluster);
  });

  it("has its networks where the plan says", async () => {
    const { networksMade, plan } = await cluster.lab.outputs();
    assert.deepEqual(Object.keys(networksMade).sort(), plan.networks.map(({ name }) => name).sort());
    for (const { name, subnet } of plan.networks) assert.equal(networksMade[name]?.subnet, subnet);
  });

  it("lets containers on all hosts find each other by name", async () => {
    await cluster.lab.withShell((shell) => shell.putTestImage());
    await startService(cluster);
    await Promise.all(managers.map((name) => place(cluster, name)));
    await everywhere(cluster);
  });
}

/** The same program, once more. */
export function staying(cluster: SuiteCluster): void {
  it("stays as it is when nothing is asked for, also after a refresh", async () => {
    assertNoChange(await cluster.up({}, "--refresh"));
  });
}
