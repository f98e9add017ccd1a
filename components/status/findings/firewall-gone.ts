import { mergePorts, rulePorts } from "../../firewall/ports";
import { upAgain } from "../../health";
import type { Rule } from "../finding";
import type { FirewallRule } from "../../firewall/rule";

/** A host without its table drops nothing. */
export const firewallGone: Rule = {
  kind: "firewall-gone",
  summary: "a host has no rules of its firewall loaded, so that everything that listens there is open",
  find: ({ looked, seen: { planned } }) => {
    const { rules } = planned ?? {};
    if (!rules) return [];
    return looked
      .filter(({ system }) => system.firewall.state === "gone" || system.firewall.state === "none")
      .map(({ key, system }) => {
        const open = beyond(system.listens, rules);
        const watch = system.units["pulumi-swarm-firewall-watch.service"];
        return {
          severity: "broken" as const,
          hosts: [key],
          text: `${key} is open: the rules of its firewall are ${system.firewall.state === "none" ? "not there" : "not loaded"}`,
          detail: `${open.length === 0 ? "just now nothing listens there beyond the plan" : `open against the plan: ${open.join(", ")}`}${watch === undefined || watch === "active" ? "" : `; what loads them again is ${watch}`}`,
          explains: ["firewall-changed"],
          fix:
            system.firewall.state === "gone"
              ? `run "systemctl restart pulumi-swarm-firewall pulumi-swarm-firewall-watch" on ${key}; if that fails, ${upAgain}`
              : upAgain,
          drift: true as const,
        };
      });
  },
};

/** Sockets on ports that no rule of the plan opens to anybody. */
function beyond(listens: readonly string[], rules: readonly FirewallRule[]): string[] {
  return listens.filter((socket) => {
    const [, port, protocol] = /^(\d+)\/(tcp|udp) /.exec(socket) ?? [];
    if (port === undefined) return false;
    const planned = mergePorts(rules.filter((rule) => rule.protocol === protocol).flatMap((rule) => rulePorts(rule.ports)));
    return !planned.some(({ first, last }) => first <= Number(port) && Number(port) <= last);
  });
}
