import assert from "node:assert/strict";
import { eventually } from "../../../../tools/lab/cluster";
import { argumentsDuring } from "../../../../tools/lab/secrets";
import { lookAt, targetOf } from "../../status-lab";
import { type Name, type SuiteCluster, worker } from "../cluster";
import { addressOf, everywhere, reaches } from "../containers";
import { secretsAreHidden, secretsOf } from "../secrets";
import { assertQuietFor, silenceDuring } from "../silence";

/** What hosts prove themselves by. The wrong one goes by the `up` that gives all hosts new ones, or by one that looks at all hosts. */
export function secrets(cluster: SuiteCluster): void {
  const { secret } = cluster;
  if (!secret) return;
  const { forged } = secret;

  it("keeps a host with a wrong secret out, and says so", async () => {
    const address = await addressOf(cluster, worker);
    await cluster.on(worker, forged.give);
    if (forged.cutsOff) {
      await eventually("its containers are not reached", 180, async () => ((await reaches(cluster, "c1", address)) ? undefined : true));
      assert.ok(await reaches(cluster, "c1", await addressOf(cluster, "c2")), "the others are not disturbed");
    }
    const { says } = forged;
    if (says) {
      const said = await eventually("it says why", 60, async () => {
        const text = await cluster.on(worker, says.print);
        return says.words.test(text) ? text : undefined;
      });
      process.stdout.write(`      ${says.words.exec(said)?.[0]}\n`);
    }
    const { finding } = forged;
    if (finding !== undefined) {
      const { findings } = await lookAt(await targetOf(cluster.lab));
      const hosts = findings.filter(({ kind }) => kind === finding).flatMap((one) => one.hosts);
      assert.deepEqual(hosts, [cluster.key(worker)], "the status says so too");
    }
    if (forged.up === "makes it right") return;
    assert.match(await cluster.refused({}), forged.up.refuses);
    await cluster.on(worker, forged.up.undo);
  });

  const { rotation } = secret;
  if (!rotation) {
    it("makes a wrong secret right by the next up", async () => {
      await cluster.recheck();
      await everywhere(cluster);
    });
    return;
  }
  it("takes new secrets when asked, which are seen nowhere but on their hosts, and on all of them", async () => {
    const before = await secretsOf(cluster);
    const started = await invocations(cluster);
    cluster.always(rotation.args);
    let said = { output: "", arguments: "" };
    const silence = await silenceDuring(cluster, "c1", "c2", async () => {
      const { result, seen } = await argumentsDuring(() => cluster.up(cluster.with({}), "--diff"));
      said = { output: result.stdout + result.stderr, arguments: seen };
    });
    assertQuietFor("new secrets: c1 to c2", silence, rotation.silence);
    await secretsAreHidden(cluster, said, before);
    const after = await secretsOf(cluster);
    for (const name of cluster.members) assert.ok(changed(before, after, name), `${name} has the secrets that it had`);
    if (!rotation.restarts) assert.deepEqual(await invocations(cluster), started, "nothing was started again");
    await everywhere(cluster);
  });
}

/** Of the programs on a host that no wrong secret has stopped: each start has its own. */
function invocations(cluster: SuiteCluster): Promise<string> {
  const units = cluster.overlay.daemons.map(({ unit }) => `${unit}.service`).join(" ");
  return cluster.on("c1", `systemctl show -p InvocationID --value ${units}`);
}

function changed(before: ReadonlyMap<Name, readonly string[]>, after: ReadonlyMap<Name, readonly string[]>, name: Name): boolean {
  return (after.get(name) ?? []).every((value) => !before.get(name)?.includes(value));
}
