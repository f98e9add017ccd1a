import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeFailures, Progress } from "../../components/agents/progress";
import { boundedWarnings } from "../../components/agents/warnings";

const keys = (count: number): string[] => Array.from({ length: count }, (_, place) => `edge-${place + 1}`);
/** Linux gives one environment variable 128 KiB. */
const limit = 128 * 1024;

describe("what a run says", () => {
  it("is all of it for a few hosts, in the order in which it happened", () => {
    let said = "";
    const progress = new Progress((text) => (said += text), assert.fail);
    for (const key of keys(40)) progress.say(key, "joins as worker");
    progress.say(undefined, "done");
    assert.equal(
      said,
      `${keys(40)
        .map((key) => `${key}: joins as worker\n`)
        .join("")}done\n`,
    );
  });

  it("is bounded for a thousand: the first hosts and the phases, and the rest is in a file, as are warnings that do not fit", () => {
    const folder = mkdtempSync(join(tmpdir(), "progress-"));
    const file = join(folder, "progress.log");
    try {
      let said = "";
      const progress = new Progress(
        (text) => (said += text),
        () => file,
      );
      for (const step of [
        "waiting for SSH: connection refused (is sshd running, and is this the right port?)",
        "joins as worker",
        "warning: no IPVS",
      ]) {
        progress.say(undefined, `phase ${step.length}`);
        for (const key of keys(1000)) progress.say(key, step);
      }
      assert.ok(said.length < limit / 2, `${said.length} bytes`);
      for (const part of [/phase 15/, /^edge-40: joins/m, new RegExp(`the rest is in ${file}`)]) assert.match(said, part);
      assert.doesNotMatch(said, /edge-41: joins|warning/);
      assert.deepEqual([progress.warnings.length, progress.warnings.at(-1), progress.rest], [1000, "edge-1000: no IPVS", file]);
      const kept = readFileSync(file, "utf8");
      assert.match(kept, /^warning: edge-1000: no IPVS$/m);
      const atTheEnd = boundedWarnings(progress.warnings, file);
      assert.equal(atTheEnd.at(-1), `and ${1000 - atTheEnd.length + 1} more warnings in ${file}`);
      const lines = said.split("\n").length - 2 + kept.split("\n").length - 1 + atTheEnd.length - 1;
      assert.equal(lines, 3003, "every line is told once");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("names every host that failed, with as many reasons as fit", () => {
    const reason =
      "cannot be reached over SSH at root@10.0.0.1:22 within 75 s: no answer within 10 s (TCP may be open: a frozen or overloaded host looks like this).";
    const message = describeFailures(
      keys(1000),
      keys(1000).map((host) => ({ host, reason: `${host}: ${reason}` })),
    );
    assert.ok(message.length < limit / 2, `${message.length} bytes`);
    assert.match(message, /^1000 hosts are not as asked; that is all of the 1000\. Fix this and run again:\n {2}- edge-1: cannot be reached/);
    for (const key of keys(1000)) assert.match(message, new RegExp(`\\b${key}\\b`));
  });

  it("counts only hosts that are done as done", () => {
    const of = (failed: readonly string[], all = 3): string =>
      describeFailures(
        keys(all),
        failed.map((host) => ({ host, reason: "broken" })),
      ).split("\n")[0] ?? "";
    assert.equal(of(["edge-1"]), "1 host is not as asked; the other hosts are done. Fix this and run again:");
    assert.equal(of(["edge-1", "edge-2"]), "2 hosts are not as asked; the other host is done. Fix this and run again:");
    assert.equal(of(keys(9), 9), "9 hosts are not as asked; that is all of the 9. Fix this and run again:");
    assert.equal(of(["edge-1"], 1), "1 host is not as asked; it is the only one. Fix this and run again:");
    assert.equal(of(["ingress"]), "1 thing is not as asked; the hosts themselves are done. Fix this and run again:");
  });
});
