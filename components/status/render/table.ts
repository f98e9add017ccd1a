/** Rows of words as columns, as wide as their longest word. The last column is as long as it is. */
export function table(rows: readonly (readonly string[])[], indent: string): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) => `${indent}${row.map((word, column) => word.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
}

/** Nothing that a host or a program wrote may move a terminal's cursor or change its colours. */
export function visible(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ");
}

/** Lines of at most so many letters, the first one after a heading, the others below it. */
export function wrapped(text: string, width: number, first: string, others: string): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of visible(text).split(" ")) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = others;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
