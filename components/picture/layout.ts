import { fitted, type StyleName, styles, widthOf } from "./measure";
import { type Piece, signs } from "./piece";
import { line } from "./words";

/** A line of text at its place. */
export interface Text {
  /** Where it starts, or ends if its anchor is the end. */
  readonly x: number;
  /** Of the line that letters stand on. */
  readonly y: number;
  readonly text: string;
  readonly style: StyleName;
  readonly quiet: boolean;
  readonly anchor: "start" | "end";
}

export type IconName = "world" | "locked" | "unlocked";

/** A rectangle with what stands in it. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly radius: number;
  /** Classes, by which it has its colours. */
  readonly look: readonly string[];
  readonly texts: readonly Text[];
  readonly icon?: { readonly name: IconName; readonly x: number; readonly y: number };
  /** What is told to who points at it. */
  readonly tip?: string;
  /** The piece that it shows. @default - it holds others */
  readonly piece?: Piece;
}

/** Boxes one under the other, and where the next may begin. */
export interface Block {
  readonly boxes: readonly Box[];
  readonly bottom: number;
}

/** Where a block may be. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export const gap = 10;
const padding = 12;
export const iconSize = 12;
export const mostColumns = 4;
const iconRoom = iconSize + 6;
const [cardHeight, cellHeight, chipHeight] = [50, 36, 24];
/** A chip is cut when it is longer. */
const longestChip = 300;

export function textAt(x: number, y: number, text: string, style: StyleName, quiet = false, anchor: Text["anchor"] = "start"): Text {
  return { x, y, text, style, quiet, anchor };
}

/** The rectangle that a text keeps within. */
export function extentOf({ x, y, text, style, anchor }: Text): Area & { readonly height: number } {
  const width = widthOf(text, style);
  const { size } = styles[style];
  return { x: anchor === "start" ? x : x - width, y: y - size * 0.8, width, height: size };
}

export function lookOf({ kind, change }: Piece): string[] {
  return change === "same" ? [kind] : [kind, change];
}

export function iconOf({ kind }: Piece): IconName | undefined {
  return ({ world: "world", protected: "locked", bare: "unlocked" } as const)[kind as string];
}

/** Cards of two lines in columns of one width. */
export function cards(pieces: readonly Piece[], area: Area, columns = columnsFor(pieces, area.width)): Block {
  return grid(pieces, area, columns, cardHeight, (piece, box) => {
    const icon = iconOf(piece);
    const room = box.width - 2 * padding;
    const name = fitted(signs[piece.change] + piece.name, "title", room - (icon ? iconRoom : 0));
    const texts = [
      textAt(box.x + padding + (icon ? iconRoom : 0), box.y + 21, name, "title"),
      textAt(box.x + padding, box.y + 39, fitted(piece.says, "says", room), "says"),
    ];
    return { ...box, texts, ...(icon && { icon: { name: icon, x: box.x + padding, y: box.y + 10 } }) };
  });
}

/** As many as may be, or one less where words would be cut. */
function columnsFor(pieces: readonly Piece[], width: number): number {
  const room = (width - (mostColumns - 1) * gap) / mostColumns - 2 * padding;
  const fits = pieces.every((piece) => widthOf(signs[piece.change] + piece.name, "title") <= room - iconRoom && widthOf(piece.says, "says") <= room);
  return fits ? mostColumns : mostColumns - 1;
}

/** The same, smaller: for many. */
export function cells(pieces: readonly Piece[], area: Area, columns: number): Block {
  const inner = 7;
  return grid(pieces, area, columns, cellHeight, (piece, box) => {
    const room = box.width - 2 * inner;
    const texts = [
      textAt(box.x + inner, box.y + 15, fitted(signs[piece.change] + piece.name, "small", room), "small"),
      textAt(box.x + inner, box.y + 29, fitted(piece.says, "tiny", room), "tiny"),
    ];
    return { ...box, texts };
  });
}

function grid(pieces: readonly Piece[], { x, y, width }: Area, columns: number, height: number, write: (piece: Piece, box: Box) => Box): Block {
  const between = height === cellHeight ? gap / 2 : gap;
  const each = (width - (columns - 1) * between) / columns;
  const boxes = pieces.map((piece, index) => {
    const [column, row] = [index % columns, Math.floor(index / columns)];
    const place = { x: x + column * (each + between), y: y + row * (height + between), width: each, height };
    return write(piece, { ...place, radius: 6, look: lookOf(piece), texts: [], tip: piece.tip, piece });
  });
  const rows = Math.ceil(pieces.length / columns);
  return { boxes, bottom: y + rows * height + Math.max(0, rows - 1) * between };
}

/** Chips of one line, one after the other, in as many rows as they need. */
export function chips(pieces: readonly Piece[], area: Area): Block {
  const inner = 9;
  let [x, y] = [area.x, area.y];
  const boxes = pieces.map((piece): Box => {
    const icon = iconOf(piece);
    const before = inner + (icon ? iconRoom : 0);
    const text = fitted(signs[piece.change] + line(piece.name, piece.says), "says", Math.min(longestChip, area.width) - before - inner);
    const width = Math.ceil(before + widthOf(text, "says") + inner);
    if (x > area.x && x + width > area.x + area.width) [x, y] = [area.x, y + chipHeight + 6];
    const place = { x, y, width, height: chipHeight };
    x += width + 6;
    const texts = [textAt(place.x + before, y + 16, text, "says")];
    const at = icon && { icon: { name: icon, x: place.x + inner, y: y + (chipHeight - iconSize) / 2 } };
    return { ...place, radius: chipHeight / 2, look: lookOf(piece), texts, tip: piece.tip, piece, ...at };
  });
  return { boxes, bottom: pieces.length === 0 ? area.y : y + chipHeight };
}
