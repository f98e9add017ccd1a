import { stashType } from "../names/name";
import { isMachineType, nameIn, ours, owners, topologiesIn, type WrittenResource } from "../topology/of-resources";
import { byName, type Topology } from "../topology/topology";
import { protectedBy } from "./clouds";
import type { ClusterChange, MachineChange } from "./findings";
import { type ReadPreview, type ReviewStep, unknown } from "./read";
import { unseenSettingsIn, walkIn } from "./walk";

/** Operations by which nothing becomes otherwise. */
const quiet: readonly string[] = ["same", "read", "refresh", "read-discard"];

export function isQuiet({ op }: ReviewStep): boolean {
  return quiet.includes(op);
}

/** Each cluster of the preview, before and after. */
export function changesIn(preview: ReadPreview): ClusterChange[] {
  const partial = preview.leftOut > 0;
  const [before, after] = partial ? [withOwners(preview.before), withOwners(preview.after)] : [preview.before, preview.after];
  const topologies = { before: byUrn(before), after: byUrn(after) };
  const parents = new Map([...before, ...after].flatMap(({ urn, parent }) => (parent === undefined ? [] : [[urn, parent] as const])));
  const inputs = new Map(before.map((resource) => [resource.urn, resource.inputs]));
  const stays = new Set(after.map(({ urn }) => urn));
  // What an earlier run left to be deleted has the name of the one that took its place, which is not deleted.
  const steps = preview.steps.filter((step) => !isQuiet(step) && !(step.op === "delete" && stays.has(step.urn)));
  const clusters = [...new Set([...topologies.before.keys(), ...topologies.after.keys()])].sort();
  if (partial) for (const parent of [...parents.values()]) if (!parents.has(parent)) placeHost(parent, clusters, parents);
  return clusters.map((urn): ClusterChange => {
    const own = steps.filter((step) => isWithin(step.urn, urn, parents));
    const [was, will] = [topologies.before.get(urn), topologies.after.get(urn)];
    const machines = machinesOf(nameIn(urn), own, parents, inputs);
    const stay = (will?.hosts ?? []).filter(({ key }) => was?.hosts.some((host) => host.key === key) === true).map(({ key }) => key);
    const [old, made] = [before, after].map((resources) => resources.find((resource) => resource.urn === urn));
    const walk = partial ? undefined : walkIn(old, made, stay);
    return {
      cluster: nameIn(urn),
      ...pieceOf(urn),
      before: was,
      after: will,
      steps: own,
      machines,
      otherKeys: otherKeysIn(urn, preview).filter((host) => !machines.some((machine) => machine.host === host)),
      ...(walk && { walk }),
      unseenSettings: partial ? [] : unseenSettingsIn(old, made),
      livesOn: inputs.get(urn)?.["adopted"] === "lives on",
      partial,
    };
  });
}

/**
 * Hosts whose machines are told from others in another way now. A cluster remembers that by a digest of what they are made as; of a
 * machine that stands, that is its SSH host key alone.
 */
function otherKeysIn(urn: string, { before, after }: Pick<ReadPreview, "before" | "after">): string[] {
  const [was, will] = [before, after].map((resources) => {
    const memory = resources.find(({ type, parent, urn: own }) => type === stashType && parent === urn && nameIn(own) === `${nameIn(urn)}-members`);
    return machineDigests(memory?.inputs["input"]);
  });
  const others = [...(will ?? [])].filter(([host, digest]) => was?.get(host) !== undefined && was.get(host) !== digest).map(([host]) => host);
  return byName(others, (host) => host);
}

/** What is known only when it is made is left out. */
function machineDigests(memory: unknown): ReadonlyMap<string, string> {
  const fields = (value: unknown): Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  return new Map(
    Object.entries(fields(fields(memory)["members"])).flatMap(([host, place]) => {
      const { machine } = fields(place);
      return typeof machine === "string" && machine !== unknown ? [[host, machine] as const] : [];
    }),
  );
}

function byUrn(resources: readonly WrittenResource[]): Map<string, Topology> {
  return new Map(topologiesIn(resources).map(({ urn, topology }) => [urn, topology]));
}

function pieceOf(urn: string): Pick<ClusterChange, "piece"> {
  const [, piece] = /:(HostFirewall|WireGuardMesh)$/.exec(typeIn(urn)) ?? [];
  return piece === "HostFirewall" || piece === "WireGuardMesh" ? { piece } : {};
}

/** A cluster that stays as it is may be left out while parts of it are not: their parent's URN is all that is known of it then. */
function withOwners(resources: readonly WrittenResource[]): WrittenResource[] {
  const known = new Set(resources.map(({ urn }) => urn));
  const missing = new Set(resources.flatMap(({ parent }) => (parent === undefined || known.has(parent) || !isOwner(parent) ? [] : [parent])));
  return [...resources, ...[...missing].map((urn) => ({ urn, type: typeIn(urn), inputs: {} }))];
}

/** A host that stays as it is may be left out while its machine is not. It is its cluster's whose name it begins with. */
function placeHost(urn: string, clusters: readonly string[], parents: Map<string, string>): void {
  const named = clusters.filter((cluster) => nameIn(urn).startsWith(`${nameIn(cluster)}-`)).sort((a, b) => b.length - a.length);
  const [cluster] = named;
  if (typeIn(urn) === `${ours}Host` && cluster !== undefined) parents.set(urn, cluster);
}

function isOwner(urn: string): boolean {
  return owners.includes(typeIn(urn));
}

/** The type that a URN ends its chain of types with. */
function typeIn(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function isWithin(urn: string, owner: string, parents: ReadonlyMap<string, string>): boolean {
  for (let at: string | undefined = urn; at !== undefined; at = parents.get(at)) if (at === owner) return true;
  return false;
}

function machinesOf(
  cluster: string,
  steps: readonly ReviewStep[],
  parents: ReadonlyMap<string, string>,
  inputs: ReadonlyMap<string, WrittenResource["inputs"]>,
): MachineChange[] {
  const machines = new Map<string, ReviewStep[]>();
  for (const step of steps) {
    if (isMachineType(step.type)) machines.set(step.urn, [...(machines.get(step.urn) ?? []), step]);
  }
  const found = [...machines].flatMap(([urn, own]): MachineChange[] => {
    const host = parents.get(urn);
    const type = own[0]?.type ?? "";
    if (host === undefined || typeIn(host) !== `${ours}Host`) return [];
    const by = protectedBy(type, inputs.get(urn) ?? {});
    const changed = [...new Set(own.flatMap((step) => step.changed))];
    return [{ host: nameIn(host).slice(cluster.length + 1), urn, type, how: howOf(own), changed, ...(by !== undefined && { protectedBy: by }) }];
  });
  // The engine's own order differs from run to run.
  return byName(found, ({ host }) => host);
}

/** An operation may be several steps: a replacement is a deletion, a replacement and a creation, in either order. */
function howOf(steps: readonly ReviewStep[]): MachineChange["how"] {
  const ops = steps.map(({ op }) => op);
  if (ops.some((op) => /replace/.test(op))) return "replaced";
  if (ops.includes("update")) return "changed";
  return ops.some((op) => op === "create" || op === "import") ? "made" : "removed";
}
