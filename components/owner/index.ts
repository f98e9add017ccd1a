import { loadHostScript, loadScript, type ScriptValues } from "../remote/script";
import type { SshSession } from "../remote/ssh";

const file = loadScript(__dirname, "owner.sh");
const script = loadHostScript(__dirname, "owner.sh");
const timeout = 60_000;

/** Of these a host has one, and two resources that both kept it would undo each other's work for ever. */
export type OwnedPart = "firewall" | "tunnel" | "overlay";

/** What an owner is called, as a message can say it, and before it what it was called in earlier runs. */
export type OwnerNames = readonly [string, ...string[]];

/** Nobody knows whose a part is when its file was cut off. */
type Owner = string | null | { readonly unreadable: true };
type Owners = Readonly<Partial<Record<OwnedPart, Owner>>>;
type Session = Pick<SshSession, "script">;

/**
 * Takes parts of a host for an owner, and writes its present name where it had another one.
 *
 * @throws where another one has a part; the host is then as it was.
 */
export async function claim(session: Session, parts: readonly OwnedPart[], owner: OwnerNames): Promise<void> {
  if (parts.length > 0) refuseOthers(await run(session, "claim", parts, owner), owner);
}

/** What a first look prints of owners, by {@link ownersPart}. */
export interface SeenOwners {
  readonly owners: Owners;
  /** Parts that carry the owner's present name already. */
  readonly claimed: readonly OwnedPart[];
}

/** Has a first look print {@link SeenOwners}. */
export function ownersPart(
  parts: readonly OwnedPart[],
  owner: OwnerNames,
): { readonly functions: readonly (keyof SeenOwners)[]; readonly script: string; readonly values: ScriptValues } {
  return { functions: ["owners", "claimed"], script: file, values: valuesOf(parts, owner) };
}

/** @returns those of the parts that another one has. */
export async function ownedByOthers(session: Session, parts: readonly OwnedPart[], owner: OwnerNames): Promise<OwnedPart[]> {
  const owners = await run(session, "look", parts, owner);
  refuseUnreadable(owners);
  return parts.filter((part) => isAnother(owners[part], owner));
}

/** Of each part, whether this owner has it; undefined where nobody does, or a run did that wrote no name: before there were owners of it. */
export async function haves<Part extends OwnedPart>(
  session: Session,
  parts: readonly Part[],
  owner: OwnerNames,
): Promise<Readonly<Record<Part, boolean | undefined>>> {
  const owners = await run(session, "look", parts, owner);
  refuseUnreadable(owners);
  const has = parts.map((part) => [part, typeof owners[part] === "string" ? !isAnother(owners[part], owner) : undefined] as const);
  return Object.fromEntries(has) as Record<Part, boolean | undefined>;
}

export async function disown(session: Session, parts: readonly OwnedPart[], owner: OwnerNames): Promise<void> {
  await run(session, "release", parts, owner);
}

function run(session: Session, verb: string, parts: readonly OwnedPart[], owner: OwnerNames): Promise<Owners> {
  return session.script<Owners>(script, valuesOf(parts, owner), { verb, timeout });
}

function valuesOf(parts: readonly OwnedPart[], [owner, ...formerly]: OwnerNames): ScriptValues {
  return { PARTS: parts.join(" "), OWNER: JSON.stringify(owner), FORMERLY: formerly.map((name) => JSON.stringify(name)).join("\n") };
}

function isAnother(name: Owner | undefined, owner: OwnerNames): name is string {
  return typeof name === "string" && !owner.includes(name);
}

function refuseUnreadable(owners: Owners): void {
  const [part] = Object.entries(owners).find(([, name]) => typeof name === "object" && name !== null) ?? [];
  if (part === undefined) return;
  const file = `/etc/pulumi-swarm/owner.${part}`;
  throw new Error(
    `its file ${file} is empty or cut off, so it does not say who keeps the host's ${part}. Fix: where no other stack does, remove ${file} there and run again`,
  );
}

/** Of what a look saw. @throws where another one has one of them */
export function refuseOthers(owners: Owners, names: OwnerNames): void {
  refuseUnreadable(owners);
  const other = Object.entries(owners).find(([, name]) => isAnother(name, names));
  if (!other) return;
  const [owner] = names;
  const [part, name] = other as [string, string];
  const renamed = renaming(name, owner);
  if (renamed) {
    throw new Error(
      `its ${part} is kept by ${name}, and ${owner} would undo that. Fix: if ${renamed.was} was renamed to ${renamed.is}, name it ${renamed.was} again: ` +
        "the hosts and the swarm know it by its name, and an alias renames only what Pulumi keeps. " +
        'If they are two, take the host out of one of them, run "pulumi up", and then give it to the other',
    );
  }
  throw new Error(
    `its ${part} is kept by ${name}, and ${owner} would undo that. Fix: take the host out of one of the two and run that one's "pulumi up" first; ` +
      `where ${name} is no more, remove /etc/pulumi-swarm/owner.${part} there`,
  );
}

/** Two names of one kind in one stack: of two resources, or of one that was given another name. */
function renaming(other: string, own: string): { readonly was: string; readonly is: string } | undefined {
  const parts = /^(\w+) (.+) of (.+, stack .+)$/;
  const [, kind, was, stack] = parts.exec(other) ?? [];
  const [, sameKind, is, sameStack] = parts.exec(own) ?? [];
  return was !== undefined && is !== undefined && kind === sameKind && stack === sameStack ? { was: `"${was}"`, is: `"${is}"` } : undefined;
}
