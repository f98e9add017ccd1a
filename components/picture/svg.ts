import type { Topology } from "../topology/topology";
import { type Box, type IconName, type Text } from "./layout";
import { styles } from "./measure";
import { type Page, pageOf } from "./page";
import { palette, type Colours } from "./palette";
import { type Machines, sceneOf } from "./scene";

/** Room beside the page, so that no line is cut. */
const margin = 10;

/** Twelve by twelve, drawn by lines. */
const icons: Readonly<Record<IconName, string>> = {
  world: "M6 .8a5.2 5.2 0 1 0 0 10.4a5.2 5.2 0 1 0 0 -10.4zM.8 6h10.4M6 .8c-3 3 -3 7.4 0 10.4M6 .8c3 3 3 7.4 0 10.4",
  locked: "M2 5.5h8v5.7h-8zM3.8 5.5v-1.8a2.2 2.2 0 0 1 4.4 0v1.8M6 7.6v1.6",
  unlocked: "M2 5.5h8v5.7h-8zM3.8 5.5v-2.3a2.2 2.2 0 0 1 4.2 -.9",
};

/**
 * A cluster as a picture in SVG: who may connect, which hosts there are on which sites, what joins them, and the networks over
 * them. One file without scripts or fonts of its own, for light and dark pages; the same cluster is always the same text.
 *
 * @param before The cluster as it was, to mark what is new, what changed and what is gone.
 * @param machines Hosts whose machines the edit makes anew or changes.
 */
export function svg(after: Topology, before?: Topology, machines?: Machines): string {
  const scene = sceneOf(after, before, machines);
  const page = pageOf(scene);
  const box = `${-margin} 0 ${page.width + 2 * margin} ${round(page.height)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box}" role="img" aria-labelledby="title desc">
<title id="title">${escaped(scene.title)}</title>
<desc id="desc">${escaped([scene.facts, scene.closed].filter((text) => text !== "").join(". "))}</desc>
<style>
${styleSheet()}
</style>
<rect class="paper" x="${-margin}" y="0" width="${page.width + 2 * margin}" height="${round(page.height)}"/>
${[...page.boxes.map(drawBox), ...page.texts.map(drawText), ...page.arrows.map(drawArrow)].join("\n")}
</svg>
`;
}

function drawBox({ x, y, width, height, radius, look, texts, icon, tip }: Box): string {
  return [
    `<g class="${look.join(" ")}">`,
    ...(tip ? [`<title>${escaped(tip)}</title>`] : []),
    `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="${radius}"/>`,
    ...(icon ? [`<path d="${icons[icon.name]}" transform="translate(${round(icon.x)} ${round(icon.y)})"/>`] : []),
    ...texts.map(drawText),
    "</g>",
  ].join("");
}

function drawText({ x, y, text, style, quiet, anchor }: Text): string {
  const end = anchor === "end" ? ' text-anchor="end"' : "";
  return `<text class="${style}${quiet ? " quiet" : ""}" x="${round(x)}" y="${round(y)}"${end}>${escaped(text)}</text>`;
}

function drawArrow({ x, from, to, heads }: Page["arrows"][number]): string {
  const head = (tip: number, away: number): string => `M${x - 5} ${round(tip + away)}L${x} ${round(tip)}L${x + 5} ${round(tip + away)}`;
  return `<path class="way" d="M${x} ${round(from)}V${round(to)}${head(to, -6)}${heads === 2 ? head(from, 6) : ""}"/>`;
}

function styleSheet(): string {
  const sizes = Object.entries(styles).map(([name, { size, bold }]) => `.${name} { font-size: ${size}px;${bold ? " font-weight: 600;" : ""} }`);
  return [
    'text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }',
    ...sizes,
    "path { fill: none; stroke-width: 1.3; } .way { stroke-width: 2; }",
    ".world > rect { stroke-width: 2; } .internal > rect { stroke-dasharray: 2 3; } .gone > rect { stroke-dasharray: 6 4; }",
    ".new > rect, .changed > rect, .gone > rect { stroke-width: 2; }",
    ...colours(palette.light),
    "@media (prefers-color-scheme: dark) {",
    ...colours(palette.dark),
    "}",
  ].join("\n");
}

function colours({ paper, text, quiet, line, boxes }: Colours): string[] {
  return [
    `.paper { fill: ${paper}; } text { fill: ${text}; } .quiet { fill: ${quiet}; } path { stroke: ${quiet}; } .way { stroke: ${line}; }`,
    // A band holds much else: its line alone shows that it changes.
    `.band.band > rect { fill: ${boxes.band[0]}; }`,
    ...Object.entries(boxes).map(([look, [fill, stroke]]) => `.${look} > rect { fill: ${fill}; stroke: ${stroke}; }`),
  ];
}

/** A tenth of a pixel is enough, and the same on every machine. */
function round(number: number): number {
  return Math.round(number * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
