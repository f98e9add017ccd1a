import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "../../components/status/report";
import { eventually } from "../../tools/lab/cluster";
import { docker } from "../../tools/lab/machines";
import { root } from "../../tools/lab/pulumi";
import { argumentsDuring } from "../../tools/lab/secrets";
import { Sites } from "../../tools/lab/sites";
import { Lab } from "./lab";
import type { Target } from "../../components/status/source/target";
import { lookAt, statusProgram, targetOf } from "./status-lab";

const sites = new Sites("status", {
  rack: { subnet: "10.226.1.0/24", hosts: { s1: {}, s2: {} } },
  far: { subnet: "10.226.2.0/24", router: "routes", hosts: { s3: {}, w1: {} } },
});
const lab = new Lab("status");
const names = ["s1", "s2", "s3", "w1"] as const;
type Name = (typeof names)[number];

function group(role: string, site: string, ...of: readonly Name[]): object {
  const machines = of.map((name) => {
    const { address } = sites.host(name);
    return [name, { address, publicAddress: address, hostKey: sites.keys.host.publicKey }];
  });
  return { role, site, network: sites.subnet(site), machines: Object.fromEntries(machines) as object };
}

const spec = {
  existing: {
    control: group("manager", "rack", "s1", "s2"),
    far: group("manager", "far", "s3"),
    edge: { ...group("worker", "far", "w1"), labels: { disk: "ssd" } },
  },
  networks: { web: {} },
  wireguard: {},
  firewall: { ssh: sites.admins, expose: { website: { port: 8080, from: ["world"], publish: "host" } } },
};

const on = (name: Name, script: string): Promise<string> => sites.on(name, "sh", "-ec", script);
/** Without packets that a lab which is too busy loses on its own. */
const kindsOf = ({ findings }: Report): string[] =>
  findings.filter(({ kind, severity }) => !(kind === "path-lost" && severity === "warning")).map(({ kind }) => kind);
const verdictOf = ({ verdict }: Report): string => verdict.replace(/ \(and \d+ more\)$/, "");

/** Something is wrong with a host while it is looked at. */
async function during<T>(name: Name, fault: string, cure: string, work: () => Promise<T>): Promise<T> {
  await on(name, fault);
  try {
    return await work();
  } finally {
    await on(name, cure);
  }
}

/** All that a look might leave behind: files, containers, networks, units, addresses and rules. What the system and the tunnel write by themselves is left out. */
const inventory = [
  "find / -xdev -type f -printf '%p %s %C@\\n' 2>/dev/null | grep -vE '^/(proc|sys|dev)/|^/var/log/|/systemd/(timers|timesync|coredump)|^/var/lib/(private|chrony)|/wireguard/endpoints(.new)? ' | sort",
  "find /run /etc /var/lib/docker -type f -printf '%p\\n' 2>/dev/null | grep -vE '^/run/(log|systemd|user|utmp|udev|docker/runtime|containerd|dbus)|/var/lib/docker/swarm/(raft|worker|state|docker-state)|/var/lib/docker/(overlay2|containerd|network/files)|/endpoints(.new)?$' | sort",
  "docker ps -aq --no-trunc | sort; docker network ls -q --no-trunc | sort; docker volume ls -q | sort; docker images -q --no-trunc | sort",
  "systemctl list-units --all --plain --no-legend --type=service,socket,timer,mount | awk '{ print $1, $3, $4 }' | grep -vE '^(user|session|systemd-(logind|timedated|hostnamed|localed|tmpfiles|journal|timesync)|user-runtime-dir)|^run-user' || true",
  "ip -o addr | sed 's/valid_lft.*//'; ip route; ip link show | grep -oE '^[0-9]+: [^:]*: <[^>]*>'; nft -s list ruleset | sed 's/counter packets.*//'; lsmod 2>/dev/null | awk '{ print $1 }' | sort || true",
].join("\n");

describe("pulumi-swarm status of a cluster on two sites", function () {
  this.timeout(600_000);
  let target: Target;
  const look = (record?: string): Promise<Report> => lookAt(target, record);

  before(async () => {
    await lab.begin();
    await sites.build();
    await lab.logInWith(sites.keys.client.privateKey);
    await lab.spec(spec);
    await lab.up();
    target = await targetOf(lab);
  });

  after(async () => {
    await sites.remove();
    await lab.end();
  });

  it("says that all is well, and changes nothing on any host", async () => {
    const before = await Promise.all(names.map((name) => on(name, inventory)));
    const result = await statusProgram(lab, ["--stack", lab.name]);
    const after = await Promise.all(names.map((name) => on(name, inventory)));
    await look("healthy");
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.match(result.stdout, /^status: OK: 4 hosts are ready, 3 of 3 managers answer\n/);
    for (const [index, name] of names.entries()) assert.deepEqual(after[index]?.split("\n"), before[index]?.split("\n"), name);
  });

  it("takes connections instead of a stack, and shows no key to anybody", async () => {
    const { connections } = await lab.outputs();
    const one = JSON.stringify(connections["control-s1"]);
    const { result, seen } = await argumentsDuring(() => statusProgram(lab, ["--connection", "-", "--format", "json"], one));
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const { hosts, quorum } = JSON.parse(result.stdout) as { hosts: { host: string; state: string }[]; quorum: object };
    assert.deepEqual(quorum, { total: 3, alive: 3, needed: 2 });
    assert.deepEqual(
      hosts
        .map(({ host, state }) => `${host} ${state}`)
        .sort()
        .slice(-3),
      ["control-s2 not asked", "edge-w1 not asked", "far-s3 not asked"],
    );
    const key = sites.keys.client.privateKey.split("\n")[2] ?? "";
    for (const text of [result.stdout, result.stderr, seen]) assert.ok(!text.includes(key));
  });

  it("names what was changed by hand, and --fail-on drift counts only what up would fix", async () => {
    const id = await on("s1", `docker node ls -q --filter node.label=pulumi-swarm.host=edge-w1`);
    await on("s1", `docker node update --availability drain ${id}`);
    await on("w1", "echo linux-image-cloud-amd64 >/run/reboot-required.pkgs; touch /run/reboot-required");
    assert.deepEqual(kindsOf(await look("drained")), ["drained", "reboot-required"]);
    assert.equal((await statusProgram(lab, ["--stack", lab.name, "--fail-on", "drift"])).code, 0);
    await on("s1", `docker node update --availability active --label-rm disk ${id}`);
    await on("w1", "rm /run/reboot-required*");
    assert.deepEqual(kindsOf(await look("label")), ["label-differs"]);
    const drift = await statusProgram(lab, ["--stack", lab.name, "--fail-on", "drift"]);
    assert.equal(drift.code, 2, drift.stdout);
    assert.equal((await statusProgram(lab, ["--stack", lab.name])).code, 1);
    await on("s1", `docker node update --label-add disk=ssd ${id}`);
  });

  it("names a host that is open, with its ports against the plan", async () => {
    const listen = "systemd-run --quiet --unit=lab-metrics systemd-socket-activate --accept --listen=0.0.0.0:9100 /bin/cat";
    const flush = "systemctl stop pulumi-swarm-firewall-watch; nft delete table inet pulumi_swarm";
    const cure = "systemctl stop lab-metrics; systemctl restart pulumi-swarm-firewall pulumi-swarm-firewall-watch";
    const report = await during("w1", `${listen}; ${flush}`, cure, () => look("firewall"));
    assert.deepEqual(kindsOf(report), ["firewall-gone"]);
    assert.equal(verdictOf(report), "edge-w1 is open: the rules of its firewall are not loaded");
    assert.match(report.findings[0]?.detail ?? "", /^open against the plan: 9100\/tcp \S+; what loads them again is inactive$/);
  });

  it("names an engine that is stopped, and does not start it by asking", async () => {
    const { report, units } = await during("w1", "systemctl stop docker.service", "systemctl start docker.service", async () => ({
      report: await look("engine"),
      units: await on("w1", "systemctl is-active docker.service docker.socket || true"),
    }));
    assert.equal(kindsOf(report)[0], "engine-stopped");
    assert.equal(verdictOf(report), "edge-w1: its Docker engine does not run (somebody stopped it)");
    assert.equal(units, "inactive\nactive", "its socket would have started it");
  });

  it("names a host that SSH does not reach, though the managers count on it", async () => {
    await backToReady();
    const report = await during("w1", "systemctl stop ssh.socket ssh.service", "systemctl start ssh.service", () => look("no-ssh"));
    assert.deepEqual(kindsOf(report), ["unreachable"]);
    assert.equal(verdictOf(report), "edge-w1 is ready, but cannot be looked at over SSH");
    assert.match(report.findings[0]?.detail ?? "", /connection refused \(is sshd running/);
  });

  it("names a tunnel's peer without a handshake, and not what follows from it", async () => {
    // Its sessions end with its interface; then nothing of others comes in.
    const block =
      "nft 'add table ip fault; add chain ip fault in { type filter hook input priority -300; }; add rule ip fault in udp sport 51820 drop'";
    const restart = "systemctl restart pulumi-swarm-wireguard";
    const report = await during("w1", `${block}; ${restart}`, `nft delete table ip fault; ${restart}`, () =>
      eventually("nothing passes", 60, async () => {
        const seen = await look("tunnel");
        return seen.state === "broken" ? seen : undefined;
      }),
    );
    assert.deepEqual(kindsOf(report), ["tunnel-peer"]);
    assert.match(report.verdict, /^edge-w1 has no handshake with control-s1, control-s2, far-s3, so nothing passes between them/);
  });

  it("names a manager that is dead, and how many more may be lost", async () => {
    await backToReady();
    await docker("kill", sites.host("s3").machine);
    const report = await eventually("the managers miss it", 90, async () => {
      const seen = await look("manager-dead");
      return kindsOf(seen)[0] === "host-dead" ? seen : undefined;
    });
    assert.equal(verdictOf(report), "far-s3 is down; 2 of 3 managers answer, and one more that fails loses the quorum");
    assert.equal((await statusProgram(lab, ["--stack", lab.name])).code, 2);
  });

  it("names a lost quorum first, within a bounded time, and shows the rest", async () => {
    await docker("kill", sites.host("s2").machine);
    const report = await eventually("no leader is left", 90, async () => {
      const seen = await look("quorum");
      return kindsOf(seen)[0] === "quorum-lost" ? seen : undefined;
    });
    assert.equal(verdictOf(report), "quorum is lost: 1 of 3 managers answers, 2 are needed");
    assert.ok(report.seen.seconds < 60, `${report.seen.seconds} s`);
    assert.ok(report.seen.hosts.find(({ key }) => key === "edge-w1")?.system, "the worker is shown");
  });

  it("recorded no secret", () => {
    const folder = join(root, "test", "status", "seen");
    for (const file of readdirSync(folder))
      assert.doesNotMatch(readFileSync(join(folder, file), "utf8"), /PRIVATE KEY|SWMTKN|SWMKEY|privateKey/, file);
  });

  async function backToReady(): Promise<void> {
    await eventually("all is well again", 120, async () => (kindsOf(await look()).length === 0 ? true : undefined));
  }
});
