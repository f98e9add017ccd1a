import assert from "node:assert/strict";
import { capture, interfaceWith } from "../../../../tools/lab/capture";
import { throughput, tryPacket } from "../../../../tools/lab/measure";
import { networkOf, networkOfContainer } from "../../../../tools/lab/namespace";
import { lookAtAll } from "../../looks";
import { type Name, type SuiteCluster, worker } from "../cluster";
import { addressOf, reaches } from "../containers";
import { shownAsPlanned } from "../wire";

const pairs: readonly (readonly [Name, Name])[] = [
  ["c1", "c2"],
  ["c2", "c3"],
  ["c3", "c1"],
];

/** Packets between containers of different hosts, and who else may send some. */
export function carrying(cluster: SuiteCluster): void {
  it("carries packets of exactly the planned size, and refuses one byte more", () => exactMtu(cluster));

  it("keeps the address of the container that sent a packet, and gives it the host's own on the way out", async () => {
    const [one, two] = [await addressOf(cluster, "c1"), await addressOf(cluster, cluster.far)];
    const network = await networkOfContainer(cluster.host(cluster.far).machine, "probe-web");
    const { packets } = await capture(network, await interfaceWith(network, two), () => reaches(cluster, "c1", two), ["icmp"]);
    assert.deepEqual(new Set(packets.map(({ from }) => from)), new Set([one, two]));
    const outsider = await networkOf(cluster.sites.onlooker("outsider"));
    const address = cluster.sites.onlookerAddress("outsider", "a");
    const outside = await capture(outsider, await interfaceWith(outsider, address), () => reaches(cluster, "c1", address), ["icmp"]);
    assert.deepEqual(new Set(outside.packets.map(({ from }) => from)), new Set([cluster.host("c1").address, address]));
  });

  it("carries a stream between hosts", async () => {
    const [from, to] = await Promise.all((["c1", cluster.far] as const).map((name) => networkOfContainer(cluster.host(name).machine, "probe-web")));
    assert.ok(from !== undefined && to !== undefined);
    // Small packets pass also where checksums, or what a network card does with long ones, are wrong.
    const { bitsPerSecond } = await throughput(from, to, { address: await addressOf(cluster, cluster.far), port: 5201 }, 1);
    process.stdout.write(`      ${(bitsPerSecond / 1e9).toFixed(2)} Gbit/s between two containers\n`);
    assert.ok(bitsPerSecond > 1e7);
  });

  it("shows on the wire what containers say, or hides it, as the plan says", async () => {
    await shownAsPlanned(cluster, (await cluster.lab.outputs()).plan);
  });

  it("opens on each host exactly the ports of the plan", async () => {
    // Rules differ by role: a manager and a worker stand for all. A look takes seconds; the firewall's own tests have admins.
    const wanted = (title: string): boolean =>
      [cluster.key("c1"), cluster.key(worker)].some((key) => title.startsWith(`${key} from`)) && !title.endsWith("an admin");
    const { planned, found } = await lookAtAll(cluster.sites, (await cluster.lab.outputs()).plan, { wanted });
    assert.deepEqual(found, planned);
    for (const [look, { tcp, udp }] of Object.entries(found)) process.stdout.write(`      ${look}: tcp ${tcp.join(",")} udp ${udp.join(",")}\n`);
  });
}

/** @param mtu @default - what the description says */
export async function exactMtu(cluster: SuiteCluster, mtu = cluster.overlay.mtu[cluster.tunnelled ? "wireguard" : "direct"]): Promise<void> {
  assert.equal((await cluster.lab.outputs()).plan.mtu, mtu);
  for (const [from, to] of pairs) {
    const address = await addressOf(cluster, to);
    assert.ok(await reaches(cluster, from, address), `${from} reaches ${to}`);
    const tries = [mtu, mtu + 1].map((size) => tryPacket(cluster.host(from).machine, "probe-web", address, size));
    assert.deepEqual(await Promise.all(tries), ["passes", "refused"], `${from} to ${to}`);
  }
}
