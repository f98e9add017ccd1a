import { nearestName } from "../nearest";
import type { Report } from "../report";
import type { RuleArgs } from "./args";
import type { FirewallRule } from "./rule";
import type { Sources } from "./sources";

/** Rules merge by name: what the user writes takes the place of the built-in sources. */
export function changeBuiltIn(
  changes: Readonly<Record<string, RuleArgs>>,
  builtIn: readonly FirewallRule[],
  sources: Sources,
  report: Report,
  warnings: string[],
): readonly FirewallRule[] {
  const names = builtIn.map(({ name }) => name);
  for (const name of Object.keys(changes).filter((name) => !names.includes(name))) {
    // Those of a group's administrators follow from its provider, and have a space in their names.
    const known = names.filter((each) => !each.includes(" ") && each !== "ssh");
    const meant = nearestName(name, known);
    if (name === "ssh") report(`firewall.rules.${name}`, "no built-in rule has this name", "write its networks in firewall.ssh");
    else if (meant !== undefined) report(`firewall.rules.${name}`, `no built-in rule has this name; did you mean ${meant}?`, `write ${meant}`);
    else report(`firewall.rules.${name}`, "no built-in rule has this name", `there are ${known.join(", ")}; for your own rule use expose or allow`);
  }
  return builtIn.map((rule) => {
    const change = Object.hasOwn(changes, rule.name) ? changes[rule.name] : undefined;
    if (!change) return rule;
    const path = `firewall.rules.${rule.name}`;
    if (rule.name === "ssh") {
      report(path, "the sources of SSH are already in firewall.ssh", "change them there");
      return rule;
    }
    const from = sources.check(`${path}.from`, change.from);
    const outsiders = rule.over === "tunnel" ? from.filter((source) => !sources.isHosts(source)) : [];
    if (outsiders.length > 0) {
      report(`${path}.from`, `${outsiders.join(", ")} cannot be in the tunnel, which this rule is for`, "name hosts of the cluster only");
    }
    const wider = from.filter((source) => !rule.from.some((old) => sources.contains(old, source)));
    if (wider.length > 0)
      warnings.push(`The rule ${rule.name} is wider than built in: it also allows ${wider.join(", ")} (firewall.rules.${rule.name}).`);
    return { ...rule, from };
  });
}
