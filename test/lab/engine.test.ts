import assert from "node:assert/strict";
import { applySettings, makeGwbridge, pendingChanges, probeHost } from "../../components/engine";
import type { BridgePlan, EngineChanges } from "../../components/engine/bridges";
import { preflight } from "../../components/engine/preflight";
import { checkPathMtu, pathsToTry } from "../../components/addresses/path-mtu";
import { ingressUp } from "../../components/networks/ingress";
import type { EngineApi } from "../../components/remote/engine-api";
import { native } from "../../components/overlays/native";
import { DockerApi } from "../../components/remote/docker-api";
import { SshSession } from "../../components/remote/ssh";
import { direct } from "../../components/underlay/direct";
import { eventually } from "../../tools/lab/cluster";
import { connectionTo, docker, machineKeys, removeMachines, startMachine } from "../../tools/lab/machines";

const prefix = "engt-";
const network = `${prefix}net`;
const keys = machineKeys("engine");
const names = ["one", "two", "three"] as const;
type Name = (typeof names)[number];
const address = (name: Name): string => `10.242.0.${names.indexOf(name) + 11}`;

const planned: BridgePlan = {
  docker0: { subnet: "10.243.1.0/24", gateway: "10.243.1.1/24" },
  gwbridge: { subnet: "10.243.2.0/24", gateway: "10.243.2.1" },
  mtu: 1440,
};
const elsewhere: BridgePlan = { ...planned, gwbridge: { subnet: "10.243.3.0/24", gateway: "10.243.3.1" } };

describe("Docker on a host", function () {
  this.timeout(120_000);
  const sessions = new Map<Name, SshSession>();
  const apis = new Map<Name, DockerApi>();
  const session = (name: Name): SshSession => sessions.get(name) ?? assert.fail(`no session to ${name}`);
  const api = (name: Name): DockerApi => apis.get(name) ?? assert.fail(`no session to ${name}`);
  const host = (name: Name): { session: SshSession; docker: DockerApi } => ({ session: session(name), docker: api(name) });
  const on = (name: Name, command: string): Promise<string> => docker("exec", `${prefix}${name}`, "sh", "-c", command);
  const startedAt = (name: Name): Promise<string> => on(name, "systemctl show -p ExecMainStartTimestampMonotonic docker");
  const gwbridge = (name: Name): Promise<string> =>
    on(name, `docker network inspect -f '{{(index .IPAM.Config 0).Subnet}} {{index .Options "com.docker.network.driver.mtu"}}' docker_gwbridge`);

  before(async () => {
    await removeMachines(prefix);
    await docker("network", "create", "--subnet", "10.242.0.0/24", network);
    await Promise.all(
      names.map(async (name) => {
        await startMachine({ name: `${prefix}${name}`, network, address: address(name), keys });
        const opened = await SshSession.open(name, connectionTo({ address: address(name), keys }));
        sessions.set(name, opened);
        apis.set(name, new DockerApi(name, opened));
        await eventually(`${name} runs Docker`, 60, () => on(name, "docker version -f '{{.Server.Version}}'"));
      }),
    );
  });
  after(async () => {
    for (const one of apis.values()) one.close();
    for (const one of sessions.values()) one.close();
    await removeMachines(prefix);
  });

  /** As `swarm-up` does it on a host that is no member. */
  async function settle(name: Name, bridges: BridgePlan, settings: Readonly<Record<string, unknown>> = {}): Promise<EngineChanges> {
    const changes = await pendingChanges(host(name), { settings }, bridges);
    if (changes.gwbridge) await makeGwbridge(session(name), changes.gwbridge);
    if (changes.settings !== undefined) await applySettings(session(name), changes.settings, () => {}, !changes.allOurs);
    return changes;
  }

  describe("has its bridges where planned", () => {
    it("on a fresh host, together with the user's settings and after one restart", async () => {
      const before = await startedAt("one");
      await Promise.all(names.map((name) => settle(name, planned, { "log-driver": "local" })));
      assert.notEqual(await startedAt("one"), before);
      assert.match(await on("one", "ip -4 -br address show docker0"), / 10\.243\.1\.1\/24/);
      assert.match(await on("one", "ip -4 -br address show docker_gwbridge"), / 10\.243\.2\.1\/24/);
      assert.equal(await on("one", "docker info -f '{{.LoggingDriver}}'"), "local");
    });

    it("with the planned MTU in containers, on both bridges", async () => {
      await on("one", "mkdir -p /srv/tiny/bin && cp /usr/bin/busybox /srv/tiny/bin/ && tar -C /srv/tiny -c . | docker import - tiny >/dev/null");
      for (const [bridge, subnet] of [
        ["bridge", "10.243.1."],
        ["docker_gwbridge", "10.243.2."],
      ] as const) {
        const said = await on("one", `docker run --rm --network ${bridge} tiny /bin/busybox ip address show eth0`);
        assert.match(said, / mtu 1440 /, bridge);
        assert.ok(said.includes(`inet ${subnet}`), said);
      }
    });

    it("and is left alone the second time: nothing to change, no restart", async () => {
      const before = await startedAt("one");
      assert.deepEqual(await settle("one", planned, { "log-driver": "local" }), { member: false, warnings: [] });
      assert.equal(await startedAt("one"), before);
    });

    it("after a plan that moved docker_gwbridge, without a restart", async () => {
      const before = await startedAt("two");
      await settle("two", elsewhere, { "log-driver": "local" });
      assert.equal(await gwbridge("two"), "10.243.3.0/24 1440");
      await settle("two", planned, { "log-driver": "local" });
      assert.equal(await gwbridge("two"), "10.243.2.0/24 1440");
      assert.equal(await startedAt("two"), before);
    });

    it("though a run was cut off after the old docker_gwbridge was removed", async () => {
      await on("two", "docker network rm docker_gwbridge");
      await settle("two", planned, { "log-driver": "local" });
      assert.equal(await gwbridge("two"), "10.243.2.0/24 1440");
    });

    it("though a run was cut off between writing the settings and the restart", async () => {
      const wanted = { "log-driver": "json-file" };
      const before = await startedAt("three");
      // The restart hangs, as when the connection is lost just then.
      await on(
        "three",
        "mv /usr/bin/systemctl /usr/bin/systemctl.real && printf '#!/bin/sh\\necho $PPID >/tmp/caller; sleep 600\\n' >/usr/bin/systemctl && chmod +x /usr/bin/systemctl",
      );
      const other = await SshSession.open("three", connectionTo({ address: address("three"), keys }));
      const content = (await pendingChanges({ session: other, docker: api("three") }, { settings: wanted }, planned)).settings ?? "";
      const cut = applySettings(other, content, () => {}).catch(() => "cut off");
      await eventually("the settings are written", 30, async () =>
        (await on("three", "cat /etc/docker/daemon.json")).includes("json-file") ? true : undefined,
      );
      other.close();
      await cut;
      await on("three", "kill -9 $(cat /tmp/caller); mv /usr/bin/systemctl.real /usr/bin/systemctl");
      assert.equal(await startedAt("three"), before);
      const changes = await settle("three", planned, wanted);
      assert.notEqual(changes.settings, undefined, "the file alone passes for done");
      assert.notEqual(await startedAt("three"), before);
      assert.equal(await on("three", "docker info -f '{{.LoggingDriver}}'"), "json-file");
      assert.deepEqual(await settle("three", planned, wanted), { member: false, warnings: [] });
    });

    it("and a container on docker_gwbridge keeps it as it is, with a warning that names it", async () => {
      await on("one", "docker run -d --name holder --network docker_gwbridge tiny /bin/busybox sleep 600");
      const { gwbridge: change, warnings } = await pendingChanges(host("one"), {}, elsewhere);
      await on("one", "docker rm -f holder");
      assert.equal(change, undefined);
      assert.deepEqual(warnings, [
        "docker_gwbridge is 10.243.2.0/24 with MTU 1440 and planned 10.243.3.0/24 with MTU 1440: it is left so while it is used by holder",
      ]);
    });
  });

  describe("in a swarm", () => {
    const ingress = { subnet: "10.243.9.0/24", gateway: "10.243.9.1", mtu: 1440 };
    const said: string[] = [];
    const io = {
      progress: (line: string) => void said.push(line),
      sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
      now: Date.now,
    };
    const ingressOn = (name: Name): Promise<string> =>
      on(
        name,
        `docker network inspect -f '{{.ID}} {{(index .IPAM.Config 0).Subnet}} {{index .Options "com.docker.network.driver.mtu"}} {{.Ingress}}' ingress`,
      );

    before(async () => {
      await on("one", `docker swarm init --advertise-addr ${address("one")} --default-addr-pool 10.243.64.0/18`);
      const token = await on("one", "docker swarm join-token -q manager");
      await Promise.all(
        (["two", "three"] as const).map((name) =>
          on(name, `docker swarm join --token ${token} --advertise-addr ${address(name)} ${address("one")}:2377`),
        ),
      );
    });

    it("the swarm took the docker_gwbridge that was made for it", async () => {
      assert.equal(await gwbridge("three"), "10.243.2.0/24 1440");
    });

    it("a member's docker_gwbridge is left as it is, with a warning that says when it is changed", async () => {
      const { member, gwbridge: change, settings, warnings } = await pendingChanges(host("one"), {}, elsewhere);
      assert.deepEqual([member, change, settings], [true, undefined, undefined]);
      assert.deepEqual(warnings, [
        "docker_gwbridge is 10.243.2.0/24 with MTU 1440 and planned 10.243.3.0/24 with MTU 1440: it is changed when the host next leaves the swarm and joins",
      ]);
      await assert.rejects(makeGwbridge(session("one"), { mtu: 1400 }), /one: joined a swarm meanwhile/);
      assert.equal(await gwbridge("one"), "10.243.2.0/24 1440");
    });

    it("the ingress network is made anew with the planned subnet and MTU, seen on all managers", async () => {
      await ingressUp(api("one"), ingress, io);
      for (const name of names) {
        await eventually(`ingress on ${name}`, 30, async () => {
          const seen = await ingressOn(name);
          return seen.endsWith(" 10.243.9.0/24 1440 true") ? seen : assert.fail(seen);
        });
      }
      assert.match(said.join(), /^recreating the ingress network \(subnet \S+ to 10\.243\.9\.0\/24; .*MTU 1500 to 1440\)$/);
    });

    it("the ingress network is left alone the second time, and asked for in one call", async () => {
      const before = await ingressOn("two");
      const asked: string[] = [];
      const watched: EngineApi = {
        get: (path) => (asked.push(path), api("two").get(path)),
        post: () => assert.fail("nothing is to be made"),
        delete: () => assert.fail("nothing is to be removed"),
      };
      await ingressUp(watched, ingress, io);
      assert.deepEqual(asked, ["/networks"]);
      assert.equal(await ingressOn("two"), before);
    });

    it("the ingress network is left working while a service publishes by it, and the error names the service", async () => {
      const before = await ingressOn("one");
      await on("one", "docker service create --detach --no-resolve-image --name shop --publish 8080:80 tiny /bin/busybox sleep 600");
      await assert.rejects(
        ingressUp(api("one"), { ...ingress, mtu: 1400 }, io),
        /MTU 1440 to 1400\) while ports are published by it by service shop; it is left/,
      );
      assert.equal(await ingressOn("one"), before);
      await on("one", "docker service rm shop");
      await ingressUp(api("one"), { ...ingress, mtu: 1400 }, io);
      assert.match(await ingressOn("one"), / 10\.243\.9\.0\/24 1400 true$/);
    });

    it("the ingress network is made by the next run, on another manager, when one was cut off after its removal", async () => {
      const cut: EngineApi = {
        get: (path) => api("one").get(path),
        delete: (path) => api("one").delete(path),
        post: () => Promise.reject(new Error("cut off")),
      };
      await assert.rejects(ingressUp(cut, ingress, io), /cut off/);
      // The removal was answered by the other manager; this one learns of it a moment later.
      await eventually("two has no ingress", 30, async () => (await on("two", "docker network ls -q -f name=ingress")) === "" || undefined);
      await ingressUp(api("two"), ingress, io);
      assert.match(await ingressOn("two"), / 10\.243\.9\.0\/24 1440 true$/);
    });
  });

  describe("the MTU", () => {
    const paths = pathsToTry(names.map((key) => ({ key, site: "lab", address: address(key) })));

    it("is confirmed where packets of exactly that size pass, and refused one byte above it", async () => {
      assert.deepEqual(await checkPathMtu(paths, 1500, sessions), { failures: [], notes: [] });
      const { failures } = await checkPathMtu(paths.slice(0, 1), 1501, sessions);
      assert.match(failures[0]?.reason ?? "", /^packets of 1501 bytes do not pass to two .* the largest that does has 1500: /);
    });

    it("shows a host whose interface is too narrow, from both sides, and by how much", async () => {
      await on("two", "ip link set eth0 mtu 1400");
      try {
        const { failures } = await checkPathMtu(paths, 1500, sessions);
        const of = (host: string): string => failures.find((failure) => failure.host === host)?.reason ?? "";
        assert.match(of("two"), /do not pass to three \(10\.242\.0\.13\), the largest that does has 1400: .*Lower the mtu of the site by 100/);
        // The lab's links let through a receiver's VLAN tag more than its MTU.
        assert.match(of("one"), /do not pass to two \(10\.242\.0\.12\), the largest that does has 140[0-4]: /);
        assert.equal(of("three"), "");
      } finally {
        await on("two", "ip link set eth0 mtu 1500");
      }
    });

    it("is only noted where there is no ping, or nobody answers one", async () => {
      await on("one", "mv /usr/bin/ping /usr/bin/ping.away");
      try {
        const dead = [...paths.slice(0, 1), { from: "two", to: "nobody", address: "10.242.0.99" }];
        assert.deepEqual(await checkPathMtu(dead, 1500, sessions), {
          failures: [],
          notes: [
            "the MTU from one cannot be checked: ping is not there (package iputils-ping)",
            "the MTU from two to nobody (10.242.0.99) cannot be checked: no ping is answered there",
          ],
        });
      } finally {
        await on("one", "mv /usr/bin/ping.away /usr/bin/ping");
      }
    });
  });

  it("is refused encryption that its kernel cannot do, before anything is changed", async function () {
    const { needs } = native({ encrypted: true }).plan({
      sites: ["lab"],
      hosts: [],
      underlay: direct().plan({ sites: [], hosts: [] }),
      behindNat: [],
    });
    const probe = await probeHost(host("one"), { needs });
    // Where the machine below has it, there is nothing to refuse.
    if (probe.ipsec?.esp) this.skip();
    const { refusals } = preflight(probe, {}, Date.now() / 1000, needs);
    assert.equal(refusals.length, 1, refusals.join("\n"));
    assert.match(refusals[0] ?? "", /^its kernel cannot encrypt packets \(ESP with rfc4106/);
    assert.deepEqual(preflight(await probeHost(host("one")), {}, Date.now() / 1000).refusals, []);
  });
});
