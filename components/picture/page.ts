import { type Area, type Block, type Box, cards, cells, chips, gap, iconOf, iconSize, mostColumns, type Text, textAt } from "./layout";
import { fitted, widthOf } from "./measure";
import { type Piece, signs } from "./piece";
import { isChanged, type Scene, type SceneSite } from "./scene";

/** A whole picture: numbers and words, for a drawer to write down. */
export interface Page {
  readonly width: number;
  readonly height: number;
  /** Each over those before it. */
  readonly boxes: readonly Box[];
  readonly texts: readonly Text[];
  /** From top to bottom, with a head at the end. */
  readonly arrows: readonly { readonly x: number; readonly from: number; readonly to: number; readonly heads: 1 | 2 }[];
}

export const pageWidth = 920;
const frame = 14;
const labelHeight = 24;
const arrowHeight = 40;
/** Where arrows are: under the middle of the first card. */
const inwards = 112;
/** A site with more hosts has a row of its own. */
const mostSideBySide = 6;
const mostSitesInRow = 3;
/** More hosts of one role on one site are shown as small cells. */
const mostCards = 12;
const leastCard = 196;
const leastCell = 124;
const fewestColumns = 3;

/** Places all that a scene says, from top to bottom. */
export function pageOf(scene: Scene): Page {
  const legend = legendOf(scene);
  const legendStart = Math.min(pageWidth, ...legend.map(({ x }) => x));
  const title = textAt(0, 32, fitted(scene.title, "heading", legendStart - gap), "heading");
  const facts = textAt(0, 56, fitted(scene.facts, "note", pageWidth), "note", true);
  const open = openings(scene, 74);
  const hosts = scene.underlay ? hostsOf(scene, scene.underlay, open.bottom) : { boxes: [], bottom: open.bottom };
  const overlay = scene.overlay && overlayOf(scene, scene.overlay, hosts.bottom + arrowHeight);
  const kept = channels(scene, (overlay ?? hosts).bottom + 2 * gap);
  return {
    width: pageWidth,
    height: kept.bottom + frame,
    boxes: [...legend, ...open.boxes, ...hosts.boxes, ...(overlay?.boxes ?? []), ...kept.boxes],
    texts: [title, facts, ...open.texts, ...kept.texts],
    arrows: [...open.arrows, ...(overlay ? [{ x: inwards, from: hosts.bottom + 3, to: hosts.bottom + arrowHeight - 3, heads: 2 as const }] : [])],
  };
}

/** What the colours mean, at the right of the heading. */
function legendOf(scene: Scene): Box[] {
  if (!scene.compared) return [];
  const piece = (change: "new" | "changed" | "gone"): Piece => ({ id: change, kind: "rule", name: change, says: "", tip: "", change });
  const nothing: Piece = { ...piece("new"), name: "nothing of this changes", change: "same" };
  const { boxes } = chips(isChanged(scene) ? [piece("new"), piece("changed"), piece("gone")] : [nothing], { x: 0, y: 14, width: pageWidth });
  const last = boxes.at(-1);
  const shift = pageWidth - (last ? last.x + last.width : 0);
  return boxes.map(({ piece: _piece, tip: _tip, ...box }) => ({
    ...box,
    x: box.x + shift,
    texts: box.texts.map((text) => ({ ...text, x: text.x + shift })),
  }));
}

function openings({ openings: pieces, closed }: Scene, y: number): Block & Pick<Page, "texts" | "arrows"> {
  if (pieces.length === 0)
    return {
      boxes: [],
      texts: closed === "" ? [] : [textAt(0, y + 13, closed, "note", true)],
      arrows: [],
      bottom: y + (closed === "" ? 0 : labelHeight),
    };
  const label = textAt(0, y + 13, "open from outside", "label", true);
  const { boxes, bottom } = cards(pieces, { x: 0, y: y + labelHeight, width: pageWidth });
  const note = closed === "" ? [] : [textAt(inwards + 14, bottom + arrowHeight / 2 + 4, closed, "note", true)];
  return {
    boxes,
    texts: [label, ...note],
    arrows: [{ x: inwards, from: bottom + 4, to: bottom + arrowHeight - 3, heads: 1 }],
    bottom: bottom + arrowHeight,
  };
}

/** The hosts of all sites, within what joins them. */
function hostsOf({ sites, between }: Scene, underlay: Piece, y: number): Block {
  const area = { x: frame, y: y + 2 * labelHeight, width: pageWidth - 2 * frame };
  const boxes: Box[] = [];
  let top = area.y;
  for (const row of rowsOf(sites)) {
    const block = sitesInRow(row, { ...area, y: top });
    boxes.push(...block.boxes);
    top = block.bottom + gap;
  }
  const rules = chips(between, { ...area, y: top + labelHeight - gap / 2 });
  const label = between.length === 0 ? [] : [textAt(frame, top + 13, "allowed between hosts", "label", true)];
  const bottom = (between.length === 0 ? top - gap : rules.bottom) + frame;
  return { boxes: [band(underlay, { x: 0, y, width: pageWidth }, bottom, label), ...boxes, ...rules.boxes], bottom };
}

/** Small sites side by side, others one by one. */
function rowsOf(sites: readonly SceneSite[]): SceneSite[][] {
  const rows: SceneSite[][] = [];
  for (const site of sites) {
    const row = rows.at(-1);
    if (row !== undefined && row.length < mostSitesInRow && [site, ...row].every((each) => sizeOf(each) <= mostSideBySide)) row.push(site);
    else rows.push([site]);
  }
  return rows;
}

function sizeOf({ roles }: SceneSite): number {
  return roles.reduce((sum, { hosts }) => sum + hosts.length, 0);
}

function sitesInRow(sites: readonly SceneSite[], { x, y, width }: Area): Block {
  const each = (width - (sites.length - 1) * gap) / sites.length;
  const blocks = sites.map((site, index) => siteOf(site, { x: x + index * (each + gap), y, width: each }));
  const bottom = Math.max(...blocks.map((block) => block.bottom));
  // Sites of one row are of one height.
  const boxes = blocks.flatMap(({ boxes: [outer, ...inner] }) => (outer ? [{ ...outer, height: bottom - y }, ...inner] : []));
  return { boxes, bottom };
}

function siteOf({ name, roles }: SceneSite, { x, y, width }: Area): Block {
  const inner = { x: x + frame, width: width - 2 * frame };
  const columns = (least: number, between: number): number => Math.max(1, Math.floor((inner.width + between) / (least + between)));
  const wide = columns(leastCard, gap);
  const most = Math.max(...roles.map(({ hosts }) => hosts.length));
  const perRow = Math.min(wide, Math.max(Math.min(most, mostColumns), Math.min(fewestColumns, wide)));
  const texts: Text[] = [textAt(inner.x, y + 22, fitted(name, "title", inner.width), "title")];
  const boxes: Box[] = [];
  let top = y + 32;
  for (const { label, hosts } of roles) {
    texts.push(textAt(inner.x, top + 13, fitted(label, "says", inner.width), "says", true));
    const area = { ...inner, y: top + 22 };
    const block = hosts.length > mostCards ? cells(hosts, area, columns(leastCell, gap / 2)) : cards(hosts, area, perRow);
    boxes.push(...block.boxes);
    top = block.bottom + gap;
  }
  const bottom = top - gap + frame;
  return { boxes: [{ x, y, width, height: bottom - y, radius: 9, look: ["site"], texts, tip: `site ${name}` }, ...boxes], bottom };
}

/** The networks that lie over all hosts, with the ways between them and out of them. */
function overlayOf({ networks, policies, gateways, peers, trunks, programs }: Scene, overlay: Piece, y: number): Block {
  const area = { x: frame, y: y + 2 * labelHeight, width: pageWidth - 2 * frame };
  const nets = cards(networks, area);
  const boxes: Box[] = [...nets.boxes];
  const texts: Text[] = [];
  let bottom = networks.length === 0 ? area.y - gap : nets.bottom;
  const put = (rows: Block): void => {
    boxes.push(...rows.boxes);
    bottom = rows.bottom;
  };
  for (const [label, pieces] of [
    ["allowed between networks", policies],
    ["reached outside", gateways],
    ["announced to routers outside", peers],
    ["machines outside in networks", trunks],
  ] as const) {
    if (pieces.length === 0) continue;
    texts.push(textAt(frame, bottom + gap + 13, label, "label", true));
    put(cards(pieces, { ...area, y: bottom + labelHeight + gap / 2 }));
  }
  if (programs.length > 0) put(chips(programs, { ...area, y: bottom + gap }));
  bottom = boxes.length === 0 ? area.y : bottom + frame;
  return { boxes: [band(overlay, { x: 0, y, width: pageWidth }, bottom, texts), ...boxes], bottom };
}

/** A box over the whole width with a name and a line: what others lie in. */
function band(piece: Piece, { x, y, width }: Area, bottom: number, texts: readonly Text[]): Box {
  const icon = iconOf(piece) ?? "unlocked";
  const start = x + frame + iconSize + 6;
  const name = fitted(signs[piece.change] + piece.name, "title", (width - 2 * frame) / 2);
  const after = start + widthOf(name, "title") + 14;
  const says = textAt(after, y + 28, fitted(piece.says, "says", x + width - frame - after), "says", true);
  return {
    ...{ x, y, width, height: bottom - y, radius: 12, look: piece.change === "same" ? ["band"] : ["band", piece.change], tip: piece.tip, piece },
    texts: [textAt(start, y + 28, name, "title"), says, ...texts],
    icon: { name: icon, x: x + frame, y: y + 17 },
  };
}

function channels({ channels: pieces }: Scene, y: number): Block & Pick<Page, "texts"> {
  if (pieces.length === 0) return { boxes: [], texts: [], bottom: y - gap };
  const { boxes, bottom } = chips(pieces, { x: 0, y: y + labelHeight, width: pageWidth });
  return { boxes, bottom, texts: [textAt(0, y + 13, "what is encrypted", "label", true)] };
}
