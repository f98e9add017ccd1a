import { changesIn } from "./changes";
import type { ClusterChange } from "./findings";
import { readPreview, UnreadablePreview } from "./read";
import { topologiesIn, type WrittenResource } from "../topology/of-resources";
import type { Topology } from "../topology/topology";
import { type Machines } from "../picture/scene";
import { nothingOf } from "../topology/topology";

/** A cluster to draw, with what it was where an edit is previewed. */
export interface Drawable {
  readonly after: Topology;
  readonly before?: Topology;
  readonly machines?: Machines;
}

/** What was read cannot be drawn. Says what to do. */
export class Undrawable extends Error {}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The clusters of a preview or of a state.
 *
 * @param text What `pulumi preview --json --show-sames` or `pulumi stack export` printed.
 * @throws Undrawable
 */
export function drawablesIn(text: string): Drawable[] {
  const state = stateIn(text);
  if (state !== undefined) return topologiesIn(state).map(({ topology }) => ({ after: topology }));
  const preview = previewIn(text);
  const { leftOut, errors } = preview;
  if (errors.length > 0) throw new Undrawable(`The preview failed, so nobody knows what would be:\n${errors.join("\n")}`);
  if (leftOut > 0)
    throw new Undrawable(
      `The preview leaves out ${leftOut} resources that stay as they are, and a picture needs them. Fix: preview with --show-sames`,
    );
  return changesIn(preview).flatMap(drawableOf);
}

/** An edit as pictures take it: a cluster that comes or goes has nothing before or after. */
export function drawableOf({ before, after, machines }: Pick<ClusterChange, "before" | "after" | "machines">): Drawable[] {
  const known = after ?? before;
  if (!known) return [];
  const touched = machines.flatMap(({ host, how }) => (how === "replaced" || how === "changed" ? [[host, how] as const] : []));
  return [{ after: after ?? nothingOf(known), before: before ?? nothingOf(known), machines: new Map(touched) }];
}

function previewIn(text: string): ReturnType<typeof readPreview> {
  try {
    return readPreview(text);
  } catch (error) {
    if (error instanceof UnreadablePreview) throw new Undrawable(`${error.message}, or a state with pulumi stack export > state.json`);
    throw error;
  }
}

/** The resources of an exported state; those that only wait to be deleted are left out. */
function stateIn(text: string): WrittenResource[] | undefined {
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isFields(state) || !isFields(state["deployment"])) return undefined;
  const { resources } = state["deployment"];
  return (Array.isArray(resources) ? resources : [])
    .filter(isFields)
    .filter(({ urn, type, delete: goes }) => typeof urn === "string" && typeof type === "string" && goes !== true)
    .map((resource) => ({ ...resource, inputs: isFields(resource["inputs"]) ? resource["inputs"] : {} }) as unknown as WrittenResource);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
