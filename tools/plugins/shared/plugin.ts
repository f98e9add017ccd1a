import { randomBytes } from "node:crypto";
import type { Props } from "./values";

/** What an operation is given beside its properties. */
export interface Context {
  readonly urn: string;
  /** Aborted when the user cancels or the resource's customTimeouts run out. */
  readonly signal: AbortSignal;
  /** Keeps a line beside the resource in `pulumi up`, to its end. */
  log(severity: "info" | "warning", message: string): void;
  /** Shows a line in the resource's row while the operation lasts: the next one takes its place, and a terminal keeps none. */
  status(message: string): void;
}

export interface Change {
  /** The stored outputs. */
  readonly state: Props;
  readonly olds: Props;
  readonly news: Props;
}

export interface Diff {
  readonly changed: readonly string[];
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

export interface ResourceType {
  readonly inputs: readonly string[];
  readonly required: readonly string[];
  /** Inputs the real plugin knows and this one does not: refused with a sentence that says so. */
  readonly refused: readonly string[];
  /** Outputs that only the operation itself can tell. */
  readonly computed: readonly string[];
  /** Whether an update makes `computed` new, so that a preview must not show the old ones. */
  readonly updateRenewsComputed: boolean;
  /** What is wrong with the inputs beyond their names. */
  mistakes?(news: Props): readonly { readonly property: string; readonly reason: string }[];
  /** What the real plugin warns of whenever it is given such inputs, in previews too. */
  warnings?(news: Props): readonly string[];
  /** Fills in what the real plugin fills in before planning, for example a generated name. */
  complete?(news: Props, olds: Props, urn: string): Props;
  diff(change: Change): Diff;
  create(inputs: Props, context: Context): Promise<{ readonly id: string; readonly outputs: Props }>;
  update(id: string, change: Change, context: Context): Promise<Props>;
  /** `undefined` when the thing is gone, so that the engine drops it from the state. `id`: where it is another one now. */
  read(id: string, inputs: Props, state: Props): Promise<{ readonly id?: string; readonly inputs: Props; readonly state: Props } | undefined>;
  delete(id: string, state: Props, context: Context): Promise<void>;
}

/** An operation that failed and yet left something: the engine keeps `outputs`, and tries again by the next `up`. */
export class NotFinished extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly outputs: Props,
  ) {
    super(message);
  }
}

export interface Plugin {
  readonly name: string;
  readonly version: string;
  readonly config: readonly string[];
  /** What the real plugin says of a property that the resource does not have. @default - words of our own, with those that it has */
  unknownProperty?(type: string, name: string): string;
  readonly resources: Readonly<Record<string, ResourceType>>;
  /** Functions that a program can call, by token. @default - none */
  readonly functions?: Readonly<Record<string, (args: Props) => Props>>;
  configure?(config: Props): void;
}

export function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").pop() ?? "";
}

export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

export function randomHex(characters: number): string {
  return randomBytes(characters).toString("hex").slice(0, characters);
}

/**
 * Gives the resource a name of its own when the program gave none. Recorded in `__defaults` as the real docker plugin does:
 * a generated name lets the engine create the new one before it deletes the old.
 */
export function completeName(news: Props, olds: Props, urn: string): Props {
  if (typeof news["name"] !== "undefined") return { ...news, __defaults: [] };
  const name = isGeneratedName(olds) ? olds["name"] : `${nameOf(urn)}-${randomHex(7)}`;
  return { ...news, name, __defaults: ["name"] };
}

export function isGeneratedName(inputs: Props): boolean {
  const defaults = inputs["__defaults"];
  return Array.isArray(defaults) && defaults.includes("name");
}
