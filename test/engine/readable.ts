const header = /^(\s*)((?:\+-|[-+~])\s*\S+: \((?:create|update|delete|replace)\))$/;

/** The resources that change, each with its name, in the order of their names: the engine's own order differs from run to run. */
export function readable(stdout: string): string {
  const blocks: { title: string; indent: number; lines: string[] }[] = [];
  const counts = /^Resources:\n(?: {4}.*\n?)+/m.exec(stdout)?.[0] ?? "";
  for (const line of stdout.slice(0, stdout.indexOf("Resources:\n")).split("\n")) {
    const [, indent, title] = header.exec(line) ?? [];
    const block = blocks.at(-1);
    if (title !== undefined) blocks.push({ title, indent: indent?.length ?? 0, lines: [] });
    else if (block && /^\s*\[urn=/.test(line)) block.title = `${block.title} ${/::([^:\]]+)\]/.exec(line)?.[1] ?? ""}`;
    // What a command is told is a secret, and how the rest of it is shown is its provider's affair.
    else if (block?.title.includes("command:local:Command")) continue;
    else if (block && !/^\s*\[(id|provider)=|^info: /.test(line)) block.lines.push(line.slice(Math.min(block.indent, line.search(/\S|$/))));
  }
  const texts = blocks.map(({ title, lines }) => [title, ...lines.filter((line) => line.trim() !== "")].join("\n"));
  return `${[...texts.sort(), counts.trimEnd()].join("\n\n")}\n`.replaceAll(/"\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?"/g, '"<today>"');
}
