import assert from "node:assert/strict";
import { applyFirewall, removeFirewall } from "../../components/firewall/apply";
import { nftRuleset, smallestRuleset } from "../../components/firewall/nftables";
import { openPorts } from "../../components/firewall/open";
import { type FirewallArgs } from "../../components/firewall/args";
import { planFirewall } from "../../components/firewall/plan";
import type { FirewallHost, FirewallRule } from "../../components/firewall/rule";
import { type Connection, defaultRemoteLimits } from "../../components/remote/connection";
import { loadInstallingScript } from "../../components/remote/script";
import { SshSession } from "../../components/remote/ssh";
import { docker } from "../../tools/lab/machines";
import { needTools } from "../../tools/lab/namespace";
import { eventually, testImage } from "../../tools/lab/cluster";
import { root, run } from "../../tools/lab/pulumi";
import {
  answerNames,
  inside,
  makeNetwork,
  makeTunnel,
  probeUdp,
  putUplinkOnBridge,
  reaches,
  removeAll,
  scanTcp,
  startContainers,
  startHost,
  startServices,
  startStranger,
  within,
} from "./firewall-lab";

const one: FirewallHost = { key: "control-1", role: "manager", group: "control", site: "rack", address: "10.240.0.11", tunnelAddress: "10.99.0.1" };
const two: FirewallHost = { key: "edge-1", role: "worker", group: "edge", site: "rack", address: "10.240.0.12", tunnelAddress: "10.99.0.2" };
const all = [one, two];
const containers = new Map([
  [one.key, "fwt-one"],
  [two.key, "fwt-two"],
]);
const operator = "10.240.0.1";
const admin = "10.240.0.200";
const outside = "10.240.0.66";
const udpServices = [4789, 7946, 8053, 8054];

/** What swarm and underlay contribute. */
const contributed: readonly FirewallRule[] = [
  rule("swarm control", "tcp", "2377", "managers", "tunnel"),
  rule("swarm gossip", "tcp", "7946", "members", "tunnel"),
  rule("swarm gossip over UDP", "udp", "7946", "members", "tunnel"),
  rule("swarm data", "udp", "4789", "members", "tunnel"),
  rule("wireguard", "udp", "51820", "members", "site"),
];

function rule(name: string, protocol: "tcp" | "udp", port: string, to: "members" | "managers", over: "site" | "tunnel"): FirewallRule {
  return { name, protocol, ports: [port], from: ["members"], to, over, answers: "host", reason: name };
}

const firewall: FirewallArgs = {
  ssh: [`${operator}/32`, `${admin}/32`, "fd00:240::200/128"],
  expose: {
    web: { port: 8080, from: [`${outside}/32`, "fd00:240::66/128"], publish: "host" },
    shop: { port: [8090, "30000-30010"], from: ["world"], on: "group edge" },
  },
  allow: {
    names: { port: 8053, protocol: "udp", from: [`${outside}/32`] },
    metrics: { port: 9100, from: ["members"] },
  },
};

function plan(args: FirewallArgs): readonly FirewallRule[] {
  const groups = [
    { key: "control", role: "manager" },
    { key: "edge", role: "worker" },
  ] as const;
  return planFirewall(args, { groups, contributed }, (path, message) => assert.fail(`${path}: ${message}`)).rules;
}

function ruleset(host: FirewallHost, args: FirewallArgs = firewall): string {
  return nftRuleset(plan(args), host, all, { tunnelInterface: "swarm0" });
}

describe("a host's firewall", function () {
  this.timeout(240_000);
  const connections = new Map<string, Connection>();
  const sessions = new Map<string, SshSession>();

  before(async function () {
    needTools(this, "nmap", "nsenter");
    await makeNetwork();
    connections.set(one.key, await startHost("fwt-one", 11));
    connections.set(two.key, await startHost("fwt-two", 12));
    await Promise.all([startStranger("fwt-outside", 66), startStranger("fwt-admin", 200)]);
    await putUplinkOnBridge("fwt-two", 12);
    await makeTunnel("fwt-one", "eth0", "10.99.0.1", two.address);
    await makeTunnel("fwt-two", "br-lan", "10.99.0.2", one.address);
    for (const host of all) sessions.set(host.key, await redial(host));
    await Promise.all([
      startContainers("fwt-one", ["-p 8080:80", "-p 8081:80", "--name hidden"]),
      startContainers("fwt-two", ["-p 8080:80", "-p 8090:80", "-p 8081:80"]),
    ]);
    await Promise.all(all.map((host) => startServices(name(host), udpServices, [2377, 7946, 9100])));
  });
  after(async () => {
    for (const session of sessions.values()) session.close();
    await removeAll();
  });

  function name(host: FirewallHost): string {
    return containers.get(host.key) ?? "";
  }

  function redial(host: FirewallHost): Promise<SshSession> {
    const connection = connections.get(host.key);
    assert.ok(connection);
    return SshSession.open(host.key, connection, { ...defaultRemoteLimits, reachable: 30_000, dial: 3_000 });
  }

  function session(host: FirewallHost): SshSession {
    const found = sessions.get(host.key);
    assert.ok(found);
    return found;
  }

  async function apply(
    host: FirewallHost,
    text = ruleset(host),
    seconds = 15,
    admitted = firewall.ssh ?? [],
    meanwhile: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<{ readonly changed: boolean; readonly said: string }> {
    const said: string[] = [];
    const target = { key: host.key, session: session(host), redial: () => meanwhile().then(() => redial(host)) };
    const { changed } = await applyFirewall(target, text, (line) => said.push(line), {
      seconds,
      admitted,
      smallest: smallestRuleset(plan(firewall), host, all),
    });
    return { changed, said: said.join("\n") };
  }

  const table = (host: FirewallHost): Promise<string> => inside(name(host), "nft -s list table inet pulumi_swarm 2>/dev/null || echo none");
  const timers = (host: FirewallHost): Promise<string> =>
    inside(name(host), "systemctl list-units --all --no-legend 'pulumi-swarm-firewall-rollback*'");

  it("that would lock out the first time goes away again, and leaves no firewall", async () => {
    await assert.rejects(
      apply(two, ruleset(two, { ...firewall, ssh: ["192.0.2.0/24"] }), 5),
      /^RemoteError: edge-1: .*no new SSH connection came within 5 s, so the old rules are back/,
    );
    assert.equal(await table(two), "none");
    assert.equal(await timers(two), "");
  });

  it("is applied, confirmed over a new connection, and not loaded again the second time", async () => {
    assert.ok(await reaches("fwt-outside", `http://${one.address}:8081`), "before, a published port is open to everybody");
    const first = await Promise.all(all.map((host) => apply(host)));
    assert.deepEqual(
      first.map(({ changed }) => changed),
      [true, true],
    );
    for (const host of all) {
      assert.equal((await apply(host)).changed, false);
      assert.equal(await timers(host), "");
    }
    assert.match(await table(two), /set uplinks \{[^}]*"br-lan"/);
  });

  it("is open on exactly the ports that the rules say, of all 65,535, from everywhere", async () => {
    const scans = [
      { from: "fwt-outside", address: outside, target: one, arrivesOn: "site" },
      { from: "fwt-outside", address: outside, target: two, arrivesOn: "site" },
      { from: "fwt-two", address: "10.99.0.2", target: one, arrivesOn: "tunnel" },
      { from: "fwt-admin", address: admin, target: one, arrivesOn: "site" },
      { from: "fwt-two", address: two.address, target: one, arrivesOn: "site" },
      { from: "fwt-one", address: "10.99.0.1", target: two, arrivesOn: "tunnel" },
    ] as const;
    const rules = plan(firewall);
    const expected = scans.map((scan) => openPorts(rules, scan.target, scan, all).tcp);
    const found: (readonly string[])[] = [];
    // Not all at once: two that scan each other take each other's probes for answers.
    for (let index = 0; index < scans.length; index += 3) {
      const together = scans.slice(index, index + 3).map(({ from, target, arrivesOn }, offset) => {
        const address = arrivesOn === "tunnel" ? target.tunnelAddress : target.address;
        return scanTcp(from, address ?? "", expected[index + offset] ?? []);
      });
      found.push(...(await Promise.all(together)));
    }
    const label = ({ from, target, arrivesOn }: (typeof scans)[number]): string => `${from} to ${target.key} by the ${arrivesOn}`;
    assert.deepEqual(
      Object.fromEntries(scans.map((scan, index) => [label(scan), found[index]])),
      Object.fromEntries(scans.map((scan, index) => [label(scan), expected[index]])),
    );
  });

  it("answers UDP on exactly the ports that the rules say", async () => {
    const rules = plan(firewall);
    const probes = [
      { from: "fwt-outside", address: outside, arrivesOn: "site" },
      { from: "fwt-admin", address: admin, arrivesOn: "site" },
      { from: "fwt-two", address: two.address, arrivesOn: "site" },
      { from: "fwt-two", address: "10.99.0.2", arrivesOn: "tunnel" },
    ] as const;
    for (const probe of probes) {
      const answered = await probeUdp(probe.from, (probe.arrivesOn === "tunnel" ? one.tunnelAddress : one.address) ?? "", udpServices);
      assert.deepEqual(answered, within(udpServices, openPorts(rules, one, probe, all).udp), `${probe.from} by the ${probe.arrivesOn}`);
    }
  });

  it("is the same over IPv6", async () => {
    for (const [from, place] of [
      ["fwt-outside", 66],
      ["fwt-admin", 200],
    ] as const) {
      const expected = openPorts(plan(firewall), one, { address: `fd00:240::${place}`, arrivesOn: "site" }, all).tcp;
      assert.deepEqual(await scanTcp(from, "fd00:240::11", expected, "1-10000"), expected, from);
    }
    assert.equal(await reaches("fwt-outside", "http://[fd00:240::11]:8080"), true);
    assert.equal(await reaches("fwt-admin", "http://[fd00:240::11]:8080"), false);
  });

  it("lets through published ports that are exposed, from there only, and no others, whatever the uplink is called", async () => {
    for (const host of all) {
      assert.equal(await reaches("fwt-outside", `http://${host.address}:8080`), true, "exposed to it");
      assert.equal(await reaches("fwt-admin", `http://${host.address}:8080`), false, "exposed to another one");
      assert.equal(await reaches("fwt-outside", `http://${host.address}:8081`), false, "published, not exposed");
    }
    assert.equal(await reaches("fwt-admin", `http://${two.address}:8090`), true, "exposed to the world");
  });

  it("closes the way to a container that publishes nothing, for a neighbour who knows a route", async () => {
    const hidden = await inside("fwt-one", "docker inspect -f '{{.NetworkSettings.IPAddress}}' hidden");
    await inside("fwt-outside", `ip route add ${hidden}/32 via ${one.address}`);
    assert.equal(await reaches("fwt-outside", `http://${hidden}`), false);
    await inside(
      "fwt-one",
      // The guard would close it again at once.
      "systemctl stop pulumi-swarm-firewall-watch; nft add rule inet pulumi_swarm forward accept; nft insert rule inet pulumi_swarm to_containers accept; iptables -I FORWARD -j ACCEPT",
    );
    try {
      assert.equal(await reaches("fwt-outside", `http://${hidden}`), true, "without it, the way is open: else this shows nothing");
    } finally {
      await inside("fwt-one", "iptables -D FORWARD -j ACCEPT");
    }
  });

  it("is put right when somebody changed what is loaded", async () => {
    assert.equal((await apply(one)).changed, true);
    assert.equal((await apply(one)).changed, false);
  });

  it("lets containers go out and ping their host, and keeps the host's own services from them", async () => {
    const from = (command: string): Promise<number> =>
      run("docker", ["exec", "fwt-one", "docker", "exec", "hidden", "sh", "-c", command]).then(({ code }) => code);
    assert.equal(await from(`wget -q -T 3 -O /dev/null http://${two.address}:8090`), 0);
    assert.equal(await from("ping -c 1 -W 2 172.17.0.1"), 0);
    assert.notEqual(await from("nc -w 2 172.17.0.1 9100 </dev/null"), 0);
    assert.notEqual(await from("nc -w 2 172.17.0.1 22 </dev/null"), 0);
  });

  it("lets containers ask a resolver that listens on the host's own address, on Docker's default network and on another", async () => {
    await inside("fwt-one", "cp /etc/resolv.conf /tmp/resolv.conf && docker network create names >/dev/null");
    await answerNames("fwt-one", one.address, "198.51.100.7");
    const ask = (network: string): Promise<string> =>
      inside("fwt-one", `docker run --rm --network ${network} ${testImage} /bin/busybox nslookup -type=a swarm.test. 2>&1 || true`);
    try {
      await inside("fwt-one", `echo 'nameserver ${one.address}' >/etc/resolv.conf`);
      assert.doesNotMatch(await ask("names"), /198\.51\.100\.7/, "no rule allows it yet");
      assert.equal((await apply(one)).changed, true, "the host's rules know its resolver");
      for (const network of ["bridge", "names"]) assert.match(await ask(network), /198\.51\.100\.7/, network);
    } finally {
      await inside("fwt-one", "cat /tmp/resolv.conf >/etc/resolv.conf; docker network rm names >/dev/null");
    }
    await apply(one);
  });

  it("loses no connection over twenty reloads", async () => {
    const transfer = docker(
      "exec",
      "fwt-outside",
      "curl",
      "-sf",
      "--limit-rate",
      "20M",
      "-m",
      "60",
      "-o",
      "/dev/null",
      "-w",
      "%{size_download}",
      `http://${one.address}:8080/large`,
    );
    let ended = false;
    void transfer.finally(() => (ended = true));
    await eventually("the transfer runs", 10, async () =>
      (await inside("fwt-outside", "ss -Htn state established")).includes(":8080") ? true : undefined,
    );
    const reloaded = await session(one).run("for i in $(seq 20); do sudo nft -f /etc/pulumi-swarm/firewall.nft || exit 1; done; echo done", {
      timeout: 30_000,
    });
    assert.equal(reloaded.stdout.trim(), "done", reloaded.stderr);
    assert.equal(ended, false, "the transfer outlasts the reloads");
    assert.equal(await transfer, String(100 * 1024 * 1024));
  });

  it("comes back when a ruleset lets nobody in over SSH, with an error that says from where this machine comes", async () => {
    const before = await table(one);
    await assert.rejects(apply(one, ruleset(one, { ...firewall, ssh: ["192.0.2.0/24"] }), 15, ["192.0.2.0/24"]), (error: Error) => {
      assert.match(error.message, /^control-1: with the new firewall rules no new SSH connection came within 15 s, so the old rules are back/);
      assert.match(
        error.message,
        /The host sees this machine as 10\.240\.0\.1; firewall\.ssh \(192\.0\.2\.0\/24\) does not allow it\. Fix: add "10\.240\.0\.1\/32"/,
      );
      return true;
    });
    assert.equal(await table(one), before);
    (await redial(one)).close();
    assert.equal((await apply(one)).changed, false);
  });

  it("stays as it is when nft cannot read a ruleset", async () => {
    const before = await table(one);
    await assert.rejects(
      apply(one, "table inet pulumi_swarm {\n  nonsense\n}\n"),
      /control-1: nft refuses the ruleset, so the old one stays: .*Error: syntax error/,
    );
    assert.equal(await table(one), before);
    assert.equal(await timers(one), "");
  });

  it("is whole though somebody flushed it before it was confirmed: what is listed then is not what counts", async () => {
    const before = await table(one);
    const wider = ruleset(one, { ...firewall, rules: { ping: { from: ["world"] } } });
    await apply(one, wider, undefined, undefined, () => inside("fwt-one", "systemctl stop pulumi-swarm-firewall-watch && nft flush ruleset"));
    assert.match(await table(one), /icmp type echo-request accept comment "ping"/);
    assert.equal((await apply(one, wider)).changed, false);
    await apply(one);
    assert.equal(await table(one), before);
  });

  it("is finished by the next run when one was cut off before it confirmed", async () => {
    const narrower = ruleset(one, { ssh: firewall.ssh ?? [] });
    const script = loadInstallingScript(`${root}/components/firewall`, "firewall.sh");
    await session(one).script(script, { RULESET: narrower.trimEnd(), LIMIT_SECONDS: "60" }, { verb: "apply", timeout: 30_000 });
    assert.equal(await reaches("fwt-outside", `http://${one.address}:8080`), false, "the rules that nobody confirmed are loaded");
    const again = await apply(one);
    assert.match(again.said, /an earlier run was cut off before its rules were confirmed/);
    assert.equal(await reaches("fwt-outside", `http://${one.address}:8080`), true);
    assert.equal(await timers(one), "");
    assert.equal((await apply(one)).changed, false);
  });

  it("refuses to confirm when the old rules are back already", async () => {
    const before = await table(one);
    const script = loadInstallingScript(`${root}/components/firewall`, "firewall.sh");
    const narrower = ruleset(one, { ssh: firewall.ssh ?? [] });
    await session(one).script(script, { RULESET: narrower.trimEnd(), LIMIT_SECONDS: "1" }, { verb: "apply", timeout: 30_000 });
    await eventually("the old rules are back", 20, async () => ((await table(one)) === before ? true : undefined));
    await assert.rejects(
      session(one).script(script, {}, { verb: "confirm", timeout: 30_000 }),
      /were not confirmed in time, so the old ones are back/,
    );
  });

  it("stands again after a reboot, before Docker", async () => {
    const before = await table(one);
    session(one).close();
    await docker("restart", "fwt-one");
    sessions.set(one.key, await redial(one));
    const state = await eventually("Docker runs again", 60, async () => {
      const said = await inside("fwt-one", "systemctl show -P ActiveEnterTimestampMonotonic pulumi-swarm-firewall.service docker.service");
      const times = said.split(/\s+/).map(Number);
      return times.every((time) => time > 0) ? times : undefined;
    });
    assert.ok((state[0] ?? 0) < (state[1] ?? 0), `firewall and Docker stood at ${state.join(", ")} µs`);
    assert.equal(await table(one), before);
    assert.equal((await apply(one)).changed, false);
  });

  it("stands again by itself when somebody flushes all rules, restarts nftables.service, or takes out a single one", async () => {
    const before = await table(one);
    const again = (what: string): Promise<string> =>
      eventually(`the rules after ${what}`, 30, async () => ((await table(one)) === before ? before : undefined));
    await inside("fwt-one", "nft flush ruleset");
    await again("a flush");
    assert.equal(await reaches("fwt-outside", `http://${one.address}:8081`), false, "closed to whom no rule names");
    await inside("fwt-one", "systemctl start nftables && systemctl restart nftables");
    await again("a restart of nftables.service");
    await inside("fwt-one", "systemctl stop nftables");
    await again("a stop of nftables.service");
    await inside("fwt-one", "nft flush chain inet pulumi_swarm input");
    await again("a chain without rules");
    await inside("fwt-one", "nft delete table inet pulumi_swarm");
    await again("a deleted table");
    assert.match(
      await inside("fwt-one", "journalctl -u pulumi-swarm-firewall-watch -o cat"),
      /somebody changed or removed the rules of this host: loading them again/,
    );
    assert.equal((await apply(one)).changed, false);
  });

  it("lets nobody in but over SSH at a boot at which the confirmed rules do not load, and says so", async () => {
    const before = await table(one);
    await inside("fwt-one", "cp /etc/pulumi-swarm/firewall.nft /root/kept && echo 'no such word' >>/etc/pulumi-swarm/firewall.nft");
    session(one).close();
    await docker("restart", "fwt-one");
    sessions.set(one.key, await redial(one));
    assert.deepEqual(await scanTcp("fwt-outside", one.address, []), []);
    assert.match(await inside("fwt-one", "systemctl is-failed pulumi-swarm-firewall; true"), /failed/);
    assert.match(
      await inside("fwt-one", "journalctl -b -u 'pulumi-swarm-firewall*' -o cat"),
      /the confirmed rules do not load: loading the smallest ones/,
    );
    await apply(one);
    assert.equal(await table(one), before);
    assert.equal(
      await inside("fwt-one", "systemctl is-active pulumi-swarm-firewall-watch; cmp /etc/pulumi-swarm/firewall.nft /root/kept && rm /root/kept"),
      "active",
    );
  });

  it("stays as it is on a disk that is full, which is named", async () => {
    const before = await table(one);
    await inside(
      "fwt-one",
      "cp -a /etc/pulumi-swarm /root/kept && mount -t tmpfs -o size=128k,mode=700 tmpfs /etc/pulumi-swarm && cp -a /root/kept/. /etc/pulumi-swarm",
    );
    await inside("fwt-one", "head -c 1M /dev/zero >/etc/pulumi-swarm/filler 2>/dev/null || true");
    const narrower = ruleset(one, { ssh: firewall.ssh ?? [] });
    await assert.rejects(
      apply(one, narrower),
      /^RemoteError: control-1: \/etc\/pulumi-swarm\/\S+ cannot be written, so it is as it was: No space left on device/,
    );
    assert.equal(await table(one), before);
    await inside("fwt-one", "rm /etc/pulumi-swarm/filler && diff -r /root/kept /etc/pulumi-swarm && umount /etc/pulumi-swarm && rm -r /root/kept");
    assert.equal((await apply(one)).changed, false);
  });

  it("goes away without a trace", async () => {
    await removeFirewall(session(one), () => {});
    await removeFirewall(session(one), () => {});
    assert.equal(await table(one), "none");
    assert.equal(
      await inside("fwt-one", "ls -d /etc/pulumi-swarm /etc/systemd/system/pulumi-swarm* /etc/systemd/system/*/pulumi-swarm* 2>/dev/null || true"),
      "",
    );
  });
});
