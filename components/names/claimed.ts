import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../report";
import type { PlannedName } from "./name";
import { nameKey, renameOne, sameNames } from "./planned";

/** One component of this package with all that is under it. */
export interface NamedComponent {
  /** In the middle of a sentence, such as `swarm cluster "prod"`. */
  readonly what: string;
  readonly type: string;
  readonly name: string;
  readonly parent?: pulumi.Resource | undefined;
  readonly names: readonly PlannedName[];
}

/** A name, and the component for which it is taken. */
interface Claim {
  readonly name: PlannedName;
  readonly what: string;
}

/** Of each run of a program: the engine's client stands for it. */
const claimed = new WeakMap<object, Map<string, Claim>>();
/** The same where each component of a run has a client of its own. */
const claimedThere = new Map<string, Map<string, Claim>>();
let oneByOne = false;

/**
 * For the plugin that serves other languages: it makes each component as if it were a program of its own. Its process serves one run of
 * `pulumi`, whose preview and update are told apart, since one may listen where the other did.
 */
export function serveOneByOne(): void {
  oneByOne = true;
}

function takenNames(monitor: object): Map<string, Claim> {
  const address = (monitor as { getChannel?(): { getTarget(): string } }).getChannel?.().getTarget();
  if (!oneByOne || address === undefined) {
    const taken = claimed.get(monitor) ?? new Map<string, Claim>();
    claimed.set(monitor, taken);
    return taken;
  }
  const run = `${address} ${pulumi.runtime.isDryRun() ? "preview" : "update"}`;
  const taken = claimedThere.get(run) ?? new Map<string, Claim>();
  claimedThere.set(run, taken);
  return taken;
}

/**
 * Takes the names of a component for it. Two components of a program can come to the same names by themselves: cluster `a` with group
 * `b-c`, and cluster `a-b` with group `c`, both have a host `a-b-c-1`.
 *
 * @returns what is wrong where another component of this run has one of them; then none is taken.
 */
export function claimNames(component: NamedComponent): Problem[] {
  const monitor = pulumi.runtime.getMonitor() as object | undefined;
  // The SDK's mocks refuse no name, and a user's tests may make one component many times.
  if (monitor === undefined || !("registerResourceHook" in monitor)) return [];
  const taken = takenNames(monitor);
  const names = fullNames(component);
  const others = names.flatMap((name) => taken.get(nameKey(name)) ?? []);
  const problems = others.some(({ what }) => what === component.what) ? [twice(component)] : describe([...others.map(({ name }) => name), ...names]);
  if (problems.length === 0) for (const name of names) taken.set(nameKey(name), { name, what: component.what });
  return problems;
}

function twice({ what }: NamedComponent): Problem {
  return { path: "name", message: `the program makes a ${what} twice, and there can be only one of that name in a stack`, fix: renameOne };
}

function describe(names: readonly PlannedName[]): Problem[] {
  return sameNames(names).map(({ one, other }) => ({
    path: other.path,
    message: `${other.of} and ${one.of} would both have a resource named "${other.name}", and there can be only one of that name in a stack`,
    fix: other.fix ?? renameOne,
  }));
}

/** As they are in the whole stack. */
function fullNames({ what, type, name, parent, names }: NamedComponent): PlannedName[] {
  const chain = [...typesOf(parent), type].join("$");
  const own = { type: chain, name, of: `the ${what}`, path: "name" };
  return [own, ...names.map((each) => ({ ...each, of: `${each.of} of the ${what}`, ...(!each.anywhere && { type: `${chain}$${each.type}` }) }))];
}

/** URNs have the types of all parents but the stack, and not their names. The SDK knows both, and shows them by a promise alone. */
function typesOf(parent: pulumi.Resource | undefined): readonly string[] {
  const { __pulumiType: type = "", __parentResource: above } = (parent ?? {}) as {
    readonly __pulumiType?: string;
    readonly __parentResource?: pulumi.Resource;
  };
  if (parent === undefined || type === "pulumi:pulumi:Stack") return [];
  return [...typesOf(above), type];
}
