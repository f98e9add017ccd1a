import * as pulumi from "@pulumi/pulumi";
import { stashType } from "../names/name";
import { stop } from "../stop";
import type { SwarmClusterArgs } from "./args";
import { keepSlices, mayMove, type SlicePlaces, slicesOf } from "./kept-slices";
import { describeProblems } from "./plan";
import type { ClusterPlan } from "./planned";
import { shownName, sinceName } from "./shown-names";
import { isSlice } from "./subnets";

/** Where networks lie in hosts' subnets. */
export interface SliceMemory {
  /** Where each is, by its owner. Fails where a new one has no place. */
  readonly settled: pulumi.Output<SlicePlaces>;
  /** Where it was, by its owner: where it is, unless it was of another size. */
  readonly remembered: Readonly<Record<string, pulumi.Output<string>>>;
}

/**
 * Remembers each network's slice. What is new must be placed among what was there before, so that each has a second stash, which tells by its
 * time whether this run is the first to know the network: then only does its slice depend on those of the others.
 */
export function rememberSlices(cluster: string, plan: ClusterPlan, args: SwarmClusterArgs, parent: pulumi.Resource): SliceMemory {
  const slices = plan.subnets.filter(isSlice);
  const now = new Date().toISOString();
  const times = slices.map(({ owner }) => {
    const { output } = new pulumi.Stash(sinceName(cluster, owner), { input: now }, { parent, ignoreChanges: ["input"] });
    return (output as pulumi.Output<string>).apply((since) => (since === now ? [] : [owner]));
  });
  const settle = (remembered: SlicePlaces): SlicePlaces => {
    const { plan: settled, problems } = keepSlices(args, plan, remembered);
    return problems.length === 0 ? slicesOf(settled) : stop(describeProblems(cluster, problems), parent);
  };
  const remembered: Record<string, pulumi.Output<string>> = {};
  const before = pulumi.all(times).apply((owners) => owners.flat());
  let placed: pulumi.Output<SlicePlaces> | undefined;
  const placeAmong = (owners: readonly string[]): pulumi.Output<SlicePlaces> => {
    const staying = slices.flatMap(({ owner }) => (owners.includes(owner) && !moves(owner) ? [[owner, remembered[owner] ?? ""] as const] : []));
    return (placed ??= pulumi.all(Object.fromEntries(staying)).apply(settle));
  };
  for (const { owner, cidr } of slices) {
    const place = (owners: readonly string[]): pulumi.Output<string> => placeAmong(owners).apply((places) => places[owner] ?? cidr);
    const input = before.apply((owners) => (owners.includes(owner) && !moves(owner) ? pulumi.output(cidr) : place(owners)));
    const name = shownName(cluster, owner);
    remembered[owner] = new pulumi.Stash(
      name,
      { input },
      { parent, ...(moves(owner) ? { replaceOnChanges: ["input"] } : { ignoreChanges: ["input"] }), aliases: [asOf010(name, parent)] },
    ).output as pulumi.Output<string>;
  }
  return { settled: pulumi.all(remembered).apply(settle), remembered };

  function moves(owner: string): boolean {
    return slices.some((subnet) => subnet.owner === owner && mayMove(subnet, args));
  }
}

/** It was under what shows the slice, which now waits for it. */
function asOf010(name: string, cluster: pulumi.Resource): pulumi.Output<string> {
  return pulumi.createUrn(name, stashType, pulumi.createUrn(name, "pulumi-swarm:index:SubnetAssignment", cluster));
}
