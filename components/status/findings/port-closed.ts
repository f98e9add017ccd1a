import { parsePorts } from "../../firewall/ports";
import type { Rule } from "../finding";

export const portClosed: Rule = {
  kind: "port-closed",
  summary: "a service publishes a port that the plan does not open, so that nobody reaches it",
  find: ({ seen: { planned, swarm } }) => {
    const { rules } = planned ?? {};
    if (!rules || !swarm) return [];
    const opens = (published: string): boolean => {
      const [port = "", protocol = ""] = published.split("/");
      return rules.some(
        (rule) =>
          rule.answers === "container" &&
          rule.protocol === protocol &&
          rule.ports.map(parsePorts).some((range) => range !== undefined && range.first <= Number(port) && Number(port) <= range.last),
      );
    };
    return swarm.services.flatMap(({ name, published }) =>
      published
        .filter((port) => !opens(port))
        .map((port) => ({
          severity: "warning" as const,
          hosts: [],
          text: `the service ${name} publishes ${port}, which no rule of the plan opens: nobody outside reaches it`,
          fix: `add ${port} to firewall.expose, or do not publish it`,
        })),
    );
  },
};
