import type { SwarmRole } from "../membership/swarm-api";

/** A host that a walk takes out of service for a while. */
export interface WalkHost {
  readonly key: string;
  readonly role: SwarmRole;
}

/** What a walk keeps to. */
export interface WalkRules {
  /** Largest share of the workers that is out of service at once, above 0 and at most 1. It is one worker at least. */
  readonly workersAway: number;
}

/** The cluster around the hosts that are still to come. */
export interface Surroundings {
  /** All workers of the cluster, also those that are not walked over. */
  readonly workers: number;
  /** Workers that are out of service already: down, or drained by somebody. */
  readonly away: number;
  /** Key of the manager that leads. */
  readonly leader: string | undefined;
}

/** How many workers may be out of service at once. */
export function mostAway(workers: number, { workersAway }: WalkRules): number {
  return Math.max(1, Math.floor(workers * workersAway));
}

/**
 * Who goes next. Workers come first, since what breaks one of them costs the swarm least: the very first goes alone, the others as many
 * at once as may be away. Then the managers, one by one. Who leads goes last, so that there is one election and no more.
 *
 * @param left Hosts that are still to come, in the order of the program.
 * @param first Whether nobody has gone yet.
 * @returns nobody when all have gone.
 */
export function nextTurn(left: readonly WalkHost[], rules: WalkRules, around: Surroundings, first: boolean): readonly WalkHost[] {
  const workers = left.filter(({ role }) => role === "worker");
  if (workers.length > 0) return workers.slice(0, first ? 1 : Math.max(1, mostAway(around.workers, rules) - around.away));
  const manager = left.find(({ key }) => key !== around.leader) ?? left[0];
  return manager ? [manager] : [];
}

/**
 * Who goes next of hosts that come by themselves, one at a time, as machines do that their provider changes.
 *
 * @returns undefined where nobody is left.
 */
export function nextAlone(left: readonly WalkHost[], leader: string | undefined): WalkHost | undefined {
  const nobodyBeside: WalkRules = { workersAway: 0 };
  return nextTurn(left, nobodyBeside, { workers: 0, away: 0, leader }, true)[0];
}

/** All turns, as a preview tells them: as if nobody else were away, and the leader stayed the same. */
export function planTurns(
  hosts: readonly WalkHost[],
  rules: WalkRules,
  around: Pick<Surroundings, "workers" | "leader">,
): readonly (readonly WalkHost[])[] {
  const turns: (readonly WalkHost[])[] = [];
  let left = hosts;
  while (left.length > 0) {
    const turn = nextTurn(left, rules, { ...around, away: 0 }, turns.length === 0);
    turns.push(turn);
    left = left.filter((host) => !turn.includes(host));
  }
  return turns;
}
