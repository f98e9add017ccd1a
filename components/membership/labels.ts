import { availabilityOf } from "./aside";
import type { Work } from "./control";
import { drain } from "./drain";
import type { SwarmNode } from "./swarm-api";
import { asideLabel, type DesiredMember, drainedLabel, hostLabel, leavingLabel, managedLabel } from "./types";

const transient: readonly string[] = [leavingLabel, asideLabel, drainedLabel, managedLabel];

/** Brings the labels and the availability of one member to what the program says, and takes back a drain of ours that was interrupted. */
export async function label(member: DesiredMember, seen: SwarmNode, work: Work): Promise<void> {
  const { control, io } = work;
  const node = member.drained === true ? await drained(member, seen, work) : seen;
  const labels = labelsFor(member, node);
  const availability = node.availability === "drain" ? takenBack(member, node, io) : undefined;
  if (availability === undefined && node.availability !== "active" && member.drained !== true) io.progress(member.key, byHand(node));
  if (availability === undefined && sameLabels(labels, node.labels)) return;
  await control.call((manager) => manager.updateNode(node.id, { labels, ...(availability && { availability }) }));
}

/** One that somebody has drained before stays drained when the program no longer says so: there is no mark of ours then. */
async function drained({ key }: DesiredMember, node: SwarmNode, work: Work): Promise<SwarmNode> {
  if (node.availability === "drain") return node;
  const mark = { [drainedLabel]: node.availability };
  await drain(key, node, work, mark);
  return { ...node, availability: "drain", labels: { ...node.labels, ...mark } };
}

/** What it was before it was drained by us, whatever for. */
function wasBefore({ labels }: SwarmNode): string | undefined {
  return labels[drainedLabel] ?? labels[asideLabel] ?? (leavingLabel in labels ? "active" : undefined);
}

/** @returns what a node becomes that we have drained, and that is to stay. */
function takenBack(member: DesiredMember, node: SwarmNode, io: Work["io"]): SwarmNode["availability"] | undefined {
  const was = wasBefore(node);
  if (member.drained === true || was === undefined) return undefined;
  if (leavingLabel in node.labels) io.progress(member.key, "was being taken out, and is taken back");
  else if (asideLabel in node.labels) io.progress(member.key, "was drained for a change of its machine, and is taken back");
  else io.progress(member.key, "is no longer drained by the program");
  return availabilityOf(was);
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
  const was = wasBefore(node);
  return {
    ...Object.fromEntries(others),
    ...member.labels,
    [hostLabel]: member.key,
    ...(member.drained === true && was !== undefined && { [drainedLabel]: was }),
    ...(managed.length > 0 && { [managedLabel]: managed.join(",") }),
  };
}

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
