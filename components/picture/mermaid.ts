import type { Topology } from "../topology/topology";
import { type Kind, type Piece, signs } from "./piece";
import { palette } from "./palette";
import { type Machines, sceneOf } from "./scene";
import { count } from "./words";

/** More hosts of a group than these are one node, such as "edge 1–57 (57 workers)". */
const mostNodes = 8;
/** More boxes are one under the other rather than side by side. */
const mostInRow = 4;

const { boxes, text: textColour } = palette.light;
/** Colours for light and dark pages alike, since a text brings its own with it. A box that changes shows it by its line alone. */
const looks = {
  ...boxes,
  bandNew: [boxes.band[0], boxes.new[1]],
  bandChanged: [boxes.band[0], boxes.changed[1]],
  bandGone: [boxes.band[0], boxes.gone[1]],
} as const;
type Look = keyof typeof looks;
const bandLooks = { same: "band", new: "bandNew", changed: "bandChanged", gone: "bandGone" } as const;

/** Lines that are not like others. */
const strokes: Partial<Record<Look, string>> = {
  world: ",stroke-width:3px",
  internal: ",stroke-dasharray:2 3",
  gone: ",stroke-dasharray:6 4",
  bandNew: ",stroke-width:3px",
  bandChanged: ",stroke-width:3px",
};

/** What identifiers begin with: a kind may change, and the thing is the same. */
const lists: Readonly<Record<Kind, string>> = {
  manager: "host",
  worker: "host",
  opening: "rule",
  world: "rule",
  rule: "rule",
  network: "network",
  internal: "network",
  program: "program",
  protected: "channel",
  bare: "channel",
};

/**
 * A cluster as a diagram in Mermaid's words, for what shows Markdown: GitHub and GitLab draw it. The same cluster is always the
 * same text, and a line of it is one thing, so that an edit changes few lines.
 *
 * @param before The cluster as it was, to mark what is new, what changed and what is gone.
 * @param machines Hosts whose machines the edit makes anew or changes.
 */
export function mermaid(after: Topology, before?: Topology, machines?: Machines): string {
  const { title, facts, openings, closed, underlay, sites, between, overlay, networks, policies, gateways, peers, trunks, programs, channels } =
    sceneOf(after, before, machines);
  const draw = new Drawing();
  draw.line(`accTitle: ${plain(title)}`);
  draw.line(`accDescr: ${plain(facts)}`);
  if (openings.length > 0)
    draw.box("open", `open from outside. ${closed}`, "band", openings.length, () => openings.forEach((piece) => draw.node(piece)));
  if (underlay) {
    draw.box("hosts", titleOf(underlay), bandLooks[underlay.change], sites.length, () => {
      for (const { name, roles } of sites)
        draw.box(`site ${name}`, name, "site", mostInRow + 1, () => roles.forEach(({ hosts }) => drawHosts(draw, hosts)));
      drawAll(draw, between, "allowed between hosts", "rule");
    });
  }
  if (overlay) {
    const called = (what: string, pieces: readonly Piece[]): Piece[] => pieces.map((piece) => ({ ...piece, name: `${what}: ${piece.name}` }));
    const inside = [
      ...networks,
      ...policies,
      ...called("reached outside", gateways),
      ...called("announced to", peers),
      ...called("machines on", trunks),
      ...programs,
    ];
    draw.box("overlay", titleOf(overlay), bandLooks[overlay.change], inside.length, () => {
      inside.forEach((piece) => draw.node(piece));
      // What has nothing in it would not be drawn as a box.
      if (inside.length === 0) draw.text("no network yet", "rule");
    });
  }
  if (channels.length > 0) {
    draw.box("kept", "what is encrypted", "band", channels.filter(({ change }) => change !== "same").length + 2, () => {
      drawAll(draw, channels.filter(isKind("protected")), "protected", "protected");
      drawAll(draw, channels.filter(isKind("bare")), "not protected", "bare");
    });
  }
  if (openings.length > 0 && underlay) draw.line("open --> hosts");
  if (overlay && underlay) draw.line("hosts <--> overlay");
  if (channels.length > 0 && underlay) draw.line(`${overlay ? "overlay" : "hosts"} ~~~ kept`);
  return draw.end();
}

class Drawing {
  private readonly lines: string[] = ["flowchart TB"];
  private readonly boxes: (readonly [id: string, look: Look])[] = [];
  private readonly looks = new Set<Look>();
  private readonly ids = new Set<string>();
  private depth = 1;

  line(text: string): void {
    this.lines.push(`${"  ".repeat(this.depth)}${text}`);
  }

  box(name: string, title: string, look: Look, size: number, inside: () => void): void {
    const id = this.id(name);
    this.boxes.push([id, look]);
    this.line(`subgraph ${id}["${label(title.trim())}"]`);
    this.depth += 1;
    this.line(`direction ${size > mostInRow ? "LR" : "TB"}`);
    inside();
    this.depth -= 1;
    this.line("end");
  }

  node({ id, kind, name, says, change }: Piece): void {
    this.write(`${lists[kind]} ${id}`, `${signs[change]}${name}`, says, change === "same" ? kind : change);
  }

  text(text: string, look: Look): void {
    this.write(`all ${look}`, text, "", look);
  }

  private write(id: string, name: string, says: string, look: Look): void {
    this.looks.add(look);
    this.line(`${this.id(id)}["${label(name)}${says === "" ? "" : `<br/>${label(says)}`}"]:::${look}`);
  }

  /** An identifier that stays while the thing does, so that an edit moves no other line. */
  private id(words: string): string {
    const wanted = words.replaceAll(/[^A-Za-z0-9]+/g, "_");
    let id = wanted;
    for (let number = 2; this.ids.has(id); number += 1) id = `${wanted}_${number}`;
    this.ids.add(id);
    return id;
  }

  /** The colours come last, and only those that are used. */
  end(): string {
    for (const [id, look] of this.boxes) this.line(`class ${id} ${look}`);
    for (const look of [...new Set([...this.looks, ...this.boxes.map(([, of]) => of)])].sort()) {
      const [fill, stroke] = looks[look];
      this.line(`classDef ${look} fill:${fill},stroke:${stroke},color:${textColour}${strokes[look] ?? ""}`);
    }
    return `${this.lines.join("\n")}\n`;
  }
}

function isKind(kind: Kind): (piece: Piece) => boolean {
  return (piece) => piece.kind === kind;
}

function titleOf({ name, says, change }: Piece): string {
  return `${signs[change]}${name}, ${says}`;
}

/** What stays is one node; each thing that an edit changes is one of its own. */
function drawAll(draw: Drawing, pieces: readonly Piece[], what: string, look: Look): void {
  const same = pieces.filter(({ change }) => change === "same");
  if (same.length > 0) draw.text(`${what}: ${same.map(({ name }) => name).join(", ")}`, look);
  pieces.filter(({ change }) => change !== "same").forEach((piece) => draw.node(piece));
}

/** Hosts one by one, or where there are many of one group that share their fate, in one node. */
function drawHosts(draw: Drawing, hosts: readonly Piece[]): void {
  const fateOf = (host: Piece): string => JSON.stringify([groupOf(host), host.change]);
  const groups = new Map<string, Piece[]>();
  for (const host of hosts) groups.set(fateOf(host), [...(groups.get(fateOf(host)) ?? []), host]);
  for (const host of hosts) {
    const group = groups.get(fateOf(host)) ?? [];
    if (group.length <= mostNodes) draw.node({ ...host, says: `${host.kind} · ${host.says}` });
    else if (host === group[0])
      draw.node({ ...host, id: `${groupOf(host)}-all`, name: rangesOf(groupOf(host), group), says: count(group.length, host.kind) });
  }
}

/** Where nothing tells the group, the name without the number at its end. */
function groupOf({ group, name }: Piece): string {
  return group ?? name.replace(/-\d+$/, "");
}

/** `edge 1–3, 5–57`, and by name those that have one. */
function rangesOf(group: string, hosts: readonly Piece[]): string {
  const places = hosts.map(({ name }) => (name.startsWith(`${group}-`) ? name.slice(group.length + 1) : name));
  const isNumber = (place: string): boolean => /^\d{1,9}$/.test(place);
  const ranges: [number, number][] = [];
  for (const number of places
    .filter(isNumber)
    .map(Number)
    .sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && number === last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  const numbers = ranges.map(([from, to]): string => (from === to ? `${from}` : `${from}–${to}`));
  return `${group} ${[...numbers, ...places.filter((place) => !isNumber(place))].join(", ")}`;
}

/** Text without quotes: for readers of a screen, who lose nothing by a missing sign. */
function plain(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} .,:/()·–…-]/gu, "");
}

/**
 * Text within quotes. Whatever is no letter, digit or plain sign is written by its number, so that no name can end the quotes, be
 * taken for HTML or a directive, or end a code block of the Markdown around it.
 */
function label(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} .,:/()+~·–−…-]/gu, (sign) => `#${sign.codePointAt(0) ?? 0};`);
}
