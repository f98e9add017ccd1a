import { eventually } from "../../../../tools/lab/cluster";
import { managers, type SuiteCluster, worker } from "../cluster";
import { addressOf, everywhere, place, reaches, removeContainers } from "../containers";
import { othersDuring } from "../silence";
import type { AsFound } from "../traces";
import { assertNoTraces } from "../traces";

/** A host more. */
export function joining(cluster: SuiteCluster, asFound: AsFound): void {
  it("takes another host in, which the others do not notice", async () => {
    await asFound.remember([worker]);
    await othersDuring(cluster, "a host joined", ["c1", "c2"], () => cluster.up({ worker: true }));
    await cluster.lab.withShell((shell) => shell.putTestImage([cluster.key(worker)]));
    await place(cluster, worker);
    await everywhere(cluster);
  });
}

/** Another machine at a host's address. */
export function replacing(cluster: SuiteCluster): void {
  it("gives another machine the place of one that is lost", async () => {
    await othersDuring(cluster, "a machine was replaced", ["c1", "c2"], async () => {
      await cluster.sites.replace("c3");
      await cluster.recheck();
    });
    await cluster.lab.withShell((shell) => shell.putTestImage([cluster.key("c3")]));
    await place(cluster, "c3");
    await everywhere(cluster);
  });
}

/** A host less. */
export function leaving(cluster: SuiteCluster, asFound: AsFound): void {
  it("lets a host go, of which nothing is left there, and which the others forget", async () => {
    const gone = await addressOf(cluster, worker);
    await removeContainers(cluster, worker);
    await othersDuring(cluster, "a host left", ["c1", "c2"], () => cluster.up({ worker: false }));
    await assertNoTraces(cluster, [worker]);
    await asFound.assertAgain([worker]);
    await everywhere(cluster);
    for (const name of managers) {
      await eventually(`${name} has no way to it`, 20, async () => ((await reaches(cluster, name, gone)) ? undefined : true));
    }
  });
}
