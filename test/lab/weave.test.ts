import assert from "node:assert/strict";
import { eventually } from "../../tools/lab/cluster";
import { overlaySuite } from "./overlay-suite";
import { managers, type Name, type SuiteCluster, worker } from "./overlay-suite/cluster";
import { everywhere, place, removeContainers } from "./overlay-suite/containers";
import { assertQuietFor, othersDuring, silenceDuring } from "./overlay-suite/silence";
import { weave } from "./overlay-suite/weave";
import { shownAsPlanned } from "./overlay-suite/wire";

const folder = "/etc/pulumi-swarm/weave";
const unit = "pulumi-swarm-weave.service";
const plugin = "pulumi-swarm-weave:latest";

/** What one router has for connections that carry data: the hosts' keys. */
async function connected(cluster: SuiteCluster, name: Name): Promise<string[]> {
  const list = await cluster.on(name, "curl -s 127.0.0.1:6784/status/connections");
  return [...list.matchAll(/ established .*\(([a-z0-9-]+)\)/g)].map(([, key]) => key ?? "").sort();
}

async function meets(cluster: SuiteCluster, name: Name): Promise<void> {
  const others = cluster.members.filter((other) => other !== name).map((other) => cluster.key(other));
  await eventually(`the router of ${name} is connected`, 40, async () => {
    assert.deepEqual(await connected(cluster, name), others.sort());
    return true;
  });
}

/** As the others list it. */
async function routerName(cluster: SuiteCluster, name: Name): Promise<string> {
  const status = await cluster.on(name, "curl -s 127.0.0.1:6784/status");
  return / Name: (\S+)\(/.exec(status)?.[1] ?? assert.fail(status);
}

const enabled = (cluster: SuiteCluster, name: Name): Promise<string> => cluster.on(name, `docker plugin inspect --format '{{.Enabled}}' ${plugin}`);

/** Of routers, as they were named before any host was turned off. */
const named = new Map<Name, string>();

function early(cluster: SuiteCluster): void {
  it("keeps its password where root alone can read it", async () => {
    assert.equal(await cluster.on("c1", `stat -c '%a %U' ${folder} ${folder}/password | tr '\\n' ' '`), "700 root 600 root");
    for (const name of managers) named.set(name, await routerName(cluster, name));
  });
}

function whole(cluster: SuiteCluster): void {
  it("has routers with other names after a boot, since the others may hold the ones before for connected", async () => {
    assert.notEqual(await routerName(cluster, "c2"), named.get("c2"));
    for (const name of ["c1", "c3"] as const) {
      assert.equal(await routerName(cluster, name), named.get(name), `the bridge of ${name} stands, though its router was restarted`);
    }
  });

  it("carries on when a router is restarted, whatever the router remembers", async () => {
    assertQuietFor("restarted on c2: c1 to c2", await silenceDuring(cluster, "c1", "c2", () => cluster.on("c2", `systemctl restart ${unit}`)), 4);
    await othersDuring(cluster, "restarted on c3", ["c1", "c2"], () => cluster.on("c3", `systemctl restart ${unit}`));
    // The sentinel would make the router call those of its database, which is empty.
    await cluster.on("c3", `systemctl stop ${unit}; rm -f /var/lib/pulumi-swarm/weave/*; touch /restart.sentinel; systemctl start ${unit}`);
    await meets(cluster, "c3");
    await cluster.on("c3", "rm /restart.sentinel");
  });

  it("gives tasks their network again when Docker started before the router, on each kind of host", async () => {
    const late = ["c3", worker] as const;
    const onBoth = (script: string): Promise<unknown> => Promise.all(late.map((name) => cluster.on(name, script)));
    await onBoth(`systemctl stop docker.socket docker ${unit}`);
    await onBoth("systemctl start docker");
    for (const name of late) assert.equal(await enabled(cluster, name), "false", `Docker of ${name} gave the plugin up`);
    await onBoth(`systemctl start ${unit}`);
    for (const name of late) assert.equal(await enabled(cluster, name), "true", `the router of ${name} brought it back`);
    await Promise.all(late.map((name) => place(cluster, name)));
    await everywhere(cluster);
  });

  it("says why a router does not start, in the router's own words", async () => {
    const listen = `systemd-socket-activate --accept --listen=${cluster.host(worker).address}:6783 /bin/cat`;
    await cluster.on(worker, `systemctl stop ${unit}; systemd-run --quiet --unit=lab-thief ${listen}`);
    const said = await cluster.refused({});
    assert.match(said, /work-a-w1: .*Weave's router does not start: .*address already in use/);
    await cluster.on(worker, "systemctl stop lab-thief");
    // Nothing makes that good but an `up`, which comes with another machine.
    await cluster.on("c2", `docker plugin disable -f ${plugin}`);
  });
}

function late(cluster: SuiteCluster): void {
  it("has routers that do not call the host that left, and a plugin again where it was disabled", async () => {
    assert.equal(await enabled(cluster, "c2"), "true");
    for (const name of managers) {
      const asks = `cat ${folder}/peers; curl -s 127.0.0.1:6784/status/targets; curl -s 127.0.0.1:6784/status/connections`;
      const known = await cluster.on(name, asks);
      assert.ok(!known.includes(cluster.host(worker).address), `${name} still calls it: ${known}`);
    }
  });
}

const back = {
  args: { encrypted: false },
  tests: (cluster: SuiteCluster): void => {
    it("talks in plaintext where it is told to, and then the wire shows it", async () => {
      await Promise.all((["c1", "c2"] as const).map((name) => place(cluster, name)));
      assert.equal(await shownAsPlanned(cluster, (await cluster.lab.outputs()).plan), false);
      for (const name of ["c1", "c2"] as const) await removeContainers(cluster, name);
    });
  },
};

overlaySuite(weave, { name: "weave", subnets: ["10.244.31.0/24"] }, { early, whole, late, back });
