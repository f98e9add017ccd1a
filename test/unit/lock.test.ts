import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { lockHosts, type Lockable } from "../../components/agents/phases/lock";
import { HostLock, type LockSession, thisRun } from "../../components/remote/lock";

interface Network {
  /** Nothing goes either way any more, and nobody is told. */
  cut: boolean;
}

/** A host is a folder, and the lock's script runs here. */
class Hosts {
  readonly folder = mkdtempSync(join(tmpdir(), "lock-"));
  private readonly children = new Set<ChildProcess>();

  file(host: string, name = "run"): string {
    return join(this.folder, host, `${name}.lock`);
  }

  session(host: string, network: Network = { cut: false }, silence = 30): LockSession & { readonly address: string } {
    mkdirSync(join(this.folder, host), { recursive: true });
    return {
      host,
      address: `${host}:22`,
      stream: (command, use) => {
        const here = command.replace("/run/lock", join(this.folder, host)).replace(/SILENCE='\\''30'\\''/, `SILENCE=${silence}`);
        return Promise.resolve(use(this.run(here, network)));
      },
    };
  }

  /** Somebody has the lock for so many seconds, and has no name in it. */
  hold(host: string, seconds: number): { readonly held: Promise<unknown> } {
    const child = spawn("sh", ["-c", `exec 9>"$0" && flock 9 && echo held && sleep ${seconds}`, this.file(host)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.children.add(child);
    child.on("close", () => this.children.delete(child));
    return { held: once(child.stdout, "data") };
  }

  private run(command: string, network: Network): Duplex {
    const child = spawn("sh", ["-c", command], { stdio: ["pipe", "pipe", "pipe"] });
    this.children.add(child);
    child.stdin.on("error", () => {});
    const channel = new Duplex({
      read: () => {},
      write: (chunk, _encoding, done) => (network.cut ? done() : void child.stdin.write(chunk, () => done())),
      final: (done) => {
        if (!network.cut) child.stdin.end();
        done();
      },
    });
    child.stdout.on("data", (data) => void (network.cut || channel.push(data)));
    child.on("close", () => {
      this.children.delete(child);
      if (network.cut) return;
      channel.push(null);
      channel.resume().on("end", () => channel.destroy());
    });
    return channel;
  }

  async end(): Promise<void> {
    for (const child of this.children) child.kill("SIGKILL");
    // What a killed script had started may still write, and rmSync's own tries do not look into a folder again.
    for (let tries = 1; ; tries += 1) {
      try {
        return rmSync(this.folder, { recursive: true });
      } catch (error) {
        if (tries === 100) throw error;
      }
      await sleep(50);
    }
  }
}

const request = { name: "run", holder: thisRun("SwarmCluster prod"), wait: 20 };

async function take(session: LockSession, more: object = {}, now?: () => number): Promise<HostLock> {
  const lock = await HostLock.take(session, { ...request, ...more }, now);
  assert.ok(lock instanceof HostLock, "another one has it");
  return lock;
}

describe("the lock on a host", function () {
  this.timeout(30_000);
  let hosts: Hosts;
  beforeEach(() => (hosts = new Hosts()));
  afterEach(() => hosts.end());

  it("names its holder to whoever comes meanwhile: who, where, which process, for what, since when", async () => {
    const lock = await take(hosts.session("a"));
    const second = await HostLock.take(hosts.session("a"), { ...request, wait: 0 });
    assert.ok("heldBy" in second);
    assert.match(
      second.heldBy,
      new RegExp(`^\\S+@\\S+, process ${process.pid}, for SwarmCluster prod, since \\d\\d:\\d\\d:\\d\\d UTC, there as process \\d+$`),
    );
    lock.release();
    (await take(hosts.session("a"))).release();
  });

  it("is lost by a holder that is silent, so that the next one gets it; and the silent one stops working before", async () => {
    let now = 0;
    const network = { cut: false };
    const silent = await take(hosts.session("a", network, 1), {}, () => now);
    silent.check();
    network.cut = true;
    const told: string[] = [];
    const next = await take(hosts.session("a"), { onHeld: (holder: string) => told.push(holder) });
    assert.equal(told.length, 1);
    now = 24_000;
    silent.check();
    now = 25_000;
    assert.throws(
      () => silent.check(),
      /^RemoteError: a: the lock may be another run's by now: nothing was heard of this host for 25 s\. Nothing more is changed there/,
    );
    next.check();
    silent.release();
    next.release();
  });

  it("is waited for without a word where its holder is about to go, and has taken its name away", async () => {
    const session = hosts.session("a");
    const going = hosts.hold("a", 0.4);
    await going.held;
    const told: string[] = [];
    const lock = await take(session, { onHeld: (holder: string) => told.push(holder) });
    assert.deepEqual(told, []);
    lock.release();
  });

  it("is lost at once when its process on the host is killed", async () => {
    const lock = await take(hosts.session("a"));
    const pid = Number(/process (\d+)$/.exec(readFileSync(hosts.file("a"), "utf8").trim())?.[1]);
    process.kill(pid, "SIGKILL");
    (await take(hosts.session("a"))).release();
    assert.throws(() => lock.check(), /the lock was taken from this run/);
    lock.release();
  });

  it("says why it cannot be had on a host that lacks what it takes", async () => {
    const session = hosts.session("a");
    const without: LockSession = {
      host: "a",
      stream: (command, use) => session.stream(`PATH=/nowhere; ${command.replace("sh -c", "/bin/sh -c")}`, use),
    };
    await assert.rejects(HostLock.take(without, request), /^RemoteError: a: cannot be locked for this run/);
  });
});

describe("the locks of a run", function () {
  this.timeout(60_000);
  let hosts: Hosts;
  beforeEach(() => (hosts = new Hosts()));
  afterEach(() => hosts.end());

  const options = { name: "run", what: "these hosts" };
  function run(keys: readonly string[]): { readonly said: string[]; readonly held: HostLock[]; readonly ready: Promise<void> } {
    const [said, held]: [string[], HostLock[]] = [[], []];
    const asked = keys.map((key): Lockable => ({ key, session: hosts.session(key) }));
    const ready = lockHosts({ hold: (_key, lock) => held.push(lock) }, asked, options, [], (host, line) => said.push(`${host}: ${line}`));
    return { said, held, ready };
  }

  it("keep two runs apart that share one host, whichever answered first in each of them", async () => {
    const one = run(["b", "a"]);
    await one.ready;
    const other = run(["c", "b"]);
    const first = await Promise.race([other.ready.then(() => "other"), heard(other.said)]);
    assert.match(first, /^b: another run holds the lock: \S+@\S+, process \d+, for these hosts, since .* Waiting for it, up to 300 s$/);
    one.held.forEach((lock) => lock.release());
    await other.ready;
    assert.equal(other.held.length, 2);
    other.held.forEach((lock) => lock.release());
  });

  it("do not keep runs apart that share none", async () => {
    const runs = [run(["a", "b"]), run(["c"])];
    await Promise.all(runs.map(({ ready }) => ready));
    runs.forEach(({ held }) => held.forEach((lock) => lock.release()));
  });

  it("never wait for each other in a circle, and are never held by two", async () => {
    const working = new Map<string, number>();
    const subsets = [
      ["a", "b"],
      ["b", "c"],
      ["c", "a"],
    ];
    await Promise.all(
      subsets.map(async (keys) => {
        const { ready, held } = run(keys);
        await ready;
        for (const key of keys) {
          assert.equal(working.get(key) ?? 0, 0, `two work on ${key}`);
          working.set(key, 1);
        }
        await new Promise(setImmediate);
        for (const key of keys) working.set(key, 0);
        held.forEach((lock) => lock.release());
      }),
    );
    assert.ok(existsSync(hosts.file("a")));
  });
});

function heard(said: string[]): Promise<string> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (said[0] === undefined) return;
      clearInterval(timer);
      resolve(said[0]);
    }, 5);
  });
}
