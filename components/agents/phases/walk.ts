import { DockerSwarmApi } from "../../membership/docker-swarm-api";
import { Control } from "../../membership/control";
import { defaultLimits } from "../../membership/types";
import type { Failure } from "../../remote/each";
import { restartEngine } from "../../gossip/ports";
import { fewOf } from "../../report";
import { defaultWorkersAway } from "../../walk/args";
import { walk, type WalkedHost, type WalkWork } from "../../walk";
import type { Fleet } from "../fleet";
import type { SwarmRequest } from "../request";
import { phase, progress, sleep, waiting } from "../run";
import { getEngine, type Ready } from "./engines";
import { errandsOf, type Turn, withoutPackages } from "./errands";
import { checkMtu } from "./hosts";
import { getPackages } from "./maintenance";
import type { Members } from "./members";
import { proveSwarm } from "./prove";
import { rebootHost } from "./reboot";

/** For a member to take part again after its engine was replaced and has started all that it has to, in milliseconds. */
const backLimit = 180_000;
/** Neighbours to which the path of a host is tried. */
const neighbours = 3;

/**
 * What members must be taken out of service for, one turn after the other. It comes last, over a swarm in which all is proven: where
 * anything has failed before, no host is disturbed.
 *
 * @returns the hosts as they are then.
 */
export async function walkMembers(
  fleet: Fleet,
  request: SwarmRequest,
  hosts: readonly Ready[],
  formed: Members,
  unlockKeys: readonly string[],
  failures: Failure[],
): Promise<readonly Ready[]> {
  // They come in the order in which they were ready.
  const order = new Map(request.hosts.map(({ key }, index) => [key, index]));
  const inOrder = [...hosts].sort((one, other) => (order.get(one.key) ?? 0) - (order.get(other.key) ?? 0));
  const waitingHosts = inOrder.filter(isWaiting);
  if (waitingHosts.length === 0) return hosts;
  const turns = failures.length === 0 ? await getAllPackages(request, waitingHosts, failures) : [];
  if (failures.length > 0) {
    progress(
      undefined,
      `warning: ${fewOf(waitingHosts.map(({ key }) => key))} must be taken out of service to be changed, and stay as they are until what failed is fixed`,
    );
    return hosts;
  }
  const done = new Map<string, Ready>(turns.map(({ host }) => [host.key, host]));
  const walkedHosts = turns
    .filter(({ host }) => isWaiting(host))
    .map((turn): WalkedHost => {
      const { host } = turn;
      const learn = (news: Partial<Ready>): void => void done.set(host.key, { ...(done.get(host.key) ?? host), ...news });
      return {
        key: host.key,
        role: host.host.role,
        errands: errandsOf(turn, { request, learn, reboot: (text) => rebootHost(fleet, request, host, text, inOrder) }),
        api: () => new DockerSwarmApi(host.key, host.docker),
        restart: () => restartEngine(host.session),
      };
    });
  const { failures: stopped, left } = await walk(walkedHosts, workOf(request, inOrder, formed, unlockKeys));
  const rest =
    left.length === 0 ? "" : ` The walk stopped here: ${fewOf(left)} ${left.length === 1 ? "is" : "are"} as before. Fix it, then run again`;
  failures.push(...stopped.map(({ host, reason }) => ({ host, reason: `${reason.replace(/\.$/, "")}.${rest}` })));
  return hosts.map((host) => done.get(host.key) ?? host);
}

function isWaiting({ settings, upgrade, maintenance }: Ready): boolean {
  const { packages, reboot } = maintenance?.due ?? {};
  return settings !== undefined || upgrade !== undefined || packages !== undefined || reboot !== undefined;
}

/** Onto the disks, before anybody is disturbed. @returns the hosts, where those without upgrades need none any more. */
async function getAllPackages({ engine }: SwarmRequest, hosts: readonly Ready[], failures: Failure[]): Promise<readonly Turn[]> {
  const replaced = hosts.filter(({ upgrade }) => upgrade !== undefined);
  await phase("getting the next Docker for", "Docker's packages there", replaced, failures, (host) => getEngine(host, engine));
  const upgraded = hosts.filter(({ maintenance }) => maintenance?.due.packages !== undefined);
  const counts = await phase("getting upgrades of packages for", "upgrades of packages there", upgraded, failures, (host) =>
    getPackages(host, host.maintenance?.due.packages ?? ""),
  );
  return hosts.map((host) => {
    const packages = counts.get(host.key) ?? 0;
    return { host: packages === 0 ? withoutPackages(host) : host, packages };
  });
}

function workOf(request: SwarmRequest, hosts: readonly Ready[], { access, result }: Members, unlockKeys: readonly string[]): WalkWork {
  const { workersAway = defaultWorkersAway, drain = true } = request.maintenance ?? {};
  const limits = { ...defaultLimits, drain: request.drainSeconds * 1000, ready: backLimit };
  const io = { progress, waiting, sleep, now: Date.now };
  const control = new Control(io, limits);
  for (const host of access)
    if (host.kind === "ready" && result.managers.includes(host.key)) control.add(result.nodes[host.key] ?? host.key, host.api);
  return {
    control,
    io,
    limits,
    drain,
    rules: { workersAway },
    workers: request.hosts.filter(({ role }) => role === "worker").map(({ key }) => key),
    prove: async (keys) => {
      const own = hosts.filter(({ key }) => keys.includes(key));
      const near = [...own, ...neighboursOf(hosts, keys)];
      const failures: Failure[] = [];
      await proveSwarm(request, near, unlockKeys, failures);
      await checkMtu(request, near, failures);
      return failures;
    },
  };
}

/** The next ones in the order of the program, and in a ring. */
function neighboursOf(hosts: readonly Ready[], keys: readonly string[]): readonly Ready[] {
  const last = Math.max(...keys.map((own) => hosts.findIndex(({ key }) => key === own)));
  const ring = [...hosts.slice(last + 1), ...hosts.slice(0, last + 1)];
  return ring.filter(({ key }) => !keys.includes(key)).slice(0, neighbours);
}
