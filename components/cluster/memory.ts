import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { canHook, ofThisRun } from "../hosts/cloud/hooks";
import type { Machine, MadeAs } from "../hosts/host";
import type { Leave } from "../hosts/make";
import { isLater } from "../options";
import { reasonOf } from "../remote/each";
import type { SwarmClusterArgs } from "./args";
import { describeMoved, describeNotSpared, type Makings, moved, type Places, refuseProtected, refuseRemade, remade } from "./guard";
import type { ClusterPlan } from "./planned";

/** What is compared between runs, as it is sent to the state: what is not known yet is an `Output`. */
interface Remembered {
  readonly managers: Digests;
  /** Those that their provider does not delete. @default - none */
  readonly protected?: Digests;
  readonly members: Readonly<Record<string, { readonly machine: pulumi.Input<string>; readonly at?: string; readonly address: string }>>;
}

type Digests = Readonly<Record<string, Readonly<Record<string, pulumi.Input<string>>>>>;

/** The cluster as its arguments have it, and its machines. */
export interface Guarded {
  readonly cluster: string;
  readonly args: SwarmClusterArgs;
  readonly plan: ClusterPlan;
  readonly machines: ReadonlyMap<string, Machine>;
  readonly parent: pulumi.Resource;
}

/**
 * Looks, before any machine is touched, at what each manager's machine was made as and where the members are. It remembers
 * what the last run asked for: what was refused is not remembered, and is refused again.
 *
 * @param spare Asks the swarm whether it can do without managers whose machines would be other ones. Not in a preview.
 * @returns what fails when it cannot, or a member would get another address.
 */
export function guardMembers(guarded: Guarded, spare: (managers: readonly string[]) => Promise<void>): Leave {
  const { cluster, args } = guarded;
  let tell: (mayGoOn: (manager: string) => boolean) => void = () => {};
  const told = new Promise<(manager: string) => boolean>((resolve) => (tell = resolve));
  const ask: Ask = async (was, will) => {
    const leaving = remade(was, will).map(({ host }) => host);
    const allowed = args.membership?.replaceManagers ?? [];
    if (pulumi.runtime.isDryRun() || leaving.every((host) => allowed.includes(host))) return undefined;
    // It is those that stay who are asked, and how they are reached comes out of their own resources.
    tell((host) => !leaving.includes(host));
    const reason = await spare(leaving).then(() => undefined, reasonOf);
    return reason === undefined ? undefined : describeNotSpared(cluster, leaving, reason);
  };
  const { input } = memory(`${cluster}-members`, { ...makings(guarded), members: places(guarded) }, guarded, {
    ask,
    refused: () => tell(() => false),
  });
  if (!canHook() || pulumi.runtime.isDryRun()) return { forAll: input, forManager: () => input };
  input.apply(() => tell(() => true));
  return { forAll: input, forManager: (host) => pulumi.output(told.then((mayGoOn) => mayGoOn(host) || input)) };
}

/** @returns why managers whose machines would be other ones cannot be spared; undefined where they can. */
type Ask = (was: Makings, will: Makings) => Promise<string | undefined>;

/**
 * The same of managers, remembered only when everything is done: a preview compares with what the last `up` that succeeded left behind, so
 * that a machine which an `up` that failed has made anew, and which may not be back in the swarm, counts.
 */
export function settleManagers(guarded: Guarded, ready: readonly pulumi.Resource[]): void {
  memory(`${guarded.cluster}-managers`, makings(guarded), guarded, { dependsOn: [...ready] });
}

/**
 * A stash whose input follows the program. Before it changes, also in a preview, the engine shows us what it was.
 * (`Stash.output` keeps the first value for ever, so it cannot serve.)
 */
function memory(
  name: string,
  input: Partial<Remembered>,
  { cluster, args, plan, machines, parent }: Guarded,
  { ask, refused, ...options }: pulumi.CustomResourceOptions & { readonly ask?: Ask; readonly refused?: () => void },
): pulumi.Stash {
  const mayMove = movable(plan, args.renumber ?? []);
  const compare = async ({ oldInputs = {}, newInputs = {} }: pulumi.ResourceHookArgs): Promise<void> => {
    const [was, will] = [read(oldInputs), read(newInputs)];
    const moves = moved(was.members, will.members, mayMove);
    const said = [
      refuseRemade(cluster, was.managers, will.managers, args.membership?.replaceManagers ?? []),
      refuseProtected(cluster, was.protected, saidMakings(plan, machines)),
      moves.length > 0 ? describeMoved(cluster, moves) : undefined,
    ].filter((refusal) => refusal !== undefined);
    const refusals = said.length > 0 ? said : [await ask?.(was.managers, will.managers)].filter((refusal) => refusal !== undefined);
    if (refusals.length === 0) return;
    refused?.();
    await pulumi.log.error(refusals.join("\n"), parent);
    throw new Error("nothing is done; the error of the cluster says why");
  };
  const hooks = canHook()
    ? { hooks: { beforeUpdate: [new pulumi.ResourceHook(`${name} before it changes`, ofThisRun(compare), { onDryRun: true })] } }
    : {};
  return new pulumi.Stash(name, { input }, { parent, ...options, ...hooks });
}

function makings({ plan, machines }: Guarded): Omit<Remembered, "members"> {
  const shielded = plan.hosts.flatMap(({ key }) => {
    const machine = machines.get(key);
    return machine?.made && machine.protected === true ? [[key, digests(machine.made)] as const] : [];
  });
  return {
    // Machines that stand are not made by an `up`, so that nothing of them is compared, but they are managers all the same: whoever put
    // others into their places may be about to recover a lost quorum with them, and the membership's own survey refuses what would lose it.
    managers: Object.fromEntries(
      plan.hosts
        .filter(({ role }) => role === "manager")
        .map(({ key, provider }) => [key, provider === "existing" ? {} : digests(machines.get(key)?.made ?? {})]),
    ),
    ...(shielded.length > 0 && { protected: Object.fromEntries(shielded) }),
  };
}

/** Numbered hosts keep their places by the memory of their group's block; there may be a thousand of them. */
function places({ args, plan, machines }: Guarded): Remembered["members"] {
  return Object.fromEntries(
    plan.hosts
      .filter(({ role, group }) => role === "manager" || args.hosts[group]?.addressing === "given")
      .flatMap(({ key, provider, tunnelAddress, address, publicAddress }) => {
        const made = machines.get(key)?.made;
        const where = tunnelAddress === undefined ? address && `site ${address}` : `tunnel ${tunnelAddress}`;
        if (!made || where === undefined) return [];
        // What is made is made under its name; what stands has a name of its own choice.
        const machine = digest(provider === "existing" ? made : { key, ...made });
        const at = typeof publicAddress === "string" ? publicAddress : address;
        return [[key, { machine, ...(at !== undefined && { at }), address: where }] as const];
      }),
  );
}

/** All hosts of the program, with as much of what their machines are asked to be as the program itself says. */
function saidMakings({ hosts }: ClusterPlan, machines: ReadonlyMap<string, Machine>): Makings {
  return Object.fromEntries(
    hosts.map(({ key }) => {
      const said = Object.entries(machines.get(key)?.made ?? {}).filter(([, value]) => !pulumi.Output.isInstance(value));
      return [key, Object.fromEntries(said.map(([what, value]) => [what, shortDigest(JSON.stringify(value ?? null))]))];
    }),
  );
}

function digests(made: MadeAs): Readonly<Record<string, pulumi.Input<string>>> {
  return Object.fromEntries(Object.entries(made).map(([what, value]) => [what, digest(value)]));
}

/** Tells nothing of a secret, and is short. An output of each of a thousand machines costs a preview a tenth of its time. */
function digest(value: unknown): pulumi.Input<string> {
  if (isPlain(value)) return shortDigest(JSON.stringify(value ?? null));
  const text = (pulumi.output(value as pulumi.Input<string>) as pulumi.Output<unknown>).apply((known) => JSON.stringify(known ?? null));
  return pulumi.unsecret(text.apply(shortDigest));
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return !isLater(value) && Object.values(value).every(isPlain);
}

function shortDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Out of what the engine shows: what is not known is left out. */
function read({ input }: Readonly<Record<string, unknown>>): { readonly managers: Makings; readonly protected: Makings; readonly members: Places } {
  const { managers, members, protected: shielded } = fields(input);
  const texts = (value: unknown): Record<string, string> =>
    Object.fromEntries(Object.entries(fields(value)).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  const makings = (value: unknown): Makings => Object.fromEntries(Object.entries(fields(value)).map(([host, made]) => [host, texts(made)]));
  return {
    managers: makings(managers),
    protected: makings(shielded),
    members: Object.fromEntries(Object.entries(fields(members)).map(([host, place]) => [host, { address: "", ...texts(place) }])),
  };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !pulumi.Output.isInstance(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

/** Hosts of which `renumber` says that they may move. */
function movable({ hosts, underlay }: ClusterPlan, renumber: readonly string[]): ReadonlySet<string> {
  const owners = (group: string, zone: string | undefined): string[] =>
    underlay === "wireguard" ? [`tunnel ${group}`] : [`site ${group}`, `site ${group} ${zone ?? ""}`];
  const named = hosts.filter(({ group, zone }) => owners(group, zone).some((owner) => renumber.includes(owner)));
  return new Set(named.map(({ key }) => key));
}
