import { completeName, type Context, isGeneratedName, randomHex, type ResourceType } from "../../../../tools/plugins/shared/plugin";
import { replaceRevealed, revealProps, sameValue, type Props } from "../../../../tools/plugins/shared/values";
import { changesBetween, type ChangeOf, refusalOf, type ResourceBehaviour, unknownTo } from "../../../../components/hosts/cloud/behaviour";
import type { PublishedTypes } from "./published";
import type { Store, Stored } from "./store";

/** What is particular of one kind of resource. What nothing is said of is only kept, as a cloud's books are. */
export interface Kind {
  /** What an id is, or what comes before its number: `vpc` has `vpc-0a1b…`. */
  readonly id: string | ((inputs: Props) => string);
  /** Whether it has a name, made up by the engine where the program gives none. @default false */
  readonly named?: boolean;
  /** What the provider warns of in each run. */
  readonly warnings?: (inputs: Props) => readonly string[];
  /** Does what there is to do. */
  create?(id: string, inputs: Props, context: Context): Promise<Made> | Made;
  /** @returns what became of what the cloud tells */
  update?(before: Stored, inputs: Props, changes: readonly ChangeOf[]): Promise<Props> | Props;
  /** Whether it still stands, beside being in the books. */
  stands?(stored: Stored): Promise<boolean>;
  /** What the provider does before the cloud refuses to delete it. */
  refused?(stored: Stored): Promise<void>;
  delete?(stored: Stored, context: Context): Promise<void> | void;
  /** Once the books say so: what follows for others. */
  settled?(): Promise<void>;
}

export interface Made extends Pick<Stored, "played"> {
  /** What only the cloud can tell. */
  readonly outputs: Props;
}

/**
 * A resource of the cloud's package: checked against the types that it publishes, and kept in the store. What a change does, the table of
 * the package's own plan says: what it does not know is refused.
 */
export function kept(token: string, types: PublishedTypes, store: Store, behaviour: ResourceBehaviour, kind: Kind): ResourceType {
  const published = types.resource(token);
  const strange = (news: Props): { property: string; reason: string }[] =>
    unknownTo(behaviour, withoutDefaults(news)).map((property) => ({ property, reason: `${token} has no row for it in the table of behaviour` }));
  return {
    inputs: published.inputs,
    required: published.required,
    refused: [],
    computed: published.outputs,
    updateRenewsComputed: false,
    mistakes: (news) => [...published.problems(news), ...strange(news)],
    ...(kind.warnings && { warnings: kind.warnings }),
    ...(kind.named === true && { complete: completeName }),
    diff({ olds, news }) {
      const changes = changesBetween(behaviour, olds, news, sameValue);
      // A name that the program gives is free only when the old one is gone.
      const deleteBeforeReplace = kind.named === true && !isGeneratedName(news);
      return { changed: outermost(changes), replaces: outermost(changes.filter(({ effect }) => effect === "replaces")), deleteBeforeReplace };
    },
    async create(inputs, context) {
      const id = typeof kind.id === "string" ? `${kind.id}-${randomHex(17)}` : kind.id(revealProps(inputs));
      const { outputs, played }: Made = (await kind.create?.(id, revealProps(inputs), context)) ?? { outputs: {} };
      store.put({ id, token, properties: { ...revealProps(inputs), ...outputs }, ...(played && { played }) });
      await kind.settled?.();
      return { id, outputs: { ...inputs, ...outputs } };
    },
    async update(id, { news, state }) {
      const before = store.get(id, token);
      const changes = changesBetween(behaviour, before.properties, revealProps(news), sameValue);
      const refused = changes.find(({ effect }) => effect === "refuses");
      if (refused) throw new Error(behaviour.properties[refused.path]?.note ?? refused.path);
      const computed = Object.fromEntries(published.outputs.map((name) => [name, state[name]]));
      const outputs = { ...computed, ...(await kind.update?.(before, revealProps(news), changes)) };
      store.put({ ...before, properties: { ...revealProps(news), ...outputs } });
      await kind.settled?.();
      return { ...news, ...outputs };
    },
    async read(id, inputs, state) {
      const found = store.find(id);
      if (!found || !((await kind.stands?.(found)) ?? true)) {
        store.remove(id);
        return undefined;
      }
      const seen = (stored: Props, names: readonly string[]): Props =>
        Object.fromEntries(names.map((name) => [name, replaceRevealed(stored[name], found.properties[name])]));
      const refreshed = { ...inputs, ...seen(inputs, Object.keys(inputs)) };
      return { inputs: refreshed, state: { ...state, ...refreshed, ...seen(state, published.outputs) } };
    },
    async delete(id, _state, context) {
      const found = store.find(id);
      if (!found) return;
      const refusal = refusalOf(behaviour, found.properties);
      if (refusal) {
        await kind.refused?.(found);
        throw new Error(refusal.says);
      }
      await kind.delete?.(found, context);
      store.remove(id);
      await kind.settled?.();
    },
  };
}

/** All resources of a cloud: for each row of its table the kind that plays it. */
export function allKept<Token extends string>(
  behaviour: Readonly<Record<Token, ResourceBehaviour>>,
  kinds: Readonly<Record<Token, Kind>>,
  types: PublishedTypes,
  store: Store,
): Readonly<Record<string, ResourceType>> {
  return Object.fromEntries(
    (Object.keys(kinds) as Token[]).map((token): [string, ResourceType] => [token, kept(token, types, store, behaviour[token], kinds[token])]),
  );
}

function outermost(changes: readonly ChangeOf[]): string[] {
  return [...new Set(changes.map(({ path }) => path.split(".")[0] ?? path))];
}

/** The engine's own note of what it made up, at any depth. */
function withoutDefaults(props: Props): Props {
  return Object.fromEntries(Object.entries(props).flatMap(([name, value]) => (name === "__defaults" ? [] : [[name, value]])));
}
