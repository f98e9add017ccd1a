import { Agent, get, type IncomingHttpHeaders } from "node:http";
import { docker } from "./docker";

/** Looks at all managers: the last that each has said. */
export interface WatchedSwarm {
  readonly looks: number;
  /** Longest time between two looks, in milliseconds. */
  readonly longestPause: number;
  /** Fewest managers whose engine took part at any look. */
  readonly fewestManagers: number;
  /** The most workers that were down or drained at any look, each with what it was: that a new leader does not know of one yet is neither. */
  readonly workersAway: readonly string[];
  /** Names of hosts in the order in which each was first seen to be drained. */
  readonly drained: readonly string[];
  /** Names of hosts that led, in this order. */
  readonly led: readonly string[];
  /** Longest time without a manager that could tell the nodes, in milliseconds: an election, at least. */
  readonly longestWithout: number;
}

interface Node {
  readonly Spec: { readonly Role: string; readonly Availability: string };
  readonly Status: { readonly State: string };
  readonly Description: { readonly Hostname: string };
  readonly ManagerStatus?: { readonly Leader?: boolean };
}

/** Milliseconds from one look to the next, between two questions for the nodes, and until a manager that says nothing counts as away. */
const [every, nodesEvery, patience] = [100, 500, 2_000];

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/**
 * Watches a swarm ten times a second, whatever happens to its hosts' networks: it asks the managers' engines at their sockets, which it
 * finds from outside under the first process of each container. A ping tells whether an engine takes part (the header `Swarm`, from
 * Docker 23 on), and costs it next to nothing.
 */
export class SwarmWatch {
  private readonly takesPart = new Map<string, boolean>();
  private readonly sockets = new Map<string, { readonly path: string; readonly at: number }>();
  private readonly agent = new Agent({ keepAlive: true });
  private readonly ended: Promise<unknown>;
  private stopped = false;
  private seen: WatchedSwarm = {
    looks: 0,
    longestPause: 0,
    fewestManagers: Infinity,
    workersAway: [],
    drained: [],
    led: [],
    longestWithout: 0,
  };
  private lookedAt: number | undefined;
  private toldAt = Date.now();

  /** @param managers Containers that play them. */
  constructor(private readonly managers: readonly string[]) {
    const loops = managers.flatMap((manager) => [
      this.each(every, async () => void this.takesPart.set(manager, await this.isManager(manager))),
      this.each(nodesEvery, async () => this.lookAtNodes(await this.ask(manager, "/nodes"))),
    ]);
    this.ended = Promise.all([this.each(every, () => Promise.resolve(this.look())), ...loops]);
  }

  get soFar(): WatchedSwarm {
    return this.seen;
  }

  async stop(): Promise<WatchedSwarm> {
    this.stopped = true;
    await this.ended;
    this.agent.destroy();
    return this.seen;
  }

  private async each(milliseconds: number, work: () => Promise<void>): Promise<void> {
    while (!this.stopped) {
      const next = new Promise((resolve) => setTimeout(resolve, milliseconds));
      await work();
      await next;
    }
  }

  private look(): void {
    if (this.takesPart.size < this.managers.length) return;
    const now = Date.now();
    const parts = [...this.takesPart.values()].filter(Boolean).length;
    this.seen = {
      ...this.seen,
      looks: this.seen.looks + 1,
      longestPause: Math.max(this.seen.longestPause, now - (this.lookedAt ?? now)),
      fewestManagers: Math.min(this.seen.fewestManagers, parts),
      longestWithout: Math.max(this.seen.longestWithout, now - this.toldAt),
    };
    this.lookedAt = now;
  }

  private async isManager(manager: string): Promise<boolean> {
    const answer = await this.ask(manager, "/_ping");
    return answer?.headers["swarm"] === "active/manager";
  }

  private lookAtNodes(answer: Answer | undefined): void {
    if (!answer?.body.startsWith("[")) return;
    this.toldAt = Date.now();
    const nodes = JSON.parse(answer.body) as readonly Node[];
    // As a new leader has all nodes until they have registered with it (swarmkit, manager/dispatcher/dispatcher.go, markNodesUnknown). Their tasks go on.
    const isAway = ({ Spec, Status }: Node): boolean => Spec.Availability !== "active" || !["ready", "unknown"].includes(Status.State);
    const away = nodes
      .filter((node) => node.Spec.Role === "worker" && isAway(node))
      .map(({ Spec, Status, Description }) => `${Description.Hostname} ${Spec.Availability} ${Status.State}`);
    const names = (some: readonly Node[]): string[] => some.map(({ Description }) => Description.Hostname);
    const drained = names(nodes.filter(({ Spec }) => Spec.Availability === "drain")).filter((name) => !this.seen.drained.includes(name));
    const [leader] = names(nodes.filter(({ ManagerStatus }) => ManagerStatus?.Leader === true));
    this.seen = {
      ...this.seen,
      workersAway: away.length > this.seen.workersAway.length ? away : this.seen.workersAway,
      drained: [...this.seen.drained, ...drained],
      led: leader === undefined || this.seen.led.at(-1) === leader ? this.seen.led : [...this.seen.led, leader],
    };
  }

  /** @returns nothing where its engine does not answer. */
  private async ask(manager: string, path: string): Promise<Answer | undefined> {
    const socket = this.sockets.get(manager) ?? { path: await socketOf(manager), at: Date.now() };
    this.sockets.set(manager, socket);
    const answer = await answerOf(socket.path, path, this.agent);
    // A machine that was switched off and on has other processes.
    if (!answer && Date.now() > socket.at + patience) this.sockets.delete(manager);
    return answer;
  }
}

async function socketOf(machine: string): Promise<string> {
  const pid = await docker("inspect", "--format", "{{.State.Pid}}", machine).catch(() => "0");
  return `/proc/${pid}/root/run/docker.sock`;
}

function answerOf(socketPath: string, path: string, agent: Agent): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const request = get({ socketPath, path, agent, timeout: patience }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (data: string) => (body += data));
      response.on("end", () => resolve({ headers: response.headers, body }));
      response.on("error", () => resolve(undefined));
    });
    request.on("timeout", () => request.destroy(new Error("is silent")));
    request.on("error", () => resolve(undefined));
  });
}
