import assert from "node:assert/strict";
import { eventually } from "../../tools/lab/cluster";
import { docker } from "../../tools/lab/machines";
import { etcdctl } from "./etcd-call";
import { managers, type Name, type SuiteCluster } from "./overlay-suite/cluster";
import { addressOf, reaches } from "./overlay-suite/containers";

export const subnets = "/coreos.com/network/subnets";

export async function allAnswer(cluster: SuiteCluster): Promise<void> {
  await eventually("all of etcd's members answer", 60, () => cluster.on("c2", etcdctl("endpoint health --cluster")));
}

export async function containerSubnet(cluster: SuiteCluster, name: Name): Promise<string> {
  const { plan } = await cluster.lab.outputs();
  return plan.hosts.find(({ key }) => key === cluster.key(name))?.containerSubnet ?? assert.fail(`the plan gives ${name} no subnet`);
}

/** What takes long, of etcd on three managers; the rest is in flannel's own file. */
export function etcdForLong(cluster: SuiteCluster): void {
  it("lets a flanneld that slept past a compaction of etcd learn of a host that came meanwhile", async () => {
    const own = (await containerSubnet(cluster, "c1")).split(".");
    // A host of nobody's: its subnet is in the group's block, at a place that no host has.
    const subnet = [own[0], own[1], String(Number(own[2]) + 9), "0"].join(".");
    const key = `${subnets}/${subnet}-24`;
    const lease = {
      PublicIP: cluster.sites.onlookerAddress("outsider", "a"),
      BackendType: "vxlan",
      BackendData: { VNI: 1, VtepMAC: "5a:00:00:00:00:99" },
    };
    await cluster.on("c1", "kill -STOP $(pidof flanneld)");
    try {
      // What etcd had sent already lies in the connection: it must end, so that flanneld asks for what is gone.
      for (const name of managers) {
        await cluster.on(name, "systemctl restart pulumi-swarm-flannel-etcd");
        await allAnswer(cluster);
      }
      await cluster.on("c2", `printf '%s' '${JSON.stringify(lease)}' | (${etcdctl(`put ${key}`)})`);
      await cluster.on("c2", `for n in 1 2 3; do ${etcdctl("put /else mark")}; done`);
      const said = await cluster.on("c2", etcdctl("get /else -w json"));
      const revision = /"revision":(\d+)/.exec(said)?.[1] ?? assert.fail("etcd tells no revision");
      await cluster.on("c2", etcdctl(`compact ${revision}`));
    } finally {
      await cluster.on("c1", "kill -CONT $(pidof flanneld)");
    }
    const hasRoute = async (): Promise<boolean> => (await cluster.on("c1", "ip route")).includes(`${subnet}/24 `);
    await eventually("the route to it", 60, async () => ((await hasRoute()) ? true : undefined));
    // 0.28.10 takes its own lease for gone too, and tries for minutes to forget itself before it goes on to what comes next.
    await cluster.on("c1", "systemctl restart pulumi-swarm-flannel");
    await cluster.on("c2", etcdctl(`del ${key}`));
    await eventually("no route to it", 60, async () => ((await hasRoute()) ? undefined : true));
  });

  it("refuses within a limit when etcd has no majority, names who is away, and is whole again when they are back", async () => {
    const away = ["c2", "c3"] as const;
    const either = away.map((name) => cluster.key(name));
    await Promise.all(away.map((name) => docker("pause", cluster.host(name).machine)));
    try {
      const began = Date.now();
      const said = await cluster.refused({ reachableSeconds: 8 });
      // The swarm has lost its majority with them, and says so first where its manager has noticed.
      const ofEtcd = `etcd: no majority of its members answers, and (${either.join(", ")}|${[...either].reverse().join(", ")}) cannot be reached`;
      const ofSwarm = "The swarm has lost its quorum: 1 of 3 managers answers, and 2 are needed for a leader";
      assert.match(said, new RegExp(`${ofEtcd}|${ofSwarm}`));
      process.stdout.write(`      refused after ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
    } finally {
      await Promise.all(away.map((name) => docker("unpause", cluster.host(name).machine)));
    }
    const address = await addressOf(cluster, "c3");
    await eventually("containers meet again", 60, async () => ((await reaches(cluster, "c1", address)) ? true : undefined));
    await cluster.recheck();
  });
}
