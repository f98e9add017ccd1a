/**
 * What membership needs of one host's Docker engine. Kept small so that a whole simulated
 * cluster can stand in for real hosts in the unit tests.
 */
export type SwarmRole = "manager" | "worker";

/** How a host sees itself, from `GET /info`. */
export interface LocalSwarmState {
  readonly state: "inactive" | "pending" | "active" | "error" | "locked";
  /** Empty also on a locked manager. */
  readonly nodeId: string;
  /** What the host advertised when it joined. Docker cannot change it while it is a member. */
  readonly address: string;
  /** Empty on workers: only managers know the swarm's id. */
  readonly swarmId: string;
  readonly controlAvailable: boolean;
  /** Docker's own words, for example that the swarm has no leader. Empty when all is well. */
  readonly error: string;
  /** How often its swarm was formed anew, from `recoveredLabel`. 0 where it was not, and where no leader can tell. */
  readonly recovered: number;
  /** Address of the managers that a member knows, `address:port`. */
  readonly remoteManagers: readonly { readonly nodeId: string; readonly address: string }[];
}

/** How the managers see one node, from `GET /nodes`. */
export interface SwarmNode {
  readonly id: string;
  readonly hostname: string;
  readonly role: SwarmRole;
  readonly availability: "active" | "pause" | "drain";
  readonly state: "ready" | "down" | "unknown" | "disconnected";
  readonly leader: boolean;
  /** Manager nodes only. */
  readonly reachability?: "reachable" | "unreachable" | "unknown";
  readonly labels: Readonly<Record<string, string>>;
}

export interface SwarmAddresses {
  readonly advertiseAddress: string;
  readonly listenAddress: string;
  readonly dataPathAddress: string;
}

export interface SwarmInit extends SwarmAddresses {
  readonly dataPathPort?: number;
  readonly defaultAddressPool?: readonly string[];
  /** Prefix length of the subnets cut from the pool, in bits. */
  readonly subnetSize?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly certificateHours?: number;
  /** Not a new swarm: the one that this manager is in, with this manager alone as its majority. */
  readonly forceNewCluster?: true;
}

/** What the managers keep for the swarm as a whole, from `GET /swarm`. */
export interface SwarmSettings {
  /** Counts up with every change of them. */
  readonly version: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly autolock: boolean;
  readonly certificateHours: number;
  readonly caRotating: boolean;
}

export interface SwarmChange {
  /** Put beside those that are there; undefined takes one off. */
  readonly labels?: Readonly<Record<string, string | undefined>>;
  readonly autolock?: boolean;
  readonly certificateHours?: number;
  readonly rotateCa?: true;
  readonly rotateJoinTokens?: true;
  readonly rotateUnlockKey?: true;
}

export interface SwarmJoin extends SwarmAddresses {
  /** Never logged, never put on a command line. */
  readonly token: string;
  /** `address:port` of managers to ask, in order. */
  readonly managers: readonly string[];
}

export interface NodeChange {
  readonly role?: SwarmRole;
  readonly availability?: "active" | "pause" | "drain";
  /** Replaces the node's labels. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** How far a service is, from `GET /services?status=true`. Jobs, which end by themselves, are none of them. */
export interface ServiceTasks {
  readonly id: string;
  readonly name: string;
  /** Tasks that the managers see running. */
  readonly running: number;
  /** Its replicas; of a global service, the nodes that are to have a task. */
  readonly desired: number;
}

/** Every call has its own time limit and rejects with an Error that names the host and what was asked. */
export interface SwarmApi {
  /** @param apart another number than those of calls that may be on their way asks the engine for an answer of its own. @default 0 */
  local(apart?: number): Promise<LocalSwarmState>;
  init(options: SwarmInit): Promise<void>;
  join(options: SwarmJoin): Promise<void>;
  leave(force: boolean): Promise<void>;
  /** Manager only. */
  joinTokens(): Promise<{ readonly manager: string; readonly worker: string }>;
  /** Manager only. */
  nodes(): Promise<readonly SwarmNode[]>;
  /** Manager only. */
  updateNode(nodeId: string, change: NodeChange): Promise<void>;
  /** Manager only. Also one that the managers still call ready, as they do for 15 s after it has left. */
  removeNode(nodeId: string): Promise<void>;
  /** Manager only. */
  settings(): Promise<SwarmSettings>;
  /**
   * Manager only. All of it or nothing.
   * @param version The settings that the change was decided from; others in between make it fail as "out of sequence".
   */
  updateSwarm(version: number, change: SwarmChange): Promise<void>;
  /** Manager only. Never logged. Empty while autolock is off. */
  unlockKey(): Promise<string>;
  /** On a locked manager. Returns when the manager is in its swarm again; several that are locked at once wait for each other. */
  unlock(key: string): Promise<void>;
  /** Manager only. Number of tasks of the node that still run or are still being stopped. */
  runningTasks(nodeId: string): Promise<number>;
  /** Manager only. */
  services(): Promise<readonly ServiceTasks[]>;
}
