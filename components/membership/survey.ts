import { Control, Failures, localOrNothing, messageOf, waitUntil } from "./control";
import { LostQuorumRefusal } from "./lost-quorum";
import { refuseUnlessOurs } from "./ownership";
import { isLeaderless, lostQuorumOf, othersKnown } from "./recovery";
import * as refusals from "./refusals";
import { isStuckManager, standingOf, type Standing, trouble } from "./standing";
import type { LocalSwarmState, SwarmApi, SwarmNode, SwarmSettings } from "./swarm-api";
import { unlockAll } from "./unlock";
import type { DesiredSwarm, Examined, HostAccess, MembershipIo, MembershipLimits, MembershipMemory } from "./types";

export interface Seen {
  readonly key: string;
  readonly api: SwarmApi;
  readonly local: LocalSwarmState;
}

export type SeenHost = Seen & { readonly standing: Standing };

/** The swarm as it is, before anything is changed. */
export interface Survey {
  readonly hosts: ReadonlyMap<string, SeenHost>;
  /** Hosts no longer desired that answer. */
  readonly departing: ReadonlyMap<string, Seen>;
  readonly failures: Failures;
  /** Hosts that answer while their engines do not. */
  readonly silent: ReadonlySet<string>;
  readonly control: Control;
  /** Undefined when a swarm is to be formed. */
  readonly swarmId: string | undefined;
  readonly nodes: readonly SwarmNode[];
  /** Undefined when a swarm is to be formed. */
  readonly settings: SwarmSettings | undefined;
  /** How often it was formed anew. */
  readonly recovered: number;
}

interface Question {
  readonly desired: DesiredSwarm;
  readonly memory: MembershipMemory | undefined;
  readonly io: MembershipIo;
  readonly limits: MembershipLimits;
  readonly failures: Failures;
  readonly silent: Set<string>;
  /** The swarm of the last run is lost, says the user. It is kept all the same if it turns out to live. */
  readonly abandoned: boolean;
  /** How often the swarm was formed anew, as far as anybody knows; raised by who is asked. */
  recovered: number;
}

/** Looks at all hosts at once, decides which swarm is ours, and what each host is to it. @throws MembershipRefusal */
export async function survey(
  desired: DesiredSwarm,
  access: readonly HostAccess[],
  memory: MembershipMemory | undefined,
  io: MembershipIo,
  limits: MembershipLimits,
): Promise<Survey> {
  const wanted = desired.members.filter(({ role }) => role === "manager");
  if (wanted.length === 0) throw refusals.noManagerWanted();
  const abandoned = desired.abandonedSwarm !== undefined && desired.abandonedSwarm === knownSwarm(desired, memory);
  const question: Question = {
    desired,
    memory,
    io,
    limits,
    failures: new Failures(),
    silent: new Set(),
    abandoned,
    recovered: abandoned ? 0 : knownRecoveries(desired, memory),
  };
  const { failures, silent } = question;
  const { first, departing } = await unlockManagers(
    await lookAtDesired(access, question),
    await lookAgain(departingHosts(desired, memory, io)),
    question,
  );
  if (!wanted.some(({ key }) => first.some((seen) => seen.key === key)) && ![...first, ...departing].some(({ local }) => isManager(local))) {
    const reasons = failures.list.filter(({ host }) => wanted.some(({ key }) => key === host));
    throw refusals.curableIf(silent.size > 0, refusals.noManagerReached(reasons));
  }
  const all = await awaitLeader([...first, ...departing], question);
  question.recovered = Math.max(question.recovered, ...all.map(({ local }) => local.recovered));
  const swarmId = await whichSwarm(all, question);
  const control = new Control(io, limits);
  const leading = all.filter(({ local }) => swarmId !== undefined && local.swarmId === swarmId && !isBygone(local, question.recovered));
  for (const { local, api } of leading) control.add(local.nodeId, api);
  await refuseTwoHalves(leading, question);
  const settings = swarmId === undefined ? undefined : await control.call((api) => api.settings());
  if (swarmId !== undefined && settings) {
    const managers = leading.filter(isLed).map(({ key }) => key);
    refuseUnlessOurs(desired, memory, { swarmId, labels: settings.labels, managers }, question.abandoned);
  }
  const keys = new Set(desired.members.map(({ key }) => key));
  const settled = await settle(
    all.filter(({ key }) => keys.has(key)),
    swarmId,
    control,
    question,
  );
  const others = new Map(all.filter(({ key }) => !keys.has(key)).map((seen) => [seen.key, seen]));
  return { ...settled, departing: others, failures, silent, control, swarmId, settings, recovered: question.recovered };
}

function knownSwarm({ formerly }: DesiredSwarm, memory: MembershipMemory | undefined): string | undefined {
  return memory?.swarmId ?? formerly?.swarmId;
}

/** Of the same swarm. A manager that was away remembers less than what Pulumi's state has. */
function knownRecoveries({ formerly }: DesiredSwarm, memory: MembershipMemory | undefined): number {
  const told = memory === undefined || memory.swarmId === formerly?.swarmId ? formerly?.recovered : undefined;
  return Math.max(memory?.recovered ?? 0, told ?? 0);
}

async function lookAtDesired(access: readonly HostAccess[], { failures, silent }: Question): Promise<Seen[]> {
  const looks = access.map(async (host): Promise<Seen | undefined> => {
    if (host.kind === "failed") {
      failures.add(host.key, host.reason);
      if (host.curable) silent.add(host.key);
      return undefined;
    }
    try {
      return { key: host.key, api: host.api, local: await host.api.local() };
    } catch (error) {
      failures.add(host.key, messageOf(error));
      silent.add(host.key);
    }
    return undefined;
  });
  return (await Promise.all(looks)).filter((seen) => seen !== undefined);
}

/** A locked host has no part in anything, so this comes before all else. One that stays locked is left out. */
async function unlockManagers(
  first: readonly Seen[],
  departing: readonly Seen[],
  { memory, io, failures }: Question,
): Promise<{ readonly first: readonly Seen[]; readonly departing: readonly Seen[] }> {
  const locked = [...first, ...departing].filter(isLocked);
  if (locked.length === 0) return { first, departing };
  // A manager that is not locked knows the key better than a run that may have been cut off does.
  const led = [...first, ...departing].find(isLed);
  const told = await led?.api.unlockKey().catch(() => undefined);
  const keys = [...new Set([told ?? "", ...(memory?.unlockKeys ?? [])])].filter((key) => key !== "");
  const problems = await unlockAll(locked, keys, io);
  for (const { key } of first) {
    const problem = problems.get(key);
    if (problem !== undefined) failures.add(key, problem);
  }
  const again = async (hosts: readonly Seen[]): Promise<readonly Seen[]> => {
    const unlocked = await lookAgain(hosts.filter(isLocked));
    const now = new Map(unlocked.map((host) => [host.key, host]));
    return hosts.map((host) => now.get(host.key) ?? host).filter((host) => !isLocked(host));
  };
  return { first: await again(first), departing: await again(departing) };
}

function isLocked({ local }: Seen): boolean {
  return local.state === "locked";
}

/** Only hosts that we remember have a say in which swarm is ours. */
function departingHosts(
  desired: DesiredSwarm,
  memory: MembershipMemory | undefined,
  io: MembershipIo,
): { readonly key: string; readonly api: SwarmApi }[] {
  const wanted = new Set(desired.members.map(({ key }) => key));
  return [...(io.departing ?? [])].flatMap(([key, api]) => (!wanted.has(key) && memory !== undefined && key in memory.nodes ? [{ key, api }] : []));
}

/** A host that gives an error now, as one whose role is changing may, is left out of this look. */
async function lookAgain<Host extends { readonly key: string; readonly api: SwarmApi; readonly local?: LocalSwarmState }>(
  hosts: readonly Host[],
): Promise<Seen[]> {
  const looks = hosts.map(async ({ key, api, local }) => ({ key, api, local: (await localOrNothing(api)) ?? local }));
  return (await Promise.all(looks)).flatMap(({ key, api, local }) => (local ? [{ key, api, local }] : []));
}

function isManager(local: LocalSwarmState): boolean {
  return (local.state === "active" && local.controlAvailable) || isLeaderless(local);
}

function isLed({ local }: Seen): boolean {
  return isManager(local) && local.error === "" && local.swarmId !== "";
}

/** Where somebody may become leader yet, waits for it. Without one, Docker shows not even the swarm's id. */
async function awaitLeader(hosts: readonly Seen[], { memory, io, limits }: Question): Promise<readonly Seen[]> {
  // A host that was only asked to join has no node yet.
  const known = new Set(Object.values(memory?.nodes ?? {}).filter((id) => id !== ""));
  let seen = hosts;
  if (seen.some(isLed) || !seen.some((host) => isManager(host.local) || (host.local.state === "pending" && known.has(host.local.nodeId))))
    return seen;
  await waitUntil(io, "the managers to elect a leader", limits.leader, async () => {
    seen = await lookAgain(seen);
    return seen.some(isLed);
  });
  return seen;
}

/** @returns the id of our swarm, or undefined when one is to be formed. */
async function whichSwarm(hosts: readonly Seen[], question: Question): Promise<string | undefined> {
  const { memory, abandoned, desired } = question;
  const known = knownSwarm(desired, memory);
  const bySwarm = new Map<string, string[]>();
  for (const { key, local } of hosts.filter(isLed)) bySwarm.set(local.swarmId, [...(bySwarm.get(local.swarmId) ?? []), key]);
  if (abandoned && known !== undefined && bySwarm.size > 1) bySwarm.delete(known);
  if (bySwarm.size > 1) throw refusals.differentSwarms(bySwarm, known);
  for (const [id, keys] of bySwarm) {
    if (memory && id !== memory.swarmId && !abandoned) throw refusals.otherSwarm(keys, id, memory.swarmId);
    if (!memory && desired.adopt !== undefined && id !== desired.adopt) throw refusals.otherThanAdopted(keys, id, desired.adopt);
    if (hosts.every((host) => !isLed(host) || isBygone(host.local, question.recovered))) throw refusals.bygoneSwarm(keys, id);
    return id;
  }
  if (!abandoned) await refuseToFormAnew(hosts, question);
  if (!memory && desired.adopt !== undefined) throw refusals.nothingToAdopt(desired.adopt);
  return undefined;
}

/** Nobody we see is in a swarm that works; that alone does not mean that there is none. */
async function refuseToFormAnew(hosts: readonly Seen[], question: Question): Promise<void> {
  const { desired, memory, failures, silent } = question;
  // An engine that was started again is no manager before it has found the others.
  const mayCome = silent.size > 0 || hosts.some(({ local }) => local.state === "pending");
  if (hosts.some(({ local }) => isLeaderless(local))) throw await lostQuorum(hosts, question);
  const known = knownSwarm(desired, memory);
  const unasked = desired.formerly?.unasked.filter(({ host }) => !failures.has(host)) ?? [];
  if (known !== undefined) throw refusals.curableIf(mayCome, refusals.swarmGone(known, [...failures.list, ...unasked]));
  const members = hosts.filter(({ local }) => local.state !== "inactive" && local.nodeId !== "").map(({ key }) => key);
  if (members.length > 0) throw refusals.curableIf(mayCome, refusals.unansweredSwarm(members));
  // Only ever the first manager forms a swarm: so an unseen one that never was the first cannot hold one that we know nothing of.
  const first = desired.members.find(({ role }) => role === "manager")?.key;
  const unseen = desired.members.find(({ key }) => (key === first || desired.formerly?.firstManagers.includes(key)) && failures.has(key))?.key;
  if (unseen !== undefined) throw refusals.curableIf(silent.has(unseen), refusals.firstManagerUnseen(unseen, failures.list));
}

/** Who is there and who is not, with what the hosts that answer tell of it. */
async function lostQuorum(hosts: readonly Seen[], { desired, memory, io, failures, silent, recovered }: Question): Promise<LostQuorumRefusal> {
  const leaderless = hosts.filter(({ local }) => isLeaderless(local));
  const examined = (await io.examine?.([...othersKnown(leaderless).values()])) ?? new Map<string, Examined>();
  const lost = lostQuorumOf({
    leaderless: leaderless.map(({ key, local, api }) => ({ key, local, api, examined: examined.get(key) })),
    members: desired.members,
    memory,
    swarmId: knownSwarm(desired, memory),
    recovered,
    examined,
  });
  return new LostQuorumRefusal(lost, { examined, failures: failures.list, recover: desired.recover, mayCome: silent.size > 0 });
}

/** It has a leader of its own, and the swarm as it was before it was formed anew without it. */
function isBygone(local: LocalSwarmState, recovered: number): boolean {
  return local.swarmId !== "" && local.recovered < recovered;
}

/**
 * Two majorities of one swarm: somebody formed it anew by hand while the others lived, and they have not met since. Where they meet, the
 * others give up theirs by themselves (swarmkit, manager/state/raft: a message from a member that was removed is answered so).
 */
async function refuseTwoHalves(leading: readonly Seen[], { io, limits }: Question): Promise<void> {
  const knows = (one: Seen, other: Seen): boolean => one.local.remoteManagers.some(({ nodeId }) => nodeId === other.local.nodeId);
  if (leading.every((one) => leading.every((other) => knows(one, other)))) return;
  let halves = new Map<string, string[]>();
  await waitUntil(io, "the managers to follow one leader", limits.leader, async () => {
    const leaders = await Promise.all(leading.map(({ api }) => leaderSeenBy(api)));
    halves = new Map();
    leading.forEach(({ key }, place) => {
      const leader = leaders[place];
      if (leader !== undefined) halves.set(leader, [...(halves.get(leader) ?? []), key]);
    });
    return halves.size < 2;
  });
  if (halves.size > 1) throw refusals.twoHalves([...halves.values()]);
}

async function leaderSeenBy(api: SwarmApi): Promise<string | undefined> {
  const nodes = await api.nodes().catch((): readonly SwarmNode[] => []);
  return nodes.find(({ leader }) => leader)?.id;
}

/** What each host is to our swarm, when those that are just starting or changing have had their time. */
async function settle(
  hosts: readonly Seen[],
  swarmId: string | undefined,
  control: Control,
  question: Question,
): Promise<Pick<Survey, "hosts" | "nodes">> {
  const { desired, memory, io, limits, failures, abandoned, recovered } = question;
  const workers = new Set(desired.members.flatMap(({ key, role }) => (role === "worker" ? [key] : [])));
  let seen = hosts;
  let nodes: readonly SwarmNode[] = [];
  let looked = false;
  const judge = (patient: boolean): SeenHost[] =>
    seen.map((host) => ({
      ...host,
      standing: isBygone(host.local, recovered) ? { kind: "outside", remains: true } : standingOf(host, nodes, memory, abandoned, patient),
    }));
  await waitUntil(io, "members that are starting or changing their role", limits.settle, async (tell) => {
    if (looked) seen = await lookAgain(seen);
    nodes = swarmId === undefined ? [] : await control.nodes();
    const foreign = judge(true).filter(({ standing }) => standing.kind === "foreign");
    if (foreign.length > 0)
      throw refusals.foreignMembers(
        foreign.map(({ key }) => key),
        swarmId ?? "",
      );
    const unsettled = judge(true).filter(({ standing, local }) => standing.kind === "member" && trouble(local, standing.node) !== undefined);
    tell(unsettled.map(({ key }) => key).join(", "));
    looked = true;
    return unsettled.length === 0;
  });
  const judged = judge(false);
  for (const { key, local, standing } of judged) {
    const problem = standing.kind === "member" && !(workers.has(key) && isStuckManager(standing.node)) ? trouble(local, standing.node) : undefined;
    if (problem !== undefined) failures.add(key, `${problem}, still after ${limits.settle / 1000} s`);
  }
  for (const { local, api, standing } of judged) {
    if (standing.kind === "member" && local.controlAvailable && local.error === "" && trouble(local, standing.node) === undefined)
      control.add(local.nodeId, api);
  }
  return { hosts: new Map(judged.map((host) => [host.key, host])), nodes };
}
