import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DockerApi } from "../../components/remote/docker-api";
import { SshSession } from "../../components/remote/ssh";
import { applySettings, installEngine, pendingChanges, probeHost } from "../../components/engine";
import { eventually } from "../../tools/lab/cluster";
import { defaultImage, machineKeys, makeHostImages, startMachine } from "../../tools/lab/machines";
import { root, run } from "../../tools/lab/pulumi";
import { assertNoChange, changes, Lab } from "./lab";

const keys = machineKeys("existing");
const { client, host: hostKey } = keys;
const prefix = "10.217.1";

/** Machines with a user who may use sudo. */
function start(name: string, address: string, image = defaultImage): Promise<void> {
  return startMachine({ name, address, image, network: "given-net", user: "ops", keys });
}

describe("machines that stand already", function () {
  this.timeout(300_000);
  const lab = new Lab("given");
  const machine = (place: number): object => ({ address: `${prefix}.${place}`, hostKey: hostKey.publicKey });
  const group = (role: string, places: Record<string, number>, more: object = {}): object => ({
    role,
    user: "ops",
    site: "rack",
    network: "10.217.0.0/16",
    machines: Object.fromEntries(Object.entries(places).map(([name, place]) => [name, machine(place)])),
    ...more,
  });
  // The tests dial from the network's gateway, and the hosts behind the bastion see it.
  const firewall = { ssh: ["10.217.0.1/32", `${prefix}.1/32`] };
  // Those behind the bastion let nobody in by the key of the others.
  const farKey = machineKeys("existing, far away").client;
  const bastion = {
    privateKey: farKey.privateKey,
    bastion: { address: `${prefix}.1`, hostKey: hostKey.publicKey, user: "ops", privateKey: client.privateKey },
  };

  before(async () => {
    await lab.begin();
    await run("docker", ["network", "create", "--subnet", "10.217.0.0/16", "given-net"]);
    await Promise.all([1, 2, 3].map((place) => start(`given-m${place}`, `${prefix}.${place}`)));
    await lab.logInWith(client.privateKey);
  });
  after(() => lab.end());

  it("are left as they were found by a destroy after a first up that failed on one of them", async () => {
    // While it is still starting, systemd would start sshd again after this.
    await run("docker", ["exec", "given-m3", "systemctl", "is-system-running", "--wait"]);
    await run("docker", ["exec", "given-m3", "systemctl", "stop", "ssh.socket", "ssh.service"]);
    await lab.spec({ existing: { head: group("manager", { a: 1 }), far: group("worker", { b: 2, c: 3 }) }, firewall, reachableSeconds: 15 });
    const failed = await lab.stack.up();
    assert.match(failed.stdout + failed.stderr, /1 host is not as asked; the other hosts are done/);
    assert.equal(await stateOf("given-m2"), "active");
    const result = await lab.stack.destroy();
    assert.equal(result.code, 0, result.stdout + result.stderr);
    for (const name of ["given-m1", "given-m2"]) {
      assert.equal(await stateOf(name), "inactive");
      assert.equal((await run("docker", ["exec", name, "ls", "/etc/pulumi-swarm"])).stdout, "");
    }
    await run("docker", ["exec", "given-m3", "systemctl", "start", "ssh.service"]);
  });

  it("form a swarm by a user with sudo, two of them behind a bastion and with another key, and stay as they are", async () => {
    for (const name of ["given-m2", "given-m3"])
      await run("docker", ["exec", name, "sh", "-c", `echo '${farKey.publicKey}' >/home/ops/.ssh/authorized_keys`]);
    await lab.spec({
      existing: { head: group("manager", { a: 1 }), far: group("worker", { b: 2, c: 3 }, bastion) },
      networks: { web: {} },
      firewall,
    });
    await lab.up();
    assert.equal(await lab.withShell((shell) => proveAsOps(shell)), "3");
    assertNoChange(await lab.up());
  });

  it("leave the swarm when they are taken out, and are free to join another", async () => {
    await lab.spec({ existing: { head: group("manager", { a: 1 }), far: group("worker", { b: 2 }, bastion) }, networks: { web: {} }, firewall });
    const result = await lab.up();
    assert.equal(changes(result)["deleted"], 1);
    const state = await run("docker", ["exec", "given-m3", "docker", "info", "-f", "{{.Swarm.LocalNodeState}}"]);
    assert.equal(state.stdout.trim(), "inactive");
  });

  it("that cannot be reached when they leave are named with what is still on them, and cleaned by a later run", async () => {
    const head = { head: group("manager", { a: 1 }) };
    await run("docker", ["exec", "given-m2", "systemctl", "stop", "ssh.socket", "ssh.service"]);
    await lab.spec({ existing: head, networks: { web: {} }, firewall });
    const left = await lab.up();
    assert.match(
      left.stdout,
      /warning: far-b: it left, but could not be reached to be cleaned: .*Still on it: firewall, its membership of the swarm\./,
    );
    // Nobody who stays is reached by its key, its user or its bastion.
    await run("docker", ["exec", "given-m2", "systemctl", "start", "ssh.service"]);
    await lab.spec({ existing: head, networks: { web: {} }, firewall, recheck: "it is back" });
    const cleaned = await lab.up();
    assert.doesNotMatch(cleaned.stdout, /warning: far-\w: it left/);
    assert.equal(await stateOf("given-m2"), "inactive");
    assert.doesNotMatch((await run("docker", ["exec", "given-m2", "nft", "list", "tables"])).stdout, /pulumi/);
  });

  it("whose machine is no more are given up by name", async () => {
    const program = (far: Record<string, number>, more: object = {}): object => ({
      existing: { head: group("manager", { a: 1 }), far: group("worker", far, bastion) },
      networks: { web: {} },
      firewall,
      reachableSeconds: 15,
      ...more,
    });
    await lab.spec(program({ b: 2, c: 3 }));
    await lab.up();
    await run("docker", ["rm", "-f", "-v", "given-m3"]);
    await lab.spec(program({ b: 2 }));
    assert.match((await lab.up()).stdout, /warning: far-c: it left, but could not be reached to be cleaned: .*membership: \{ forget: \["far-c"\] \}/);
    await lab.spec(program({ b: 2 }, { forget: ["far-c"] }));
    assert.doesNotMatch((await lab.up()).stdout, /warning: far-\w: it left/);
    assertNoChange(await lab.up());
  });

  it("get new settings of Docker one after the other", async () => {
    await lab.spec({
      existing: { head: group("manager", { a: 1 }), far: group("worker", { b: 2 }, bastion) },
      networks: { web: {} },
      firewall,
      engine: { settings: { "log-driver": "local" } },
    });
    const result = await lab.up();
    assert.match(result.stdout, /head-a: restarting Docker with its new settings/);
    for (const name of ["given-m1", "given-m2"]) {
      assert.equal((await run("docker", ["exec", name, "docker", "info", "-f", "{{.LoggingDriver}}"])).stdout.trim(), "local");
    }
  });

  it("are logged in to by another key, which has the place and the options of the one before, and by that no more", async () => {
    const next = machineKeys("existing, far away, later").client;
    const keysOf = async (): Promise<string> => (await run("docker", ["exec", "given-m2", "cat", "/home/ops/.ssh/authorized_keys"])).stdout;
    const others = `# kept\n${machineKeys("somebody else").client.publicKey} somebody else\n`;
    const options = `from="${prefix}.1",no-X11-forwarding`;
    const before = Buffer.from(`${others}${options} ${farKey.publicKey} ops of us\n`).toString("base64");
    await run("docker", ["exec", "given-m2", "sh", "-c", `echo ${before} | base64 -d >/home/ops/.ssh/authorized_keys`]);
    const program = (more: object): object => ({
      existing: { head: group("manager", { a: 1 }), far: group("worker", { b: 2 }, { ...bastion, privateKey: next.privateKey, ...more }) },
      networks: { web: {} },
      firewall,
      engine: { settings: { "log-driver": "local" } },
    });
    await lab.spec(program({}));
    const refused = await lab.stack.up();
    assert.match(refused.stdout + refused.stderr, /far-b: cannot be reached: \S+ refused the key ssh-ed25519 SHA256:/);
    await lab.spec(program({ previousKey: farKey.privateKey }));
    const { stdout } = await lab.up();
    assert.match(stdout, /far-b: gets the key ssh-ed25519 SHA256:\S+ for ops, in \/home\/ops\/\.ssh\/authorized_keys/);
    assert.match(stdout, /far-b: is logged in to by the new key alone/);
    assert.equal(await keysOf(), `${others}${options} ${next.publicKey} ops of us\n`);
    assert.equal(
      (await run("docker", ["exec", "given-m2", "stat", "-c", "%U %a", "/home/ops/.ssh/authorized_keys"])).stdout.trim().split(" ")[0],
      "ops",
    );
    assertNoChange(await lab.up());
    await lab.spec(program({}));
    await lab.up();
    assertNoChange(await lab.up());
    Object.assign(bastion, { privateKey: next.privateKey });
  });

  it("keep their swarm, its networks and its services where this package is left", async () => {
    const program = { existing: { head: group("manager", { a: 1 }), far: group("worker", { b: 2 }, bastion) }, networks: { web: {} }, firewall };
    const image = readFileSync(join(root, ".lab", "busybox.tar")).toString("base64");
    for (const name of ["given-m1", "given-m2"])
      await run("docker", ["exec", "-i", name, "sh", "-c", "base64 -d | docker import - pulumi-swarm-busybox:1"], { stdin: image });
    const create = "docker service create --detach --quiet --no-resolve-image --name kept --mode global --endpoint-mode dnsrr --network web";
    await run("docker", ["exec", "given-m1", "sh", "-c", `${create} pulumi-swarm-busybox:1 /bin/busybox sleep 10000`]);
    const running = (): Promise<string> =>
      eventually("two containers run", 60, async () => {
        const ids = await Promise.all(
          ["given-m1", "given-m2"].map(async (name) => (await run("docker", ["exec", name, "docker", "ps", "-q"])).stdout.trim()),
        );
        return ids.every((id) => /^[0-9a-f]{12}$/.test(id)) ? ids.join() : undefined;
      });
    const before = await running();
    const { swarmId } = await lab.outputs();
    await lab.spec({ ...program, adopt: { swarmId } });
    await lab.up();
    const result = await lab.stack.destroy();
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.match(result.stdout, /it stays in the swarm, which lives on: it is used by service kept/);
    assert.deepEqual([await stateOf("given-m1"), await stateOf("given-m2")], ["active", "active"]);
    assert.equal(await running(), before, "nothing was started again");
    assert.match((await run("docker", ["exec", "given-m1", "docker", "network", "ls"])).stdout, / web /);
    for (const name of ["given-m1", "given-m2"]) {
      assert.equal((await run("docker", ["exec", name, "ls", "/etc/pulumi-swarm"])).stdout, "");
      assert.doesNotMatch((await run("docker", ["exec", name, "nft", "list", "tables"])).stdout, /pulumi/);
    }
    await run("docker", ["exec", "given-m1", "docker", "service", "rm", "kept"]);
    // And come back into the program, as any swarm that exists.
    await lab.spec({ ...program, adopt: { swarmId, dissolve: true } });
    await lab.up();
  });

  it("are left as they were found by a destroy: no swarm, nothing else touched", async () => {
    const result = await lab.stack.destroy();
    assert.equal(result.code, 0, result.stdout + result.stderr);
    for (const name of ["given-m1", "given-m2"]) {
      assert.equal((await run("docker", ["exec", name, "docker", "info", "-f", "{{.Swarm.LocalNodeState}}"])).stdout.trim(), "inactive");
    }
  });

  async function stateOf(name: string): Promise<string> {
    return (await run("docker", ["exec", name, "docker", "info", "-f", "{{.Swarm.LocalNodeState}}"])).stdout.trim();
  }

  async function proveAsOps(shell: Awaited<ReturnType<Lab["shell"]>>): Promise<string> {
    return eventually("three nodes", 30, async () => {
      const count = await shell.on("head-a", "sudo docker node ls -q | wc -l");
      return count === "3" ? count : undefined;
    });
  }
});

describe("the scripts that are run on a host", function () {
  this.timeout(300_000);
  let session: SshSession;

  before(async () => {
    await run("docker", ["network", "create", "--subnet", "10.217.0.0/16", "given-net"]);
    await start("given-script", `${prefix}.9`);
    session = await SshSession.open("given-script", { host: `${prefix}.9`, user: "ops", privateKey: client.privateKey, hostKey: hostKey.publicKey });
  });
  after(async () => {
    session.close();
    await run("docker", ["rm", "-f", "-v", "given-script"]);
    await run("docker", ["network", "rm", "given-net"]);
  });

  it("see the same host the second time", async () => {
    const host = { session, docker: new DockerApi("given-script", session) };
    const [first, second] = [await probeHost(host), await probeHost(host)];
    host.docker.close();
    assert.match(first.engine, /^\d+\.\d+\.\d+\S* 1\.\d+$/);
    assert.equal(first.systemd && first.vxlan && first.apt, true);
    assert.deepEqual({ ...second, epoch: 0, freeKilobytes: 0 }, { ...first, epoch: 0, freeKilobytes: 0 });
  });

  it("install an engine that is there already by doing nothing, and start one that was stopped", async () => {
    const version = await installEngine(session, {}, () => {});
    assert.equal(await installEngine(session, {}, () => {}), version);
    await run("docker", ["exec", "given-script", "systemctl", "stop", "docker.service", "docker.socket"]);
    const said: string[] = [];
    assert.equal(await installEngine(session, {}, (line) => said.push(line)), version);
    assert.match(said.join(), /installed but not running: starting it/);
  });

  it("finish an installation that was cut off half-way", async () => {
    await run("docker", [
      "exec",
      "given-script",
      "sh",
      "-c",
      "dpkg --unpack /dev/null 2>/dev/null; sed -i '/^Package: procps$/,/^$/ s/^Status: .*/Status: install ok unpacked/' /var/lib/dpkg/status",
    ]);
    await installEngine(session, {}, () => {});
    const state = await run("docker", ["exec", "given-script", "dpkg-query", "-W", "-f", "${Status}", "procps"]);
    assert.equal(state.stdout, "install ok installed");
  });

  it("put Docker on a machine that has none, from its distribution, also when the first try was cut off", async () => {
    const bare = "pulumi-swarm-host:trixie-bare";
    await makeHostImages(bare);
    await start("given-bare", `${prefix}.10`, bare);
    const connection = { host: `${prefix}.10`, privateKey: client.privateKey, hostKey: hostKey.publicKey };
    // This image has no sudo, as many minimal ones.
    const unprivileged = await SshSession.open("given-bare", { ...connection, user: "ops" });
    const refused = probeHost({ session: unprivileged, docker: new DockerApi("given-bare", unprivileged) });
    await assert.rejects(refused, /given-bare: user ops is not root and there is no sudo/);
    unprivileged.close();
    const cut = await SshSession.open("given-bare", connection);
    try {
      assert.equal((await probeHost({ session: cut, docker: new DockerApi("given-bare", cut) })).engine, "");
      const unfinished = installEngine(cut, {}, () => {}).catch(() => "cut off");
      await eventually("packages are being unpacked", 120, async () => {
        const { stdout } = await run("docker", [
          "exec",
          "given-bare",
          "sh",
          "-c",
          "grep -l . /var/lib/dpkg/info/containerd.list 2>/dev/null || true",
        ]);
        return stdout === "" ? undefined : true;
      });
      await run("docker", ["exec", "given-bare", "sh", "-c", "pkill -9 apt-get; pkill -9 dpkg; true"]);
      cut.close();
      await unfinished;
      const again = await SshSession.open("given-bare", connection);
      assert.match(await installEngine(again, {}, () => {}), /^\d+\.\d+/);
      again.close();
    } finally {
      await run("docker", ["rm", "-f", "-v", "given-bare"]);
    }
  });

  it("keep what daemon.json held, and put it back when Docker refuses the new settings", async () => {
    const engine = { settings: { "log-driver": "local" } };
    await run("docker", ["exec", "given-script", "sh", "-c", `echo '{"max-concurrent-downloads": 2}' >/etc/docker/daemon.json`]);
    const content = (await pendingChanges({ session, docker: new DockerApi("given-script", session) }, engine)).settings;
    assert.deepEqual(JSON.parse(content ?? ""), { "max-concurrent-downloads": 2, "log-driver": "local" });
    await applySettings(session, content ?? "", () => {});
    assert.equal((await pendingChanges({ session, docker: new DockerApi("given-script", session) }, engine)).settings, undefined);
    await assert.rejects(
      applySettings(session, '{"nonsense": 1}', () => {}),
      /given-script: Docker refuses these settings: .*nonsense/,
    );
    assert.equal((await pendingChanges({ session, docker: new DockerApi("given-script", session) }, engine)).settings, undefined);
    await assert.rejects(
      applySettings(session, '{"data-root": "/proc/nowhere"}', () => {}),
      /given-script: Docker did not start with these settings, so the old ones are back/,
    );
    assert.equal((await pendingChanges({ session, docker: new DockerApi("given-script", session) }, engine)).settings, undefined);
    assert.match((await run("docker", ["exec", "given-script", "docker", "info", "-f", "{{.LoggingDriver}}"])).stdout, /local/);
  });
});
