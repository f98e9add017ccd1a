import assert from "node:assert/strict";
import { assertNoChange } from "./lab";
import { overlaySuite } from "./overlay-suite";
import { calico } from "./overlay-suite/calico";
import { managers, type Name, type SuiteCluster, worker } from "./overlay-suite/cluster";
import { everywhere, place, removeContainers, within } from "./overlay-suite/containers";
import { assertQuietFor, silenceDuring } from "./overlay-suite/silence";

const birdc = (cluster: SuiteCluster, name: Name, question: string): Promise<string> =>
  cluster.on(name, `birdc -r -s /run/pulumi-swarm-calico/bird.ctl ${question}`);

/** Keys of the hosts with which it has sessions that stand. */
async function established(cluster: SuiteCluster, name: Name): Promise<readonly string[]> {
  const said = await birdc(cluster, name, "show protocols");
  return [...said.matchAll(/^(\S+) +BGP .*Established/gm)].map(([, peer = ""]) => peer).sort();
}

function whole(cluster: SuiteCluster): void {
  it("drops what a container sends with an address of another network, though that is of its host", async () => {
    const [store, far] = [await place(cluster, "c1", "store"), await place(cluster, "c2", "store")];
    await within(cluster, "c1", `ip address add ${store}/32 dev eth0`);
    assert.match(await within(cluster, "c1", `ping -c 2 -W 1 -I ${store} ${far} || true`), / 0 received/);
    await within(cluster, "c1", `ip address delete ${store}/32 dev eth0`);
    for (const name of ["c1", "c2"] as const) await removeContainers(cluster, name, "store");
  });

  it("goes from sessions between all to two hosts that tell all others, of which no container notices anything, and back with a short silence", async () => {
    const reflectors = [cluster.key("c1"), cluster.key("c2")];
    const silence = await silenceDuring(cluster, "c3", worker, () => cluster.up(cluster.with({ reflectors })));
    assertQuietFor("two reflectors: c3 to w1", silence, 0);
    assert.deepEqual(await established(cluster, worker), reflectors);
    assert.match(await cluster.on(worker, "ip route"), new RegExp(` via ${cluster.host("c3").address} .*proto bird`));
    assertNoChange(await cluster.up());
    const back = await silenceDuring(cluster, "c3", worker, () => cluster.up(cluster.with({})));
    // Reflectors stop telling what they have heard while the new sessions begin.
    assertQuietFor("sessions between all again: c3 to w1", back, 5);
    assert.deepEqual(await established(cluster, worker), managers.map((name) => cluster.key(name)).sort());
  });

  it("lets all of it through as before when Docker has started again", async () => {
    await cluster.on("c2", "systemctl restart docker");
    await cluster.sites.ready("c2");
    await everywhere(cluster);
  });
}

overlaySuite(calico, { name: "calico", subnets: ["10.222.41.0/24"] }, { whole });
