import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { blocksOf } from "../../tools/docs/blocks";

const root = join(__dirname, "..", "..");
const templates = readdirSync(join(root, "templates"));

interface Project {
  readonly name: string;
  readonly description: string;
  readonly runtime: string;
  readonly template: {
    readonly displayName: string;
    readonly description: string;
    readonly config: Readonly<Record<string, { readonly description: string; readonly default?: string; readonly secret?: boolean }>>;
  };
}

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const read = (...path: readonly string[]): string => readFileSync(join(root, ...path), "utf8");
const own = JSON.parse(read("package.json")) as Manifest;
const readme = blocksOf("README.md", read("README.md"));

/** Keys of the program's configuration, as `pulumi config set` takes them, and whether one may be left out. */
function keysOf(program: string): ReadonlyMap<string, boolean> {
  const calls = program.matchAll(/(?:Config\((?:"(\w+)")?\)|\bconfig)\.(require|get)\w*(?:<[^(]*>)?\("(\w+)"\)/g);
  return new Map([...calls].map(([, group, call, key = ""]) => [group === undefined ? key : `${group}:${key}`, call === "get"]));
}

/** Asked for by a provider, and not by the program. */
const ofProviders = ["hcloud:token"];

// What the programs themselves are worth, test/lint/reference.test.ts finds out: it compiles and runs them.
describe("the templates of pulumi new", () => {
  it("are there for machines that one has, Hetzner and AWS", () => {
    assert.deepEqual(templates.sort(), ["swarm-aws-typescript", "swarm-existing-typescript", "swarm-hetzner-typescript"]);
  });

  for (const name of templates) {
    const project = parse(read("templates", name, "Pulumi.yaml")) as Project;
    const program = read("templates", name, "index.ts");

    it(`${name} is told of as pulumi new wants it`, () => {
      assert.equal(project.name, "${PROJECT}");
      assert.equal(project.description, "${DESCRIPTION}");
      assert.equal(project.runtime, "nodejs");
      for (const text of [project.template.displayName, project.template.description]) assert.match(text, /Swarm/);
    });

    it(`${name} asks for what its program reads, and for nothing else`, () => {
      const keys = keysOf(program);
      const asked = Object.entries(project.template.config);
      assert.deepEqual(
        asked
          .map(([key]) => key)
          .filter((key) => !ofProviders.includes(key))
          .sort(),
        [...keys.keys()].sort(),
      );
      for (const [key, { description, default: preset, secret = false }] of asked) {
        assert.ok(description.length > 10, key);
        if (keys.get(key) === true)
          assert.ok(program.includes(`"${preset}"`) || program.includes(` ${preset}`), `${key}: the program has another default`);
        assert.equal(secret, /token|password/i.test(key), `${key}: is it a secret?`);
      }
    });

    it(`${name} keeps what is secret, and what is installed, out of git`, () => {
      const lines = read("templates", name, ".gitignore").split("\n");
      assert.ok(lines.includes("node_modules/"));
      for (const [, folder = ""] of program.matchAll(/writeKeyTo: "([^"]*\/)/g)) assert.ok(lines.includes(folder), folder);
      assert.equal(existsSync(join(root, "templates", name, "node_modules")), false);
    });

    it(`${name} is what the README has its reader write`, () => {
      const written = readme.filter(({ language }) => language === "ts").map(({ text }) => text);
      assert.ok(written.includes(program), "README.md has another program");
      const shell = readme.filter(({ language }) => language === "sh").map(({ text }) => text);
      assert.ok(
        shell.some((text) => text.includes(read("templates", name, "tsconfig.json"))),
        "README.md has another tsconfig.json",
      );
      for (const key of keysOf(program).keys()) {
        const isSaid = shell.some((text) => new RegExp(`pulumi config set (--secret )?${key}\\b`).test(text));
        assert.ok(isSaid || keysOf(program).get(key) === true, `README.md does not set ${key}`);
      }
    });
  }

  for (const folder of [...templates.map((name) => `templates/${name}`), "examples/services"]) {
    it(`${folder} takes the packages that this one is made for`, () => {
      const { "pulumi-swarm": itself, "@pulumi/pulumi": sdk, ...providers } = (JSON.parse(read(folder, "package.json")) as Manifest).dependencies;
      assert.equal(itself, `^${own.version}`);
      assert.equal(sdk, own.dependencies["@pulumi/pulumi"]);
      for (const [provider, range] of Object.entries(providers)) assert.equal(range, own.peerDependencies[provider], provider);
    });
  }
});
