import * as pulumi from "@pulumi/pulumi";
import { FirewallRule } from "../firewall/resource";
import { Encryption, SubnetAssignment } from "../addresses/resource";
import { describeRenumbering } from "../addresses/subnets";
import { NetworkPolicy } from "../network-policy/resource";
import { BgpPeer } from "../overlays/peer-resource";
import { HostProgram } from "../programs/resource";
import { stop } from "../stop";
import { shownName } from "./shown-names";
import type { SwarmClusterArgs } from "./args";
import { isRemembered } from "./names";
import type { ClusterPlan } from "./planned";
import { planRenumbering } from "./renumbering";

/**
 * The plan as typed resources, for the preview to show what an edit changes. Their number grows with groups, networks
 * and rules, not with hosts.
 *
 * @returns what fails when the plan would change something in use that cannot be changed in place. Whatever touches a
 * machine has to wait for it.
 */
export function showPlan(cluster: string, plan: ClusterPlan, args: SwarmClusterArgs, parent: pulumi.Resource): pulumi.Output<unknown> {
  for (const rule of plan.firewall) new FirewallRule(shownName(cluster, rule.name), rule, { parent });
  for (const policy of plan.policies) new NetworkPolicy(shownName(cluster, policy.name), policy, { parent });
  for (const peer of plan.peers) new BgpPeer(shownName(cluster, peer.name), peer, { parent });
  for (const channel of plan.encryption) new Encryption(shownName(cluster, channel.channel), channel, { parent });
  for (const program of plan.programs) new HostProgram(shownName(cluster, program.name), program, { parent });
  const memories = plan.subnets.flatMap((subnet) => {
    const options = { remember: isRemembered(subnet.owner), mayMove: subnet.pinned || args.renumber?.includes(subnet.owner) === true };
    const { remembered } = new SubnetAssignment(shownName(cluster, subnet.owner), subnet, options, { parent });
    return remembered ? [[subnet.owner, remembered] as const] : [];
  });
  const underlay = new pulumi.Stash(`${cluster}-underlay`, { input: plan.underlay }, { parent, ignoreChanges: ["input"] })
    .output as pulumi.Output<string>;
  return pulumi.all([pulumi.all(Object.fromEntries(memories)), underlay]).apply(([remembered, joinedOver]) => {
    const moves = planRenumbering(args, remembered);
    const refusals = [
      ...(moves.length > 0 ? [describeRenumbering(`swarm cluster "${cluster}"`, moves)] : []),
      ...(joinedOver === plan.underlay ? [] : [describeOtherUnderlay(cluster, joinedOver, plan.underlay)]),
    ];
    if (refusals.length > 0) stop(refusals.join("\n"), parent);
    return true;
  });
}

function describeOtherUnderlay(cluster: string, joinedOver: string, wanted: string): string {
  return (
    `The nodes of the swarm cluster "${cluster}" joined over the underlay "${joinedOver}", and Docker cannot give a node another address while it is a member. Nothing was changed. ` +
    `Fix: keep underlay: ${joinedOver}(), or make a second cluster over ${wanted} and move the services to it.`
  );
}
