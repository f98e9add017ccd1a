import { isDeepStrictEqual } from "node:util";

/** A property map as it travels between engine and plugin: plain JSON plus the marked values below. */
export type Props = Readonly<Record<string, unknown>>;

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";

/** What the engine sends, and accepts, for a value that is not known yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isSecret(value: unknown): value is { readonly value: unknown } {
  return isRecord(value) && value[SIGNATURE] === SECRET;
}

export function secretOf(value: unknown): unknown {
  return { [SIGNATURE]: SECRET, value };
}

export function isAsset(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && value[SIGNATURE] === ASSET;
}

export function isArchive(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && value[SIGNATURE] === ARCHIVE;
}

/** The value without its secret wrappers, at any depth: for use, never for handing back to the engine. */
export function reveal(value: unknown): unknown {
  if (isSecret(value)) return reveal(value.value);
  if (Array.isArray(value)) return value.map(reveal);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reveal(item)]));
}

export function revealProps(props: Props): Props {
  return reveal(props) as Props;
}

/** The new value, still secret where the stored one was: a refreshed input must not become readable in the state. */
export function replaceRevealed(stored: unknown, value: unknown): unknown {
  if (isDeepStrictEqual(reveal(stored), value)) return stored;
  return isSecret(stored) ? { ...stored, value } : value;
}

/** Equal for the purpose of a diff: null is absent, an asset is its hash, and neither being secret nor who gave a value changes anything. */
export function sameValue(left: unknown, right: unknown): boolean {
  return isDeepStrictEqual(comparable(left), comparable(right));
}

function comparable(value: unknown): unknown {
  if (isSecret(value)) return comparable(value.value);
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(comparable);
  if (!isRecord(value)) return value;
  if ((isAsset(value) || isArchive(value)) && typeof value["hash"] === "string" && value["hash"] !== "") {
    return { [SIGNATURE]: value[SIGNATURE], hash: value["hash"] };
  }
  const entries = Object.entries(value)
    .map(([key, item]): [string, unknown] => [key, comparable(item)])
    .filter(([key, item]) => item !== undefined && key !== "__defaults");
  return Object.fromEntries(entries);
}

/** The names among `names` whose value differs between the two maps. */
export function changedNames(names: readonly string[], olds: Props, news: Props): string[] {
  return names.filter((name) => !sameValue(olds[name], news[name]));
}

/** Without undefined members, which the wire format cannot carry. */
export function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : withoutUndefined(item)));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutUndefined(item)]));
}
