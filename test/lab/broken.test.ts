import assert from "node:assert/strict";
import { eventually } from "../../tools/lab/cluster";
import { run } from "../../tools/lab/pulumi";
import { assertNoChange, Lab } from "./lab";

const network = "10.215.0.0/16";
const wait = { reachableSeconds: 20 };

function spec(managers: number, workers: number): object {
  return {
    local: { control: { role: "manager", count: managers, network }, edge: { role: "worker", count: workers, network } },
    networks: { web: {} },
    ...wait,
  };
}

async function memberNames(lab: Lab): Promise<string[]> {
  const names = await run("docker", ["exec", `${lab.name}-control-1`, "docker", "node", "ls", "--format", "{{.Hostname}}"]);
  return names.stdout.split("\n").filter(Boolean).sort();
}

/** As a program of the user's own would, until it is ended. */
async function take(host: string, protocol: "tcp" | "udp", port: number): Promise<void> {
  const listen = protocol === "tcp" ? ",Listen=>1" : "";
  const program = `$s=IO::Socket::INET->new(LocalPort=>${port},Proto=>"${protocol}"${listen},ReuseAddr=>1) or die; sleep 100000`;
  await run("docker", ["exec", "--detach", host, "perl", "-MIO::Socket::INET", "-e", program]);
  await eventually(`${port}/${protocol} of ${host} is taken`, 20, async () => {
    const { stdout } = await run("docker", ["exec", host, "ss", "-Hlnp", `--${protocol}`, `sport = :${port}`]);
    return stdout.includes("perl") ? true : undefined;
  });
}

describe("a host that does not do as it should", function () {
  this.timeout(300_000);
  const lab = new Lab("broken");

  before(async () => {
    await lab.begin();
    await lab.spec(spec(1, 1));
    await lab.up();
  });
  after(() => lab.end());

  it("is named when it is frozen, within two minutes, and the other hosts are done", async () => {
    await run("docker", ["pause", "broken-edge-1"]);
    await lab.spec(spec(1, 2));
    const started = Date.now();
    const result = await lab.stack.up();
    assert.notEqual(result.code, 0);
    assert.ok(Date.now() - started < 120_000, "bounded");
    assert.match(
      result.stdout + result.stderr,
      /1 host is not as asked; the other hosts are done\..*\n.*edge-1: cannot be reached over SSH at root@\S+ within 20 s: no answer/,
    );
    assert.ok((await memberNames(lab)).includes("edge-2"));
    await run("docker", ["unpause", "broken-edge-1"]);
    await lab.up();
  });

  it("is named when it refuses SSH, and what was done on the others for it goes when the edit is taken back", async () => {
    await run("docker", ["exec", "broken-edge-1", "systemctl", "stop", "ssh.socket", "ssh.service"]);
    const isOpen = async (): Promise<boolean> => {
      const { stdout } = await run("docker", ["exec", "broken-edge-2", "nft", "list", "table", "inet", "pulumi_swarm"]);
      return /dport (\{.*\b)?8443\b/.test(stdout);
    };
    await lab.spec({ ...spec(1, 3), firewall: { expose: { web: { port: 8443, from: ["world"], on: "members" } } } });
    const result = await lab.stack.up();
    assert.notEqual(result.code, 0);
    assert.match(result.stdout + result.stderr, /edge-1: cannot be reached .*connection refused \(is sshd running/);
    assert.ok((await memberNames(lab)).includes("edge-3"));
    assert.ok(await isOpen(), "edge-2 is done");
    await run("docker", ["exec", "broken-edge-1", "systemctl", "start", "ssh.service"]);
    // Pulumi alone would say that nothing differs from the last run that succeeded.
    await lab.spec(spec(1, 2));
    await lab.up();
    assert.ok(!(await isOpen()));
    assert.deepEqual(await memberNames(lab), ["control-1", "edge-1", "edge-2"]);
    await lab.spec(spec(1, 3));
    await lab.up();
  });

  it("is named with the program that has a port of Docker's, before it joins and as a member; the others are done, and so is it once the port is free", async () => {
    await run("docker", ["exec", "broken-edge-2", "docker", "swarm", "leave"]);
    await take("broken-edge-2", "tcp", 7946);
    await run("docker", ["exec", "broken-edge-3", "systemctl", "stop", "docker.socket", "docker.service"]);
    await take("broken-edge-3", "udp", 4789);
    await run("docker", ["exec", "broken-edge-3", "systemctl", "start", "docker.service"]);
    await lab.spec({ ...spec(1, 3), recheck: "ports" });
    const said = (result: { stdout: string; stderr: string }): string => result.stdout + result.stderr;
    const failed = await lab.stack.up();
    assert.notEqual(failed.code, 0);
    assert.match(said(failed), /edge-2: port 7946\/tcp is taken by perl \(process \d+\), and Docker needs it/);
    assert.match(said(failed), /edge-3: port 4789\/udp is taken by perl \(process \d+\), and Docker needs it/);
    assert.doesNotMatch(said(failed), /edge-1: .*(taken|gossip|packet)/);
    for (const host of ["broken-edge-2", "broken-edge-3"]) await run("docker", ["exec", host, "pkill", "-x", "perl"]);
    const result = await lab.up();
    // Its agent starts again when its node changes, or else with Docker.
    assert.match(said(result), /once more for the ingress network on edge-3|edge-3: is a member of the swarm, but its network agent did not start/);
    assert.deepEqual(
      (await memberNames(lab)).filter((name) => name.startsWith("edge")),
      ["edge-1", "edge-2", "edge-3"],
    );
    assertNoChange(await lab.up());
  });

  it("is named when it presents another host key, and nothing is sent to it", async () => {
    await run("docker", [
      "exec",
      "broken-edge-1",
      "sh",
      "-c",
      "rm /etc/ssh/ssh_host_ed25519_key && ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key && systemctl restart ssh",
    ]);
    await lab.spec(spec(1, 4));
    const result = await lab.stack.up();
    assert.notEqual(result.code, 0);
    assert.match(result.stdout + result.stderr, /edge-1: root@\S+ presented another host key than the one pinned/);
    assert.ok((await memberNames(lab)).includes("edge-4"));
  });

  it("does not hold up a destroy, nor does the only manager that no longer answers", async () => {
    await run("docker", ["exec", "broken-control-1", "systemctl", "stop", "ssh.socket", "ssh.service"]);
    const result = await lab.stack.destroy();
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.match(result.stdout + result.stderr, /warning: SwarmCluster \S+: edge-1: .*docker swarm leave --force/);
    assert.match(result.stdout + result.stderr, /warning: SwarmCluster \S+: network web was not removed, because no manager can do it/);
    assert.deepEqual(await lab.containers(), []);
  });
});

describe("an up that was cut off", function () {
  this.timeout(300_000);
  const lab = new Lab("cut");
  const cut = { local: { control: { role: "manager", count: 3, network: "10.216.0.0/16" } }, networks: { web: {} } };

  beforeEach(async () => {
    await lab.begin();
    await lab.spec(cut);
  });
  after(() => lab.end());

  const moments: readonly (readonly [string, RegExp])[] = [
    ["while machines are made", /control-1 creating/],
    ["while the hosts are looked at", /reaching 3 hosts/],
    ["while hosts join", /joins as manager/],
  ];
  for (const [moment, sign] of moments) {
    it(`${moment} is finished by the next one`, async () => {
      const killed = await lab.stack.up({ killWhen: (output) => sign.test(output) });
      assert.equal(killed.code, 137, `it was to be killed at ${sign}; it printed ${killed.stdout}`);
      await lab.stack.cancel();
      await lab.stack.sweep(lab.name);
      await lab.up();
      assert.equal((await memberNames(lab)).length, 3);
      assertNoChange(await lab.up());
    });
  }
});

describe("wrong input", function () {
  this.timeout(60_000);
  const lab = new Lab("wrong");

  before(() => lab.begin());
  after(() => lab.end());

  it("is one error at preview with all problems in it and no stack trace", async () => {
    await lab.spec({
      addressSpace: "8.8.0.0/14",
      local: { control: { role: "manager", count: 2, network }, edge: { role: "boss", count: 0, network } },
      networks: { web: { subnet: "10.215.1.0/24" }, x: {} },
    });
    const result = await lab.stack.preview();
    assert.notEqual(result.code, 0);
    const said = result.stdout + result.stderr;
    for (const part of [
      /addressSpace: 8\.8\.0\.0\/14 are public/,
      /hosts\.edge\.role: "boss"/,
      /hosts\.edge\.count: 0/,
      /networks\.web\.subnet: .*overlaps 10\.215\.0\.0\/16.* Fix: choose one that nothing else uses\.\n/,
      /networks\.x: "x" cannot name/,
    ]) {
      assert.match(said, part);
    }
    assert.doesNotMatch(said, /\.ts:\d+|\.js:\d+|    at /);
  });
});
