import type { Finding, Severity } from "../../health";
import type { Report, State } from "../report";
import { hostRows } from "./hosts";
import { pathLines } from "./paths";
import { swarmLines } from "./swarm";
import { table, visible, wrapped } from "./table";

const words: Readonly<Record<State, string>> = { fine: "OK", warning: "WARNING", broken: "BROKEN", unknown: "UNKNOWN" };
const colours: Readonly<Record<State, number>> = { fine: 32, warning: 33, broken: 31, unknown: 35 };
const width = 120;

export interface PlainOptions {
  readonly color: boolean;
}

/** One screen for a terminal: the verdict, what to do first, and then all that was seen. */
export function plain(report: Report, { color }: PlainOptions): string {
  const paint = (state: State, text: string): string => (color ? `\u001b[${colours[state]};1m${text}\u001b[0m` : text);
  const bold = (text: string): string => (color ? `\u001b[1m${text}\u001b[0m` : text);
  const { seen, state, verdict, findings, situation, parts } = report;
  const [head = "", ...rest] = wrapped(`${seen.cluster}: ${words[state]}: ${verdict}`, width, "", "  ");
  const begin = `${seen.cluster}: ${words[state]}`;
  const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : [[bold(title), ...lines].join("\n")]);
  const blocks = [
    [`${paint(state, visible(begin))}${head.slice(visible(begin).length)}`, ...rest].join("\n"),
    ...section(
      "What to do first",
      findings.flatMap((finding, index) => findingLines(finding, index, paint)),
    ),
    ...section("Hosts", table(hostRows(situation), "  ").map(visible)),
    ...section(
      "Swarm",
      swarmLines(situation, findings).map((line) => `  ${visible(line)}`),
    ),
    ...section("Paths (average round trip in ms; lost packets)", pathLines(situation).map(visible)),
    ...parts.flatMap(({ name, rows }) =>
      section(
        name,
        table(
          rows.map(({ host, says }) => [host, says]),
          "  ",
        ).map(visible),
      ),
    ),
    `Seen at ${seen.at.replace("T", " ").replace(/\.\d+Z$/, " UTC")} in ${seen.seconds} s, by ${visible(seen.by)}`,
  ];
  return `${blocks.join("\n\n")}\n`;
}

function findingLines({ severity, text, detail, fix }: Finding, index: number, paint: (state: Severity, text: string) => string): string[] {
  const number = `  ${index + 1}. `;
  const below = " ".repeat(number.length);
  const [first = "", ...others] = wrapped(`${words[severity]} ${text}`, width, number, below);
  const start = number + words[severity];
  return [
    `${number}${paint(severity, words[severity])}${first.slice(start.length)}`,
    ...others,
    ...(detail === undefined ? [] : wrapped(`Seen: ${detail}`, width, below, below)),
    ...wrapped(`Fix: ${fix}`, width, below, below),
  ];
}
