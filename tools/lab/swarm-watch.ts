import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Looks of one manager at itself and the swarm, again and again. Not by echo: dash makes line ends of those that JSON has escaped. */
const script = `
ask() { curl -s -m 2 --unix-socket /run/docker.sock "http://docker$1" 2>/dev/null || true; }
while :; do
  printf '%s %s\\n' "$(ask /info | tr -d '\\n')" "$(ask /nodes | tr -d '\\n')"
  sleep 0.5
done`;

/** One look of all managers: the last that each has seen, within the time that it may be old. */
export interface WatchedSwarm {
  readonly looks: number;
  /** Fewest managers whose engine took part at any look. */
  readonly fewestManagers: number;
  /** Most workers that were down or drained at any look. */
  readonly mostWorkersAway: number;
  /** Names of hosts in the order in which each was first seen to be drained. */
  readonly drained: readonly string[];
  /** Names of hosts that led, in this order. */
  readonly led: readonly string[];
  /** Longest time without a manager that could be asked for the nodes, in milliseconds: an election, at least. */
  readonly longestWithout: number;
}

interface Node {
  readonly Spec: { readonly Role: string; readonly Availability: string };
  readonly Status: { readonly State: string };
  readonly Description: { readonly Hostname: string };
  readonly ManagerStatus?: { readonly Leader?: boolean };
}

/** Watches a swarm from within its managers, several times a second, whatever happens to their networks. */
export class SwarmWatch {
  private readonly children: readonly ChildProcess[];
  private readonly states = new Map<string, { readonly at: number; readonly takesPart: boolean }>();
  private seen: WatchedSwarm = { looks: 0, fewestManagers: Infinity, mostWorkersAway: 0, drained: [], led: [], longestWithout: 0 };
  private answeredAt = Date.now();

  /** @param managers Containers that play them. */
  constructor(private readonly managers: readonly string[]) {
    this.children = managers.map((manager) => {
      const child = spawn("docker", ["exec", manager, "sh", "-c", script], { stdio: ["ignore", "pipe", "ignore"] });
      createInterface({ input: child.stdout }).on("line", (line) => this.look(manager, line));
      return child;
    });
  }

  get soFar(): WatchedSwarm {
    return this.seen;
  }

  /** Their loops end when nobody reads what they say. */
  stop(): WatchedSwarm {
    for (const child of this.children) child.kill();
    return this.seen;
  }

  private look(manager: string, line: string): void {
    const [, info = "", nodes = ""] = /^(\{.*\})? ?(\[.*\]|\{.*\})?$/.exec(line) ?? [];
    const takesPart = /"LocalNodeState":"active"/.test(info) && /"ControlAvailable":true/.test(info);
    this.states.set(manager, { at: Date.now(), takesPart });
    if (this.states.size < this.managers.length) return;
    const parts = [...this.states.values()].filter((state) => state.takesPart).length;
    this.seen = { ...this.seen, looks: this.seen.looks + 1, fewestManagers: Math.min(this.seen.fewestManagers, parts) };
    if (nodes.startsWith("[")) this.lookAtNodes(JSON.parse(nodes) as readonly Node[]);
    else this.seen = { ...this.seen, longestWithout: Math.max(this.seen.longestWithout, Date.now() - this.answeredAt) };
  }

  private lookAtNodes(nodes: readonly Node[]): void {
    this.answeredAt = Date.now();
    const away = nodes.filter(({ Spec, Status }) => Spec.Role === "worker" && (Spec.Availability !== "active" || Status.State !== "ready"));
    const names = (some: readonly Node[]): string[] => some.map(({ Description }) => Description.Hostname);
    const drained = names(nodes.filter(({ Spec }) => Spec.Availability === "drain")).filter((name) => !this.seen.drained.includes(name));
    const [leader] = names(nodes.filter(({ ManagerStatus }) => ManagerStatus?.Leader === true));
    this.seen = {
      ...this.seen,
      mostWorkersAway: Math.max(this.seen.mostWorkersAway, away.length),
      drained: [...this.seen.drained, ...drained],
      led: leader === undefined || this.seen.led.at(-1) === leader ? this.seen.led : [...this.seen.led, leader],
    };
  }
}
