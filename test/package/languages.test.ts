import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandResult, root, run, Stack } from "../../tools/lab/pulumi";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { find } = require("../../tools/setup/programs.js") as { find: (name: string) => string | undefined };

const schema = join(root, "plugin", "schema.json");

/** Leaves the tests out where the machine has no such programs, and says so. */
function needs(test: Mocha.Context, language: string, ...programs: readonly string[]): void {
  const missing = programs.filter((program) => find(program) === undefined);
  if (missing.length === 0) return;
  process.stdout.write(`      ${missing.join(", ")} not here (npm run setup says why): the example in ${language} is not tried\n`);
  test.skip();
}

function good(result: CommandResult): CommandResult {
  assert.equal(result.code, 0, result.stdout + result.stderr);
  return result;
}

/** An example in a folder of its own, with the package beside it as npm puts it there. */
function copyExample(language: string): string {
  const folder = mkdtempSync(join(tmpdir(), `pulumi-swarm-${language}-`));
  cpSync(join(root, "examples", language), folder, { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules", "pulumi-swarm"));
  return folder;
}

describe("the example in Go", function () {
  this.timeout(900_000);
  this.bail(true);
  let folder = "";

  before(async function () {
    needs(this, "Go", "go", "write-sdk");
    folder = copyExample("go");
    // What `pulumi package gen-sdk` writes where the language host is as new as the CLI.
    good(await run("write-sdk", ["go", schema, join(folder, "sdks", "go")]));
  });
  after(() => {
    if (folder !== "") rmSync(folder, { recursive: true, force: true });
  });

  it("compiles with the package that is written from the schema", async function () {
    const tidied = await run("go", ["mod", "tidy"], { cwd: folder });
    if (/dial tcp|no such host|connection refused|403 Forbidden/.test(tidied.stderr)) {
      process.stdout.write("      no Go module proxy answers: the example in Go is not compiled\n");
      this.skip();
    }
    good(tidied);
    good(await run("go", ["vet", "."], { cwd: folder }));
    good(await run("go", ["build", "-o", "program", "."], { cwd: folder }));
  });

  it("previews the cluster that the other languages preview", async function () {
    needs(this, "Go", "pulumi-language-go");
    const stack = new Stack("example-go", folder);
    await stack.init();
    try {
      const { stdout } = good(await stack.preview());
      assert.match(stdout, /Swarm cluster "example-go"\n +hosts +1 manager \(control 1\), 1 worker \(edge 1\)/);
      assert.match(stdout, /pulumi-swarm:index:FirewallRule example-go-https create/);
      assert.match(stdout, /dockerHost: "ssh:\/\/root@10\.213\./);
    } finally {
      await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    }
  });
});

/** Each name of a class's or a type's own members, of all files of the generated package. */
function membersOf(folder: string): ReadonlyMap<string, ReadonlySet<string>> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".cs"));
  const members = new Map<string, Set<string>>();
  for (const file of files) {
    let type = "";
    for (const line of readFileSync(join(folder, file), "utf8").split("\n")) {
      type = /^ {4}public .*\b(?:class|struct) (\w+)/.exec(line)?.[1] ?? type;
      const member = /^ {8}public (?:static )?[\w.:<>?, ]+ (\w+)(?:$| \{| =>)/.exec(line)?.[1];
      if (member !== undefined) members.set(type, (members.get(type) ?? new Set()).add(member));
    }
  }
  return members;
}

/** The names that a program uses of the package, each with its type: `HostRole.Manager`, `cluster.SwarmId`, `new NetworkArgs { Internal = true }`. */
function namesIn(program: string): readonly (readonly [type: string, member: string])[] {
  const values = [...program.matchAll(/\b(HostProvider|HostRole|OverlayKind)\.(\w+)/g)].map(([, type = "", member = ""]) => [type, member] as const);
  const outputs = [...program.matchAll(/\bcluster\.(\w+)/g)].map(([, member = ""]) => ["Cluster", member] as const);
  const set: (readonly [type: string, member: string])[] = [];
  const open: string[] = [];
  let next = "";
  for (const [word, type = "", member] of program.matchAll(/\bnew(?: (\w+))?|\b([A-Z]\w*)(?= = )|[{}]/g)) {
    if (member !== undefined) set.push([open.at(-1) ?? "", member]);
    else if (word === "}") open.pop();
    else if (word === "{") {
      open.push(next);
      next = "";
    } else next = type;
  }
  return [...values, ...outputs, ...set];
}

// Nobody has a .NET SDK where the tests run, so that no more than the names can be compared.
describe("the example in C#", function () {
  this.timeout(60_000);
  let folder = "";

  before(async function () {
    needs(this, "C#", "dotnet-sdk");
    folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-csharp-"));
    good(await run("dotnet-sdk", [schema, folder]));
  });
  after(() => {
    if (folder !== "") rmSync(folder, { recursive: true, force: true });
  });

  it("refers to the project that is written from the schema, and to its namespace", () => {
    const project = readFileSync(join(root, "examples", "csharp", "swarm-in-csharp.csproj"), "utf8");
    const [, name = ""] = /ProjectReference Include="sdks\/dotnet\/([^"]+)"/.exec(project) ?? [];
    assert.ok(readdirSync(folder).includes(name), name);
    assert.match(readFileSync(join(folder, "Cluster.cs"), "utf8"), /^namespace PulumiSwarm\.Swarm$/m);
    assert.match(
      readFileSync(join(root, "examples", "csharp", "Program.cs"), "utf8"),
      /^using PulumiSwarm\.Swarm;\nusing PulumiSwarm\.Swarm\.Inputs;$/m,
    );
  });

  it("could export the line for Prometheus", () => {
    assert.ok(membersOf(folder).get("Cluster")?.has("Prometheus"));
  });

  it("names no type and no property that the package does not have", () => {
    const members = membersOf(folder);
    const names = namesIn(readFileSync(join(root, "examples", "csharp", "Program.cs"), "utf8"));
    assert.ok(names.length > 15, "the program names more than that");
    const unknown = names.filter(([type, member]) => members.get(type)?.has(member) !== true).map((name) => name.join("."));
    assert.deepEqual(unknown, []);
  });
});
