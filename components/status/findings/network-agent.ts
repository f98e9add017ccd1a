import type { Rule } from "../finding";
import { engineOf } from "../situation";
import { names } from "../words";

/** Ready is said by a node whose network agent never started: Docker only logs that (moby, daemon/libnetwork/agent.go, "Error in agentInit"). */
export const networkAgent: Rule = {
  kind: "network-agent",
  summary: "a node is Ready, but its network agent is silent: containers there find no container on other hosts",
  find: (situation) => {
    const ready = situation.are("ready").filter((host) => engineOf(host)?.gossip !== undefined);
    // A swarm whose ingress network was taken away tells nothing by it.
    if (!ready.some((host) => engineOf(host)?.gossip?.attached === true)) return [];
    const silent = ready.filter((host) => engineOf(host)?.gossip?.attached === false);
    const heard = ready.filter((host) => !silent.includes(host));
    const apart = heard.flatMap((host) => {
      const peers = engineOf(host)?.gossip?.peers ?? [];
      const missing = heard.filter((other) => !peers.includes(engineOf(other)?.address ?? ""));
      return missing.length === 0 ? [] : [{ host, missing }];
    });
    const worst = [...apart].sort((a, b) => b.missing.length - a.missing.length)[0];
    return [
      ...silent.map(({ key }) => ({
        severity: "broken" as const,
        hosts: [key],
        text: `${key} is Ready, but its network agent does not run: containers there reach no container on other hosts`,
        fix: `see on ${key} whether another program has port 7946 ("ss -lntup sport = 7946"), then run "systemctl restart docker" there: its containers restart`,
      })),
      ...(worst
        ? [
            {
              severity: "broken" as const,
              hosts: [...new Set(apart.map(({ host }) => host.key))],
              text: `${worst.host.key} is Ready, but its network agent does not gossip with ${names(worst.missing)}: their containers do not find each other`,
              fix: `see whether 7946/tcp and 7946/udp pass between ${worst.host.key} and ${names(worst.missing)}; "journalctl -u docker" there says what it meets`,
            },
          ]
        : []),
    ];
  },
};
