import { messageOf } from "./control";
import type { HostAccess, HostFailure, MembershipIo, MembershipMemory } from "./types";

/** Takes every host out of the swarm for good: workers first, so that they still find managers, then all managers. */
export async function dissolveMembership(
  hosts: readonly HostAccess[],
  memory: MembershipMemory | undefined,
  io: MembershipIo,
): Promise<{ readonly failures: readonly HostFailure[] }> {
  const failures: HostFailure[] = [];
  const members: { key: string; manager: boolean; leave: () => Promise<void> }[] = [];
  await Promise.all(
    hosts.map(async (host) => {
      if (host.kind === "failed") {
        failures.push({ host: host.key, reason: host.reason });
        return;
      }
      try {
        const local = await host.api.local();
        // A swarm that is not the one we made is somebody else's.
        const foreign = memory !== undefined && local.swarmId !== "" && local.swarmId !== memory.swarmId;
        if (local.state === "inactive" || foreign) return;
        members.push({ key: host.key, manager: local.controlAvailable, leave: () => host.api.leave(true) });
      } catch (error) {
        failures.push({ host: host.key, reason: messageOf(error) });
      }
    }),
  );
  for (const managers of [false, true]) {
    await Promise.all(
      members
        .filter(({ manager }) => manager === managers)
        .map(async ({ key, leave }) => {
          try {
            await leave();
            io.progress(key, "has left the swarm");
          } catch (error) {
            failures.push({ host: key, reason: messageOf(error) });
          }
        }),
    );
  }
  return { failures };
}
