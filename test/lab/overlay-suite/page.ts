import type { OverlayKind } from "../../../components/overlays/overlay";
import { overlays } from "./all";
import { managers, worker } from "./cluster";
import { engines, inTurn, newestAndOldest, type Release, type Releases, usual } from "./releases";

/** A part of the suite on one kind of underlay. */
interface Column {
  readonly title: string;
  readonly runs: readonly Run[];
}

/** What a file of the lab says. */
interface Run {
  readonly kind: string;
  readonly releases: Releases;
}

const all = Object.keys(overlays) as OverlayKind[];

const from: Readonly<Record<Release, string>> = {
  bookworm: "Debian 12",
  trixie: "Debian 13",
  forky: "Debian's testing",
  "forky-29": "no package: built from Go modules",
};

/**
 * What the page says of engines: which the suite was run on, as its files have it.
 *
 * @param files text of each `*.test.ts` of the lab
 */
export function enginesTable(files: readonly string[]): string {
  const text = files.join("\n");
  const columns: readonly Column[] = [
    { title: "the whole suite: one site, `direct()`", runs: wholeIn(text) },
    { title: "in turn: one site, `direct()`", runs: inTurnIn(text, 1) },
    { title: "in turn: two sites, `wireguard()`", runs: inTurnIn(text, 2) },
  ];
  const head = ["Docker", "from", ...columns.map(({ title }) => title)];
  const rows = (Object.keys(engines) as Release[]).map((release) => [
    engines[release],
    from[release],
    ...columns.map(({ runs }) => cell(runs, release)),
  ]);
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

const place = String.raw`\{ name: "\w+", subnets: \[([^\]]*)\](?:, releases: (\w+))? \}`;

function wholeIn(text: string): readonly Run[] {
  const calls = [...text.matchAll(new RegExp(String.raw`^overlaySuite\((\w+), ${place}`, "gm"))];
  return calls.map(([, kind = "", , releases]) => ({ kind, releases: releases === "usual" ? usual : newestAndOldest }));
}

function inTurnIn(text: string, sites: number): readonly Run[] {
  const calls = [...text.matchAll(new RegExp(String.raw`^overlaysInTurn\(${place}`, "gm"))];
  const there = calls.some(([, subnets = ""]) => subnets.split(",").length === sites);
  return there ? all.map((kind) => ({ kind, releases: inTurn(sites) })) : [];
}

function cell(runs: readonly Run[], release: Release): string {
  const onManager = runs.some(({ releases }) => managers.some((name) => releases[name] === release));
  const found = runs.filter(({ releases }) => Object.values(releases).includes(release)).map(({ kind }) => kind);
  if (found.length === 0) return "not run";
  const kinds = all.every((kind) => found.includes(kind)) ? "all five" : all.filter((kind) => found.includes(kind)).join(", ");
  const onWorker = runs.some(({ releases }) => releases[worker] === release);
  return `${kinds}: ${[...(onManager ? ["managers"] : []), ...(onWorker ? ["a worker"] : [])].join(", ")}`;
}
