import type { Connection } from "../remote/connection";
import type { EngineApi } from "../remote/engine-api";
import type { SwarmNode, SwarmRole } from "../membership/swarm-api";

/** A swarm as one of its managers reports it. Plain data. */
export interface SeenSwarm {
  /** Docker's id of it. */
  readonly swarmId: string;
  /** All members, whether they answer or not. */
  readonly nodes: readonly SeenNode[];
  /** Networks that span the swarm. */
  readonly networks: readonly SeenNetwork[];
  /** All services of the swarm, running or not. */
  readonly services: readonly SeenService[];
}

/** A member of a swarm as its manager reports it. */
export interface SeenNode {
  /** Docker's id of the node. */
  readonly id: string;
  /** The machine's own name. */
  readonly hostname: string;
  /** What it is in the swarm. */
  readonly role: SwarmRole;
  /** Address that the other members use. Empty if the manager does not know it. */
  readonly address: string;
  /** The node's state according to the manager. */
  readonly state: SwarmNode["state"];
  /** Version of its engine. @default - the manager does not know it */
  readonly engine?: string;
}

/** A network of a swarm as its manager reports it. */
export interface SeenNetwork {
  /** The name that services use. */
  readonly name: string;
  /** Docker's network driver, such as `overlay`. */
  readonly driver: string;
  /** In CIDR form. */
  readonly subnets: readonly string[];
}

/** A service of a swarm as its manager reports it. */
export interface SeenService {
  /** As `docker service ls` shows it. */
  readonly name: string;
  /** Its published ports: `8080/tcp`. */
  readonly published: readonly string[];
}

/**
 * Reads a swarm through one of its managers, over SSH. It changes nothing, but it connects to a host. A program that calls it
 * does so in each preview too.
 *
 * @throws Error if the host cannot be reached, or is not a manager of a swarm.
 */
export async function readSwarm(connection: Connection, reachableSeconds = 15): Promise<SeenSwarm> {
  // Loaded only here: the libraries of SSH cost each preview 0.2 s.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { Fleet } = require("./fleet") as typeof import("./fleet");
  const fleet = new Fleet(reachableSeconds, {});
  try {
    const { docker } = await fleet.reach(connection.host, connection);
    return await describeSwarm(docker);
  } finally {
    fleet.close();
  }
}

interface Info {
  readonly Swarm: { readonly ControlAvailable: boolean; readonly LocalNodeState: string; readonly Cluster?: { readonly ID: string } | null };
}

interface Node {
  readonly ID: string;
  readonly Spec: { readonly Role: SwarmRole };
  readonly Description?: { readonly Hostname?: string; readonly Engine?: { readonly EngineVersion?: string } };
  readonly Status: { readonly State: SwarmNode["state"]; readonly Addr?: string };
  readonly ManagerStatus?: { readonly Addr?: string } | null;
}

interface Network {
  readonly Name: string;
  readonly Driver: string;
  readonly Scope: string;
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string }[] | null };
}

interface Service {
  readonly Spec: { readonly Name: string };
  readonly Endpoint?: { readonly Ports?: readonly { readonly PublishedPort?: number; readonly Protocol: string }[] };
}

/** The same by an engine that answers. */
export async function describeSwarm(docker: Pick<EngineApi, "get">): Promise<SeenSwarm> {
  const { Swarm: swarm } = await docker.get<Info>("/info");
  if (!swarm.ControlAvailable) throw new Error(`its engine is no manager of a swarm (${swarm.LocalNodeState}). Fix: name one that is`);
  const [nodes, networks, services] = await Promise.all([
    docker.get<readonly Node[]>("/nodes"),
    docker.get<readonly Network[]>("/networks"),
    docker.get<readonly Service[]>("/services"),
  ]);
  return {
    swarmId: swarm.Cluster?.ID ?? "",
    nodes: nodes.map(describeNode).sort((a, b) => (a.hostname < b.hostname ? -1 : 1)),
    networks: networks
      .filter(({ Scope }) => Scope === "swarm")
      .map(({ Name, Driver, IPAM }) => ({ name: Name, driver: Driver, subnets: subnetsOf(IPAM) })),
    services: services.map(({ Spec, Endpoint }) => ({
      name: Spec.Name,
      published: (Endpoint?.Ports ?? []).flatMap(({ PublishedPort, Protocol }) => (PublishedPort ? [`${PublishedPort}/${Protocol}`] : [])),
    })),
  };
}

function subnetsOf(ipam: Network["IPAM"]): string[] {
  return (ipam?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []);
}

/** What a manager advertises; of a worker only the address is known from which it calls. */
function describeNode({ ID, Spec, Description, Status, ManagerStatus }: Node): SeenNode {
  const address = ManagerStatus?.Addr?.replace(/:\d+$/, "") ?? Status.Addr ?? "";
  const engine = Description?.Engine?.EngineVersion;
  return { id: ID, hostname: Description?.Hostname ?? "", role: Spec.Role, address, state: Status.State, ...(engine !== undefined && { engine }) };
}
