import { Cidr, isCidr } from "../addresses/cidr";
import type { PlannedSubnet } from "../addresses/subnets";
import type { NetworkSlice } from "../overlays/docker-network";
import type { Problem } from "../report";
import type { SwarmClusterArgs } from "./args";
import { planCluster } from "./plan";
import type { ClusterPlan, Planned } from "./planned";
import { withPins } from "./renumbering";
import { isSlice, networkOfSlice } from "./subnets";

/** Whether a network's slice is where the program wants it, and not where it was. */
export function mayMove({ owner, pinned }: PlannedSubnet, { renumber = [] }: Pick<SwarmClusterArgs, "renumber">): boolean {
  return pinned || renumber.includes(owner);
}

/**
 * The same plan with networks' slices where they are. There are so few in a host's subnet that names alone would place two networks on one
 * of them in most clusters: who was there first keeps it, and a new network takes what is free.
 *
 * @param plan By names alone.
 * @param remembered Where each owner was, by its name.
 */
export function keepSlices(args: SwarmClusterArgs, plan: ClusterPlan, remembered: Readonly<Record<string, string | undefined>>): Planned {
  const slices = plan.subnets.filter(isSlice);
  const whole = hostTemplateOf(plan);
  const stays = slices
    .flatMap((subnet) => {
      const [was, would] = [Cidr.parse(remembered[subnet.owner] ?? ""), Cidr.parse(subnet.cidr)];
      // One of another size, or outside of what hosts have now, is a move, which is refused or allowed as any other.
      const stands = isCidr(was) && isCidr(would) && was.prefix === would.prefix && whole?.contains(was) === true;
      return stands && !mayMove(subnet, args) ? [{ subnet, was, would }] : [];
    })
    // What an interrupted run remembered for a new network lies where its name puts it; what lies elsewhere was put there when others were.
    .sort((one, other) => Number(isHome(one)) - Number(isHome(other)));
  const problems: Problem[] = [];
  const kept: typeof stays = [];
  const pushed: { readonly owner: string; readonly was: Cidr; readonly by: string }[] = [];
  for (const stay of stays) {
    const other = kept.find(({ was }) => was.overlaps(stay.was));
    if (other) pushed.push({ owner: stay.subnet.owner, was: stay.was, by: other.subnet.owner });
    else kept.push(stay);
  }
  for (const { owner, cidr, pinned } of slices) {
    const taken = pinned ? kept.find(({ was }) => overlap(was, cidr)) : undefined;
    if (!taken) continue;
    const fix = `choose another one or leave it out, or let the other move by renumber: ["${taken.subnet.owner}"]`;
    problems.push({
      path: `networks.${networkOfSlice(owner)}.subnet`,
      message: `${cidr} is in use by network ${networkOfSlice(taken.subnet.owner)}`,
      fix,
    });
  }
  for (const { slice } of ownOf(plan)) {
    const taken = kept.find(({ was }) => overlap(was, slice));
    if (!taken) continue;
    const message = `each host's own network would have ${slice} of its subnet, and network ${networkOfSlice(taken.subnet.owner)} has ${taken.was} there`;
    problems.push({ path: "overlay.bridge", message, fix: `set it to false, or let the network move by renumber: ["${taken.subnet.owner}"]` });
  }
  if (problems.length > 0 || (pushed.length === 0 && kept.every(isHome))) return { plan, problems };
  const again = planCluster(withSlices(args, plan, Object.fromEntries(kept.map(({ subnet, was }) => [subnet.owner, was.toString()]))));
  const subnets = again.plan.subnets.map((subnet) => ({
    ...subnet,
    pinned: slices.find(({ owner }) => owner === subnet.owner)?.pinned ?? subnet.pinned,
  }));
  for (const { owner, was, by } of pushed) {
    const free = subnets.find((subnet) => subnet.owner === owner)?.cidr;
    if (free === undefined) continue;
    const message = `${was} is remembered for it, and network ${networkOfSlice(by)} has it`;
    problems.push({ path: `networks.${networkOfSlice(owner)}.subnet`, message, fix: `set it to "${free}"` });
  }
  return { plan: { ...again.plan, subnets }, problems: [...again.problems, ...problems] };
}

/** Where each network's slice lies, by its owner. */
export type SlicePlaces = Readonly<Record<string, string>>;

export function slicesOf({ subnets }: ClusterPlan): SlicePlaces {
  return Object.fromEntries(subnets.filter(isSlice).map(({ owner, cidr }) => [owner, cidr]));
}

/** The same cluster with slices at these places. @param plan Without them. */
export function withSlices(args: SwarmClusterArgs, plan: ClusterPlan, places: SlicePlaces): SwarmClusterArgs {
  const slices = plan.subnets.filter((subnet) => isSlice(subnet) && !subnet.pinned && places[subnet.owner] !== undefined);
  if (slices.every(({ owner, cidr }) => places[owner] === cidr)) return args;
  return withPins(
    args,
    slices.map(({ owner, cidr, pin }) => ({ owner, was: places[owner] ?? cidr, would: cidr, pin })),
  );
}

/** The plan with slices at these places. */
export function planWith(args: SwarmClusterArgs, plan: ClusterPlan, places: SlicePlaces): ClusterPlan {
  const placed = withSlices(args, plan, places);
  return placed === args ? plan : planCluster(placed).plan;
}

/** A host's subnet as slices are written: relative to its first address. */
function hostTemplateOf({ hosts }: ClusterPlan): Cidr | undefined {
  const subnet = Cidr.parse(hosts.find(({ containerSubnet }) => containerSubnet !== undefined)?.containerSubnet ?? "");
  return isCidr(subnet) ? Cidr.at(0n, subnet.prefix) : undefined;
}

/** Slices that are no network's of the swarm. */
function ownOf({ networks, onHosts }: ClusterPlan): readonly NetworkSlice[] {
  return (onHosts?.slices ?? []).filter(({ name }) => !networks.some((network) => network.name === name));
}

function isHome({ was, would }: { readonly was: Cidr; readonly would: Cidr }): boolean {
  return was.toString() === would.toString();
}

function overlap(one: Cidr, text: string): boolean {
  const other = Cidr.parse(text);
  return isCidr(other) && one.overlaps(other);
}
