import { mermaid } from "../../picture/mermaid";
import { type Finding, type SectionName, sections, type Text } from "../findings";
import type { Drawable } from "../drawable";
import type { ClusterReview, Review } from "../review";

/** By which a comment is found again, to be written anew instead of another one. */
export const marker = "<!-- pulumi-swarm review -->";

/** For a comment on a pull request. Values are shown as code, so that nothing in them counts as Markdown or HTML. */
export function markdown(review: Review, title: string): string {
  const parts = [
    `${marker}\n### ${escaped(title)}`,
    `**${escaped(review.verdict)}**`,
    ...review.errors.map(fenced),
    ...review.clusters.filter(({ findings }) => findings.length > 0).map(clusterPart),
  ];
  return `${parts.join("\n\n")}\n`;
}

function clusterPart({ cluster, what, findings, drawn }: ClusterReview): string {
  const names = (Object.keys(sections) as SectionName[]).filter((name) => findings.some(({ section }) => section === name));
  const parts = names.map((name) => [`**${sections[name]}**`, ...findings.filter(({ section }) => section === name).map(line)].join("\n"));
  return [`#### ${code(cluster)}, ${what}`, ...parts, ...(drawn ? [picture(drawn)] : [])].join("\n\n");
}

/** Folded up: who wants it opens it. What is new, changed or gone is marked. */
function picture({ before, after, machines }: Drawable): string {
  return `<details><summary>Picture: what is new is green, what changes yellow, what goes red</summary>\n\n\`\`\`mermaid\n${mermaid(after, before, machines).trimEnd()}\n\`\`\`\n\n</details>`;
}

function line({ risk, text }: Finding): string {
  return `- ${risk === undefined ? "" : `⚠️ **${risk}**: `}${shown(text)}`;
}

function shown(text: Text): string {
  return text.map((part) => (typeof part === "string" ? escaped(part) : "value" in part ? code(part.value) : escaped(part.said))).join("");
}

/** A span of code around anything, backticks too: its fence is longer than any run of them inside. */
function code(value: string): string {
  const flat = value.replaceAll(/\s+/g, " ");
  if (flat.trim() === "") return '""';
  const fence = "`".repeat(longestRun(flat) + 1);
  const room = flat.startsWith("`") || flat.endsWith("`") ? " " : "";
  return `${fence}${room}${flat}${room}${fence}`;
}

function fenced(message: string): string {
  const fence = "`".repeat(Math.max(3, longestRun(message) + 1));
  return `${fence}\n${message}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
}

/** Prose in which nothing counts as Markdown, HTML or the name of somebody who would be told. */
function escaped(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .replaceAll(/[\\`*_[\]|~]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("#", "&#35;")
    .replaceAll("@", "&#64;");
}
