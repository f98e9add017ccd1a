import assert from "node:assert/strict";
import { eventually } from "../../tools/lab/cluster";
import { type CommandResult, run } from "../../tools/lab/pulumi";
import { assertNoChange, Lab } from "./lab";

const keys = [1, 2, 3, 4, 5].map((place) => `control-${place}`);
const [first, ...others] = keys as [string, ...string[]];

/** What only real engines show of a lost quorum: Raft logs, and what managers do that come back. Told in order. */
describe("a swarm of five managers", function () {
  this.timeout(900_000);
  this.bail(true);
  const lab = new Lab("lost");
  const base = { local: { control: { role: "manager", count: 5, network: "10.227.0.0/20" } }, networks: { web: {} }, reachableSeconds: 300 };
  const impatient = { ...base, reachableSeconds: 20 };
  let swarmId = "";
  let objects: readonly string[] = [];

  before(async () => {
    await lab.begin();
    await lab.spec(base);
    await lab.up();
    await lab.withShell(async (shell) => {
      await shell.putTestImage();
      await shell.on(first, "echo kept | docker secret create kept - && echo kept | docker config create kept -");
      await shell.on(
        first,
        "docker service create --detach --quiet --no-resolve-image --network web --endpoint-mode dnsrr --secret kept --replicas 3 --name kept " +
          "pulumi-swarm-busybox:1 /bin/busybox sh -c 'exec /bin/busybox sleep 100000'",
      );
    });
    ({ swarmId } = await lab.outputs());
    await running(first, "kept", 3);
    objects = await all(first);
  });
  after(() => lab.end());

  async function on(host: string, command: string): Promise<string> {
    const { code, stdout, stderr } = await run("docker", ["exec", `lost-${host}`, "sh", "-c", command]);
    assert.equal(code, 0, `${host}: ${command}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** Ids and names of what the swarm keeps. */
  function all(host: string): Promise<string[]> {
    const kinds = ["service", "network", "secret", "config"].map(
      (kind) => `docker ${kind} ls --format '{{.ID}} {{.Name}}' | grep -v ' \\(bridge\\|host\\|none\\|docker_gwbridge\\)$' | sort`,
    );
    return Promise.all(kinds.map((kind) => on(host, kind)));
  }

  function running(host: string, service: string, replicas: number): Promise<unknown> {
    return eventually(`${replicas} of ${service} run`, 120, async () => {
      const states = await on(host, `docker service ps ${service} --filter desired-state=running --format '{{.CurrentState}}'`);
      return states.split("\n").filter((state) => state.startsWith("Running")).length === replicas ? true : undefined;
    });
  }

  function alone(host: string): Promise<unknown> {
    return eventually(`${host} knows that it has no leader`, 90, async () => {
      const said = await on(host, "timeout 25 docker node ls >/dev/null 2>&1 && echo led || echo alone");
      return said === "alone" ? true : undefined;
    });
  }

  async function refused(spec: object): Promise<string> {
    await lab.spec(spec);
    const { code, stdout, stderr } = await lab.stack.up();
    assert.notEqual(code, 0, stdout);
    return stdout + stderr;
  }

  async function oneSwarm(): Promise<void> {
    await eventually("all five follow one leader", 180, async () => {
      const views = await Promise.all(
        keys.map((key) => on(key, "docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}' | sort").catch(() => "")),
      );
      const complete = views.every((view) => view === views[0] && (view.match(/ Ready (Leader|Reachable)/g) ?? []).length === 5);
      return complete ? true : undefined;
    });
    const ids = await Promise.all(keys.map((key) => on(key, "docker info -f '{{.Swarm.Cluster.ID}}'")));
    assert.deepEqual([...new Set(ids)], [swarmId]);
  }

  it("that lost three of them for good names them, and goes on from the two that are left", async () => {
    await run("docker", ["rm", "-f", "-v", "lost-control-1", "lost-control-3", "lost-control-5"]);
    await alone("control-2");
    const said = await refused({ ...impatient, recheck: "lost" });
    assert.match(said, /2 of 5 managers answer, and 3 are needed for a leader\. Nothing was changed\./);
    for (const key of ["control-1", "control-3", "control-5"]) assert.match(said, new RegExp(`${key}: cannot be reached over SSH`));
    assert.match(said, /control-2: answers, and finds no leader, its Raft log ends at entry \d+ of term \d+/);
    assert.match(said, /Wait: bring back 1 of control-1, control-3, control-5/);
    const recover = /membership: { recover: "(control-[24]\.[0-9a-f]{12})" }/.exec(said)?.[1] ?? assert.fail(said);
    await lab.spec({ ...base, recheck: "lost", recover });
    const { stdout } = await lab.up("--refresh");
    assert.match(stdout, /control-[24]: forms the swarm anew from its Raft log/);
    await oneSwarm();
    assert.deepEqual(await all(first), objects);
    await running(first, "kept", 3);
    assertNoChange(await lab.up());
  });

  it("of which one was cut off and made the swarm anew is one swarm again when the way is open", async () => {
    const address = async (key: string): Promise<string> => (await lab.outputs()).hostsMade[key]?.address ?? "";
    const addresses = await Promise.all(others.map(address));
    const rules = (verb: "-I" | "-D"): string =>
      addresses.flatMap((each) => [`iptables -w ${verb} INPUT -s ${each} -j DROP`, `iptables -w ${verb} OUTPUT -d ${each} -j DROP`]).join(" && ");
    const ssh = (verb: "-I" | "-D"): string => `iptables -w ${verb} INPUT -p tcp --dport 22 -j DROP`;
    await Promise.all([on(first, rules("-I")), ...others.map((key) => on(key, ssh("-I")))]);
    await alone(first);
    assert.equal(await on("control-3", "docker info -f '{{.Swarm.Error}}'"), "", "the others have a leader");
    const said = await refused({ ...impatient, recheck: "cut off" });
    const recover = /membership: { recover: "(control-1\.[0-9a-f]{12})" }/.exec(said)?.[1] ?? assert.fail(said);
    const half = await refused({ ...impatient, recheck: "cut off", recover });
    assert.match(half, /control-1: forms the swarm anew/);
    assert.match(half, /control-2.*cannot be reached over SSH/);
    assert.equal(await on(first, "docker node ls --format '{{.ManagerStatus}}' | grep -c Leader"), "1");
    await on("control-3", "docker node ls >/dev/null");

    await Promise.all([on(first, rules("-D")), ...others.map((key) => on(key, ssh("-D")))]);
    await lab.spec({ ...base, recheck: "together", recover });
    await lab.up();
    await oneSwarm();
    assert.deepEqual(await all(first), objects);
    await running(first, "kept", 3);
    assert.equal(await containersOf("kept"), 3, "and nothing runs twice");
    assertNoChange(await lab.up());
  });

  async function containersOf(service: string): Promise<number> {
    const counts = await Promise.all(keys.map((key) => on(key, `docker ps -q --filter label=com.docker.swarm.service.name=${service} | wc -l`)));
    return counts.map(Number).reduce((sum, count) => sum + count, 0);
  }

  it("is dissolved by a destroy, which leaves nothing", async () => {
    await on(first, "docker service rm kept");
    const { code, stdout, stderr }: CommandResult = await lab.stack.destroy();
    assert.equal(code, 0, stdout + stderr);
    assert.deepEqual(await lab.containers(), []);
  });
});
