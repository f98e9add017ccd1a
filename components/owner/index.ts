import { loadHostScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";

const script = loadHostScript(__dirname, "owner.sh");
const timeout = 60_000;

/** Of these a host has one, and two resources that both kept it would undo each other's work for ever. */
export type OwnedPart = "firewall" | "tunnel";

type Owners = Readonly<Partial<Record<OwnedPart, string | null>>>;
type Session = Pick<SshSession, "script">;

/**
 * Takes parts of a host for an owner, by its name as a message can say it.
 *
 * @throws where another one has a part; the host is then as it was.
 */
export async function claim(session: Session, parts: readonly OwnedPart[], owner: string): Promise<void> {
  if (parts.length > 0) refuseOthers(await run(session, "claim", parts, owner), owner);
}

/** The same question, with nothing taken. @throws where another one has a part */
export async function refuseOwned(session: Session, parts: readonly OwnedPart[], owner: string): Promise<void> {
  if (parts.length > 0) refuseOthers(await run(session, "look", parts, owner), owner);
}

/** @returns those of the parts that another one has. */
export async function ownedByOthers(session: Session, parts: readonly OwnedPart[], owner: string): Promise<OwnedPart[]> {
  const owners = await run(session, "look", parts, owner);
  return parts.filter((part) => typeof owners[part] === "string" && owners[part] !== owner);
}

export async function disown(session: Session, parts: readonly OwnedPart[], owner: string): Promise<void> {
  await run(session, "release", parts, owner);
}

function run(session: Session, verb: string, parts: readonly OwnedPart[], owner: string): Promise<Owners> {
  return session.script<Owners>(script, { PARTS: parts.join(" "), OWNER: JSON.stringify(owner) }, { verb, timeout });
}

function refuseOthers(owners: Owners, owner: string): void {
  const other = Object.entries(owners).find(([, name]) => typeof name === "string" && name !== owner);
  if (!other) return;
  const [part, name] = other;
  throw new Error(
    `its ${part} is kept by ${name}, and ${owner} would undo that. Fix: take the host out of one of the two and run that one's "pulumi up" first; ` +
      `where ${name} is no more, remove /etc/pulumi-swarm/owner.${part} there`,
  );
}
