import assert from "node:assert/strict";
import type { SuiteCluster } from "../cluster";

/** Nobody on another address than the host's own reaches a program, whatever the firewall does. */
export function listening(cluster: SuiteCluster): void {
  const daemons = cluster.overlay.daemons.filter(({ listens }) => listens === "on its host's addresses");
  if (daemons.length === 0) return;
  it("has programs that listen on their hosts' own addresses and on the loopback interface, and nowhere else", async () => {
    const { plan } = await cluster.lab.outputs();
    for (const { key, place, address = "", tunnelAddress } of plan.hosts) {
      const name = cluster.members.find((each) => each === place) ?? assert.fail(place);
      const programs = daemons.map(({ program }) => program).join("|");
      const sockets = await cluster.on(name, `ss -Hlntup | grep -E '"(${programs})"' | awk '{ print $5 }' || true`);
      const own = ["127.0.0.1", "[::1]", String(tunnelAddress ?? address)];
      const elsewhere = sockets.split("\n").filter((socket) => socket !== "" && !own.includes(socket.replace(/(%[^:]*)?:\d+$/, "")));
      assert.deepEqual(elsewhere, [], key);
    }
  });
}
