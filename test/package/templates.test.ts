import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run, Stack } from "../../tools/lab/pulumi";
import { clientKey } from "../unit/client-key";
import { linkTools, npmQuiet, pack } from "./packed";

const templates = join(root, "templates");
const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "swarm-aws-typescript": { "aws:region": "eu-west-1", admin: "198.51.100.0/24" },
  "swarm-existing-typescript": {
    address: "192.0.2.10",
    hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI",
    admin: "198.51.100.0/24",
  },
  "swarm-hetzner-typescript": { "hcloud:token": "not-a-token-of-anybody", admin: "198.51.100.0/24" },
};

describe("pulumi new with a template of ours", function () {
  this.timeout(300_000);
  let folder = "";
  before(() => void (folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-templates-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const template of readdirSync(templates)) {
    it(`writes a project under the name that was asked for: ${template}`, async () => {
      const project = new Project(template, folder);
      await project.make(settings[template] ?? {});
      assert.match(project.read("Pulumi.yaml"), new RegExp(`^name: ${project.name}$`, "m"));
      assert.equal((JSON.parse(project.read("package.json")) as { name: string }).name, project.name);
      for (const file of project.files()) assert.doesNotMatch(project.read(file), /\$\{(PROJECT|DESCRIPTION)\}/, file);
      assert.equal(project.read("index.ts"), readFileSync(join(templates, template, "index.ts"), "utf8"));
      await project.forget();
    });
  }

  it("is a cluster and a service in the first preview, with the packed package and nothing else of ours", async () => {
    const project = new Project("swarm-existing-typescript", folder, "rack");
    const keyFile = join(folder, "id_ed25519");
    writeFileSync(keyFile, clientKey, { mode: 0o600 });
    await project.make({ ...settings["swarm-existing-typescript"], keyFile });
    const { tarball } = await pack(folder);
    await project.run("npm", "pkg", "set", `dependencies.pulumi-swarm=file:${tarball}`);
    await project.run("npm", "install", ...npmQuiet, "--omit=dev");
    linkTools(project.folder);
    const { code, stdout, stderr } = await project.stack.preview();
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /pulumi-swarm:index:SwarmCluster +prod/);
    assert.match(stdout, /docker:index(?:\/service)?:Service +web/);
    await project.forget();
  });
});

/** What one call of `pulumi new` made. */
class Project {
  readonly folder: string;
  readonly stack: Stack;

  constructor(
    private readonly template: string,
    parent: string,
    readonly name = template.replace("-typescript", ""),
  ) {
    this.folder = join(parent, name);
    this.stack = new Stack(`template-${name}`, this.folder);
  }

  async make(config: Readonly<Record<string, string>>): Promise<void> {
    await this.forget();
    const args = ["new", join(templates, this.template), "--dir", this.folder, "--name", this.name, "--description", "A swarm", "--generate-only"];
    const { code, stdout, stderr } = await run("pulumi", [...args, "--yes", "--non-interactive"], { env: this.stack.env });
    assert.equal(code, 0, stdout + stderr);
    await this.stack.init();
    await this.stack.setConfig(config);
  }

  async run(command: string, ...args: readonly string[]): Promise<void> {
    const { code, stderr } = await run(command, args, { cwd: this.folder, env: this.stack.env });
    assert.equal(code, 0, stderr);
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), "utf8");
  }

  files(): string[] {
    return readdirSync(this.folder).filter((file) => file !== "node_modules");
  }

  async forget(): Promise<void> {
    await run("pulumi", ["stack", "rm", "--yes", "--force", "--stack", this.stack.name, "--non-interactive"], { env: this.stack.env }).catch(
      () => undefined,
    );
  }
}
