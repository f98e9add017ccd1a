import assert from "node:assert/strict";

interface Run {
  readonly ok: boolean;
  readonly printed: string;
}

type RunFiles = (
  files: readonly string[],
  run: (file: string) => Promise<Run>,
  how: { readonly lanes: number; readonly again: (file: string) => boolean },
) => Promise<{ readonly ok: boolean; readonly failures: readonly { readonly what: string }[]; readonly passedAlone: readonly string[] }>;

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { runFiles } = require("../../tools/rerun.js") as { runFiles: RunFiles };

/** Runs that end as they are listed, file by file; the last one repeats. */
function runner(outcomes: Readonly<Record<string, readonly boolean[]>>) {
  const ran: string[] = [];
  let [atOnce, most] = [0, 0];
  const run = async (file: string) => {
    const times = ran.filter((other) => other === file).length;
    ran.push(file);
    most = Math.max(most, (atOnce += 1));
    await new Promise(setImmediate);
    atOnce -= 1;
    const all = outcomes[file] ?? [true];
    return { ok: all[Math.min(times, all.length - 1)] ?? true, printed: `${file} run ${times + 1}` };
  };
  return { run, ran, most: () => most };
}

describe("the runner of test files", () => {
  it("runs a file that failed once more at the end, by itself, and tells of it", async () => {
    const { run, ran } = runner({ a: [false, true] });
    const result = await runFiles(["a", "b", "c"], run, { lanes: 2, again: () => true });
    assert.deepEqual(ran, ["a", "b", "c", "a"]);
    assert.deepEqual(result, { ok: true, failures: [{ what: "a", printed: "a run 1" }], passedAlone: ["a"] });
  });

  it("fails where a file fails twice, and tells both failures", async () => {
    const result = await runFiles(["a", "b"], runner({ b: [false] }).run, { lanes: 2, again: () => true });
    assert.equal(result.ok, false);
    assert.deepEqual(result.failures, [
      { what: "b", printed: "b run 1" },
      { what: "b, once more by itself", printed: "b run 2" },
    ]);
    assert.deepEqual(result.passedAlone, []);
  });

  it("gives no second run where none was asked for", async () => {
    const { run, ran } = runner({ a: [false, true] });
    assert.equal((await runFiles(["a", "b"], run, { lanes: 2, again: (file) => file === "b" })).ok, false);
    assert.deepEqual(ran, ["a", "b"]);
  });

  it("keeps to its lanes, and to one file in second runs", async () => {
    const side = runner({});
    await runFiles(["a", "b", "c", "d"], side.run, { lanes: 2, again: () => true });
    assert.equal(side.most(), 2);
    const again = runner({ a: [false], b: [false] });
    await runFiles(["a", "b"], again.run, { lanes: 1, again: () => true });
    assert.equal(again.most(), 1);
  });
});
