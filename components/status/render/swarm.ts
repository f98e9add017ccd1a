import type { Finding } from "../../health";
import type { Situation } from "../situation";
import { severalOf } from "../words";

/** What holds of the whole, a line for each. */
export function swarmLines(situation: Situation, findings: readonly Finding[]): string[] {
  const drift = findings.filter((finding) => finding.drift === true).length;
  return [
    ...quorumLines(situation),
    ...certificateLine(situation),
    ...firewallLine(situation),
    ...(situation.seen.planned ? [`drift: ${driftOf(situation, drift)}`] : []),
  ];
}

function quorumLines({ seen, quorum, nodes }: Situation): string[] {
  if (!seen.swarm) return ["no manager can tell how the swarm is"];
  const spare = quorum.alive - quorum.needed;
  const { services } = seen.swarm;
  const running = services.filter((service) => service.running >= service.wanted).length;
  const answer = quorum.alive === 1 ? "answers" : "answer";
  return [
    `quorum: ${quorum.alive} of ${severalOf(quorum.total, "manager")} ${answer}, ${quorum.needed} ${quorum.needed === 1 ? "is" : "are"} needed; ${spare === 0 ? "none" : spare} more may be lost`,
    `nodes: ${nodes.filter(({ state }) => state === "ready").length} of ${nodes.length} ready, as ${seen.swarm.from} says`,
    ...(services.length > 0 ? [`services: ${running} of ${services.length} run all their tasks`] : []),
  ];
}

/** The one that ends first. Nodes renew them long before. */
function certificateLine({ looked }: Situation): string[] {
  const ends = looked.flatMap(({ key, system: { certificate } }) => (certificate ? [{ key, until: certificate.until }] : []));
  const [first] = [...ends].sort((a, b) => (a.until < b.until ? -1 : 1));
  return first ? [`certificates: the first one of a node ends on ${first.until.slice(0, 10)} (${first.key})`] : [];
}

function firewallLine({ looked, seen }: Situation): string[] {
  if (!seen.planned?.rules) return [];
  const planned = looked.filter(({ system: { firewall } }) => firewall.state === "whole" && firewall.asPlanned !== false);
  return [`firewall: as planned on ${planned.length} of ${severalOf(looked.length, "host")} that ${looked.length === 1 ? "was" : "were"} looked at`];
}

function driftOf({ hosts, looked }: Situation, drift: number): string {
  const unseen = hosts.length - looked.length;
  const rest = unseen === 0 ? "" : `; ${severalOf(unseen, "host")} could not be looked at`;
  return `${drift === 0 ? "none" : `${severalOf(drift, "finding")} above that "pulumi up" fixes`}${rest}`;
}
