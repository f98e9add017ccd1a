import assert from "node:assert/strict";
import { root, run } from "../../tools/lab/pulumi";

/** Packages of clouds and of Docker that are loaded with a part of this package. */
async function loadedWith(part: string): Promise<string[]> {
  const script = `
    require(${JSON.stringify(part)});
    const names = Object.keys(require.cache).map((file) => /@pulumi\\/(?!pulumi\\/|command\\/)[a-z-]+/.exec(file)?.[0]);
    console.log(JSON.stringify([...new Set(names)].filter(Boolean)));`;
  const { code, stdout, stderr } = await run("node", ["-e", script], { cwd: root });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as string[];
}

describe("a program for one kind of hosts", function () {
  this.timeout(30_000);

  it("loads no package of another", async () => {
    assert.deepEqual(await loadedWith("pulumi-swarm"), []);
    assert.deepEqual(await loadedWith("pulumi-swarm/existing"), []);
    assert.deepEqual(await loadedWith("pulumi-swarm/local"), ["@pulumi/docker"]);
    assert.deepEqual(await loadedWith("pulumi-swarm/aws"), ["@pulumi/aws"]);
    assert.deepEqual(await loadedWith("pulumi-swarm/hetzner"), ["@pulumi/hcloud"]);
    assert.deepEqual(await loadedWith("./dist/plugin/provider.js"), [], "the plugin for other languages");
  });
});
