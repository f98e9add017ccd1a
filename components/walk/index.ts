import { type Aside, type AsideWork, beBack, giveBack, stepAside } from "../membership/aside";
import { localOrNothing, messageOf } from "../membership/control";
import { isAlive } from "../membership/quorum";
import type { SwarmApi, SwarmNode } from "../membership/swarm-api";
import { hostLabel, type HostFailure } from "../membership/types";
import { nextTurn, type Surroundings, type WalkHost, type WalkRules } from "./plan";
import { Services } from "./services";

/** A machine that was stopped on purpose and is not back: nothing more can be done to it, nor waited for. */
export class NotBack extends Error {}

/** Something that is done to a host while it is out of service. */
export interface Errand {
  /** As a person reads it after the host's name: "Docker 28.5.2 to 29.7". */
  readonly what: string;
  /** @returns when the engine answers again, or starts. @throws what the host is like then; NotBack where it is gone. */
  run(): Promise<void>;
}

/** A host of the walk, and what is to be done to it in one turn. */
export interface WalkedHost extends WalkHost {
  readonly errands: readonly Errand[];
  /** Its engine, over a connection that may have been made anew meanwhile. */
  api(): SwarmApi;
  /** @returns when its engine has restarted and answers. */
  restart(): Promise<void>;
}

/** What a walk works with. */
export interface WalkWork extends AsideWork {
  readonly rules: WalkRules;
  /** Whether tasks are moved away before. */
  readonly drain: boolean;
  /** Hosts of the cluster that are no managers. */
  readonly workers: readonly string[];
  /** Whether packets pass between these hosts and their neighbours, in the size that the plan says. @returns what does not. */
  prove(hosts: readonly string[]): Promise<readonly HostFailure[]>;
}

/** How far a walk came. */
export interface Walked {
  readonly done: readonly string[];
  /** What is wrong with the hosts at which it stopped. */
  readonly failures: readonly HostFailure[];
  /** Hosts to which nothing was done. */
  readonly left: readonly string[];
}

/**
 * Takes hosts out of service, turn by turn, for what is to be done to them. Each is drained, its tasks waited for, the work done, the
 * engine waited for, the swarm too, its path to its neighbours proven, and its availability given back. Only then the next turn begins;
 * after a host that does not come back, none does. No host is drained before the tasks of the one before run elsewhere.
 *
 * What a cut leaves behind is on the node itself: a host that we drained has a label that says so, and the next run takes it back.
 */
export async function walk(hosts: readonly WalkedHost[], work: WalkWork): Promise<Walked> {
  const done: string[] = [];
  const services = new Services();
  for (let left = hosts; left.length > 0;) {
    const turn = nextTurn(left, work.rules, around(await work.control.nodes(), work), done.length === 0);
    const own = left.filter(({ key }) => turn.some((host) => host.key === key));
    const { visited, failures } = await takeTurn(own, services, work, (index) => `${done.length + index + 1} of ${hosts.length}`);
    left = left.filter(({ key }) => !visited.includes(key));
    done.push(...visited.filter((key) => !failures.some(({ host }) => host === key)));
    if (failures.length > 0) return { done, failures, left: left.map(({ key }) => key) };
  }
  return { done, failures: [], left: [] };
}

interface Turn {
  /** Hosts that were taken, or were to be. After a failure, those that come after in the same turn are left. */
  readonly visited: readonly string[];
  readonly failures: readonly HostFailure[];
}

/** @param place Which of all hosts one is, by its index in the turn. */
async function takeTurn(hosts: readonly WalkedHost[], services: Services, work: WalkWork, place: (index: number) => string): Promise<Turn> {
  const failures: HostFailure[] = [];
  const fail = (host: string, reason: string): void => void failures.push({ host, reason });
  const beside = new Set(hosts.map(({ key }) => key));
  const visited: string[] = [];
  const visits: Promise<Back | undefined>[] = [];
  for (const [index, host] of hosts.entries()) {
    const aside = await takeOut(host, beside, services, work, place(index), fail);
    visited.push(host.key);
    if (aside) visits.push(visit(host, aside, work, fail));
    if (failures.length > 0) break;
  }
  const asides = (await Promise.all(visits)).flatMap((each) => each ?? []);
  const keys = asides.map(({ key }) => key);
  const silent = keys.length === 0 ? [] : await work.prove(keys).catch((error: unknown) => [{ host: keys[0] ?? "", reason: messageOf(error) }]);
  const own = silent.filter(({ host }) => keys.includes(host));
  for (const { host, reason } of own) fail(host, `its engine is back, but not its network: ${reason}`);
  // What a neighbour says of the path between them keeps all of the turn from going on.
  if (own.length < silent.length) {
    const said = silent.filter((failure) => !own.includes(failure)).map(({ host, reason }) => `${host}: ${reason}`);
    for (const key of keys.filter((each) => !own.some(({ host }) => host === each)))
      fail(key, `its engine is back, but its neighbours say: ${said.join("; ")}`);
  }
  for (const { key, aside } of asides) {
    if (silent.length > 0 && failures.some(({ host }) => host === key)) continue;
    await giveBack(aside, work).catch((error: unknown) => fail(key, `could not be given its availability again: ${messageOf(error)}`));
    work.io.progress(key, "is back in service");
  }
  return { visited, failures };
}

/**
 * For a host to take part again before it is looked at more closely, in milliseconds. It is all that it has where its work failed: that work
 * had a limit of its own for the engine to start.
 */
const usuallyBack = 60_000;

/**
 * An engine that was away for as long as managers wait for its heartbeat, 15 s, may be down to them from then on, though it registered again
 * and its heart beats: what they noted last is that the old one stopped (swarmkit, manager/dispatcher/dispatcher.go, register and
 * markNodeNotReady; seen on 26.1.5). Nothing but another registration ends it.
 *
 * @returns what is wrong with it, if anything.
 */
async function untilBack(host: WalkedHost, aside: Aside, work: WalkWork, failed: boolean): Promise<string | undefined> {
  const { key } = host;
  const back = (ready: number): Promise<string | undefined> =>
    beBack(key, aside, host.api(), { ...work, limits: { ...work.limits, ready } }).then(() => undefined, messageOf);
  const first = await back(Math.min(work.limits.ready, usuallyBack));
  if (first === undefined || failed) return first;
  try {
    const node = await work.control.node(aside.nodeId);
    const local = await localOrNothing(host.api());
    if (node?.state === "down" && local?.state === "active" && local.error === "") {
      work.io.progress(key, "is a member by its own account, but down to the managers: restarting Docker");
      await host.restart();
    }
  } catch (error) {
    return `${first}; ${messageOf(error)}`;
  }
  return back(work.limits.ready);
}

interface Back {
  readonly key: string;
  readonly aside: Aside;
}

/** @returns nothing where nothing may be done to the host. */
async function takeOut(
  { key, errands }: WalkedHost,
  beside: ReadonlySet<string>,
  services: Services,
  work: WalkWork,
  place: string,
  fail: (host: string, reason: string) => void,
): Promise<Aside | undefined> {
  try {
    await services.whole(work);
    work.io.progress(key, `out of service for ${errands.map(({ what }) => what).join(", ")} (${place})`);
    const aside = await stepAside(key, work, { beside, drained: work.drain });
    if (!aside) fail(key, "the managers have no such node any more, so nothing was done to it");
    return aside;
  } catch (error) {
    fail(key, `could not be taken out of service: ${messageOf(error)}`);
    return undefined;
  }
}

/** One host, from where it is out of service to where its engine takes part again. @returns nothing where it does not. */
async function visit(host: WalkedHost, aside: Aside, work: WalkWork, fail: (host: string, reason: string) => void): Promise<Back | undefined> {
  const { key, errands } = host;
  let wrong: string | undefined;
  try {
    for (const errand of errands) await errand.run();
  } catch (error) {
    wrong = messageOf(error);
    if (error instanceof NotBack) {
      fail(key, wrong);
      return undefined;
    }
  }
  // Also where the work failed: a host whose engine runs is of use, and is not left drained.
  const gone = await untilBack(host, aside, work, wrong !== undefined);
  if (wrong !== undefined) fail(key, gone === undefined ? `${wrong}. It is back in the swarm` : `${wrong}. It is not back in the swarm: ${gone}`);
  else if (gone !== undefined) fail(key, `is not back in the swarm: ${gone}`);
  return gone === undefined ? { key, aside } : undefined;
}

/** What the managers see at this moment. */
function around(nodes: readonly SwarmNode[], { workers }: Pick<WalkWork, "workers">): Surroundings {
  const keyOf = ({ labels }: SwarmNode): string => labels[hostLabel] ?? "";
  const leader = nodes.find((node) => node.leader);
  const own = workers.flatMap((key) => nodes.find((node) => keyOf(node) === key && isAlive(node)) ?? []);
  const serving = own.filter(({ availability }) => availability === "active").length;
  return { workers: workers.length, away: workers.length - serving, leader: leader && keyOf(leader) };
}
