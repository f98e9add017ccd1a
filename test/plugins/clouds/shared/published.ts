import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { isRecord, reveal, type Props, UNKNOWN } from "../../../../tools/plugins/shared/values";

/*
 * What a cloud's npm package says of its resources. The schema from which it was made is not in the package, but the types are:
 * they are read as text, so that nothing can be asked of a stand-in that the real plugin would refuse.
 */

export interface Published {
  readonly inputs: readonly string[];
  readonly required: readonly string[];
  /** What only the provider can tell. */
  readonly outputs: readonly string[];
  /** What is wrong with the inputs' values, at any depth. */
  readonly problems: (inputs: Props) => readonly Mistake[];
}

export interface Mistake {
  readonly property: string;
  readonly reason: string;
}

type Properties = ReadonlyMap<string, { readonly required: boolean; readonly type: ts.TypeNode | undefined }>;

export class PublishedTypes {
  private readonly folder: string;
  private readonly nestedText: string;
  private readonly nested = new Map<string, Properties>();

  constructor(packageName: string) {
    this.folder = dirname(require.resolve(`${packageName}/package.json`));
    this.nestedText = readFileSync(join(this.folder, "types", "input.d.ts"), "utf8");
  }

  /** @param token such as `aws:ec2/vpc:Vpc`, or `hcloud:index/server:Server` in a package without modules */
  resource(token: string): Published {
    const [, module = "", name = ""] = token.split(":");
    const source = parse(readFileSync(join(this.folder, `${module.replace(/^index\//, "")}.d.ts`), "utf8"));
    const args = interfaceIn(source, `${name}Args`);
    const outputs = classIn(source, name);
    const inputs = [...args.keys()];
    return {
      inputs,
      required: inputs.filter((input) => args.get(input)?.required),
      outputs: outputs.filter((output) => !args.has(output)),
      problems: (values) => this.problemsOf(values, args, ""),
    };
  }

  /** Names of what a provider can be configured with. */
  configuration(): readonly string[] {
    return [...interfaceIn(parse(readFileSync(join(this.folder, "provider.d.ts"), "utf8")), "ProviderArgs").keys()];
  }

  private problemsOf(values: Props, properties: Properties, path: string): Mistake[] {
    const given = Object.entries(values).filter(([name, value]) => name !== "__defaults" && value !== undefined && value !== null);
    return [
      ...given.flatMap(([name, value]) => {
        const property = properties.get(name);
        const at = `${path}${name}`;
        // At the top the server itself refuses unknown names.
        if (!property) return path === "" ? [] : [{ property: at, reason: `no such property; expected one of ${[...properties.keys()].join(", ")}` }];
        return property.type ? this.mistakes(reveal(value), property.type, at) : [];
      }),
      ...[...properties].flatMap(([name, { required }]) =>
        path !== "" && required && !given.some(([other]) => other === name)
          ? [{ property: `${path}${name}`, reason: "required, and not given" }]
          : [],
      ),
    ];
  }

  private mistakes(value: unknown, type: ts.TypeNode, at: string): Mistake[] {
    if (value === UNKNOWN) return [];
    if (ts.isUnionTypeNode(type)) {
      const tried = type.types.filter(({ kind }) => kind !== ts.SyntaxKind.UndefinedKeyword).map((one) => this.mistakes(value, one, at));
      return tried.some((mistakes) => mistakes.length === 0) ? [] : (tried[0] ?? []);
    }
    if (ts.isParenthesizedTypeNode(type)) return this.mistakes(value, type.type, at);
    if (ts.isArrayTypeNode(type)) {
      if (!Array.isArray(value)) return [expected("a list", value, at)];
      return value.flatMap((item: unknown, index) => this.mistakes(item, type.elementType, `${at}[${index}]`));
    }
    if (ts.isTypeLiteralNode(type)) {
      const [index] = type.members.filter(ts.isIndexSignatureDeclaration);
      if (!isRecord(value)) return [expected("an object", value, at)];
      return Object.entries(value).flatMap(([key, item]) => (index ? this.mistakes(item, index.type, `${at}.${key}`) : []));
    }
    if (ts.isTypeReferenceNode(type)) return this.reference(value, type, at);
    return this.primitive(value, type.kind, at);
  }

  private primitive(value: unknown, kind: ts.SyntaxKind, at: string): Mistake[] {
    switch (kind) {
      case ts.SyntaxKind.StringKeyword:
        return typeof value === "string" ? [] : [expected("a string", value, at)];
      case ts.SyntaxKind.NumberKeyword:
        return typeof value === "number" ? [] : [expected("a number", value, at)];
      case ts.SyntaxKind.BooleanKeyword:
        return typeof value === "boolean" ? [] : [expected("a boolean", value, at)];
      default:
        return [];
    }
  }

  private reference(value: unknown, type: ts.TypeReferenceNode, at: string): Mistake[] {
    const name = type.typeName.getText();
    const [inner] = type.typeArguments ?? [];
    if (name === "pulumi.Input" && inner) return this.mistakes(value, inner, at);
    const [, namespace, nested] = /^inputs\.(?:(\w+)\.)?(\w+)$/.exec(name) ?? [];
    // An enumeration's values are texts; whether one is known is the cloud's to say.
    if (nested === undefined) return typeof value === "string" ? [] : [expected(name, value, at)];
    if (!isRecord(value)) return [expected("an object", value, at)];
    return this.problemsOf(value, this.nestedType(namespace, nested), `${at}.`);
  }

  /** The file of all nested types has megabytes: only what is asked for is parsed. */
  private nestedType(namespace: string | undefined, name: string): Properties {
    const key = `${namespace}.${name}`;
    const known = this.nested.get(key);
    if (known) return known;
    const within = namespace === undefined ? 0 : this.nestedText.indexOf(`namespace ${namespace} {`);
    const begin = this.nestedText.indexOf(`interface ${name} {`, within);
    const end = namespace === undefined ? "\n}" : "\n    }";
    const text = this.nestedText.slice(begin, this.nestedText.indexOf(end, begin) + end.length);
    const found = interfaceIn(parse(text), name);
    this.nested.set(key, found);
    return found;
  }
}

function expected(what: string, value: unknown, property: string): Mistake {
  return { property, reason: `expected ${what}, got ${Array.isArray(value) ? "a list" : typeof value}` };
}

function parse(text: string): ts.SourceFile {
  return ts.createSourceFile("types.d.ts", text, ts.ScriptTarget.Latest, true);
}

function interfaceIn(source: ts.SourceFile, name: string): Properties {
  const found = source.statements.find((one): one is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(one) && one.name.text === name);
  if (!found) throw new Error(`the package has no type ${name}`);
  const members = found.members.filter(ts.isPropertySignature);
  return new Map(members.map((member) => [member.name.getText(), { required: member.questionToken === undefined, type: member.type }]));
}

function classIn(source: ts.SourceFile, name: string): readonly string[] {
  const found = source.statements.find((one): one is ts.ClassDeclaration => ts.isClassDeclaration(one) && one.name?.text === name);
  if (!found) throw new Error(`the package has no class ${name}`);
  const isOwn = (member: ts.PropertyDeclaration): boolean => !(member.modifiers ?? []).some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword);
  return found.members
    .filter(ts.isPropertyDeclaration)
    .filter(isOwn)
    .map((member) => member.name.getText());
}
