import { applySettings, installEngine, makeGwbridge, pendingChanges, probeHost } from "../engine";
import type { EngineChanges } from "../engine/bridges";
import { preflight, type Probe } from "../engine/preflight";
import { DockerSwarmApi } from "../membership/docker-swarm-api";
import { type HostAccess, type MembershipMemory, MembershipRefusal, reconcileMembership } from "../membership/reconcile";
import type { SwarmApi } from "../membership/swarm-api";
import { type Failure, Fleet, onEach, type ReachedHost, reasonOf } from "./fleet";
import type { SwarmRequest, SwarmRequestHost, SwarmResponse, SwarmResponseHost } from "./request";
import { progress, reportFailures, runAgent } from "./run";

/** Brings all hosts to what the request says, in phases a person can follow: reach, look, engine, membership. */
async function swarmUp(request: SwarmRequest, previous: SwarmResponse | undefined): Promise<SwarmResponse> {
  const fleet = new Fleet(request.reachableSeconds);
  try {
    const failures: Failure[] = [];
    progress(undefined, `reaching ${request.hosts.length} hosts`);
    const probes = await lookAtHosts(fleet, request, failures);
    await waitForOtherRuns(request, probes);
    const engines = await prepareEngines(request, probes, failures);
    const members = await formSwarm(fleet, request, previous, engines, failures);
    reportFailures("the other hosts are done", failures);
    progress(undefined, `swarm ${members.swarmId}: ${request.hosts.length} hosts as asked`);
    return members;
  } finally {
    fleet.close();
  }
}

interface Looked extends ReachedHost {
  readonly host: SwarmRequestHost;
  readonly probe: Probe;
  readonly needsEngine: boolean;
}

/** Preflight of every host, before anything is changed on any. */
async function lookAtHosts(fleet: Fleet, request: SwarmRequest, failures: Failure[]): Promise<Looked[]> {
  const looked = await onEach(request.hosts, failures, async (host): Promise<Looked> => {
    const reached = await fleet.reach(host.key, host.connection);
    const probe = await probeHost(reached.session, request.needs);
    const { refusals, needsEngine } = preflight(probe, request.engine, Date.now() / 1000, request.needs);
    if (refusals.length > 0) throw new Error(refusals.join("; "));
    return { ...reached, host, probe, needsEngine };
  });
  const withoutIpvs = [...looked.values()].filter(({ probe }) => !probe.ipvs).map(({ key }) => key);
  if (withoutIpvs.length > 0) {
    progress(
      undefined,
      `warning: no IPVS in the kernel of ${withoutIpvs.join(", ")}: virtual addresses and the ingress mesh fail there without a word; ` +
        "create services with --endpoint-mode dnsrr and publish ports with mode=host",
    );
  }
  return [...looked.values()];
}

/** What was long enough for any run that is not stuck. */
const lockSeconds = 300;

/**
 * When Pulumi is killed, what it started may go on for a while, and the next `up` meets it. Both would work on the same
 * cluster, so the first manager that answers holds a lock; a second run waits until the first has ended.
 */
async function waitForOtherRuns(request: SwarmRequest, hosts: readonly Looked[]): Promise<void> {
  const first = request.hosts.find(({ key, role }) => role === "manager" && hosts.some((host) => host.key === key));
  const session = hosts.find(({ key }) => key === first?.key)?.session;
  const patience = setTimeout(() => progress(undefined, `another run works on this cluster; waiting up to ${lockSeconds} s for it to end`), 2_000);
  try {
    await session?.lock(`pulumi-swarm-${request.cluster}`, lockSeconds);
  } finally {
    clearTimeout(patience);
  }
}

type Ready = Looked & { readonly engine: string };

/**
 * Engine, its settings and its bridges. Hosts that are in no swarm restart their engines all at once, and one that does not come
 * back joins nothing. A restart takes a manager out of the quorum for seconds: members go one after the other.
 */
async function prepareEngines(request: SwarmRequest, hosts: readonly Looked[], failures: Failure[]): Promise<Ready[]> {
  const ready = await onEach(hosts, failures, async (host): Promise<Ready & { changes: EngineChanges }> => {
    const installed = host.needsEngine
      ? await installEngine(host.session, request.engine, (line) => progress(host.key, line))
      : host.probe.engine.split(" ")[0];
    const changes = await pendingChanges(host.session, request.engine, request.bridges);
    for (const warning of changes.warnings) progress(host.key, `warning: ${warning}`);
    if (!changes.member) await changeEngine(host, changes);
    return { ...host, engine: installed ?? "", changes };
  });
  for (const host of [...ready.values()].filter(({ changes }) => changes.member && changes.settings !== undefined)) {
    try {
      await changeEngine(host, host.changes);
      await quorumIsBack(host);
    } catch (error) {
      // None after one that failed.
      failures.push({ host: host.key, reason: `${reasonOf(error)}; the hosts after it keep their settings until this is mended` });
      break;
    }
  }
  return [...ready.values()];
}

async function changeEngine({ key, session }: ReachedHost, { gwbridge, settings }: EngineChanges): Promise<void> {
  if (gwbridge) await makeGwbridge(session, gwbridge);
  if (settings !== undefined) await applySettings(session, settings, (line) => progress(key, line));
}

async function quorumIsBack(host: ReachedHost): Promise<void> {
  const api = new DockerSwarmApi(host.key, host.docker);
  const until = Date.now() + 60_000;
  for (;;) {
    const local = await api.local();
    if (local.state === "inactive" || (local.state === "active" && local.error === "")) return;
    if (Date.now() > until) throw new Error(`${host.key}: restarted, but not back in the swarm after 60 s: ${local.error || local.state}`);
    await sleep(500);
  }
}

async function formSwarm(
  fleet: Fleet,
  request: SwarmRequest,
  previous: SwarmResponse | undefined,
  ready: readonly Ready[],
  failures: Failure[],
): Promise<SwarmResponse> {
  const byKey = new Map(ready.map((host) => [host.key, host]));
  const access = request.hosts.map(({ key }): HostAccess => {
    const host = byKey.get(key);
    if (host) return { kind: "ready", key, api: new DockerSwarmApi(key, host.docker) };
    return { kind: "failed", key, reason: failures.find((failure) => failure.host === key)?.reason ?? "not reached" };
  });
  const memory: MembershipMemory | undefined = previous && {
    swarmId: previous.swarmId,
    nodes: Object.fromEntries(Object.entries(previous.hosts).map(([key, host]) => [key, host.nodeId])),
  };
  const departing = await reachDeparting(fleet, request, previous);
  const result = await reconcileMembership(
    {
      members: request.hosts.map(({ key, role, address, labels }) => ({
        key,
        role,
        labels,
        advertiseAddress: address,
        listenAddress: `${address}:2377`,
        dataPathAddress: address,
      })),
      init: { defaultAddressPool: [request.dockerPool], subnetSize: 24 },
      ...(request.abandonedSwarm !== undefined && { abandonedSwarm: request.abandonedSwarm }),
    },
    access,
    memory,
    { progress, sleep, now: Date.now, departing },
    { drain: request.drainSeconds * 1000 },
  ).catch((error: unknown) => {
    // A refusal says why nothing was changed; which hosts could not be looked at belongs to it.
    if (error instanceof MembershipRefusal && failures.length > 0) {
      throw new Error([error.message, ...failures.map(({ host, reason }) => `  - ${host}: ${reason.replace(`${host}: `, "")}`)].join("\n"));
    }
    throw error;
  });
  const known = new Set(failures.map(({ host }) => host));
  failures.push(...result.failures.filter(({ host }) => !known.has(host)));
  const hosts = request.hosts.map(({ key, role, address, connection }): [string, SwarmResponseHost] => {
    const { privateKey: _key, passphrase: _passphrase, bastion: _bastion, ...reach } = connection;
    return [key, { nodeId: result.nodes[key] ?? "", role, address, engine: byKey.get(key)?.engine ?? "", connection: reach }];
  });
  return { swarmId: result.swarmId, hosts: Object.fromEntries(hosts) };
}

/** Hosts that are to leave are asked to, where they still answer; where not, the managers strike them off. */
async function reachDeparting(fleet: Fleet, request: SwarmRequest, previous: SwarmResponse | undefined): Promise<Map<string, SwarmApi>> {
  const desired = new Set(request.hosts.map(({ key }) => key));
  const leaving = Object.entries(previous?.hosts ?? {}).filter(([key]) => !desired.has(key));
  const keys = request.hosts.map(({ connection }) => connection).find(({ privateKey }) => privateKey !== undefined);
  const reached = await onEach(
    leaving.map(([key, host]) => ({ key, host })),
    [],
    async ({ key, host }) => {
      const secrets = keys && { ...(keys.privateKey && { privateKey: keys.privateKey }), ...(keys.passphrase && { passphrase: keys.passphrase }) };
      const { docker } = await fleet.reach(key, { ...host.connection, ...secrets }, 10);
      return new DockerSwarmApi(key, docker);
    },
  );
  return reached;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

void runAgent(swarmUp);
