import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { logWarnings } from "../agents/answer";
import { intendedCommand } from "../agents/intended";
import type { HostsDownRequest, HostsRequest, IntentRequest } from "../agents/request";
import { defaultReachableSeconds, requestHost, withPrefix } from "../cluster/request";
import { rememberedSecret } from "../secret";
import { FirewallRule } from "../firewall/resource";
import type { FirewallArgs } from "../firewall/args";
import type { LateHostService } from "../hosts/host";
import type { Problem } from "../report";
import { type KnownMachine, type MadeHosts, makeHosts, requestOf } from "../hosts/make";
import { isRecord } from "../options";
import { claimNames } from "../names/claimed";
import { givenNameProblems } from "../names/given";
import { shownName } from "../cluster/shown-names";
import { Encryption, SubnetAssignment } from "../addresses/resource";
import { nodeProblems, transformsOf } from "../node/on-path";
import { describeRenumbering, type Renumbering, settleMoves } from "../addresses/subnets";
import { describeProblems } from "../report";
import { stop } from "../stop";
import type { HostsAloneArgs } from "./args";
import { pieceNames } from "./names";
import type { HostsAlonePlan, PlannedHostsAlone } from "./plan";

/** One piece, as messages and the hosts themselves name it. */
export interface Piece {
  readonly type: "HostFirewall" | "WireGuardMesh";
  readonly name: string;
  /** In the middle of a sentence, such as `host firewall "racks"`. */
  readonly what: string;
  readonly args: HostsAloneArgs & {
    readonly firewall?: FirewallArgs;
    readonly pins?: Readonly<Record<string, string>>;
    readonly renumber?: readonly string[];
  };
  /** Plans it with other arguments. */
  readonly plan: (change: { readonly hosts?: HostsAloneArgs["hosts"]; readonly pins?: Readonly<Record<string, string>> }) => PlannedHostsAlone;
}

/** The same arguments but for a change. What is no object of arguments stays what it is, for its plan to tell. */
export function changed<Args>(args: Args, change: Partial<Args>): Args {
  return isRecord(args) ? { ...args, ...change } : args;
}

/** @throws RunError with all that is wrong. */
export function planOrRefuse({ type, name, what, args, plan: planWith }: Piece, parent: pulumi.Resource | undefined): HostsAlonePlan {
  const refuse = (found: readonly Problem[], whose = what): void => {
    if (found.length > 0) throw new pulumi.RunError(describeProblems(whose, found));
  };
  refuse(givenNameProblems(name, type), what.replace(/ "[^"]*"$/, ""));
  const { plan, problems: mistakes } = planWith({});
  refuse([...mistakes, ...nodeProblems(transformsOf(args))]);
  const names = pieceNames(name, plan, Object.entries(args.hosts), args.firewall);
  refuse(claimNames({ what, type: `pulumi-swarm:index:${type}`, name, parent, names }));
  return plan;
}

export interface KeptHosts extends MadeHosts {
  readonly command: local.Command;
}

/** Shows the plan, makes the machines that are to be made, and has one program look after all hosts together. */
export function keepHosts(piece: Piece, plan: HostsAlonePlan, parent: pulumi.Resource): KeptHosts {
  const { name, what, args } = piece;
  for (const warning of plan.warnings) void pulumi.log.warn(warning, parent);
  const checked = showHosts(piece, plan, parent);
  const made = makeHosts({
    cluster: name,
    groups: args.hosts,
    hosts: plan.hosts,
    rules: plan.firewall,
    containersRouted: false,
    checked,
    service: noService,
    parent,
    describeLateNetwork: (site, network) => {
      const { problems } = piece.plan({ hosts: withNetwork(args.hosts, site, network) });
      return problems.length === 0 ? undefined : describeProblems(what, problems);
    },
  });
  const secret = rememberedSecret(`${name}-memory-key`, parent);
  const request = requestOf(made, { secret, checked }, (known, key) => hostsRequest(piece, plan, known, key));
  const command = intendedCommand(
    `${name}-hosts`,
    { up: "hosts-up", down: "hosts-down", request, downRequest: hostsDownRequest },
    { work: args.transform?.command, intent: args.transform?.intent },
    { parent, dependsOn: [...made.admitted] },
  );
  logWarnings(command.stdout, parent);
  return { ...made, command };
}

/** Without a swarm there is nobody to take a host's work meanwhile. */
const noService: LateHostService = {
  reachedBy: () => {},
  next: ([first]) => Promise.resolve(first),
  leave: () => Promise.resolve(),
  enter: () => Promise.resolve(),
};

function withNetwork(hosts: HostsAloneArgs["hosts"], site: string, network: string): HostsAloneArgs["hosts"] {
  const there = Object.entries(hosts).map(([key, group]) => {
    return [key, group.site.key === site ? { ...group, site: { ...group.site, network } } : group] as const;
  });
  return Object.fromEntries(there);
}

/** @returns what fails when the plan would move an address that is in use. */
function showHosts({ name, what, args, plan: planWith }: Piece, plan: HostsAlonePlan, parent: pulumi.Resource): pulumi.Output<unknown> {
  for (const rule of plan.enforced === "hosts" ? plan.firewall : []) new FirewallRule(shownName(name, rule.name), rule, { parent });
  for (const channel of plan.encryption) new Encryption(shownName(name, channel.channel), channel, { parent });
  const memories = plan.subnets.flatMap((subnet) => {
    const options = { remember: true, mayMove: subnet.pinned || args.renumber?.includes(subnet.owner) === true };
    const { remembered } = new SubnetAssignment(shownName(name, subnet.owner), subnet, options, { parent });
    return remembered ? [[subnet.owner, remembered] as const] : [];
  });
  return pulumi.all(Object.fromEntries(memories)).apply((remembered) => {
    const kept = (moves: readonly Renumbering[]): Record<string, string> => ({
      ...args.pins,
      ...Object.fromEntries(moves.map(({ owner, was }) => [owner, was])),
    });
    const moves = settleMoves((found) => planWith({ pins: kept(found) }).plan.subnets, remembered, args.renumber ?? []);
    if (moves.length > 0) stop(describeRenumbering(what, moves), parent);
    return true;
  });
}

function hostsRequest(
  { type, name, args }: Piece,
  plan: HostsAlonePlan,
  machines: ReadonlyMap<string, KnownMachine>,
  memoryKey: string,
): Omit<HostsRequest, "intent"> {
  return {
    // Two stacks of one program have pieces of the same name.
    memory: { name: `${type}.${name}`, key: memoryKey },
    owner: `${type} ${name} of ${pulumi.getProject()}, stack ${pulumi.getStack()}`,
    hosts: plan.hosts.flatMap((host) => {
      const machine = machines.get(host.key);
      if (!machine) return [];
      const { labels: _labels, ...asked } = requestHost(host, machine);
      return [asked];
    }),
    underlayMtu: plan.underlayMtu,
    ...(plan.tunnel && { tunnel: withPrefix(plan.tunnel) }),
    ...(plan.enforced === "hosts" && { firewall: { rules: plan.firewall } }),
    reachableSeconds: args.reachableSeconds ?? defaultReachableSeconds,
    ...(args.recheck !== undefined && { recheck: args.recheck }),
  };
}

function hostsDownRequest({
  owner,
  memory,
  hosts,
  reachableSeconds,
  underlayMtu,
  tunnel,
  firewall,
}: Omit<HostsRequest, "intent">): HostsDownRequest & IntentRequest {
  return {
    owner,
    memory,
    hosts: hosts.map(({ key, connection }) => ({ key, connection })),
    holders: hosts.slice(0, 3).map(({ key }) => key),
    reachableSeconds,
    underlayMtu,
    ...(tunnel && { tunnel }),
    // Which rules there are does not matter to what takes them away.
    ...(firewall && { firewall: { rules: [] } }),
  };
}
