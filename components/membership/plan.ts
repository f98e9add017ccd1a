import { namesOf } from "./names";
import { holds, isAlive, quorumOf, type Quorum, votes, without } from "./quorum";
import { asksForRotation } from "./options";
import { curableIf, otherAddresses, otherRoles, quorumAtRisk, rotationWouldHang } from "./refusals";
import type { SwarmApi, SwarmNode } from "./swarm-api";
import type { SeenHost, Survey } from "./survey";
import { type DesiredMember, type DesiredSwarm, hostLabel, type MembershipMemory } from "./types";

export interface Joining {
  readonly member: DesiredMember;
  readonly api: SwarmApi;
  /** Something of a membership is on the host that it has to leave first. */
  readonly remains: boolean;
}

export interface Turning {
  readonly member: DesiredMember;
  readonly api: SwarmApi;
  readonly node: SwarmNode;
}

export interface Leaving {
  readonly key: string;
  readonly node: SwarmNode;
  /** The host itself, where it still answers. */
  readonly api?: SwarmApi;
  /** Another machine under the same key takes its place, and has to be there first. */
  readonly replaced: boolean;
}

/** What is to be done, in this order. */
export interface MembershipPlan {
  readonly form: Joining | undefined;
  /** Dead nodes of hosts that are gone or another machine now. Each dead manager makes the majority harder to reach, so these go first. */
  readonly strikeOff: readonly Leaving[];
  readonly joins: readonly Joining[];
  readonly promotions: readonly Turning[];
  readonly demotions: readonly Turning[];
  /** To be workers, with the role of a manager that they never became: Docker cannot demote them. They leave and join again. */
  readonly rejoins: readonly Turning[];
  readonly departures: readonly Leaving[];
  /** Hosts that were struck off before they left by themselves. */
  readonly stragglers: readonly { readonly key: string; readonly api: SwarmApi }[];
  /** In the swarm, but never ours. */
  readonly strangers: readonly SwarmNode[];
}

/** Compares what should be with what is. Pure. @throws MembershipRefusal when it would cost the quorum. */
export function planMembership(desired: DesiredSwarm, survey: Survey, memory: MembershipMemory | undefined): MembershipPlan {
  const seen = desired.members.flatMap((member) => {
    const host = survey.hosts.get(member.key);
    return host ? [{ member, host }] : [];
  });
  const outside = seen.flatMap(({ member, host }): Joining[] =>
    host.standing.kind === "outside" ? [{ member, api: host.api, remains: host.standing.remains }] : [],
  );
  const turning = seen.flatMap(({ member, host }): Turning[] =>
    host.standing.kind === "member" && host.standing.node.role !== member.role && !survey.failures.has(member.key)
      ? [{ member, api: host.api, node: host.standing.node }]
      : [],
  );
  const form = survey.swarmId === undefined ? outside.find(({ member }) => member.role === "manager") : undefined;
  const leaving = leavingNodes(desired, survey, memory);
  const plan: MembershipPlan = {
    form,
    strikeOff: leaving.filter(({ node }) => !isAlive(node)),
    joins: outside.filter((joining) => joining !== form),
    promotions: turning.filter(({ member }) => member.role === "manager"),
    demotions: turning.filter(({ member, node }) => member.role === "worker" && votes(node)),
    rejoins: turning.filter(({ member, node }) => member.role === "worker" && !votes(node)),
    departures: leaving.filter(({ node }) => isAlive(node)),
    stragglers: stragglersOf(survey, memory),
    strangers: strangersOf(survey, leaving, memory),
  };
  refuseOtherAddresses(seen);
  if (desired.adopt !== undefined && !memory) refuseOtherRoles(turning);
  refuseLossOfQuorum(plan, survey);
  refuseHangingRotation(desired, plan, survey);
  return plan;
}

/** Docker can change an address only by leaving and joining. What the host itself advertised is compared: the address that managers list for a worker is the one it calls from. */
function refuseOtherAddresses(seen: readonly { readonly member: DesiredMember; readonly host: SeenHost }[]): void {
  const moved = seen.flatMap(({ member: { key, role, advertiseAddress }, host: { standing, local } }) =>
    standing.kind === "member" && local.address !== "" && local.address !== advertiseAddress
      ? [{ key, role, has: local.address, wants: advertiseAddress }]
      : [],
  );
  if (moved.length > 0) throw otherAddresses(moved);
}

/** What was meant as a takeover must not turn out as a change. */
function refuseOtherRoles(turning: readonly Turning[]): void {
  if (turning.length > 0) throw otherRoles(turning.map(({ member, node }) => ({ key: member.key, has: node.role, wants: member.role })));
}

/** Docker waits for nodes that are down without end, and so would the run. */
function refuseHangingRotation({ options }: DesiredSwarm, { strikeOff }: MembershipPlan, { nodes, settings, hosts, silent }: Survey): void {
  if (!settings || !asksForRotation(options?.rotateCa, settings, "ca")) return;
  const struck = new Set(strikeOff.map(({ node }) => node.id));
  // After an election all nodes are "unknown" for some seconds; that passes.
  const away = nodes.filter(({ id, state }) => (state === "down" || state === "disconnected") && !struck.has(id));
  if (away.length > 0) {
    throw curableIf(mayComeBack(away, { hosts, silent }), rotationWouldHang(namesOf(away)));
  }
}

/** Their hosts answer, and so may they once their engines and the way to them are in order. */
function mayComeBack(nodes: readonly SwarmNode[], { hosts, silent }: Pick<Survey, "hosts" | "silent">): boolean {
  const there = new Set([...hosts.values()].map(({ local }) => local.nodeId));
  return nodes.some(({ id, labels }) => there.has(id) || silent.has(labels[hostLabel] ?? ""));
}

/** Which host a node is, or was: by our own label, or by what the last run returned. */
function hostOf(node: SwarmNode, memory: MembershipMemory | undefined): string | undefined {
  return node.labels[hostLabel] ?? Object.entries(memory?.nodes ?? {}).find(([, id]) => id === node.id)?.[0];
}

function leavingNodes(desired: DesiredSwarm, { hosts, departing, nodes }: Survey, memory: MembershipMemory | undefined): Leaving[] {
  const wanted = new Set(desired.members.map(({ key }) => key));
  const current = new Set([...hosts.values()].flatMap(({ standing }) => (standing.kind === "member" ? standing.node.id : [])));
  return nodes.flatMap((node): Leaving[] => {
    const key = hostOf(node, memory);
    if (key === undefined || current.has(node.id)) return [];
    if (wanted.has(key)) {
      // A host that we cannot see keeps the node that it had.
      return hosts.has(key) ? [{ key, node, replaced: true }] : [];
    }
    const host = departing.get(key);
    // Under an old address another machine may answer by now.
    return [{ key, node, replaced: false, ...(host?.local.nodeId === node.id && { api: host.api }) }];
  });
}

function stragglersOf({ departing, nodes }: Survey, memory: MembershipMemory | undefined): MembershipPlan["stragglers"] {
  return [...departing.values()].filter(
    ({ key, local }) => local.state !== "inactive" && local.nodeId === memory?.nodes[key] && !nodes.some(({ id }) => id === local.nodeId),
  );
}

function strangersOf({ hosts, nodes }: Survey, leaving: readonly Leaving[], memory: MembershipMemory | undefined): SwarmNode[] {
  const ours = new Set([...leaving.map(({ node }) => node.id), ...[...hosts.values()].map(({ local }: SeenHost) => local.nodeId)]);
  return nodes.filter((node) => !ours.has(node.id) && hostOf(node, memory) === undefined);
}

/** Walks through the changes on paper: after each of them a majority of the managers must be alive. */
function refuseLossOfQuorum({ form, strikeOff, joins, promotions, demotions, departures }: MembershipPlan, survey: Survey): void {
  const { nodes, silent } = survey;
  const newcomers = promotions.length + joins.filter(({ member }) => member.role === "manager").length + (form ? 1 : 0);
  let quorum: Quorum = quorumOf(nodes);
  for (const { node } of strikeOff.filter((leaving) => votes(leaving.node))) quorum = without(quorum, node);
  quorum = { total: quorum.total + newcomers, alive: quorum.alive + newcomers };
  const losses = [...demotions.map(({ member, node }) => ({ key: member.key, node })), ...departures].filter(({ node }) => votes(node));
  const struck = new Set(strikeOff.map(({ node }) => node.id));
  for (const { key, node } of losses) {
    quorum = without(quorum, node);
    if (holds(quorum)) continue;
    const away = nodes.filter((other) => votes(other) && !isAlive(other) && !struck.has(other.id));
    const refusal = quorumAtRisk(key, quorum, namesOf(away));
    // A host without an engine may be about to become a manager.
    throw curableIf(silent.size > 0 || mayComeBack(away, survey), refusal);
  }
}
