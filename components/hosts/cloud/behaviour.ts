/*
 * What a cloud does with what this package makes there, as its provider's source and its API's documentation have it. The plan and the
 * stand-in plugins of the tests read the same tables, so that a belief stands once: where one is wrong, it is corrected in one place.
 */

/** What becomes of a resource when one of its properties is another one. */
export type Effect =
  /** It is changed in place, and goes on. */
  | "updates"
  /** It is shut down by its operating system, changed, and started again. */
  | "stops"
  /** Its power is cut, it is changed, and started again. */
  | "powers off"
  /** It is deleted, and another one is made. */
  | "replaces"
  /** The provider refuses at `up`. */
  | "refuses"
  /** The provider takes it down and changes nothing. */
  | "nothing";

export interface PropertyBehaviour {
  readonly effect: Effect;
  /** What it means that a program no longer gives it. `kept`: it stays as it was. @default - that is a change like any other */
  readonly absent?: "kept";
  /** What it comes to that only one of the two gives it. @default - `effect` */
  readonly givenByOne?: Effect;
  /** The form in which the cloud gives it back, where that is another one than what it takes. A program must give this form. */
  readonly readBack?: string;
  /** What one has to know beside that. */
  readonly note?: string;
  /** File of the provider's source, or page of the API's documentation. */
  readonly source: string;
}

/** A deletion that the cloud refuses. */
export interface DeleteRefusal {
  /** The property that has it refused while it is true. @default - what `when` says */
  readonly property?: string;
  /** What has the provider lift it, while it is true in the state. @default - nothing does */
  readonly unless?: string;
  readonly when: string;
  /** As the API says it. */
  readonly says: string;
  readonly note?: string;
  readonly source: string;
}

export interface Quota {
  readonly most: number;
  readonly of: string;
  readonly source: string;
}

export interface ResourceBehaviour {
  /** By name; what lies within one by its path, such as `rootBlockDevice.encrypted`. */
  readonly properties: Readonly<Record<string, PropertyBehaviour>>;
  readonly deleteRefused: readonly DeleteRefusal[];
  readonly quotas: Readonly<Record<string, Quota>>;
}

/** By the resource's type. */
export type CloudBehaviour = Readonly<Record<string, ResourceBehaviour>>;

/** Names of properties whose change has one of these effects; of what lies within one, the name of the outermost. */
export function propertiesThat({ properties }: ResourceBehaviour, ...effects: readonly Effect[]): readonly string[] {
  const paths = Object.entries(properties).filter(([, { effect }]) => effects.includes(effect));
  return [...new Set(paths.map(([path]) => path.split(".")[0] ?? path))];
}

/** Whether the cloud would refuse to delete a resource, as its inputs were applied last. */
export function refusalOf({ deleteRefused }: ResourceBehaviour, inputs: Readonly<Record<string, unknown>>): DeleteRefusal | undefined {
  return deleteRefused.find(
    ({ property, unless }) => property !== undefined && inputs[property] === true && (unless === undefined || inputs[unless] !== true),
  );
}

/** What a change from some inputs to others comes to. */
export interface ChangeOf {
  readonly path: string;
  readonly effect: Effect;
}

/**
 * @param same Whether two values of a property are the same.
 * @returns what is otherwise, by the rows of the table. What no row knows is not looked at.
 */
export function changesBetween(
  { properties }: ResourceBehaviour,
  olds: Readonly<Record<string, unknown>>,
  news: Readonly<Record<string, unknown>>,
  same: (one: unknown, other: unknown) => boolean,
): readonly ChangeOf[] {
  return Object.entries(properties).flatMap(([path, { effect, absent, givenByOne = effect }]): ChangeOf[] => {
    const [was, will] = [valueAt(olds, path), valueAt(news, path)];
    if (same(was, will) || (absent === "kept" && isAbsent(will))) return [];
    return [{ path, effect: isAbsent(was) || isAbsent(will) ? givenByOne : effect }];
  });
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

/** Paths of all that is given, down to what a table has no rows within. */
export function unknownTo({ properties }: ResourceBehaviour, given: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : strange(properties, name, value)));
}

function strange(properties: ResourceBehaviour["properties"], path: string, value: unknown): readonly string[] {
  if (Object.hasOwn(properties, path)) return [];
  if (!Object.keys(properties).some((row) => row.startsWith(`${path}.`))) return [path];
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return parts.flatMap((part) =>
    typeof part === "object" && part !== null ? Object.entries(part).flatMap(([name, inner]) => strange(properties, `${path}.${name}`, inner)) : [],
  );
}

/** A list's value is the list of what its items have there. */
function valueAt(value: unknown, path: string): unknown {
  const [name = "", ...rest] = path.split(".");
  if (Array.isArray(value)) return value.map((item) => valueAt(item, path));
  const inner = typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  return rest.length === 0 || inner === undefined ? inner : valueAt(inner, rest.join("."));
}
