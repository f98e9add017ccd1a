import { completeName, type ResourceType } from "./plugin";
import { isRecord, isSecret, UNKNOWN, type Props } from "./values";

/** What a resource has that its program does not say: of itself, and of each object in a property. */
export interface Defaults {
  readonly own: Props;
  readonly within: Readonly<Record<string, Props>>;
}

/**
 * As a bridged provider's Check: the Terraform schema's defaults become inputs, so they are in the state too, with their names in
 * `__defaults`. Where a state lacks one, the real provider's diff finds a change, and replaces for it what `ForceNew` is written beside.
 */
export function completeWith(defaults: Defaults): NonNullable<ResourceType["complete"]> {
  return (news, olds, urn) => {
    const named = completeName(news, olds, urn);
    const generated = Array.isArray(named["__defaults"]) ? (named["__defaults"] as unknown[]) : [];
    const given = withDefaults(named, defaults);
    return { ...given, __defaults: [...generated, ...Object.keys(defaults.own).filter((name) => isAbsent(news[name]))].sort() };
  };
}

/** For a comparison too: a state of an older stand-in lacks them. */
export function withDefaults(props: Props, { own, within }: Defaults): Props {
  const outer = Object.entries(own).filter(([name]) => isAbsent(props[name]));
  const inner = Object.entries(within).flatMap(([name, defaults]) => (isAbsent(props[name]) ? [] : [[name, complete(props[name], defaults)]]));
  return { ...props, ...(Object.fromEntries([...outer, ...inner]) as Props) };
}

function complete(value: unknown, defaults: Props): unknown {
  if (isSecret(value)) return { ...value, value: complete(value.value, defaults) };
  if (Array.isArray(value)) return (value as unknown[]).map((item) => complete(item, defaults));
  if (value === UNKNOWN || !isRecord(value)) return value;
  const missing = Object.entries(defaults).filter(([name]) => isAbsent(value[name]));
  return { ...value, ...Object.fromEntries(missing), __defaults: Object.keys(defaults).filter((name) => missing.some(([other]) => other === name)) };
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
