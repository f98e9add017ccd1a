import { messageOf, withoutTokens, type Work } from "./control";
import { formSwarm, joinAll } from "./join";
import { label } from "./labels";
import { ownerLabels } from "./ownership";
import { type Joining, type Leaving, type MembershipPlan, planMembership } from "./plan";
import { votes } from "./quorum";
import { leave, retire } from "./retire";
import { demote, promote } from "./roles";
import { LostQuorumRefusal } from "./lost-quorum";
import { recoverSwarm } from "./recover";
import { survey, type Survey } from "./survey";
import type { SwarmNode } from "./swarm-api";
import {
  defaultLimits,
  type DesiredSwarm,
  type HostAccess,
  hostLabel,
  type MembershipIo,
  type MembershipLimits,
  type MembershipMemory,
  MembershipRefusal,
  type MembershipResult,
} from "./types";

export * from "./types";
export { dissolveMembership } from "./dissolve";
export { finishSwarm } from "./finish";

/**
 * Brings the swarm to the members that should be there, looking at all hosts at once.
 *
 * The order keeps the quorum: dead managers are struck off first, new ones join before live ones are demoted, and
 * managers go one at a time. Run again, it changes nothing; cut off anywhere, the next run finishes it.
 *
 * @param hosts One per desired member.
 * @param memory What the last run returned. Without it, a swarm that the hosts are in is ours only if it carries our name.
 * @returns failures of single hosts; the other hosts are done.
 * @throws MembershipRefusal before anything is changed, when something is wrong with the whole; a plain Error when the
 * swarm could not be formed.
 */
export async function reconcileMembership(
  desired: DesiredSwarm,
  hosts: readonly HostAccess[],
  memory: MembershipMemory | undefined,
  io: MembershipIo,
  limits: Partial<MembershipLimits> = {},
): Promise<MembershipResult> {
  const careful = carefulIo(io);
  const bounds = { ...defaultLimits, ...limits };
  const seen = await surveyOrRecover(desired, hosts, memory, careful, bounds);
  const plan = planMembership(desired, seen, memory);
  const work: Work = { control: seen.control, failures: seen.failures, io: careful, limits: bounds, members: membersOf(seen) };
  sayWhoseHostsGo(plan, memory, careful);
  if (plan.strangers.length > 0) {
    careful.progress(
      undefined,
      `leaves alone what is in the swarm but not from this program: ${plan.strangers.map(({ id, hostname }) => `${hostname} (${id})`).join(", ")}`,
    );
  }
  await takeSwarm(desired, seen);
  const swarmId = seen.swarmId ?? (plan.form ? await formFirst(plan.form, desired, work) : "");
  try {
    await carryOut(plan, desired, work, desired.adopt !== undefined && !memory);
  } catch (error) {
    work.failures.add("swarm", `the managers no longer answer: ${messageOf(error)}. What is left to do is done by the next run`);
  }
  const managers = desired.members.flatMap(({ key }) => (seen.control.has(work.members.get(key)) ? [key] : []));
  return { swarmId, nodes: nodesToRemember(desired, plan, seen, memory, work), managers, failures: work.failures.list, recovered: seen.recovered };
}

/** A loss that the user has confirmed is mended first, once. */
async function surveyOrRecover(...asked: Parameters<typeof survey>): Promise<Survey> {
  try {
    return await survey(...asked);
  } catch (error) {
    if (!(error instanceof LostQuorumRefusal && error.confirmed)) throw error;
    const [desired, , , io, limits] = asked;
    await recoverSwarm(error.lost, desired, io, limits);
    return survey(...asked);
  }
}

/**
 * The same look and the same refusals before anything is done to any host. What is only so because an engine does not run yet, or
 * because a host cannot find the others, does not count: what this run does on the hosts may cure it, and `reconcileMembership`
 * looks again. Changes nothing, but that it unlocks locked managers: without them there is nobody to ask.
 *
 * @throws MembershipRefusal
 */
export async function checkMembership(
  desired: DesiredSwarm,
  hosts: readonly HostAccess[],
  memory: MembershipMemory | undefined,
  io: MembershipIo,
): Promise<void> {
  try {
    const seen = await survey(desired, hosts, memory, carefulIo(io), { ...defaultLimits, ...firstLook });
    planMembership(desired, seen, memory);
  } catch (error) {
    const mended = error instanceof LostQuorumRefusal && error.confirmed;
    if (error instanceof MembershipRefusal && !error.curable && !mended) throw error;
    if (!(error instanceof MembershipRefusal)) io.progress(undefined, `the swarm is looked at again once the hosts are ready: ${messageOf(error)}`);
  }
}

/** An election takes 11 s; who is only starting is waited for later. */
const firstLook: Partial<MembershipLimits> = { leader: 15_000, settle: 0 };

function carefulIo(io: MembershipIo): MembershipIo {
  return { ...bound(io), progress: (host, line) => io.progress(host, withoutTokens(line)) };
}

/** Whose the swarm is is written before anything else is done to it. */
async function takeSwarm(desired: DesiredSwarm, { control, settings }: Survey): Promise<void> {
  const labels = ownerLabels(desired, settings?.labels);
  if (!settings || Object.keys(labels).length === 0) return;
  await control.call(async (api) => api.updateSwarm((await api.settings()).version, { labels }));
}

async function formFirst(form: Joining, desired: DesiredSwarm, work: Work): Promise<string> {
  const swarmId = await formSwarm(form, desired, work);
  await work.failures.attempt(form.member.key, async () => work.io.formed?.(form.member.key));
  return swarmId;
}

/** Methods of a class lose their object when it is spread. */
function bound(io: MembershipIo): MembershipIo {
  return {
    progress: (host, line) => io.progress(host, line),
    sleep: (milliseconds) => io.sleep(milliseconds),
    now: () => io.now(),
    ...(io.did && { did: (host, deed) => io.did?.(host, deed) }),
    ...(io.waiting && { waiting: (...wait: Parameters<NonNullable<MembershipIo["waiting"]>>) => io.waiting?.(...wait) ?? unheard }),
    ...(io.counting && { counting: (...count: Parameters<NonNullable<MembershipIo["counting"]>>) => io.counting?.(...count) ?? unheard }),
    ...(io.departing && { departing: io.departing }),
    ...(io.restart && { restart: (host) => io.restart?.(host) ?? Promise.resolve() }),
    ...(io.examine && { examine: (managers) => io.examine?.(managers) ?? Promise.resolve(new Map()) }),
    ...(io.formed && { formed: (host) => io.formed?.(host) ?? Promise.resolve() }),
  };
}

const unheard = { seen: (): void => {}, ended: (): void => {}, end: (): void => {} };

async function carryOut(plan: MembershipPlan, desired: DesiredSwarm, work: Work, adopting: boolean): Promise<void> {
  const { failures } = work;
  await retireAll(plan.strikeOff, work);
  await retireAll(
    plan.rejoins.map(({ member: { key }, node, api }) => ({ key, node, api, replaced: true })),
    work,
  );
  const rejoins = plan.rejoins.filter(({ member: { key } }) => !failures.has(key));
  await joinAll([...plan.joins, ...rejoins.map(({ member, api }) => ({ member, api, remains: true }))], desired, work);
  for (const turning of plan.promotions) await failures.attempt(turning.member.key, () => promote(turning, work));
  const nodes = new Map((await work.control.nodes()).map((node): [string, SwarmNode] => [node.id, node]));
  await endTokens(plan, desired, nodes, work, adopting);
  await labelAll(desired, nodes, work);
  for (const turning of plan.demotions) await failures.attempt(turning.member.key, () => demote(turning, work));
  // Without its successor, the old machine's node is the only one that the host has.
  await retireAll(
    plan.departures.filter(({ key, replaced }) => !(replaced && failures.has(key))),
    work,
  );
  await Promise.all(plan.stragglers.map(({ key, api }) => leave(key, api, work)));
}

/** This state has not seen them come: a run that was cut off let them in, or another copy of the state did, whose hosts they are. */
function sayWhoseHostsGo({ strikeOff, departures }: MembershipPlan, memory: MembershipMemory | undefined, io: MembershipIo): void {
  if (!memory) return;
  for (const { key, node } of [...strikeOff, ...departures].filter((leaving) => !leaving.replaced && !(leaving.key in memory.nodes)))
    io.progress(
      key,
      `warning: node ${node.id} is in the swarm under this cluster's label, but neither the program nor the last run of this state has such a host: it is taken out. ` +
        "Either a run that was cut off added it, or this state is not the newest one. In the second case put the host into the program, and run again with the newest state",
    );
}

/** Workers all at once, managers one after the other. */
async function retireAll(all: readonly Leaving[], work: Work): Promise<void> {
  const one = (leaving: Leaving): Promise<void> => work.failures.attempt(leaving.key, () => retire(leaving, work));
  const isManager = ({ node }: Leaving): boolean => votes(node) || node.role === "manager";
  await Promise.all(all.filter((leaving) => !isManager(leaving)).map(one));
  for (const leaving of all.filter(isManager)) await one(leaving);
}

/**
 * A token that let somebody in has done its work. Before the newcomers get their labels: a run that is cut off in between
 * leaves them without, which tells the next one that this is still to be done.
 */
async function endTokens(
  plan: MembershipPlan,
  { members, options }: DesiredSwarm,
  nodes: ReadonlyMap<string, SwarmNode>,
  work: Work,
  adopting: boolean,
): Promise<void> {
  if (options?.rotateJoinTokensAfterJoin === false) return;
  const newcomers = members.filter(({ key }) => {
    const node = nodes.get(work.members.get(key) ?? "");
    // Members of an adopted swarm have no label either, and came in by no token of ours.
    if (adopting && !plan.joins.some(({ member }) => member.key === key)) return false;
    return node !== undefined && !(hostLabel in node.labels) && key !== plan.form?.member.key;
  });
  if (newcomers.length === 0) return;
  await work.control.call(async (api) => api.updateSwarm((await api.settings()).version, { rotateJoinTokens: true }));
}

async function labelAll(desired: DesiredSwarm, nodes: ReadonlyMap<string, SwarmNode>, work: Work): Promise<void> {
  const { failures, members } = work;
  const labelling = desired.members.map(async (member) => {
    const node = nodes.get(members.get(member.key) ?? "");
    if (node && !failures.has(member.key)) await failures.attempt(member.key, () => label(member, node, work));
  });
  await Promise.all(labelling);
}

function membersOf({ hosts }: Survey): Map<string, string> {
  return new Map([...hosts.values()].flatMap(({ key, standing }) => (standing.kind === "member" ? [[key, standing.node.id]] : [])));
}

/** A host that failed keeps the node that it had, so that the next run knows whose that is. */
function nodesToRemember(
  desired: DesiredSwarm,
  plan: MembershipPlan,
  seen: Survey,
  memory: MembershipMemory | undefined,
  work: Work,
): Record<string, string> {
  const sameSwarm = seen.swarmId !== undefined && memory?.swarmId === seen.swarmId;
  const before = sameSwarm ? memory.nodes : {};
  const wanted = desired.members.flatMap(({ key }): [string, string][] => {
    const id = work.members.get(key) ?? before[key];
    return id ? [[key, id]] : [];
  });
  const stillThere = [...plan.strikeOff, ...plan.departures].flatMap(({ key, node, replaced }): [string, string][] =>
    !replaced && work.failures.has(key) ? [[key, node.id]] : [],
  );
  return Object.fromEntries([...stillThere, ...wanted]);
}
