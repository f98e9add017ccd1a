import { describeSwarm } from "../agents/read-swarm";
import { DockerSwarmApi } from "../membership/docker-swarm-api";
import type { LocalSwarmState } from "../membership/swarm-api";
import { reasonOf } from "../remote/each";
import type { EngineApi } from "../remote/engine-api";
import type { Engine, SeenHost, SeenManagers } from "./seen";

/** For an engine to tell of itself. One that is frozen must not hold the others up. */
const ownTimeout = 12_000;
/** Without a leader, Docker lets a call wait for up to 20 s before it says so. */
const managersTimeout = 25_000;

type Docker = Pick<EngineApi, "get">;

interface Network {
  readonly Id: string;
  readonly Ingress?: boolean;
  readonly Scope: string;
  readonly Containers?: Readonly<Record<string, unknown>> | null;
  readonly Peers?: readonly { readonly IP: string }[] | null;
}

interface Service {
  readonly Spec: { readonly Name: string };
  readonly ServiceStatus?: { readonly RunningTasks: number; readonly DesiredTasks: number };
}

/** Each call with a limit of its own, and none but those that read. */
function bounded(docker: Docker, most: number): EngineApi {
  const never = (): Promise<never> => Promise.reject(new Error("a look at the whole changes nothing"));
  return { get: (path, timeout = most) => docker.get(path, Math.min(timeout, most)), post: never, delete: never };
}

export async function askEngine(key: string, docker: Docker): Promise<NonNullable<SeenHost["engine"]>> {
  const api = bounded(docker, ownTimeout);
  try {
    const [{ state, nodeId, address, controlAvailable, error }, { Version: version }] = await Promise.all([
      new DockerSwarmApi(key, api).local(),
      api.get<{ readonly Version: string }>("/version"),
    ]);
    const gossip = state === "active" ? await gossipOf(api) : undefined;
    return { version, state, nodeId, address, controlAvailable, error, ...(gossip && { gossip }) };
  } catch (error) {
    return { silent: withoutHost(key, reasonOf(error)) };
  }
}

/** Every member of a swarm is on its ingress network, so that whom it gossips with there tells whether its network agent runs at all. */
async function gossipOf(docker: EngineApi): Promise<Engine["gossip"]> {
  const networks = await docker.get<readonly Network[]>("/networks");
  const ingress = networks.find(({ Ingress, Scope }) => Ingress === true && Scope === "swarm");
  if (!ingress) return { attached: false, peers: [] };
  const { Containers, Peers } = await docker.get<Network>(`/networks/${ingress.Id}`);
  return { attached: "ingress-sbox" in (Containers ?? {}), peers: (Peers ?? []).map(({ IP }) => IP) };
}

/** @throws where this manager cannot tell, as without a leader. */
export async function askManagers(key: string, docker: Docker): Promise<SeenManagers> {
  const api = bounded(docker, managersTimeout);
  const swarm = new DockerSwarmApi(key, api);
  const [nodes, settings, described, services] = await Promise.all([
    swarm.nodes(),
    swarm.settings(),
    describeSwarm(api),
    api.get<readonly Service[]>("/services?status=true"),
  ]);
  const more = new Map(described.nodes.map((node) => [node.id, node]));
  const published = new Map(described.services.map((service) => [service.name, service.published]));
  return {
    from: key,
    nodes: nodes.map((node) => {
      const { address = "", engine } = more.get(node.id) ?? {};
      return { ...node, address, ...(engine !== undefined && { engine }) };
    }),
    certificateHours: settings.certificateHours,
    autolock: settings.autolock,
    caRotating: settings.caRotating,
    networks: described.networks,
    services: services.map(({ Spec: { Name: name }, ServiceStatus: status }) => ({
      name,
      published: published.get(name) ?? [],
      running: status?.RunningTasks ?? 0,
      wanted: status?.DesiredTasks ?? 0,
    })),
  };
}

/** Messages name the host first, which a table or a sentence does already. */
export function withoutHost(key: string, reason: string): string {
  return reason.startsWith(`${key}: `) ? reason.slice(key.length + 2) : reason;
}

/** Whether to ask it what the managers know. */
export function isManaging(engine: SeenHost["engine"]): boolean {
  return engine !== undefined && "state" in engine && engine.controlAvailable && (engine.state satisfies LocalSwarmState["state"]) === "active";
}
