import { isVersion, upgradeOf } from "../engine/upgrade";
import { managersOf, quorumOf, quorumRisk } from "../topology/quorum";
import type { WrittenResource } from "../topology/of-resources";
import { defaultWorkersAway, type MaintenanceArgs } from "../walk/args";
import { mostAway } from "../walk/plan";
import { type ClusterChange, type Finding, isEdit, joined, list, type Text, text, words } from "./findings";

/** Engines that the edit replaces, host after host. */
export interface EngineUpgrade {
  /** As the program asks for it. */
  readonly to: string;
  /** Hosts by the version that they have; those that have it already are left out. */
  readonly from: Readonly<Record<string, readonly string[]>>;
  /** Hosts of which the state does not say what they have. */
  readonly unknown: readonly string[];
  readonly maintenance: MaintenanceArgs;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * @param before The cluster as the state has it: its outputs tell what the last run saw on its hosts.
 * @param hosts Those of the program that are members already: who joins gets its engine before.
 */
export function upgradeIn(
  before: WrittenResource | undefined,
  after: WrittenResource | undefined,
  hosts: readonly string[],
): EngineUpgrade | undefined {
  const to = after?.inputs["engine"];
  if (typeof to !== "string" || !before) return undefined;
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
  return news ? { to, from, unknown, maintenance: fields(after?.inputs["maintenance"]) } : undefined;
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function walkedOver({ from, unknown }: EngineUpgrade): string[] {
  return [...Object.values(from).flat(), ...unknown].sort();
}

/** Which hosts, from what to what, and in which order. */
export function upgradeFindings(change: ClusterChange): Finding[] {
  const { upgrade, after, cluster } = change;
  if (!upgrade || !after || !isEdit(change)) return [];
  const { workersAway = defaultWorkersAway } = upgrade.maintenance;
  const workers = after.hosts.filter(({ role }) => role === "worker").length;
  const managers = managersOf(after).filter(({ key }) => walkedOver(upgrade).includes(key));
  const those: Text[] = [
    ...Object.entries(upgrade.from).map(([version, hosts]) => text`${version} on ${list(hosts)}`),
    ...(upgrade.unknown.length === 0 ? [] : [text`${words("what the state does not know on")} ${list(upgrade.unknown)}`]),
  ];
  const most = mostAway(workers, { workersAway });
  const order = [
    ...(workers === 0 ? [] : [`workers first, ${most === 1 ? "one" : `the first alone and then at most ${most}`} at once`]),
    ...(managers.length === 0 ? [] : [managers.length === 1 ? "the manager last" : "the managers one by one, and who leads last"]),
  ].join(", then ");
  const said = text`Docker becomes ${upgrade.to} in place of ${joined(those, "; ")}. ${words(`Order: ${order}. The first host that does not come back ends it, and the next up goes on`)}`;
  return [{ section: "hosts", kind: "changed", subject: cluster, text: said }];
}

/** Managers are away one at a time, which is what three of them and more can bear. */
export function upgradeQuorum({ upgrade, before, cluster }: ClusterChange): Finding[] {
  const all = before ? managersOf(before) : [];
  const managers = upgrade ? all.filter(({ key }) => walkedOver(upgrade).includes(key)) : [];
  if (managers.length === 0) return [];
  const { majority } = quorumOf(all.length);
  const lost = quorumRisk(all.length, 1);
  const left = all.length - 1;
  const away =
    all.length === 1 ? "the only manager is away" : `${left} of ${all.length} managers ${left === 1 ? "is" : "are"} left and ${majority} are needed`;
  const what = lost
    ? `while Docker is replaced on a manager, ${away}: nothing of the swarm can be changed meanwhile, though services go on. Fix: three managers`
    : `Docker is replaced on one manager at a time: ${left} of ${all.length} are left meanwhile, which is a majority`;
  return [{ section: "quorum", kind: lost ? "changed" : "note", subject: cluster, text: words(what), ...(lost && { risk: "quorum-loss" as const }) }];
}

/** What services notice of it, by their kinds. */
export function upgradeDowntime({ upgrade }: ClusterChange): readonly (readonly [UpgradedClass, Text])[] {
  if (!upgrade) return [];
  const hosts = list(walkedOver(upgrade));
  const drained = upgrade.maintenance.drain !== false;
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

type UpgradedClass = "replicated" | "single" | "bound" | "hostPorts" | "meshPorts";
