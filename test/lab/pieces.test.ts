import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sshOptions } from "../../components/docker-provider/ssh-options";
import type { Connection } from "../../components/remote/connection";
import { HostLock, thisRun } from "../../components/remote/lock";
import { SshSession } from "../../components/remote/ssh";
import { eventually, testImage } from "../../tools/lab/cluster";
import { connectionTo, docker, machineKeys, removeMachines, startMachine } from "../../tools/lab/machines";
import { type CommandResult, root, run, Stack } from "../../tools/lab/pulumi";
import { assertNoChange } from "./lab";

const keys = machineKeys("pieces");
const [prefix, network] = ["co-", "co-net"];
const admin = { ssh: ["10.239.0.1/32"] };

function machines(...places: readonly number[]): Record<string, object> {
  return Object.fromEntries(places.map((place) => ["_abc"[place], { address: `10.239.1.${place}`, hostKey: keys.host.publicKey }]));
}

/** The port of the mesh is one of the hosts' own services for it. */
const closed = { machines: machines(1, 2), firewall: { ...admin, allow: { mesh: { port: 51820, protocol: "udp", from: ["members"] } } } };

function on(place: number, command: string): Promise<string> {
  return docker("exec", `${prefix}${place}`, "sh", "-c", command);
}

/** What this package may have left on a host. */
const left =
  "nft list tables | grep pulumi_swarm; ip -o link show swarm0 2>/dev/null; ls -d /etc/pulumi-swarm /etc/systemd/system/*pulumi-swarm* 2>/dev/null; true";

async function answers(place: number, address: string): Promise<boolean> {
  return (await run("docker", ["exec", `${prefix}${place}`, "ping", "-c", "2", "-W", "2", address])).code === 0;
}

/** Told in order: hosts of one's own, on which nothing of a swarm runs. */
describe("the pieces alone, on hosts of one's own", function () {
  this.timeout(120_000);
  this.bail(true);
  const stack = new Stack("pieces", join(root, "test", "lab", "pieces"));

  before(async () => {
    await end();
    await docker("network", "create", "--subnet", "10.239.0.0/16", network);
    await Promise.all([1, 2, 3].map((place) => startMachine({ name: `${prefix}${place}`, network, address: `10.239.1.${place}`, keys })));
    await stack.init();
    const set = await stack.pulumi(["config", "set", "--secret", "pieces:privateKey"], { stdin: keys.client.privateKey });
    assert.equal(set.code, 0, set.stderr);
  });
  after(end);

  async function end(): Promise<void> {
    await removeMachines(prefix);
    await stack.cancel();
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
  }

  async function up(spec: object): Promise<CommandResult> {
    await stack.setConfig({ "pieces:spec": JSON.stringify(spec) });
    return stack.up();
  }

  async function mustDo(spec: object): Promise<CommandResult> {
    const result = await up(spec);
    assert.equal(result.code, 0, result.stdout + result.stderr);
    return result;
  }
  const opens = (place: number, from: number): Promise<CommandResult> =>
    run("docker", ["exec", `${prefix}${from}`, "bash", "-c", `timeout 2 bash -c '</dev/tcp/10.239.1.${place}/22'`]);

  it("a firewall closes them but for what it names", async () => {
    await eventually("SSH answers anybody", 30, async () => ((await opens(1, 3)).code === 0 ? true : undefined));
    await mustDo({ firewall: { machines: machines(1, 2), firewall: { ...admin, allow: { sshd: { port: 8022, from: ["world"] } } } } });
    assert.notEqual((await opens(1, 3)).code, 0, "closed to whoever is no admin");
    assert.match(await on(1, "nft list table inet pulumi_swarm"), /8022/);
    assertNoChange(await stack.up());
  });

  it("a mesh joins them beside it, and touches no firewall; its port is opened by the firewall's program", async () => {
    const inside = { ping: { from: ["members", "10.97.192.0/18"] } };
    await mustDo({ firewall: { ...closed, firewall: { ...closed.firewall, rules: inside } }, mesh: { machines: machines(1, 2) } });
    const { addresses } = await stack.outputs<{ addresses: Record<string, string> }>();
    assert.ok(await answers(1, addresses["rack-b"] ?? ""), "through the tunnel");
    assertNoChange(await stack.up());
  });

  it("a host whose firewall another piece keeps is refused with the name of that one, and stays as it is", async () => {
    const before = await on(1, "md5sum /etc/pulumi-swarm/firewall.nft");
    const result = await up({ firewall: closed, mesh: { machines: machines(1, 2, 3), firewall: admin } });
    assert.notEqual(result.code, 0);
    assert.match(result.stdout, /rack-a: its firewall is kept by HostFirewall racks of pieces, stack pieces, and WireGuardMesh office of pieces/);
    assert.notEqual(before, "");
    assert.equal((await on(1, "cat /etc/pulumi-swarm/owner.firewall")).includes("HostFirewall racks"), true);
  });

  it("the mesh alone takes a host in, closes them all, and lets one go as it was found", async () => {
    await mustDo({ mesh: { machines: machines(1, 2, 3) } });
    await mustDo({ mesh: { machines: machines(1, 2, 3), firewall: admin } });
    const { addresses } = await stack.outputs<{ addresses: Record<string, string> }>();
    assert.ok(await answers(3, addresses["rack-a"] ?? ""));
    assert.notEqual((await opens(1, 3)).code, 0, "the site's side is closed");
    await mustDo({ mesh: { machines: machines(1, 2), firewall: admin } });
    assert.equal(await on(3, left), "");
    await mustDo({ mesh: { machines: machines(1, 2) } });
    assert.doesNotMatch(await on(1, "nft list tables"), /pulumi_swarm/, "the firewall that it no longer keeps is away");
    assert.ok(await answers(1, addresses["rack-b"] ?? ""));
  });

  it("a run whose network is gone is named to the next one, which goes on when it was silent for 30 s; the first one stops by itself", async () => {
    const cut = await SshSession.open("rack-a", connectionTo({ address: "10.239.1.1", keys }));
    const [, port = ""] = (await cut.run('printf %s "$SSH_CONNECTION"', { timeout: 10_000 })).stdout.split(" ");
    const lock = await HostLock.take(cut, { name: "pulumi-swarm-hosts", holder: thisRun("a test"), wait: 0 });
    assert.ok(lock instanceof HostLock);
    const chain = (name: string, match: string): string =>
      `add chain inet cut ${name} { type filter hook ${name} priority -9; }; add rule inet cut ${name} tcp ${match} ${port} drop`;
    let isCut: Promise<string> | undefined;
    await stack.setConfig({ "pieces:spec": JSON.stringify({ mesh: { machines: machines(1, 2), recheck: "lock" } }) });
    const result = await stack.up({
      // Only now: on a slow machine the lock would be free again before anybody asks for it.
      killWhen: (output) => {
        if (/another run holds the lock/.test(output))
          isCut ??= on(1, `nft 'add table inet cut; ${chain("input", "sport")}; ${chain("output", "dport")}'`);
        return false;
      },
    });
    await isCut;
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.match(
      result.stdout,
      /rack-a: another run holds the lock: \S+@\S+, process \d+, for a test, since \S+ UTC, there as process \d+\. Waiting for it/,
    );
    assert.throws(() => lock.check(), /rack-a: the lock (may be another run's by now|was taken from this run)/);
    await on(1, "nft delete table inet cut");
    lock.release();
    cut.close();
  });

  it("a destroy leaves nothing", async () => {
    const result = await stack.destroy();
    assert.equal(result.code, 0, result.stdout + result.stderr);
    for (const place of [1, 2]) assert.equal(await on(place, left), "");
  });
});

/** As somebody made it by hand, long before this package came. */
describe("a swarm that exists", function () {
  this.timeout(120_000);
  this.bail(true);
  const stack = new Stack("adopted", join(root, "test", "lab", "pieces"));
  let [swarm, running, swarmId] = ["", "", ""];
  const hosts = { control: machines(1), edge: machines(2) };

  before(async () => {
    await end();
    await docker("network", "create", "--subnet", "10.239.0.0/16", network);
    await Promise.all([1, 2].map((place) => startMachine({ name: `${prefix}${place}`, network, address: `10.239.1.${place}`, keys })));
    await stack.init();
    const set = await stack.pulumi(["config", "set", "--secret", "pieces:privateKey"], { stdin: keys.client.privateKey });
    assert.equal(set.code, 0, set.stderr);
    await Promise.all([1, 2].map((place) => eventually(`Docker on ${place}`, 60, () => on(place, "docker info").catch(() => undefined))));
    await on(1, "docker swarm init --advertise-addr 10.239.1.1");
    await on(2, `docker swarm join --token ${await on(1, "docker swarm join-token -q worker")} 10.239.1.1:2377`);
    for (const place of [1, 2]) await docker("cp", join(root, ".lab", "busybox.tar"), `${prefix}${place}:/busybox.tar`);
    for (const place of [1, 2]) await on(place, `docker import /busybox.tar ${testImage}`);
    const service = `docker service create -d --no-resolve-image --mode global --endpoint-mode dnsrr --name web ${testImage} sleep 100000`;
    await on(1, service);
    await eventually("the service runs", 60, async () => ((await containers()).split("\n").length === 2 ? true : undefined));
    [swarm, running, swarmId] = [await nodes(), await containers(), await on(1, "docker info --format '{{.Swarm.Cluster.ID}}'")];
  });
  after(end);

  async function end(): Promise<void> {
    await removeMachines(prefix);
    await stack.cancel();
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
  }

  function nodes(): Promise<string> {
    return on(
      1,
      "docker node ls --format '{{.ID}} {{.Hostname}} {{.Status}} {{.ManagerStatus}}' | sort; docker network ls -q --no-trunc | sort; docker swarm join-token -q worker",
    );
  }

  /** Which they are, and since when they run. */
  async function containers(): Promise<string> {
    const seen = await Promise.all(
      [1, 2].map((place) => on(place, "docker ps -q --no-trunc | xargs -r docker inspect -f '{{.Id}} {{.State.StartedAt}}'")),
    );
    return seen.filter(Boolean).join("\n");
  }

  async function up(spec: object): Promise<CommandResult> {
    await stack.setConfig({ "pieces:spec": JSON.stringify(spec) });
    return stack.up();
  }

  it("is not taken over as another one", async () => {
    const result = await up({ cluster: { hosts, firewall: admin, adopt: { swarmId: "a".repeat(25) } } });
    assert.notEqual(result.code, 0);
    assert.match(result.stdout, new RegExp(`control-a is in the swarm ${swarmId}, and a{25} is to be adopted\\. Nothing was changed`));
    assert.equal(await on(2, left), "", "no firewall either");
  });

  it("is looked at by a preview that is told to, and by no other", async () => {
    const preview = async (look: boolean): Promise<string> => {
      await stack.setConfig({ "pieces:spec": JSON.stringify({ cluster: { hosts, firewall: admin, adopt: { swarmId, look } } }) });
      const { stdout, stderr } = await stack.preview();
      return stdout + stderr;
    };
    assert.match(await preview(true), new RegExp(`adopt: looked at the swarm ${swarmId} by control-a: 2 nodes`));
    assert.doesNotMatch(await preview(false), /adopt: looked/);
  });

  it("is taken over with its nodes, its networks and its running containers, and a second time nothing is done", async () => {
    const result = await up({ cluster: { hosts, firewall: admin, adopt: { swarmId } } });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.equal((await stack.outputs<{ swarmId: string }>()).swarmId, swarmId);
    assert.deepEqual([await nodes(), await containers()], [swarm, running]);
    assertNoChange(await stack.up());
  });

  it("is reached by ssh with the options of Docker's provider, and by none with another host key", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pieces-"));
    try {
      const path = join(folder, "key");
      writeFileSync(path, keys.client.privateKey, { mode: 0o600 });
      const connection = { host: "10.239.1.1", hostKey: keys.host.publicKey };
      // The hosts let each other in to nothing but the swarm.
      const hop = { bastion: { host: "10.239.1.1", hostKey: keys.host.publicKey } };
      // As Docker's client starts it.
      const ping = (to: Connection): Promise<CommandResult> =>
        run("ssh", [...sshOptions(to, { from: "file", path }), "-T", "-l", "root", "--", to.host, "docker", "system", "dial-stdio"], {
          stdin: "GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n",
        });
      for (const way of [connection, { ...connection, ...hop }]) assert.match((await ping(way)).stdout, /^HTTP\/1\.1 200 OK/);
      const other = await ping({ ...connection, hostKey: keys.client.publicKey });
      assert.match(other.stderr, /Host key verification failed/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("lives on when the program's part in it ends", async () => {
    const result = await stack.destroy();
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.deepEqual([await nodes(), await containers()], [swarm, running]);
    assert.equal(await on(2, left), "");
  });
});
