import type { Work } from "./control";
import type { SwarmNode } from "./swarm-api";
import { type DesiredMember, hostLabel, leavingLabel, managedLabel } from "./types";

/** Brings the labels of one member to what the program says, and takes back a drain of ours that was interrupted. */
export async function label(member: DesiredMember, node: SwarmNode, { control, io }: Work): Promise<void> {
  const labels = labelsFor(member, node);
  const activate = leavingLabel in node.labels && node.availability === "drain";
  if (!activate && sameLabels(labels, node.labels)) return;
  if (activate) io.progress(member.key, "was being taken out, and is taken back");
  await control.call((manager) => manager.updateNode(node.id, { labels, ...(activate && { availability: "active" }) }));
}

/** Ours and the program's, and whatever somebody else put there. */
function labelsFor(member: DesiredMember, node: SwarmNode): Record<string, string> {
  const before = new Set((node.labels[managedLabel] ?? "").split(",").filter(Boolean));
  const others = Object.entries(node.labels).filter(([name]) => !before.has(name) && name !== leavingLabel && name !== managedLabel);
  const managed = Object.keys(member.labels ?? {}).sort();
  return {
    ...Object.fromEntries(others),
    ...member.labels,
    [hostLabel]: member.key,
    ...(managed.length > 0 && { [managedLabel]: managed.join(",") }),
  };
}

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
