import type { EngineArgs } from "../engine/args";
import { upgradeOf } from "../engine/upgrade";
import type { SwarmRole } from "../membership/swarm-api";
import { defaultWorkersAway, type MaintenanceArgs } from "./args";
import { mostAway, planTurns, type WalkHost } from "./plan";

/** A host as the last run left it. */
export interface KnownEngine {
  readonly key: string;
  readonly role: SwarmRole;
  /** Empty where it is not known. */
  readonly engine: string;
}

/** Hosts whose engine is replaced, by what runs there: `28.5.2 to 29.7 on edge-1, edge-2`. */
export function replacedEngines(hosts: readonly KnownEngine[], engine: EngineArgs): ReadonlyMap<string, readonly KnownEngine[]> {
  const found = new Map<string, readonly KnownEngine[]>();
  for (const host of hosts) {
    const upgrade = upgradeOf(host.engine, engine);
    if (upgrade) found.set(`${upgrade.from} to ${upgrade.to}`, [...(found.get(`${upgrade.from} to ${upgrade.to}`) ?? []), host]);
  }
  return found;
}

/**
 * What a preview tells of engines that are to be replaced: where, in which order, and what services notice.
 *
 * @returns nothing where none is.
 */
export function describeReplacing(hosts: readonly KnownEngine[], engine: EngineArgs, maintenance: MaintenanceArgs = {}): readonly string[] {
  const replaced = replacedEngines(hosts, engine);
  const all = [...replaced.values()].flat();
  if (all.length === 0) return [];
  const { workersAway = defaultWorkersAway, drain = true } = maintenance;
  const workers = hosts.filter(({ role }) => role === "worker").length;
  const managers = hosts.filter(({ role }) => role === "manager").length;
  return [
    `Docker is replaced on ${all.length} of ${hosts.length} hosts:`,
    ...[...replaced].map(([versions, those]) => `  ${versions} on ${some(those.map(({ key }) => key))}`),
    `  order: ${order(all, workersAway, workers)}`,
    `  services: ${drain ? drained : stopped}`,
    ...(managers < 3 && all.some(({ role }) => role === "manager")
      ? [
          `  swarm: with ${managers === 1 ? "1 manager" : `${managers} managers`}, nothing of it can be changed while a manager is out of service; services go on`,
        ]
      : []),
  ];
}

const drained =
  "those with several replicas go on, for tasks move before their host's turn; one with a single replica breaks off while it moves, which may be more than once; " +
  "what can run on one host only stands still during its turn";
const stopped =
  "tasks stop with their host's engine (maintenance.drain is false), and start when it is back, or elsewhere when the swarm misses them";

function order(hosts: readonly WalkHost[], workersAway: number, workers: number): string {
  const turns = planTurns(hosts, { workersAway }, { workers, leader: undefined });
  const own = turns.filter(([first]) => first?.role === "worker");
  const managers = hosts.filter(({ role }) => role === "manager").map(({ key }) => key);
  const most = mostAway(workers, { workersAway });
  return [
    ...(own.length === 0
      ? []
      : [
          `${some(own.map((turn) => turn.map(({ key }) => key).join(" with ")))}${own.length > 1 ? ` (${most === 1 ? "one worker" : `${most} workers`} at once)` : ""}`,
        ]),
    ...(managers.length === 0 ? [] : [`${some(managers)}${managers.length > 1 ? " one by one, and who leads then last" : ""}`]),
  ].join("; then ");
}

const mostNamed = 8;
function some(names: readonly string[]): string {
  return names.length <= mostNamed ? names.join(", ") : `${names.slice(0, mostNamed).join(", ")} and ${names.length - mostNamed} more`;
}
