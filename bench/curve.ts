import { readFileSync, writeFileSync } from "node:fs";
import type { Result } from "./large";

/*
 * Draws what bench/large.ts measured: time and memory of the program on hosts against the number of hosts.
 *   ts-node bench/curve.ts .lab/bench/large.result.json docs/pictures/hosts.svg
 */

interface Curve {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly {
    readonly name: string;
    readonly colour: "up" | "edit" | "destroy";
    /** Where its name stands. @default - above its end */
    readonly below?: true;
    readonly points: readonly (readonly [number, number])[];
  }[];
}

const [width, height, gap, margin] = [380, 250, 40, { left: 52, right: 16, top: 44, bottom: 40 }];

/** The next round number, so that the axis ends there. */
function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * unit).find((round) => round >= value) ?? value;
}

function draw({ title, unit, lines }: Curve, left: number): string {
  const all = lines.flatMap(({ points }) => points);
  const [mostX, mostY] = [roundUp(Math.max(...all.map(([x]) => x))), roundUp(Math.max(...all.map(([, y]) => y)))];
  const x = (value: number): number => left + margin.left + (value / mostX) * (width - margin.left - margin.right);
  const y = (value: number): number => height - margin.bottom - (value / mostY) * (height - margin.top - margin.bottom);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const grid = ticks.map((part) => {
    const [value, at] = [part * mostY, y(part * mostY)];
    return `<line class="grid" x1="${x(0)}" x2="${x(mostX)}" y1="${at}" y2="${at}"/><text class="quiet" x="${x(0) - 6}" y="${at + 4}" text-anchor="end">${shown(value)}</text>`;
  });
  const below = ticks.map(
    (part) => `<text class="quiet" x="${x(part * mostX)}" y="${height - margin.bottom + 18}" text-anchor="middle">${shown(part * mostX)}</text>`,
  );
  const drawn = lines.map(({ name, colour, points, below: under }) => {
    const path = points.map(([px, py], index) => `${index === 0 ? "M" : "L"}${x(px).toFixed(1)} ${y(py).toFixed(1)}`).join(" ");
    const dots = points.map(([px, py]) => `<circle class="${colour} dot" cx="${x(px).toFixed(1)}" cy="${y(py).toFixed(1)}" r="3"/>`).join("");
    const [lastX = 0, lastY = 0] = points.at(-1) ?? [];
    return `<path class="${colour}" d="${path}"/>${dots}<text class="${colour} name" x="${x(lastX) - 8}" y="${y(lastY) + (under ? 20 : -8)}" text-anchor="end">${name}</text>`;
  });
  const heading = `<text class="title" x="${left + margin.left}" y="22">${title}</text><text class="quiet" x="${left + margin.left}" y="38">${unit} against the number of hosts</text>`;
  return [heading, ...grid, ...below, ...drawn].join("\n");
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

const style = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 14px } .quiet { fill: #59636e }
  .paper { fill: #ffffff } .grid { stroke: #d1d9e0 } path { fill: none; stroke-width: 2 }
  path.up { stroke: #0969da } .up.dot, .up.name { fill: #0969da } path.edit { stroke: #1a7f37 } .edit.dot, .edit.name { fill: #1a7f37 }
  path.destroy { stroke: #bc4c00 } .destroy.dot, .destroy.name { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } text { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #30363d }
    path.up { stroke: #4493f8 } .up.dot, .up.name { fill: #4493f8 } path.edit { stroke: #3fb950 } .edit.dot, .edit.name { fill: #3fb950 }
    path.destroy { stroke: #f0883e } .destroy.dot, .destroy.name { fill: #f0883e }
  }`;

function picture(results: readonly Result[]): string {
  const of = (what: string, value: (result: Result) => number): readonly (readonly [number, number])[] =>
    results.filter((result) => result.what === what).map((result) => [result.hosts, value(result)] as const);
  const curves: readonly Curve[] = [
    {
      title: "Time on hosts",
      unit: "seconds",
      lines: [
        { name: "up", colour: "up", points: of("up", ({ program }) => program) },
        { name: "edit of a rule", colour: "edit", points: of("edit of a rule", ({ program }) => program), below: true },
        { name: "destroy", colour: "destroy", points: of("destroy", ({ program }) => program) },
      ],
    },
    { title: "Memory of the program", unit: "MiB", lines: [{ name: "up", colour: "up", points: of("up", ({ memory }) => memory) }] },
  ];
  const total = 2 * width + gap;
  const body = curves.map((curve, index) => draw(curve, index * (width + gap))).join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${height}" width="${total}" height="${height}" role="img" aria-label="Time and memory of pulumi up against the number of hosts">
<style>${style}
</style>
<rect class="paper" width="${total}" height="${height}"/>
${body}
</svg>
`;
}

const [from = "", to = ""] = process.argv.slice(2);
writeFileSync(to, picture(JSON.parse(readFileSync(from, "utf8")) as Result[]));
