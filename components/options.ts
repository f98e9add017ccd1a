import type { Problem } from "./hosts/host";
import { isOutput, type Report, show } from "./report";

/*
 * Which options there are. Beside each interface of options stands a constant with all their names, for which the compiler asks: one
 * that is missing or too much does not compile. With them a program without types is told of what it misspelt, and of what is not of the
 * kind that an option takes. What users name themselves (networks, groups, rules, labels, machines) are no options.
 */

/** What an option takes, as far as it is looked into here. */
export type Shape = Plain | Flag | Opaque | Named | Either | AnyOptions;

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
}

/** Also of each member of a union. */
type NamesOf<Args> = Args extends unknown ? keyof Args & string : never;
type ValueOf<Args, Name> = Args extends unknown ? (Name extends keyof Args ? Exclude<Args[Name], undefined> : never) : never;

/** A value with options of its own must be looked into, or be called opaque. */
type ShapeOf<Value> = [Value] extends [boolean]
  ? Flag
  : [Value] extends [string | number | boolean | readonly unknown[]]
    ? Plain
    : Named | Opaque | Either | Options<Value>;

/** The options that an interface has, each with its shape. */
export interface Options<Args> extends AnyOptions {
  readonly names: { readonly [Name in NamesOf<Args>]: ShapeOf<ValueOf<Args, Name>> };
}

export function options<Args>({ of, thing, example }: Pick<AnyOptions, "of" | "thing" | "example">, names: Options<Args>["names"]): Options<Args> {
  return { kind: "options", of, thing, example, names };
}

export const required: Plain = { kind: "required" };
export const optional: Plain = { kind: "optional" };
export const text: Plain = { kind: "text" };
export const list: Plain = { kind: "list" };
export const flag: Flag = { kind: "flag" };
export const opaque: Opaque = { kind: "opaque" };

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

/** The same as `readOptions`, with its problems in a list. */
export function collectOptions<Args extends object>(given: unknown, wanted: Options<Args>, path: string, siblings?: Siblings): Read<Args> {
  const problems: Problem[] = [];
  const args = readOptions(given, wanted, path, (at, message, fix) => void problems.push({ path: at, message, fix }), siblings);
  return { args, problems };
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
  const paths = new Set(told.map(({ path }) => path));
  return found.filter(({ path }) => !paths.has(path));
}

function readAs(given: unknown, shape: Shape, path: string, report: Report, siblings?: Siblings): unknown {
  switch (shape.kind) {
    case "required":
    case "opaque":
      return given;
    case "optional":
      if (given !== null) return given;
      return void report(path, "null is not a value", "give one, or leave it out");
    case "text":
      if (typeof given === "string") return given;
      return void report(path, `${show(given)} is not a text`, "write a text");
    case "flag":
      if (typeof given === "boolean") return given;
      return void report(path, `${show(given)} is neither true nor false`, "write true or false");
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

function wrongKind(given: unknown, { thing, example }: Named | AnyOptions, path: string, report: Report): undefined {
  report(path, `${show(given)} does not describe ${thing}`, `write it as ${example}`);
}

function readNamed(given: Record<string, unknown>, { each }: Named, path: string, report: Report): Record<string, unknown> {
  return kept(
    Object.keys(given).map((name) => [name, given[name] === undefined ? undefined : readAs(given[name], each, inside(path, name), report)]),
  );
}

function readNames(
  given: Record<string, unknown>,
  { of, names }: AnyOptions,
  path: string,
  report: Report,
  siblings?: Siblings,
): Record<string, unknown> {
  return kept(
    Object.keys(given).map((name) => {
      const shape = Object.hasOwn(names, name) ? names[name] : undefined;
      const at = inside(path, name);
      if (shape === undefined) report(at, ...strayOption(name, of, Object.keys(names), siblings));
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

/** What is wrong with a name that no option has, and what was meant, as far as that can be guessed. */
export function strayOption(name: string, of: string, known: readonly string[], siblings?: Siblings): [message: string, fix: string] {
  const { kind, kinds = {} } = siblings ?? {};
  const owners = Object.keys(kinds).filter((other) => other !== kind && Object.hasOwn(kinds[other] ?? {}, name));
  if (kind !== undefined && owners.length > 0) return [`is an option of ${owners.join(" and ")}, and this is ${kind}`, "leave it out"];
  const nearest = nearestName(name, known);
  if (nearest !== undefined) return [`${name} is not an option of ${of}; did you mean ${nearest}?`, `write ${nearest}`];
  return [
    `${name} is not an option of ${of}`,
    known.length > 0 ? `leave it out; the options of ${of} are ${[...known].sort().join(", ")}` : `leave it out; ${of} has none`,
  ];
}

/** A plain object, whoever made it: no list, map, promise or `Output`. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === "[object Object]" && typeof value === "object" && !isOutput(value);
}

/** The known name that is most like what was written; undefined where none is like it. */
export function nearestName(written: string, known: readonly string[]): string | undefined {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  const wanted = plain(written);
  const ranked = known
    .map((name) => ({ name, distance: edits(wanted, plain(name)), begins: begins(wanted, plain(name)) }))
    .filter(({ name, distance, begins }) => begins || distance <= Math.max(1, Math.floor(Math.max(wanted.length, name.length) / 4)))
    .sort((one, other) => one.distance - other.distance);
  return ranked[0]?.name;
}

function begins(one: string, other: string): boolean {
  return Math.min(one.length, other.length) >= 3 && (one.startsWith(other) || other.startsWith(one));
}

/** Letters to add, take out, change, or swap with the next one (the optimal string alignment distance). */
function edits(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const at = (up: number, left: number): number => (up === 0 ? current : (rows[row - up] ?? []))[column - left] ?? 0;
      current.push(Math.min(at(1, 0) + 1, at(0, 1) + 1, at(1, 1) + (same ? 0 : 1), swapped ? at(2, 2) + 1 : Infinity));
    }
    rows.push(current);
  }
  return rows[from.length]?.[to.length] ?? 0;
}
