/** A size and weight of letters. */
export interface Style {
  /** In CSS pixels of the view box. */
  readonly size: number;
  readonly bold: boolean;
}

export const styles = {
  heading: { size: 19, bold: true },
  title: { size: 14, bold: true },
  says: { size: 12, bold: false },
  label: { size: 13, bold: true },
  note: { size: 13, bold: false },
  small: { size: 11, bold: true },
  tiny: { size: 10, bold: false },
} as const satisfies Readonly<Record<string, Style>>;

export type StyleName = keyof typeof styles;

/**
 * How wide letters are in DejaVu Sans, in hundredths of their size: the widest of the fonts that `system-ui` stands for. So a text
 * that fits by this table fits everywhere.
 */
const widths: readonly (readonly [number, string])[] = [
  [28, "ijl'"],
  [34, " .,:;|/\\I!fr"],
  [41, '()[]-t·`"'],
  [52, "sczJ_*?"],
  [60, "kvxyLFTeaoE"],
  [64, "bdghnpqu0123456789$ZSYKPXABCRV"],
  [79, "wDGHNOQU+=<>~#&−–^"],
  [97, "mM"],
  [100, "W@%…—"],
];
const known = new Map(widths.flatMap(([width, letters]) => [...letters].map((letter) => [letter, width] as const)));
/** Of letters that the table does not name: those of other scripts are no wider than high, emoji somewhat. */
const [otherWidth, emojiWidth] = [100, 140];
const boldFactor = 1.13;

/** How wide a text is at most, in pixels. */
export function widthOf(text: string, style: StyleName): number {
  const { size, bold } = styles[style];
  const hundredths = [...text].reduce(
    (sum, letter) => sum + (known.get(letter) ?? ((letter.codePointAt(0) ?? 0) > 0xffff ? emojiWidth : otherWidth)),
    0,
  );
  return (hundredths * size * (bold ? boldFactor : 1)) / 100;
}

/** The text, or as much of its beginning and an ellipsis as there is room for. */
export function fitted(text: string, style: StyleName, room: number): string {
  if (widthOf(text, style) <= room) return text;
  const letters = [...text];
  while (letters.length > 1 && widthOf(`${letters.join("")}…`, style) > room) letters.pop();
  return `${letters.join("").trimEnd()}…`;
}
