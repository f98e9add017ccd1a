import { createHash, X509Certificate } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { dockerRulesScript } from "../engine";
import { type DaemonSettings, daemonSettings, engineChanges, lostRules } from "../engine/bridges";
import { ownSettings } from "../engine/own";
import { nftRuleset } from "../firewall/nftables";
import { outsideLines } from "../network-policy/compile";
import type { SwarmRequest, SwarmRequestHost } from "../agents/request";
import { loadScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";
import type { System } from "./seen";

const script = `${dockerRulesScript}\n${loadScript(__dirname, "look.sh")}`;
const timeout = 25_000;

/** As `look.sh` tells it. */
interface Told extends Omit<System, "clock" | "certificate" | "settings" | "damagedSettings" | "firewall" | "lostRules"> {
  readonly daemon: string;
  /** Tables of iptables that lack Docker's own rules. */
  readonly tablesWithoutRules: readonly string[];
  /** PEM in base64; empty where there is none. */
  readonly certificate: string;
  readonly firewall: { readonly state: System["firewall"]["state"]; readonly digest: string };
  /** Seconds since 1970 when it had looked. */
  readonly time: number;
}

/** Looks at a host, without asking its engine anything: Docker's socket would start one that is stopped. */
export async function lookAtSystem(session: Pick<SshSession, "script">, key: string, request: SwarmRequest | undefined): Promise<System> {
  const before = Date.now() / 1000;
  const { daemon, certificate, firewall, time, tablesWithoutRules, ...told } = await session.script<Told>(script, {}, { verb: "look", timeout });
  const after = Date.now() / 1000;
  const host = request?.hosts.find((one) => one.key === key);
  const node = validityOf(certificate);
  return {
    ...told,
    clock: aheadOf(time, before, after),
    firewall: { state: firewall.state, ...(request?.firewall && host && { asPlanned: firewall.digest === digestOf(rulesetOf(request, host)) }) },
    ...(node && { certificate: node }),
    ...settingsOf(daemon, key, request, tablesWithoutRules),
  };
}

/** By how much a clock is off at least that was read at some moment between two of ours. */
export function aheadOf(time: number, before: number, after: number): number {
  if (time > after) return round(time - after);
  return time < before ? round(time - before) : 0;
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

function validityOf(base64: string): System["certificate"] {
  if (base64 === "") return undefined;
  try {
    const { validFrom, validTo } = new X509Certificate(Buffer.from(base64, "base64"));
    return { from: new Date(validFrom).toISOString(), until: new Date(validTo).toISOString() };
  } catch {
    return undefined;
  }
}

function rulesetOf({ firewall, tunnel, overlay, hosts }: SwarmRequest, host: SwarmRequestHost): string {
  const { onHosts: routed } = overlay;
  return nftRuleset(firewall?.rules ?? [], host, hosts, {
    ...(tunnel && { tunnelInterface: tunnel.interface }),
    routedIn: routed?.routedIn ? [routed.routedIn] : [],
    toRouted: outsideLines(routed, host, hosts, tunnel?.interface),
  });
}

/** As `look.sh` works it out: without the sets that only the host itself can fill. */
export function digestOf(ruleset: string): string {
  const lines = ruleset
    .trimEnd()
    .split("\n")
    .filter((line) => !line.startsWith("add element inet pulumi_swarm "));
  return createHash("sha256")
    .update(`${lines.join("\n")}\n`)
    .digest("hex");
}

/** Names of settings alone: a proxy's address may have a password in it. */
function settingsOf(base64: string, key: string, request: SwarmRequest | undefined, tablesWithoutRules: readonly string[]): Partial<System> {
  try {
    const daemon = daemonSettings(base64);
    const [lost] = lostRules({ daemon, tablesWithoutRules });
    return { ...(request && { settings: differing(daemon, key, request) }), ...(lost !== undefined && { lostRules: lost }) };
  } catch (error) {
    return { damagedSettings: (error as Error).message };
  }
}

function differing(daemon: DaemonSettings, key: string, { engine, bridges, adopt, hosts }: SwarmRequest): string[] {
  const host = hosts.find((each) => each.key === key);
  const asMade = { daemon, unapplied: false, swarm: "inactive", gwbridge: null, tablesWithoutRules: [] };
  const { settings } = engineChanges(asMade, ownSettings(engine, host, daemon), adopt === undefined ? bridges : undefined);
  const wanted = settings === undefined ? daemon : (JSON.parse(settings) as DaemonSettings);
  return Object.keys(wanted).filter((name) => !isDeepStrictEqual(wanted[name], daemon[name]));
}
