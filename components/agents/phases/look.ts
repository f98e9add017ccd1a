import { bridgesPart, type Look, probeSettled, type SeenBridges } from "../../engine";
import { mixProblem, named, type NamedEngine, nftablesBackend, unstamped } from "../../engine/known";
import { addressProblem, preflight } from "../../engine/preflight";
import { meetingProblem, type Upgrade } from "../../engine/upgrade";
import { maintenancePart } from "../../maintenance";
import { asksForMaintenance, type SeenMaintenance } from "../../maintenance/due";
import { judgeOthers, lookForOthers, type OtherFirewalls, othersPart, type OthersVerdict } from "../../firewall/others";
import type { Failure } from "../../remote/each";
import type { SshSession } from "../../remote/ssh";
import type { Fleet, ReachedHost } from "../fleet";
import { type OwnerNames, ownersPart, refuseOthers, type SeenOwners } from "../../owner";
import { ownedParts, type ProtectRequest, type SwarmRequest, type SwarmRequestHost } from "../request";
import { phase, progress, waiting } from "../run";

/** A host that was looked at, and on which nothing speaks against work. */
export interface Looked extends ReachedHost {
  readonly host: SwarmRequestHost;
  readonly probe: Look<SeenBeside>;
  readonly needsEngine: boolean;
  /** Another version for its engine. */
  readonly upgrade?: Upgrade;
}

/** What the one look at a host sees beside what its machine is. */
type SeenBeside = SeenOwners & {
  readonly bridges_seen: SeenBridges;
  /** Where a firewall of ours is to be. */
  readonly other_firewalls?: OtherFirewalls;
  /** Where the program asks for some. */
  readonly maintenance_seen?: SeenMaintenance;
};

/** Those that have a Docker, which can be asked. */
export function havingEngines<Host extends Pick<Looked, "probe">>(hosts: readonly Host[]): Host[] {
  return hosts.filter(({ probe }) => probe.engine !== "");
}

/** A host with a session that stands, and what is asked of it. */
export type Asked = ReachedHost & { readonly host: SwarmRequestHost };

export async function reachHosts(fleet: Fleet, { hosts }: SwarmRequest, failures: Failure[]): Promise<Asked[]> {
  const reached = await phase("reaching", "reached", hosts, failures, async (host): Promise<Asked> => ({
    ...(await fleet.reach(host.key, host.connection)),
    host,
  }));
  return [...reached.values()];
}

/** Preflight of every host, before anything is changed on any. */
export async function lookAtHosts(hosts: readonly Asked[], request: SwarmRequest, owner: OwnerNames, failures: Failure[]): Promise<Looked[]> {
  const looked = await phase("looking at", "looked at", hosts, failures, async ({ host, ...reached }): Promise<Looked> => {
    // Whose the overlay is counts also where this cluster has none on hosts: it would take away what it finds of one.
    const owners = ownersPart([...ownedParts(request), "overlay"], owner);
    const parts = [
      owners,
      bridgesPart,
      ...(request.firewall ? [othersPart] : []),
      ...(asksForMaintenance(request.maintenance ?? {}) ? [maintenancePart] : []),
    ];
    const probe = await probeSettled<SeenBeside>(reached, { waiting, progress }, { needs: request.needs, parts });
    const others = probe.also.other_firewalls;
    const firewalls = others ? judgeOthers(others, request.adopt !== undefined) : noVerdict;
    const { refusals, needsEngine, upgrade } = preflight(probe, request.engine, Date.now() / 1000, request.needs);
    const unattached = host.attached ? addressProblem(probe, host.address) : undefined;
    const problems = [...refusals, ...(unattached === undefined ? [] : [unattached]), ...firewalls.refusals];
    if (problems.length > 0) throw new Error(problems.join("; "));
    // After what speaks against the machine itself.
    refuseOthers(probe.also.owners, owner);
    for (const warning of firewalls.warnings) progress(host.key, `warning: ${warning}`);
    return { ...reached, host, probe, needsEngine, ...(upgrade && { upgrade }) };
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
  refuseMeeting(
    request,
    [...looked.values()].filter(({ needsEngine }) => !needsEngine),
  );
  return [...looked.values()];
}

const noVerdict: OthersVerdict = { refusals: [], warnings: [] };

/** Firewalls beside ours, where there is to be one of ours. */
export async function lookAtFirewalls({ firewall }: ProtectRequest, session: SshSession): Promise<OthersVerdict> {
  return firewall ? judgeOthers(await lookForOthers(session), false) : noVerdict;
}

/** Engines that must not meet: as they will be, and while they are replaced one after the other. */
function refuseMeeting(request: SwarmRequest, running: readonly Looked[]): void {
  const now = running.map(({ key, probe }) => ({ key, version: probe.engine.split(" ")[0] ?? "" }));
  const then = running.map(({ key, upgrade }, index) => ({ key, version: upgrade?.to ?? now[index]?.version ?? "" }));
  refuseMixedEngines(request, then, "Nothing was changed");
  const meeting = request.needs.features.includes("ipsec") ? meetingProblem(now, then) : undefined;
  if (meeting?.kind === "refused") throw new Error(`Nothing was changed: ${meeting.message}`);
  if (meeting) progress(undefined, `warning: ${meeting.message}`);
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
