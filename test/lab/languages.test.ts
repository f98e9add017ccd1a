import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ClusterShell } from "../../tools/lab/cluster";
import { root, run, Stack } from "../../tools/lab/pulumi";
import { standIn } from "../plugins/clouds/install";
import { CloudLab, good } from "./cloud-lab";
import { assertNoChange, changes } from "./lab";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { find } = require("../../tools/setup/programs.js") as { find: (name: string) => string | undefined };
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { paths } = require("../../tools/setup/env.js") as { paths: { readonly lab: string; readonly python: string } };

const network = "10.238.0.0/16";

/** An example, copied as its reader does, with the package beside it as npm puts it there. */
class Example {
  readonly folder: string;
  readonly stack: Stack;

  constructor(
    private readonly language: "yaml" | "python",
    readonly name: string,
    env: NodeJS.ProcessEnv = {},
  ) {
    this.folder = join(paths.lab, "languages", name);
    this.stack = new Stack(name, this.folder, env);
  }

  async begin(): Promise<void> {
    await this.end();
    cpSync(join(root, "examples", this.language), this.folder, { recursive: true });
    besidePackage(this.folder);
    // Also where a test was cut off, and its folder removed before its stack could be.
    await this.forget();
    await this.stack.init();
    await this.stack.setConfig({ network });
  }

  /** Removes all that is left, in whatever state a test left it. */
  async end(): Promise<void> {
    const { stdout } = await run("docker", ["ps", "-aq", "--filter", `name=^${this.name}-`]);
    const containers = stdout.split("\n").filter(Boolean);
    if (containers.length > 0) await run("docker", ["rm", "-f", "-v", ...containers]);
    const networks = await run("docker", ["network", "ls", "-q", "--filter", `name=^${this.name}-`]);
    for (const id of networks.stdout.split("\n").filter(Boolean)) await run("docker", ["network", "rm", id]);
    if (existsSync(this.folder)) await this.forget();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async forget(): Promise<void> {
    await this.stack.cancel();
    await this.stack.pulumi(["stack", "rm", "--yes", "--force"]);
  }

  /** Changes the program. */
  edit(file: string, from: string, to: string): void {
    const path = join(this.folder, file);
    const before = readFileSync(path, "utf8");
    assert.ok(before.includes(from), `${file} has no ${from}`);
    writeFileSync(path, before.replace(from, to));
  }
}

function besidePackage(folder: string): void {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules", "pulumi-swarm"));
  // Pulumi keeps a schema that it once read beside the plugin.
  rmSync(join(root, "schema-swarm.json"), { force: true });
}

/** Leaves the tests out where the machine has no such programs, and says so. */
function needs(test: Mocha.Context, language: string, ...programs: readonly string[]): void {
  const missing = programs.filter((program) => find(program) === undefined && !existsSync(program));
  if (missing.length === 0) return;
  process.stdout.write(`      ${missing.join(", ")} not here (npm run setup says why): the tests of ${language} are left out\n`);
  test.skip();
}

describe("the example in YAML", function () {
  this.timeout(120_000);
  this.bail(true);
  const example = new Example("yaml", "pl-yaml");
  const { stack } = example;
  const program = "Pulumi.yaml";
  let shown: number | undefined;

  before(async function () {
    needs(this, "YAML", "pulumi-language-yaml");
    await example.begin();
    example.edit(program, "    type: swarm:index:Cluster\n", "    type: swarm:index:Cluster\n    name: pl-yaml\n");
  });
  after(() => example.end());

  it("has all that is wrong with it told in one error, without a stack", async () => {
    const right = readFileSync(join(example.folder, program), "utf8");
    example.edit(program, "count: 1,", "count: 2, region: eu-west-1,");
    example.edit(program, "web: {}", "web: { prefix: 99 }");
    const preview = await stack.preview();
    assert.notEqual(preview.code, 0);
    const told = /error: .* has a problem: (The swarm cluster [^]*?)\n\n/.exec(preview.stdout.slice(preview.stdout.indexOf("Diagnostics:")))?.[1];
    assert.deepEqual(
      told?.split("\n").map((line) => line.trim()),
      [
        'The swarm cluster "pl-yaml" cannot be planned: 3 problems.',
        "- hosts.control.region: is an option of aws, and this is local. Fix: leave it out.",
        "- networks.web.prefix: 99 is not usable. Fix: give a prefix length from 16 to 28.",
        "- hosts: 2 managers tolerate no failure, like 1 manager, and are more likely to lose quorum. Fix: take 1 or 3.",
      ],
    );
    assert.doesNotMatch(preview.stdout + preview.stderr, /^\s+at .*:\d+/m);
    writeFileSync(join(example.folder, program), right);
  });

  it("shows the whole cluster in its preview", async () => {
    const preview = good(await stack.preview());
    shown = changes(preview)["to create"];
    assert.match(preview.stdout, /Swarm cluster "pl-yaml"\n +hosts +1 manager \(control 1\)/);
    assert.match(preview.stdout, /pulumi-swarm:index:FirewallRule pl-yaml-https create/);
  });

  it("becomes a swarm by one up, and stays as it is by the next", async () => {
    assert.equal(changes(good(await stack.up()))["created"], shown);
    const { connections, ...outputs } = await stack.outputs<{
      readonly dockerHost: string;
      readonly swarmId: string;
      readonly networks: Readonly<Record<string, { readonly id: string }>>;
      readonly connections: ConstructorParameters<typeof ClusterShell>[0];
    }>();
    const shell = new ClusterShell(connections);
    try {
      assert.equal(await shell.on("control-1", "docker info -f '{{.Swarm.Cluster.ID}}'"), outputs.swarmId);
      assert.equal(await shell.on("control-1", "docker network inspect -f '{{.ID}}' db"), outputs.networks["db"]?.id);
    } finally {
      shell.close();
    }
    assert.match(outputs.dockerHost, /^ssh:\/\/root@10\.238\./);
    assert.doesNotMatch(await stack.export(), /PRIVATE KEY/);
    assertNoChange(await stack.up());
  });

  it("is not moved by an edit: the preview fails, says which pin keeps it, and shows no stack", async () => {
    const right = readFileSync(join(example.folder, program), "utf8");
    example.edit(program, "      networks:\n", "      addressSpace: 10.100.0.0/14\n      networks:\n");
    const preview = await stack.preview();
    assert.notEqual(preview.code, 0);
    const told = preview.stdout.slice(preview.stdout.indexOf("Diagnostics:"));
    assert.match(told, /error: .* has a problem: The swarm cluster "pl-yaml" /);
    assert.match(told, /networks\.web\.subnet/);
    assert.doesNotMatch(preview.stdout + preview.stderr, /^\s+at .*:\d+/m);
    writeFileSync(join(example.folder, program), right);
  });

  it("is taken away by destroy, which runs no program", async () => {
    assert.equal(changes(good(await stack.destroy()))["deleted"], shown);
    assert.equal((await run("docker", ["ps", "-aq", "--filter", `name=^${example.name}-`])).stdout, "");
  });
});

describe("the example in Python", function () {
  this.timeout(120_000);
  this.bail(true);
  const example = new Example("python", "pl-python", {
    PULUMI_PYTHON_CMD: paths.python,
    PYTHONPATH: join(paths.lab, "languages", "pl-python", "installed"),
    PYTHONDONTWRITEBYTECODE: "1",
  });
  const { stack } = example;

  before(async function () {
    needs(this, "Python", "pulumi-language-python", paths.python);
    await example.begin();
    const sdk = join(example.folder, "sdks");
    await writePackage(join(example.folder, "node_modules", "pulumi-swarm", "plugin", "schema.json"), sdk);
    const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", join(example.folder, "installed")];
    good(await run(paths.python, [...pip, join(sdk, "python")]));
  });
  after(() => example.end());

  it("is wrong in words of its own where the plan is", async () => {
    const program = readFileSync(join(example.folder, "__main__.py"), "utf8");
    example.edit("__main__.py", "kind=swarm.OverlayKind.NATIVE", "kind=swarm.OverlayKind.NATIVE, backend=swarm.FlannelBackend.VXLAN");
    const preview = await stack.preview();
    assert.notEqual(preview.code, 0);
    assert.match(
      preview.stdout,
      /cannot be planned: 1 problem\.\n +- overlay\.backend: is an option of flannel, and this is native\. Fix: leave it out\./,
    );
    writeFileSync(join(example.folder, "__main__.py"), program);
  });

  it("becomes a swarm of two hosts by one up, and goes", async () => {
    const made = good(await stack.up());
    const outputs = await stack.outputs<{
      readonly swarm_id: string;
      readonly hosts: Readonly<Record<string, { readonly role: string; readonly node_id: string }>>;
    }>();
    assert.deepEqual(
      Object.entries(outputs.hosts)
        .map(([key, { role }]) => `${key} ${role}`)
        .sort(),
      ["control-1 manager", "edge-1 worker"],
    );
    assert.ok(
      Object.values(outputs.hosts).every((host) => host.node_id !== ""),
      JSON.stringify(outputs.hosts),
    );
    assert.equal(changes(good(await stack.destroy()))["deleted"], changes(made)["created"]);
  });
});

/** Its hooks are called by the engine in the middle of an update, in the plugin's process. */
describe("a cluster on EC2 out of YAML", function () {
  this.timeout(300_000);
  this.bail(true);
  const cloud = standIn("aws", "lab-languages", { addresses: 20 });
  const folder = join(paths.lab, "languages", "pl-cloud");
  const lab = new CloudLab("pl-cloud", [cloud], folder);
  const place = "region: eu-west-1, zones: [a], network: 10.238.128.0/21";
  const describeCluster = (workerType: string): void =>
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      `
name: cloud-in-yaml
runtime: yaml
plugins: { providers: [{ name: swarm, path: node_modules/pulumi-swarm/plugin }] }
resources:
  pl:
    type: swarm:index:Cluster
    properties:
      addressSpace: 10.100.0.0/14
      firewall: { ssh: [10.238.128.1/32] }
      hosts:
        control: { provider: aws, role: manager, ${place} }
        edge: { provider: aws, role: worker, ${place}, each: { "1": { instanceType: ${workerType} } } }
`,
    );

  before(async function () {
    needs(this, "YAML", "pulumi-language-yaml");
    rmSync(folder, { recursive: true, force: true });
    besidePackage(folder);
    describeCluster("t3.medium");
    await lab.begin();
    good(await lab.stack.up());
  });
  after(() => lab.end());

  it("drains a machine before it is stopped for another type, and says so", async () => {
    describeCluster("m7i.large");
    const up = good(await lab.stack.up());
    assert.deepEqual(changes(up), { updated: 1, unchanged: changes(up)["unchanged"] });
    const told = [...up.stdout.matchAll(/edge-1: (is drained|is back)$/gm)].map(([, what]) => what);
    assert.deepEqual([...new Set(told)], ["is drained", "is back"]);
  });
});

/** The Python package of the schema: by Pulumi's CLI, or by our own program where the language host is older than that. */
async function writePackage(schema: string, folder: string): Promise<void> {
  const { code, stdout, stderr } = await run("pulumi", ["package", "gen-sdk", schema, "--language", "python", "--out", folder]);
  if (code === 0) return;
  assert.match(stdout + stderr, /GeneratePackage/, "only a host that cannot is no failure");
  good(await run("write-sdk", ["python", schema, join(folder, "python")]));
}
