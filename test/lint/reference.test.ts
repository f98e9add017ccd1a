import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as ts from "typescript";
import { parse } from "yaml";
import { deriveSshKey } from "../../components/remote/ssh-key";
import { type Block, blocksOf, complaints, fileOf, hostKey, programFiles, programOf } from "../../tools/docs/blocks";
import { pagesIn } from "../../tools/docs/pages";
import { createProgram, entryPoints, exportedNames } from "../../tools/docs/program";
import { pagesOf, writeReference } from "../../tools/docs/reference";
import { staleReport, writeReports } from "../../tools/docs/report";

const root = join(__dirname, "..", "..");
const entries = entryPoints(root);
const blocks = pagesIn(root).flatMap((page) => blocksOf(page, readFileSync(join(root, page), "utf8")));
const code = [...blocks.filter(({ language }) => language === "ts"), ...programFiles(root)];
const exported = exportedNames(entries);
const between = join(root, ".lab", "api-check");

const wrong: Block = { page: "docs/page.md", line: 10, language: "ts", text: "const a = 1;\nnew SwarmCluster('a', { hots: {} });\n" };
const stray: Block = { page: "docs/page.md", line: 20, language: "ts", text: "addressSpace: 10,\n" };

/** Made once: each costs seconds. */
let program: ts.Program;
// Only what lies in the package has to be documented.
mkdirSync(join(root, ".lab"), { recursive: true });
const folder = mkdtempSync(join(root, ".lab", "reference-"));
writeFileSync(join(folder, "key"), deriveSshKey("a reader", "client").privateKey);
before(function () {
  this.timeout(180_000);
  program = createProgram(root, entries, programsOf([...code, wrong, stray]), between);
});
after(() => {
  for (const made of [folder, between]) rmSync(made, { recursive: true, force: true });
});

function programsOf(some: readonly Block[]): Readonly<Record<string, string>> {
  return Object.fromEntries(some.map((block) => [fileOf(root, block), programOf(block, entries, exported)]));
}

describe("the reference", function () {
  this.timeout(180_000);

  it("says something of all that is public, and is as the docstrings have it (npm run docs writes it)", async () => {
    assert.deepEqual(await writeReference(program, entries, join(folder, "reference")), []);
    assert.deepEqual(pagesOf(join(folder, "reference")), pagesOf(join(root, "docs", "api")), "docs/api is stale: npm run docs");
  });

  it("names what is public and says nothing of itself, and what is used and not exported", async () => {
    const made = ["one", "other"].map((page) => ({ name: page, page, source: join(folder, `${page}.ts`) }));
    writeFileSync(
      made[0]?.source ?? "",
      "interface Hidden { readonly a: string }\n/** A thing. */\nexport interface Thing {\n  readonly bare: Hidden;\n}\n",
    );
    writeFileSync(made[1]?.source ?? "", "/** One. */\nexport const one = 1;\n");
    const said = await writeReference(createProgram(root, made), made, join(folder, "made"));
    assert.equal(said.length, 2, said.join("\n"));
    assert.match(said.join("\n"), /Thing\.bare .*does not have any documentation/);
    assert.match(said.join("\n"), /Hidden.* is referenced by .*Thing\.bare but not included/);
  });
});

describe("the public surface", function () {
  this.timeout(180_000);

  it("is as the reports in api/ have it (npm run api writes them)", () => {
    const now = join(folder, "api");
    writeReports(root, program, entries, now, between);
    const [written, found] = [pagesOf(join(root, "api")), pagesOf(now)];
    const stale = [...new Set([...Object.keys(written), ...Object.keys(found)])].map((file) =>
      staleReport(`api/${file}`, written[file], found[file]),
    );
    assert.deepEqual(stale.filter(Boolean).join("\n"), "");
    assert.deepEqual(
      Object.keys(found),
      ["aws", "existing", "hetzner", "index", "local", "policy"].map((page) => `${page}.api.md`),
    );
    assert.match(found["index.api.md"] ?? "", /class SwarmCluster extends/);
  });

  it("says, when it changes, what is gone, what has come, and what to do", () => {
    const said = staleReport("api/index.api.md", "same\n  a: string;\n", "same\n  a?: string;\n");
    assert.match(
      said ?? "",
      /^what the package exports is not as api\/index\.api\.md says:\n- a: string;\n\+ a\?: string;\nFix: run npm run api, .* CHANGELOG\.md/,
    );
    assert.equal(staleReport("api/index.api.md", "same\n", "same\n"), undefined);
  });
});

describe("a block of code in a page", function () {
  this.timeout(180_000);
  quietly();
  // Before any engine is there: the clouds' packages take seconds to load.
  before(() => entries.forEach(({ name }) => load(name)));

  it("is compiled", () => {
    assert.deepEqual(
      code.flatMap((block) => complaints(program, root, block)),
      [],
    );
    assert.ok(code.length >= 15, `${code.length} blocks`);
  });

  it("is refused where it does not compile, by the page's own line", () => {
    assert.match(complaints(program, root, wrong).join("\n"), /^docs\/page\.md:12: .*'hots' does not exist in type 'SwarmClusterArgs'/);
    assert.match(complaints(program, root, stray).join("\n"), /^docs\/page\.md:21: Type 'number' is not assignable to type 'string'/);
  });

  for (const block of code.filter((one) => programOf(one, entries, exported).includes("new SwarmCluster("))) {
    it(`makes a cluster without a problem: ${block.page}:${block.line}`, async () => {
      const text = programOf(block, entries, exported);
      for (const [, group = "graph", key = ""] of text.matchAll(/(?:Config\((?:"(\w+)")?\)|\bconfig)\.(?:require|requireSecret)\("(\w+)"\)/g))
        pulumi.runtime.setConfig(`${group}:${key}`, answers[key] ?? "a value");
      await clusterMadeBy(text);
    });
  }

  it("is refused where its cluster cannot be planned", async () => {
    const block: Block = { page: "docs/page.md", line: 1, language: "ts", text: "hosts: { edge: local.hosts({ role: 'worker' }) },\n" };
    await assert.rejects(clusterMadeBy(programOf(block, entries, exported)), /hosts: no host is a manager\. Fix: /);
  });

  for (const { page, line, language, text } of blocks.filter((block) => block.language !== "ts")) {
    it(`is what it says to be: ${language || "text"} in ${page}:${line}`, () => assert.doesNotThrow(() => check(language, text)));
  }

  it("is not passed over where nobody knows its language, or where it has no end", () => {
    assert.throws(() => check("cobol", ""), /no check for blocks of cobol/);
    assert.throws(() => blocksOf("page.md", "a\n```ts\nconst a = 1;\n"), {
      message: "page.md:2: the block has no end. Fix: close it with three backticks",
    });
    assert.throws(() => check("sh", "if true; then\n"), /unexpected/);
    assert.throws(() => check("yaml", "a: [\n"));
  });
});

/** What a reader sets, where the program does not take any text. */
const answers: Readonly<Record<string, string>> = {
  address: "203.0.113.7",
  admin: "203.0.113.0/24",
  hostKey,
  keyFile: join(folder, "key"),
  region: "eu-west-1",
};

/** Without the summary that each preview logs. */
function quietly(): void {
  const { info } = pulumi.log;
  before(() => void Object.assign(pulumi.log, { info: () => {} }));
  after(() => void Object.assign(pulumi.log, { info }));
}

/** Resolves when the program has asked for a cluster; rejects with what it threw. */
async function clusterMadeBy(text: string): Promise<void> {
  let asked = (): void => {};
  const made = new Promise<void>((resolve) => (asked = resolve));
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        if (type === "pulumi-swarm:index:SwarmCluster") asked();
        return { id: `${name}-id`, state: inputs as Record<string, unknown> };
      },
      call: () => ({ id: "1" }),
    },
    "graph",
    "test",
    true,
  );
  // What cannot be planned is thrown here.
  evaluate(text);
  // The mocks answer no transforms, so nothing is asked for where there are some.
  if (!text.includes("transforms:")) await made;
}

// eslint-disable-next-line @typescript-eslint/no-require-imports
const load = (name: string): unknown => require(entries.find((entry) => entry.name === name)?.source ?? name);

/** Runs a program as it is written here, whatever was built last. */
function evaluate(text: string): void {
  const { outputText } = ts.transpileModule(text, { compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 } });
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  new Function("require", "exports", outputText)(load, {});
}

function check(language: string, text: string): void {
  switch (language) {
    case "":
    case "text":
    case "diff":
    case "mermaid":
      return;
    case "sh":
      return parses("sh", ["-n"], text);
    case "python":
      return parses("python3", ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], text);
    case "go":
      return isPartOf("examples/go/main.go", text);
    case "csharp":
      return isPartOf("examples/csharp/Program.cs", text);
    case "yaml":
      return void parse(text);
    case "json":
      return void JSON.parse(text);
    default:
      assert.fail(`there is no check for blocks of ${language}. Fix: write one in test/lint/reference.test.ts, or call them text`);
  }
}

/** Of an example that test/package/languages.test.ts compiles, or compares with the package that it uses. */
function isPartOf(example: string, text: string): void {
  const lines = (code: string): string =>
    code
      .split("\n")
      .map((line) => line.trim())
      .join("\n");
  assert.ok(lines(readFileSync(join(root, example), "utf8")).includes(lines(text)), `the block is no part of ${example}. Fix: change both`);
}

function parses(command: string, args: readonly string[], text: string): void {
  const { status, stderr, error } = spawnSync(command, args, { input: text, encoding: "utf8" });
  if (error) process.stdout.write(`      ${command} is not installed: its check is left out\n`);
  else assert.equal(status, 0, stderr);
}
