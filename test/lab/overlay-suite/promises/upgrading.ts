import assert from "node:assert/strict";
import { managers, type Name, type SuiteCluster } from "../cluster";
import type { Daemon } from "../description";
import { assertQuietFor, silenceDuring } from "../silence";

/** Other programs in the place of those that run. */
export function upgrading(cluster: SuiteCluster): void {
  if (!cluster.overlay.usual) return;
  it("takes other programs, one host after the other, of which only one stays on each", async () => {
    const { upgrade } = cluster.overlay;
    const daemons = cluster.overlay.daemons.filter(({ folder }) => folder !== undefined);
    const all = managers.flatMap((name) => daemons.map((daemon) => ({ name, daemon })));
    const before = await Promise.all(all.map(({ name, daemon }) => fileOf(cluster, name, daemon)));
    assertQuietFor("other programs: c1 to c2", await silenceDuring(cluster, "c1", "c2", () => cluster.up(cluster.with({}))), upgrade);
    for (const [index, { name, daemon }] of all.entries()) {
      const now = await fileOf(cluster, name, daemon);
      assert.notEqual(now, before[index], `${daemon.program} on ${name}`);
      const folder = `/usr/local/lib/pulumi-swarm/${daemon.folder}`;
      const [version = "", ...others] = (await cluster.on(name, `ls ${folder}`)).split("\n");
      assert.equal(now, `${folder}/${version}/${daemon.program}`);
      assert.deepEqual(others, [], "the old one is gone");
    }
  });
}

function fileOf(cluster: SuiteCluster, name: Name, { program }: Daemon): Promise<string> {
  return cluster.on(name, `readlink /proc/$(pidof ${program} | cut -d ' ' -f 1)/exe`);
}

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
