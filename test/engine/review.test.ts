import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CommandResult, root, run, Stack } from "../../tools/lab/pulumi";
import { cases } from "../review/cases";
import { partOfClientKey } from "../unit/client-key";

const main = join(root, "dist", "components", "cli", "main.js");

describe("pulumi-swarm review --run", function () {
  this.timeout(120_000);
  const stack = new Stack("review", join(__dirname, "program"));
  const file = join(root, ".lab", "review.json");
  const cluster = cases.find(({ name }) => name === "first-up")?.after ?? {};

  before(async () => {
    mkdirSync(join(root, ".lab"), { recursive: true });
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await stack.init();
    await stack.setConfig({ "engine:spec": file });
  });
  after(async () => {
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    rmSync(join(stack.folder, "Pulumi.review.yaml"), { force: true });
  });

  const review = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> =>
    run(process.execPath, [main, "review", ...args], { cwd: stack.folder, env: { ...stack.env, ...env } });
  const previewed = ["--run", "--", "--stack", stack.name, "--non-interactive", "--color", "never"];

  it("previews with what comes after --, and ends with 2 for a risk that it was to fail on", async () => {
    writeFileSync(file, JSON.stringify(cluster));
    const { code, stdout, stderr } = await review(["--fail-on", "world-open", "--format", "markdown", ...previewed]);
    assert.equal(code, 2, stderr);
    assert.match(stdout, /^<!-- pulumi-swarm review -->\n/);
    assert.match(stdout, /⚠️ \*\*world-open\*\*: open to the whole Internet: `443\/tcp` on `workers` from `world`/);
  });

  it("shows no secret, though the SDK writes some into the debug lines of a stream", async () => {
    const secrets = new RegExp(`privateKey|${partOfClientKey.replaceAll("+", "[+]")}`);
    for (const streaming of ["", "1"]) {
      const env = { ...stack.env, PULUMI_ENABLE_STREAMING_JSON_PREVIEW: streaming };
      const { code, stdout } = await stack.pulumi(["preview", "--json", "--show-sames"], { env });
      assert.equal(code, 0);
      assert.ok(stdout.includes("[secret]"), "what the swarm program is asked is there");
      const said = stdout.split("\n").filter((line) => !line.includes('"severity":"debug"'));
      assert.ok(!secrets.test(said.join("\n")), "but for debug lines there is none in either form");
      const piped = await run(process.execPath, [main, "review", "-", "--format", "json"], { env, stdin: stdout });
      assert.match(piped.stdout, /"verdict": "1 risk: world-open\."/);
      assert.doesNotMatch(piped.stdout, secrets);
    }
  });

  it("ends with 3 for a program that cannot be planned, and says why, as newer engines write it too", async () => {
    writeFileSync(file, JSON.stringify({ ...cluster, groups: {} }));
    for (const streaming of ["", "1"]) {
      const { code, stdout } = await review(previewed, { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: streaming });
      assert.equal(code, 3);
      assert.match(stdout, /^The preview failed, and nothing was changed\.\n\n {2}The swarm cluster "prod" cannot be planned: /);
      assert.doesNotMatch(stdout, /\.ts:\d+|\.js:\d+|    at /, "no stack trace");
    }
  });

  it("names settings of Docker as changed where the state says what they were, and else as what nobody can know", async () => {
    const logging = (driver: string): object => ({ ...cluster, engine: { settings: { "log-driver": driver } } });
    const take = async (state: string): Promise<void> => {
      const taken = await stack.pulumi(["stack", "import"], { stdin: state });
      assert.equal(taken.code, 0, taken.stderr);
    };
    for (const before of [cluster, logging("local")]) {
      writeFileSync(file, JSON.stringify(before));
      const made = await stack.up();
      assert.equal(made.code, 0, made.stdout + made.stderr);
      const state = await stack.export();

      // A version that is older than these inputs wrote the state.
      writeFileSync(file, JSON.stringify(logging("local")));
      await take(state.replace(/"engineSettings": \{[^}]*\},?/g, ""));
      const upgraded = await review(previewed);
      assert.match(upgraded.stdout, /does not say which hosts have log-driver\. Docker starts again on hosts that lack them/);
      assert.doesNotMatch(upgraded.stdout, /other settings/);

      await take(state);
      assert.doesNotMatch((await review(previewed)).stdout, /does not say which/);
      writeFileSync(file, JSON.stringify(logging("journald")));
      assert.match((await review(previewed)).stdout, /Docker starts again with other settings \(log-driver\) on those of/);
    }
  });

  it("ends with 1 where there is nothing to run, or where that says nothing", async () => {
    const none = await review(["--run"], { PATH: dirname(process.execPath) });
    assert.equal(none.code, 1);
    assert.match(
      none.stderr,
      /^pulumi-swarm review: pulumi cannot be run: spawn pulumi ENOENT\. Fix: put the Pulumi CLI on the PATH, or review a file\n$/,
    );
    const silent = await review(["--run", "--", "--no-such-option"]);
    assert.equal(silent.code, 1);
    assert.match(silent.stderr, /pulumi-swarm review: pulumi preview printed nothing and ended with code \d+; what it said is above\n$/);
  });
});
