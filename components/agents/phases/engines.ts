import {
  applySettings,
  fetchEngine,
  holdEngine,
  installEngine,
  installTimeout,
  makeGwbridge,
  pendingChanges,
  reloadSettings,
  replaceEngine,
  settingsTimeout,
} from "../../engine";
import type { EngineArgs } from "../../engine/args";
import type { EngineChanges } from "../../engine/bridges";
import { defaultDataPathPort } from "../../engine/needs";
import { freePorts } from "../../gossip/ports";
import { metricsAddressOf } from "../../engine/metrics";
import { engineProblems } from "../../engine/preflight";
import { type Upgrade, upgradeOf } from "../../engine/upgrade";
import { DockerSwarmApi } from "../../membership/docker-swarm-api";
import { unlockAll } from "../../membership/unlock";
import { type Failure, onEach } from "../../remote/each";
import type { ReachedHost } from "../fleet";
import type { SwarmMemory, SwarmRequest } from "../request";
import { whileWaiting } from "../../waiting";
import { did, phase, progress, sleep, waiting } from "../run";
import { engineAfter, type Maintenance, prepareMaintenance } from "./maintenance";
import { type Looked, refuseMixedEngines } from "./look";

/** For a member to be one again after its engine has restarted, in milliseconds. */
const backTimeout = 60_000;

/** A host whose engine runs. */
export type Ready = Looked & {
  readonly engine: string;
  /** What its engine must start again for, which waits for the host's turn in the walk. @default - nothing */
  readonly settings?: string;
  /** @default - nothing is asked for */
  readonly maintenance?: Maintenance;
};

/**
 * Engine, its settings and its bridges. Hosts that are in no swarm get all of it at once, and one that does not come back joins nothing.
 * Members get at once only what disturbs nobody: what they must be taken out of service for is left for the walk.
 *
 * @param before What was known of them when this run began.
 */
export async function prepareEngines(
  request: SwarmRequest,
  hosts: readonly Looked[],
  before: Pick<SwarmMemory, "hosts"> | undefined,
  failures: Failure[],
): Promise<Ready[]> {
  const ready = await phase("preparing Docker on", "Docker ready", hosts, failures, async (host): Promise<Ready> => {
    const { upgrade: seen, ...found } = host;
    const installed = host.needsEngine ? await installFor(host, request.engine) : (host.probe.engine.split(" ")[0] ?? "");
    const bridges = host.needsEngine ? undefined : host.probe.also.bridges_seen;
    const listening = listens(host, request) ? host.host : undefined;
    const changes = await pendingChanges(host, request.engine, request.bridges, request.adopt !== undefined, bridges, listening);
    for (const warning of changes.warnings) progress(host.key, `warning: ${warning}`);
    if (changes.member) {
      await holdEngine(host.session, request.engine, host.probe);
      if (changes.gwbridge) await makeGwbridge(host.session, changes.gwbridge);
      const upgrade = host.needsEngine ? upgradeOf(installed, request.engine) : seen;
      const settings = await settingsLeft(host, changes);
      const known = (before?.hosts[host.key]?.nodeId ?? "") !== "";
      const maintenance = await prepareMaintenance(host, request, known ? "known member" : "other member");
      return {
        ...found,
        engine: installed,
        ...(upgrade && { upgrade }),
        ...(settings !== undefined && { settings }),
        ...(maintenance && { maintenance }),
      };
    }
    const upgrade = upgradeOf(installed, request.engine);
    const replaced = upgrade ? await replaceAtOnce(host, upgrade, request.engine) : installed;
    if (!upgrade) await holdEngine(host.session, request.engine, host.probe);
    const maintenance = await prepareMaintenance(host, request, "no member");
    const engine = (maintenance && (await engineAfter(host, request.engine))) ?? replaced;
    const problems = engineProblems(engine, request.engine, request.needs, host.probe);
    if (problems.length > 0) throw new Error(problems.join("; "));
    await freePorts(host.session, request.needs.dataPathPort ?? defaultDataPathPort, (line) => progress(host.key, line));
    await changeEngine(host, changes);
    return { ...found, engine, ...(maintenance && { maintenance }) };
  });
  const engines = [...ready.values()].map(({ key, engine, upgrade }) => ({ key, version: upgrade?.to ?? engine }));
  if (hosts.some(({ needsEngine }) => needsEngine)) refuseMixedEngines(request, engines, "Docker was installed; nothing joined the swarm");
  return [...ready.values()];
}

/**
 * Whether a host has the address on which its engine is to tell its metrics. Its engine would not start otherwise.
 *
 * @throws where no tunnel is to come that has it.
 */
function listens({ probe, host }: Looked, { engine }: Pick<SwarmRequest, "engine">): boolean {
  const address = metricsAddressOf(host);
  if (engine.metrics !== true || probe.addresses.length === 0 || probe.addresses.includes(address)) return true;
  if (host.tunnelAddress !== undefined) return false;
  throw new Error(
    `engine.metrics: its address ${address} is on none of its interfaces, so its engine could not listen there. Fix: set metrics-addr in engine.settings, and open the port by firewall.allow`,
  );
}

/** What engines that are in no swarm get once the tunnel is there, by whose address they listen. */
export async function finishSettings(request: SwarmRequest, hosts: readonly Ready[], failures: Failure[]): Promise<void> {
  const late = hosts.filter((host) => !listens(host, request));
  await onEach(late, failures, async (host) => {
    const changes = await pendingChanges(host, request.engine, request.bridges, request.adopt !== undefined, undefined, host.host);
    if (!changes.member && changes.settings !== undefined) await changeSettings(host, changes.settings, changes.allOurs);
  });
}

/** In the order in which they are given otherwise. */
export function managersFirst<Each extends Pick<Looked, "host">>(hosts: readonly Each[]): readonly Each[] {
  return [...hosts].sort((a, b) => Number(b.host.role === "manager") - Number(a.host.role === "manager"));
}

async function installFor(host: ReachedHost, engine: EngineArgs): Promise<string> {
  const version = await whileWaiting({ waiting }, host.key, "Docker to be installed", installTimeout, (seen) =>
    installEngine(host.session, engine, (line) => {
      progress(host.key, line);
      seen(line);
    }),
  );
  did(host.key, "Docker installed");
  return version;
}

/** On a host that is in no swarm, and has nobody to wait for. */
async function replaceAtOnce(host: ReachedHost, { from, to }: Upgrade, engine: EngineArgs): Promise<string> {
  progress(host.key, `its Docker is replaced before it joins: ${from} to ${to}`);
  await getEngine(host, engine);
  return replaceEngineOf(host, engine);
}

/** Its packages come onto the disk; nothing changes yet. */
export async function getEngine({ key, session }: ReachedHost, engine: EngineArgs): Promise<void> {
  const kept = await whileWaiting({ waiting }, key, "Docker's packages", installTimeout, () =>
    fetchEngine(session, engine, (line) => progress(key, line)),
  );
  if (!kept)
    progress(
      key,
      "warning: the packages of its present Docker are not to be had any more: if the next version does not start, this one cannot be put back",
    );
}

/** @returns the version that runs then. */
export async function replaceEngineOf({ key, session }: ReachedHost, engine: EngineArgs): Promise<string> {
  const version = await whileWaiting({ waiting }, key, "Docker to be replaced", 2 * installTimeout, () =>
    replaceEngine(session, engine, (line) => progress(key, line)),
  );
  did(key, "Docker replaced");
  return version;
}

/** Registries at once, so that this run can pull from them. @returns what waits for a restart. */
async function settingsLeft({ key, session }: ReachedHost, { reload, settings }: EngineChanges): Promise<string | undefined> {
  if (reload === undefined) return settings;
  if (!(await reloadSettings(session, reload))) return settings ?? reload;
  did(key, "Docker's settings changed");
  return settings;
}

async function changeEngine(host: ReachedHost, { gwbridge, settings, allOurs }: EngineChanges): Promise<void> {
  if (gwbridge) await makeGwbridge(host.session, gwbridge);
  if (settings !== undefined) await changeSettings(host, settings, allOurs);
}

export async function changeSettings({ key, session }: ReachedHost, settings: string, allOurs = false): Promise<void> {
  await whileWaiting({ waiting }, key, "Docker to restart", settingsTimeout, () =>
    applySettings(session, settings, (line) => progress(key, line), !allOurs),
  );
  did(key, "Docker's settings changed");
}

export async function quorumIsBack(host: Pick<ReachedHost, "key" | "docker">, unlockKeys: readonly string[]): Promise<void> {
  const api = new DockerSwarmApi(host.key, host.docker);
  await whileWaiting({ waiting }, host.key, "it to be back in the swarm", backTimeout, () => untilBack(api, host.key, unlockKeys));
}

async function untilBack(api: DockerSwarmApi, key: string, unlockKeys: readonly string[]): Promise<void> {
  const until = Date.now() + backTimeout;
  for (;;) {
    const local = await api.local();
    if (local.state === "locked") {
      const problem = (await unlockAll([{ key, api }], unlockKeys, { progress })).get(key);
      if (problem !== undefined) throw new Error(`${key}: ${problem}`);
    }
    if (local.state === "inactive" || (local.state === "active" && local.error === "")) return;
    if (Date.now() > until)
      throw new Error(`${key}: restarted, but not back in the swarm after ${backTimeout / 1000} s: ${local.error || local.state}`);
    await sleep(500);
  }
}
