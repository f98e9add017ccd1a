import * as refusals from "./refusals";
import { type DesiredSwarm, type MembershipMemory, ownerLabel, stackLabel } from "./types";

/** A swarm that lives, as its managers tell it. */
export interface FoundSwarm {
  readonly swarmId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Hosts that lead it. */
  readonly managers: readonly string[];
}

/**
 * Whether a swarm that lives is ours to change: it carries our mark; or this program remembers it and nobody has marked it since; or
 * the program adopts it by its id; or, where nothing is remembered, it carries the name of exactly this cluster.
 *
 * @param abandoned What is remembered does not count any more, says the user.
 * @throws MembershipRefusal that says whose it is
 */
export function refuseUnlessOurs({ owner, adopt }: DesiredSwarm, memory: MembershipMemory | undefined, found: FoundSwarm, abandoned: boolean): void {
  const { [ownerLabel]: mark, [stackLabel]: stack } = found.labels;
  if (mark !== undefined && (mark === owner.mark || mark === memory?.owner)) return;
  // A takeover is asked for once: two programs that both adopt the same swarm would take it from each other for ever.
  if (adopt === found.swarmId && (abandoned || memory?.adopted !== adopt)) return;
  if (memory?.swarmId === found.swarmId) {
    if (mark === undefined) return;
    throw refusals.takenSince(found, stack, owner.stack);
  }
  if (stack === undefined || stack !== owner.stack) throw refusals.notOurs(found, stack, owner.stack);
}

/** The labels that say whose the swarm is, as far as they are not there yet. */
export function ownerLabels({ owner }: Pick<DesiredSwarm, "owner">, labels: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const ours = { [ownerLabel]: owner.mark, [stackLabel]: owner.stack };
  return Object.fromEntries(Object.entries(ours).filter(([name, value]) => labels[name] !== value));
}
