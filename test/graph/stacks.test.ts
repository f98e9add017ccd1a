import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { buildProblem, configProblem, stampBuild } from "../../stacks/ready";

const root = dirname(dirname(__dirname));

describe("a program in stacks/, as Pulumi starts it from a clean clone", function () {
  this.timeout(120_000);
  let clone = "";
  before(() => {
    clone = mkdtempSync(join(tmpdir(), "pulumi-swarm-clone-"));
    for (const name of ["package.json", "tsconfig.json", "stacks", "components"]) cpSync(join(root, name), join(clone, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
  });
  after(() => rmSync(clone, { recursive: true, force: true }));

  /** Runs what `main` in Pulumi.yaml names, as Pulumi does: with ts-node, by the project's own tsconfig. */
  function start(stack: string, config: Readonly<Record<string, string>> = {}): string {
    const { main } = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { main: string };
    const env = { ...process.env, PULUMI_NODEJS_STACK: stack, PULUMI_NODEJS_PROJECT: "pulumi-swarm", PULUMI_CONFIG: JSON.stringify(config) };
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--require", "ts-node/register", main], { cwd: clone, env, encoding: "utf8" });
    return status === 0 ? stdout : (/RunError.*?: (.*)/.exec(stderr)?.[1] ?? stderr);
  }

  /** A package that says that it was loaded, and does nothing. */
  function build(): void {
    mkdirSync(join(clone, "dist", "components"), { recursive: true });
    writeFileSync(join(clone, "dist", "components", "index.js"), 'console.log("the package is loaded"); process.exit(0);');
    stampBuild(clone);
  }

  const stale = "The package was built from other sources than those in components/, which were changed since. Fix: npm run build.";

  it("says that the package is not built, and the command", () => {
    assert.equal(start("local"), "The package is not built: there is no dist/components/index.js. Fix: npm run build.");
  });

  it("runs as soon as it is, whatever the times of the files are", () => {
    build();
    const later = new Date(Date.now() + 3_600_000);
    utimesSync(join(clone, "components", "index.ts"), later, later);
    assert.equal(start("local-of-mine"), "the package is loaded\n");
  });

  it("says that sources were changed since, scripts too", () => {
    build();
    appendFileSync(join(clone, "components", "engine", "probe.sh"), "# changed\n");
    assert.equal(start("local"), stale);
    build();
    assert.equal(buildProblem(clone), undefined);
    writeFileSync(join(clone, "components", "new.ts"), "");
    assert.equal(buildProblem(clone), `${stale.slice(0, -1)}`);
    rmSync(join(clone, "components", "new.ts"));
    assert.equal(buildProblem(clone), undefined);
    rmSync(join(clone, "dist", "sources"));
    assert.equal(buildProblem(clone), `${stale.slice(0, -1)}`, "built by a version that noted nothing");
  });

  it("says all that the configuration lacks, and the command for each", () => {
    build();
    const example = (program: string, stack = program): string =>
      `cat Pulumi.${program}.example.yaml >> Pulumi.${stack}.yaml, and put your own values there`;
    assert.equal(
      configProblem("aws", "aws-prod", () => false),
      `The stack "aws-prod" has no value for ssh. Fix: ${example("aws", "aws-prod")}`,
    );
    const key = "pulumi config set --secret machineKey < ~/.ssh/id_ed25519";
    assert.equal(start("hybrid"), `The stack "hybrid" has no value for ssh, machines, machineKey. Fix: ${example("hybrid")}; ${key}.`);
    assert.equal(start("aws", { "pulumi-swarm:ssh": '["203.0.113.0/24"]' }), "the package is loaded\n");
    assert.equal(
      configProblem("hybrid", "hybrid", (name) => name !== "machineKey"),
      `The stack "hybrid" has no value for machineKey. Fix: ${key}`,
    );
  });

  it("names the programs that there are", () => {
    assert.match(start("prod"), /^No program for the stack "prod": name it local, aws or hybrid/);
  });
});

describe("what a program in stacks/ needs", () => {
  it("is all that it requires of its configuration, and the example has what is no secret", () => {
    for (const program of ["local", "aws", "hybrid"]) {
      const source = readFileSync(join(root, "stacks", `${program}.ts`), "utf8");
      const required = [...source.matchAll(/config\.require\w*(?:<[^(]*>)?\("(\w+)"\)/g)].map(([, key]) => key);
      const said = configProblem(program, "any", () => false) ?? "";
      const named = /has no value for ([^.]*)\./.exec(said)?.[1]?.split(", ") ?? [];
      assert.deepEqual(named.sort(), required.sort(), program);
      const example = parse(readFileSync(join(root, `Pulumi.${program}.example.yaml`), "utf8")) as { config: object };
      for (const key of named.filter((each) => each !== "machineKey")) assert.ok(`pulumi-swarm:${key}` in example.config, key);
    }
  });
});
