import { hostOwner } from "../addresses/pieces";
import { pinPath } from "../addresses/subnets";
import { majorityOf } from "../membership/quorum";

/** Of what the managers' machines were made, by host and by what it is about. Digests: two of them tell whether something is another. */
export type Makings = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Where members are in the swarm, by host. */
export type Places = Readonly<Record<string, Place>>;

export interface Place {
  /** A digest of what tells its machine from others; machines that were copied may share it. @default - not known yet */
  readonly machine?: string;
  /** Where it is reached from elsewhere, or by its neighbours. */
  readonly at?: string;
  /** Its address in the swarm. */
  readonly address: string;
}

/** A manager that would be another machine. */
export interface Remade {
  readonly host: string;
  /** What of it would be otherwise. */
  readonly by: readonly string[];
}

/** What is not known yet, or was not remembered by an older version, is no difference. */
export function remade(was: Makings, will: Makings): Remade[] {
  return Object.entries(will).flatMap(([host, now]): Remade[] => {
    const before = was[host] ?? {};
    const by = Object.keys(now).filter((what) => before[what] !== undefined && before[what] !== now[what]);
    return by.length > 0 ? [{ host, by }] : [];
  });
}

/**
 * Why managers may not become other machines in one run.
 *
 * @param was All managers that there were, also those of whose machines nothing is known.
 * @param earlier Whether the last run that did all it was asked is what `was` tells of, and not the last one.
 * @param allowed Those that may, whatever it costs.
 */
export function refuseRemade(cluster: string, was: Makings, will: Makings, allowed: readonly string[]): string | undefined {
  const found = remade(was, will);
  const managers = Object.keys(was).length;
  const mayFail = managers - majorityOf(managers);
  if (found.length <= mayFail || found.every(({ host }) => allowed.includes(host))) return undefined;
  const hosts = found.map(({ host }) => host);
  const differs = [...new Set(found.flatMap(({ by }) => by))].sort().join(", ");
  const whole =
    managers === 1
      ? `${hosts.join()} is the only manager, and with its machine the swarm is lost`
      : `of ${managers} managers ${mayFail === 1 ? "1 tolerates" : `${mayFail} tolerate`} to be away, and with ${found.length} the swarm loses its quorum`;
  const order =
    mayFail === 0
      ? `add ${managers === 1 ? "two managers" : "a manager"}, run \`up\`, and then make the change${found.length === 1 ? "" : " for one manager at a time"}`
      : `make the change for ${mayFail === 1 ? "one manager" : `at most ${mayFail} managers`} at a time, in the order ${hosts.join(", ")}, and run \`up\` until it succeeds before the next`;
  return (
    `The swarm cluster "${cluster}" would replace the machine${hosts.length === 1 ? "" : "s"} of ${hosts.join(", ")} in one run, since ${differs} changes: ${whole}. ` +
    "What an earlier `up` left unfinished counts too. Nothing was changed. " +
    `Fix: ${order}. If the swarm may be lost, set membership.replaceManagers: ${JSON.stringify(hosts)}.`
  );
}

/** @param reason What the swarm said, or why it could not be asked. */
export function describeNotSpared(cluster: string, leaving: readonly string[], reason: string): string {
  return (
    `The swarm cluster "${cluster}" would replace the machine${leaving.length === 1 ? "" : "s"} of ${leaving.join(", ")}, and that could cost the swarm its quorum: ` +
    `${reason.replace(/\.$/, "")}.\nNo machine of a manager was replaced. Fix: bring the other managers back, or take those that are lost out of the program, and run \`up\` again. ` +
    `If the swarm may be lost, set membership.replaceManagers: ${JSON.stringify(leaving)}.`
  );
}

/**
 * Why machines may not be deleted that are protected: their provider refuses that until an update of its own has taken the protection off.
 *
 * @param was The protected machines, as they were last asked for.
 * @param will All hosts of the program, with what is known of their machines.
 */
export function refuseProtected(cluster: string, was: Makings, will: Makings): string | undefined {
  const gone = Object.keys(was).filter((host) => will[host] === undefined);
  const anew = remade(was, will);
  const doing = [
    ...(gone.length === 0 ? [] : [`remove ${gone.join(", ")}`]),
    ...(anew.length === 0 ? [] : [`replace the machine${anew.length === 1 ? "" : "s"} of ${anew.map(({ host }) => host).join(", ")}`]),
  ];
  if (doing.length === 0) return undefined;
  return (
    `The swarm cluster "${cluster}" would ${doing.join(" and ")}, but the provider refuses to delete a protected machine, and only an update of its own takes the protection off. ` +
    "Nothing was changed. Fix: keep the hosts as they were with protect: false in their group, run `up` until it succeeds, and then make this change."
  );
}

/** A member that would get another address, though its machine is the same. */
export interface Moved {
  readonly host: string;
  /** How it was called before. */
  readonly called: string;
  readonly was: string;
  readonly would: string;
}

/** @param may Hosts whose address may be another one. */
export function moved(was: Places, will: Places, may: ReadonlySet<string>): Moved[] {
  return Object.entries(will).flatMap(([host, place]): Moved[] => {
    const called = calledBefore(host, place, was, will);
    const before = called === undefined ? undefined : was[called];
    if (called === undefined || before === undefined || before.address === place.address || may.has(host)) return [];
    // Another underlay is refused by itself.
    return kindOf(before.address) === kindOf(place.address) ? [{ host, called, was: before.address, would: place.address }] : [];
  });
}

/** Under which name the same machine was remembered. */
function calledBefore(host: string, { machine, at }: Place, was: Places, will: Places): string | undefined {
  if (machine === undefined) return undefined;
  const same = (places: Places): string[] => Object.keys(places).filter((key) => places[key]?.machine === machine);
  const candidates = same(was);
  if (candidates.includes(host)) return host;
  const there = candidates.filter((key) => at !== undefined && was[key]?.at === at);
  if (there.length === 1) return there[0];
  return candidates.length === 1 && same(will).length === 1 ? candidates[0] : undefined;
}

const kindOf = (address: string): string => address.split(" ")[0] ?? "";
const bare = (address: string): string => address.split(" ").at(-1) ?? "";

/** Docker keeps the address with which a node joined for as long as it is a member. */
export function describeMoved(cluster: string, moves: readonly Moved[]): string {
  const lines = moves.map(({ host, called, was, would }) => {
    const name = host === called ? host : `${host}, which was ${called}`;
    const fix =
      kindOf(was) === "tunnel" ? `keep it with ${pinPath(hostOwner("tunnel", host))}: "${bare(was)}/32"` : `give it the address ${bare(was)}`;
    return `  - ${name}: from ${bare(was)} to ${bare(would)}. Fix: ${fix}.`;
  });
  return [
    `The swarm cluster "${cluster}" would give ${moves.length === 1 ? "a member" : `${moves.length} members`} of the swarm another address, and Docker cannot do that while a host is a member. Nothing was changed.`,
    ...lines,
    "To move a host anyway, remove it from the program, run `up`, and add it again.",
  ].join("\n");
}
