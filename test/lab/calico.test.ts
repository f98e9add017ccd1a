import assert from "node:assert/strict";
import { capture } from "../../tools/lab/capture";
import { eventually } from "../../tools/lab/cluster";
import { docker } from "../../tools/lab/machines";
import { networkOfContainer } from "../../tools/lab/namespace";
import { argumentsDuring, found } from "../../tools/lab/secrets";
import { assertNoChange } from "./lab";
import { overlaySuite } from "./overlay-suite";
import { calico } from "./overlay-suite/calico";
import { managers, type Name, type SuiteCluster, worker } from "./overlay-suite/cluster";
import { addressOf, everywhere, place, reaches, removeContainers, within } from "./overlay-suite/containers";
import { assertQuietFor, silenceDuring } from "./overlay-suite/silence";

const folder = "/etc/pulumi-swarm/calico";

const birdc = (cluster: SuiteCluster, name: Name, question: string): Promise<string> =>
  cluster.on(name, `birdc -r -s /run/pulumi-swarm-calico/bird.ctl ${question}`);

/** Keys of the hosts with which it has sessions that stand. */
async function established(cluster: SuiteCluster, name: Name): Promise<readonly string[]> {
  const said = await birdc(cluster, name, "show protocols");
  return [...said.matchAll(/^(\S+) +BGP .*Established/gm)].map(([, peer = ""]) => peer).sort();
}

const password = (cluster: SuiteCluster, name: Name): Promise<string> =>
  cluster.on(name, `sed -n 's/.*password "\\(.*\\)";/\\1/p' ${folder}/password.conf`);

function early(cluster: SuiteCluster): void {
  it("gives all hosts one password, which root and BIRD read and nobody else sees", async () => {
    const { result, seen } = await argumentsDuring(() => cluster.recheck());
    assert.match(seen, /bird/, "arguments were seen");
    const all = await Promise.all(managers.map((name) => password(cluster, name)));
    assert.equal(new Set(all).size, 1);
    assert.match(all[0] ?? "", /^[A-Za-z0-9_-]{43}$/);
    const journals = await Promise.all(managers.map((name) => cluster.on(name, "journalctl --no-pager -o verbose; systemctl show 'pulumi-swarm-*'")));
    const shown = (await cluster.lab.stack.pulumi(["stack", "export", "--show-secrets"])).stdout;
    const places = { output: result.stdout + result.stderr, arguments: seen, journals: journals.join("\n"), "state with its secrets": shown };
    assert.deepEqual(found({ password: all[0] ?? "" }, places), []);
    const modes = await cluster.on("c1", `stat -c '%U:%G %a' ${folder}/password.conf /run/pulumi-swarm-calico/password.conf`);
    assert.equal(modes, "root:root 600\nroot:bird 640");
  });
}

function whole(cluster: SuiteCluster): void {
  it("drops what a container sends with an address of another network, though that is of its host", async () => {
    const [store, far] = [await place(cluster, "c1", "store"), await place(cluster, "c2", "store")];
    await within(cluster, "c1", `ip address add ${store}/32 dev eth0`);
    assert.match(await within(cluster, "c1", `ping -c 2 -W 1 -I ${store} ${far} || true`), / 0 received/);
    await within(cluster, "c1", `ip address delete ${store}/32 dev eth0`);
    for (const name of ["c1", "c2"] as const) await removeContainers(cluster, name, "store");
  });

  it("drops what a neighbour of the hosts sends to containers, with its own address or one of theirs", async () => {
    const address = await addressOf(cluster, "c2");
    const forged = address.replace(/\d+$/, (last) => String(Number(last) + 1));
    const outsider = (script: string): Promise<string> => docker("exec", cluster.sites.onlooker("outsider"), "sh", "-c", script);
    await outsider(`ip route replace ${address} via ${cluster.host("c2").address}; ip address add ${forged}/32 dev lo`);
    const asks = `ping -c 1 -W 1 ${address}; ping -c 1 -W 1 -I ${forged} ${address}; true`;
    const { packets } = await capture(await networkOfContainer(cluster.host("c2").machine, "probe-web"), "eth0", () => outsider(asks), ["icmp"]);
    assert.deepEqual(packets, []);
    await outsider(`ip address delete ${forged}/32 dev lo; ip route delete ${address}`);
  });

  it("goes from sessions between all to two hosts that tell all others, of which no container notices anything", async () => {
    const reflectors = [cluster.key("c1"), cluster.key("c2")];
    const silence = await silenceDuring(cluster, "c3", worker, () => cluster.up(cluster.with({ reflectors })));
    assertQuietFor("two reflectors: c3 to w1", silence, 0);
    assert.deepEqual(await established(cluster, worker), reflectors);
    assert.match(await cluster.on(worker, "ip route"), new RegExp(` via ${cluster.host("c3").address} .*proto bird`));
    assertNoChange(await cluster.up());
  });

  it("keeps a host with a wrong password out; the next up gives it the right one, and all have sessions with all again", async () => {
    const address = await addressOf(cluster, worker);
    await cluster.on(worker, `sed -i 's/password "./password "!/' ${folder}/password.conf; systemctl restart pulumi-swarm-calico`);
    await eventually("its containers are not reached", 120, async () => ((await reaches(cluster, "c1", address)) ? undefined : true));
    assert.ok(!(await established(cluster, "c1")).includes(cluster.key(worker)));
    assert.ok(await reaches(cluster, "c1", await addressOf(cluster, "c2")), "the others are not disturbed");
    await cluster.recheck(cluster.with({}));
    await everywhere(cluster);
    const others = managers.map((name) => cluster.key(name)).sort();
    await eventually("it has its sessions", 60, async () => {
      assert.deepEqual(await established(cluster, worker), others);
      return true;
    });
  });

  it("lets all of it through as before when Docker has started again", async () => {
    await cluster.on("c2", "systemctl restart docker");
    await cluster.sites.ready("c2");
    await everywhere(cluster);
  });
}

overlaySuite(calico, { name: "calico", subnets: ["10.222.41.0/24"] }, { early, whole });
