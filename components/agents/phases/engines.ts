import { applySettings, installEngine, installTimeout, makeGwbridge, pendingChanges, settingsTimeout } from "../../engine";
import type { EngineChanges } from "../../engine/bridges";
import { defaultDataPathPort } from "../../engine/needs";
import { freePorts } from "../../gossip/ports";
import { engineProblems } from "../../engine/preflight";
import { DockerSwarmApi } from "../../membership/docker-swarm-api";
import { unlockAll } from "../../membership/unlock";
import { type Failure, reasonOf } from "../../remote/each";
import type { ReachedHost } from "../fleet";
import type { SwarmRequest } from "../request";
import { whileWaiting } from "../../waiting";
import { did, phase, progress, sleep, waiting } from "../run";
import { type Looked, refuseMixedEngines } from "./look";

/** For a member to be one again after its engine has restarted, in milliseconds. */
const backTimeout = 60_000;

/** A host whose engine runs as asked. */
export type Ready = Looked & { readonly engine: string };

/**
 * Engine, its settings and its bridges. Hosts that are in no swarm restart their engines all at once, and one that does not come
 * back joins nothing. A restart takes a manager out of the quorum for seconds: members go one after the other, and managers first. An
 * engine gossips again with the managers that it knows when it starts; the only manager knows none, and its workers look for it about
 * once a minute (seen on 26.1.5: they met again after 50 s) or when they start themselves.
 */
export async function prepareEngines(
  request: SwarmRequest,
  hosts: readonly Looked[],
  unlockKeys: readonly string[],
  failures: Failure[],
): Promise<Ready[]> {
  const ready = await phase("preparing Docker on", "Docker ready", hosts, failures, async (host): Promise<Ready & { changes: EngineChanges }> => {
    const installed = host.needsEngine ? await installFor(request, host) : host.probe.engine.split(" ")[0];
    const changes = await pendingChanges(host, request.engine, request.bridges, request.adopt !== undefined);
    for (const warning of changes.warnings) progress(host.key, `warning: ${warning}`);
    if (!changes.member) {
      await freePorts(host.session, request.needs.dataPathPort ?? defaultDataPathPort, (line) => progress(host.key, line));
      await changeEngine(host, changes);
    } else if (changes.gwbridge) {
      await makeGwbridge(host.session, changes.gwbridge);
    }
    return { ...host, engine: installed ?? "", changes };
  });
  const restarting = [...ready.values()].filter(({ changes }) => changes.member && changes.settings !== undefined);
  for (const host of managersFirst(restarting)) {
    try {
      await changeSettings(host, host.changes.settings ?? "");
      await quorumIsBack(host, unlockKeys);
    } catch (error) {
      // None after one that failed.
      failures.push({ host: host.key, reason: `${reasonOf(error)}; the hosts after it keep their settings until this is fixed` });
      break;
    }
  }
  const engines = [...ready.values()].map(({ key, engine }) => ({ key, version: engine }));
  if (hosts.some(({ needsEngine }) => needsEngine)) refuseMixedEngines(request, engines, "Docker was installed; nothing joined the swarm");
  return [...ready.values()];
}

/** In the order in which they are given otherwise. */
export function managersFirst<Each extends Pick<Looked, "host">>(hosts: readonly Each[]): readonly Each[] {
  return [...hosts].sort((a, b) => Number(b.host.role === "manager") - Number(a.host.role === "manager"));
}

/** Which version comes is known only now; before this nothing could be said of it. */
async function installFor(request: SwarmRequest, host: Looked): Promise<string> {
  const version = await whileWaiting({ waiting }, host.key, "Docker to be installed", installTimeout, (seen) =>
    installEngine(host.session, request.engine, (line) => {
      progress(host.key, line);
      seen(line);
    }),
  );
  did(host.key, "Docker installed");
  const problems = engineProblems(version, request.engine, request.needs, host.probe);
  if (problems.length > 0) throw new Error(problems.join("; "));
  return version;
}

async function changeEngine(host: ReachedHost, { gwbridge, settings }: EngineChanges): Promise<void> {
  if (gwbridge) await makeGwbridge(host.session, gwbridge);
  if (settings !== undefined) await changeSettings(host, settings);
}

async function changeSettings({ key, session }: ReachedHost, settings: string): Promise<void> {
  await whileWaiting({ waiting }, key, "Docker to restart", settingsTimeout, () => applySettings(session, settings, (line) => progress(key, line)));
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
