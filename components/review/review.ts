import { addressFindings, moveLine, refusedMoves } from "./addresses";
import { changesIn, isQuiet } from "./changes";
import { destructiveFindings } from "./destructive";
import { downtimeFindings } from "./downtime";
import { type Drawable, drawableOf } from "./drawable";
import { encryptionFindings } from "./encryption";
import { type ClusterChange, type Finding } from "./findings";
import { firewallFindings } from "./firewall";
import { gatewayFindings } from "./gateways";
import { hostFindings, quorumFindings, refusedReplacements } from "./hosts";
import { networkFindings } from "./networks";
import { policyFindings } from "./policies";
import { peerFindings } from "./peers";
import { trunkFindings } from "./trunks";
import { type ReadPreview } from "./read";
import { type Risk, riskNames } from "./risks";
import { unknownFindings } from "./unknown";
import { walkFindings, walkQuorum } from "./walk";

/** What a preview means for one cluster. */
export interface ClusterReview {
  readonly cluster: string;
  readonly what: "new" | "changed" | "removed" | "unchanged" | "refused";
  readonly findings: readonly Finding[];
  /** What may be drawn of it. Undefined where nothing changes, or where what stays was left out of the preview. */
  readonly drawn?: Drawable;
}

/** What a preview means. */
export interface Review {
  /** The whole in a line. */
  readonly verdict: string;
  readonly clusters: readonly ClusterReview[];
  /** How often each risk was found. */
  readonly risks: Readonly<Partial<Record<Risk, number>>>;
  /** Why the preview failed. Then nothing else is said: what it did not come to is missing. */
  readonly errors: readonly string[];
  /** Resources that stay as they are, and were left out of the preview. */
  readonly leftOut: number;
}

/** Says what the edit that was previewed means for each of the program's clusters. Touches nothing. */
export function review(preview: ReadPreview): Review {
  const { errors, leftOut } = preview;
  if (errors.length > 0) return reviewFailed(errors, leftOut);
  const changes = changesIn(preview);
  const clusters = changes.map(reviewCluster);
  const risks = countRisks(clusters.flatMap(({ findings }) => findings));
  const others = countOthers(preview, changes);
  return { verdict: verdictOf(clusters, risks, others, leftOut), clusters, risks, errors, leftOut };
}

/** What a failed preview did not come to is missing in it, so that comparing would find what is not so. */
function reviewFailed(errors: readonly string[], leftOut: number): Review {
  const refused = [...refusedMoves(errors), ...refusedReplacements(errors)];
  const risks = countRisks(refused);
  const verdict = `The preview failed, and nothing was changed.${refused.length === 0 ? "" : ` ${showTotal(risks)}.`}`;
  const clusters: ClusterReview[] = refused.length === 0 ? [] : [{ cluster: refusedCluster(errors), what: "refused", findings: refused }];
  // Each move is a finding of its own, and what waits for the cluster has nothing to add.
  const said = errors.filter((message) => errors.length === 1 || !message.startsWith("nothing is done; the error of the cluster says why"));
  return { verdict, clusters, risks, errors: said.map((message) => message.replaceAll(moveLine, "").trim()), leftOut };
}

/** As the message of a refused move names it. */
function refusedCluster(errors: readonly string[]): string {
  return errors.map((message) => /^The [\w ]+ "([^"]*)" would (?:move|give|replace)/m.exec(message)?.[1]).find((name) => name !== undefined) ?? "";
}

export function reviewCluster(change: ClusterChange): ClusterReview {
  const { cluster, before, after, steps, partial } = change;
  if (before && after && steps.length === 0) return { cluster, what: "unchanged", findings: [] };
  const findings = [
    ...hostFindings(change),
    ...walkFindings(change),
    ...quorumFindings(change),
    ...walkQuorum(change),
    ...firewallFindings(change),
    ...policyFindings(change),
    ...gatewayFindings(change),
    ...peerFindings(change),
    ...trunkFindings(change),
    ...encryptionFindings(change),
    ...addressFindings(change),
    ...networkFindings(change),
    ...downtimeFindings(change),
    ...destructiveFindings(change),
    ...unknownFindings(change),
  ];
  const what = !before ? "new" : !after ? "removed" : "changed";
  const [drawn] = partial ? [] : drawableOf(change);
  return { cluster, what: partial && what === "new" ? "changed" : what, findings, ...(drawn && { drawn }) };
}

function countRisks(findings: readonly Finding[]): Partial<Record<Risk, number>> {
  const found = riskNames.map((name) => [name, findings.filter(({ risk }) => risk === name).length] as const);
  return Object.fromEntries(found.filter(([, count]) => count > 0));
}

function showRisks(risks: Partial<Record<Risk, number>>): string {
  return Object.entries(risks)
    .map(([name, count]) => (count === 1 ? name : `${name} (${count})`))
    .join(", ");
}

/** `2 risks: world-open, replace-manager`. */
function showTotal(risks: Partial<Record<Risk, number>>): string {
  const total = Object.values(risks).reduce((sum, count) => sum + count, 0);
  return total === 0 ? "No risks found" : `${total === 1 ? "1 risk" : `${total} risks`}: ${showRisks(risks)}`;
}

/** Resources of the program beside its clusters that become otherwise. */
function countOthers(preview: ReadPreview, changes: readonly ClusterChange[]): number {
  const ours = new Set(changes.flatMap(({ steps }) => steps.map(({ urn }) => urn)));
  return new Set(preview.steps.filter((step) => !isQuiet(step) && !ours.has(step.urn) && step.type !== "pulumi:pulumi:Stack").map(({ urn }) => urn))
    .size;
}

function verdictOf(clusters: readonly ClusterReview[], risks: Partial<Record<Risk, number>>, others: number, leftOut: number): string {
  const beside = others === 0 ? "" : ` ${others === 1 ? "1 other resource" : `${others} other resources`} of the program will be changed.`;
  if (clusters.length === 0) {
    const why =
      leftOut === 0
        ? "There is no cluster of pulumi-swarm in this preview."
        : "Nothing of a cluster of pulumi-swarm is changed, or in this preview at all.";
    return why + beside;
  }
  if (clusters.every(({ what }) => what === "unchanged")) return `Nothing of the cluster${clusters.length === 1 ? "" : "s"} is changed.${beside}`;
  const has = (section: Finding["section"]): boolean => clusters.some(({ findings }) => findings.some((finding) => finding.section === section));
  const also = [...(has("downtime") ? [" Some services will be interrupted."] : []), ...(has("destructive") ? [" Something is deleted."] : [])];
  return `${showTotal(risks)}.${also.join("")}${beside}`;
}
