import { availabilityOf } from "./aside";
import type { Work } from "./control";
import type { SwarmNode } from "./swarm-api";
import { asideLabel, type DesiredMember, hostLabel, leavingLabel, managedLabel } from "./types";

const transient: readonly string[] = [leavingLabel, asideLabel, managedLabel];

/** Brings the labels of one member to what the program says, and takes back a drain of ours that was interrupted. */
export async function label(member: DesiredMember, node: SwarmNode, { control, io }: Work): Promise<void> {
  const labels = labelsFor(member, node);
  const availability = node.availability === "drain" ? takenBack(member, node, io) : undefined;
  if (availability === undefined && node.availability !== "active") io.progress(member.key, byHand(node));
  if (availability === undefined && sameLabels(labels, node.labels)) return;
  await control.call((manager) => manager.updateNode(node.id, { labels, ...(availability && { availability }) }));
}

/** @returns what a node becomes that we have drained, and that is to stay. */
function takenBack(member: DesiredMember, { labels }: SwarmNode, io: Work["io"]): SwarmNode["availability"] | undefined {
  const aside = labels[asideLabel];
  if (leavingLabel in labels) io.progress(member.key, "was being taken out, and is taken back");
  else if (aside !== undefined) io.progress(member.key, "was drained for a change of its machine, and is taken back");
  else return undefined;
  return aside === undefined ? "active" : availabilityOf(aside);
}

/** Somebody may have had a reason: it is said, and not undone. */
function byHand({ availability, hostname }: SwarmNode): string {
  const effect = availability === "drain" ? "no task runs there" : "no new task starts there";
  return `warning: somebody set its availability to "${availability}", so ${effect}; it is left so. To take it back: docker node update --availability active ${hostname}`;
}

/** Ours and the program's, and whatever somebody else put there. */
function labelsFor(member: DesiredMember, node: SwarmNode): Record<string, string> {
  const before = new Set((node.labels[managedLabel] ?? "").split(",").filter(Boolean));
  const others = Object.entries(node.labels).filter(([name]) => !before.has(name) && !transient.includes(name));
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
