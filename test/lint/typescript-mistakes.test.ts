import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";

/*
 * What the compiler says of mistakes in a TypeScript program, which never runs then. The lines themselves are held by @ts-expect-error; here
 * is what a person reads of each. UPDATE_GOLDEN=1 writes it.
 */

const root = join(__dirname, "..", "..");
const file = join(root, "test", "graph", "mistakes", "typescript.ts");
const golden = join(root, "test", "graph", "golden", "mistakes", "typescript.txt");
const marker = "// @ts-expect-error ";

/** The program with nothing expected, so that the compiler says what it would say to a user. */
function diagnostics(text: string): readonly ts.Diagnostic[] {
  const config = ts.readConfigFile(join(root, "tsconfig.json"), (name) => ts.sys.readFile(name));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const readFile = host.readFile.bind(host);
  host.readFile = (name) => (name === file ? text : readFile(name));
  const program = ts.createProgram([file], { ...options, noEmit: true }, host);
  return program.getSemanticDiagnostics(program.getSourceFile(file));
}

describe("mistakes that the compiler tells", function () {
  this.timeout(120_000);

  it("are each told in one error, in words that name the option or the type", () => {
    const text = readFileSync(file, "utf8").replaceAll(marker, "// ");
    const lines = text.split("\n");
    const errors = diagnostics(text);
    const told = errors.map(({ start = 0, messageText }) => {
      const line = text.slice(0, start).split("\n").length;
      // The title stands above the mistake, which may take several lines.
      const title = [...lines.slice(0, line)].reverse().find((each) => each.trim().startsWith("// ")) ?? "";
      return { title: title.trim().slice(3), message: ts.flattenDiagnosticMessageText(messageText, "\n") };
    });
    const titles = readFileSync(file, "utf8")
      .split("\n")
      .flatMap((line) => (line.includes(marker) ? [line.trim().slice(marker.length)] : []));
    assert.deepEqual(
      told.map(({ title }) => title),
      titles,
    );
    const written = told.map(({ title, message }) => `== ${title}\n${message.replaceAll(root, "")}\n`).join("\n");
    if (process.env["UPDATE_GOLDEN"]) writeFileSync(golden, written);
    assert.equal(written, readFileSync(golden, "utf8"));
  });
});
