import type { EngineArgs } from "../engine/args";
import { swarmProblem } from "../engine/known";
import { oldestEngine } from "../engine/preflight";
import { checkOwnSettings } from "../engine/own";
import { checkSettings, settingsWarnings } from "../engine/settings";
import { isOlder, versionNumbers } from "../engine/version";
import type { PlannedHost } from "../hosts/host";
import type { AdoptArgs } from "../membership/adopt";
import type { MembershipArgs, SwarmOptions } from "../membership/args";
import { isRecoveryToken } from "../membership/recovery";
import { noneOf } from "../nearest";
import { failures, isNot, type Report, show } from "../report";

/** How many managers there are, and what the swarm does when some fail. */
export interface Quorum {
  /** How many managers the cluster has. */
  readonly managers: number;
  /** How many must agree on a change. */
  readonly majority: number;
  /** How many may fail while the swarm still accepts changes. */
  readonly mayFail: number;
  /** The same in a sentence. */
  readonly says: string;
}

/** Docker's own advice (docs.docker.com, How nodes work): more managers make a swarm slower, not larger. */
const mostManagers = 7;

export function planQuorum(hosts: readonly PlannedHost[], report: Report): Quorum {
  const managers = hosts.filter((host) => host.role === "manager").length;
  const majority = Math.floor(managers / 2) + 1;
  const mayFail = Math.max(0, managers - majority);
  if (managers === 0) {
    report("hosts", "no host is a manager", `give one group the role "manager"`);
  } else if (managers > mostManagers) {
    report(
      "hosts",
      `${managers} managers are too many: Docker advises ${mostManagers} at most, since each change is sent to all of them and waits for ${majority}`,
      `take 3, 5 or ${mostManagers} and make the rest workers`,
    );
  } else if (managers % 2 === 0) {
    report(
      "hosts",
      `${managers} managers tolerate ${failures(mayFail)}, like ${managers === 2 ? "1 manager" : `${managers - 1} managers`}, and are more likely to lose quorum`,
      `take ${managers - 1} or ${managers + 1}`,
    );
  }
  const says =
    mayFail === 0
      ? "1 manager: tolerates no failure; while it is down the swarm is read-only and running services continue"
      : `${managers} managers: tolerates ${failures(mayFail)}; with ${mayFail + 1} managers down the swarm is read-only and running services continue`;
  return { managers, majority, mayFail, says };
}

/**
 * What the loss of a whole site takes with it. Where there are three sites or more, none of them need be one that the swarm
 * cannot do without; of two, one always is.
 *
 * @returns sentences for the summary: it may be meant, since managers that are far apart agree slowly.
 */
export function siteLossWarnings(hosts: readonly PlannedHost[], { managers, majority, mayFail }: Quorum): string[] {
  const sites = [...new Set(hosts.map(({ site }) => site))];
  if (sites.length < 2 || mayFail === 0) return [];
  const inSite = (site: string): number => hosts.filter((host) => host.role === "manager" && host.site === site).length;
  const needed = sites.filter((site) => managers - inSite(site) < majority);
  return needed.map((site) => {
    const lost = `site "${site}" has ${inSite(site)} of ${managers} managers: without it nothing can be changed, though services of other sites go on`;
    const fix = sites.length < 3 ? "only a third site with a manager would change that" : `no site need have more than ${mayFail}`;
    return `${lost}; ${fix}`;
  });
}

/** Swarm3K, October 2016, with Docker 1.12.3 (sematext.com, Docker Swarm Lessons from Swarm3K). */
const mostShown = 4700;

/** Of more hosts than anybody is known to have had in one swarm. */
export function sizeWarnings({ length: hosts }: readonly PlannedHost[]): string[] {
  if (hosts <= mostShown) return [];
  const shown = `the largest swarm that anybody has shown had ${mostShown} (Swarm3K in 2016, Docker 1.12)`;
  return [`${hosts} hosts: ${shown}. Try this number where nothing depends on it first, or make several clusters`];
}

const sources = {
  what: "a source of Docker",
  known: ["present", "distribution", "docker"],
  others: {
    apt: "distribution",
    debian: "distribution",
    ubuntu: "distribution",
    "docker.io": "distribution",
    "docker-ce": "docker",
    none: "present",
  },
};

export function checkEngine(engine: EngineArgs, report: Report): void {
  const { source, version, settings, downgradeFrom } = engine;
  if (source !== undefined && !sources.known.includes(source)) {
    report("engine.source", ...noneOf(source, sources));
  }
  checkVersion("engine.version", version, report);
  checkVersion("engine.downgradeFrom", downgradeFrom, report);
  checkRepository(engine, report);
  const pinned = typeof version === "string" ? version : undefined;
  if (pinned !== undefined && isOlder(versionNumbers(pinned) ?? [], oldestEngine)) {
    report("engine.version", `Docker ${pinned} is too old`, `ask for ${oldestEngine.join(".")} or newer`);
  }
  if (settings !== undefined) checkSettings(settings, pinned, report);
  checkOwnSettings(engine, report);
  const bad = pinned === undefined ? undefined : swarmProblem(pinned);
  if (bad) report("engine.version", bad.message, bad.fix);
}

function checkVersion(path: string, version: unknown, report: Report): void {
  if (version === undefined || (typeof version === "string" && /^\d+(\.\d+){0,2}$/.test(version))) return;
  // YAML takes 28.10 for 28.1.
  const text = typeof version === "string" || (typeof version === "number" && Number.isInteger(version)) ? String(version) : "";
  const meant = /^v?(\d+(?:\.\d+){0,2})(?:[.x*+~-].*)?$/.exec(text)?.[1];
  report(path, `${show(version)} is not a version`, meant === undefined ? 'write it as a text: "28", "28.5" or "28.5.2"' : `write it as "${meant}"`);
}

function checkRepository({ repository, source }: EngineArgs, report: Report): void {
  const given: unknown = repository;
  if (given === undefined) return;
  if (typeof given !== "string" || !/^(https:\/\/[^\s'"]+|file:\/\/\/[^\s'"]+)[^\s'"/]$/.test(given)) {
    const fix =
      typeof given === "string" && given.startsWith("http://")
        ? "write it as https://…, for its key comes from there too"
        : 'write the folder that has "debian" and "ubuntu", such as "https://mirror.example.com/docker/linux"';
    report("engine.repository", `${show(given)} is no place of Docker's repositories`, fix);
  }
  if (source !== "docker")
    report("engine.repository", 'nothing is taken from there unless engine.source is "docker"', 'set engine.source to "docker", or leave it out');
}

/** What works but needs attention. */
export function engineWarnings({ settings }: EngineArgs): string[] {
  return settings === undefined ? [] : settingsWarnings(settings);
}

export function checkMembership(membership: MembershipArgs, hosts: readonly PlannedHost[], report: Report): void {
  const seconds = (name: "reachableSeconds" | "drainSeconds", least: number, most: number): void => {
    const value = membership[name];
    if (value !== undefined && !(typeof value === "number" && value >= least && value <= most)) {
      report(`membership.${name}`, `${show(value)} is not a usable time`, `give seconds from ${least} to ${most}`);
    }
  };
  seconds("reachableSeconds", 5, 900);
  seconds("drainSeconds", 0, 3600);
  checkTexts("membership", membership, ["recheck"], report);
  if (membership.abandonedSwarm !== undefined && !isSwarmId(membership.abandonedSwarm)) {
    const fix = 'take the id that the error of "up" names, or leave it out: it is only for a swarm that is lost';
    report("membership.abandonedSwarm", isNot(membership.abandonedSwarm, "the id of a swarm"), fix);
  }
  if (membership.recover !== undefined && !isRecoveryToken(membership.recover)) {
    const fix =
      'take the text that the error of "up" names, such as "control-1.0123456789ab", or leave it out: it is only for a swarm that lost its quorum';
    report("membership.recover", isNot(membership.recover, "what a lost quorum is recovered by"), fix);
  }
  checkReplaceManagers(membership.replaceManagers, hosts, report);
  checkForget(membership.forget, hosts, report);
}

/** What is in the program is wanted, and would be made a member again. */
function checkForget(given: unknown, hosts: readonly PlannedHost[], report: Report): void {
  if (!Array.isArray(given)) return;
  for (const [index, name] of given.entries()) {
    const path = `membership.forget[${index}]`;
    if (hosts.some(({ key }) => key === name))
      report(path, `${show(name)} is a host of this cluster`, "leave it out, or take the host out of its group");
    else if (typeof name !== "string" || !/^[a-z][a-z0-9-]*-[a-z0-9-]*[a-z0-9]$/.test(name))
      report(path, `${show(name)} cannot be a host of a cluster`, 'write the name of its group and its own, such as "edge-2"');
  }
}

function checkReplaceManagers(given: unknown, hosts: readonly PlannedHost[], report: Report): void {
  if (given === undefined) return;
  const path = "membership.replaceManagers";
  const managers = hosts.filter(({ role }) => role === "manager").map(({ key }) => key);
  if (!Array.isArray(given)) {
    report(path, `${show(given)} is not a list of managers`, `write such as ["${managers[0] ?? "control-1"}"], or leave it out`);
    return;
  }
  for (const [index, name] of given.entries()) {
    if (!managers.includes(name as string))
      report(`${path}[${index}]`, `${show(name)} is not a manager of this cluster`, `name some of ${managers.join(", ")}`);
  }
}

function isSwarmId(id: unknown): boolean {
  return typeof id === "string" && /^[a-z0-9]{25}$/.test(id);
}

export function checkAdopt(adopt: AdoptArgs | undefined, tunnelled: boolean, report: Report): void {
  if (adopt === undefined) return;
  const id: unknown = adopt.swarmId;
  if (!isSwarmId(id)) {
    report("adopt.swarmId", isNot(id, "the id of a swarm"), `take what "docker info --format '{{.Swarm.Cluster.ID}}'" prints on a manager`);
  }
  if (tunnelled) {
    report(
      "adopt",
      "the members joined by their own addresses, and a tunnel would give them others, which Docker cannot change",
      "take underlay: direct()",
    );
  }
}

/** Docker's root certificate is valid for 20 years. */
const mostHours = 20 * 365 * 24;

export function checkSwarmOptions(options: SwarmOptions, report: Report): void {
  const { autolock, certificateExpiry: expiry, rotateUnlockKey } = options;
  const hours = /^(\d{1,6})h$/.exec(typeof expiry === "string" ? expiry : "")?.[1];
  if (expiry !== undefined && !(hours !== undefined && Number(hours) >= 1 && Number(hours) <= mostHours)) {
    const meant = hoursMeant(expiry);
    const fix = meant === undefined ? `give hours from "1h" to "${mostHours}h"` : `write it in hours: "${meant}h"`;
    report("swarm.certificateExpiry", `${show(expiry)} is not a time for which certificates can hold`, fix);
  }
  checkTexts("swarm", options, ["rotateUnlockKey", "rotateCa", "rotateJoinTokens"], report);
  if (rotateUnlockKey !== undefined && autolock !== true) {
    report("swarm.rotateUnlockKey", "there is an unlock key only with autolock", "set swarm.autolock to true, or take this out");
  }
}

/** Of a number without its unit, and of days. */
function hoursMeant(expiry: unknown): number | undefined {
  const [, number, unit] = /^(\d{1,6})(d?)$/.exec(String(expiry)) ?? [];
  const hours = Number(number) * (unit === "d" ? 24 : 1);
  return hours >= 1 && hours <= mostHours ? hours : undefined;
}

function checkTexts<Args extends object>(path: string, args: Args, names: readonly (keyof Args & string)[], report: Report): void {
  for (const name of names) {
    const value: unknown = args[name];
    if (value !== undefined && !(typeof value === "string" && value !== ""))
      report(
        `${path}.${name}`,
        `${show(value)} is not a text`,
        typeof value === "number" ? `write it as "${value}"` : 'write a text, such as "2026-05-01"',
      );
  }
}
