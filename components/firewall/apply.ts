import { setTimeout as sleep } from "node:timers/promises";
import { AnyCidr, isAnyCidr } from "../addresses/any-cidr";
import { smallestRuleset } from "./nftables";
import { RemoteError } from "../remote/connection";
import { loadHostScript, loadInstallingScript, loadScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";

const script = loadHostScript(__dirname, "firewall.sh");
const applyScript = loadInstallingScript(__dirname, "firewall.sh");
const guard = loadScript(__dirname, "guard.sh").trimEnd();

/** nftables may have to be installed first; apt's own limits are inside the script. */
const applyTimeout = 20 * 60_000;

/** Milliseconds for the confirmation itself, once a new connection stands: two commands on the host. */
function confirmTime(slowest: number): number {
  return Math.max(2_000, 2 * slowest);
}

/** Milliseconds for a look at the host by a session that may be dead. */
function lookTime(slowest: number): number {
  return Math.max(5_000, 4 * slowest);
}

const closed = smallestRuleset([], { key: "", role: "worker", group: "", site: "", address: "" }, []);

export interface FirewallTarget {
  readonly key: string;
  readonly session: SshSession;
  /**
   * A new connection to the same host: one that stands already is let through by any rules and proves nothing.
   *
   * @param stretch how many times longer than others it may take, since the host is busy
   */
  readonly redial: (stretch: number) => Promise<SshSession>;
}

export interface ApplyOptions {
  /** After how many seconds without a new connection the old rules are back, or later where the host itself takes long. At least 5. @default 15 */
  readonly seconds?: number;
  /** Milliseconds that the host was seen to take at most for an answer. @default 0 */
  readonly slowest?: number;
  /** Loaded at boot where the ruleset itself does not load. @default - nobody comes in */
  readonly smallest?: string;
  /** Networks from which SSH is let in, for the message when it is not. @default - not named */
  readonly admitted?: readonly string[];
}

/**
 * Puts a ruleset on a host, and keeps it only if a new SSH connection succeeds under it. A host that holds it already is left
 * alone.
 *
 * @throws RemoteError when the rules would lock this machine out; the old ones are back by then, or it says that nobody can see it.
 */
export async function applyFirewall(
  target: FirewallTarget,
  ruleset: string,
  progress: (line: string) => void,
  options: ApplyOptions = {},
): Promise<{ readonly changed: boolean }> {
  const { seconds = 15, slowest = 0 } = options;
  const kept = { SMALLEST: (options.smallest ?? closed).trimEnd(), GUARD: guard };
  const values = { RULESET: ruleset.trimEnd(), LIMIT_SECONDS: String(seconds), ...kept };
  const answer = await target.session.script<{ changed: false } | { changed: true; seconds: number }>(applyScript, values, {
    verb: "apply",
    timeout: applyTimeout,
    onProgress: progress,
  });
  if (!answer.changed) return { changed: false };
  const stretch = Math.max(1, answer.seconds / seconds);
  const until = Date.now() + Math.max(5, answer.seconds) * 1000;
  const fresh = await dialUntil(target, stretch, until - stretch * confirmTime(slowest));
  if (!fresh) {
    const look = stretch * lookTime(slowest);
    await rolledBack(target, answer.seconds, stretch, until + 2 * look, look);
    throw new RemoteError(target.key, await lockedOut(target.session, answer.seconds, options.admitted, look));
  }
  try {
    await fresh.script(script, kept, { verb: "confirm", timeout: 60_000, onProgress: progress });
  } finally {
    fresh.close();
  }
  return { changed: true };
}

/** Takes table, unit and files away; the host is then as open as without this package. */
export async function removeFirewall(session: SshSession, progress: (line: string) => void): Promise<void> {
  await session.script(script, {}, { verb: "down", timeout: 60_000, onProgress: progress });
}

/** @returns undefined when none came in time; a connection that comes later is closed. */
async function dialUntil(target: FirewallTarget, stretch: number, deadline: number): Promise<SshSession | undefined> {
  while (Date.now() < deadline) {
    const dialled = target.redial(stretch).catch(() => undefined);
    const session = await Promise.race([dialled, sleep(deadline - Date.now(), "late" as const)]);
    if (session === "late") {
      void dialled.then((late) => late?.close());
      return undefined;
    }
    if (session) return session;
    await sleep(200);
  }
  return undefined;
}

/** Waits until the host's switch has fired. The old connection is let through by any rules; if it broke, a new one tells. */
async function rolledBack(target: FirewallTarget, seconds: number, stretch: number, deadline: number, timeout: number): Promise<void> {
  let session = target.session;
  for (;;) {
    let answered = false;
    try {
      const { pending } = await session.script<{ pending: boolean }>(script, {}, { verb: "state", timeout });
      if (!pending) break;
      answered = true;
    } catch {
      const again = await dialUntil(target, stretch, Math.min(deadline, Date.now() + timeout));
      if (again) session = again;
    }
    if (Date.now() > deadline) {
      throw new RemoteError(target.key, describeNotBack(seconds, answered));
    }
    await sleep(300);
  }
  if (session !== target.session) session.close();
}

/** Nobody came in, and nobody saw the old rules come back. @param answered whether the host says that they are not back */
export function describeNotBack(seconds: number, answered: boolean): string {
  const why = answered
    ? "the old ones have not come back: look at the host's console"
    : "since then the host does not say whether the old ones are back, which it does by itself. " +
      "Fix: run again, if it is only slow; look at its console, if it stays silent";
  return `with the new firewall rules no new SSH connection came within ${seconds} s, and ${why}`;
}

async function lockedOut(session: SshSession, seconds: number, admitted: readonly string[] | undefined, timeout: number): Promise<string> {
  const said = await session.run('printf %s "$SSH_CONNECTION"', { timeout }).catch(() => undefined);
  const from = said?.stdout.trim().split(" ")[0] ?? "";
  return (
    `with the new firewall rules no new SSH connection came within ${seconds} s, so the old rules are back and nothing is changed there. ` +
    explainLockOut(from, admitted)
  );
}

/** What to do about it, by the address with which the host sees this machine. */
export function explainLockOut(from: string, admitted: readonly string[] | undefined): string {
  const own = parseAddress(from);
  if (!own) return "Check that firewall.ssh holds the address with which the host sees this machine.";
  if (own.isLoopback) {
    return "The host sees this machine as itself, which no rule keeps out: check that the program that carries the connection (proxyCommand) works now.";
  }
  const list = admitted === undefined ? "" : ` (${admitted.join(", ") || "empty"})`;
  const inside = admitted?.some((text) => {
    const network = AnyCidr.parse(text);
    return text === "world" || (isAnyCidr(network) && network.contains(own));
  });
  if (inside === true) {
    return `The host sees this machine as ${from}, which firewall.ssh${list} allows: check that the SSH server's port is the one in the rules.`;
  }
  return `The host sees this machine as ${from}; firewall.ssh${list} ${inside === false ? "does not allow it" : "must allow it"}. Fix: add "${own.toString()}" or its network to firewall.ssh.`;
}

function parseAddress(text: string): AnyCidr | undefined {
  const parsed = AnyCidr.parse(`${text}/${text.includes(":") ? 128 : 32}`);
  return isAnyCidr(parsed) ? parsed : undefined;
}
