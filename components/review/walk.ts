import { isVersion, upgradeOf } from "../engine/upgrade";
import { type AskedMaintenance, asksForMaintenance, ifRequired } from "../maintenance/due";
import { managersOf, quorumOf, quorumRisk } from "../topology/quorum";
import type { WrittenResource } from "../topology/of-resources";
import { defaultWorkersAway, type MaintenanceArgs } from "../walk/args";
import { mostAway } from "../walk/plan";
import { type ClusterChange, type Finding, isEdit, joined, list, type Text, text, words } from "./findings";

/** What hosts are taken out of service for, one after the other. */
export interface ReviewedWalk {
  /** Members of the swarm, by name: who joins is changed before. */
  readonly hosts: readonly string[];
  /** Engines that are replaced. @default - none */
  readonly upgrade?: EngineUpgrade;
  /** Keys of daemon.json with which engines start again. */
  readonly settings: readonly string[];
  /** Upgrades of packages and reboots that the program asks for by other texts than before. */
  readonly asked: AskedMaintenance;
  readonly maintenance: MaintenanceArgs;
}

interface EngineUpgrade {
  /** As the program asks for it. */
  readonly to: string;
  /** Hosts by the version that they have; those that have it already are left out. */
  readonly from: Readonly<Record<string, readonly string[]>>;
  /** Hosts of which the state does not say what they have. */
  readonly unknown: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * @param before The cluster as the state has it: its outputs tell what the last run saw on its hosts.
 * @param hosts Those of the program that are members already.
 */
export function walkIn(before: WrittenResource | undefined, after: WrittenResource | undefined, hosts: readonly string[]): ReviewedWalk | undefined {
  if (!before || !after) return undefined;
  const upgrade = upgradeIn(before, after, hosts);
  const settings = settingsIn(before, after);
  const asked = askedIn(before, after);
  const all = settings.length > 0 || asksForMaintenance(asked);
  if (!upgrade && !all) return undefined;
  const walked = all ? hosts : [...Object.values(upgrade?.from ?? {}).flat(), ...(upgrade?.unknown ?? [])];
  return { hosts: [...walked].sort(), ...(upgrade && { upgrade }), settings, asked, maintenance: fields(after.inputs["maintenance"]) };
}

/** A text that goes out of the program asks for nothing. */
function askedIn(before: WrittenResource, after: WrittenResource): AskedMaintenance {
  const [was, will] = [before, after].map(({ inputs }) => fields(inputs["maintenance"]));
  const asked = (["reboot", "packages"] as const).flatMap((what) => {
    const text = will?.[what];
    return typeof text === "string" && text !== was?.[what] ? [[what, text] as const] : [];
  });
  return Object.fromEntries(asked);
}

function upgradeIn(before: WrittenResource, after: WrittenResource, hosts: readonly string[]): EngineUpgrade | undefined {
  const to = after.inputs["engine"];
  if (typeof to !== "string") return undefined;
  const was = before.inputs["engine"];
  const seen = fields(before.outputs?.["hosts"]);
  const from: Record<string, string[]> = {};
  const unknown: string[] = [];
  for (const host of hosts) {
    const { engine } = fields(seen[host]);
    if (typeof engine !== "string" || engine === "") unknown.push(host);
    else if (upgradeOf(engine, { version: to })) (from[engine] ??= []).push(host);
  }
  const news = Object.keys(from).length > 0 || (unknown.length > 0 && typeof was === "string" && !isVersion(was, to));
  return news ? { to, from, unknown } : undefined;
}

/** What goes out of the program stays in the file. */
function settingsIn(before: WrittenResource, after: WrittenResource): readonly string[] {
  const [was, will] = [before, after].map(({ inputs }) => inputs["engineSettings"]);
  if (was === undefined) return [];
  return Object.keys(fields(will))
    .filter((key) => fields(will)[key] !== fields(was)[key])
    .sort();
}

/** Keys of daemon.json of which the state does not say whether hosts have them: the version that wrote it kept none. */
export function unseenSettingsIn(before: WrittenResource | undefined, after: WrittenResource | undefined): readonly string[] {
  if (!before || !after || before.inputs["engineSettings"] !== undefined) return [];
  return Object.keys(fields(after.inputs["engineSettings"])).sort();
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/** Which hosts, what becomes of them, and in which order. */
export function walkFindings(change: ClusterChange): Finding[] {
  const { walk, after, cluster } = change;
  if (!walk || !after || !isEdit(change)) return [];
  const { upgrade, settings, hosts, asked } = walk;
  const those = list(settings);
  const done: Text[] = [
    ...(upgrade ? [text`Docker becomes ${upgrade.to} in place of ${joined(replaced(upgrade), "; ")}`] : []),
    ...(settings.length === 0
      ? []
      : upgrade
        ? [text`Docker gets other settings in the same turns, and on all hosts that lack them: ${those}`]
        : [text`Docker starts again with other settings (${those}) on those of ${list(hosts)} that lack them`]),
    ...(asked.packages === undefined ? [] : [text`upgrades of all packages that are not held, for ${asked.packages}, on ${list(hosts)}`]),
    ...(asked.reboot === undefined ? [] : [reboots(asked.reboot, hosts)]),
  ];
  const order = words(`. Order: ${orderOf(change, walk)}. The first host that does not come back ends it, and the next up goes on`);
  const said = done.map((each, index) => (index === 0 ? [...each, ...order] : each));
  return said.map((each) => ({ section: "hosts", kind: "changed", subject: cluster, text: each }));
}

function reboots(asked: string, hosts: readonly string[]): Text {
  return asked === ifRequired
    ? text`a reboot of each of ${list(hosts)} whose updates need one, now and in every up that works on hosts`
    : text`a reboot, for ${asked}, of ${list(hosts)}`;
}

function replaced({ from, unknown }: EngineUpgrade): Text[] {
  return [
    ...Object.entries(from).map(([version, hosts]) => text`${version} on ${list(hosts)}`),
    ...(unknown.length === 0 ? [] : [text`${words("what the state does not know on")} ${list(unknown)}`]),
  ];
}

function orderOf({ after }: ClusterChange, { hosts, maintenance }: ReviewedWalk): string {
  const all = after?.hosts ?? [];
  const { workersAway = defaultWorkersAway } = maintenance;
  const workers = all.filter(({ role }) => role === "worker").length;
  const managers = managersOf({ hosts: all }).filter(({ key }) => hosts.includes(key)).length;
  const most = mostAway(workers, { workersAway });
  return [
    ...(workers === 0 ? [] : [`workers first, ${most === 1 ? "one" : `the first alone and then at most ${most}`} at once`]),
    ...(managers === 0 ? [] : [managers === 1 ? "the manager last" : "the managers one by one, and who leads last"]),
  ].join(", then ");
}

/** Managers are away one at a time, which is what three of them and more can bear. */
export function walkQuorum({ walk, before, cluster }: ClusterChange): Finding[] {
  const all = before ? managersOf(before) : [];
  if (!walk || !all.some(({ key }) => walk.hosts.includes(key))) return [];
  const { majority } = quorumOf(all.length);
  const lost = quorumRisk(all.length, 1);
  const left = all.length - 1;
  const does = deedOn(walk);
  const away =
    all.length === 1 ? "the only manager is away" : `${left} of ${all.length} managers ${left === 1 ? "is" : "are"} left and ${majority} are needed`;
  const what = lost
    ? `while ${does("a manager")}, ${away}: nothing of the swarm can be changed meanwhile, though services go on. Fix: three managers`
    : `${does("one manager at a time")}: ${left} of ${all.length} are left meanwhile, which is a majority`;
  return [{ section: "quorum", kind: lost ? "changed" : "note", subject: cluster, text: words(what), ...(lost && { risk: "quorum-loss" as const }) }];
}

/** What keeps a manager away for the longest. */
function deedOn({ upgrade, settings, asked }: ReviewedWalk): (whom: string) => string {
  if (asked.reboot !== undefined) return (whom) => `${whom} reboots`;
  if (upgrade) return (whom) => `Docker is replaced on ${whom}`;
  if (settings.length > 0) return (whom) => `Docker starts again on ${whom}`;
  return (whom) => `packages are upgraded on ${whom}`;
}

/** What services notice of it, by their kinds. */
export function walkDowntime({ walk }: ClusterChange): readonly (readonly [WalkedClass, Text])[] {
  if (!walk) return [];
  const hosts = list(walk.hosts);
  const drained = walk.maintenance.drain !== false;
  return [
    [
      "replicated",
      drained
        ? text`go on: tasks move to other hosts before their own has its turn: ${hosts}`
        : text`go on with fewer while their host has its turn: ${hosts}`,
    ],
    [
      "single",
      drained
        ? text`a break while a task moves, which it may do more than once`
        : text`a break while their host has its turn, or until the swarm misses them: ${hosts}`,
    ],
    ["bound", text`stand still while their host has its turn: ${hosts}`],
    ["hostPorts", text`closed at each host in its turn: ${hosts}`],
    ["meshPorts", text`not answered at the address of the host that has its turn; all other hosts answer`],
  ];
}

type WalkedClass = "replicated" | "single" | "bound" | "hostPorts" | "meshPorts";
