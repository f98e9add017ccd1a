import { Control, messageOf, waitUntil } from "./control";
import { retire } from "./retire";
import { nodesFor, type Seen, survey, type Survey } from "./survey";
import type { SwarmNode } from "./swarm-api";
import {
  defaultLimits,
  type DesiredMember,
  type DesiredSwarm,
  type HostAccess,
  type HostFailure,
  hostLabel,
  leavingLabel,
  managedLabel,
  type MembershipIo,
  type MembershipLimits,
  type MembershipMemory,
  MembershipRefusal,
  type MembershipResult,
} from "./types";

export * from "./types";
export { dissolveMembership } from "./dissolve";

/**
 * Brings the swarm to the members that should be there, looking at all hosts at once. What is wrong before anything is
 * changed is a MembershipRefusal; what fails on one host is that host's failure, and the others are done.
 *
 * The order keeps the quorum: dead managers are struck off first, new ones join before live ones are demoted, and
 * managers leave one at a time.
 */
export async function reconcileMembership(
  desired: DesiredSwarm,
  hosts: readonly HostAccess[],
  memory: MembershipMemory | undefined,
  io: MembershipIo,
  limits: Partial<MembershipLimits> = {},
): Promise<MembershipResult> {
  const bounds = { ...defaultLimits, ...limits };
  const seen = await survey(desired, hosts, memory, io, bounds);
  const work = new Reconciliation(desired, seen, memory, io, bounds);
  work.refuseLossOfQuorum();
  await work.strikeOffDeadManagers();
  await work.formSwarm();
  await work.joinMissing();
  await work.settleMembers();
  await work.retireOthers();
  return work.result();
}

class Reconciliation {
  private readonly control: Control;
  private readonly failures: HostFailure[];
  private readonly failed = new Set<string>();
  /** Node id by host key, for the hosts that are members now. */
  private readonly members = new Map<string, string>();

  constructor(
    private readonly desired: DesiredSwarm,
    private readonly survey: Survey,
    private readonly memory: MembershipMemory | undefined,
    private readonly io: MembershipIo,
    private readonly limits: MembershipLimits,
  ) {
    this.control = new Control(io, limits);
    this.failures = survey.failures;
    for (const { host } of survey.failures) this.failed.add(host);
    const known = new Set(survey.nodes.map(({ id }) => id));
    for (const { key, api, local } of survey.seen.values()) {
      if (local.state !== "active" || !known.has(local.nodeId)) continue;
      this.members.set(key, local.nodeId);
      if (local.controlAvailable) this.control.add(key, api);
    }
  }

  /** Walks through the changes on paper; at each step a majority of the managers must be alive. */
  refuseLossOfQuorum(): void {
    const { leaving, dead } = this.managersToGo();
    const managers = this.survey.nodes.filter(({ role }) => role === "manager");
    let total = managers.length - dead.length;
    let alive = managers.filter(isAlive).length;
    if (total === 0) return;
    const joining = this.desired.members.filter(({ key, role }) => {
      const node = this.survey.nodes.find(({ id }) => id === this.members.get(key));
      return role === "manager" && this.survey.seen.has(key) && node?.role !== "manager";
    });
    total += joining.length;
    alive += joining.length;
    for (const node of leaving) {
      total -= 1;
      if (isAlive(node)) alive -= 1;
      const majority = Math.floor(total / 2) + 1;
      if (alive >= majority) continue;
      const away = managers.filter((manager) => !isAlive(manager)).map(({ hostname }) => hostname);
      throw new MembershipRefusal(
        `Taking the manager ${node.hostname} out would leave ${alive} of ${total} managers, and ${majority} are needed to change anything ever again. Nothing was changed. ` +
          (total === 0 || joining.length + total === 0
            ? "Keep a manager."
            : `Bring back ${away.length > 0 ? away.join(", ") : "the other managers"} first, or keep this one.`),
      );
    }
  }

  /** Managers that are to be none any more, dead ones apart. */
  private managersToGo(): { readonly leaving: readonly SwarmNode[]; readonly dead: readonly SwarmNode[] } {
    const gone = [...this.departing(), ...this.replaced()].map(({ node }) => node).filter(({ role }) => role === "manager");
    const demoted = this.desired.members
      .filter(({ role }) => role === "worker")
      .flatMap(({ key }) => this.survey.nodes.filter(({ id, role }) => id === this.members.get(key) && role === "manager"));
    const all = [...new Map([...gone, ...demoted].map((node) => [node.id, node])).values()];
    return { leaving: all.filter(isAlive), dead: gone.filter((node) => !isAlive(node)) };
  }

  /** Nodes of hosts that are no longer asked for. Nodes that we never knew are nobody's business of ours. */
  private departing(): { readonly key: string; readonly node: SwarmNode }[] {
    const wanted = new Set(this.desired.members.map(({ key }) => key));
    const keys = new Set([...Object.keys(this.memory?.nodes ?? {}), ...this.survey.nodes.flatMap(({ labels }) => labels[hostLabel] ?? [])]);
    return [...keys].filter((key) => !wanted.has(key)).flatMap((key) => nodesFor(key, this.survey.nodes, this.memory).map((node) => ({ key, node })));
  }

  /** Nodes that an earlier machine left behind under the key of a host that is another node now. A host that we cannot see keeps its node. */
  private replaced(): { readonly key: string; readonly node: SwarmNode }[] {
    return this.desired.members
      .filter(({ key }) => this.survey.seen.has(key))
      .flatMap(({ key }) =>
        nodesFor(key, this.survey.nodes, this.memory)
          .filter(({ id }) => id !== this.survey.seen.get(key)?.local.nodeId)
          .map((node) => ({ key, node })),
      );
  }

  /** Each dead manager makes the majority harder to reach, so these go before anything else happens. */
  async strikeOffDeadManagers(): Promise<void> {
    for (const { key, node } of [...this.replaced(), ...this.departing()]) {
      if (node.role === "manager" && !isAlive(node)) await this.attempt(key, () => retire(this.control, { key, node }, this.io, this.limits));
    }
  }

  async formSwarm(): Promise<void> {
    if (this.survey.swarmId !== undefined) return;
    const first = this.desired.members.find(({ key, role }) => role === "manager" && this.survey.seen.has(key));
    const host = first && this.survey.seen.get(first.key);
    if (!first || !host) return;
    if (host.local.state !== "inactive") await host.api.leave(true);
    this.io.progress(first.key, "forms the swarm");
    await host.api.init({ ...addressesOf(first), ...this.desired.init });
    this.control.add(first.key, host.api);
    this.members.set(first.key, (await host.api.local()).nodeId);
  }

  async joinMissing(): Promise<void> {
    const missing = this.desired.members.filter(({ key }) => this.survey.seen.has(key) && !this.members.has(key));
    if (missing.length === 0) return;
    const tokens = await this.control.call((api) => api.joinTokens());
    const byKey = new Map(this.desired.members.map((member) => [member.key, member]));
    const managers = this.control.keys.flatMap((key) => byKey.get(key)?.listenAddress ?? []);
    const known = [...this.survey.seen.values()].flatMap(({ local }) => local.remoteManagers.map(({ address }) => address));
    const ask = [...new Set([...managers, ...known])];
    await Promise.all(missing.map((member) => this.attempt(member.key, () => this.join(member, tokens[member.role], ask))));
  }

  private async join(member: DesiredMember, token: string, managers: readonly string[]): Promise<void> {
    const { api, local } = this.survey.seen.get(member.key) as Seen;
    // A join that found nobody goes on in the background for ever, and a node that was struck off does not know it.
    if (local.state !== "inactive") {
      this.io.progress(member.key, `is ${local.state} in a swarm it no longer belongs to: leaves it first`);
      await api.leave(true);
    }
    this.io.progress(member.key, `joins as ${member.role}`);
    try {
      await api.join({ ...addressesOf(member), token, managers });
    } catch (error) {
      this.io.progress(member.key, `tries to join once more: ${messageOf(error)}`);
      await api.leave(true);
      await this.io.sleep(1_000);
      await api.join({ ...addressesOf(member), token, managers });
    }
    let nodeId = "";
    const ready = await waitUntil(this.io, this.limits.ready, async () => {
      const state = await api.local();
      nodeId = state.nodeId;
      return state.state === "active" && (await this.control.node(nodeId))?.state === "ready";
    });
    if (!ready) throw new Error(`joined, but is not ready after ${this.limits.ready / 1000} s. Look at "journalctl -u docker" there`);
    this.members.set(member.key, nodeId);
    if (member.role === "manager") this.control.add(member.key, api);
  }

  /** Roles, labels and availability of all members; those that become managers before those that cease to be. */
  async settleMembers(): Promise<void> {
    const nodes = new Map((await this.control.nodes()).map((node) => [node.id, node]));
    const pairs = this.desired.members.flatMap((member) => {
      const node = nodes.get(this.members.get(member.key) ?? "");
      return node && !this.failed.has(member.key) ? [{ member, node }] : [];
    });
    await Promise.all(pairs.map(({ member, node }) => this.attempt(member.key, () => this.settle(member, node))));
    for (const { member, node } of pairs) {
      if (member.role === "worker" && node.role === "manager") await this.attempt(member.key, () => this.demote(member.key, node));
    }
  }

  private async settle(member: DesiredMember, node: SwarmNode): Promise<void> {
    const labels = labelsFor(member, node);
    const relabel = !sameLabels(labels, node.labels);
    const activate = leavingLabel in node.labels && node.availability === "drain";
    if (relabel || activate) {
      await this.control.call((api) => api.updateNode(node.id, { labels, ...(activate && { availability: "active" }) }));
    }
    if (member.role === "manager" && node.role === "worker") {
      this.io.progress(member.key, "becomes a manager");
      await this.control.call((api) => api.updateNode(node.id, { role: "manager" }));
      const { api } = this.survey.seen.get(member.key) as Seen;
      const risen = await waitUntil(this.io, this.limits.role, async () => (await api.local()).controlAvailable);
      if (!risen) throw new Error(`was promoted, but is no manager after ${this.limits.role / 1000} s`);
      this.control.add(member.key, api);
    }
  }

  private async demote(key: string, node: SwarmNode): Promise<void> {
    await this.requireMajorityWithout(node);
    this.io.progress(key, "becomes a worker");
    // It may answer as a manager for some seconds more, and wrongly.
    this.control.drop(key);
    await this.control.call((api) => api.updateNode(node.id, { role: "worker" }));
    const { api } = this.survey.seen.get(key) as Seen;
    const stepped = await waitUntil(this.io, this.limits.role, async () => !(await api.local()).controlAvailable);
    if (!stepped) throw new Error(`was demoted, but still says that it is a manager after ${this.limits.role / 1000} s`);
  }

  /** The paper walk may be out of date by now: joins may have failed. */
  private async requireMajorityWithout(node: SwarmNode): Promise<void> {
    const rest = (await this.control.nodes()).filter(({ id, role }) => role === "manager" && id !== node.id);
    const alive = rest.filter(isAlive).length;
    if (rest.length === 0 || alive < Math.floor(rest.length / 2) + 1) {
      throw new Error(`stays a manager: without it ${alive} of ${rest.length} managers would be left, too few to go on`);
    }
  }

  /** Hosts taken out, and what earlier machines left behind: workers all at once, managers one after the other. */
  async retireOthers(): Promise<void> {
    const present = new Map((await this.control.nodes()).map((node) => [node.id, node]));
    const others = [...this.departing(), ...this.replaced()].flatMap(({ key, node }) => {
      const now = present.get(node.id);
      return now ? [{ key, node: now }] : [];
    });
    const unique = [...new Map(others.map((other) => [other.node.id, other])).values()];
    const one = async ({ key, node }: { key: string; node: SwarmNode }): Promise<void> => {
      const api = this.members.has(key) ? undefined : this.io.departing?.get(key);
      if (node.role === "manager" && isAlive(node)) await this.requireMajorityWithout(node);
      await retire(this.control, { key, node, ...(api && { api }) }, this.io, this.limits);
    };
    await Promise.all(unique.filter(({ node }) => node.role === "worker").map((other) => this.attempt(other.key, () => one(other))));
    for (const other of unique.filter(({ node }) => node.role === "manager")) await this.attempt(other.key, () => one(other));
  }

  async result(): Promise<MembershipResult> {
    const [first] = this.control.keys;
    const seen = first === undefined ? undefined : this.survey.seen.get(first);
    const swarmId = this.survey.swarmId ?? (await seen?.api.local())?.swarmId ?? "";
    const remembered = this.desired.members.flatMap(({ key }) => {
      const id = this.members.get(key) ?? this.memory?.nodes[key];
      return id === undefined ? [] : [[key, id] as const];
    });
    return { swarmId, nodes: Object.fromEntries(remembered), failures: this.failures };
  }

  private async attempt(key: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.failed.add(key);
      this.failures.push({ host: key, reason: messageOf(error) });
    }
  }
}

/** For seconds after an election the leader calls every node "unknown"; of managers the Raft group knows better. */
function isAlive(node: SwarmNode): boolean {
  return node.state !== "down" && node.reachability !== "unreachable";
}

function addressesOf({
  advertiseAddress,
  listenAddress,
  dataPathAddress,
}: DesiredMember): Pick<DesiredMember, "advertiseAddress" | "listenAddress" | "dataPathAddress"> {
  return { advertiseAddress, listenAddress, dataPathAddress };
}

/** The node's labels as they should be: ours and the program's, and whatever somebody else put there. */
function labelsFor(member: DesiredMember, node: SwarmNode): Record<string, string> {
  const before = new Set((node.labels[managedLabel] ?? "").split(",").filter(Boolean));
  const others = Object.entries(node.labels).filter(([label]) => !before.has(label) && label !== leavingLabel && label !== managedLabel);
  const managed = Object.keys(member.labels ?? {}).sort();
  return {
    ...Object.fromEntries(others),
    ...member.labels,
    [hostLabel]: member.key,
    ...(managed.length > 0 && { [managedLabel]: managed.join(",") }),
  };
}

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
