import assert from "node:assert/strict";
import { appendFileSync, cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { type GitHost, gitHost, publishCheckout } from "../../tools/lab/git-server";
import { type CommandResult, root, run, Stack } from "../../tools/lab/pulumi";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { find } = require("../../tools/setup/programs.js") as { find: (name: string) => string | undefined };
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { paths } = require("../../tools/setup/env.js") as { paths: { readonly plugins: string } };

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };
const host = "git.example.org";
/** As docs/languages.md has it, on another host. */
const source = `${host}/pulumi-swarm/pulumi-swarm/plugin`;

const resources = `
resources:
  rack:
    type: swarm:index:Cluster
    properties:
      firewall: { ssh: [198.51.100.0/24] }
      hosts:
        rack:
          provider: existing
          role: manager
          agentSocket: /run/agent
          machines:
            a: { address: 192.0.2.10, hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI }
`;

interface Schema {
  readonly name: string;
  readonly version: string;
  readonly types: object;
}

describe("the plugin out of a git repository", function () {
  this.timeout(900_000);
  this.bail(true);
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-git-"));
  const project = join(folder, "project");
  const program = join(project, "Pulumi.yaml");
  const link = join(project, "node_modules", "pulumi-swarm");
  let server: GitHost | undefined;
  let stack: Stack;

  before(async function () {
    if (find("pulumi-language-yaml") === undefined) {
      process.stdout.write("      pulumi-language-yaml is not here (npm run setup says why): the plugin out of a git repository is not tried\n");
      this.skip();
    }
    // A later release of the Go package must not be taken for one of the plugin.
    await publishCheckout(join(folder, "repositories", "pulumi-swarm", "pulumi-swarm.git"), [`v${version}`, "sdk/go/v99.0.0"]);
    server = await gitHost(host, join(folder, "repositories"), folder);
    // A home of its own, in which the plugin is not yet, with the provider that the cluster needs. The CLI does not follow links there.
    const plugins = join(folder, "home", "plugins");
    mkdirSync(plugins, { recursive: true });
    for (const name of readdirSync(paths.plugins).filter((plugin) => plugin.startsWith("resource-command-")))
      cpSync(join(paths.plugins, name), join(plugins, name), { recursive: true });
    mkdirSync(project);
    writeFileSync(program, "name: from-git\nruntime: yaml\n");
    stack = new Stack("from-git", project, { ...server.env, PULUMI_HOME: join(folder, "home") });
  });
  after(async () => {
    if (server) await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function pulumi(...args: readonly string[]): Promise<CommandResult> {
    const result = await run("pulumi", [...args, "--non-interactive", "--color", "never"], { cwd: project, env: stack.env });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    return result;
  }

  it("is cloned at the newest version's tag, built, and gives the schema of this version", async () => {
    const { stdout } = await pulumi("package", "get-schema", source);
    const given = JSON.parse(stdout) as Schema & { readonly pluginDownloadURL: string };
    const own = JSON.parse(readFileSync(join(root, "plugin", "schema.json"), "utf8")) as Schema;
    assert.deepEqual([given.name, given.version, Object.keys(given.types).sort()], [own.name, own.version, Object.keys(own.types).sort()]);
    assert.equal(given.pluginDownloadURL, `git://${source}`);
  });

  it("is added to an empty project by its address and version", async () => {
    await pulumi("package", "add", `${source}@${version}`);
    const { packages } = parse(readFileSync(program, "utf8")) as { readonly packages: Readonly<Record<string, unknown>> };
    assert.deepEqual(packages, { swarm: `${source}@${version}` });
  });

  it("previews a cluster, whose state would name no folder of this user or this version", async () => {
    appendFileSync(program, resources);
    await stack.init();
    const { stdout } = await pulumi("preview", "--diff", "--stack", "from-git");
    assert.match(stdout, /swarm:index:Cluster: \(create\)/);
    assert.match(stdout, /create\s*: "node_modules\/pulumi-swarm\/dist\/components\/agents\/swarm-up\.js"/);
    assert.ok(!stdout.includes(join(folder, "home")), stdout);
    assert.doesNotMatch(stdout, /a folder of version/);
  });

  it("is there again after pulumi install in a clone, for a destroy", async () => {
    rmSync(join(project, "node_modules"), { recursive: true });
    await pulumi("install");
    assert.ok(lstatSync(link).isSymbolicLink());
  });
});
