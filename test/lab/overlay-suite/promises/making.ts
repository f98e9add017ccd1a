import assert from "node:assert/strict";
import { Cidr, isCidr } from "../../../../components/addresses/cidr";
import type { CommandResult } from "../../../../tools/lab/pulumi";
import { argumentsDuring } from "../../../../tools/lab/secrets";
import { assertNoChange } from "../../lab";
import { managers, type SuiteCluster } from "../cluster";
import { addressOf, everywhere, place, startService } from "../containers";
import { secretsAreHidden } from "../secrets";
import { type AsFound, assertTraces, tracesOn } from "../traces";

/** A new cluster, and its networks. */
export function making(cluster: SuiteCluster, asFound: AsFound): void {
  it("is made by one up, with nothing secret where somebody could read it", async () => {
    await asFound.remember(managers);
    await isMade(cluster, () => cluster.up());
    for (const name of ["c1", "c2"] as const) asFound.made.set(name, await tracesOn(cluster, name));
  });

  named(cluster);
}

/** By an `up` that brings the overlay to hosts. */
export async function isMade(cluster: SuiteCluster, up: () => Promise<CommandResult>): Promise<void> {
  const { result, seen } = await argumentsDuring(up);
  await secretsAreHidden(cluster, { output: result.stdout + result.stderr, arguments: seen });
  await assertTraces(cluster);
}

/** Services and containers, by whom the networks are used from now on. */
export function named(cluster: SuiteCluster): void {
  it("lets containers on all hosts find each other by name", async () => {
    await cluster.lab.withShell((shell) => shell.putTestImage());
    await startService(cluster);
    await Promise.all(cluster.members.map((name) => place(cluster, name)));
    await everywhere(cluster);
  });

  it("has its networks as planned, and containers at addresses out of their subnets", async () => {
    const { networks } = (await cluster.lab.outputs()).plan;
    for (const { name, driver, internal } of networks) {
      const found = await cluster.on("c1", `docker network inspect --format '{{.Driver}} {{.Scope}} {{.Internal}}' ${name}`);
      assert.equal(found, `${driver} swarm ${internal}`, name);
    }
    const web = networks.find(({ name }) => name === "web")?.subnet ?? "";
    for (const name of managers) assert.ok(contains(web, await addressOf(cluster, name)), name);
  });
}

function contains(network: string, address: string): boolean {
  const [all, one] = [Cidr.parse(network), Cidr.parse(`${address}/32`)];
  return isCidr(all) && isCidr(one) && all.contains(one);
}

/** The same program, once more. */
export function staying(cluster: SuiteCluster): void {
  it("stays as it is when nothing is asked for, also after a refresh", async () => {
    assertNoChange(await cluster.up({}, "--refresh"));
  });
}
