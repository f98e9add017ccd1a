import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as typedoc from "typedoc";
import type * as ts from "typescript";
import { anchorsOf } from "./links";
import { presetText } from "./options";
import type { EntryPoint } from "./program";

/*
 * The reference in docs/api, a page for each entry point, written from the docstrings.
 */

/** Of what is read out of the docstrings, wherever it is shown. */
export const whatIsShown = {
  logLevel: typedoc.LogLevel.Warn,
  disableSources: true,
  excludePrivate: true,
  excludeProtected: true,
  excludeExternals: true,
  // Those of the program are the compiler's affair.
  skipErrorChecking: true,
} as const satisfies Partial<typedoc.TypeDocOptions>;

const settings = {
  ...whatIsShown,
  plugin: ["typedoc-plugin-markdown"],
  readme: "none",
  validation: { notDocumented: true, notExported: true, invalidLink: true },
  hidePageHeader: true,
  hideBreadcrumbs: true,
  outputFileStrategy: "modules",
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  classPropertiesFormat: "table",
  typeDeclarationFormat: "table",
  typeAliasPropertiesFormat: "table",
  tableColumnSettings: { hideModifiers: true, hideInherited: true, hideOverrides: true, hideSources: true },
} as Partial<typedoc.TypeDocOptions>;

/** Writes the pages into a folder. @returns what is public and says nothing of itself, or is not exported; a line each. */
export async function writeReference(program: ts.Program, entries: readonly EntryPoint[], folder: string): Promise<readonly string[]> {
  const app = await typedoc.Application.bootstrapWithPlugins({ ...settings, out: folder });
  const heard = new Listener();
  app.logger = heard;
  const project = app.converter.convert(entries.map((entry) => entryOf(program, entry)));
  for (const { comment } of Object.values(project.reflections)) sayPreset(comment);
  app.validate(project);
  await app.generateOutputs(project);
  for (const entry of entries) {
    const file = join(folder, `${entry.page}.md`);
    writeFileSync(file, tidy(entry, readFileSync(file, "utf8")));
  }
  writeFileSync(join(folder, "README.md"), contents(entries));
  return heard.said;
}

export function entryOf(program: ts.Program, { name, page, source }: EntryPoint): typedoc.DocumentationEntryPoint {
  const sourceFile = program.getSourceFile(source);
  if (!sourceFile) throw new Error(`there is no ${source}. Fix: correct the types of ${name} in the exports of package.json`);
  return { displayName: page, program, sourceFile };
}

/** A value as code and the words beside it as words; typedoc takes all of it for code. */
export function sayPreset(comment: typedoc.Comment | undefined): void {
  for (const tag of comment?.blockTags ?? []) {
    if (tag.tag !== "@default") continue;
    const written = tag.content.map(({ text }) => text).join("");
    tag.content = [{ kind: "text", text: presetText({ required: false, preset: written.replace(/^```ts\n([^]*)\n```$/, "$1") }) }];
  }
}

/** The page under the name by which it is imported, without what is the same for every class. */
function tidy({ page, name }: EntryPoint, text: string): string {
  const own = text.replace(`# ${page}\n`, `# ${name}\n`).replaceAll(/\n#+ Overrides\n\n`[^`]+`\n/g, "");
  const anchors = anchorsOf(own);
  // A method's name behind its interface's, as in Overlay.plan, is taken for a heading called OverlayPlan.
  const linked = own.replaceAll(/\]\(#([\w-]+)-(\d+)\)/g, (link, name: string, count: string) =>
    anchors.has(`${name}-${count}`) ? link : `](#${name})`,
  );
  return `${linked.replaceAll(/[ \t]+$/gm, "").trimEnd()}\n`;
}

function contents(entries: readonly EntryPoint[]): string {
  const lines = entries.map(({ name, page }) => `- [${name}](${page}.md)`);
  const origin = "Everything that the package exports. `npm run docs` writes these pages from the docstrings: change the docstrings, not the pages.";
  return `# Reference\n${origin}\n\n${lines.join("\n")}\n`;
}

/** Keeps what is said for whoever asked, and shows nothing. */
export class Listener extends typedoc.Logger {
  readonly said: string[] = [];

  protected override addContext(message: string, ..._where: unknown[]): string {
    return message;
  }

  override log(message: string, level: typedoc.LogLevel): void {
    if (level >= typedoc.LogLevel.Warn) this.said.push(message);
  }
}

/** The pages of a folder by name. */
export function pagesOf(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((file) => [file, readFileSync(join(folder, file), "utf8")]),
  );
}
