import { DockerSwarmApi } from "../../membership/docker-swarm-api";
import {
  checkMembership,
  type DesiredSwarm,
  type Examined,
  finishSwarm,
  type HostAccess,
  type MembershipIo,
  type MembershipMemory,
  MembershipRefusal,
  type MembershipResult,
  reconcileMembership,
} from "../../membership/reconcile";
import { examineHost } from "../../membership/examine";
import { restartEngine } from "../../gossip/ports";
import { attachNodes, placeIngress } from "../../networks/ingress";
import type { DockerApi } from "../../remote/docker-api";
import { afterHosts, nothingToAdopt, otherThanAdopted } from "../../membership/refusals";
import { type Failure, onEach, reasonOf } from "../../remote/each";
import { memoryOf, swarmOwnerOf, type SwarmRequest, type SwarmResponse } from "../request";
import { listFailures } from "../progress";
import { announce, counting, did, progress, reportFailures, sleep, waiting } from "../run";
import type { ReachedHost } from "../fleet";
import type { Departing } from "./departing";
import type { Ready } from "./engines";
import { havingEngines, type Looked } from "./look";

/** A request, and what else is known of the swarm. */
type Asking = SwarmRequest & Pick<DesiredSwarm, "formerly">;

export interface Members {
  readonly desired: DesiredSwarm;
  readonly access: readonly HostAccess[];
  readonly memory: MembershipMemory | undefined;
  readonly io: MembershipIo;
  readonly result: MembershipResult;
  /** When the first host was asked to be on the ingress network, which the joins of the others did not wait for. */
  readonly attached: Promise<void>;
}

/** Before a firewall closes hosts that belong to somebody else's swarm. @throws MembershipRefusal */
export async function checkAdoption({ adopt }: SwarmRequest, previous: SwarmResponse | undefined, hosts: readonly Looked[]): Promise<void> {
  if (!adopt || memoryOf(previous)) return;
  const having = havingEngines(hosts);
  const swarms = await onEach(having, [], async ({ key, docker }) => (await new DockerSwarmApi(key, docker).local()).swarmId);
  const led = [...swarms].filter(([, swarmId]) => swarmId !== "");
  const others = led.filter(([, swarmId]) => swarmId !== adopt.swarmId);
  if (others.length > 0)
    throw otherThanAdopted(
      others.map(([key]) => key),
      others[0]?.[1] ?? "",
      adopt.swarmId,
    );
  if (led.length === 0) throw nothingToAdopt(adopt.swarmId);
}

/** All that the swarm speaks against, before the first change on any host. @throws with the hosts that could not be looked at */
export async function checkSwarm(
  request: Asking,
  previous: SwarmResponse | undefined,
  looked: readonly Looked[],
  departing: readonly Departing[],
  failures: readonly Failure[],
): Promise<void> {
  const running = looked.filter(({ needsEngine }) => !needsEngine);
  const access = accessTo(request, running, failures).map((host): HostAccess => {
    const starts = host.kind === "failed" && looked.some(({ key }) => key === host.key);
    return starts ? { ...host, reason: "its engine does not run yet", curable: true } : host;
  });
  await checkMembership(desiredSwarm(request), access, memoryOf(previous), {
    progress,
    waiting,
    sleep,
    now: Date.now,
    departing: apisOf(departing),
    examine: examining(running, departing),
  }).catch((error: unknown) => refuseWith(failures, error, ({ message }) => message));
}

function accessTo({ hosts }: SwarmRequest, ready: readonly ReachedHost[], failures: readonly Failure[]): HostAccess[] {
  const byKey = new Map(ready.map((host) => [host.key, host]));
  return hosts.map(({ key }): HostAccess => {
    const host = byKey.get(key);
    const failure = failures.find((each) => each.host === key);
    if (host && !failure) return { kind: "ready", key, api: new DockerSwarmApi(key, host.docker) };
    return { kind: "failed", key, reason: failure?.reason ?? "not reached" };
  });
}

function apisOf(departing: readonly Departing[]): ReadonlyMap<string, DockerSwarmApi> {
  return new Map(departing.flatMap(({ key, reached }) => (reached ? [[key, new DockerSwarmApi(key, reached.docker)]] : [])));
}

/** Those that cannot be examined are left out: what is asked for is what the others know of them. */
function examining(hosts: readonly ReachedHost[], departing: readonly Departing[]): NonNullable<MembershipIo["examine"]> {
  const all = [...hosts, ...departing.flatMap(({ reached }) => reached ?? [])];
  return (managers): Promise<ReadonlyMap<string, Examined>> => onEach(all, [], (host) => examineHost(host, managers));
}

/** A refusal says why nothing was changed; which hosts could not be looked at belongs to it. */
function refuseWith(failures: readonly Failure[], error: unknown, say: (refusal: MembershipRefusal) => string): never {
  if (!(error instanceof MembershipRefusal)) throw error;
  const said = say(error);
  // A host that it gives as its reason stands there already.
  const named = ({ host }: Failure): boolean => said.split("\n").some((line) => line.startsWith(`  - ${host}: `));
  throw new Error([said, ...listFailures(failures.filter((failure) => !named(failure)))].join("\n"));
}

/** Brings the swarm to the members that are asked for, and its ingress network to its place. */
export async function formSwarm(
  request: Asking,
  previous: SwarmResponse | undefined,
  ready: readonly Ready[],
  departing: readonly Departing[],
  failures: Failure[],
): Promise<Members> {
  const byKey = new Map(ready.map((host) => [host.key, host]));
  const access = accessTo(request, ready, failures);
  const desired = desiredSwarm(request);
  const memory = memoryOf(previous);
  announce("bringing the swarm to its", request.hosts.length);
  // Who is left without in the end is found by the proof, which attaches once more.
  let attaching: Promise<void> | undefined;
  let placing: Promise<unknown> = Promise.resolve();
  const attach = (docker: DockerApi): Promise<void> => attachNodes(docker, { sleep }).catch(() => undefined);
  const io: MembershipIo = {
    progress,
    waiting,
    counting,
    did,
    sleep,
    now: Date.now,
    departing: apisOf(departing),
    examine: examining(ready, departing),
    restart: async (key) => {
      const host = byKey.get(key);
      if (host) await restartEngine(host.session);
    },
    formed: (key) => {
      const host = byKey.get(key);
      if (!host) return Promise.resolve();
      // The other hosts need not wait until this one's engine has let the old one go: they are attached to the new one with it.
      return new Promise((goOn, fail) => {
        placing = bringIngress(request, host.docker, goOn).then((made) => {
          if (made) attaching = attach(host.docker);
          goOn();
        }, fail);
      });
    },
  };
  const result = await reconcileMembership(desired, access, memory, io, { drain: request.drainSeconds * 1000 }).catch((error: unknown) =>
    refuseWith(failures, error, afterHosts),
  );
  await placing;
  const known = new Set(failures.map(({ host }) => host));
  failures.push(...result.failures.filter(({ host }) => !known.has(host)));
  const manager = result.managers.flatMap((key) => byKey.get(key) ?? [])[0];
  if (manager) {
    await bringIngress(request, manager.docker).then(
      (made) => (made ? attach(manager.docker) : undefined),
      (error: unknown) => failures.push({ host: "ingress", reason: reasonOf(error) }),
    );
  }
  return { desired, access, memory, io, result, attached: attaching ?? Promise.resolve() };
}

/**
 * What only a run that ends well may do: it is the one whose response is remembered.
 *
 * @throws when something failed.
 */
export async function finish({ desired, access, memory, io, result }: Members, failures: readonly Failure[]): Promise<MembershipMemory> {
  reportFailures(desired.members, failures);
  return finishSwarm(desired, access, result, memory, io);
}

/** An adopted swarm keeps the one that it has: ports may be published by it. */
async function bringIngress({ ingress, underlayMtu, adopt }: SwarmRequest, docker: DockerApi, onRemoved?: () => void): Promise<boolean> {
  if (adopt) return false;
  const io = { progress: (line: string): void => progress(undefined, line), waiting, sleep, now: Date.now };
  return placeIngress(docker, { ...ingress, mtu: underlayMtu }, io, onRemoved);
}

function desiredSwarm(request: Asking): DesiredSwarm {
  const { hosts, dockerPool, abandonedSwarm, recover, formerly, swarm, needs, adopt, maintenance } = request;
  return {
    owner: swarmOwnerOf(request),
    members: hosts.map(({ key, role, address, tunnelAddress, labels }) => {
      const own = tunnelAddress ?? address;
      const drained = maintenance?.drained?.includes(key) === true;
      return { key, role, labels, ...(drained && { drained }), advertiseAddress: own, listenAddress: `${own}:2377`, dataPathAddress: own };
    }),
    init: { defaultAddressPool: [dockerPool], subnetSize: 24, ...(needs.dataPathPort !== undefined && { dataPathPort: needs.dataPathPort }) },
    options: swarm,
    ...(adopt && { adopt: adopt.swarmId }),
    ...(abandonedSwarm !== undefined && { abandonedSwarm }),
    ...(recover !== undefined && { recover }),
    ...(formerly && { formerly }),
  };
}
