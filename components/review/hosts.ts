import { stopsBy } from "./clouds";
import type { Topology, TopologyHost } from "../topology/topology";
import { type ClusterChange, counted, type Finding, list, type MachineChange, type Text, text, words } from "./findings";
import { sitesThatTakeTheQuorum } from "./risks";
import { managersOf, quorumOf, quorumRisk } from "../topology/quorum";

export function isStopped({ type, how, changed }: MachineChange): boolean {
  return how === "changed" && changed.some((name) => stopsBy(type, name));
}

/** Hosts that are new or go, by what they are and where. */
export function hostFindings(change: ClusterChange): Finding[] {
  const { before, after } = change;
  const was = byKey(before);
  const will = byKey(after);
  const made = [...will.values()].filter(({ key }) => !was.has(key));
  const gone = [...was.values()].filter(({ key }) => !will.has(key));
  const how = change.piece
    ? " in it no longer"
    : !after && change.livesOn
      ? " stay in the swarm, no longer managed"
      : after
        ? " removed, drained first"
        : " removed with the cluster";
  return [
    ...alike(made).map((hosts) => ofMany("added", hosts, words(before ? " added" : ""), change)),
    ...alike(gone).map((hosts) => ofMany("removed", hosts, words(how), change)),
    ...[...will.values()].flatMap((host) => roleFindings(was.get(host.key), host)),
    ...change.machines.flatMap((machine) => machineFindings(machine, was.get(machine.host), change)),
    ...change.otherKeys.map((key) => otherKeyFinding(key, roleOf(was.get(key), change))),
  ];
}

function byKey(topology: Topology | undefined): Map<string, TopologyHost> {
  return new Map((topology?.hosts ?? []).map((host) => [host.key, host]));
}

function alike(hosts: readonly TopologyHost[]): TopologyHost[][] {
  const groups = new Map<string, TopologyHost[]>();
  for (const host of hosts) {
    const key = JSON.stringify([host.role, host.provider, host.site]);
    groups.set(key, [...(groups.get(key) ?? []), host]);
  }
  return [...groups.values()];
}

function ofMany(kind: "added" | "removed", hosts: readonly TopologyHost[], what: Text, { piece }: ClusterChange): Finding {
  const [{ role, provider, site } = { role: "worker", provider: "", site: "" }] = hosts;
  const keys = hosts.map(({ key }) => key);
  const said = text`${words(counted(hosts.length, piece ? "host" : role))}${what}: ${list(keys)} (${words(provider)}, site ${site})`;
  return { section: "hosts", kind, subject: keys.join(", "), text: said };
}

function roleFindings(was: TopologyHost | undefined, { key, role, site, availability }: TopologyHost): Finding[] {
  if (!was) return [];
  const drained = availability === "drain" ? "is drained: its tasks move to other hosts, and none runs there" : "is no longer drained by the program";
  return [
    ...(was.availability === availability
      ? []
      : [{ section: "hosts", kind: "changed", subject: key, text: text`${key} ${words(drained)}` } as const]),
    ...(was.role === role
      ? []
      : [
          {
            section: "hosts",
            kind: "changed",
            subject: key,
            text: text`${key} becomes ${words(`a ${role}`)}, and was a ${words(was.role)}`,
          } as const,
        ]),
    ...(was.site === site
      ? []
      : [{ section: "hosts", kind: "changed", subject: key, text: text`${key} is now on site ${site}, and was on ${was.site}` } as const]),
  ];
}

/**
 * Defaults of the docker provider's schema that this package never gives. Where a state lacks them, it was made by another plugin: by a
 * stand-in of before they stored them, or by another version.
 */
const dockerDefaults: readonly string[] = [
  ...["attach", "containerReadRefreshTimeoutMilliseconds", "ipamDriver", "logs", "memoryReservation", "mustRun", "networkMode", "readOnly"],
  ...["removeVolumes", "rm", "start", "stdinOpen", "tty", "wait", "waitTimeout"],
];

/** Whether nothing of the edit is the reason, but the plugin that looks at what another one made. A host goes with its network. */
function isOfPlugin({ type, changed }: MachineChange): boolean {
  const own = changed.filter((name) => name !== "networksAdvanced");
  return type === "docker:index/container:Container" && own.length > 0 && own.every((name) => dockerDefaults.includes(name));
}

function roleOf(was: TopologyHost | undefined, { piece }: { readonly piece?: ClusterChange["piece"] }): string {
  return piece ? "host" : (was?.role ?? "host (manager or worker, the preview leaves it out)");
}

/** A machine that stands is told from others by its host key alone. */
function otherKeyFinding(host: string, role: string): Finding {
  const means = "it is another machine, was reinstalled, or had its key replaced; from now on up trusts only the new key";
  return {
    section: "hosts",
    kind: "changed",
    subject: host,
    ...(role === "manager" && { risk: "replace-manager" }),
    text: text`the pinned SSH host key of the ${words(role)} ${host} changes: ${words(means)}`,
  };
}

function machineFindings(machine: MachineChange, was: TopologyHost | undefined, { partial, piece }: ClusterChange): Finding[] {
  const { host, type, how, changed } = machine;
  // A host that is new or goes is named as such, with its machine.
  if ((!was && !partial) || how === "removed") return [];
  const because = changed.length === 0 ? text`` : text` (${list(changed)})`;
  const found = { section: "hosts", kind: "changed", subject: host } as const;
  if (how === "made") return was ? [{ ...found, text: text`the machine of ${host} is made, for it is there no longer` }] : [];
  if (how === "changed") {
    const stops = changed.some((name) => stopsBy(type, name));
    const turns = piece ? "" : ", drained before and back in the swarm before the next one";
    const what = stops ? `is stopped to be changed${turns}` : "is changed in place";
    return [{ ...found, text: text`the machine of ${host} ${words(what)}${because}` }];
  }
  const role = roleOf(was, { piece });
  const risk = role === "manager" ? ({ risk: "replace-manager" } as const) : {};
  const why = isOfPlugin(machine)
    ? ". The edit is not the reason: another make or version of the provider's plugin made this machine (a stand-in, for example). Fix: go on with that plugin, or destroy the stack first"
    : "";
  return [
    {
      ...found,
      ...risk,
      text: text`the machine of the ${words(role)} ${host} is deleted with all that is on its disk, and replaced: ${words(type)}${because}${words(why)}`,
    },
  ];
}

/** What a failed preview says of managers that would be other machines, and more of them than the swarm can do without. */
export function refusedReplacements(errors: readonly string[]): Finding[] {
  return errors.flatMap((message): Finding[] => {
    const [, hosts = "", differs = ""] = /would replace the machines? of (.+?) in one run, since (.+?) changes:/.exec(message) ?? [];
    if (hosts === "") return [];
    const said = text`the machines of ${list(hosts.split(", "))} would be replaced in one run (${list(differs.split(", "))}), and the swarm would lose its quorum`;
    return [{ section: "quorum", kind: "changed", subject: hosts, risk: "quorum-loss", text: said }];
  });
}

/** How many managers may be away: before, while it is done, and after. */
export function quorumFindings(change: ClusterChange): Finding[] {
  const { before, after, partial } = change;
  if (!after || change.piece) return [];
  const note = (what: Text): Finding => ({ section: "quorum", kind: "note", subject: change.cluster, text: what });
  if (partial) return [note(words("managers cannot be counted: hosts that stay as they are were left out of the preview (see below)"))];
  const will = managersOf(after).length;
  if (!before) return [note(words(says(will))), ...siteNotes([], after, note)];
  const was = managersOf(before).length;
  const risk = (what: Text): Finding => ({ ...note(what), kind: "changed", risk: "quorum-loss" });
  const meanwhile = whileDone(change, before);
  const fewer = quorumOf(will).mayFail === 0 && quorumOf(was).mayFail > 0;
  const counts = text`${words(was === will ? `${counted(was, "manager")}, before and after` : `managers: ${was} before, ${will} after`)}; ${words(says(will))}`;
  const changes = was !== will || meanwhile !== undefined;
  return [
    ...(changes ? [fewer ? risk(counts) : note(counts)] : []),
    ...[meanwhile, underOtherKeys(change, before)].flatMap((found) =>
      found === undefined ? [] : [found.lost ? risk(found.text) : note(found.text)],
    ),
    ...siteNotes(sitesThatTakeTheQuorum(before), after, note),
  ];
}

function says(managers: number): string {
  const { mayFail } = quorumOf(managers);
  return mayFail === 0
    ? `while ${managers < 2 ? "the only one" : "one of them"} is away nothing of the swarm can be changed, though running services go on`
    : `${mayFail} of ${managers} may be away with the swarm still taking changes`;
}

/** Machines are replaced side by side, in no order; those that are stopped to be changed have their turns. */
function whileDone({ machines }: ClusterChange, before: Topology): { readonly lost: boolean; readonly text: Text } | undefined {
  const managers = managersOf(before).map(({ key }) => key);
  const own = machines.filter(({ host }) => managers.includes(host));
  const replaced = own.filter(({ how }) => how === "replaced").map(({ host }) => host);
  const stopped = own.filter(isStopped).map(({ host }) => host);
  const away = replaced.length + (stopped.length > 0 ? 1 : 0);
  if (away === 0) return undefined;
  const lost = quorumRisk(managers.length, away);
  const how =
    replaced.length > 1
      ? text`${words(`${replaced.length} of ${managers.length} managers are`)} replaced at once, in no order: ${list(replaced)}`
      : replaced.length === 1
        ? text`${list(replaced)} is replaced${words(stopped.length > 0 ? ", while others are stopped one at a time" : "")}`
        : text`${list(stopped)} ${words(stopped.length > 1 ? "are stopped one at a time" : "is stopped for a while")}`;
  const [left, needed] = [managers.length - away, quorumOf(managers.length).majority];
  const what = lost
    ? `${left} of ${managers.length} ${left === 1 ? "is" : "are"} left meanwhile, and ${needed} ${needed === 1 ? "is" : "are"} needed: nothing of the swarm can be changed until enough are back` +
      (replaced.length > quorumOf(managers.length).mayFail
        ? `, and with a majority of the disks gone the swarm itself may be lost. Fix: one manager in an up`
        : "")
    : `${left} of ${managers.length} ${left === 1 ? "is" : "are"} left meanwhile, which is a majority`;
  return { lost, text: text`${how}; ${words(what)}` };
}

/** Managers that may be other machines, by their SSH host keys: then what they kept of the swarm is not there any more. */
function underOtherKeys({ machines, otherKeys }: ClusterChange, before: Topology): { readonly lost: boolean; readonly text: Text } | undefined {
  const managers = managersOf(before).map(({ key }) => key);
  const [own, anew] = [
    managers.filter((key) => otherKeys.includes(key)),
    machines.filter(({ host, how }) => managers.includes(host) && how === "replaced"),
  ];
  if (own.length === 0) return undefined;
  const away = own.length + anew.length;
  const left = managers.length - away;
  const lost = quorumRisk(managers.length, away);
  const what =
    `the pinned SSH host ${own.length === 1 ? "key" : "keys"} of ${own.length} of ${counted(managers.length, "manager")} ${own.length === 1 ? "changes" : "change"}` +
    `${anew.length === 0 ? "" : `, and ${anew.length} ${anew.length > 1 ? "are" : "is"} replaced`}: ` +
    `if ${own.length === 1 ? "this is another machine" : "these are other machines"}, ${left} ${left === 1 ? "is" : "are"} left`;
  const then = lost
    ? ` of the ${quorumOf(managers.length).majority} that are needed, and the swarm has lost its quorum. Fix: compare the keys on the machines themselves, and replace one manager in each up`
    : ", which is a majority";
  return { lost, text: words(what + then) };
}

function siteNotes(known: readonly string[], after: Topology, note: (what: Text) => Finding): Finding[] {
  const sites = sitesThatTakeTheQuorum(after).filter((site) => !known.includes(site));
  return sites.map((site) => note(text`without the site ${site} there is no majority of managers`));
}
