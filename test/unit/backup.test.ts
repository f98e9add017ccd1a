import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backup, lockBackup, openBackup, recipientProblem } from "../../components/backup/file";
import { managerToStop } from "../../components/backup/manager";
import { type BeforeRestore, warningOf, whyNotRestored } from "../../components/backup/refusals";
import { restoreBackup } from "../../components/backup/restore";
import type { Reached } from "../../components/backup/take";
import { dispatch } from "../../components/cli/dispatch";
import type { LocalSwarmState, SwarmNode } from "../../components/membership/swarm-api";

type Told = Partial<Pick<SwarmNode, "leader" | "state" | "availability" | "reachability">>;

function manager(id: string, told: Told = {}): SwarmNode {
  return { id, hostname: id, role: "manager", availability: "active", state: "ready", leader: false, reachability: "reachable", labels: {}, ...told };
}

const local = (nodeId: string): LocalSwarmState => ({
  state: "active",
  nodeId,
  address: "10.0.0.1",
  swarmId: "s",
  controlAvailable: true,
  error: "",
  recovered: 0,
  remoteManagers: [],
});

const hosts = (...ids: readonly string[]): { key: string; local: LocalSwarmState }[] => ids.map((id) => ({ key: `host-${id}`, local: local(id) }));

describe("the manager whose engine is stopped for a backup", () => {
  const three = [manager("a", { leader: true }), manager("b"), manager("c")];

  it("is not the leader", () => {
    assert.deepEqual(managerToStop(hosts("a", "b", "c"), three, false), { kind: "chosen", key: "host-b" });
  });

  it("is a drained one where there is one: no container stops with it", () => {
    const nodes = [manager("a", { leader: true }), manager("b"), manager("c", { availability: "drain" })];
    assert.deepEqual(managerToStop(hosts("a", "b", "c"), nodes, false), { kind: "chosen", key: "host-c" });
  });

  it("is the leader only where no other was reached, and that is said", () => {
    const choice = managerToStop(hosts("a"), three, false);
    assert.deepEqual([choice.kind, "warning" in choice && /elect another/.test(choice.warning ?? "")], ["chosen", true]);
  });

  it("is none where the others would lose their majority, unless that is asked for", () => {
    const away = [manager("a", { leader: true }), manager("b"), manager("c", { reachability: "unreachable", state: "down" })];
    const refused = managerToStop(hosts("a", "b"), away, false);
    assert.match(
      "reason" in refused ? refused.reason : "",
      /only 2 of 3 managers are there.*Fix: bring the others back, or allow it by --without-quorum/,
    );
    assert.deepEqual(managerToStop(hosts("a", "b"), away, true), { kind: "chosen", key: "host-b" });
  });

  it("is the only one of a swarm of one manager where that is asked for", () => {
    const one = [manager("a", { leader: true })];
    const refused = managerToStop(hosts("a"), one, false);
    assert.match("reason" in refused ? refused.reason : "", /^with one manager the swarm has no leader while.*Fix: allow it by --without-quorum$/);
    assert.deepEqual(managerToStop(hosts("a"), one, true), { kind: "chosen", key: "host-a" });
  });

  it("is none where no manager was reached", () => {
    assert.equal(managerToStop(hosts("w"), three, true).kind, "refused");
  });
});

const backup: Backup = {
  version: 1,
  taken: "2026-11-30T00:00:00.000Z",
  swarmId: "swarm-id-that-nobody-else-has",
  recovered: 0,
  clusters: ["shop%2Fprod%2Fmain"],
  manager: { key: "control-2", nodeId: "n2", address: "10.0.0.2", engine: "28.5.2" },
  managers: ["10.0.0.1:2377", "10.0.0.2:2377", "10.0.0.3:2377"],
  nodes: { n2: "control-2" },
  unlockKey: "SWMKEY-1-abc",
  archive: "c2VjcmV0",
};

describe("the file of a backup", function () {
  // A passphrase costs a second on purpose.
  this.timeout(60_000);

  it("opens by the passphrase that it was encrypted by", async () => {
    const file = await lockBackup(backup, { passphrase: "correct horse battery" }, 10);
    assert.deepEqual(await openBackup(file, { passphrase: "correct horse battery" }), backup);
  });

  it("opens by each of its recipients' keys, and by no other", async () => {
    const age = await import("age-encryption");
    const [one, two, other] = await Promise.all([age.generateIdentity(), age.generateIdentity(), age.generateIdentity()]);
    const recipients = await Promise.all([age.identityToRecipient(one), age.identityToRecipient(two)]);
    const file = await lockBackup(backup, { recipients });
    for (const identity of [one, two]) assert.deepEqual(await openBackup(file, { identities: [identity] }), backup);
    await assert.rejects(openBackup(file, { identities: [other] }), /it does not open/);
    assert.equal(await recipientProblem(recipients[0] ?? ""), undefined);
  });

  it("shows nothing of what is in it, and does not open when a byte of it was changed", async () => {
    const age = await import("age-encryption");
    const identity = await age.generateIdentity();
    const file = Buffer.from(await lockBackup(backup, { recipients: [await age.identityToRecipient(identity)] }));
    for (const text of [backup.swarmId, "SWMKEY", "control-2", "c2VjcmV0", "archive"]) assert.ok(!file.includes(text), text);
    file[file.length - 1] = (file.at(-1) ?? 0) ^ 1;
    await assert.rejects(openBackup(file, { identities: [identity] }), /it does not open/);
  });
});

describe("a backup", () => {
  const { unlockKey: _, ...open } = backup;
  const empty: BeforeRestore[] = ["control-1", "control-2"].map((key) => ({ key, state: "inactive", answering: [] }));

  it("is restored where no host is in a swarm and no manager of it answers", () => {
    assert.equal(whyNotRestored(open, empty), undefined);
    assert.equal(whyNotRestored(open, [...empty, { key: "edge-1", state: undefined, answering: [] }]), undefined);
  });

  it("is not restored beside a swarm that lives on one of the hosts, or without a leader waits for the others", () => {
    for (const state of ["active", "pending", "locked", "error"] as const) {
      const said = whyNotRestored(open, [...empty, { key: "edge-1", state, answering: [] }]) ?? "";
      assert.equal(
        said,
        "edge-1 is in a swarm, and swarm-id-that-nobody-else-has must not be there twice. Fix: where most managers are lost, recover the swarm " +
          'instead, see "A lost quorum" in docs/running.md; else run "docker swarm leave --force" there, and run again',
      );
    }
  });

  it("is not restored while a manager of it answers that is no host any more", () => {
    const said = whyNotRestored(open, [{ key: "control-1", state: "inactive", answering: ["10.0.0.3:2377"] }]) ?? "";
    assert.equal(
      said,
      "a manager of swarm-id-that-nobody-else-has may be alive: 10.0.0.3:2377 answers control-1. Fix: recover the swarm from it instead, see " +
        '"A lost quorum" in docs/running.md; or switch that machine off permanently, and run again',
    );
  });

  it("is not restored on a host whose engine does not answer, with what to install", async () => {
    const to = {
      key: "control-2",
      api: { local: () => Promise.resolve({ ...local("n2"), state: "inactive" }) },
      docker: { get: () => Promise.reject(new Error("no answer within 30 s")) },
      session: { script: () => Promise.resolve({ open: [] }) },
    } as unknown as Reached;
    const io = { progress: () => {}, sleep: () => Promise.resolve(), now: () => 0 };
    await assert.rejects(restoreBackup(open, [to], to, io), {
      message: "nothing was done: the engine of control-2 does not answer: no answer within 30 s. Fix: install Docker there, 28.5.2 or newer",
    });
  });

  it("of a locked swarm is not restored, which is said already when it is taken, and what to do instead is said", () => {
    assert.equal(
      whyNotRestored(backup, empty),
      "the swarm was locked (swarm.autolock) when the backup was taken, and from a locked state Docker cannot recover a swarm (moby issue 36852). " +
        "Fix: give a backup that was taken while swarm.autolock was off. Without one, set membership.abandonedSwarm to " +
        '"swarm-id-that-nobody-else-has", and deploy again what was in it',
    );
    assert.equal(
      warningOf(backup),
      "the swarm is locked (swarm.autolock), and from a locked state Docker cannot recover a swarm (moby issue 36852): restore refuses this file. " +
        "Fix: set swarm.autolock to false, run up and backup, and set it back. The file is encrypted anyway",
    );
    assert.equal(warningOf(open), undefined);
  });
});

describe("pulumi-swarm backup and restore, called wrongly", () => {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-backup-"));
  after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  async function says(...args: readonly string[]): Promise<string> {
    let said = "";
    const add = (text: string): void => void (said += text);
    const terminal = { input: () => Promise.resolve("{}"), inputIsTty: false, outIsTty: false, out: add, error: add };
    assert.equal(await dispatch(args, terminal), 1);
    return said.split("\n")[0] ?? "";
  }

  it("say what is missing or wrong, before any host is dialled", async () => {
    const short = file("short", "abc\n");
    const long = file("long", "long enough for this\n");
    const out = join(folder, "out.age");
    const given = ["--connection", "-"];
    assert.match(await says("backup", ...given), /not said where to/);
    assert.match(await says("backup", ...given, "--out", out), /always encrypted: give --recipient/);
    assert.match(await says("backup", ...given, "--out", out, "--passphrase-file", short), /fewer than 12 characters/);
    assert.match(await says("backup", ...given, "--out", out, "--recipient", "ssh-ed25519 AAAA"), /no public key of age/);
    assert.match(await says("backup", ...given, "--out", out, "--passphrase-file", long), /There are no connections in it/);
    assert.match(await says("restore", ...given), /it takes one file/);
    assert.match(await says("restore", long, ...given), /nothing is given that opens it/);
    assert.match(await says("restore", long, ...given, "--passphrase-file", long), /"[^"]+long": it does not open/);
    for (const call of [
      ["backup", "--out", out],
      ["restore", long],
    ])
      assert.match(
        await says(...call, "--passphrase-file", long, ...given, "--stack", "prod"),
        /--connection and --stack both say where the hosts are/,
      );
    assert.throws(() => readFileSync(out), /ENOENT/);
  });
});
