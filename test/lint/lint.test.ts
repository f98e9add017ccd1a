import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..", "..");
const bin = (name: string): string => join(root, "node_modules", ".bin", name);

function passes(command: string, ...args: string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  if (error) throw error;
  assert.equal(status, 0, `${stdout}${stderr}`);
}

/** What git tracks, or would: no generated file. */
function tracked(...patterns: string[]): string[] {
  return execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...patterns], { cwd: root, encoding: "utf8" })
    .split("\n")
    .filter(Boolean);
}

describe("the code", function () {
  // Two other files may be at work beside it.
  this.timeout(600_000);

  it("passes the compiler's strict checks", () => passes(bin("tsc"), "--noEmit", "-p", "."));
  it("passes eslint", () => passes(bin("eslint"), "."));
  it("is formatted by prettier", () =>
    passes(
      bin("prettier"),
      "--check",
      "--log-level",
      "warn",
      ".github",
      "bench",
      "components",
      "docs/pictures",
      "examples",
      "plugin",
      "stacks",
      "templates",
      "test",
      "tools",
    ));
  it("has scripts that pass shellcheck", function () {
    if (spawnSync("shellcheck", ["--version"]).error) {
      process.stdout.write("      shellcheck is not installed (apt-get install shellcheck): its check is left out\n");
      this.skip();
    }
    passes("shellcheck", ...tracked("*.sh", ".ci/run"));
  });
  it("has pictures that are as they are drawn", () => {
    const pictures = tracked("docs/pictures/*.svg");
    const read = (): string[] => pictures.map((file) => readFileSync(join(root, file), "utf8"));
    const before = read();
    passes(process.execPath, join(root, "docs", "pictures", "draw.js"));
    assert.deepEqual(read(), before);
    assert.ok(pictures.length > 0);
  });
  it("names no place of one machine and no download address", () => {
    const found = spawnSync(
      "git",
      [
        "grep",
        "-nIE",
        '/(root/go|work/main|tmp/[a-z]+)/|"resolved": "http',
        "--",
        ".",
        ":!test/lint/lint.test.ts",
        ":!components/hosts/local/index.ts",
      ],
      { cwd: root, encoding: "utf8" },
    );
    assert.equal(found.stdout, "");
  });
});
