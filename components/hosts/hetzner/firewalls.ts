import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { transformed } from "../../transform";
import type { AdmitContext, HostContext, Member } from "../host";
import type { HetznerHostsArgs } from "./args";
import type { Common } from "./names";
import { compileFirewalls, type IngressRule } from "./rules";

/**
 * Lets nothing in. A server without any firewall is open to everybody: this one is there before the first of them, and goes after
 * the last; what is let in comes by the others.
 */
export function closedFirewall(args: HetznerHostsArgs, common: Common, { parent, shared }: HostContext): hcloud.Firewall {
  return shared(common.once("closed"), () => firewall(args, common.named("closed"), common.selector("members"), [], common, parent));
}

/** One for each kind of host that the rules name. A firewall's rules are one property: the preview shows what becomes of each. */
export function admit(args: HetznerHostsArgs, site: string, common: Common, context: AdmitContext): readonly pulumi.Resource[] {
  return context.shared(common.once("rules"), () =>
    compileFirewalls(context.rules, site, context.members).map(({ hosts, rules }) => {
      const ingress = rules.map((rule) => ingressOf(rule, context.members));
      return firewall(args, common.named(hosts), common.selector(hosts), ingress, common, context.parent);
    }),
  );
}

function firewall(
  { transform }: HetznerHostsArgs,
  name: string,
  labelSelector: string,
  rules: hcloud.types.input.FirewallRule[],
  { labels, options }: Common,
  parent: pulumi.Resource,
): hcloud.Firewall {
  const args = { name, labels, rules, applyTos: [{ labelSelector }] };
  return new hcloud.Firewall(name, transformed(transform?.firewall, args), options(parent));
}

/** Nothing is said of the way out, so that all of it is allowed: hosts fetch packages and images from anywhere. */
function ingressOf({ protocol, port, sources, description }: IngressRule, members: readonly Member[]): hcloud.types.input.FirewallRule {
  return {
    direction: "in",
    protocol,
    description,
    ...(port !== undefined && { port }),
    sourceIps: sources.map((source) => (source.kind === "network" ? source.cidr : pulumi.interpolate`${addressOf(source.key, members)}/32`)),
  };
}

function addressOf(key: string, members: readonly Member[]): pulumi.Input<string> {
  return members.find((member) => member.key === key)?.seenAs ?? "";
}
