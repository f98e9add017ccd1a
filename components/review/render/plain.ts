import { type Finding, type SectionName, sections, type Text } from "../findings";
import type { ClusterReview, Review } from "../review";

const signs: Readonly<Record<Finding["kind"], string>> = { added: "+", removed: "-", changed: "~", note: " " };

/** For a terminal. */
export function plain(review: Review, options: { readonly color: boolean }): string {
  const paint = (code: number, text: string): string => (options.color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const [red, bold] = [31, 1];
  const line = ({ kind, risk, text }: Finding): string =>
    risk === undefined ? `    ${signs[kind]} ${plainText(text)}` : paint(red, `    ! ${risk}: ${plainText(text)}`);
  const cluster = ({ cluster, what, findings }: ClusterReview): string => {
    const names = (Object.keys(sections) as SectionName[]).filter((name) => findings.some(({ section }) => section === name));
    const parts = names.flatMap((name) => [`  ${sections[name]}`, ...findings.filter(({ section }) => section === name).map(line)]);
    return [paint(bold, `${visible(cluster)}, ${what}`), ...parts].join("\n");
  };
  const parts = [
    paint(bold, visible(review.verdict)),
    ...review.errors.map((message) =>
      message
        .split("\n")
        .map((each) => `  ${visible(each)}`)
        .join("\n"),
    ),
    ...review.clusters.filter(({ findings }) => findings.length > 0).map(cluster),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** The text without any form. */
export function plainText(text: Text): string {
  return text.map((part) => visible(typeof part === "string" ? part : "value" in part ? part.value : part.said)).join("");
}

/** Nothing that a program wrote may move a terminal's cursor or change its colours. */
function visible(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ");
}
