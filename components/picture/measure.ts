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
 * How wide letters are in DejaVu Sans, in hundredths of their size, and of the bold ones by the factor below: the widest of the fonts that `system-ui` stands for. So a text
 * that fits by this table fits everywhere.
 */
const widths: readonly (readonly [number, string])[] = [
  [30, " '"],
  [33, "IJijl"],
  [36, ",./:;\\|·"],
  [39, "-f"],
  [42, "!()[]"],
  [45, "rt"],
  [51, '"*_`–'],
  [57, "?szLc"],
  [60, "kvxy"],
  [63, "FTaeo"],
  [66, "0123456789$EPSYbdghnpqu{}"],
  [69, "ABKVXZ"],
  [75, "CRNU"],
  [81, "&DGHOQ"],
  [84, "#+<=>^w~−"],
  [90, "M"],
  [99, "%Wm"],
  [102, "@…"],
];
const known = new Map(widths.flatMap(([width, letters]) => [...letters].map((letter) => [letter, width] as const)));
/** Of letters that the table does not name: those of other scripts are no wider than high, emoji somewhat. */
const [otherWidth, emojiWidth] = [100, 140];
const boldFactor = 1.13;

function letterWidth(letter: string): number {
  return known.get(letter) ?? ((letter.codePointAt(0) ?? 0) > 0xffff ? emojiWidth : otherWidth);
}

/** How wide a text is at most, in pixels. */
export function widthOf(text: string, style: StyleName): number {
  const { size, bold } = styles[style];
  const hundredths = [...text].reduce((sum, letter) => sum + letterWidth(letter), 0);
  return (hundredths * size * (bold ? boldFactor : 1)) / 100;
}

/** The text, or as much of its beginning and an ellipsis as there is room for. */
export function fitted(text: string, style: StyleName, room: number): string {
  if (widthOf(text, style) <= room) return text;
  const letters = [...text];
  const most = (room / widthOf("…", style) - 1) * letterWidth("…");
  let [used, kept] = [0, 0];
  while (kept < letters.length && used + letterWidth(letters[kept] ?? "") <= most) used += letterWidth(letters[kept++] ?? "");
  return `${letters.slice(0, kept).join("").trimEnd()}…`;
}
