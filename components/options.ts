import type { Problem } from "./report";
import { isOutput, isProvider } from "./marks";
import { nearestName } from "./nearest";
import { type Report, show } from "./report";

/*
 * Which options there are. Beside each interface of options stands a constant with all their names, for which the compiler asks: one
 * that is missing or too much does not compile. With them a program without types is told of what it misspelt, and of what is not of the
 * kind that an option takes. What users name themselves (networks, groups, rules, labels, machines) are no options.
 */

/** What an option takes, as far as it is looked into here. */
export type Shape = Plain | Flag | Opaque | Later | Named | Either | AnyOptions;

/** A single value or a list, whose own check says what is wrong with it. Where none is given, `null` is no value. */
export interface Plain {
  readonly kind: "required" | "optional" | "text" | "list";
}

export interface Flag {
  readonly kind: "flag";
}

/** Something whose inside is not ours: an `Input`, a provider, a function, a group of hosts, an overlay. */
export interface Opaque {
  readonly kind: "opaque";
}

/** What may be known only when resources are made: a text; a provider of Pulumi's; fields of a resource's arguments, or a function that changes them. */
export interface Later {
  readonly kind: "late text" | "provider" | "change";
}

/** Values under names that the user chooses. */
export interface Named {
  readonly kind: "named";
  /** After "does not describe". */
  readonly thing: string;
  readonly example: string;
  readonly each: Shape;
}

/** A text, or options. */
export interface Either {
  readonly kind: "either";
  readonly options: AnyOptions;
}

export interface AnyOptions {
  readonly kind: "options";
  /** What has them, after "is not an option of". */
  readonly of: string;
  /** The same after "does not describe". */
  readonly thing: string;
  /** Such as a user could write. */
  readonly example: string;
  readonly names: Readonly<Record<string, Shape>>;
  /** Names that other tools have for some of them; null for what only looks like one of them. @default - none */
  readonly others?: Readonly<Record<string, string | null>>;
}

/** Also of each member of a union. */
type NamesOf<Args> = Args extends unknown ? keyof Args & string : never;
type ValueOf<Args, Name> = Args extends unknown ? (Name extends keyof Args ? Exclude<Args[Name], undefined> : never) : never;

/** A value with options of its own must be looked into, or be called opaque. */
type ShapeOf<Value> = [Value] extends [boolean]
  ? Flag
  : [Value] extends [string | number | boolean | readonly unknown[]]
    ? Plain
    : Named | Opaque | Later | Either | Options<Value>;

/** The options that an interface has, each with its shape. */
export interface Options<Args> extends AnyOptions {
  readonly names: { readonly [Name in NamesOf<Args>]: ShapeOf<ValueOf<Args, Name>> };
}

export function options<Args>(said: Pick<AnyOptions, "of" | "thing" | "example" | "others">, names: Options<Args>["names"]): Options<Args> {
  return { kind: "options", ...said, names };
}

export const required: Plain = { kind: "required" };
export const optional: Plain = { kind: "optional" };
export const text: Plain = { kind: "text" };
export const list: Plain = { kind: "list" };
export const flag: Flag = { kind: "flag" };
export const opaque: Opaque = { kind: "opaque" };
export const lateText: Later = { kind: "late text" };
export const provider: Later = { kind: "provider" };
export const change: Later = { kind: "change" };

export function named(each: Shape, thing: string, example: string): Named {
  return { kind: "named", each, thing, example };
}

export function either(options: AnyOptions): Either {
  return { kind: "either", options };
}

/** Labels of hosts and networks. */
export const labels = named(text, "labels by name", '{ disk: "ssd" }');

/** Options of several kinds of one thing, to tell whose a stray one is. */
export interface Siblings {
  /** The one that has the options. */
  readonly kind: string;
  readonly kinds: Readonly<Record<string, { readonly [name: string]: unknown }>>;
}

/**
 * The options of an object that a user wrote, without those that there are none of, and without those of a wrong kind: each of them is
 * reported.
 *
 * @param path Where it was written; empty where that is for others to say.
 * @returns undefined where it is no object at all.
 */
export function readOptions<Args extends object>(
  given: unknown,
  wanted: Options<Args>,
  path: string,
  report: Report,
  siblings?: Siblings,
): Args | undefined {
  return readAs(given, wanted, path, report, siblings) as Args | undefined;
}

/** What was read, and all that is wrong with it. */
export interface Read<Args> {
  /** Undefined where it was no object at all. */
  readonly args: Args | undefined;
  readonly problems: readonly Problem[];
}

/** Of a problem that makes another option look as if it were missing: that option. */
const meantBy = new WeakMap<Problem, string>();

/** The same as `readOptions`, with its problems in a list. */
export function collectOptions<Args extends object>(given: unknown, wanted: Options<Args>, path: string, siblings?: Siblings): Read<Args> {
  const problems: Problem[] = [];
  const collect: Report = (at, message, fix, meant) => {
    const problem = { path: at, message, fix };
    problems.push(problem);
    if (meant !== undefined) meantBy.set(problem, meant);
  };
  return { args: readOptions(given, wanted, path, collect, siblings), problems };
}

/**
 * What is planned of arguments, with all that is wrong with them: what they are not, and what the plan finds.
 *
 * @param none Planned where there is nothing to read; then it is not its parts that are wrong.
 */
export function planOptions<Args extends object, Planned extends { readonly problems: readonly Problem[] }>(
  given: unknown,
  wanted: Options<Args>,
  none: Args,
  plan: (args: Args) => Planned,
): Planned {
  const { args, problems: told } = collectOptions(given, wanted, "");
  if (args !== undefined) return withTold(told, plan(args));
  return { ...plan(none), problems: told.map((problem) => ({ ...problem, path: "arguments" })) };
}

/** What was planned, with what is told already before what the plan finds. */
export function withTold<Planned extends { readonly problems: readonly Problem[] }>(told: readonly Problem[], planned: Planned): Planned {
  return { ...planned, problems: [...told, ...butForTold(told, planned.problems)] };
}

/** Of what a later check finds, what is not told yet: an option that could not be read looks like one that is missing. */
function butForTold(told: readonly Problem[], found: readonly Problem[]): readonly Problem[] {
  const paths = new Set(told.flatMap((problem) => [problem.path, meantBy.get(problem) ?? problem.path]));
  return found.filter(({ path }) => !paths.has(path));
}

function readAs(given: unknown, shape: Shape, path: string, report: Report, siblings?: Siblings): unknown {
  if (isPlain(shape, given) && !hasText(given)) return void report(path, `${show(given)} is not a value`, "write a text, a number or a list of them");
  switch (shape.kind) {
    case "required":
    case "opaque":
      return given;
    case "optional":
      if (given !== null) return given;
      return void report(path, "null is not a value", "give one, or leave it out");
    case "text":
      return typeof given === "string" ? given : noText(given, path, report);
    case "late text":
      return typeof given === "string" || isLater(given) ? given : noText(given, path, report);
    case "provider":
      if (isProvider(given)) return given;
      return void report(path, `${show(given)} is not a provider of Pulumi's`, 'make one, such as new aws.Provider("eu", { region: "eu-west-1" })');
    case "change":
      if (typeof given === "function" || isRecord(given)) return given;
      return void report(path, `${show(given)} does not describe changes of a resource's arguments`, "write fields of them, or a function");
    case "flag":
      if (typeof given === "boolean") return given;
      return void report(path, `${show(given)} is neither true nor false`, `write ${flagMeant(given) ?? "true or false"}`);
    case "list":
      if (Array.isArray(given)) return given;
      return void report(path, `${show(given)} is not a list`, typeof given === "string" ? `write it as ${show([given])}` : "write it as [ … ]");
    case "named":
      return isRecord(given) ? readNamed(given, shape, path, report) : wrongKind(given, shape, path, report);
    case "either":
      return isRecord(given) ? readNames(given, shape.options, path, report) : given;
    case "options":
      return isRecord(given) ? readNames(given, shape, path, report, siblings) : wrongKind(given, shape, path, report);
    default:
      return shape satisfies never;
  }
}

/** Whether it is compared and shown as a text by the option's own check. */
function isPlain({ kind }: Shape, given: unknown): boolean {
  return kind === "required" || kind === "optional" || (kind === "list" && Array.isArray(given)) || (kind === "either" && !isRecord(given));
}

/** A symbol has none, nor has an object whose own `toString` is no function, as one that was parsed from JSON may be; nor a list of these. */
function hasText(given: unknown): boolean {
  if (isLater(given)) return true;
  try {
    return "".concat(given as string) !== undefined;
  } catch {
    return false;
  }
}

/** Whether a value is known only when resources are made. */
export function isLater(value: unknown): boolean {
  return isOutput(value) || value instanceof Promise;
}

function noText(given: unknown, path: string, report: Report): undefined {
  const [one, ...more] = Array.isArray(given) ? (given as readonly unknown[]) : [given];
  const plain = more.length === 0 && ["number", "boolean", "string"].includes(typeof one);
  const otherwise = given === null ? "write a text, or leave it out" : "write a text";
  report(path, `${show(given)} is not a text`, plain ? `write it as ${show(String(one))}` : otherwise);
}

/** Of texts that stand for a flag elsewhere. */
function flagMeant(given: unknown): boolean | undefined {
  const word = hasText(given) ? String(given).toLowerCase() : "";
  if (["true", "yes", "on", "1"].includes(word)) return true;
  return ["false", "no", "off", "0"].includes(word) ? false : undefined;
}

function wrongKind(given: unknown, { thing, example }: Named | AnyOptions, path: string, report: Report): undefined {
  report(path, `${show(given)} does not describe ${thing}`, `write it as ${example}`);
}

/** Where none of them can be read, it looks as if none were given. */
function readNamed(given: Record<string, unknown>, { each }: Named, path: string, report: Report): Record<string, unknown> {
  const one: Report = (at, message, fix, meant) => report(at, message, fix, meant ?? path);
  return kept(
    Object.keys(given).map((name) => {
      const at = inside(path, name);
      return [name, given[name] === undefined ? undefined : readAs(given[name], each, at, one)];
    }),
  );
}

function readNames(
  given: Record<string, unknown>,
  { of, names, others = {} }: AnyOptions,
  path: string,
  report: Report,
  siblings?: Siblings,
): Record<string, unknown> {
  return kept(
    Object.keys(given).map((name) => {
      const shape = Object.hasOwn(names, name) ? names[name] : undefined;
      const at = inside(path, name);
      if (shape === undefined) reportStray(name, { of, known: Object.keys(names), others, ...(siblings && { siblings }) }, path, report);
      return [name, shape === undefined || given[name] === undefined ? undefined : readAs(given[name], shape, at, report)];
    }),
  );
}

/** The names stay in the order in which they were written. */
function kept(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function inside(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** A name that no option has, and what is known of those that there are. */
export interface Stray {
  readonly of: string;
  readonly known: readonly string[];
  readonly others?: AnyOptions["others"];
  readonly siblings?: Siblings;
}

/** Says what is wrong with a name that no option has, and what was meant, as far as that can be guessed. @param path Of what has the options. */
export function reportStray(name: string, { of, known, others = {}, siblings }: Stray, path: string, report: Report): void {
  const at = inside(path, name);
  const { kind, kinds = {} } = siblings ?? {};
  const owners = Object.keys(kinds).filter((other) => other !== kind && Object.hasOwn(kinds[other] ?? {}, name));
  if (kind !== undefined && owners.length > 0) return report(at, `is an option of ${owners.join(" and ")}, and this is ${kind}`, "leave it out");
  const other = Object.hasOwn(others, name) ? others[name] : undefined;
  const meant = other === null || (other !== undefined && known.includes(other)) ? other : nearestName(name, known);
  if (typeof meant === "string") {
    return report(at, `${name} is not an option of ${of}; did you mean ${meant}?`, `write ${meant}`, inside(path, meant));
  }
  const fix = known.length > 0 ? `leave it out; the options of ${of} are ${[...known].sort().join(", ")}` : `leave it out; ${of} has none`;
  report(at, `${name} is not an option of ${of}`, fix);
}

/** A plain object, whoever made it: no list, map, promise or `Output`. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === "[object Object]" && typeof value === "object" && !isOutput(value);
}
