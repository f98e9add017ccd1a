import { partsOf, seenBy } from "./parts";
import type { Finding, Row, Severity } from "../health";
import { findingsOf } from "./findings";
import type { Seen } from "./seen";
import { Situation } from "./situation";

/** How the whole is: what a monitor is told by the exit code. */
export type State = "fine" | Severity;

/** As the plugins of monitoring systems have them (Nagios, Icinga, Sensu). */
export const exitCodes: Readonly<Record<State, number>> = { fine: 0, warning: 1, broken: 2, unknown: 3 };

/** What was seen, what is found in it, and what that means. Pure: the same sight gives the same report. */
export interface Report {
  readonly seen: Seen;
  readonly situation: Situation;
  readonly state: State;
  /** One line: the cause first. */
  readonly verdict: string;
  readonly findings: readonly Finding[];
  /** Rows of each part of the overlay and the underlay, under their heading. */
  readonly parts: readonly { readonly key: string; readonly name: string; readonly rows: readonly Row[] }[];
}

export function reportOf(seen: Seen): Report {
  const situation = new Situation(seen);
  const findings = findingsOf(situation);
  const state = findings[0]?.severity ?? "fine";
  const parts = seen.planned ? partsOf(seen.planned) : [];
  return {
    seen,
    situation,
    state,
    verdict: verdictOf(situation, findings),
    findings,
    parts: parts.map((part) => ({ key: part.key, name: part.name, rows: part.rows(seenBy(part, situation)) })),
  };
}

/** @returns the exit code where only some kinds of findings count. */
export function failsOn(wanted: readonly string[], { findings, situation, state }: Report): number {
  const counts = (finding: Finding): boolean =>
    wanted.some((word) => word === finding.kind || word === finding.severity || (word === "drift" && finding.drift === true));
  if (findings.some(counts)) return exitCodes.broken;
  // Where something could not be looked at, nobody can say that it is not there.
  return state === "unknown" || situation.looked.length < situation.hosts.length ? exitCodes.unknown : exitCodes.fine;
}

/** Words that stand for several kinds of findings. */
export const groups: Readonly<Record<string, string>> = {
  drift: 'whatever the next "pulumi up" with another membership.recheck would fix',
  broken: "whatever does not work, or is open that should not be",
  warning: "whatever works, but not as planned, or not for long",
};

function verdictOf(situation: Situation, findings: readonly Finding[]): string {
  const [first, ...others] = findings;
  if (first) return `${first.text}${others.length === 0 ? "" : ` (and ${others.length} more)`}`;
  const { quorum, hosts, nodes } = situation;
  const count = Math.max(hosts.length, nodes.length);
  return `${count} ${count === 1 ? "host is" : "hosts are"} ready, ${quorum.alive} of ${quorum.total} ${quorum.total === 1 ? "manager answers" : "managers answer"}`;
}
