import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "../..");
const agents = join(root, "components", "agents");
const programs = readdirSync(agents)
  .filter((file) => file.endsWith(".ts") && readFileSync(join(agents, file), "utf8").match(/^void run(Agent|Undoing)[<(]/m))
  .map((file) => file.slice(0, -".ts".length));

/** Packages that a program loads before it has anything to do. */
function packagesOf(program: string): readonly string[] {
  const load = `
    process.on("exit", () => {
      const names = Object.keys(require.cache).map((file) => /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(file)?.[1]);
      process.stderr.write(JSON.stringify([...new Set(names.filter(Boolean))]));
    });
    process.stdout.write = () => true;
    require("ts-node/register/transpile-only");
    const before = new Set(Object.keys(require.cache));
    require(${JSON.stringify(join(agents, program))});
    for (const file of before) delete require.cache[file];
    process.exit(0);`;
  const { stderr } = spawnSync(process.execPath, ["-e", load], { cwd: root, input: "{}", encoding: "utf8" });
  return JSON.parse(stderr) as string[];
}

describe("A program that works on hosts", () => {
  it("is one of those that are known", () => assert.ok(programs.includes("swarm-up") && programs.length >= 8, programs.join()));

  for (const program of programs) {
    it(`loads nothing but what it needs: ${program}`, () => {
      const allowed = new Set(["asn1", "bcrypt-pbkdf", "cpu-features", "ip-address", "p-limit", "safer-buffer", "ssh2", "tweetnacl"]);
      // Pulumi's SDK alone would take longer to load than the work on three hosts that are as asked.
      assert.deepEqual(
        packagesOf(program).filter((name) => !allowed.has(name)),
        [],
      );
    });
  }
});
