/** How an engine writes what is not known before it is made, in its several forms, and what it keeps to itself. */
const unknown: readonly string[] = ["04da6b54-80e4-46f7-96ec-b56ff0331ba9", "[unknown]", "output<string>"];
const secret = "[secret]";

/**
 * A value for a person to read, whatever a preview or a state has in its place. Nothing in it turns the reading direction, breaks a
 * line, or is forbidden in XML.
 */
export function said(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return unknown.includes(value) ? "known only when made" : clean(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "object" && "assigned" in value ? "assigned when made" : secret;
}

export function saidAll(values: unknown): string[] {
  return Array.isArray(values) ? values.map(said) : [said(values)].filter((text) => text !== "");
}

function clean(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\uFFFE\uFFFF]/gu, "\uFFFD");
}

/** `3 managers`, `1 worker`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** Parts of a line, those that say nothing left out. */
export function line(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" · ");
}

/** Whether a source names hosts of the cluster. */
export function isMembers(source: string): boolean {
  return ["members", "managers", "workers"].includes(source) || source.startsWith("group ");
}
