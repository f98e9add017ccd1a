import assert from "node:assert/strict";
import type { SuiteCluster } from "../cluster";
import { place, reaches, removeContainers, within } from "../containers";

const ends = ["c1", "c2"] as const;

/** Networks, each a world of its own. */
export function apart(cluster: SuiteCluster): void {
  it("keeps networks apart, on one host and between hosts", async () => {
    const [here, there] = await Promise.all([place(cluster, "c1", "store"), place(cluster, "c2", "store")]);
    assert.ok(await reaches(cluster, "c1", there, "store"), "within the network");
    for (const [where, address] of Object.entries({ "on its host": here, "on another host": there })) {
      assert.equal(await reaches(cluster, "c1", address), false, `another network ${where}`);
    }
    await Promise.all(ends.map((name) => removeContainers(cluster, name, "store")));
  });

  if (!cluster.overlay.internal) return;
  it("keeps an internal network off everything else", async () => {
    const [, there] = await Promise.all([place(cluster, "c1", "closed"), place(cluster, "c2", "closed")]);
    assert.ok(await reaches(cluster, "c1", there, "closed"), "within the network");
    assert.equal(await within(cluster, "c1", "ip route show default", "closed"), "");
    const outside = cluster.sites.onlookerAddress("outsider", "a");
    assert.match(await within(cluster, "c1", `ping -c 1 -W 1 ${outside} 2>&1 || true`, "closed"), /unreachable/);
    await Promise.all(ends.map((name) => removeContainers(cluster, name, "closed")));
  });
}
