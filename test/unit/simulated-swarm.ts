import type { SwarmOptions } from "../../components/membership/args";
import { recoveredOf } from "../../components/membership/recovery";
import {
  type DesiredMember,
  type DesiredSwarm,
  type Examined,
  finishSwarm,
  type HostAccess,
  type MembershipIo,
  type MembershipMemory,
  type MembershipResult,
  reconcileMembership,
} from "../../components/membership/reconcile";
import type {
  LocalSwarmState,
  NodeChange,
  SwarmApi,
  SwarmChange,
  SwarmInit,
  SwarmJoin,
  ServiceTasks,
  SwarmNode,
  SwarmRole,
  SwarmSettings,
} from "../../components/membership/swarm-api";

/** Time that passes only when everybody waits. */
class VirtualClock {
  private time = 1_000_000;
  private order = 0;
  private ticking = false;
  private readonly timers: { at: number; order: number; wake: () => void }[] = [];

  now(): number {
    return this.time;
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((wake) => {
      this.timers.push({ at: this.time + Math.max(0, milliseconds), order: this.order++, wake });
      if (!this.ticking) setImmediate(() => this.tick());
      this.ticking = true;
    });
  }

  private tick(): void {
    this.timers.sort((a, b) => a.at - b.at || a.order - b.order);
    const next = this.timers.shift();
    if (next) {
      this.time = next.at;
      next.wake();
    }
    this.ticking = this.timers.length > 0;
    if (this.ticking) setImmediate(() => this.tick());
  }
}

/** One machine with an engine. A replaced host is another machine under the same key. */
interface Machine {
  readonly key: string;
  readonly hostname: string;
  readonly address: string;
  /** What it is known by in its swarm. */
  advertised: string;
  up: boolean;
  state: LocalSwarmState["state"];
  error: string;
  nodeId: string;
  raft: Raft | undefined;
  /** What the engine says of itself lags behind what the managers decided. */
  manager: boolean;
  /** Until then, a manager that was demoted gives errors. */
  confusedUntil: number;
  /** A manager that is asked before looks for its leader once a second (swarmkit, manager/state/raft/raft.go, LeaderConn). */
  leaderKnownAt: number;
  /** Joins that are to fail, with what they say and the state they leave. */
  brokenJoins: { text: string; state: "inactive" | "pending" }[];
  /** Never becomes ready, whatever it is asked. */
  refusesLeave: boolean;
  refusesUnlock: boolean;
  /** What its keys on disk are locked with; empty when they are not. */
  diskKey: string;
}

interface Member {
  readonly id: string;
  readonly machine: Machine;
  role: SwarmRole;
  /** Votes; follows the role after a while. */
  votes: boolean;
  availability: SwarmNode["availability"];
  labels: Readonly<Record<string, string>>;
  tasks: number;
  drainedAt: number;
  readyAt: number;
  /** Since when its machine is not there, and how long the managers take to notice. */
  goneAt: number | undefined;
  noticedAfter: number;
}

/** One swarm: what its managers agree on. */
interface Raft {
  readonly id: string;
  readonly members: Map<string, Member>;
  leader: string;
  electedAt: number;
  version: number;
  labels: Readonly<Record<string, string>>;
  certificateHours: number;
  unlockKey: string;
  /** How often each was made anew. */
  readonly made: { ca: number; tokens: number; keys: number };
  /** When the root CA was to be another one; done when all nodes are there. */
  caSince: number | undefined;
}

/** Thrown by everything once a run was cut off, as if its process had been killed. */
export class Interrupted extends Error {}

export interface Calls {
  reads: number;
  readonly mutations: string[];
}

const noLeader =
  "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.";
const notManager = "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state.";
const alreadyMember = 'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.';
const lockedOut = 'Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock" to unlock it.';
const mutations = { init: true, join: true, leave: true, updateNode: true, removeNode: true, updateSwarm: true, unlock: true };

/** Hosts with engines that behave as seen in `facts/engine.md` §6, in virtual time. */
export class SimulatedSwarm {
  readonly clock = new VirtualClock();
  readonly machines = new Map<string, Machine>();
  readonly rafts: Raft[] = [];
  readonly progress: string[] = [];
  /** What must never happen: a change that cost the quorum, a host that left while it had tasks, two swarms. */
  readonly violations: string[] = [];
  /** Every updateNode that is a multiple of this meets somebody else's change. 0 for never. */
  conflictEvery = 4;
  /** How long a node takes to be ready after it joined, and a manager to be one, in milliseconds. */
  settles = 2_500;
  /** Whether what is to be done right after forming fails. */
  brokenFormed = false;
  /** What the managers tell of services. */
  services: () => readonly ServiceTasks[] = () => [];
  /** How often a join asked an address where no manager answered. */
  askedInVain = 0;
  readonly managersLeaving = new Set<Machine>();
  private readonly parted = new Set<Machine>();
  private updates = 0;
  private ids = 0;

  machine(key: string): Machine {
    const machine = this.machines.get(key);
    if (!machine) throw new Error(`no machine ${key}`);
    return machine;
  }

  /** Makes the machine if it is not there. All are called alike when asked to, as cloud images do. */
  provision(key: string, hostname = key): Machine {
    const present = this.machines.get(key);
    if (present) return present;
    const machine: Machine = {
      key,
      hostname,
      address: `10.0.${Math.floor(this.ids / 250)}.${(this.ids++ % 250) + 1}`,
      advertised: "",
      up: true,
      state: "inactive",
      error: "",
      nodeId: "",
      raft: undefined,
      manager: false,
      confusedUntil: 0,
      leaderKnownAt: 0,
      brokenJoins: [],
      refusesLeave: false,
      refusesUnlock: false,
      diskKey: "",
    };
    this.machines.set(key, machine);
    return machine;
  }

  kill(key: string): void {
    this.machine(key).up = false;
    this.lose(this.machine(key), 39_000);
  }

  /** Starts a killed machine again; if its node was struck off meanwhile, it does not know. */
  revive(key: string): void {
    const machine = this.machine(key);
    machine.up = true;
    const member = this.memberOf(machine);
    if (member) {
      member.goneAt = undefined;
      if (member.role === "worker" || member.votes) return;
      machine.manager = false;
      this.promote(member, 32_000);
    } else if (machine.state === "active") {
      machine.state = "pending";
      machine.error = noLeader;
    }
  }

  /** Restarts the engine: back after a while, or locked. */
  reboot(key: string): void {
    const machine = this.machine(key);
    if (machine.diskKey === "") return;
    machine.state = "locked";
    this.lose(machine, 2_000);
  }

  async unlock(machine: Machine, key: string): Promise<void> {
    if (machine.state !== "locked") throw new Error(`${machine.key}: Docker refused POST /swarm/unlock: swarm is not locked`);
    await this.clock.sleep(1_000);
    if (machine.refusesUnlock) throw new Error(`${machine.key}: Docker refused POST /swarm/unlock: context deadline exceeded ${key}`);
    // The real one does not repeat the key. Should it ever do, nobody is to see it.
    if (key !== machine.diskKey)
      throw new Error(`${machine.key}: Docker refused POST /swarm/unlock: swarm could not be unlocked: invalid key provided ${key}`);
    machine.state = "active";
    const member = this.memberOf(machine);
    if (member) Object.assign(member, { goneAt: undefined, readyAt: this.clock.now() + 1_500 });
    if (machine.raft) await this.led(machine.raft, 60_000);
    machine.diskKey = machine.raft?.unlockKey ?? "";
  }

  private lockDisks(raft: Raft): void {
    for (const member of raft.members.values()) if (member.votes && this.alive(member)) member.machine.diskKey = raft.unlockKey;
  }

  newUnlockKey(raft: Raft, on = true): void {
    if (on) raft.made.keys += 1;
    raft.unlockKey = on ? `SWMKEY-1-${raft.id.padEnd(36, "x")}+/${raft.made.keys}` : "";
    this.lockDisks(raft);
  }

  caRotating(raft: Raft): boolean {
    const done =
      raft.caSince !== undefined && this.clock.now() >= raft.caSince + 3_000 && [...raft.members.values()].every((member) => this.alive(member));
    if (done) Object.assign(raft, { caSince: undefined, made: { ...raft.made, tokens: raft.made.tokens + 1 } });
    return raft.caSince !== undefined;
  }

  /** Another, empty machine under the same key. The old one is gone, or lives on under `oldKey` (create before delete). */
  replace(key: string, oldKey?: string): Machine {
    const old = this.machine(key);
    this.machines.delete(key);
    if (oldKey === undefined) {
      old.up = false;
      this.lose(old, 39_000);
    } else {
      this.machines.set(oldKey, old);
    }
    return this.provision(key, old.hostname);
  }

  giveTasks(key: string, tasks: number): void {
    const member = this.memberOf(this.machine(key));
    if (!member) throw new Error(`${key} is in no swarm`);
    member.tasks = tasks;
  }

  /** A member that nobody told us of. */
  addStranger(raft: Raft, name: string): Member {
    const machine = this.provision(name);
    return this.enter(machine, raft, "worker");
  }

  /** A swarm made by hand on that machine. */
  formByHand(key: string): Raft {
    const machine = this.provision(key);
    const raft: Raft = {
      id: `swarm-${this.rafts.length + 1}`,
      members: new Map(),
      leader: "",
      electedAt: 0,
      version: 10,
      labels: {},
      certificateHours: 2160,
      unlockKey: "",
      made: { ca: 0, tokens: 0, keys: 0 },
      caSince: undefined,
    };
    this.rafts.push(raft);
    const member = this.enter(machine, raft, "manager");
    raft.leader = member.id;
    return raft;
  }

  /**
   * What an administrator does after a lost quorum. The others lose their votes and keep their role (swarmkit's manager/state/raft/storage.go,
   * loadAndStart); those that live come back into the group by themselves after two waits of 16 s (node/node.go, superviseManager).
   */
  forceNewCluster(key: string): void {
    const machine = this.machine(key);
    const raft = machine.raft && this.alone(machine, machine.raft);
    if (!raft) throw new Error(`${key} is in no swarm`);
    for (const member of raft.members.values()) {
      if (member.machine === machine || member.role === "worker") continue;
      member.votes = false;
      if (!this.alive(member)) continue;
      member.machine.manager = false;
      this.promote(member, 32_000);
    }
    raft.leader = machine.nodeId;
    raft.electedAt = this.clock.now();
  }

  /** Where a majority lives on without it, a Raft of its own, with the same id: the members are the same, and each is lost to the other. */
  private alone(machine: Machine, raft: Raft): Raft {
    const cutOff = this.parted.has(machine);
    Object.assign(machine, { state: "active", error: "" });
    if (!cutOff) return raft;
    const members = [...raft.members].map(([id, member]): [string, Member] => [
      id,
      { ...member, ...(member.machine === machine ? { goneAt: undefined } : { goneAt: this.clock.now(), noticedAfter: 0 }) },
    ]);
    const own = { ...raft, members: new Map(members), made: { ...raft.made } };
    this.rafts.push(own);
    machine.raft = own;
    return own;
  }

  /** Nobody reaches it but this run, and it reaches nobody. */
  part(key: string): void {
    const machine = this.machine(key);
    this.parted.add(machine);
    this.lose(machine, 39_000);
  }

  heal(key: string): void {
    const machine = this.machine(key);
    this.parted.delete(machine);
    const member = this.memberOf(machine);
    if (member) member.goneAt = undefined;
  }

  /** The manager's entries, where they are not as many as the others'. */
  readonly logs = new Map<string, { readonly term: number; readonly index: number }>();
  /** Addresses that answer hosts although this run cannot reach them. */
  readonly listening = new Set<string>();

  /** A member that the others have lost, and that finds them again after a while. */
  cutOff(key: string, milliseconds: number): void {
    const machine = this.machine(key);
    const member = this.memberOf(machine);
    Object.assign(machine, { state: "pending", error: noLeader });
    this.lose(machine, 0);
    void this.clock.sleep(milliseconds).then(() => {
      if (machine.nodeId === member?.id) Object.assign(machine, { state: "active", error: "" });
      if (member) Object.assign(member, { goneAt: undefined, readyAt: this.clock.now() });
    });
  }

  /** `docker node promote`. Where the others do not reach its port, the engine tries for ever, and each try fails (node/node.go). */
  promoteByHand(key: string, way: "reached" | "fails" | "waits" = "reached"): void {
    const machine = this.machine(key);
    const member = this.memberOf(machine);
    if (!member) throw new Error(`${key} is in no swarm`);
    if (way === "reached") return this.promote(member);
    member.role = "manager";
    if (way === "waits") return undefined;
    machine.state = "error";
    machine.error =
      "manager stopped: can't initialize raft node: rpc error: code = Unavailable desc = could not connect to prospective new cluster member";
    return undefined;
  }

  memberOf(machine: Machine): Member | undefined {
    const member = machine.raft?.members.get(machine.nodeId);
    return member?.machine === machine ? member : undefined;
  }

  alive(member: Member): boolean {
    const { up, nodeId, state, raft } = member.machine;
    return up && nodeId === member.id && state === "active" && raft?.members.get(nodeId) === member;
  }

  hasQuorum(raft: Raft): boolean {
    const voters = [...raft.members.values()].filter((member) => member.votes);
    const there = voters.filter((voter) => this.alive(voter) && !(voters.length > 1 && this.parted.has(voter.machine)));
    return there.length >= Math.floor(voters.length / 2) + 1;
  }

  private hasLeader(raft: Raft, asked?: Machine): boolean {
    if (!this.hasQuorum(raft)) return false;
    if (asked && this.parted.has(asked) && [...raft.members.values()].some((member) => member.votes && member.machine !== asked)) return false;
    const leader = raft.members.get(raft.leader);
    if (!leader || !leader.votes || !this.alive(leader)) this.elect(raft, 11_000);
    return this.clock.now() >= raft.electedAt;
  }

  private elect(raft: Raft, takes: number): void {
    const next = [...raft.members.values()].find((member) => member.votes && this.alive(member));
    raft.leader = next?.id ?? "";
    raft.electedAt = this.clock.now() + takes;
  }

  private lose(machine: Machine, noticedAfter: number): void {
    const member = this.memberOf(machine);
    if (!member) return;
    member.goneAt = this.clock.now();
    member.noticedAfter = noticedAfter;
  }

  private enter(machine: Machine, raft: Raft, role: SwarmRole): Member {
    const member: Member = {
      id: `node-${++this.ids}`,
      machine,
      role,
      votes: role === "manager",
      availability: "active",
      labels: {},
      tasks: 0,
      drainedAt: 0,
      readyAt: this.clock.now() + this.settles,
      goneAt: undefined,
      noticedAfter: 0,
    };
    raft.members.set(member.id, member);
    Object.assign(machine, { state: "active", error: "", nodeId: member.id, raft, manager: role === "manager", advertised: machine.address });
    return member;
  }

  tasksOf(member: Member): number {
    if (member.availability !== "drain") return member.tasks;
    return Math.max(0, member.tasks - Math.floor((this.clock.now() - member.drainedAt) / 2_000));
  }

  view(raft: Raft): SwarmNode[] {
    const now = this.clock.now();
    return [...raft.members.values()].map((member) => ({
      id: member.id,
      hostname: member.machine.hostname,
      role: member.role,
      availability: member.availability,
      state: member.goneAt !== undefined && now >= member.goneAt + member.noticedAfter ? "down" : now < member.readyAt ? "unknown" : "ready",
      leader: raft.leader === member.id,
      ...(member.votes && { reachability: this.alive(member) ? "reachable" : "unreachable" }),
      labels: member.labels,
    }));
  }

  /** A leader was just elected, and hears of each node after so many milliseconds. */
  leaderChanged(raft: Raft, until: number): void {
    for (const member of raft.members.values()) member.readyAt = this.clock.now() + until;
  }

  /** One run of the reconciler: its own calls, counted, cut off after so many changes. */
  begin(interruptAfter = Infinity): SimulatedRun {
    return new SimulatedRun(this, interruptAfter);
  }

  api(key: string, run: SimulatedRun): SwarmApi {
    const machine = this.machine(key);
    const engine = new SimulatedEngine(this, machine);
    return new Proxy<SwarmApi>(engine, {
      // It is no promise, for whoever is promised one.
      get: (target, name: keyof SwarmApi | "then") =>
        name !== "then" &&
        (async (...args: unknown[]): Promise<unknown> => {
          run.check();
          await this.clock.sleep(20);
          run.check();
          if (!machine.up) {
            await this.clock.sleep(5_000);
            throw new Error(`${key}: the connection to Docker broke during ${name}`);
          }
          const call = target[name].bind(target) as (...given: unknown[]) => Promise<unknown>;
          const result = await call(...args).finally(
            () => name in mutations && run.changed(`${key} ${name} ${name === "unlock" ? "" : describe(args[0])}`),
          );
          if (!(name in mutations)) run.calls.reads += 1;
          return result;
        }),
    });
  }

  async conflict(): Promise<void> {
    this.updates += 1;
    if (this.conflictEvery > 0 && this.updates % this.conflictEvery === 0) throw new Error("rpc error: code = Unknown desc = update out of sequence");
    await this.clock.sleep(10);
  }

  async led(raft: Raft, patience = 20_000): Promise<void> {
    const until = this.clock.now() + patience;
    while (!this.hasLeader(raft)) {
      if (this.clock.now() >= until) throw new Error(noLeader);
      await this.clock.sleep(1_000);
    }
  }

  newSwarm(machine: Machine, { labels = {}, certificateHours = 2160 }: SwarmInit): void {
    if (this.rafts.some((raft) => this.hasQuorum(raft))) {
      this.violations.push(`${machine.key} forms a second swarm`);
    }
    Object.assign(this.formByHand(machine.key), { labels, certificateHours });
  }

  async enterThrough(machine: Machine, options: SwarmJoin): Promise<void> {
    const broken = machine.brokenJoins.shift();
    if (broken) {
      await this.clock.sleep(10_000);
      machine.state = broken.state;
      throw new Error(`${machine.key}: Docker refused POST /swarm/join: ${broken.text} ${options.token}`);
    }
    const asked = options.managers.map((address) => [...this.machines.values()].find((other) => `${other.address}:2377` === address));
    for (const manager of asked) {
      const raft = manager?.up === true && manager.manager ? manager.raft : undefined;
      if (!raft || !this.hasLeader(raft)) {
        this.askedInVain += 1;
        await this.clock.sleep(5_000);
        continue;
      }
      const role = (["manager", "worker"] as const).find((kind) => options.token === tokenOf(raft, kind));
      if (!role) {
        await this.clock.sleep(10_000);
        throw new Error(
          `${machine.key}: Docker refused POST /swarm/join: rpc error: code = InvalidArgument desc = A valid join token is necessary to join this cluster ${options.token}`,
        );
      }
      await this.clock.sleep(1_000);
      const member = this.enter(machine, raft, "worker");
      if (role !== "manager") return;
      this.promote(member, this.settles);
      machine.leaderKnownAt = this.clock.now() + this.settles + 200;
      return;
    }
    if (asked.length > 0 && asked.every((manager) => manager?.up === true)) throw new Error("rpc error: connection refused");
    await this.clock.sleep(15_000);
    machine.state = "pending";
    throw new Error("Timeout was reached before node joined. The attempt to join the swarm will continue in the background.");
  }

  exit(machine: Machine, force: boolean): void {
    if (machine.state === "inactive") return;
    if (machine.refusesLeave) throw new Error(`${machine.key}: Docker refused POST /swarm/leave: context deadline exceeded`);
    if (machine.manager && machine.state === "active" && !force)
      throw new Error("You are attempting to leave the swarm on a node that is participating as a manager.");
    const member = this.memberOf(machine);
    if (member) {
      if (member.votes) this.guardQuorum(machine.raft as Raft, member, "leaves");
      if (!member.votes && this.tasksOf(member) > 0) this.violations.push(`${machine.key} leaves with ${this.tasksOf(member)} tasks`);
      this.lose(machine, 15_000);
    }
    Object.assign(machine, { state: "inactive", error: "", nodeId: "", raft: undefined, manager: false, diskKey: "" });
  }

  /** The real one refuses a demotion that costs the quorum; that it was asked for is our own fault all the same. */
  guardQuorum(raft: Raft, leaving: Member, what: string): void {
    if (!this.hasQuorum(raft)) return;
    const rest = [...raft.members.values()].filter((member) => member.votes && member !== leaving);
    const alive = rest.filter((member) => this.alive(member)).length;
    if (alive < Math.floor(rest.length / 2) + 1) {
      this.violations.push(`quorum lost: ${leaving.machine.key} ${what}, ${alive} of ${rest.length} are left`);
    }
  }

  /** Refuses in the order of swarmkit's manager/controlapi/node.go, UpdateNode. */
  demote(raft: Raft, member: Member): void {
    if ([...raft.members.values()].every((other) => other === member || other.role === "worker"))
      throw new Error("rpc error: code = FailedPrecondition desc = attempting to demote the last manager of the swarm");
    if (!member.votes) throw new Error("rpc error: code = NotFound desc = can't find manager in raft memberlist");
    this.guardQuorum(raft, member, "is demoted");
    const unfinished = [...raft.members.values()].filter((other) => other.role === "worker" && other.votes && this.alive(other));
    if (unfinished.length > 0)
      this.violations.push(`${member.machine.key} is demoted while ${unfinished.map(({ machine }) => machine.key).join(", ")} still is`);
    member.role = "worker";
    const led = raft.leader === member.id;
    const { machine } = member;
    void this.clock.sleep(500).then(() => {
      if (member.role !== "worker") return;
      member.votes = false;
      if (led) this.elect(raft, 3_000);
      machine.confusedUntil = this.clock.now() + 4_000;
    });
    void this.clock.sleep(4_000).then(() => {
      if (member.role === "worker" && machine.nodeId === member.id) Object.assign(machine, { manager: false, diskKey: "" });
    });
  }

  promote(member: Member, takes = 1_000): void {
    member.role = "manager";
    void this.clock.sleep(takes).then(() => {
      if (member.role !== "manager" || !this.alive(member)) return;
      member.votes = true;
      member.machine.manager = true;
      member.machine.diskKey = member.machine.raft?.unlockKey ?? "";
    });
  }

  leaderOf(machine: Machine): boolean {
    return machine.raft !== undefined && this.hasLeader(machine.raft, machine);
  }
}

class SimulatedEngine implements SwarmApi {
  constructor(
    private readonly swarm: SimulatedSwarm,
    private readonly machine: Machine,
  ) {}

  /** Who asks while an answer is on its way gets that one, too: one for each version of the API (moby, api/server/router/system, getInfo). */
  private readonly onTheirWay = new Map<number, Promise<LocalSwarmState>>();

  local(apart = 0): Promise<LocalSwarmState> {
    const answer = this.onTheirWay.get(apart) ?? this.look().finally(() => this.onTheirWay.delete(apart));
    this.onTheirWay.set(apart, answer);
    return answer;
  }

  private async look(): Promise<LocalSwarmState> {
    const { machine, swarm } = this;
    if (machine.state === "locked")
      return {
        state: "locked",
        nodeId: "",
        address: machine.address,
        swarmId: "",
        controlAvailable: false,
        error: lockedOut,
        recovered: 0,
        remoteManagers: [],
      };
    while (machine.manager && swarm.clock.now() < machine.leaderKnownAt) await swarm.clock.sleep(1_000);
    const led = machine.manager && swarm.leaderOf(machine) && swarm.clock.now() >= machine.confusedUntil;
    const voters = machine.raft ? [...machine.raft.members.values()].filter(({ votes }) => votes) : [];
    return {
      state: machine.state,
      nodeId: machine.nodeId,
      address: machine.advertised,
      swarmId: machine.state === "active" && led ? (machine.raft?.id ?? "") : "",
      controlAvailable: machine.state === "active" && machine.manager,
      error: machine.state === "active" && machine.manager && !led ? noLeader : machine.error,
      recovered: led ? recoveredOf(machine.raft?.labels ?? {}) : 0,
      remoteManagers: voters.map((voter) => ({ nodeId: voter.id, address: `${voter.machine.address}:2377` })),
    };
  }

  async init(options: SwarmInit): Promise<void> {
    if (options.forceNewCluster) return this.formAnew(options);
    if (this.machine.state !== "inactive") throw new Error(alreadyMember);
    await this.swarm.clock.sleep(500);
    this.swarm.newSwarm(this.machine, options);
  }

  private async formAnew({ advertiseAddress }: SwarmInit): Promise<void> {
    const { machine, swarm } = this;
    if (!machine.manager || !machine.raft) throw new Error("This node is not a swarm manager.");
    if (machine.diskKey !== "") throw new Error(lockedOut);
    await swarm.clock.sleep(700);
    machine.advertised = advertiseAddress;
    swarm.forceNewCluster(machine.key);
  }

  async join(options: SwarmJoin): Promise<void> {
    if (this.machine.state !== "inactive") throw new Error(alreadyMember);
    await this.swarm.enterThrough(this.machine, options);
  }

  async leave(force: boolean): Promise<void> {
    const { machine, swarm } = this;
    const { manager } = machine;
    if (manager) swarm.managersLeaving.add(machine);
    // What Docker leaks then is the listener on port 7946, so that the next membership has no gossip.
    if (swarm.managersLeaving.size > 1)
      swarm.violations.push(`${[...swarm.managersLeaving].map(({ key }) => key).join(", ")} leave at the same moment`);
    await swarm.clock.sleep(manager ? 500 : 0);
    swarm.managersLeaving.delete(machine);
    swarm.exit(machine, force);
  }

  async joinTokens(): Promise<{ readonly manager: string; readonly worker: string }> {
    const raft = await this.control();
    return { manager: tokenOf(raft, "manager"), worker: tokenOf(raft, "worker") };
  }

  async nodes(): Promise<readonly SwarmNode[]> {
    return this.swarm.view(await this.control());
  }

  async updateNode(nodeId: string, change: NodeChange): Promise<void> {
    const raft = await this.control();
    const member = this.find(raft, nodeId);
    await this.swarm.conflict();
    if (change.role === "worker" && member.role === "manager") this.swarm.demote(raft, member);
    if (change.role === "manager" && member.role === "worker") this.swarm.promote(member);
    if (change.availability === "drain" && member.availability !== "drain") member.drainedAt = this.swarm.clock.now();
    if (change.availability) member.availability = change.availability;
    if (change.labels) member.labels = change.labels;
  }

  async removeNode(nodeId: string): Promise<void> {
    const raft = await this.control();
    const member = raft.members.get(nodeId);
    if (!member) return;
    if (member.votes)
      throw new Error(
        `rpc error: node ${nodeId} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal`,
      );
    const down = this.swarm.view(raft).find(({ id }) => id === nodeId)?.state === "down";
    if (!down && member.machine.up && this.swarm.alive(member) && this.swarm.tasksOf(member) > 0) {
      this.swarm.violations.push(`${member.machine.key} is removed with ${this.swarm.tasksOf(member)} tasks`);
    }
    raft.members.delete(nodeId);
  }

  async settings(): Promise<SwarmSettings> {
    const raft = await this.control();
    const { version, labels, certificateHours, unlockKey } = raft;
    return { version, labels, autolock: unlockKey !== "", certificateHours, caRotating: this.swarm.caRotating(raft) };
  }

  async updateSwarm(version: number, change: SwarmChange): Promise<void> {
    const raft = await this.control();
    await this.swarm.conflict();
    if (version !== raft.version) throw new Error("rpc error: code = Unknown desc = update out of sequence");
    raft.version += 1;
    const labels = Object.entries({ ...raft.labels, ...change.labels }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    raft.labels = Object.fromEntries(labels);
    if (change.certificateHours !== undefined) raft.certificateHours = change.certificateHours;
    if (change.rotateJoinTokens) raft.made.tokens += 1;
    if (change.autolock !== undefined && change.autolock !== (raft.unlockKey !== "")) this.swarm.newUnlockKey(raft, change.autolock);
    if (change.rotateUnlockKey) this.swarm.newUnlockKey(raft);
    if (!change.rotateCa) return;
    raft.made.ca += 1;
    raft.caSince = this.swarm.clock.now();
  }

  async unlockKey(): Promise<string> {
    return (await this.control()).unlockKey;
  }

  async unlock(key: string): Promise<void> {
    await this.swarm.unlock(this.machine, key);
  }

  async runningTasks(nodeId: string): Promise<number> {
    return this.swarm.tasksOf(this.find(await this.control(), nodeId));
  }

  async services(): Promise<readonly ServiceTasks[]> {
    await this.control();
    return this.swarm.services();
  }

  private async control(): Promise<Raft> {
    const { machine, swarm } = this;
    if (machine.state === "locked") throw new Error(lockedOut);
    if (machine.state !== "active" || !machine.manager || !machine.raft) throw new Error(notManager);
    if (swarm.clock.now() < machine.confusedUntil) {
      throw new Error(
        "rpc error: code = Unavailable desc = connection error: dial unix /var/run/docker/swarm/control.sock: connect: no such file or directory",
      );
    }
    await swarm.led(machine.raft);
    return machine.raft;
  }

  private find(raft: Raft, nodeId: string): Member {
    const member = raft.members.get(nodeId);
    if (!member) throw new Error(`rpc error: code = NotFound desc = node ${nodeId} not found`);
    return member;
  }
}

/** One run over the simulated hosts. */
export class SimulatedRun {
  readonly calls: Calls = { reads: 0, mutations: [] };
  private interrupted = false;

  constructor(
    private readonly swarm: SimulatedSwarm,
    private readonly interruptAfter: number,
  ) {}

  get cutOff(): boolean {
    return this.interrupted;
  }

  check(): void {
    if (this.interrupted) throw new Interrupted("the run was cut off");
  }

  changed(what: string): void {
    this.check();
    this.calls.mutations.push(what);
    this.interrupted = this.calls.mutations.length >= this.interruptAfter;
    this.check();
  }

  access(keys: readonly string[]): HostAccess[] {
    return keys.map((key): HostAccess => {
      if (this.swarm.machine(key).up) return { kind: "ready", key, api: this.swarm.api(key, this) };
      return { kind: "failed", key, reason: `${key}: cannot be reached over SSH within 75 s: no answer` };
    });
  }

  io(departing: readonly string[] = []): MembershipIo {
    const reachable = departing.filter((key) => this.swarm.machines.get(key)?.up);
    return {
      progress: (host, line) => this.swarm.progress.push(host === undefined ? line : `${host}: ${line}`),
      sleep: async (milliseconds) => {
        this.check();
        await this.swarm.clock.sleep(milliseconds);
        this.check();
      },
      now: () => this.swarm.clock.now(),
      formed: async (host) => {
        this.check();
        this.swarm.progress.push(`formed on ${host} with ${this.swarm.machine(host).raft?.members.size ?? 0} members`);
        if (this.swarm.brokenFormed) throw new Error("the ingress network cannot be recreated");
      },
      examine: async (managers) =>
        new Map(
          [...this.swarm.machines.values()].flatMap((machine): [string, Examined][] => {
            const log = this.swarm.logs.get(machine.key);
            if (!machine.up || machine.state === "inactive") return [];
            const open = managers.filter((address) => this.swarm.listening.has(address));
            return [[machine.key, { open, running: { web: 1 }, locked: machine.diskKey !== "", ...(log && { log }) }]];
          }),
        ),
      departing: new Map(reachable.map((key) => [key, this.swarm.api(key, this)])),
    };
  }
}

export function memberFor(swarm: SimulatedSwarm, key: string, role: SwarmRole, labels?: Readonly<Record<string, string>>): DesiredMember {
  const { address } = swarm.provision(key);
  return { key, role, advertiseAddress: address, listenAddress: `${address}:2377`, dataPathAddress: address, ...(labels && { labels }) };
}

function tokenOf(raft: Raft, role: SwarmRole): string {
  return `SWMTKN-1-3pu6hszjas19xyp7ghgosyx9k8atbfcr8p2is99znpy26u2lkl-${raft.id}-${raft.made.tokens}-${role}`;
}

function describe(argument: unknown): string {
  return typeof argument === "string" ? argument : "";
}

export type Roles = Readonly<Record<string, SwarmRole>>;

export interface Outcome {
  readonly result: MembershipResult | undefined;
  readonly error: Error | undefined;
  readonly calls: Calls;
}

/** A program and its state: what is asked for, and what the last run that ended well returned. */
let marks = 0;

export class SimulatedProgram {
  /** Of the resource that has the swarm: it stays when what a run printed is lost. */
  owner = { mark: `mark-${++marks}`, stack: "shop/prod/main" };
  memory: MembershipMemory | undefined;
  abandonedSwarm: string | undefined;
  recover: string | undefined;
  /** What is known of the swarm where none of those that remember it answers. */
  formerly: DesiredSwarm["formerly"];
  adopt: string | undefined;
  labels: Readonly<Record<string, string>> | undefined;
  options: SwarmOptions = {};
  /** Hosts that the program keeps drained. */
  drained: readonly string[] = [];
  dataPathPort: number | undefined;
  /** What happens once all hosts are members, before the run's last steps. */
  beforeFinish = (): void => {};

  constructor(
    readonly swarm: SimulatedSwarm,
    public roles: Roles,
  ) {}

  /** As Pulumi does: what a run returns is kept only when it ended without any failure. */
  async run(interruptAfter = Infinity): Promise<Outcome> {
    const keys = Object.keys(this.roles).sort();
    const members = keys.map((key) => ({
      ...memberFor(this.swarm, key, this.roles[key] ?? "worker", this.labels),
      ...(this.drained.includes(key) && { drained: true }),
    }));
    const run = this.swarm.begin(interruptAfter);
    const departing = Object.keys(this.memory?.nodes ?? {}).filter((key) => !keys.includes(key));
    const desired: DesiredSwarm = {
      owner: this.owner,
      members,
      options: this.options,
      ...(this.dataPathPort !== undefined && { init: { dataPathPort: this.dataPathPort } }),
      ...(this.abandonedSwarm !== undefined && { abandonedSwarm: this.abandonedSwarm }),
      ...(this.recover !== undefined && { recover: this.recover }),
      ...(this.adopt !== undefined && { adopt: this.adopt }),
      ...(this.formerly && { formerly: this.formerly }),
    };
    try {
      const io = run.io(departing);
      const result = await reconcileMembership(desired, run.access(keys), this.memory, io);
      if (result.failures.length === 0 && !run.cutOff) {
        this.beforeFinish();
        const memory = await finishSwarm(desired, run.access(keys), result, this.memory, io);
        if (!run.cutOff) this.memory = memory;
      }
      return { result, error: undefined, calls: run.calls };
    } catch (error) {
      return { result: undefined, error: error as Error, calls: run.calls };
    }
  }

  /** Another resource in its place, which remembers nothing. */
  replaceResource(): void {
    this.memory = undefined;
    this.owner = { ...this.owner, mark: `mark-${++marks}` };
  }

  /** What is not as the program asks, in the swarm itself. */
  differences(): string[] {
    const found: string[] = [];
    const first = Object.keys(this.roles).find((key) => this.roles[key] === "manager" && this.swarm.machine(key).up);
    const raft = first === undefined ? undefined : this.swarm.machine(first).raft;
    if (!raft) return ["there is no swarm"];
    const nodes = this.swarm.view(raft);
    for (const [key, role] of Object.entries(this.roles)) {
      const machine = this.swarm.machine(key);
      if (!machine.up) continue;
      const node = nodes.find(({ id }) => id === machine.nodeId);
      if (machine.raft !== raft || !node) found.push(`${key} is not in the swarm`);
      else if (node.state !== "ready" || node.role !== role || node.availability !== (this.drained.includes(key) ? "drain" : "active"))
        found.push(`${key} is ${node.state} ${node.availability} ${node.role}`);
      else if (machine.manager !== (role === "manager") || (node.reachability !== undefined) !== (role === "manager"))
        found.push(`${key} is not yet ${role}`);
      else if (node.labels["pulumi-swarm.host"] !== key || "pulumi-swarm.leaving" in node.labels)
        found.push(`${key} has labels ${JSON.stringify(node.labels)}`);
    }
    found.push(...this.optionsNotDone(raft));
    const others = nodes.filter(({ id }) => !Object.keys(this.roles).some((key) => this.swarm.machine(key).nodeId === id));
    return [...found, ...others.map(({ id, hostname, state }) => `${id} (${hostname}, ${state}) is left over`)];
  }

  private optionsNotDone(raft: Raft): string[] {
    const { autolock, certificateExpiry, rotateCa, rotateJoinTokens, rotateUnlockKey } = this.options;
    const label = (name: string): string | undefined => raft.labels[`pulumi-swarm.rotated.${name}`];
    return [
      ...(autolock !== undefined && autolock !== (raft.unlockKey !== "") ? [`autolock is not ${autolock}`] : []),
      ...(certificateExpiry !== undefined && certificateExpiry !== `${raft.certificateHours}h`
        ? [`certificates hold ${raft.certificateHours} h`]
        : []),
      ...(rotateCa !== undefined && (label("ca") !== rotateCa || this.swarm.caRotating(raft)) ? ["the root CA is the old one"] : []),
      ...(rotateJoinTokens !== undefined && label("join-tokens") !== rotateJoinTokens ? ["the join tokens are the old ones"] : []),
      ...(rotateUnlockKey !== undefined && label("unlock-key") !== rotateUnlockKey ? ["the unlock key is the old one"] : []),
    ];
  }
}
