import { createHash } from "node:crypto";
import { majorityOf } from "./quorum";
import type { LocalSwarmState, SwarmApi } from "./swarm-api";
import { type DesiredMember, type Examined, type MembershipMemory, recoveredLabel } from "./types";

/*
 * A swarm whose managers lost their majority: who is there, who is not, and what the user is asked to confirm before the swarm is formed
 * anew from one of them. Pure.
 */

/** A manager that answers, and has no leader. */
export interface Leaderless {
  readonly key: string;
  readonly api: SwarmApi;
  readonly local: LocalSwarmState;
  readonly examined: Examined | undefined;
}

/** A manager of the same swarm that does not answer. */
export interface Absent {
  readonly nodeId: string;
  /** Undefined of one that is no host of the program. */
  readonly key: string | undefined;
  /** `address:port` of its Raft. Empty where nobody knows it. */
  readonly address: string;
  /** Hosts that its port still answers: it lives, though it cannot be reached over SSH. */
  readonly answers: readonly string[];
}

export interface LostQuorum {
  /** Undefined where nothing is remembered: without a leader Docker does not tell it. */
  readonly swarmId: string | undefined;
  /** How often the swarm was formed anew before. */
  readonly recovered: number;
  /** The healthiest first. */
  readonly leaderless: readonly Leaderless[];
  readonly absent: readonly Absent[];
}

export interface LostHosts {
  readonly leaderless: readonly Leaderless[];
  readonly members: readonly DesiredMember[];
  readonly memory: MembershipMemory | undefined;
  readonly swarmId: string | undefined;
  readonly recovered: number;
  /** By host, of all that answer. */
  readonly examined: ReadonlyMap<string, Examined>;
}

/** Anybody can write a label. */
export function recoveredOf({ [recoveredLabel]: times }: Readonly<Record<string, string>>): number {
  return times !== undefined && /^\d{1,6}$/.test(times) ? Number(times) : 0;
}

/** A manager that runs and finds no leader. After its engine has started it is "pending" for as long as that lasts. */
export function isLeaderless({ state, controlAvailable, error, nodeId, remoteManagers }: LocalSwarmState): boolean {
  if (state === "active") return controlAvailable && error !== "";
  return state === "pending" && nodeId !== "" && remoteManagers.some((manager) => manager.nodeId === nodeId);
}

/** All managers of the swarm that the leaderless ones know, but for themselves: `address:port` by node id. */
export function othersKnown(leaderless: readonly Pick<Leaderless, "local">[]): ReadonlyMap<string, string> {
  const own = new Set(leaderless.map(({ local }) => local.nodeId));
  const known = leaderless.flatMap(({ local }) => local.remoteManagers).filter(({ nodeId }) => !own.has(nodeId));
  return new Map(known.map(({ nodeId, address }) => [nodeId, address]));
}

export function lostQuorumOf({ leaderless, members, memory, swarmId, recovered, examined }: LostHosts): LostQuorum {
  const keys = new Map(Object.entries(memory?.nodes ?? {}).map(([key, id]) => [id, key]));
  const known = othersKnown(leaderless);
  const absent = [...known].map(([nodeId, address]): Absent => ({
    nodeId,
    address,
    key: keys.get(nodeId) ?? members.find(({ listenAddress }) => listenAddress === address)?.key,
    answers: [...examined].flatMap(([key, { open }]) => (open.includes(address) ? [key] : [])),
  }));
  const byKey = (one: Absent, other: Absent): number => nameOf(one).localeCompare(nameOf(other), "en", { numeric: true });
  return {
    swarmId,
    recovered,
    leaderless: [...leaderless].sort((one, other) => compareLogs(other.examined, one.examined)),
    absent: absent.sort(byKey),
  };
}

/** As Raft itself decides whose log is newer: by the term of its last entry, then by its length. One that nobody knows comes last. */
function compareLogs(one: Examined | undefined, other: Examined | undefined): number {
  const [a, b] = [one?.log, other?.log];
  if (!a || !b) return Number(a !== undefined) - Number(b !== undefined);
  return a.term - b.term || a.index - b.index;
}

export function nameOf({ key, nodeId, address }: Absent): string {
  return key ?? `node ${nodeId}${address === "" ? "" : ` at ${address}`}`;
}

export function majorityNeeded({ leaderless, absent }: Pick<LostQuorum, "leaderless" | "absent">): number {
  return majorityOf(leaderless.length + absent.length);
}

/** Whether as many answer as a leader needs: then they lack only the way to each other, or some time. */
export function majorityAnswers({ leaderless, absent }: Pick<LostQuorum, "leaderless" | "absent">): boolean {
  return leaderless.length + absent.filter(({ answers }) => answers.length > 0).length >= majorityNeeded({ leaderless, absent });
}

/**
 * What `membership.recover` is to be for this very loss: the host from which the swarm is formed anew, and a digest of who was seen and who
 * was not. Any other loss has another one, also of the same hosts after the swarm was formed anew once.
 */
export function recoveryToken({ swarmId = "", recovered, leaderless, absent }: LostQuorum): string {
  const there = leaderless.map(({ key, local }) => `${key} ${local.nodeId}`).sort();
  const away = absent.map(({ nodeId }) => nodeId).sort();
  const digest = createHash("sha256").update(JSON.stringify([swarmId, recovered, there, away]));
  return `${leaderless[0]?.key ?? ""}.${digest.digest("hex").slice(0, 12)}`;
}

export function isRecoveryToken(text: unknown): boolean {
  return typeof text === "string" && /^[a-z][a-z0-9-]*\.[0-9a-f]{12}$/.test(text);
}

/** Services of which containers run yet on hosts that answer, with how many, by name. */
export function stillRunning(examined: ReadonlyMap<string, Pick<Examined, "running">>): ReadonlyMap<string, number> {
  const running = new Map<string, number>();
  for (const { running: services } of examined.values())
    for (const [service, containers] of Object.entries(services)) running.set(service, (running.get(service) ?? 0) + containers);
  return new Map([...running].sort(([one], [other]) => (one < other ? -1 : 1)));
}
