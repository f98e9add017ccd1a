import { defaultDataPathPort } from "../../engine/needs";
import { restartEngine } from "../../gossip/ports";
import { proveMembers } from "../../gossip/prove";
import { attachNodes } from "../../networks/ingress";
import type { Failure } from "../../remote/each";
import type { SwarmRequest } from "../request";
import { announce, progress, sleep, waiting } from "../run";
import { managersFirst, quorumIsBack, type Ready } from "./engines";

/** That a node is ready says nothing of its networks: each member gossips, and carries a packet of the overlay. */
export async function proveSwarm(request: SwarmRequest, hosts: readonly Ready[], unlockKeys: readonly string[], failures: Failure[]): Promise<void> {
  const members = managersFirst(hosts);
  if (members.length > 1) announce("trying the network between", members.length);
  const proven = await proveMembers(
    members.map(({ key, session, docker, host }) => ({ key, session, docker, address: host.tunnelAddress ?? host.address })),
    { dataPathPort: request.needs.dataPathPort ?? defaultDataPathPort, packets: request.overlay.kind === "native" },
    {
      progress,
      waiting,
      sleep,
      now: Date.now,
      attach: async () => {
        for (const { docker } of members.filter(({ host }) => host.role === "manager")) {
          try {
            return await attachNodes(docker, { sleep });
          } catch {
            // The next one may be able to; who is left without shows in the next look.
          }
        }
      },
      restart: async (key) => {
        const host = members.find((member) => member.key === key);
        if (!host) return;
        await restartEngine(host.session);
        await quorumIsBack(host, unlockKeys);
      },
    },
  );
  failures.push(...proven);
}
