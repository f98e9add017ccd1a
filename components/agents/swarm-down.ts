import "../node/this";
import { DockerSwarmApi } from "../membership/docker-swarm-api";
import type { Dissolved } from "../membership/dissolve";
import { dissolveMembership, type HostAccess, type MembershipMemory } from "../membership/reconcile";
import { haves, type OwnerNames } from "../owner";
import { type Failure, onEach } from "../remote/each";
import { Fleet, type ReachedHost } from "./fleet";
import { type Intent, memoryOf, ownerOf, type SwarmDownRequest, swarmLock, type SwarmMemory, type SwarmResponse } from "./request";
import { lockHosts } from "./phases/lock";
import { forgetMemory, recallSwarm } from "./phases/memory";
import { removeOverlays } from "./phases/overlay";
import { release, withKey } from "./phases/departing";
import { plainReason } from "./progress";
import { announce, did, phase, progress, runUndoing, sleep, tellDown, waiting } from "./run";

/**
 * Takes every host out of the swarm, and our own off the hosts: those of the program, and those that left it and could not be cleaned
 * yet. A host that does not answer does not hold up the others, nor the destroy.
 */
async function swarmDown(request: SwarmDownRequest, previous: Intent | SwarmResponse | undefined): Promise<Record<string, never>> {
  const fleet = new Fleet(Math.min(request.reachableSeconds, 20));
  try {
    const failures: Failure[] = [];
    const intent = previous && "mark" in previous ? previous : undefined;
    const asked = await phase("reaching", "reached", request.hosts, failures, ({ key, connection }) => fleet.reach(key, connection));
    const memory = await recallSwarm(fleet, request, intent, [...asked.values()], intent ? undefined : previous);
    const before = othersOf(request, memory);
    const others = await onEach(before, failures, ({ key, connection }) => fleet.reach(key, connection));
    const reached = new Map([...asked, ...others]);
    await lockHosts(fleet, [...reached.values()], swarmLock(request), failures);
    const access = [...request.hosts, ...before].map(({ key }): HostAccess => {
      const host = reached.get(key);
      if (host) return { kind: "ready", key, api: new DockerSwarmApi(key, host.docker) };
      return { kind: "failed", key, reason: failures.find((failure) => failure.host === key)?.reason ?? "not reached" };
    });
    const known = membershipOf(intent, memory);
    progress(undefined, "dissolving the swarm");
    const result = await dissolveMembership(access, known, { progress, waiting, did, sleep, now: Date.now }, request.adopt?.dissolve === false);
    for (const failure of result.failures) {
      progress(failure.host, `warning: ${plainReason(failure)}. If this machine lives on, run "docker swarm leave --force" on it`);
    }
    if (!result.livesOn) {
      const kept = await takeOurs(request, memory, [...reached.values()], result);
      tellDown([...request.hosts, ...before], [...result.failures, ...kept]);
    }
    return {};
  } finally {
    fleet.close();
  }
}

/** Hosts that are remembered and not in the request any more. */
function othersOf({ hosts }: SwarmDownRequest, memory: SwarmMemory | undefined): SwarmDownRequest["hosts"] {
  const asked = new Set(hosts.map(({ key }) => key));
  const before = Object.entries(memory?.hosts ?? {}).filter(([key]) => !asked.has(key));
  return before.map(([key, { connection }]) => ({ key, connection: withKey(connection, hosts) }));
}

/** The swarm is ours if it carries the mark of this very resource. Version 0.1.0 remembered it beside the rest. */
function membershipOf(intent: Intent | undefined, memory: SwarmMemory | undefined): MembershipMemory | undefined {
  const known = memoryOf(memory);
  return intent ? { ...(known ?? { swarmId: "", nodes: {} }), owner: intent.mark } : known;
}

/**
 * Overlay, tunnel and firewall go too: the hosts are as they were found, and nothing of them is held up by what cannot be removed.
 *
 * @returns what could not be.
 */
async function takeOurs(
  request: SwarmDownRequest,
  memory: SwarmMemory | undefined,
  hosts: readonly ReachedHost[],
  dissolved: Dissolved,
): Promise<readonly Failure[]> {
  if (hosts.length > 0) announce("taking overlay, firewall and tunnel off", hosts.length);
  const failures: Failure[] = [];
  const owner = ownerOf(request, memory);
  await removeOverlays(await withOurOverlay(hosts, owner, memory, dissolved, failures), failures);
  await forgetMemory(request, hosts);
  await release(hosts, request, ["firewall", "tunnel", "overlay"], owner, failures);
  for (const failure of failures) progress(failure.host, `warning: not all of this package's could be taken away: ${plainReason(failure)}`);
  return failures;
}

/**
 * A host's own file says whose its overlay is. Where no run has written it yet, as none of version 0.1.0 did, another stack's firewall,
 * tunnel or swarm there says that it is not ours; and of a host whose engine does not answer, our memory says that it is.
 */
async function withOurOverlay(
  hosts: readonly ReachedHost[],
  owner: OwnerNames,
  memory: SwarmMemory | undefined,
  { foreign, ours }: Dissolved,
  failures: Failure[],
): Promise<ReachedHost[]> {
  const all = await onEach(hosts, failures, ({ session }) => haves(session, ["overlay", "firewall", "tunnel"], owner));
  return hosts.filter(({ key }) => {
    const has = all.get(key);
    if (!has || has.overlay !== undefined) return has?.overlay ?? false;
    if (has.firewall === false || has.tunnel === false || foreign.includes(key)) return false;
    return ours.includes(key) || memory?.hosts[key] !== undefined;
  });
}

void runUndoing(swarmDown, ({ cluster }) => `SwarmCluster ${cluster}`);
