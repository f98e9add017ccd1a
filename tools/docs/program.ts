import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import * as ts from "typescript";

/** What a program may import, and the file that it is written in. */
export interface EntryPoint {
  /** As it is imported: `pulumi-swarm/aws`. */
  readonly name: string;
  /** The file's name in `docs/api`, without an ending. */
  readonly page: string;
  readonly source: string;
}

/** The package's entry points in the order in which `exports` has them. */
export function entryPoints(root: string): readonly EntryPoint[] {
  const { name, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    name: string;
    exports: Readonly<Record<string, string | { readonly types: string }>>;
  };
  return Object.entries(exports).flatMap(([path, target]) => {
    if (typeof target === "string") return [];
    const source = join(root, relative("dist", target.types)).replace(/\.d\.ts$/, ".ts");
    return [{ name: join(name, path), page: path === "." ? "index" : path.slice(2).replaceAll("/", "-"), source }];
  });
}

/** One program for all that is read out of the types, because each costs seconds to make. `others` may import the package by its name. */
export function createProgram(
  root: string,
  entries: readonly EntryPoint[],
  others: Readonly<Record<string, string>> = {},
  outDir?: string,
): ts.Program {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (file) => ts.sys.readFile(file)) as { config: { compilerOptions: object } };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const settings: ts.CompilerOptions = {
    ...options,
    noEmit: false,
    ...(outDir !== undefined && { outDir }),
    // The package by its own name means what is written now, not what was built last.
    paths: Object.fromEntries(entries.map(({ name, source }) => [name, [source]])),
  };
  const base = ts.createCompilerHost(settings);
  const host: ts.CompilerHost = {
    ...base,
    fileExists: (file) => file in others || base.fileExists(file),
    readFile: (file) => others[file] ?? base.readFile(file),
    getSourceFile: (file, language, ...more) => {
      const text = others[file];
      return text === undefined ? base.getSourceFile(file, language, ...more) : ts.createSourceFile(file, text, language, true);
    },
  };
  return ts.createProgram([...entries.map(({ source }) => source), ...Object.keys(others)], settings, host);
}

/** The names that can be imported from the package itself. */
export function exportedNames(entries: readonly EntryPoint[]): ReadonlySet<string> {
  const index = entries.find(({ page }) => page === "index");
  const source = index && ts.createSourceFile(index.source, readFileSync(index.source, "utf8"), ts.ScriptTarget.Latest, true);
  const lists = source?.statements.flatMap((statement) =>
    ts.isExportDeclaration(statement) && statement.exportClause ? [statement.exportClause] : [],
  );
  return new Set(lists?.flatMap((list) => (ts.isNamedExports(list) ? list.elements.map(({ name }) => name.text) : [])));
}
