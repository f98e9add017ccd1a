import { isOutput } from "./marks";

/** One problem in the user's arguments: where it is, what is wrong, and how to fix it. */
export interface Problem {
  /** The argument's path, such as `hosts.edge.count`. */
  readonly path: string;
  /** What is wrong, with the given value. */
  readonly message: string;
  /** What to write instead. */
  readonly fix: string;
}

/** @param meant The option that looks as if it were missing because of this: nothing else is to be said of it. */
export type Report = (path: string, message: string, fix: string, meant?: string) => void;

/** A value as the user wrote it, for a message. */
export function show(value: unknown): string {
  if (isOutput(value)) return "an Output (a plain value is needed here, so that the preview can be complete)";
  if (typeof value === "function") return "a function (is it to be called?)";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value instanceof Promise) return "a promise (a plain value is needed here, so that the preview can be complete)";
  if (value instanceof Map || value instanceof Set) return `a ${value.constructor.name}`;
  return written(value);
}

/** Messages end in logs, and no word of these belongs there. */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/PRIVATE KEY-----|PuTTY-User-Key-File/, "a private key"],
  [/SWMTKN-/, "a join token"],
  [/SWMKEY-/, "an unlock key"],
  [/"pass(?:word|phrase)":/, "something with a password in it"],
];

/** Of what is longer, the beginning says which value is meant. */
const longest = 100;

function written(value: unknown): string {
  try {
    const text = JSON.stringify(value) ?? "nothing";
    const secret = secrets.find(([pattern]) => pattern.test(text));
    if (secret) return secret[1];
    return text.length > longest && typeof value === "object" ? `${text.slice(0, longest)}…` : text;
  } catch {
    return "something that refers to itself";
  }
}

/** That a value which is needed is not what it should be. @param what Such as "a role". */
export function isNot(value: unknown, what: string): string {
  return value === undefined ? `${what} is missing` : `${show(value)} is not ${what}`;
}

/**
 * All problems as one message, in the order in which a reader meets them in the program.
 *
 * @param what Such as `swarm cluster "prod"`.
 */
export function describeProblems(what: string, problems: readonly Problem[]): string {
  const lines = problems.map(({ path, message, fix }) => `  - ${path}: ${sentence(message)} Fix: ${sentence(fix)}`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return [`The ${what} cannot be planned: ${count}.`, ...lines].join("\n");
}

/** A message may end with a question. */
export function sentence(words: string): string {
  return words.endsWith("?") ? words : `${words}.`;
}

/** How many managers may be down with the swarm still taking changes, in words. */
export function failures(count: number): string {
  return count === 0 ? "no failure" : count === 1 ? "1 failure" : `${count} failures`;
}

/** The first few names, and how many others. */
export function fewOf(names: readonly string[], few = 3): string {
  const rest = names.length - few;
  return rest <= 1 ? names.join(", ") : `${names.slice(0, few).join(", ")} and ${rest} more`;
}
