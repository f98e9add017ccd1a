import type { FirewallRule } from "../firewall/rule";
import { worldInWords, worldOf } from "../firewall/world";
import type { NetworkPolicy } from "../network-policy/policy";
import { type ClusterChange, type Finding, joined, list, type Text, text, words } from "./findings";
import { changeOf, newToTheWorld } from "./firewall";

/** What is opened and closed between networks, and to them from outside; what everybody may reach now comes first. */
export function policyFindings({ before, after }: ClusterChange): Finding[] {
  if (!after) return [];
  const was = before?.policies ?? [];
  const known = new Map(was.map((policy) => [policy.name, policy]));
  const kept = new Set(after.policies.map(({ name }) => name));
  const findings = [
    ...after.policies.flatMap((policy) => findingsOf(known.get(policy.name), policy, was)),
    ...was.filter(({ name }) => !kept.has(name)).map(closed),
  ];
  return [...findings.filter(({ risk }) => risk), ...findings.filter(({ risk }) => !risk)];
}

function findingsOf(was: NetworkPolicy | undefined, policy: NetworkPolicy, all: readonly NetworkPolicy[]): Finding[] {
  const differences = was ? differencesOf(was, policy) : [];
  if (was && differences.length === 0) return [];
  const found = { section: "firewall", kind: was ? "changed" : "added", subject: policy.name } as const;
  const changes = was ? text`: ${joined(differences, "; ")}` : [];
  if (isNewToTheWorld(policy, all)) {
    const whom = words(`open to ${worldInWords(policy.from) ?? ""}${was ? " now" : ""}`);
    return [{ ...found, risk: "world-open", text: text`${whom}: ${describe(policy)}; policy ${policy.name}${changes}` }];
  }
  if (was) return [{ ...found, text: text`policy ${policy.name} (${whatOf(policy)})${changes}` }];
  return [{ ...found, text: text`opened: ${describe(policy)}; policy ${policy.name}` }];
}

function closed(policy: NetworkPolicy): Finding {
  const what = text`closed: ${describe(policy)}; policy ${policy.name}. Connections that are open stay open`;
  return { section: "firewall", kind: "removed", subject: policy.name, text: what };
}

function differencesOf(was: NetworkPolicy, policy: NetworkPolicy): Text[] {
  return [
    ...changeOf("protocol", [was.protocol], [policy.protocol]),
    ...changeOf("ports", was.ports, policy.ports),
    ...changeOf("from", was.from, policy.from),
    ...changeOf("to", was.to, policy.to),
  ];
}

/** As rules of hosts are compared, with a network in the place of a group. */
function isNewToTheWorld(policy: NetworkPolicy, was: readonly NetworkPolicy[]): boolean {
  if (worldOf(policy.from).length === 0) return false;
  const before = was.flatMap(asRules);
  return asRules(policy).some((rule) => newToTheWorld(rule, before));
}

function asRules({ name, protocol, ports, from, to }: NetworkPolicy): FirewallRule[] {
  return to.map((network) => ({ name, protocol, ports, from, to: `group ${network}`, over: "site", answers: "container", reason: "" }));
}

/** `5432/tcp of containers on db from web`. */
function describe(policy: NetworkPolicy): Text {
  const world = worldOf(policy.from);
  const from = [...world, ...policy.from.filter((source) => !world.includes(source))];
  return text`${whatOf(policy)} of containers on ${list(policy.to)} from ${list(from)}`;
}

function whatOf({ protocol, ports }: NetworkPolicy): string {
  return `${ports.join(", ")}/${protocol}`;
}
