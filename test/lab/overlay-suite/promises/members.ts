import assert from "node:assert/strict";
import { eventually } from "../../../../tools/lab/cluster";
import { managers, type SuiteCluster, worker } from "../cluster";
import { addressOf, everywhere, place, reaches, removeContainers } from "../containers";
import { assertReplaced, programsOf } from "../programs";
import { assertQuietFor, othersDuring, silenceDuring } from "../silence";
import { type AsFound, assertAsMade, assertNoTraces } from "../traces";

/** Comes with the worker, and goes when a machine is replaced. On no overlay does its name move addresses of the others. */
const passing = "guests";

/** A host more and a network more; and other programs in the place of those that run. */
export function joining(cluster: SuiteCluster, asFound: AsFound): void {
  const { usual, others, upgrade } = cluster.overlay;
  it(`takes another host and another network in${usual ? ", and other programs one host after the other" : ", which the others do not notice"}`, async () => {
    await asFound.remember([worker]);
    const before = await programsOf(cluster);
    const silence = await silenceDuring(cluster, "c1", "c2", () => cluster.up({ worker: true, networks: { [passing]: {} }, ...cluster.with({}) }));
    assertQuietFor(`a host and a network came${usual ? ", and other programs" : ""}: c1 to c2`, silence, usual ? upgrade : others);
    if (usual) await assertReplaced(cluster, before);
    await cluster.lab.withShell((shell) => shell.putTestImage([cluster.key(worker)]));
    await Promise.all([place(cluster, worker), place(cluster, worker, passing), place(cluster, "c1", passing)]);
    assert.ok(await reaches(cluster, worker, await addressOf(cluster, "c1", passing), passing), "within the new network");
    for (const name of [worker, "c1"] as const) await removeContainers(cluster, name, passing);
    await everywhere(cluster);
  });
}

/** Another machine at a host's address, and a network less. */
export function replacing(cluster: SuiteCluster): void {
  it("gives another machine the place of one that is lost, and lets a network go", async () => {
    await othersDuring(cluster, "a machine was replaced, and a network went", ["c1", "c2"], async () => {
      await cluster.sites.replace("c3");
      await cluster.recheck({ networks: {} });
    });
    assert.equal(await cluster.on("c1", `docker network ls --quiet --filter name=^${passing}$`), "");
    await cluster.lab.withShell((shell) => shell.putTestImage([cluster.key("c3")]));
    await place(cluster, "c3");
    await everywhere(cluster);
  });
}

/** A host less. */
export function leaving(cluster: SuiteCluster, asFound: AsFound): void {
  it("lets a host go, of which nothing is left there, and which the others forget, as they do the network that went", async () => {
    const gone = await addressOf(cluster, worker);
    await removeContainers(cluster, worker);
    await othersDuring(cluster, "a host left", ["c1", "c2"], () => cluster.up({ worker: false }));
    await assertNoTraces(cluster, [worker]);
    await asFound.assertAgain([worker]);
    await everywhere(cluster);
    for (const name of managers) {
      await eventually(`${name} has no way to it`, 20, async () => ((await reaches(cluster, name, gone)) ? undefined : true));
    }
    await assertAsMade(cluster, asFound);
  });
}
