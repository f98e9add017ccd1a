import type { PlannedHost, Problem, Site } from "../hosts/host";
import { checkGroups, planHosts, planSites } from "../hosts/plan";
import { underlayMtu } from "../network/mtu";
import { planSpace, reservedNetworks } from "../network/space";
import { type PlannedNetwork, planNetworks } from "../networks/plan";
import { native } from "../overlays/native";
import { isOverlay, type OverlayPlan } from "../overlays/overlay";
import { direct, isUnderlay, type UnderlayPlan } from "../underlay/underlay";
import type { SwarmClusterArgs } from "./args";
import { type Report, show } from "./report";
import { checkEngine, checkMembership, planQuorum, type Quorum } from "./rules";

/** Everything that is decided before anything is touched. Plain data. */
export interface ClusterPlan {
  readonly addressSpace: string;
  /** What Docker may cut subnets from for networks that somebody makes by hand. */
  readonly dockerPool: string;
  readonly sites: readonly Site[];
  readonly hosts: readonly PlannedHost[];
  readonly networks: readonly PlannedNetwork[];
  readonly quorum: Quorum;
  readonly overlay: string;
  readonly underlay: string;
  /** Largest packet that containers may send on the cluster's networks, in bytes. */
  readonly mtu: number;
}

export interface Planned {
  readonly plan: ClusterPlan;
  /** All of them, never just the first. A plan with problems must not be used. */
  readonly problems: readonly Problem[];
}

/** Works out the whole cluster from its arguments, and all that is wrong with them. Touches nothing. */
export function planCluster(args: SwarmClusterArgs): Planned {
  const problems: Problem[] = [];
  const report = (path: string, message: string, fix: string): void => void problems.push({ path, message, fix });

  const groups = checkGroups(args.hosts, report);
  const sites = planSites(groups, report);
  const hosts = planHosts(groups, sites, report);
  const reserved = reservedNetworks(args.avoid ?? [], groups, sites, hosts, report);
  const space = planSpace(args.addressSpace, reserved, report);
  const underlay = planUnderlay(args, report);
  const overlay = planOverlay(args, sites, underlay, problems);
  const mtu = underlayMtu(
    sites.map((site) => site.mtu),
    underlay.overhead,
  );
  const networks = planNetworks(
    args.networks ?? {},
    space.networks,
    [...reserved, { network: space.lower, what: "the half of the address space for Docker and hosts" }],
    overlay,
    mtu,
    report,
  );
  const quorum = planQuorum(hosts, report);
  checkEngine(args.engine ?? {}, report);
  checkMembership(args.membership ?? {}, report);

  return {
    plan: {
      addressSpace: space.whole.toString(),
      dockerPool: space.docker.toString(),
      sites,
      hosts,
      networks,
      quorum,
      overlay: overlay.kind,
      underlay: underlay.kind,
      mtu: overlay.containerMtu(mtu),
    },
    problems,
  };
}

function planUnderlay(args: SwarmClusterArgs, report: Report): UnderlayPlan {
  const underlay = args.underlay ?? direct();
  if (isUnderlay(underlay)) return underlay.plan();
  report("underlay", `${show(underlay)} is not an underlay`, "use direct()");
  return direct().plan();
}

function planOverlay(args: SwarmClusterArgs, sites: readonly Site[], underlay: UnderlayPlan, problems: Problem[]): OverlayPlan {
  const overlay = args.overlay ?? native();
  const keys = sites.map((site) => site.key);
  // No provider tells of addresses that are seen from other sites, so all count as hidden.
  const context = { sites: keys, underlay, behindNat: keys, ...(args.engine?.version !== undefined && { engineVersion: args.engine.version }) };
  if (!isOverlay(overlay)) {
    problems.push({ path: "overlay", message: `${show(overlay)} is not an overlay`, fix: "use native()" });
    return native().plan(context);
  }
  const plan = overlay.plan(context);
  problems.push(...plan.problems);
  return plan;
}

/** All problems as one message, in the order in which a reader meets them in the program. */
export function describeProblems(cluster: string, problems: readonly Problem[]): string {
  const lines = problems.map(({ path, message, fix }) => `  - ${path}: ${message}. Fix: ${fix}.`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return [`The swarm cluster "${cluster}" cannot be planned: ${count}.`, ...lines].join("\n");
}
