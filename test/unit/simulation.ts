import type { LocalSwarmState, NodeChange, SwarmApi, SwarmInit, SwarmJoin, SwarmNode, SwarmRole } from "../../components/membership/swarm-api";
import type { DesiredSwarm, HostAccess, MembershipIo } from "../../components/membership/types";

/** Thrown by the crash hook: the reconciler's process dies here. */
export class Crash extends Error {}

interface NodeRecord {
  readonly id: string;
  readonly hostname: string;
  role: SwarmRole;
  availability: SwarmNode["availability"];
  labels: Readonly<Record<string, string>>;
  tasks: number;
  /** When the managers will notice that it is gone. */
  downAt?: number;
}

interface Swarm {
  readonly id: string;
  readonly nodes: Map<string, NodeRecord>;
  electedAt: number;
}

export interface Machine {
  readonly key: string;
  alive: boolean;
  state: LocalSwarmState["state"];
  nodeId: string;
  swarm: Swarm | undefined;
  /** Until then a demoted manager still says that it is one. */
  staleUntil: number;
}

/** Docker engines without machines: virtual time, and the traps that real ones were seen to set. */
export class World {
  now = 0;
  mutations = 0;
  crashAfter = Number.POSITIVE_INFINITY;
  /** The lowest number of managers alive beyond the majority, ever. Below zero the quorum was lost. */
  leastMargin = Number.POSITIVE_INFINITY;
  readonly lines: string[] = [];
  readonly machines = new Map<string, Machine>();
  private counter = 0;

  machine(key: string): Machine {
    const machine = this.machines.get(key) ?? this.boot(key);
    return machine;
  }

  /** A new machine under this key; the old one, if any, is gone at once and noticed late. */
  boot(key: string): Machine {
    const old = this.machines.get(key);
    if (old) this.kill(key);
    const machine: Machine = { key, alive: true, state: "inactive", nodeId: "", swarm: undefined, staleUntil: 0 };
    this.machines.set(key, machine);
    return machine;
  }

  kill(key: string): void {
    const machine = this.machine(key);
    machine.alive = false;
    const node = machine.swarm?.nodes.get(machine.nodeId);
    if (!node || !machine.swarm) return;
    node.downAt = this.now + 39_000;
    if (node.role === "manager") machine.swarm.electedAt = this.now + 11_000;
  }

  get io(): MembershipIo {
    return {
      progress: (host, line) => void this.lines.push(`${host ?? ""}: ${line}`),
      sleep: async (milliseconds) => {
        this.now += milliseconds;
      },
      now: () => this.now,
      departing: new Map([...this.machines].filter(([, { alive }]) => alive).map(([key]) => [key, this.api(key)])),
    };
  }

  access(desired: DesiredSwarm): HostAccess[] {
    return desired.members.map(({ key }) =>
      this.machine(key).alive ? { kind: "ready", key, api: this.api(key) } : { kind: "failed", key, reason: `${key}: cannot be reached` },
    );
  }

  swarms(): Set<Swarm> {
    return new Set([...this.machines.values()].flatMap(({ alive, state, swarm }) => (alive && state === "active" && swarm ? [swarm] : [])));
  }

  /** Host name and role of every node of the one swarm, as the managers see it. */
  members(): string[] {
    const [swarm] = this.swarms();
    return [...(swarm?.nodes.values() ?? [])].map(({ hostname, role, availability }) => `${hostname} ${role} ${availability}`).sort();
  }

  private machineOf(swarm: Swarm, nodeId: string): Machine | undefined {
    return [...this.machines.values()].find(
      (machine) => machine.alive && machine.swarm === swarm && machine.nodeId === nodeId && machine.state === "active",
    );
  }

  private margin(swarm: Swarm): number {
    const managers = [...swarm.nodes.values()].filter(({ role }) => role === "manager");
    const alive = managers.filter(({ id }) => this.machineOf(swarm, id)).length;
    return alive - (Math.floor(managers.length / 2) + 1);
  }

  private mutate(swarm?: Swarm): void {
    this.mutations += 1;
    if (swarm) this.leastMargin = Math.min(this.leastMargin, this.margin(swarm));
    if (this.mutations > this.crashAfter) throw new Crash();
  }

  private refuse(key: string, reason: string): never {
    throw new Error(`${key}: Docker refused: ${reason}`);
  }

  private asManager(machine: Machine): Swarm {
    const { swarm, key } = machine;
    if (!machine.alive) this.refuse(key, "did not answer");
    if (!swarm || machine.state !== "active" || swarm.nodes.get(machine.nodeId)?.role !== "manager")
      this.refuse(key, "This node is not a swarm manager");
    if (this.margin(swarm) < 0 || this.now < swarm.electedAt) {
      this.now += 500;
      this.refuse(key, "The swarm does not have a leader");
    }
    return swarm;
  }

  private join(machine: Machine, swarm: Swarm, role: SwarmRole): void {
    const id = `node${String(++this.counter).padStart(3, "0")}`;
    swarm.nodes.set(id, { id, hostname: machine.key, role, availability: "active", labels: {}, tasks: 0 });
    Object.assign(machine, { state: "active", nodeId: id, swarm });
  }

  api(key: string): SwarmApi {
    const machine = this.machine(key);
    // The methods below are called on an object of their own.
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const self: World = this;
    return {
      async local(): Promise<LocalSwarmState> {
        if (!machine.alive) self.refuse(key, "did not answer");
        const { swarm } = machine;
        const node = swarm?.nodes.get(machine.nodeId);
        const controlAvailable = machine.state === "active" && (node?.role === "manager" || self.now < machine.staleUntil);
        const managers = [...(swarm?.nodes.values() ?? [])].filter(({ role }) => role === "manager");
        return {
          state: machine.state,
          nodeId: machine.nodeId,
          swarmId: controlAvailable ? (swarm?.id ?? "") : "",
          controlAvailable,
          error: swarm && controlAvailable && self.margin(swarm) < 0 ? "The swarm does not have a leader" : "",
          remoteManagers: machine.state === "active" ? managers.map(({ id, hostname }) => ({ nodeId: id, address: `${hostname}:2377` })) : [],
        };
      },
      async init(_options: SwarmInit): Promise<void> {
        self.mutate();
        if (machine.state !== "inactive") self.refuse(key, "This node is already part of a swarm");
        self.join(machine, { id: `swarm${++self.counter}`, nodes: new Map(), electedAt: 0 }, "manager");
      },
      async join({ token, managers }: SwarmJoin): Promise<void> {
        self.mutate();
        if (machine.state !== "inactive") self.refuse(key, "This node is already part of a swarm");
        const [, role = "", id = ""] = token.split("-");
        const asked = managers
          .map((address) => self.machines.get(address.split(":")[0] ?? ""))
          .find((manager) => manager?.alive && manager.state === "active");
        const swarm = asked?.swarm;
        if (!swarm || swarm.id !== id || self.margin(swarm) < 0) {
          machine.state = "pending";
          self.now += 20_000;
          self.refuse(key, `Timeout was reached before node joined with ${token}. The attempt will continue in the background`);
        }
        self.join(machine, swarm, role as SwarmRole);
        self.mutateAfterJoin(swarm);
      },
      async leave(force: boolean): Promise<void> {
        if (machine.state === "inactive") return;
        self.mutate();
        const node = machine.swarm?.nodes.get(machine.nodeId);
        if (node?.role === "manager" && !force)
          self.refuse(key, "You are attempting to leave the swarm on a node that is participating as a manager");
        if (node) node.downAt = self.now + (self.now < machine.staleUntil + 20_000 ? 12_000 : 2_000);
        Object.assign(machine, { state: "inactive", nodeId: "", swarm: undefined });
      },
      async joinTokens() {
        const swarm = self.asManager(machine);
        return { manager: `SWMTKN-manager-${swarm.id}`, worker: `SWMTKN-worker-${swarm.id}` };
      },
      async nodes(): Promise<readonly SwarmNode[]> {
        const swarm = self.asManager(machine);
        return [...swarm.nodes.values()].map((node): SwarmNode => {
          const alive = self.machineOf(swarm, node.id) !== undefined;
          const down = node.downAt !== undefined && self.now >= node.downAt;
          const state = down ? "down" : self.now < swarm.electedAt + 3_000 && swarm.electedAt > 0 ? "unknown" : "ready";
          const { id, hostname, role, availability, labels } = node;
          return {
            id,
            hostname,
            role,
            availability,
            labels,
            state,
            leader: false,
            ...(role === "manager" && { reachability: alive ? "reachable" : "unreachable" }),
          };
        });
      },
      async updateNode(nodeId: string, change: NodeChange): Promise<void> {
        const swarm = self.asManager(machine);
        self.mutate(swarm);
        if (self.mutations % 7 === 0) self.refuse(key, "update out of sequence");
        const node = swarm.nodes.get(nodeId) ?? self.refuse(key, `node ${nodeId} not found`);
        if (change.role === "worker" && node.role === "manager") {
          if ([...swarm.nodes.values()].filter(({ role }) => role === "manager").length === 1)
            self.refuse(key, "attempting to demote the last manager of the swarm");
          const demoted = self.machineOf(swarm, nodeId);
          if (demoted) demoted.staleUntil = self.now + 3_000;
        }
        Object.assign(node, change);
        if (change.availability === "drain") node.tasks = Math.max(node.tasks, 2);
        self.leastMargin = Math.min(self.leastMargin, self.margin(swarm));
      },
      async removeNode(nodeId: string, force: boolean): Promise<void> {
        const swarm = self.asManager(machine);
        self.mutate(swarm);
        const node = swarm.nodes.get(nodeId);
        if (!node) return;
        if (node.role === "manager")
          self.refuse(key, `node ${nodeId} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal`);
        const down = node.downAt !== undefined && self.now >= node.downAt;
        if (!down && !force) self.refuse(key, `node ${nodeId} is not down and can't be removed`);
        swarm.nodes.delete(nodeId);
      },
      async runningTasks(nodeId: string): Promise<number> {
        const node = self.asManager(machine).nodes.get(nodeId);
        if (node && node.tasks > 0 && node.downAt === undefined) node.tasks -= 1;
        return node?.tasks ?? 0;
      },
    };
  }

  private mutateAfterJoin(swarm: Swarm): void {
    this.leastMargin = Math.min(this.leastMargin, this.margin(swarm));
  }
}

/** `desire({ a: "manager", b: "worker" })`, with the addresses that a host of that name would have. */
export function desire(roles: Readonly<Record<string, SwarmRole>>, more: Partial<DesiredSwarm> = {}): DesiredSwarm {
  return {
    members: Object.entries(roles).map(([key, role]) => ({ key, role, advertiseAddress: key, listenAddress: `${key}:2377`, dataPathAddress: key })),
    ...more,
  };
}
