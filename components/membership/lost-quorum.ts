import { type Absent, type Leaderless, type LostQuorum, majorityAnswers, majorityNeeded, nameOf, recoveryToken, stillRunning } from "./recovery";
import { type Examined, type HostFailure, MembershipRefusal } from "./types";

/** What a message about it has besides. */
export interface LostQuorumSeen {
  /** By host, of all that answer. */
  readonly examined: ReadonlyMap<string, Examined>;
  readonly failures: readonly HostFailure[];
  /** `membership.recover`. */
  readonly recover: string | undefined;
  /** Whether engines that do not run may yet be started by this run. */
  readonly mayCome: boolean;
}

/** A swarm without a leader, and the two ways out of it. */
export class LostQuorumRefusal extends MembershipRefusal {
  /** Whether the user has confirmed exactly this loss, and the swarm may be formed anew. */
  readonly confirmed: boolean;

  constructor(
    readonly lost: LostQuorum,
    seen: LostQuorumSeen,
  ) {
    const alive = majorityAnswers(lost);
    // As many as answer may lack only the way to each other.
    super(describe(lost, seen, alive), alive || seen.mayCome);
    this.confirmed = !alive && seen.recover === recoveryToken(lost) && lost.leaderless[0]?.examined?.locked !== true;
  }
}

function describe(lost: LostQuorum, seen: LostQuorumSeen, alive: boolean): string {
  const { leaderless, absent } = lost;
  const total = leaderless.length + absent.length;
  return [
    `The swarm has lost its quorum: ${leaderless.length} of ${total} managers ${leaderless.length === 1 ? "answers" : "answer"}, and ${majorityNeeded(lost)} are needed for a leader. Nothing was changed.`,
    ...leaderless.map(describeLeaderless),
    ...absent.map((manager) => describeAbsent(manager, seen.failures)),
    running(seen.examined),
    ...(alive ? waitOnly(lost) : ways(lost, seen)),
  ].join("\n");
}

function describeLeaderless({ key, local, examined }: Leaderless): string {
  const log = examined?.log ? `, its Raft log ends at entry ${examined.log.index} of term ${examined.log.term}` : "";
  const saying = /not have a leader/.test(local.error) ? "" : ` (${local.error || local.state})`;
  return `  - ${key}: answers, and finds no leader${saying}${log}`;
}

function describeAbsent(manager: Absent, failures: readonly HostFailure[]): string {
  const name = nameOf(manager);
  const failure = failures.find(({ host }) => host === manager.key);
  const reason = failure?.reason.replace(`${name}: `, "") ?? "does not answer";
  const lives = manager.answers.length > 0 ? `. But its swarm port answers ${manager.answers.join(", ")}: it lives` : "";
  return `  - ${name}: ${reason}${lives}`;
}

function running(examined: LostQuorumSeen["examined"]): string {
  const services = [...stillRunning(examined)].map(([service, containers]) => `${service} (${containers})`);
  const hosts = [...examined].filter(([, host]) => Object.keys(host.running).length > 0).map(([key]) => key);
  if (services.length === 0)
    return "No container of a service was seen to run on the hosts that answer. Nothing starts one while there is no leader.";
  return `Containers run on ${hosts.join(", ")}, by service: ${services.join(", ")}. One that stops is not started again while there is no leader.`;
}

function waitOnly({ absent }: LostQuorum): string[] {
  const hidden = absent.filter(({ answers }) => answers.length > 0).map(nameOf);
  const what = hidden.length > 0 ? `Make ${hidden.join(", ")} reachable over SSH` : "See that 2377/tcp and 7946/tcp+udp pass between them";
  return [`Nothing is lost: a majority of the managers lives, and finds a leader once they reach each other. ${what}, and run again.`];
}

function ways(lost: LostQuorum, { recover, examined }: LostQuorumSeen): string[] {
  const away = lost.absent.map(nameOf).join(", ");
  const token = recoveryToken(lost);
  const [first] = lost.leaderless;
  const stale = recover === undefined || recover === token ? [] : [`membership.recover is "${recover}", which was for another loss than this one.`];
  const locked = first?.examined?.locked === true;
  return [
    ...stale,
    "There are two ways:",
    `  - Wait: bring back ${needed(lost)} of ${away}, and run again. Nothing is lost by that.`,
    locked
      ? `  - If they are lost permanently: ${first.key}'s keys are locked (swarm.autolock), and from a locked manager Docker cannot form a swarm anew (moby issue 36852). Only a manager that comes back helps.`
      : `  - If they are lost permanently, switch them off, write membership: { recover: "${token}" }, and run again: the swarm is formed anew from ${first?.key ?? ""}${newest(lost)}. ` +
        `It keeps its id, nodes, services, networks, secrets and configs${workers(examined, lost)}. What a machine of ${away} has that comes back later is dropped, and it joins again.`,
    ...(lost.swarmId === undefined
      ? []
      : [`If the swarm itself may be given up, set membership.abandonedSwarm to "${lost.swarmId}": all that is in it is then gone.`]),
  ];
}

function needed(lost: LostQuorum): string {
  const missing = majorityNeeded(lost) - lost.leaderless.length;
  return missing === lost.absent.length ? "all" : String(missing);
}

function newest({ leaderless }: LostQuorum): string {
  const [first, ...others] = leaderless;
  if (others.length === 0) return "";
  return first?.examined?.log ? ", which has the newest Raft log" : ": whose Raft log is the newest is not known";
}

function workers(examined: LostQuorumSeen["examined"], { leaderless }: LostQuorum): string {
  const others = [...examined.keys()].filter((key) => !leaderless.slice(0, 1).some((manager) => manager.key === key));
  return others.length === 0 ? "" : `; ${others.join(", ")} ${others.length === 1 ? "stays" : "stay"} in it`;
}
