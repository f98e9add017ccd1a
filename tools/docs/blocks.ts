import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";
import type { EntryPoint } from "./program";

/*
 * The blocks of code in pages, so that a test can compile and run what a reader would copy. A block with an import is a program and is
 * taken as it is. One without gets, before it, the imports of what it names of the package, and those of `stand` that it names and does
 * not declare. One that begins with a property, as `firewall: {`, is arguments of a cluster.
 */

/** A fenced block of a page. */
export interface Block {
  readonly page: string;
  /** Of the fence, from 1. */
  readonly line: number;
  /** What stands behind the fence; empty for none. */
  readonly language: string;
  readonly text: string;
}

export function blocksOf(page: string, markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { readonly indent: string; readonly line: number; readonly language: string; readonly lines: string[] } | undefined;
  markdown.split("\n").forEach((text, index) => {
    const [, indent = "", language = ""] = /^( *)```(\w*)$/.exec(text) ?? [];
    if (!text.trimStart().startsWith("```")) open?.lines.push(text.startsWith(open.indent) ? text.slice(open.indent.length) : text);
    else if (!open) open = { indent, line: index + 1, language, lines: [] };
    else {
      blocks.push({ page, line: open.line, language: open.language, text: `${open.lines.join("\n")}\n` });
      open = undefined;
    }
  });
  if (open) throw new Error(`${page}:${open.line}: the block has no end. Fix: close it with three backticks`);
  return blocks;
}

/** Whole programs that readers copy as they are: the templates of `pulumi new`, and the examples in TypeScript. */
export function programFiles(root: string): readonly Block[] {
  const listed = execFileSync(
    "git",
    ["ls-files", "--cached", "--others", "--exclude-standard", "--", "examples/*/index.ts", "templates/*/index.ts"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  const pages = listed.split("\n").filter(Boolean);
  return pages.map((page) => ({ page, line: 0, language: "ts", text: readFileSync(join(root, page), "utf8") }));
}

/** A host's public key, as it stands for one that a reader puts in. */
export const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";

/** What pages may name without saying where it comes from, in an order in which each may use those before it. */
const stand: Readonly<Record<string, string>> = {
  docker: 'import * as docker from "@pulumi/docker";',
  pulumi: 'import * as pulumi from "@pulumi/pulumi";',
  config: "const config = new pulumi.Config();",
  privateKey: 'const privateKey = config.requireSecret("privateKey");',
  machines: `const machines = { a: { address: "203.0.113.7", hostKey: "${hostKey}" } };`,
  hosts: 'const hosts = { control: local.hosts({ role: "manager", count: 3 }), edge: local.hosts({ role: "worker", count: 2 }) };',
  swarm: 'const swarm = new SwarmCluster("example", { hosts });',
  provider: 'const provider = swarm.dockerProvider({ writeKeyTo: ".keys/example" });',
};

/** Texts that stand for one that a reader puts in, and one that is taken where the block is run. */
const placeholders: readonly (readonly [string, string])[] = [
  ["ssh-ed25519 AAAA…", hostKey],
  ["ssh-ed25519 BBBB…", hostKey],
  ["sha256:…", `sha256:${"0".repeat(64)}`],
];

/** A block as a program. What comes before it is all on the first line, so that lines can be told. */
export function programOf({ text }: Block, entries: readonly EntryPoint[], exported: ReadonlySet<string>): string {
  const filled = placeholders.reduce((all, [from, to]) => all.replaceAll(from, to), text);
  if (/^import /m.test(text)) return `\n${filled}export {};\n`;
  const isArguments = /^\w+: /.test(text.replaceAll(/^\s*\/\/.*\n/gm, ""));
  const [before, after] = isArguments
    ? ["const part: Partial<SwarmClusterArgs> = {", '}; new SwarmCluster("example", { hosts, firewall: { ssh: ["203.0.113.0/24"] }, ...part });']
    : ["", ""];
  return `${preludeFor(`${before}${filled}${after}`, entries, exported)}${before}\n${filled}${after}export {};\n`;
}

function preludeFor(text: string, entries: readonly EntryPoint[], exported: ReadonlySet<string>): string {
  const names = needed(text);
  const inPackage = [...names].filter((name) => exported.has(name) && !(name in stand));
  const imports = entries.map(({ name, page }) => {
    if (page !== "index") return names.has(page) ? `import * as ${page} from "${name}";` : "";
    return `import { ${inPackage.join(", ")} } from "${name}";`;
  });
  return [...imports, ...Object.entries(stand).map(([name, line]) => (names.has(name) ? line : ""))].join("");
}

/** The names that a text has but does not declare, and those that what stands for them needs. */
function needed(text: string): ReadonlySet<string> {
  const names = identifiers(text);
  for (const [name, line] of Object.entries(stand).reverse()) {
    if (names.has(name)) identifiers(line).forEach((other) => names.add(other));
  }
  for (const [, name = ""] of text.matchAll(/\b(?:const|let|function|class) (\w+)/g)) names.delete(name);
  return names;
}

/** No names of properties: `hosts: {` does not name anything. */
function identifiers(text: string): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const { parent } = node;
    const isProperty =
      parent && ((ts.isPropertyAssignment(parent) && parent.name === node) || (ts.isPropertyAccessExpression(parent) && parent.name === node));
    if (ts.isIdentifier(node) && !isProperty) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("block.ts", text, ts.ScriptTarget.Latest, true));
  return names;
}

/** Where a block's program is taken to lie: beside the package's dependencies. */
export function fileOf(root: string, { page, line }: Block): string {
  return join(root, ".lab", "blocks", `${page.replaceAll("/", "-")}-${line}.ts`);
}

/** What the compiler says of it, by the page's own lines. */
export function complaints(program: ts.Program, root: string, block: Block): readonly string[] {
  const source = program.getSourceFile(fileOf(root, block));
  if (!source) return [`${block.page}:${block.line}: was not compiled`];
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(({ start = 0, messageText }) => {
    const { line } = source.getLineAndCharacterOfPosition(start);
    return `${block.page}:${block.line + line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
}
