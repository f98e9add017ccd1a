import assert from "node:assert/strict";
import { eventually, testImage } from "../../tools/lab/cluster";
import { type DockerRepository, makeDockerRepository } from "../../tools/lab/docker-repository";
import { Load } from "../../tools/lab/load";
import { docker } from "../../tools/lab/machines";
import { needTools } from "../../tools/lab/namespace";
import { killTree } from "../../tools/lab/process-tree";
import type { CommandResult } from "../../tools/lab/pulumi";
import { Sites } from "../../tools/lab/sites";
import { SwarmWatch } from "../../tools/lab/swarm-watch";
import { assertNoChange, Lab } from "./lab";

const managers = ["c1", "c2", "c3"] as const;
const workers = ["w1", "w2"] as const;
const names = [...managers, ...workers];
type Name = (typeof names)[number];

const sites = new Sites("walk", { rack: { subnet: "10.228.1.0/24", hosts: Object.fromEntries(names.map((name) => [name, {}])) } });
const lab = new Lab("walk");
const port = 8080;

function group(role: string, members: readonly Name[]): object {
  const machines = members.map((name) => [name, { address: sites.host(name).address, hostKey: sites.keys.host.publicKey }]);
  return { role, site: "rack", network: sites.subnet("rack"), machines: Object.fromEntries(machines) as object };
}

const spec = (engine: object, more: object = {}): object => ({
  existing: { control: group("manager", managers), edge: group("worker", workers) },
  networks: { web: {} },
  firewall: { ssh: sites.admins, expose: { website: { port, from: ["world"], publish: "host" } } },
  engine,
  ...more,
});

const key = (name: Name): string => `${name.startsWith("c") ? "control" : "edge"}-${name}`;
const machine = (name: Name): string => sites.host(name).machine;
const on = (name: Name, command: string): Promise<string> => docker("exec", machine(name), "sh", "-c", command);
const version = (name: Name): Promise<string> => on(name, "docker version -f '{{.Server.Version}}'");
const versions = (): Promise<string[]> => Promise.all(names.map(version));
/** By any manager that answers. */
async function nodes(from: Name = "c1"): Promise<Map<string, string>> {
  const list = await on(from, "docker node ls --format '{{.Hostname}} {{.Availability}} {{.Status}} {{.ManagerStatus}}'");
  return new Map(list.split("\n").map((line) => [line.split(" ")[0] ?? "", line.split(" ").slice(1).join(" ").trim()]));
}

async function leader(): Promise<string> {
  return [...(await nodes())].find(([, state]) => state.endsWith("Leader"))?.[0] ?? assert.fail("nobody leads");
}

/** Which hosts a run took out of service, in this order. */
function walkedBy({ stdout }: Pick<CommandResult, "stdout">): string[] {
  return [...new Set([...stdout.matchAll(/([\w-]+): out of service for /g)].map(([, host = ""]) => host))];
}

/** Where a run ends before its time, as its output shows it, or a host does. */
interface Cut {
  readonly at: RegExp | (() => Promise<unknown>);
  /** What else ends then. @default - nothing */
  readonly with?: () => Promise<unknown>;
}

/** Ends a run with all that it has started. @returns what it printed */
async function cutUp({ at: moment, with: also }: Cut): Promise<string> {
  let pulumi: number | undefined;
  const kill = (): void => {
    if (pulumi !== undefined) killTree(pulumi);
  };
  const killWhen = (output: string): boolean => {
    const now = moment instanceof RegExp && moment.test(output);
    if (now) kill();
    return now;
  };
  const run = lab.stack.up({ onStart: (group) => (pulumi = group), killWhen });
  if (!(moment instanceof RegExp)) {
    await Promise.race([moment(), run.then(({ stdout }) => assert.fail(`the run ended before: ${stdout}`))]);
    kill();
    await also?.();
  }
  const { stdout, code } = await run;
  assert.notEqual(code, 0, "it was cut off");
  if (moment instanceof RegExp) assert.match(stdout, moment);
  await lab.stack.cancel();
  return stdout;
}

const until = (name: Name, condition: string): Promise<string> => on(name, `until ${condition}; do sleep 0.02; done`);
/** dpkg has taken the program out of its package, and not yet put it in its place. */
const unpacking = (name: Name, program: string): Promise<string> => until(name, `[ -e ${program}.dpkg-new ]`);
/** The package's own script starts the engine. */
const configuring = (name: Name): Promise<string> => until(name, "pgrep -f '[d]ocker-ce.postinst' >/dev/null");

/** Power comes back at once; Docker may not. */
async function pullPlug(name: Name): Promise<void> {
  await docker("kill", machine(name));
  await docker("start", machine(name));
}

describe("a walk over five hosts", function () {
  this.timeout(1_800_000);
  this.bail(true);
  let repository: DockerRepository;
  /** What goes on for as long as a test does. */
  const running: { stop(): Promise<unknown> }[] = [];
  const engine = (more: object = {}): object => ({
    source: "docker",
    version: repository.version.split(".").slice(0, 2).join("."),
    repository: repository.url,
    ...more,
  });

  before(async function () {
    needTools(this, "nsenter");
    [repository] = await Promise.all([makeDockerRepository("walk-docker"), lab.begin(), sites.build()]);
    await Promise.all(names.map((name) => repository.copyTo(machine(name))));
    await lab.logInWith(sites.keys.client.privateKey);
    await lab.spec(spec({}));
    await lab.up();
    await lab.withShell((shell) => shell.putTestImage());
    await on(
      "c1",
      `docker service create --quiet --no-resolve-image --name shop --replicas 4 --replicas-max-per-node 1 --stop-grace-period 3s --endpoint-mode dnsrr --network web ` +
        `--publish mode=host,published=${port},target=80 ${testImage} ` +
        `/bin/busybox sh -c 'mkdir -p /www && echo open >/www/index.html && exec /bin/busybox httpd -f -p 80 -h /www'`,
    );
  });
  afterEach(() => Promise.all(running.splice(0).map((each) => each.stop())));
  after(async () => {
    await lab.end();
    await sites.remove();
    await repository.remove();
  });

  it("replaces Docker on all of them under load, cut off in each phase and within dpkg, with no request lost and the quorum kept", async () => {
    const before = await versions();
    const led = await leader();
    const second = managers.filter((name) => machine(name) !== led)[0] ?? "c1";
    const load = new Load(
      names.map((name) => sites.host(name).address),
      port,
      50,
    );
    const watch = new SwarmWatch(managers.map(machine));
    running.push(load, watch);
    await lab.spec(spec(engine()));
    const walked: string[] = [];
    const cuts: readonly Cut[] = [
      { at: /edge-w1: is drained/ },
      { at: () => unpacking("w1", "/usr/bin/containerd"), with: () => pullPlug("w1") },
      { at: () => configuring("w2"), with: () => on("w2", "pkill -9 '^(apt-get|dpkg|docker-ce)' || true") },
      { at: () => unpacking(second, "/usr/sbin/dockerd"), with: () => pullPlug(second) },
      { at: /control-\w+: is back in service/ },
    ];
    for (const cut of cuts) {
      const began = Date.now();
      walked.push(...walkedBy({ stdout: await cutUp(cut) }));
      process.stdout.write(`      cut off ${cut.at instanceof RegExp ? cut.at.source : String(cut.at)} after ${Date.now() - began} ms\n`);
    }
    const last = await lab.up();
    walked.push(...walkedBy(last));
    const requests = await load.stop();
    const seen = await watch.stop();
    process.stdout.write(`      ${before[0]} to ${await version("c1")}: ${JSON.stringify(requests)} ${JSON.stringify(seen)} ${walked.join()}\n`);
    for (const now of await versions()) assert.ok(now.startsWith(repository.version), now);
    assert.deepEqual(requests.lost, []);
    assert.ok(requests.asked > 1_000, `${requests.asked} requests`);
    assert.ok(seen.looks > 1_000, `${seen.looks} looks`);
    assert.equal(seen.fewestManagers, 2);
    assert.equal(seen.workersAway.length, 1, seen.workersAway.join());
    assert.equal(walked.at(-1), key(names.find((name) => machine(name) === led) ?? "c1"), `${led} led: ${walked.join()}`);
    assert.equal(walked[0], "edge-w1");
    for (const [host, state] of await nodes()) assert.match(state, /^Active Ready/, `${host} is ${state}`);
    assertNoChange(await lab.up());
  });

  it("holds Docker's packages, so that nothing else upgrades them", async () => {
    for (const name of names) {
      assert.match(await on(name, "apt-mark showhold"), /containerd\.io\ndocker-ce\ndocker-ce-cli/);
      assert.equal(await on(name, "apt-get -qq -s upgrade | grep -c '^Inst docker' || true"), "0", "29.9.9 waits there");
    }
  });

  it("puts the old version back where the new one does not start, and disturbs no other host", async () => {
    await lab.spec(spec(engine({ version: repository.broken })));
    const preview = await lab.stack.preview();
    assert.match(
      preview.stdout,
      /Docker is replaced on 5 of 5 hosts:\s+28\.\S+ to 29\.9\.9 on control-c1, control-c2, control-c3, edge-w1, edge-w2\s+order: edge-w1, edge-w2 \(one worker at once\)/,
    );
    const { code, stdout } = await lab.stack.up();
    assert.notEqual(code, 0);
    assert.match(
      stdout,
      /edge-w1: its Docker was not replaced: with the new version, it does not run \(failed to start daemon: this engine never starts\)/,
    );
    assert.match(
      stdout,
      /Docker 28\.\S+ was put back and runs\. It is back in the swarm\. The walk stopped here: control-c1, control-c2, control-c3, edge-w2 are as before/,
    );
    assert.deepEqual(walkedBy({ stdout }), ["edge-w1"]);
    for (const now of await versions()) assert.ok(now.startsWith(repository.version), now);
    for (const [host, state] of await nodes()) assert.match(state, /^Active Ready/, `${host} is ${state}`);
  });

  it("says what state a host is in where the old version cannot be put back either, and the next up brings it back", async () => {
    const pool = "/srv/docker/debian/dists/trixie/pool";
    await on("w1", `mkdir /root/away && mv ${pool}/docker-ce_${repository.version}-* /root/away/`);
    await lab.spec(spec(engine({ version: repository.broken })));
    const { code, stdout } = await lab.stack.up();
    assert.notEqual(code, 0);
    assert.match(stdout, /warning: edge-w1: the packages of its present Docker are not to be had any more/);
    assert.match(
      stdout,
      /edge-w1: its Docker was not replaced: .*The version before, 28\.\S+, could not be put back either: its packages are not to be had any more\. Now docker\.service is \w+, with packages .*docker-ce=5:29\.9\.9/,
    );
    assert.match(
      stdout,
      /It is not back in the swarm: its engine does not answer .*The walk stopped here: control-c1, control-c2, control-c3, edge-w2 are as before/,
    );
    for (const name of names.filter((each) => each !== "w1")) assert.ok((await version(name)).startsWith(repository.version), name);
    await on("w1", `mv /root/away/* ${pool}/`);
    await lab.spec(spec(engine()));
    await lab.up();
    for (const now of await versions()) assert.ok(now.startsWith(repository.version), now);
    for (const [host, state] of await nodes()) assert.match(state, /^Active Ready/, `${host} is ${state}`);
  });

  it("is refused an older version that is not named, before anything is changed", async () => {
    await lab.spec(spec({ source: "distribution", version: "26.1" }));
    const { code, stdout } = await lab.stack.up();
    assert.notEqual(code, 0);
    assert.match(stdout, /its Docker is 28\.\S+ and engine\.version asks for 26\.1, which is older, .*engine\.downgradeFrom: "28\.5\.2"/);
    assert.deepEqual(walkedBy({ stdout }), []);
  });

  it("stops at a host that does not come back, which it names, and the next up goes on where it stopped", async () => {
    const settings = { "log-driver": "local" };
    const led = await leader();
    const second = managers.filter((name) => machine(name) !== led)[0] ?? "c1";
    await on(
      second,
      "mkdir -p /etc/systemd/system/docker.service.d && printf '[Service]\\nExecStartPre=/bin/false\\n' >/etc/systemd/system/docker.service.d/broken.conf && systemctl daemon-reload",
    );
    await lab.spec(spec(engine({ settings })));
    const watch = new SwarmWatch(managers.map(machine));
    running.push(watch);
    const { code, stdout } = await lab.stack.up();
    assert.notEqual(code, 0);
    assert.deepEqual(walkedBy({ stdout }).slice(-1), [key(second)]);
    assert.match(
      stdout,
      new RegExp(`${key(second)}: .*It is not back in the swarm: .*The walk stopped here: control-\\w+, control-\\w+ are as before`),
    );
    assert.equal((await watch.stop()).fewestManagers, 2);
    const driver = (name: Name): Promise<string> => on(name, "docker info -f '{{.LoggingDriver}}'");
    assert.deepEqual(await Promise.all(workers.map(driver)), ["local", "local"]);
    for (const name of managers.filter((each) => each !== second)) assert.equal(await driver(name), "json-file", name);
    await on(
      second,
      "rm /etc/systemd/system/docker.service.d/broken.conf && systemctl daemon-reload && systemctl reset-failed docker && systemctl start docker",
    );
    const next = await lab.up();
    assert.deepEqual(new Set(walkedBy(next)), new Set(managers.map(key)));
    assert.equal(walkedBy(next).at(-1), key(names.find((name) => machine(name) === led) ?? "c1"));
    for (const name of names) assert.equal(await driver(name), "local", name);
    await eventually("all are active", 60, async () =>
      [...(await nodes()).values()].every((state) => state.startsWith("Active Ready")) ? true : undefined,
    );
  });

  it("leaves hosts drained that a person or the program drained, changes them too, and gives back what the program no longer drains", async () => {
    await on("c1", `docker node update --availability drain ${machine("w2")}`);
    const settings = { "log-driver": "json-file" };
    // The service lacks a task all the while, for which there is no host left, and is waited for once.
    await lab.spec(spec(engine({ settings }), { maintenance: { drained: ["edge-w1"] }, drainSeconds: 15 }));
    await lab.up();
    for (const name of workers) {
      assert.match((await nodes()).get(machine(name)) ?? "", /^Drain Ready/, name);
      assert.equal(await on(name, "docker info -f '{{.LoggingDriver}}'"), "json-file", name);
    }
    assertNoChange(await lab.up());
    await lab.spec(spec(engine({ settings })));
    await lab.up();
    assert.match((await nodes()).get(machine("w1")) ?? "", /^Active Ready/);
    assert.match((await nodes()).get(machine("w2")) ?? "", /^Drain Ready/, "a person did it");
  });

  it("gives Docker's packages back to apt when the cluster is gone", async () => {
    await on("c1", "docker service rm shop");
    const { code, stdout, stderr } = await lab.stack.destroy();
    assert.equal(code, 0, stdout + stderr);
    for (const name of names) assert.equal(await on(name, "apt-mark showhold"), "", name);
  });
});
