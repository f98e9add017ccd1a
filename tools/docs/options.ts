import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";
import { engineRows } from "../../components/engine/known";

/*
 * Tables of options, written from the interfaces that a user fills in, so that a page never says otherwise than the types.
 * A page has one wherever it has `<!-- options:NAME -->` and `<!-- /options -->`; what is between them is written anew. So is the table
 * of what is known of engines, between `<!-- engines -->` and `<!-- /engines -->`.
 */

/** The public interfaces and named types of a folder. Parsed, not type-checked: that takes a tenth of the time. */
export class Types {
  private readonly interfaces = new Map<string, readonly ts.InterfaceDeclaration[]>();
  private readonly aliases = new Map<string, ts.TypeAliasDeclaration>();

  constructor(folder: string) {
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
      if (file.endsWith(".ts")) this.add(ts.createSourceFile(file, readFileSync(join(folder, file), "utf8"), ts.ScriptTarget.Latest, true));
    }
  }

  private add(source: ts.SourceFile): void {
    for (const statement of source.statements) {
      if (ts.isInterfaceDeclaration(statement)) this.interfaces.set(statement.name.text, [...this.named(statement.name.text), statement]);
      if (ts.isTypeAliasDeclaration(statement)) this.aliases.set(statement.name.text, statement);
    }
  }

  /** Those that must be given first, then those that an interface takes over from others, then its own, as they are written. */
  optionsOf(name: string): readonly Option[] {
    const members = this.membersOf(name);
    const options = members.map((member) => this.option(member));
    return [...options.filter(({ required }) => required), ...options.filter(({ required }) => !required)];
  }

  private membersOf(name: string): readonly ts.PropertySignature[] {
    const [found, other] = this.named(name);
    if (!found || other) {
      const message = found ? `two interfaces are called ${name}` : `there is no interface ${name}`;
      throw new Error(`${message}. Fix: name one of components/ in the marker options:${name}`);
    }
    const bases = found.heritageClauses?.flatMap(({ types }) => types.map(({ expression }) => expression.getText())) ?? [];
    return [...bases.flatMap((base) => this.membersOf(base)), ...found.members.filter(ts.isPropertySignature)];
  }

  private named(name: string): readonly ts.InterfaceDeclaration[] {
    return this.interfaces.get(name) ?? [];
  }

  private option(member: ts.PropertySignature): Option {
    const comment = ts.getJSDocCommentsAndTags(member).find(ts.isJSDoc);
    const preset = comment?.tags?.find(({ tagName }) => tagName.text === "default");
    return {
      name: member.name.getText(),
      type: this.typeText(member),
      required: member.questionToken === undefined,
      preset: oneLine(ts.getTextOfJSDocComment(preset?.comment) ?? ""),
      meaning: oneLine(ts.getTextOfJSDocComment(comment?.comment) ?? ""),
    };
  }

  private typeText({ type }: ts.PropertySignature): string {
    if (!type) return "";
    const printed = ts.createPrinter({ removeComments: true }).printNode(ts.EmitHint.Unspecified, type, type.getSourceFile());
    const plain = oneLine(printed)
      .replaceAll("readonly ", "")
      .replaceAll("pulumi.", "")
      .replaceAll(/Readonly<(Record<.*?>)>/g, "$1");
    return plain.replaceAll(/\b[A-Z]\w+\b/g, (name) => this.choices(name) ?? name);
  }

  /** What may be written for a named type, where it is a choice of texts. */
  private choices(name: string): string | undefined {
    const type = this.aliases.get(name)?.type;
    const texts = type && ts.isUnionTypeNode(type) && type.types.every((one) => ts.isLiteralTypeNode(one) && ts.isStringLiteral(one.literal));
    return texts ? type.types.map((one) => one.getText()).join(" | ") : undefined;
  }
}

export interface Option {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  /** What stands behind `@default`. */
  readonly preset: string;
  readonly meaning: string;
}

/** The page with all its tables as the types have them now. */
export function withTables(page: string, types: Types): string {
  return page
    .replaceAll(
      /(<!-- options:(\w+) -->\n)[^]*?(<!-- \/options -->)/g,
      (_all, start: string, name: string, end: string) => `${start}${optionTable(types.optionsOf(name))}\n${end}`,
    )
    .replaceAll(
      /(<!-- engines -->\n)[^]*?(<!-- \/engines -->)/g,
      (_all, start: string, end: string) => `${start}${table(["Docker", "what it does", "what this package does", "source"], engineRows)}\n${end}`,
    );
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map((option) => [`\`${option.name}\``, `\`${option.type}\``, presetText(option), option.meaning]);
  return table(["option", "type", "default", "meaning"], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");
}

/** A value as code, and what is said of it in words: `@default "debian-13"`, `@default 20 - in GiB`, `@default - none`. */
export function presetText({ required, preset }: Pick<Option, "required" | "preset">): string {
  if (required) return "**required**";
  const [, value, rest = ""] = /^("[^"]*"|\[[^\]]*\]|\d+|true|false)?(.*)$/.exec(preset) ?? [];
  const words = rest.replace(/^ ?- /, value === undefined ? "" : "; ");
  return value === undefined ? words : `\`${value}\`${words}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
