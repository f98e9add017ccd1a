import type { Finding } from "../../health";
import type { Rule } from "../finding";
import { allParts, partsOf, seenBy } from "../parts";
import type { Situation } from "../situation";
import { caRotating } from "./ca-rotating";
import { certificateEnding } from "./certificate-ending";
import { clockOff } from "./clock-off";
import { diskFull } from "./disk-full";
import { dockerRules } from "./docker-rules";
import { drained } from "./drained";
import { engineStopped } from "./engine-stopped";
import { enginesApart } from "./engines-apart";
import { firewallChanged } from "./firewall-changed";
import { firewallGone } from "./firewall-gone";
import { hostDead } from "./host-dead";
import { labelDiffers } from "./label-differs";
import { networkAgent } from "./network-agent";
import { networkDiffers } from "./network-differs";
import { noManager } from "./no-manager";
import { noMember } from "./no-member";
import { nodeDown } from "./node-down";
import { nothingAnswers } from "./nothing-answers";
import { pathLost } from "./path-lost";
import { pathNarrow } from "./path-narrow";
import { portClosed } from "./port-closed";
import { quorumLost } from "./quorum-lost";
import { rebootRequired } from "./reboot-required";
import { roleDiffers } from "./role-differs";
import { servicesShort } from "./services-short";
import { settingsDiffer } from "./settings-differ";
import { stranger } from "./stranger";
import { swarmLocked } from "./swarm-locked";
import { unreachable } from "./unreachable";

/** In this order a person deals with them: what is the cause of others comes before them. */
const causes: readonly Rule[] = [
  nothingAnswers,
  quorumLost,
  noManager,
  firewallGone,
  hostDead,
  diskFull,
  clockOff,
  engineStopped,
  swarmLocked,
  noMember,
];
/** After those of the underlay and the overlay. */
const consequences: readonly Rule[] = [
  nodeDown,
  enginesApart,
  networkAgent,
  dockerRules,
  pathLost,
  pathNarrow,
  certificateEnding,
  unreachable,
  networkDiffers,
  servicesShort,
  firewallChanged,
  roleDiffers,
  labelDiffers,
  settingsDiffer,
  drained,
  rebootRequired,
  caRotating,
  portClosed,
  stranger,
];

/** Their words, each with a line that says what it is, in the order in which they are dealt with. */
export const kinds: Readonly<Record<string, string>> = Object.fromEntries([
  ...causes.map(lineOf),
  ...allParts.flatMap((part) => Object.entries(part.kinds)),
  ...consequences.map(lineOf),
]);

function lineOf({ kind, summary }: Rule): readonly [string, string] {
  return [kind, summary];
}

/** What a person should know, what to do first at the top: all that is broken, and then what is not yet. */
export function findingsOf(situation: Situation): readonly Finding[] {
  const { planned } = situation.seen;
  const by = (rules: readonly Rule[]): Finding[] => rules.flatMap((rule) => rule.find(situation).map((finding) => ({ kind: rule.kind, ...finding })));
  const ofParts = planned ? partsOf(planned).flatMap((part) => part.findings(seenBy(part, situation), new Date(situation.seen.at))) : [];
  const all = [...by(causes), ...ofParts, ...by(consequences)];
  const told = all.filter((finding) => !all.some((cause) => explains(cause, finding)));
  return (["unknown", "broken", "warning"] as const).flatMap((severity) => told.filter((finding) => finding.severity === severity));
}

function explains(cause: Finding, { kind, hosts }: Finding): boolean {
  return cause.explains?.includes(kind) === true && hosts.some((host) => cause.hosts.includes(host));
}
