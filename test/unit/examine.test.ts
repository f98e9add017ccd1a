import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const components = join(__dirname, "../../components");
const script = [join(components, "remote/prelude.sh"), join(components, "membership/examine.sh")]
  .map((file) => readFileSync(file, "utf8"))
  .join("\n");

/** What the engine's journal has, as etcd's raft.go writes it. */
function look(...journal: readonly string[]): { readonly log: unknown } {
  const folder = mkdtempSync(join(tmpdir(), "examine-"));
  try {
    writeFileSync(
      join(folder, "journal"),
      journal.map((line) => `time="2026-11-30T02:00:00Z" level=info msg="${line}" module=raft node=abc\n`).join(""),
    );
    writeFileSync(join(folder, "journalctl"), `#!/bin/sh\ncat ${folder}/journal\n`);
    chmodSync(join(folder, "journalctl"), 0o755);
    const { stdout, stderr, status } = spawnSync("sh", ["-s", "look"], {
      input: `ROOT=${folder} PEERS=\n${script}`,
      encoding: "utf8",
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as { readonly log: unknown };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("the end of a manager's Raft log", () => {
  const asks = "4a2c [logterm: 2, index: 66] sent MsgVote request to 77aa at term 9";

  it("is in its own requests for votes, of which the last one counts", () => {
    assert.deepEqual(look("4a2c [logterm: 2, index: 60] sent MsgPreVote request to 77aa at term 8", asks).log, { term: 2, index: 66 });
  });

  it("is in its answers to others as well, for one that was always asked first", () => {
    for (const answer of ["cast MsgVote for", "rejected MsgPreVote from", "ignored MsgVote from"]) {
      const { log } = look(`77aa [logterm: 2, index: 64, vote: 4a2c] ${answer} 4a2c [logterm: 3, index: 70] at term 9`);
      assert.deepEqual(log, { term: 2, index: 64 }, answer);
    }
    assert.deepEqual(look(asks, "4a2c [logterm: 2, index: 67, vote: 0] cast MsgVote for 77aa [logterm: 2, index: 64] at term 10").log, {
      term: 2,
      index: 67,
    });
  });

  it("is not known of one that said neither", () => {
    assert.equal(look("4a2c became follower at term 2").log, null);
  });
});
