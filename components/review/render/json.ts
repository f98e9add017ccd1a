import type { Finding } from "../findings";
import type { Review } from "../review";
import type { Risk } from "../risks";
import { plainText } from "./plain";

/** A finding as the JSON has it. */
export interface FindingJson {
  readonly section: Finding["section"];
  readonly kind: Finding["kind"];
  readonly subject: string;
  readonly text: string;
  readonly risk?: Risk;
}

/** The review for programs. Fields may be added; one that is here keeps its meaning as long as `version` is the same. */
export interface ReviewJson {
  readonly version: 1;
  readonly verdict: string;
  readonly failed: boolean;
  readonly errors: readonly string[];
  readonly risks: readonly (FindingJson & { readonly cluster: string; readonly risk: Risk })[];
  readonly clusters: readonly { readonly cluster: string; readonly what: string; readonly findings: readonly FindingJson[] }[];
  readonly leftOut: number;
}

export function reviewJson({ verdict, clusters, errors, leftOut }: Review): ReviewJson {
  const all = clusters.map(({ cluster, what, findings }) => ({ cluster, what, findings: findings.map(findingJson) }));
  return {
    version: 1,
    verdict,
    failed: errors.length > 0,
    errors,
    risks: all.flatMap(({ cluster, findings }) => findings.flatMap((finding) => (finding.risk ? [{ cluster, ...finding, risk: finding.risk }] : []))),
    clusters: all,
    leftOut,
  };
}

export function json(review: Review): string {
  return `${JSON.stringify(reviewJson(review), null, 2)}\n`;
}

function findingJson({ section, kind, subject, text, risk }: Finding): FindingJson {
  return { section, kind, subject, text: plainText(text), ...(risk && { risk }) };
}
