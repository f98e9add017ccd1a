import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandResult, root, run, Stack } from "../../tools/lab/pulumi";
import { forget, standIn } from "../plugins/clouds/install";
import { linkTools, npmQuiet, ours, pack } from "./packed";

const program = `
import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster } from "pulumi-swarm";
import * as aws from "pulumi-swarm/aws";

const count = new pulumi.Config().getNumber("managers") ?? 3;
const control = aws.hosts({ role: "manager", count, region: "eu-west-1", image: { id: "ami-00000000000000000" } });
const swarm = new SwarmCluster("ec2", {
  firewall: { ssh: ["198.51.100.0/24"], expose: { https: { port: 443, from: ["world"] } } },
  hosts: { control },
});
export const dockerHost = swarm.dockerHost;
`;

/** A package in the version that this project is tested with. */
const pinned = (name: string): string => `${name}@${ours(name)}`;

describe("the packed package, in a program for one cloud", function () {
  this.timeout(300_000);
  const { env, account } = standIn("aws", "consumer");
  let folder = "";
  let stack: Stack;

  const inFolder = async (command: string, ...args: string[]): Promise<CommandResult> => run(command, args, { cwd: folder, env: stack.env });
  const install = async (...names: string[]): Promise<void> => {
    const installed = await inFolder("npm", "install", ...npmQuiet, ...names);
    assert.equal(installed.code, 0, installed.stderr);
    linkTools(folder);
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-cloud-consumer-"));
    stack = new Stack("cloud-consumer", folder, env);
    const { tarball } = await pack(folder);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true }));
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: { module: "nodenext", strict: true, noEmit: true, types: ["node"], rootDir: ".", skipLibCheck: true },
        include: ["index.ts"],
      }),
    );
    writeFileSync(join(folder, "Pulumi.yaml"), "name: cloud-consumer\nruntime: nodejs\n");
    writeFileSync(join(folder, "index.ts"), program);
    await install(tarball, pinned("@pulumi/pulumi"), pinned("@pulumi/aws"));
    await stack.init();
  });
  after(async () => {
    await forget(account);
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("compiles with this cloud's package alone", async () => {
    const compiled = await run("node", [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", folder], { cwd: folder });
    assert.equal(compiled.code, 0, compiled.stdout);
    for (const other of ["hcloud", "docker", "policy"]) {
      assert.throws(() => readFileSync(join(folder, "node_modules", "@pulumi", other, "package.json")), { code: "ENOENT" }, other);
    }
  });

  it("previews a cluster, and reviews the preview", async () => {
    const preview = await stack.preview("--json", "--show-sames");
    assert.equal(preview.code, 0, preview.stdout + preview.stderr);
    assert.equal(
      (JSON.parse(preview.stdout) as { steps: { urn: string }[] }).steps.filter(({ urn }) => urn.includes("ec2/instance:Instance::")).length,
      3,
    );
    writeFileSync(join(folder, "preview.json"), preview.stdout);
    const review = await inFolder("npx", "--no-install", "pulumi-swarm", "review", "preview.json", "--format", "markdown", "--fail-on", "world-open");
    assert.equal(review.code, 2, `a port is open to the world: ${review.stdout}${review.stderr}`);
    assert.match(review.stdout, /^<!-- pulumi-swarm review -->\n/);
    assert.match(review.stdout, /world-open/);
    assert.match(review.stdout, /https/);
  });

  it("is held by its policy pack, once the SDK for policies is there", async () => {
    const pack = join("node_modules", "pulumi-swarm", "policy");
    const without = await stack.preview("--policy-pack", pack);
    assert.notEqual(without.code, 0);
    assert.match(without.stdout + without.stderr, /@pulumi\/policy/, "says what is missing");
    await install(pinned("@pulumi/policy"));
    writeFileSync(join(folder, "policy.json"), JSON.stringify({ all: "mandatory", "world-open": { allow: ["https"] } }));
    await stack.setConfig({ managers: "1" });
    const preview = await stack.preview("--policy-pack", pack, "--policy-pack-config", "policy.json");
    assert.notEqual(preview.code, 0);
    assert.match(preview.stdout, /\[mandatory\] {2}quorum-loss {2}\(pulumi-swarm:index:SwarmCluster: ec2\)/);
    assert.doesNotMatch(preview.stdout, /\[\w+\] {2}world-open/);
    const own = await inFolder("node", "-p", 'require("pulumi-swarm/policy").swarmPolicies().length');
    assert.equal(own.stdout.trim(), "5", `for a pack of their own: ${own.stderr}`);
  });
});
