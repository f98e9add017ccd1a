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

const spec = (engine: object, recheck?: string): object => ({
  existing: { control: group("manager", managers), edge: group("worker", workers) },
  networks: { web: {} },
  firewall: { ssh: sites.admins, expose: { website: { port, from: ["world"], publish: "host" } } },
  engine,
  ...(recheck !== undefined && { recheck }),
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

describe("a walk over five hosts", function () {
  this.timeout(1_800_000);
  this.bail(true);
  let repository: DockerRepository;
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
      `docker service create --quiet --no-resolve-image --name shop --replicas 4 --replicas-max-per-node 1 --endpoint-mode dnsrr --network web ` +
        `--publish mode=host,published=${port},target=80 ${testImage} ` +
        `/bin/busybox sh -c 'mkdir -p /www && echo open >/www/index.html && exec /bin/busybox httpd -f -p 80 -h /www'`,
    );
  });
  after(async () => {
    await lab.end();
    await sites.remove();
    await repository.remove();
  });

  it("replaces Docker on all of them under load, cut off three times on the way, with no request lost and the quorum kept", async () => {
    const before = await versions();
    const led = await leader();
    const load = new Load(
      names.map((name) => sites.host(name).address),
      port,
      50,
    );
    const watch = new SwarmWatch(managers.map(machine));
    await lab.spec(spec(engine()));
    const walked: string[] = [];
    for (const cut of [
      /edge-w1: drained|edge-w1: is drained/,
      /edge-w2: out of service[^]*waiting for Docker to be replaced|edge-w2: is back in service/,
      /control-\w+: is back in service/,
    ]) {
      let pulumi: number | undefined;
      const cutOff = (output: string): boolean => {
        if (!cut.test(output)) return false;
        if (pulumi !== undefined) killTree(pulumi);
        return true;
      };
      const { stdout, code } = await lab.stack.up({ onStart: (group) => (pulumi = group), killWhen: cutOff });
      assert.notEqual(code, 0, "it was cut off");
      assert.match(stdout, cut);
      walked.push(...walkedBy({ stdout }));
      await lab.stack.cancel();
    }
    const last = await lab.up();
    walked.push(...walkedBy(last));
    const requests = await load.stop();
    const seen = watch.stop();
    process.stdout.write(`      ${before[0]} to ${await version("c1")}: ${JSON.stringify(requests)} ${JSON.stringify(seen)}\n`);
    for (const now of await versions()) assert.ok(now.startsWith(repository.version), now);
    assert.equal(requests.lost, 0);
    assert.ok(requests.asked > 100, `${requests.asked} requests`);
    assert.ok(seen.looks > 100, `${seen.looks} looks`);
    assert.equal(seen.fewestManagers, 2);
    assert.equal(seen.mostWorkersAway, 1);
    assert.equal(walked.at(-1), key(names.find((name) => machine(name) === led) ?? "c1"), `${led} led: ${walked.join()}`);
    assert.equal(walked[0], "edge-w1");
    for (const [host, state] of await nodes()) assert.match(state, /^Active Ready/, host);
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
    assert.match(stdout, /Docker 28\.\S+ was put back and runs\. It is back in the swarm\. The walk stopped here: edge-w2, /);
    assert.deepEqual(walkedBy({ stdout }), ["edge-w1"]);
    for (const now of await versions()) assert.ok(now.startsWith(repository.version), now);
    for (const [host, state] of await nodes()) assert.match(state, /^Active Ready/, host);
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
    const { code, stdout } = await lab.stack.up();
    assert.notEqual(code, 0);
    assert.deepEqual(walkedBy({ stdout }).slice(-1), [key(second)]);
    assert.match(
      stdout,
      new RegExp(`${key(second)}: .*It is not back in the swarm: .*The walk stopped here: control-\\w+, control-\\w+ are as before`),
    );
    assert.equal(watch.stop().fewestManagers, 2);
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

  it("leaves a host drained that a person drained", async () => {
    await on("c1", `docker node update --availability drain ${machine("w2")}`);
    await lab.spec(spec(engine({ settings: { "log-driver": "json-file" } })));
    await lab.up();
    assert.match((await nodes()).get(machine("w2")) ?? "", /^Drain Ready/);
    assert.equal(await on("w2", "docker info -f '{{.LoggingDriver}}'"), "json-file");
  });

  it("gives Docker's packages back to apt when the cluster is gone", async () => {
    const { code, stdout, stderr } = await lab.stack.pulumi(["destroy", "--yes", "--skip-preview"]);
    assert.equal(code, 0, stdout + stderr);
    for (const name of names) assert.equal(await on(name, "apt-mark showhold"), "", name);
  });
});
