import type { FoundSwarm } from "./ownership";
import { majorityOf, type Quorum } from "./quorum";
import type { SwarmRole } from "./swarm-api";
import { type HostFailure, MembershipRefusal } from "./types";

const unchanged = "Nothing was changed.";

/** What a run says that has worked on the hosts already. */
export function afterHosts(refusal: MembershipRefusal): string {
  return refusal.message.replace(unchanged, "The swarm was not changed; engines, firewalls and tunnels of its hosts are as the program says.");
}

export function curableIf(curable: boolean, refusal: MembershipRefusal): MembershipRefusal {
  return curable ? new MembershipRefusal(refusal.message, true) : refusal;
}

/** The reasons often begin with the host's name already. */
function reasons(failures: readonly HostFailure[]): string[] {
  return failures.map(({ host, reason }) => `  - ${host}: ${reason.replace(`${host}: `, "")}`);
}

function are(keys: readonly string[], one: string, many: string): string {
  return `${keys.join(", ")} ${keys.length === 1 ? one : many}`;
}

export function noManagerWanted(): MembershipRefusal {
  return new MembershipRefusal(`A swarm needs at least one manager, and no host has that role. ${unchanged} Give a host the role "manager".`);
}

export function noManagerReached(failures: readonly HostFailure[]): MembershipRefusal {
  return new MembershipRefusal(
    [
      `No manager can be reached and used, so nothing can be done to the swarm. ${unchanged} Fix one of these and run again:`,
      ...reasons(failures),
    ].join("\n"),
  );
}

export function firstManagerUnseen(first: string, failures: readonly HostFailure[]): MembershipRefusal {
  return new MembershipRefusal(
    [
      `A swarm is formed on the first manager, ${first}, and it cannot be seen: it may already hold a swarm that an interrupted run formed, and a second one would part the hosts. ${unchanged} ` +
        `Bring ${first} back, or remove it from the program, and run again:`,
      ...reasons(failures.filter(({ host }) => host === first)),
    ].join("\n"),
  );
}

export function unansweredSwarm(keys: readonly string[]): MembershipRefusal {
  return new MembershipRefusal(
    `${are(keys, "is", "are")} in a swarm none of whose managers answers here. ${unchanged} ` +
      `Bring one of its managers back; or, if that swarm is not wanted, run "docker swarm leave --force" on ${keys.join(", ")}; then run again.`,
  );
}

export function swarmGone(swarmId: string, failures: readonly HostFailure[]): MembershipRefusal {
  const away = failures.length > 0 ? [`These hosts cannot be seen, and may hold it; bring one back that was a manager:`, ...reasons(failures)] : [];
  return new MembershipRefusal(
    [
      `None of the hosts that can be seen is a manager of this cluster's swarm ${swarmId} any more. ${unchanged} ` +
        `If it is lost permanently, set membership.abandonedSwarm to "${swarmId}" and a new one is formed; its services, secrets and networks are then gone.`,
      ...away,
    ].join("\n"),
  );
}

/** Led by managers that were thought lost when the swarm was formed anew from another one. */
export function bygoneSwarm(keys: readonly string[], swarmId: string): MembershipRefusal {
  return new MembershipRefusal(
    `The swarm ${swarmId} was formed anew after it had lost its quorum, and no manager of it answers. ${are(keys, "answers, and has", "answer, and have")} the swarm as it was before. ${unchanged} ` +
      "What was done since is on the managers that do not answer: bring one of them back, and run again. The others then join it.",
  );
}

export function twoHalves(halves: readonly (readonly string[])[]): MembershipRefusal {
  const list = halves.map((keys) => keys.join(", ")).join("; ");
  return new MembershipRefusal(
    `The managers follow different leaders in two halves of one swarm: ${list}. ${unchanged} Somebody formed it anew while the others lived, and 2377/tcp does not pass between the halves. ` +
      `Decide which half is to stay, run "docker swarm leave --force" on the hosts of the other, and run again: they join the one that stays.`,
  );
}

export function differentSwarms(bySwarm: ReadonlyMap<string, readonly string[]>, remembered: string | undefined): MembershipRefusal {
  const list = [...bySwarm].map(([id, keys]) => `${keys.join(", ")} in ${id}${id === remembered ? " (this cluster's)" : ""}`).join("; ");
  return new MembershipRefusal(
    `The hosts are in different swarms: ${list}. ${unchanged} Decide which is to stay, run "docker swarm leave --force" on the hosts of the others, and run again.`,
  );
}

export function otherSwarm(keys: readonly string[], found: string, remembered: string): MembershipRefusal {
  return new MembershipRefusal(
    `${are(keys, "is", "are")} in the swarm ${found}, but this cluster's is ${remembered}. ${unchanged} Run "docker swarm leave --force" there, and run again; ` +
      `or, if ${remembered} is lost and ${found} is its successor, set membership.abandonedSwarm to "${remembered}" and adopt.swarmId to "${found}".`,
  );
}

export function otherThanAdopted(keys: readonly string[], found: string, wanted: string): MembershipRefusal {
  return new MembershipRefusal(
    `${are(keys, "is", "are")} in the swarm ${found}, and ${wanted} is to be adopted. ${unchanged} Correct adopt.swarmId, or the hosts, and run again.`,
  );
}

export function nothingToAdopt(wanted: string): MembershipRefusal {
  return new MembershipRefusal(
    `None of the hosts is a manager of a swarm, and ${wanted} is to be adopted. ${unchanged} ` +
      "Name its managers among the hosts; or leave adopt out, and a new swarm is formed.",
  );
}

const byAdopting = (swarmId: string): string => `adopt: { swarmId: "${swarmId}" }`;

export function notOurs({ swarmId, managers }: FoundSwarm, stack: string | undefined, ours: string): MembershipRefusal {
  const whose =
    stack === undefined
      ? "carries no name of this package: it was formed by hand, or by an older version whose state is lost"
      : `belongs to ${stack}`;
  return new MembershipRefusal(
    `${are(managers, "is a manager", "are managers")} of the swarm ${swarmId}, which ${whose}; this cluster is ${ours}. ${unchanged} ` +
      `Remove these hosts from the program. Or, if this program is to manage that swarm from now on, write ${byAdopting(swarmId)} and run again.`,
  );
}

export function takenSince({ swarmId }: FoundSwarm, stack: string | undefined, ours: string): MembershipRefusal {
  const whose = stack === ours ? `another state of ${ours}` : (stack ?? "another program");
  return new MembershipRefusal(
    `The swarm ${swarmId} was managed by this program, but ${whose} has taken it over since. ${unchanged} ` +
      `Leave it to ${whose}, and remove it here with "pulumi destroy", which then leaves the swarm alone. Or, to take it back, write ${byAdopting(swarmId)} and run again` +
      `; where that is written already, add membership: { abandonedSwarm: "${swarmId}" } for one run.`,
  );
}

export function otherRoles(hosts: readonly { readonly key: string; readonly has: SwarmRole; readonly wants: SwarmRole }[]): MembershipRefusal {
  return new MembershipRefusal(
    [
      `A swarm that is adopted keeps its members' roles, and the program has others. ${unchanged}`,
      ...hosts.map(({ key, has, wants }) => `  - ${key}: is a ${has}, to be a ${wants}`),
      "Give each the role that it has; once the swarm is adopted, a change of roles is an edit like any other.",
    ].join("\n"),
  );
}

export function foreignMembers(keys: readonly string[], swarmId: string): MembershipRefusal {
  return new MembershipRefusal(
    `${are(keys, "is", "are")} in another swarm than ${swarmId}, this cluster's. ${unchanged} Run "docker swarm leave --force" there, or remove the host from the program, and run again.`,
  );
}

export function quorumAtRisk(key: string, left: Quorum, away: readonly string[]): MembershipRefusal {
  if (left.total === 0) {
    return new MembershipRefusal(
      `${key} is the last manager: without it there is no swarm. ${unchanged} Make another host that can be reached a manager first, or keep this one.`,
    );
  }
  return new MembershipRefusal(
    `Taking the manager ${key} out would leave ${left.alive} of ${left.total} managers, and ${majorityOf(left.total)} are needed to change anything ever again. ${unchanged} ` +
      `Bring back ${away.length > 0 ? away.join(", ") : "the managers that are missing"} first, or remove ${away.length === 1 ? "it" : "them"} from the program too, or keep ${key} a manager for now.`,
  );
}

export interface MovedHost {
  readonly key: string;
  readonly role: SwarmRole;
  readonly has: string;
  readonly wants: string;
}

export function otherAddresses(moved: readonly MovedHost[]): MembershipRefusal {
  const managers = moved.filter(({ role }) => role === "manager").length;
  return new MembershipRefusal(
    [
      `${moved.length === 1 ? "A host is" : `${moved.length} hosts are`} in the swarm under another address than the program gives, and Docker cannot change that while a host is a member. ${unchanged}`,
      ...moved.map(({ key, has, wants }) => `  - ${key}: is ${has}, to be ${wants}`),
      `Take ${moved.length === 1 ? "the host" : "such a host"} out of the program, run "pulumi up", put it back, and run "pulumi up" again. ` +
        (managers > 0 ? "Do that with one manager at a time, and only while two others are there. " : "") +
        "Or give the address that it has.",
    ].join("\n"),
  );
}

export function rotationWouldHang(away: readonly string[]): MembershipRefusal {
  return new MembershipRefusal(
    `swarm.rotateCa asks for another root CA, but ${are(away, "is", "are")} not there, and Docker waits for every node to take its new certificate, without end. ${unchanged} ` +
      `Bring ${away.join(", ")} back or remove ${away.length === 1 ? "it" : "them"} from the swarm ("docker node rm" for what this program does not manage), and run again; or set swarm.rotateCa back to what it was.`,
  );
}
