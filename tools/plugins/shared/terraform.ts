import { isRecord, isSecret, replaceRevealed, reveal, sameValue, secretOf, UNKNOWN, type Props } from "./values";

/**
 * A property as a resource of Terraform's SDK declares it, under the name and in the shape that a bridged provider gives it: a list that
 * holds one block at most is that block. What follows for planning and comparing is terraform-plugin-sdk v2's, helper/schema/schema.go
 * (schemaMap.diff).
 */
export interface Field {
  /** `block`: at most one. `blocks`: a list, or a set where `unordered`. `texts`: strings, a list or a set likewise. */
  readonly kind: "text" | "number" | "flag" | "texts" | "table" | "block" | "blocks";
  readonly unordered?: true;
  /** Where the program says nothing, what the daemon chose stays, and is no change. */
  readonly computed?: true;
  /** A change of it replaces the resource. */
  readonly forceNew?: true;
  readonly required?: true;
  readonly fallback?: string | number | boolean;
  readonly fields?: Fields;
  /** What a text must look like: the real one's own pattern. */
  readonly pattern?: RegExp;
  /** Whether two texts mean the same. */
  readonly same?: (left: string, right: string) => boolean;
}

export type Fields = Readonly<Record<string, Field>>;

export interface Mistake {
  readonly property: string;
  readonly reason: string;
}

const ZERO = { text: "", number: 0, flag: false } as const;

/** What the provider's code sees: what is given, else what is remembered of what the daemon chose, else the default, else nothing. */
export function planned(fields: Fields, given: Props, prior: Props): Props {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, plannedField(field, given[name], prior[name])]));
}

function plannedField(field: Field, given: unknown, prior: unknown): unknown {
  if (isSecret(given)) return plannedField(field, given.value, prior);
  if (isAbsent(given)) {
    const remembered = field.computed === true ? reveal(prior) : undefined;
    return isAbsent(remembered) ? (field.fallback ?? zero(field)) : remembered;
  }
  if (given === UNKNOWN || field.fields === undefined) return reveal(given);
  const before = reveal(prior);
  if (field.kind === "block") return planned(field.fields, given as Props, isRecord(before) ? before : {});
  const items = Array.isArray(given) ? (given as unknown[]) : [];
  const old = !field.unordered && Array.isArray(before) ? (before as unknown[]) : [];
  return items.map((item, index) => plannedField({ ...field, kind: "block" }, item, old[index]));
}

function zero(field: Field): unknown {
  switch (field.kind) {
    case "text":
    case "number":
    case "flag":
      return ZERO[field.kind];
    case "texts":
    case "blocks":
      return [];
    case "table":
      return {};
    case "block":
      return undefined;
    default:
      return field.kind satisfies never;
  }
}

export interface Difference {
  /** Names of the outermost properties. */
  readonly changed: readonly string[];
  readonly replaces: readonly string[];
}

/** How what is planned differs from what is there. */
export function difference(fields: Fields, state: Props, plan: Props): Difference {
  const results = Object.entries(fields).map(([name, field]): [string, Result] => [name, compare(field, state[name], plan[name])]);
  return {
    changed: results.filter(([, result]) => result !== "same").map(([name]) => name),
    replaces: results.filter(([, result]) => result === "replace").map(([name]) => name),
  };
}

type Result = "same" | "update" | "replace";

function compare(field: Field, left: unknown, right: unknown): Result {
  const [old, next] = [usual(field, left), usual(field, right)];
  if (sameValue(old, next)) return "same";
  if (next === UNKNOWN) return field.forceNew ? "replace" : "update";
  const own = field.forceNew ? "replace" : "update";
  const { fields } = field;
  if (fields === undefined) return sameText(field, old, next) ? "same" : own;
  if (field.kind === "block") {
    if (old === undefined || next === undefined) return worst([own, presence(fields, old ?? next)]);
    return inside(fields, old as Props, next as Props);
  }
  const [before, after] = [old as Props[], next as Props[]];
  if (!field.unordered) {
    const count = before.length === after.length ? "same" : own;
    return worst([count, ...longer(before, after).map((_, index) => inside(fields, before[index] ?? {}, after[index] ?? {}))]);
  }
  // Elements of a set are told by all that they hold: one that differs in anything is another element.
  const apart = [...without(before, after), ...without(after, before)];
  return worst([own, ...apart.map((item) => presence(fields, item))]);
}

const inside = (fields: Fields, old: Props, next: Props): Result =>
  worst(Object.entries(fields).map(([name, field]) => compare(field, old[name], next[name])));

/** That it comes or goes is a change of each value in it. */
const presence = (fields: Fields, item: unknown): Result => inside(fields, {}, item as Props);

const without = (items: readonly Props[], others: readonly Props[]): Props[] =>
  items.filter((item) => !others.some((other) => sameValue(item, other)));

const longer = <T>(left: readonly T[], right: readonly T[]): readonly T[] => (left.length > right.length ? left : right);

function worst(results: readonly Result[]): Result {
  if (results.includes("replace")) return "replace";
  return results.includes("update") ? "update" : "same";
}

function sameText({ same }: Field, old: unknown, next: unknown): boolean {
  return same !== undefined && typeof old === "string" && typeof next === "string" && same(old, next);
}

/** One form for what means the same: absent is empty, and sets have an order. */
function usual(field: Field, value: unknown): unknown {
  const revealed = reveal(value);
  if (revealed === UNKNOWN) return UNKNOWN;
  const shown = isAbsent(revealed) ? zero(field) : revealed;
  const { fields } = field;
  if (field.kind === "block") return isRecord(shown) ? usualBlock(fields ?? {}, shown) : undefined;
  if (!Array.isArray(shown)) return shown;
  const items = (shown as unknown[]).map((item) => (fields === undefined ? item : usualBlock(fields, isRecord(item) ? item : {})));
  return field.unordered
    ? items
        .map((item) => ({ item, key: JSON.stringify(item) }))
        .sort(byKey)
        .map(({ item }) => item)
    : items;
}

const byKey = (left: { readonly key: string }, right: { readonly key: string }): number => (left.key < right.key ? -1 : 1);

const usualBlock = (fields: Fields, value: Props): Props =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, usual(field, value[name])]));

/**
 * As a bridged provider's Check: a default that is neither false nor 0 nor empty becomes an input (pulumi-terraform-bridge,
 * pkg/tfbridge/schema.go, applyDefaults and shouldSuppressTFSchemaDefaultValue), with its name in `__defaults`.
 */
export function withFallbacks(fields: Fields, given: Props, generated: readonly string[] = []): Props {
  const missing = Object.entries(fields).filter(([name, { fallback }]) => Boolean(fallback) && isAbsent(given[name]));
  const nested = Object.entries(fields).flatMap(([name, { fields: inner }]) =>
    inner === undefined || isAbsent(given[name]) ? [] : [[name, within(inner, given[name])] as const],
  );
  const defaults = [...generated, ...missing.map(([name]) => name)].sort();
  return {
    ...given,
    ...Object.fromEntries(nested),
    ...Object.fromEntries(missing.map(([name, { fallback }]) => [name, fallback])),
    __defaults: defaults,
  };
}

function within(fields: Fields, value: unknown): unknown {
  if (isSecret(value)) return { ...value, value: within(fields, value.value) };
  if (Array.isArray(value)) return (value as unknown[]).map((item) => within(fields, item));
  return value === UNKNOWN || !isRecord(value) ? value : withFallbacks(fields, value);
}

/** What the SDK finds wrong before anything is planned. */
export function mistakesIn(fields: Fields, given: Props, path = ""): readonly Mistake[] {
  const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const names = Object.keys(given).filter((name) => name !== "__defaults" && !isAbsent(given[name]));
  // Outermost names are checked by the server.
  const unknown = path === "" ? [] : names.filter((name) => !(name in fields));
  return [
    ...unknown.map((name) => ({ property: at(name), reason: `no such property here, or left out of this stand-in plugin` })),
    ...Object.entries(fields).flatMap(([name, field]) => mistakesOf(field, reveal(given[name]), at(name), path !== "")),
  ];
}

function mistakesOf(field: Field, value: unknown, path: string, nested: boolean): readonly Mistake[] {
  if (isAbsent(value)) return field.required && nested ? [{ property: path, reason: "required, and not given" }] : [];
  if (value === UNKNOWN) return [];
  const { fields, pattern } = field;
  if (fields !== undefined) {
    const items = Array.isArray(value) ? (value as unknown[]) : [value];
    return items.flatMap((item, index) => (isRecord(item) ? mistakesIn(fields, item, Array.isArray(value) ? `${path}[${index}]` : path) : []));
  }
  if (typeof value !== "string" || pattern === undefined || pattern.test(value)) return [];
  return [{ property: path, reason: `'${value}' doesn't match the pattern '${pattern.source}'` }];
}

/**
 * What was given as a secret is one among the outputs too. A bridged provider accepts no secrets, so this is what the engine does for it
 * (pulumi, sdk/go/common/resource/plugin/provider_plugin.go, annotateSecrets): inside objects by name, and lists as a whole.
 */
export function keepSecrets(outputs: Props, inputs: Props): Props {
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, kept(value, inputs[name])]));
}

function kept(value: unknown, given: unknown): unknown {
  if (isAbsent(value) || isSecret(value)) return value;
  if (isSecret(given) || (Array.isArray(given) && holdsSecret(given))) return secretOf(value);
  return isRecord(value) && isRecord(given) ? keepSecrets(value, given) : value;
}

/** As a bridged provider's Read of inputs (pkg/tfbridge/schema.go, extractInputsFromOutputs): what a program gave, as it is now. */
export function refreshed(fields: Fields, inputs: Props, state: Props): Props {
  const entries = Object.entries(inputs).flatMap(([name, given]): [string, unknown][] => {
    const field = fields[name];
    const now = reveal(state[name]);
    if (field === undefined || isAbsent(given) || compare(field, now, plannedField(field, given, now)) === "same") return [[name, given]];
    if (isAbsent(now)) return [];
    if (field.kind === "block" && field.fields && isRecord(given) && isRecord(now)) return [[name, refreshed(field.fields, given, now)]];
    return [[name, replaceRevealed(given, now)]];
  });
  return Object.fromEntries(entries);
}

function holdsSecret(value: unknown): boolean {
  if (isSecret(value)) return true;
  if (Array.isArray(value)) return value.some(holdsSecret);
  return isRecord(value) && Object.values(value).some(holdsSecret);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
