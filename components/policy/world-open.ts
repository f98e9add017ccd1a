import type { Policy, ResourceValidationPolicy } from "@pulumi/policy";
import { parsePorts, type PortRange } from "../firewall/ports";
import type { FirewallRule } from "../firewall/rule";
import { worldInWords, worldOf } from "../firewall/world";
import type { NetworkPolicy } from "../network-policy/policy";
import { isUnenforced } from "../review/risks";
import { nameIn } from "../topology/of-resources";
import { configOf } from "./config";
import { plain } from "./noted";

/** What may be open to the whole Internet. */
export interface WorldOpenConfig {
  /**
   * Rules that may allow the whole Internet, by their names in the preview without the cluster's name, and policies of networks by the names
   * that the program gives them.
   * @default - none
   */
  readonly allow?: readonly string[];
  /** Ports that any rule may open to the whole Internet: `443`, `30000-30100`. @default - none */
  readonly ports?: readonly string[];
  /** Whether hosts may leave all filtering to your own firewall, with `enforce: "none"`. @default false */
  readonly allowUnenforced?: boolean;
}

/** What is wrong with a rule, if anything is. */
export function openRule(rule: FirewallRule, { allow = [], ports = [] }: WorldOpenConfig): string | undefined {
  const open = worldOf(rule.from);
  if (open.length === 0 || allow.includes(rule.name) || (rule.ports.length > 0 && rule.ports.every((port) => isWithin(port, ports))))
    return undefined;
  const what = [rule.protocol, ...rule.ports].join(" ");
  const fix = `name in "from" who needs it, or allow the rule by "allow": ["${rule.name}"] in the configuration of the policy world-open`;
  return `The rule "${rule.name}" opens ${what} on ${rule.to} to ${worldInWords(rule.from) ?? ""} (${open.join(", ")}). Fix: ${fix}.`;
}

/** The same of what is let through to containers. */
export function openPolicy(
  { name, from, to, protocol, ports }: NetworkPolicy,
  { allow = [], ports: allowed = [] }: WorldOpenConfig,
): string | undefined {
  const open = worldOf(from);
  if (open.length === 0 || allow.includes(name) || ports.every((port) => isWithin(port, allowed))) return undefined;
  const fix = `name in "from" who needs it, or allow the policy by "allow": ["${name}"] in the configuration of the policy world-open`;
  return `The policy "${name}" opens ${[protocol, ...ports].join(" ")} of containers on ${to.join(", ")} to ${worldInWords(from) ?? ""} (${open.join(", ")}). Fix: ${fix}.`;
}

function isWithin(port: string, allowed: readonly string[]): boolean {
  const range = parsePorts(port);
  return range !== undefined && allowed.some((text) => contains(parsePorts(text), range));
}

function contains(outer: PortRange | undefined, inner: PortRange): boolean {
  return outer !== undefined && outer.first <= inner.first && inner.last <= outer.last;
}

/** What is wrong with who drops traffic that no rule allows. */
export function unenforced(cluster: string, enforced: "hosts" | "none" | undefined, { allowUnenforced }: WorldOpenConfig): string | undefined {
  if (!isUnenforced({ ...(enforced && { enforced }) }) || allowUnenforced === true) return undefined;
  return (
    `The hosts of "${cluster}" drop nothing (firewall.enforce: "none"), so that all is open that your own firewall allows. ` +
    `Fix: leave enforce out, or set "allowUnenforced": true in the configuration of the policy world-open.`
  );
}

export function worldOpenPolicy(): ResourceValidationPolicy {
  const policy = {
    name: "world-open",
    description: "No port of a swarm's hosts is open to the whole Internet but those that are allowed to be.",
    configSchema: {
      properties: {
        allow: { type: "array", items: { type: "string" }, description: "Rules that may allow the whole Internet, by name." },
        ports: {
          type: "array",
          items: { type: "string", pattern: "^[0-9]+(-[0-9]+)?$" },
          description: 'Ports that any rule may open to the whole Internet: "443", "30000-30100".',
        },
        allowUnenforced: { type: "boolean", description: "Whether the hosts themselves may drop nothing." },
      },
    },
  } satisfies Policy;
  return {
    ...policy,
    validateResource: (args, report) => {
      const config = configOf<WorldOpenConfig>(policy, args);
      const { type, name, props, opts } = args;
      const wrong = (): string | undefined => {
        if (type === "pulumi-swarm:index:FirewallRule") {
          const rule = plain(props) as FirewallRule;
          return openRule({ ...rule, name: ownName(name, opts.parent) }, config);
        }
        if (type === "pulumi-swarm:index:NetworkPolicy") {
          const { policy: called, ...shown } = plain(props) as Omit<NetworkPolicy, "name"> & { readonly policy: string };
          return openPolicy({ ...shown, name: called }, config);
        }
        if (type !== "pulumi-swarm:index:SwarmCluster") return undefined;
        return unenforced(name, (plain(props) as { enforced?: "hosts" | "none" }).enforced, config);
      };
      const message = wrong();
      if (message !== undefined) report(message);
    },
  };
}

/** Without the cluster's name in front. */
function ownName(name: string, parent: string | undefined): string {
  const prefix = parent === undefined ? "" : `${nameIn(parent)}-`;
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}
