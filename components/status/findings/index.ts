import type { Finding } from "../../health";
import type { Rule } from "../finding";
import { allParts, partsOf, seenBy } from "../parts";
import type { Situation } from "../situation";
import { engineStopped } from "./engine-stopped";
import { hostDead } from "./host-dead";
import { noManager } from "./no-manager";
import { noMember } from "./no-member";
import { nodeDown } from "./node-down";
import { nothingAnswers } from "./nothing-answers";
import { quorumLost } from "./quorum-lost";
import { swarmLocked } from "./swarm-locked";
import { unreachable } from "./unreachable";

/** In this order a person deals with them: what is the cause of others comes before them. */
const causes: readonly Rule[] = [nothingAnswers, quorumLost, noManager, hostDead, engineStopped, swarmLocked, noMember];
/** After those of the underlay and the overlay. */
const consequences: readonly Rule[] = [nodeDown, unreachable];

export const kinds: Readonly<Record<string, string>> = {
  ...Object.fromEntries([...causes, ...consequences].map(({ kind, summary }) => [kind, summary])),
  ...Object.assign({}, ...allParts.map((part) => part.kinds)),
};

/** What a person should know, what to do first at the top: all that is broken, and then what is not yet. */
export function findingsOf(situation: Situation): readonly Finding[] {
  const { planned } = situation.seen;
  const by = (rules: readonly Rule[]): Finding[] => rules.flatMap(({ kind, find }) => find(situation).map((finding) => ({ kind, ...finding })));
  const ofParts = planned ? partsOf(planned).flatMap((part) => part.findings(seenBy(part, situation), new Date(situation.seen.at))) : [];
  const all = [...by(causes), ...ofParts, ...by(consequences)];
  return (["unknown", "broken", "warning"] as const).flatMap((severity) => all.filter((finding) => finding.severity === severity));
}
