import * as pulumi from "@pulumi/pulumi";
import { FirewallRule } from "../firewall/resource";
import { Encryption, SubnetAssignment } from "../addresses/resource";
import { describeRenumbering } from "../addresses/subnets";
import { NetworkPolicy } from "../network-policy/resource";
import { BgpPeer } from "../overlays/peer-resource";
import type { PlannedPeer } from "../overlays/peers";
import { VlanTrunk } from "../overlays/trunk-resource";
import { HostProgram } from "../programs/resource";
import { stop } from "../stop";
import { shownName } from "./shown-names";
import type { SwarmClusterArgs } from "./args";
import { mayMove, planWith, type SlicePlaces, withSlices } from "./kept-slices";
import { isRemembered } from "./names";
import type { ClusterPlan } from "./planned";
import { planRenumbering } from "./renumbering";
import { rememberSlices } from "./slice-memory";

/**
 * The plan as typed resources, for the preview to show what an edit changes. Their number grows with groups, networks
 * and rules, not with hosts.
 *
 * @returns where networks' slices are. Fails when it would change something in use that cannot be changed in place:
 * whatever touches a machine has to wait for it.
 */
export function showPlan(cluster: string, plan: ClusterPlan, args: SwarmClusterArgs, parent: pulumi.Resource): pulumi.Output<SlicePlaces> {
  const slices = rememberSlices(cluster, plan, args, parent);
  for (const rule of plan.firewall) new FirewallRule(shownName(cluster, rule.name), rule, { parent });
  for (const policy of plan.policies) new NetworkPolicy(shownName(cluster, policy.name), policy, { parent });
  for (const peer of plan.peers)
    new BgpPeer(
      shownName(cluster, peer.name),
      { ...peer, announces: slices.settled.apply((places) => announcedBy(peer, args, plan, places)) },
      { parent },
    );
  for (const trunk of plan.trunks) new VlanTrunk(shownName(cluster, trunk.name), trunk, { parent });
  for (const channel of plan.encryption) new Encryption(shownName(cluster, channel.channel), channel, { parent });
  for (const program of plan.programs) new HostProgram(shownName(cluster, program.name), program, { parent });
  const memories = plan.subnets.flatMap((subnet) => {
    const slice = slices.remembered[subnet.owner];
    const options = { remember: isRemembered(subnet.owner) && !slice, mayMove: mayMove(subnet, args) };
    const place = slice ? slices.settled.apply((places) => places[subnet.owner] ?? subnet.cidr) : subnet.cidr;
    const { remembered = slice } = new SubnetAssignment(shownName(cluster, subnet.owner), { ...subnet, cidr: place }, options, { parent });
    return remembered ? [[subnet.owner, remembered] as const] : [];
  });
  const underlay = new pulumi.Stash(`${cluster}-underlay`, { input: plan.underlay }, { parent, ignoreChanges: ["input"] })
    .output as pulumi.Output<string>;
  return pulumi.all([pulumi.all(Object.fromEntries(memories)), underlay, slices.settled]).apply(([remembered, joinedOver, places]) => {
    const moves = planRenumbering(withSlices(args, plan, places), remembered);
    const refusals = [
      ...(moves.length > 0 ? [describeRenumbering(`swarm cluster "${cluster}"`, moves)] : []),
      ...(joinedOver === plan.underlay ? [] : [describeOtherUnderlay(cluster, joinedOver, plan.underlay)]),
    ];
    if (refusals.length > 0) stop(refusals.join("\n"), parent);
    return places;
  });
}

function announcedBy(peer: PlannedPeer, args: SwarmClusterArgs, plan: ClusterPlan, places: SlicePlaces): PlannedPeer["announces"] {
  return planWith(args, plan, places).peers.find(({ name }) => name === peer.name)?.announces ?? peer.announces;
}

function describeOtherUnderlay(cluster: string, joinedOver: string, wanted: string): string {
  return (
    `The nodes of the swarm cluster "${cluster}" joined over the underlay "${joinedOver}", and Docker cannot give a node another address while it is a member. Nothing was changed. ` +
    `Fix: keep underlay: ${joinedOver}(), or make a second cluster over ${wanted} and move the services to it.`
  );
}
