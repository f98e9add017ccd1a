import assert from "node:assert/strict";
import { managers, type Name, type SuiteCluster } from "./cluster";
import type { Daemon } from "./description";

/** The file of each of the overlay's own programs that run on the managers, in which its version is. */
export async function programsOf(cluster: SuiteCluster): Promise<readonly string[]> {
  return Promise.all(
    each(cluster).map(({ name, daemon: { program } }) => cluster.on(name, `readlink /proc/$(pidof ${program} | cut -d ' ' -f 1)/exe`)),
  );
}

/** Others run now, and no host keeps those that it had. */
export async function assertReplaced(cluster: SuiteCluster, before: readonly string[]): Promise<void> {
  const after = await programsOf(cluster);
  for (const [index, { name, daemon }] of each(cluster).entries()) {
    const what = `${daemon.program} on ${name}`;
    assert.notEqual(after[index], before[index], what);
    const folder = `/usr/local/lib/pulumi-swarm/${daemon.folder}`;
    const [version = "", ...others] = (await cluster.on(name, `ls ${folder}`)).split("\n");
    assert.equal(after[index], `${folder}/${version}/${daemon.program}`);
    assert.deepEqual(others, [], `${what}: the old one is gone`);
  }
}

function each(cluster: SuiteCluster): readonly { readonly name: Name; readonly daemon: Daemon }[] {
  const daemons = cluster.overlay.daemons.filter(({ folder }) => folder !== undefined);
  return managers.flatMap((name) => daemons.map((daemon) => ({ name, daemon })));
}
