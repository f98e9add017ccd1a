import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run, Stack } from "../../tools/lab/pulumi";
import { clientKey, partOfClientKey } from "../unit/client-key";
import { linkTools, npmQuiet, pack, rackHosts } from "./packed";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { find } = require("../../tools/setup/programs.js") as { find: (name: string) => string | undefined };

const program = `
import { SwarmCluster } from "pulumi-swarm";
import * as existing from "pulumi-swarm/existing";

const swarm = new SwarmCluster("rack", {
  firewall: { ssh: ["198.51.100.0/24"] },
  hosts: {
    rack: ${rackHosts},
  },
  networks: { web: {} },
});
export const dockerHost = swarm.dockerHost;
`;

const inYaml = `
name: consumer
runtime: yaml
plugins:
  providers:
    - name: swarm
      path: node_modules/pulumi-swarm/plugin
resources:
  rack:
    type: swarm:index:Cluster
    properties:
      firewall: { ssh: [198.51.100.0/24] }
      hosts:
        rack:
          provider: existing
          role: manager
          privateKey: { "fn::secret": ${JSON.stringify(clientKey)} }
          machines:
            a: { address: 192.0.2.10, hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI }
`;

describe("the packed package", function () {
  this.timeout(240_000);
  let folder = "";

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-consumer-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("is installed by a program outside this project, compiles there, and previews a cluster", async () => {
    const { tarball, files } = await pack(folder);
    assert.ok(
      files.every((path) => !path.startsWith("dist/tools")),
      "no tool of ours is in it",
    );
    assert.ok(
      files.some((path) => path.endsWith("engine/probe.sh")),
      "the scripts are in it",
    );

    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true }));
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: { module: "nodenext", strict: true, noEmit: true, skipLibCheck: false, types: ["node"], rootDir: "." },
        include: ["index.ts"],
      }),
    );
    writeFileSync(join(folder, "Pulumi.yaml"), "name: consumer\nruntime: nodejs\n");
    writeFileSync(join(folder, "index.ts"), program);
    const installed = await run("npm", ["install", ...npmQuiet, tarball], {
      cwd: folder,
    });
    assert.equal(installed.code, 0, installed.stderr);
    linkTools(folder);
    const compiled = await run("node", [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", folder], { cwd: folder });
    assert.equal(compiled.code, 0, compiled.stdout);

    const stack = new Stack("consumer", folder);
    await stack.init();
    try {
      const preview = await stack.preview("--diff");
      assert.equal(preview.code, 0, preview.stdout + preview.stderr);
      assert.match(preview.stdout, /pulumi-swarm:index:SwarmCluster/);
      assert.match(preview.stdout, /create\s*: "node_modules\/pulumi-swarm\/dist\/components\/agents\/swarm-up\.js"/);
      assert.match(preview.stdout, /pulumi-swarm:index:FirewallRule: \(create\)/);
      await inOtherLanguages(stack, folder);
    } finally {
      await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    }
  });

  it("is what npm would publish, as far as that can be tried where there is no registry", async () => {
    const { tarball } = await pack(folder);
    const nowhere = ["--registry", "http://127.0.0.1:9", "--fetch-retries", "0"];
    const { code, stderr } = await run("npm", ["publish", "--dry-run", "--ignore-scripts", ...nowhere, tarball], { cwd: folder });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /with tag latest and public access \(dry-run\)/);
  });
});

/** The same package is the plugin of programs in other languages, and needs no package of a cloud for machines that stand. */
async function inOtherLanguages(stack: Stack, folder: string): Promise<void> {
  if (find("pulumi-language-yaml") === undefined)
    return void process.stdout.write("      without pulumi-language-yaml (npm run setup says why): no YAML\n");
  writeFileSync(join(folder, "Pulumi.yaml"), inYaml);
  const preview = await stack.preview("--diff");
  assert.equal(preview.code, 0, preview.stdout + preview.stderr);
  assert.match(preview.stdout, /swarm:index:Cluster: \(create\)/);
  assert.match(preview.stdout, /create\s*: "node_modules\/pulumi-swarm\/dist\/components\/agents\/swarm-up\.js"/);
  assert.ok(!preview.stdout.includes(partOfClientKey));
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    inYaml.replace("provider: existing", "provider: hetzner").replace(/ +(privateKey|machines|a): .*\n| +machines:\n/g, ""),
  );
  const withoutPackage = await stack.preview();
  assert.match(
    withoutPackage.stdout,
    /hosts\.rack\.provider: hosts of hetzner need the npm package @pulumi\/hcloud, .* Fix: npm install @pulumi\/hcloud/,
  );
}
