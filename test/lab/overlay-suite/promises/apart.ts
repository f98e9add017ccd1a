import assert from "node:assert/strict";
import { capture, interfaceWith } from "../../../../tools/lab/capture";
import { testImage } from "../../../../tools/lab/cluster";
import { docker } from "../../../../tools/lab/machines";
import { networkOfContainer } from "../../../../tools/lab/namespace";
import { type SuiteCluster, worker } from "../cluster";
import { addressOf, place, reaches, removeContainers, within } from "../containers";

/** Networks, each a world of its own. */
export function apart(cluster: SuiteCluster): void {
  const ends = ["c1", cluster.far] as const;
  const outside = cluster.sites.onlookerAddress("outsider", "a");

  it("keeps networks apart, on one host and between hosts, and lets them out, also where Docker drops what it does not know", async () => {
    const [here, there] = await Promise.all([place(cluster, "c1", "store"), place(cluster, cluster.far, "store")]);
    // As it does where it turned routing on itself.
    const policy = await cluster.on("c1", "iptables -S FORWARD | sed -n 's/^-P FORWARD //p'");
    await cluster.on("c1", "iptables -P FORWARD DROP");
    try {
      assert.ok(await reaches(cluster, "c1", there, "store"), "within the network");
      for (const network of ["web", "store"]) assert.ok(await reaches(cluster, "c1", outside, network), `${network} gets out`);
    } finally {
      await cluster.on("c1", `iptables -P FORWARD ${policy}`);
    }
    for (const [where, address] of Object.entries({ "on its host": here, "on another host": there })) {
      assert.equal(await reaches(cluster, "c1", address), false, `another network ${where}`);
    }
    await Promise.all(ends.map((name) => removeContainers(cluster, name, "store")));
  });

  it("keeps off what is on a bridge of Docker's own", async () => {
    const run = `docker run --detach --init --name bridged ${testImage} /bin/busybox sleep 1000 >/dev/null`;
    const bridged = await cluster.on("c1", `${run}; docker inspect --format '{{.NetworkSettings.Networks.bridge.IPAddress}}' bridged`);
    assert.equal(await reaches(cluster, "c1", bridged), false, "a container of the default bridge is reached");
    const asks = `docker exec bridged /bin/busybox ping -c 2 -W 1 ${await addressOf(cluster, "c1")} || true`;
    assert.match(await cluster.on("c1", asks), /, 0 packets received/, "it reaches others");
    await cluster.on("c1", "docker rm --force bridged >/dev/null");
  });

  it("drops what a neighbour of the hosts sends to containers, with its own address or one of theirs", async () => {
    const address = await addressOf(cluster, "c2");
    const forged = address.replace(/\d+$/, (last) => String(Number(last) + 1));
    const outsider = (script: string): Promise<string> => docker("exec", cluster.sites.onlooker("outsider"), "sh", "-c", script);
    await outsider(`ip route replace ${address} via ${cluster.host("c2").address}; ip address add ${forged}/32 dev lo`);
    const asks = `ping -c 1 -W 1 ${address}; ping -c 1 -W 1 -I ${forged} ${address}; true`;
    const network = await networkOfContainer(cluster.host("c2").machine, "probe-web");
    const { packets } = await capture(network, await interfaceWith(network, address), () => outsider(asks), ["icmp"]);
    assert.deepEqual(packets, []);
    await outsider(`ip address delete ${forged}/32 dev lo; ip route delete ${address}`);
  });

  if (!cluster.overlay.internal) return;
  it("keeps an internal network off everything else, on each kind of host", async () => {
    const closed = ["c1", worker] as const;
    const [here, there] = await Promise.all([place(cluster, "c1", "closed"), place(cluster, worker, "closed")]);
    assert.ok(await reaches(cluster, "c1", there, "closed"), "within the network");
    assert.equal(await reaches(cluster, "c1", here), false, "another network on its host");
    for (const name of closed) {
      assert.equal(await within(cluster, name, "ip route show default", "closed"), "");
      assert.match(await within(cluster, name, `ping -c 1 -W 1 ${outside} 2>&1 || true`, "closed"), /unreachable/);
    }
    await Promise.all(closed.map((name) => removeContainers(cluster, name, "closed")));
  });
}
