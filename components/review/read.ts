import { isDeepStrictEqual } from "node:util";
import { owners, type WrittenResource } from "../topology/of-resources";

/** One operation of a preview on one resource. */
export interface ReviewStep {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  /** Inputs that differ, or that make it necessary to replace the resource, by the names of their first level. */
  readonly changed: readonly string[];
}

/** A preview as far as a review needs it, in whichever form the engine wrote it. */
export interface ReadPreview {
  /** What there is. */
  readonly before: readonly WrittenResource[];
  /** What there will be. */
  readonly after: readonly WrittenResource[];
  readonly steps: readonly ReviewStep[];
  /** Resources that stay as they are and were left out, as without `--show-sames`. */
  readonly leftOut: number;
  /** Why the preview failed, each error once. Empty when it did not. */
  readonly errors: readonly string[];
}

/** The text is no preview that could be read. Says what to do. */
export class UnreadablePreview extends Error {}

type Fields = Readonly<Record<string, unknown>>;

/** A step, a sum and what was said, in the one form that both of the engine's are brought to. */
interface Raw {
  readonly steps: readonly RawStep[];
  readonly sames: number;
  readonly diagnostics: readonly Fields[];
}

interface RawStep {
  readonly op: string;
  readonly urn: string;
  readonly old: Fields | undefined;
  readonly new: Fields | undefined;
  readonly changed: readonly string[];
}

const how = "Fix: make it with pulumi preview --json --show-sames > preview.json";

/**
 * Reads what `pulumi preview --json` printed: one digest, or an event a line, as newer engines do and PULUMI_ENABLE_STREAMING_JSON_PREVIEW asks.
 *
 * @throws UnreadablePreview
 */
export function readPreview(text: string): ReadPreview {
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  if (trimmed === "") throw new UnreadablePreview(`The preview is empty. ${how}`);
  const raw = rawPreview(trimmed);
  const before = statesOf(raw.steps, (step) => step.old, ["refresh", "delete", "delete-replaced", "discard", "discard-replaced"]);
  const after = statesOf(raw.steps, (step) => (goes(step.op) ? undefined : step.new), ["refresh"]);
  return {
    before,
    after,
    steps: raw.steps.map(({ op, urn, old, new: made, changed }) => ({ op, urn, type: textOf(made?.["type"]) || textOf(old?.["type"]), changed })),
    leftOut: Math.max(0, raw.sames - raw.steps.filter(({ op }) => op === "same").length),
    errors: errorsOf(raw.diagnostics),
  };
}

function rawPreview(text: string): Raw {
  const whole = parsed(text);
  if (whole !== undefined) return isEvent(whole) ? fromEvents([whole]) : fromDigest(whole);
  const lines = text.split("\n").map((line) => line.trim());
  const events = lines.map(parsed);
  if (isEvent(events[0])) {
    const broken = events.findIndex((event, index) => !isEvent(event) && lines[index] !== "");
    if (broken >= 0)
      throw new UnreadablePreview(`Line ${broken + 1} of the preview is no event: it is cut off, or something else was written into it. ${how}`);
    return fromEvents(events.filter(isEvent));
  }
  if (!text.startsWith("{"))
    throw new UnreadablePreview(`This is not the JSON of a preview: it begins with ${JSON.stringify(text.slice(0, 20))}. ${how}`);
  throw new UnreadablePreview(`The preview's JSON is cut off or broken. ${how}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEvent(value: unknown): value is Fields {
  return isFields(value) && "sequence" in value;
}

function fromDigest(digest: unknown): Raw {
  const isOurs = isFields(digest) && ["steps", "diagnostics", "changeSummary"].some((name) => name in digest);
  if (!isOurs) throw new UnreadablePreview(`This is JSON, but not that of a preview: it has neither steps nor events. ${how}`);
  const { steps, diagnostics, changeSummary } = digest;
  return {
    steps: fieldsIn(steps).map((step) =>
      rawStep(step, step["oldState"], step["newState"], [...texts(step["diffReasons"]), ...texts(step["replaceReasons"])]),
    ),
    sames: number(changeSummary, "same"),
    diagnostics: fieldsIn(diagnostics),
  };
}

function fromEvents(events: readonly Fields[]): Raw {
  const of = (name: string): Fields[] => events.map((event) => event[name]).filter(isFields);
  const summary = of("summaryEvent").at(-1);
  if (!summary) throw new UnreadablePreview(`The preview has no end: it was cut off after event ${events.length}. ${how}`);
  return {
    steps: fieldsIn(of("resourcePreEvent").map(({ metadata }) => metadata)).map((step) =>
      rawStep(step, step["old"], step["new"], [...texts(step["diffs"]), ...texts(step["keys"])]),
    ),
    sames: number(summary["resourceChanges"], "same"),
    diagnostics: of("diagnosticEvent"),
  };
}

function rawStep(step: Fields, old: unknown, made: unknown, named: readonly string[]): RawStep {
  const [was, will] = [old, made].map((state) => (isFields(state) && isFields(state["inputs"]) ? state["inputs"] : undefined));
  const detailed = isFields(step["detailedDiff"]) ? Object.keys(step["detailedDiff"]) : [];
  // Not every provider says what differs.
  if (was && will && named.length + detailed.length === 0)
    detailed.push(...Object.keys({ ...was, ...will }).filter((name) => !isDeepStrictEqual(was[name], will[name])));
  const first = [...named, ...detailed].map((path) => path.split(/[.[]/, 1)[0] ?? path);
  return {
    op: textOf(step["op"]),
    urn: textOf(step["urn"]),
    old: isFields(old) ? old : undefined,
    new: isFields(made) ? made : undefined,
    changed: [...new Set(first)].sort(),
  };
}

/**
 * Each resource once. What waits to be deleted since an earlier run has the name of the one that took its place, and one that is read
 * anew before the preview (`--refresh`) has steps for both.
 *
 * @param weak Operations whose state counts only where no other has one.
 */
function statesOf(steps: readonly RawStep[], stateOf: (step: RawStep) => Fields | undefined, weak: readonly string[]): WrittenResource[] {
  const states = new Map<string, { readonly op: string; readonly resource: WrittenResource }>();
  for (const step of steps) {
    const state = stateOf(step);
    const known = states.get(step.urn);
    if (!state || (known && !weak.includes(known.op))) continue;
    if (state["delete"] === true && known) continue;
    states.set(step.urn, { op: step.op, resource: written(step.urn, state) });
  }
  return [...states.values()].map(({ resource }) => resource);
}

function goes(op: string): boolean {
  return op.startsWith("delete") || op.startsWith("discard") || op === "remove-pending-replace" || op === "read-discard";
}

function written(urn: string, state: Fields): WrittenResource {
  const parent = textOf(state["parent"]);
  const { inputs, outputs } = state;
  const type = textOf(state["type"]);
  return {
    urn,
    type,
    ...(parent !== "" && { parent }),
    inputs: isFields(inputs) ? (plain(inputs) as Fields) : {},
    // Of a cluster, what the last run saw on its hosts. All others' are long and of no use here.
    ...(owners.includes(type) && isFields(outputs) && { outputs: plain(outputs) as Fields }),
  };
}

/** Signatures by which values say what they are, in states and events. */
const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
export const secret = "[secret]";

/** What the engine writes where a value is known only when it is made. */
const unknownSentinel = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
export const unknown = "known only when made";

/** The value as a person may see it: secrets stay secrets, what is not known says so. */
function plain(value: unknown): unknown {
  if (typeof value === "string") return value === unknownSentinel || value === "[unknown]" || /^output<.*>$/.test(value) ? unknown : value;
  if (Array.isArray(value)) return value.map(plain);
  if (!isFields(value)) return value;
  if (value[signature] === secretSignature) return secret;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

function errorsOf(diagnostics: readonly Fields[]): string[] {
  const errors = diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ message }) =>
      textOf(message)
        .replace(/^error: /, "")
        .trim(),
    );
  return [...new Set(errors.filter((message) => message !== ""))];
}

function fieldsIn(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown, name: string): number {
  return isFields(value) && typeof value[name] === "number" ? value[name] : 0;
}
