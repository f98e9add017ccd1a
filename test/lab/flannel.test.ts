import assert from "node:assert/strict";
import { callEtcd, calls, certificateOf, etcdctl } from "./etcd-call";
import { allAnswer, containerSubnet, subnets } from "./flannel-etcd";
import { overlaySuite } from "./overlay-suite";
import { exactMtu } from "./overlay-suite/promises/carrying";
import { flannel } from "./overlay-suite/flannel";
import { managers, type Name, type SuiteCluster, worker } from "./overlay-suite/cluster";
import { addressOf, place, reaches, removeContainers } from "./overlay-suite/containers";
import { assertQuietFor, silenceDuring } from "./overlay-suite/silence";

/** gRPC's permission denied. */
const denied = 7;
const root = "/coreos.com/network";

const members = (cluster: SuiteCluster, name: Name): Promise<string> => cluster.on(name, etcdctl("member list | cut -d , -f 3,6 | tr -d ' ' | sort"));

/** Each manager, and none of them a learner. */
const allOf = (cluster: SuiteCluster): string => managers.map((name) => `${cluster.key(name)},false`).join("\n");

/** Calls etcd's member on c1 as the host whose certificate it is. */
async function callAs(cluster: SuiteCluster, from: Name, certificate: string, call: Parameters<typeof callEtcd>[2]): ReturnType<typeof callEtcd> {
  return callEtcd({ machine: cluster.host(from).machine, certificate }, cluster.host("c1").address, call);
}

/** The control of what is denied below: an etcd of earlier days. */
function early(cluster: SuiteCluster): void {
  it("gives a host more than its own with an etcd whose holes are known", async () => {
    assert.equal(await members(cluster, "c1"), allOf(cluster));
    await cluster.on("c1", etcdctl("put /else mark"));
    const certificate = await certificateOf(cluster.host("c2").machine);
    assert.equal((await callAs(cluster, "c2", certificate, calls.read("/else"))).code, denied);
    const nested = await callAs(cluster, "c2", certificate, calls.nestedRead("/else"));
    assert.deepEqual([nested.code, Buffer.from(nested.answer, "hex").includes("mark")], [0, true]);
    assert.equal((await callAs(cluster, "c2", certificate, calls.nestedWrite("/else"))).code, 0);
    assert.equal(await cluster.on("c1", etcdctl("get /else --print-value-only")), "x");
    assert.equal((await callAs(cluster, "c2", certificate, calls.compact())).code, 0);
  });
}

/** Of the worker, which it has with it when it has left. */
let ofWorker = "";

function whole(cluster: SuiteCluster): void {
  it("has a member of etcd on each manager, of the version that is asked for", async () => {
    await allAnswer(cluster);
    assert.equal(await members(cluster, "c1"), allOf(cluster));
    assert.match(await cluster.on("c1", etcdctl("endpoint status --cluster")), /(.*3\.5\.35.*\n?){3}/);
  });

  it("carries containers' packets while etcd has no majority", async () => {
    const stopped = ["c2", "c3"] as const;
    for (const name of stopped) await cluster.on(name, "systemctl stop pulumi-swarm-flannel-etcd");
    await assert.rejects(cluster.on("c1", etcdctl("--command-timeout=2s get /")), "nobody answers for all");
    assert.ok(await reaches(cluster, "c1", await addressOf(cluster, worker)));
    await Promise.all(stopped.map((name) => cluster.on(name, "systemctl start pulumi-swarm-flannel-etcd")));
    await allAnswer(cluster);
  });

  it("keeps containers of hosts' own network flannel together, and apart from those of others", async () => {
    const [, far] = await Promise.all([place(cluster, "c1", "flannel"), place(cluster, "c2", "flannel")]);
    assert.ok(await reaches(cluster, "c1", far, "flannel"));
    assert.equal(await reaches(cluster, "c1", await addressOf(cluster, "c2"), "flannel"), false);
    for (const name of ["c1", "c2"] as const) await removeContainers(cluster, name, "flannel");
  });

  it("lets each host write its own subnet in etcd, and nothing else", async () => {
    const asHost = (command: string): string =>
      `cd /etc/pulumi-swarm/flannel; set -a; . ./flanneld.env; $ETCDCTL --command-timeout=5s ${command} 2>&1 || true`;
    const [own, other] = [await containerSubnet(cluster, worker), await containerSubnet(cluster, "c1")].map((subnet) => subnet.replace("/", "-"));
    for (const subnet of [own, other]) assert.match(await cluster.on(worker, asHost(`get ${subnets}/${subnet}`)), /PublicIP/);
    for (const command of [`put ${subnets}/${other} x`, `put ${root}/config x`, `del ${subnets}/${other}`, "get /else", "user list"]) {
      assert.match(await cluster.on(worker, asHost(command)), /permission denied/, command);
    }
    // What etcdctl does not ask: see the same calls with the older etcd above.
    ofWorker = await certificateOf(cluster.host(worker).machine);
    assert.equal((await callAs(cluster, worker, ofWorker, calls.nestedRead(`${subnets}/${other}`))).code, 0);
    for (const call of [calls.nestedRead("/else"), calls.nestedWrite(`${subnets}/${other}`), calls.nestedWrite("/else"), calls.compact()]) {
      const { code, message } = await callAs(cluster, worker, ofWorker, call);
      assert.deepEqual([code, message], [denied, "etcdserver: permission denied"]);
    }
    // As docs/overlays.md says: 3.5.35 asks for a certificate (server.go, requireAuthInfo), and for nothing else.
    assert.equal((await callAs(cluster, worker, ofWorker, calls.memberList())).code, 0);
    await cluster.on("c1", etcdctl("del /else"));
  });
}

function late(cluster: SuiteCluster): void {
  it("has the new machine's member in etcd, and nothing of the host that left, whose certificate is of no use", async () => {
    assert.equal(await members(cluster, "c3"), allOf(cluster));
    const { plan } = await cluster.lab.outputs();
    const written = (await cluster.on("c1", etcdctl(`get --prefix ${subnets} --keys-only`))).split("\n").filter(Boolean);
    const planned = plan.hosts.map(({ containerSubnet: subnet = "" }) => `${subnets}/${subnet.replace("/", "-")}`);
    assert.deepEqual(written.sort(), planned.sort());
    assert.ok(!(await cluster.on("c1", etcdctl("user list"))).includes("work"), "no user of a host that went");
    for (const call of [calls.nestedRead(`${root}/config`), calls.nestedWrite("/else")]) {
      assert.equal((await callAs(cluster, "c2", ofWorker, call)).code, denied);
    }
  });
}

const back = {
  args: { backend: "host-gw" },
  tests: (cluster: SuiteCluster): void => {
    const routeTo = async (name: Name): Promise<string> => {
      const there = await containerSubnet(cluster, name);
      return cluster.on("c1", `ip route show ${there}`);
    };

    it("leaves packets as they are where hosts route for each other, on request", async () => {
      await Promise.all(managers.map((name) => place(cluster, name)));
      await exactMtu(cluster, 1500);
      assert.match(await routeTo("c2"), new RegExp(`^\\S+ via ${cluster.host("c2").address} dev eth0 *$`));
      assert.doesNotMatch(await cluster.on("c1", "ip -o link"), /flannel\.1/);
    });

    it("changes the backend with two packets lost in a row at most, and leaves nothing of the old one", async () => {
      // Both ways are open until all hosts go the new one. flanneld replaces a route by host-gw in two steps.
      const silence = await silenceDuring(cluster, "c1", "c2", () => cluster.up(cluster.with({})));
      assertQuietFor("to vxlan: c1 to c2", silence, 0.04);
      assert.match(await routeTo("c2"), /^\S+ via \S+ dev flannel\.1 onlink *$/);
      // Containers have the packet size with which they were made.
      await Promise.all(managers.map((name) => place(cluster, name)));
      await exactMtu(cluster);
      await Promise.all(managers.map((name) => removeContainers(cluster, name)));
    });
  },
};

overlaySuite(flannel, { name: "flannel", subnets: ["10.244.41.0/24"] }, { early, whole, late, back });
