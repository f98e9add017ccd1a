import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brokenLinks } from "../../tools/docs/links";
import { root, run } from "../../tools/lab/pulumi";
import { install, installPrograms, type Program, programFile, repack, storedBy, typed, writeAll, writeProject } from "./consumers";
import { ours, pack } from "./packed";

/**
 * States name these files, below `node_modules/pulumi-swarm`, and a destroy runs what the state names: a promise to every cluster that stands.
 * A program may be added. None may be moved, renamed or removed.
 */
const promised = [
  "gateway-down",
  "gateway-up",
  "hosts-down",
  "hosts-up",
  "intent",
  "network-down",
  "network-up",
  "nodes",
  "swarm-down",
  "swarm-up",
].map((name) => `dist/components/agents/${name}.js`);

const { exports, engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  exports: Record<string, unknown>;
  engines: { node: string };
};
const entries = Object.keys(exports)
  .filter((path) => path !== "./package.json")
  .map((path) => path.replace(/^\./, "pulumi-swarm"));

/** Skips what cannot be tested here; `installPrograms` has said why. */
function need(context: Mocha.Context, program: Program): string {
  const file = programFile(program);
  if (file === undefined) context.skip();
  return file;
}

describe("programs of strangers", function () {
  this.timeout(600_000);
  let home = "";
  let tarball = "";
  let files: readonly string[] = [];

  before(async () => {
    home = realpathSync(mkdtempSync(join(tmpdir(), "pulumi-swarm-strangers-")));
    ({ tarball, files } = await pack(home));
    await installPrograms();
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  describe("find in the package", () => {
    it("the programs that states name", () => {
      const agents = files.filter((file) => /^dist\/components\/agents\/(hosts|intent|network-|nodes|swarm-).*\.js$/.test(file));
      assert.deepEqual(
        promised.filter((file) => !files.includes(file)),
        [],
        "gone",
      );
      assert.deepEqual(
        agents.filter((file) => !promised.includes(file)),
        [],
        "new: add it to the promise",
      );
    });

    it("no source map, as there are no sources", () => {
      const maps = files.filter((file) => file.endsWith(".map"));
      assert.deepEqual(maps, []);
    });

    it("what each page of it links to", async () => {
      const unpacked = join(home, "pages");
      mkdirSync(unpacked);
      const tar = await run("tar", ["-xzf", tarball, "-C", unpacked]);
      assert.equal(tar.code, 0, tar.stderr);
      const pages = files.filter((file) => file.endsWith(".md"));
      assert.ok(pages.includes("README.md") && pages.includes("docs/hosts.md"), pages.join(" "));
      assert.deepEqual(
        pages.flatMap((page) => brokenLinks(join(unpacked, "package"), page)),
        [],
      );
      // What is not in the package is linked to in the repository.
      const inRepository = pages.flatMap((page) => [
        ...readFileSync(join(root, page), "utf8").matchAll(/https:\/\/github\.com\/pulumi-swarm\/pulumi-swarm\/blob\/main\/([^)\s#]+)/g),
      ]);
      assert.deepEqual(
        inRepository.map(([, file = ""]) => file).filter((file) => !existsSync(join(root, file))),
        [],
      );
    });

    it("what publint asks for", async function () {
      const publint = need(this, "publint");
      const looked = await run(process.execPath, [publint, "run", tarball, "--strict"]);
      assert.equal(looked.code, 0, looked.stdout + looked.stderr);
    });

    it("types that Are The Types Wrong finds right", async function () {
      const attw = need(this, "attw");
      const looked = await run(process.execPath, [attw, tarball, "--no-color", "--no-emoji", "--format", "ascii"]);
      assert.equal(looked.code, 0, looked.stdout + looked.stderr);
    });
  });

  describe("installed by npm", () => {
    let project = "";
    before(async () => {
      project = join(home, "npm");
      const clouds = ["@pulumi/aws", "@pulumi/docker", "@pulumi/hcloud", "@pulumi/policy"];
      writeProject(project, tarball, Object.fromEntries(clouds.map((name) => [name, ours(name)])));
      const installed = await install(project, "npm");
      assert.equal(installed?.code, 0, installed?.stderr);
      const load = `for (const entry of ${JSON.stringify(entries)})`;
      writeAll(project, {
        "load.cjs": `${load} require(entry);\n`,
        "load.mjs": [
          `import { SwarmCluster, native } from "pulumi-swarm";`,
          `import { hosts } from "pulumi-swarm/existing";`,
          `if ([SwarmCluster, native, hosts].some((one) => typeof one !== "function")) throw new Error("not there by name");`,
          `${load} await import(entry);`,
        ].join("\n"),
      });
    });

    for (const version of ["node-20.19", "node-22.12", "node-24", "node-latest"] as const) {
      describe(`load on ${version.replace("-", " ")}`, () => {
        for (const [what, file] of [
          ["every entry by require", "load.cjs"],
          ["every entry by import", "load.mjs"],
        ] as const) {
          it(what, async function () {
            const loaded = await run(need(this, version), [file], { cwd: project });
            assert.equal(loaded.code, 0, loaded.stderr);
            assert.equal(loaded.stderr, "");
          });
        }

        it("every program that Pulumi runs against hosts", async function () {
          const node = need(this, version);
          const said = await Promise.all(promised.map(async (file) => run(node, [join("node_modules/pulumi-swarm", file)], { cwd: project })));
          // They get as far as reading the request, and are given none.
          assert.deepEqual(
            said.map(({ code, stdout, stderr }) => `${code} ${stderr}${stdout.split(".")[0]}`),
            promised.map(() => "1 what this program was asked is cut off: 0 bytes that are no JSON"),
          );
        });

        it("the program pulumi-swarm, and the plugin", async function () {
          const node = need(this, version);
          const cli = await run(node, ["node_modules/pulumi-swarm/dist/components/cli/main.js", "--help"], { cwd: project });
          assert.match(`${cli.code} ${cli.stdout}${cli.stderr}`, /^0 Usage: pulumi-swarm VERB/);
          const plugin = await run(node, ["-e", 'require("./node_modules/pulumi-swarm/dist/plugin/provider.js")'], { cwd: project });
          assert.equal(`${plugin.code} ${plugin.stderr}`, "0 ");
        });
      });
    }

    describe("are refused on node 22.11", () => {
      const words = (node: string): string => `Node v22.11.0 (${node}) cannot run pulumi-swarm, which needs ${engines.node}`;

      it("by each program that Pulumi runs against hosts, in a sentence", async function () {
        const node = need(this, "node-22.11");
        for (const file of promised) {
          const { code, stderr } = await run(node, [join("node_modules/pulumi-swarm", file)], { cwd: project });
          const fix = "install a newer Node, such as 24, and put it first on the PATH of the shell that runs pulumi";
          assert.equal(`${code} ${stderr}`, `1 ${words(node)}. Nothing was changed. Fix: ${fix}\n`, file);
        }
      });

      it("where the user's program loads what cannot run there", async function () {
        const node = need(this, "node-22.11");
        const script = `try { require("pulumi-swarm/aws") } catch (e) { console.log(require("@pulumi/pulumi").RunError.isInstance(e), e.message) }`;
        const { stdout, stderr } = await run(node, ["-e", script], { cwd: project });
        assert.equal(stdout, `true ${words(node)}. Fix: install a newer Node, such as 24\n`, stderr);
      });

      it("at preview, where it is first on PATH and the program runs on another", async function () {
        const node = need(this, "node-22.11");
        await storedBy(project);
        const env = { ...process.env, PATH: `${join(node, "..")}:${process.env["PATH"]}` };
        const { code, stderr } = await run(process.execPath, ["storing.js"], { cwd: project, env });
        assert.notEqual(code, 0);
        assert.match(
          stderr,
          /- node: the first node on PATH is v22\.11\.0 \(.*\/node-22\.11\/bin\/node\), and it does the work on hosts, which needs/,
        );
      });
    });

    for (const version of ["4.9", "5.4", "5.9", "6.0"] as const) {
      describe(`compile with TypeScript ${version}`, () => {
        for (const [what, options, file] of [
          [
            "moduleResolution node10",
            { module: "commonjs", moduleResolution: "node", ...(version === "6.0" && { ignoreDeprecations: "6.0" }) },
            "index.ts",
          ],
          ["moduleResolution nodenext, CommonJS", { module: "nodenext", moduleResolution: "nodenext" }, "index.cts"],
          ["moduleResolution nodenext, ESM", { module: "nodenext", moduleResolution: "nodenext" }, "index.mts"],
          ...(version !== "6.0" ? [] : [["moduleResolution bundler, ESM", { module: "esnext", moduleResolution: "bundler" }, "index.mts"] as const]),
        ] as const) {
          it(what, async function () {
            const tsc = need(this, `typescript-${version}`);
            const compilerOptions = { ...options, target: "es2022", strict: true, noEmit: true, skipLibCheck: true, types: ["node"] };
            writeAll(project, { [file]: typed, "tsconfig.json": JSON.stringify({ compilerOptions, files: [file] }) });
            const { code, stdout } = await run(process.execPath, [tsc, "-p", "."], { cwd: project });
            assert.equal(code, 0, stdout);
          });
        }
      });
    }

    it("find the types of every entry with moduleResolution node10", () => {
      // eslint-disable-next-line @typescript-eslint/no-require-imports
      const ts = require("typescript") as typeof import("typescript");
      const lost = entries.filter((entry) => {
        const { resolvedModule } = ts.resolveModuleName(
          entry,
          join(project, "index.ts"),
          { moduleResolution: ts.ModuleResolutionKind.Node10, module: ts.ModuleKind.CommonJS },
          ts.sys,
        );
        return resolvedModule?.extension !== ".d.ts";
      });
      assert.deepEqual(lost, []);
    });
  });

  for (const manager of ["pnpm", "yarn"] as const) {
    describe(`installed by ${manager}`, () => {
      let project = "";
      before(async function () {
        project = join(home, manager);
        writeProject(project, tarball);
        const installed = await install(project, manager);
        if (installed === undefined) this.skip();
        assert.equal(installed.code, 0, installed.stdout + installed.stderr);
      });

      it("compile", async function () {
        const tsc = need(this, "typescript-6.0");
        const compilerOptions = { module: "nodenext", target: "es2022", strict: true, noEmit: true, skipLibCheck: true, types: ["node"] };
        writeAll(project, { "index.ts": typed, "tsconfig.json": JSON.stringify({ compilerOptions, files: ["index.ts"] }) });
        const { code, stdout } = await run(process.execPath, [tsc, "-p", "."], { cwd: project });
        assert.equal(code, 0, stdout);
      });

      it("store paths that have no version in them, and run", async () => {
        const stored = await storedBy(project);
        const inState = (name: string): string => `node_modules/pulumi-swarm/dist/components/agents/${name}.js`;
        assert.deepEqual(
          stored.map(({ name, create, delete: undo }) => [name, create, undo]),
          [
            ["rack-swarm-intent", inState("intent"), inState("swarm-down")],
            ["rack-swarm", inState("swarm-up"), undefined],
            ["rack-nodes", inState("nodes"), undefined],
          ],
        );
        const ran = await run(process.execPath, [inState("intent")], { cwd: project, stdin: JSON.stringify({ hosts: [], holders: [] }) });
        assert.match(`${ran.code} ${ran.stdout}`, /^0 \{"mark":"[0-9a-f-]{36}","generation":1,"ways":\[\],"firstManagers":\[\]\}\n$/, ran.stderr);
      });

      if (manager === "pnpm") {
        it("run what an older state names after an upgrade", async () => {
          const [before] = await storedBy(project);
          writeProject(project, await repack(tarball, "0.99.0", home));
          const upgraded = await install(project, manager);
          assert.equal(upgraded?.code, 0, upgraded?.stderr);
          const store = readdirSync(join(project, "node_modules", ".pnpm")).filter((name) => name.startsWith("pulumi-swarm@"));
          assert.match(store.join(" "), /0\.99\.0/);
          assert.ok(existsSync(join(project, before?.delete ?? "nothing")), before?.delete);
          assert.deepEqual((await storedBy(project))[0], before);
        });
      }
    });
  }
});
