import { Fleet, type ReachedHost } from "../agents/fleet";
import type { StatusPart } from "../health";
import { hostLabel } from "../membership/types";
import { onEach, reasonOf } from "../remote/each";
import { targetOf } from "../remote/dial";
import { byName } from "../topology/topology";
import type { WaitingIo } from "../waiting";
import { askEngine, askManagers, isManaging, withoutHost } from "./engine";
import { lookAtSystem } from "./look";
import { contextOf, partsOf } from "./parts";
import { type PathEnd, pathsFrom, tryPaths } from "./paths";
import { plannedHostOf, plannedOf } from "./planned";
import type { Seen, SeenHost, SeenManagers } from "./seen";
import type { Target, TargetHost } from "./source/target";

/** For a part's script, such as a call of etcdctl whose member does not answer. */
const partTimeout = 20_000;

export interface LookOptions {
  /** Seconds that a host may take until an SSH session stands. */
  readonly reachableSeconds: number;
  readonly io: WaitingIo;
}

/**
 * Looks at all hosts at once, within a bounded time: what does not answer is said, and the rest is looked at. It changes nothing on any host,
 * and takes no lock: another run may be at work meanwhile.
 */
export async function lookAtCluster(target: Target, { reachableSeconds, io }: LookOptions): Promise<Seen> {
  const began = Date.now();
  const fleet = new Fleet(reachableSeconds, io);
  try {
    const hosts = byName(target.hosts, ({ key }) => key).map((host) => new HostLook(host, target));
    await onEach(hosts, [], (look) => look.begin(fleet));
    const [swarm] = await Promise.all([managersOf(hosts), ...(target.request ? [lookFurther(hosts, endsOfPlan(target))] : [])]);
    if (!target.request) await lookFurther(hosts, endsOfSwarm(hosts, swarm));
    const planned = plannedOf(target);
    return {
      cluster: target.cluster,
      by: target.by,
      at: new Date(began).toISOString(),
      seconds: Math.round((Date.now() - began) / 100) / 10,
      ...(planned && { planned }),
      hosts: [...hosts.map((look) => look.seen), ...(target.request ? [] : withoutConnection(hosts, swarm))],
      ...(swarm && { swarm }),
    };
  } finally {
    fleet.close();
  }
}

/** All managers are asked at once: one that hangs costs no more than its limit. */
async function managersOf(hosts: readonly HostLook[]): Promise<SeenManagers | undefined> {
  const views = await onEach(
    hosts.filter(({ seen }) => isManaging(seen.engine)),
    [],
    ({ key, reached }) => (reached ? askManagers(key, reached.docker) : Promise.reject(new Error("it is not reached"))),
  );
  return hosts.flatMap(({ key }) => views.get(key) ?? [])[0];
}

/** Members to which no connection is given: what the managers say of them is shown. */
function withoutConnection(hosts: readonly HostLook[], swarm: SeenManagers | undefined): SeenHost[] {
  const looked = new Set(hosts.flatMap(({ seen: { engine } }) => (engine && "nodeId" in engine ? engine.nodeId : [])));
  return (swarm?.nodes ?? [])
    .filter(({ id }) => !looked.has(id))
    .map(({ hostname, address, labels }) => ({ key: labels[hostLabel] ?? hostname, target: address }));
}

async function lookFurther(hosts: readonly HostLook[], ends: readonly PathEnd[]): Promise<void> {
  const paths = pathsFrom(ends);
  await onEach(hosts, [], (look) => look.further(paths.get(look.key) ?? []));
}

function endsOfPlan({ request }: Target): PathEnd[] {
  return (request?.hosts ?? []).map((host) => ({ key: host.key, site: host.site, address: plannedHostOf(host).address }));
}

/** By the addresses that members advertise; where no plan says which site they are on, all are on one. */
function endsOfSwarm(hosts: readonly HostLook[], swarm: SeenManagers | undefined): PathEnd[] {
  return hosts.flatMap(({ key, seen: { engine } }) => {
    const own = engine && "state" in engine ? engine : undefined;
    const address = swarm?.nodes.find(({ id }) => id === own?.nodeId)?.address ?? own?.address ?? "";
    return address === "" ? [] : [{ key, site: "", address }];
  });
}

/** What is learned of one host. Nothing here rejects: why something is not known is part of what was seen. */
class HostLook {
  readonly key: string;
  reached: ReachedHost | undefined;
  private learned: SeenHost;

  constructor(
    private readonly host: TargetHost,
    private readonly target: Target,
  ) {
    this.key = host.key;
    const own = target.request?.hosts.find(({ key }) => key === host.key);
    this.learned = { key: host.key, target: targetOf(host.connection), ...(own && { planned: plannedHostOf(own) }) };
  }

  get seen(): SeenHost {
    return this.learned;
  }

  async begin(fleet: Fleet): Promise<void> {
    try {
      this.reached = await fleet.reach(this.key, this.host.connection);
      const system = await lookAtSystem(this.reached.session, this.key, this.target.request);
      this.learn({ system });
    } catch (error) {
      return this.learn({ unreached: withoutHost(this.key, reasonOf(error)) });
    }
    if (this.learned.system?.engine === "active") this.learn({ engine: await askEngine(this.key, this.reached.docker) });
  }

  async further(to: readonly PathEnd[]): Promise<void> {
    const { reached, target } = this;
    if (!reached || !this.learned.system) return;
    const planned = plannedOf(target);
    const parts = planned ? partsOf(planned) : [];
    const [paths, ...told] = await Promise.all([
      tryPaths(reached.session, to, planned?.underlayMtu).catch((error: unknown) => withoutHost(this.key, reasonOf(error))),
      ...parts.map(async (part) => [part.key, await this.ask(part, reached)] as const),
    ]);
    this.learn({ ...(typeof paths === "string" ? { noPaths: paths } : { paths }), ...(told.length > 0 && { parts: Object.fromEntries(told) }) });
  }

  private async ask(part: StatusPart<never>, { session }: ReachedHost): Promise<unknown> {
    const { request } = this.target;
    if (!request) return undefined;
    try {
      return await session.script<unknown>(part.script, part.values(contextOf(request)), { verb: "status", timeout: partTimeout });
    } catch (error) {
      return withoutHost(this.key, reasonOf(error));
    }
  }

  private learn(more: Partial<SeenHost>): void {
    this.learned = { ...this.learned, ...more };
  }
}
