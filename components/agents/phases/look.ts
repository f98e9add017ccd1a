import { probeHost } from "../../engine";
import { mixProblem, named, type NamedEngine, nftablesBackend, unstamped } from "../../engine/known";
import { preflight, type Probe } from "../../engine/preflight";
import { type Failure, onEach } from "../../remote/each";
import type { SshSession } from "../../remote/ssh";
import type { Fleet, ReachedHost } from "../fleet";
import { refuseOwned } from "../../owner";
import { ownedParts, ownerOf, type SwarmRequest, type SwarmRequestHost } from "../request";
import { progress } from "../run";

/** A host that was looked at, and on which nothing speaks against work. */
export interface Looked extends ReachedHost {
  readonly host: SwarmRequestHost;
  readonly probe: Probe;
  readonly needsEngine: boolean;
}

/** Preflight of every host, before anything is changed on any. */
export async function lookAtHosts(fleet: Fleet, request: SwarmRequest, failures: Failure[]): Promise<Looked[]> {
  const looked = await onEach(request.hosts, failures, async (host): Promise<Looked> => {
    const reached = await fleet.reach(host.key, host.connection);
    const probe = await probeHost(reached.session, request.needs);
    const { refusals, needsEngine } = preflight(probe, request.engine, Date.now() / 1000, request.needs);
    if (refusals.length > 0) throw new Error(refusals.join("; "));
    await refuseOwned(reached.session, ownedParts(request), ownerOf(request));
    return { ...reached, host, probe, needsEngine };
  });
  const byNftables = [...looked.values()].filter(({ probe }) => probe.firewall?.backend === "nftables").map(({ key }) => key);
  if (byNftables.length > 0) progress(undefined, `warning: ${byNftables.join(", ")}: ${nftablesBackend.lacks}`);
  const withoutIpvs = [...looked.values()].filter(({ probe }) => !probe.ipvs).map(({ key }) => key);
  if (withoutIpvs.length > 0) {
    progress(
      undefined,
      `warning: no IPVS in the kernel of ${withoutIpvs.join(", ")}: virtual addresses and the ingress mesh fail there without a word; ` +
        "create services with --endpoint-mode dnsrr and publish ports with mode=host",
    );
  }
  const running = [...looked.values()].filter(({ needsEngine }) => !needsEngine);
  refuseMixedEngines(
    request,
    running.map(({ key, probe }) => ({ key, version: probe.engine.split(" ")[0] ?? "" })),
    "Nothing was changed",
  );
  return [...looked.values()];
}

/**
 * Docker says nothing of such a mixture: networks are made, every node is Ready, and no packet arrives.
 *
 * @throws Error that names all hosts of it.
 */
export function refuseMixedEngines({ needs }: Pick<SwarmRequest, "needs">, engines: readonly NamedEngine[], done: string): void {
  if (!needs.features.includes("ipsec")) return;
  const problem = mixProblem(engines);
  if (problem) throw new Error(`${problem.message}. ${done}. Fix: ${problem.fix}`);
  const unknown = unstamped(engines);
  if (unknown.length > 0) {
    progress(undefined, `warning: ${named(unknown)}: an engine that does not tell its version may not share encrypted networks with the others`);
  }
}

/** What was long enough for any run that is not stuck. */
const lockSeconds = 300;

/**
 * When Pulumi is killed, what it started may go on for a while, and the next `up` meets it. Both would work on the same
 * cluster, so the first manager that answers holds a lock; a second run waits until the first has ended.
 */
export async function waitForOtherRuns(request: SwarmRequest, hosts: readonly Looked[]): Promise<void> {
  const first = request.hosts.find(({ key, role }) => role === "manager" && hosts.some((host) => host.key === key));
  await holdLock(hosts.find(({ key }) => key === first?.key)?.session, `pulumi-swarm-cluster.${request.cluster}`, "this cluster");
}

/** Until the session's end. */
export async function holdLock(session: SshSession | undefined, name: string, what: string): Promise<void> {
  const patience = setTimeout(() => progress(undefined, `another run works on ${what}; waiting up to ${lockSeconds} s for it to end`), 2_000);
  try {
    await session?.lock(name, lockSeconds);
  } finally {
    clearTimeout(patience);
  }
}
