import type { EngineArgs } from "../engine/args";
import { upgradeOf } from "../engine/upgrade";
import { type DoneMaintenance, ifRequired } from "../maintenance/due";
import type { SwarmRole } from "../membership/swarm-api";
import { show } from "../report";
import { defaultWorkersAway, type MaintenanceArgs } from "./args";
import { mostAway, planTurns, type WalkHost } from "./plan";

/** A host as the last run left it. */
export interface KnownEngine {
  readonly key: string;
  readonly role: SwarmRole;
  /** Empty where it is not known. */
  readonly engine: string;
  /** What was done to it last. @default - it is no member yet */
  readonly maintained?: DoneMaintenance;
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
 * What a preview tells of hosts that are to be taken out of service: which, for what, in which order, and what services notice.
 *
 * @returns nothing where none is.
 */
export function describeReplacing(hosts: readonly KnownEngine[], engine: EngineArgs, maintenance: MaintenanceArgs = {}): readonly string[] {
  const replaced = replacedEngines(hosts, engine);
  const upgraded = [...replaced.values()].flat();
  const packages = undone(hosts, "packages", maintenance.packages);
  const rebooted = maintenance.reboot === ifRequired ? hosts.filter(({ maintained }) => maintained) : undone(hosts, "reboot", maintenance.reboot);
  const all = hosts.filter((host) => [upgraded, packages, rebooted].some((those) => those.includes(host)));
  if (all.length === 0) return [];
  const { workersAway = defaultWorkersAway, drain = true } = maintenance;
  const workers = hosts.filter(({ role }) => role === "worker").length;
  const managers = hosts.filter(({ role }) => role === "manager").length;
  const keys = (those: readonly KnownEngine[]): string => some(those.map(({ key }) => key));
  return [
    upgraded.length > 0
      ? `Docker is replaced on ${upgraded.length} of ${hosts.length} hosts:`
      : maintenance.reboot === ifRequired && packages.length === 0
        ? "Hosts are rebooted where their updates need it:"
        : `${all.length} of ${hosts.length} hosts are taken out of service:`,
    ...[...replaced].map(([versions, those]) => `  ${versions} on ${keys(those)}`),
    ...(packages.length === 0 ? [] : [`  packages upgraded (${show(maintenance.packages)}), where there are upgrades, on ${keys(packages)}`]),
    ...(rebooted.length === 0 ? [] : [`  ${rebootInWords(maintenance.reboot)} ${keys(rebooted)}`]),
    `  order: ${order(all, workersAway, workers)}`,
    `  services: ${drain ? drained : stopped}`,
    ...(managers < 3 && all.some(({ role }) => role === "manager")
      ? [
          `  swarm: with ${managers === 1 ? "1 manager" : `${managers} managers`}, nothing of it can be changed while a manager is out of service; services go on`,
        ]
      : []),
  ];
}

/** Members on which something was done for another text, or for none. */
function undone(hosts: readonly KnownEngine[], what: "reboot" | "packages", text: string | undefined): readonly KnownEngine[] {
  return text === undefined ? [] : hosts.filter(({ maintained }) => maintained && maintained[what] !== text);
}

function rebootInWords(text: string | undefined): string {
  return text === ifRequired ? "only `up` looks which; it may be each of" : `rebooted (${show(text)}):`;
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
