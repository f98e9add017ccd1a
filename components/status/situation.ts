import { hostLabel } from "../membership/types";
import { isAlive, majorityOf, votes } from "../membership/quorum";
import type { Engine, Seen, SeenHost, SeenManagers, SeenPath, System } from "./seen";

export type SeenNode = SeenManagers["nodes"][number];

/** What a host is just now, the worst first. */
export type Standing =
  /** Neither SSH nor the managers find it. */
  | "dead"
  /** The managers count on it, and SSH does not get there. */
  | "hidden"
  /** Neither SSH nor a manager can say. */
  | "not seen"
  /** A member to which no connection is given; the managers count on it. */
  | "not asked"
  | "engine stopped"
  | "engine silent"
  | "locked"
  | "no member"
  | "down"
  | "ready";

/** What was seen, and what follows from it for several findings. Pure. */
export class Situation {
  readonly hosts: readonly SeenHost[];
  readonly nodes: readonly SeenNode[];
  private readonly standings: ReadonlyMap<string, Standing>;

  constructor(readonly seen: Seen) {
    this.hosts = seen.hosts;
    this.nodes = seen.swarm?.nodes ?? [];
    this.standings = new Map(seen.hosts.map((host) => [host.key, this.judge(host)]));
  }

  standing({ key }: Pick<SeenHost, "key">): Standing {
    return this.standings.get(key) ?? "not seen";
  }

  are(...wanted: readonly Standing[]): readonly SeenHost[] {
    return this.hosts.filter((host) => wanted.includes(this.standing(host)));
  }

  /** Those of which more is known than that they exist. */
  get looked(): readonly (SeenHost & { readonly system: System })[] {
    return this.hosts.filter((host): host is SeenHost & { readonly system: System } => host.system !== undefined);
  }

  /** A host's node, by the label that `up` gives it, by what its engine says, or by its address. */
  nodeOf(host: SeenHost): SeenNode | undefined {
    const id = engineOf(host)?.nodeId;
    return (
      this.nodes.find((node) => id !== undefined && id !== "" && node.id === id) ??
      this.nodes.find(({ labels }) => labels[hostLabel] === host.key) ??
      this.nodes.find(({ address }) => address !== "" && address === host.planned?.address)
    );
  }

  isManager(host: SeenHost): boolean {
    return (host.planned?.role ?? this.nodeOf(host)?.role) === "manager" || engineOf(host)?.controlAvailable === true;
  }

  get managers(): readonly SeenHost[] {
    return this.hosts.filter((host) => this.isManager(host));
  }

  /** Who votes, how many answer and how many must. Of hosts where no manager can tell. */
  get quorum(): { readonly total: number; readonly alive: number; readonly needed: number } {
    const voters = this.nodes.filter(votes);
    const total = this.seen.swarm ? voters.length : this.managers.length;
    const alive = this.seen.swarm ? voters.filter(isAlive).length : this.managers.filter((host) => engineOf(host)?.controlAvailable === true).length;
    return { total, alive, needed: majorityOf(total) };
  }

  /** What one host's packets to another do; only of two that both run. */
  get paths(): readonly { readonly from: SeenHost; readonly to: SeenHost; readonly path: SeenPath }[] {
    const up = this.looked;
    return up.flatMap((from) =>
      up.flatMap((to) => {
        const path = from.paths?.[to.key];
        return path ? [{ from, to, path }] : [];
      }),
    );
  }

  private judge(host: SeenHost): Standing {
    const node = this.nodeOf(host);
    const { system, engine } = host;
    if (!system) {
      if (!node) return "not seen";
      if (node.state === "down" || node.state === "disconnected") return "dead";
      return host.unreached === undefined ? "not asked" : "hidden";
    }
    if (system.engine !== "active") return "engine stopped";
    if (!engine || "silent" in engine) return "engine silent";
    if (engine.state === "locked") return "locked";
    // A manager without its majority knows that it is a member.
    if (engine.state !== "active" || (this.seen.swarm && !node)) return "no member";
    return node === undefined || node.state === "ready" ? "ready" : "down";
  }
}

export function engineOf({ engine }: Pick<SeenHost, "engine">): Engine | undefined {
  return engine === undefined || "silent" in engine ? undefined : engine;
}
