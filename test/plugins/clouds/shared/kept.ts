import { completeName, type Context, isGeneratedName, randomHex, type ResourceType } from "../../../../tools/plugins/shared/plugin";
import { changedNames, replaceRevealed, revealProps, type Props } from "../../../../tools/plugins/shared/values";
import type { PublishedTypes } from "./published";
import type { Store, Stored } from "./store";

/** What is particular of one kind of resource. What nothing is said of is only kept, as a cloud's books are. */
export interface Kind {
  /** What an id is, or what comes before its number: `vpc` has `vpc-0a1b…`. */
  readonly id: string | ((inputs: Props) => string);
  /** Whether it has a name, made up by the engine where the program gives none. @default false */
  readonly named?: boolean;
  /** Inputs whose change makes another one. */
  readonly replaces: readonly string[];
  /** Does what there is to do. */
  create?(id: string, inputs: Props, context: Context): Promise<Made> | Made;
  /** @returns what became of what the cloud tells */
  update?(before: Stored, inputs: Props): Promise<Props> | Props;
  /** Whether it still stands, beside being in the books. */
  stands?(stored: Stored): Promise<boolean>;
  delete?(stored: Stored, context: Context): Promise<void> | void;
  /** Once the books say so: what follows for others. */
  settled?(): Promise<void>;
}

export interface Made extends Pick<Stored, "played"> {
  /** What only the cloud can tell. */
  readonly outputs: Props;
}

/** A resource of the cloud's package: checked against the types that it publishes, and kept in the store. */
export function kept(token: string, types: PublishedTypes, store: Store, kind: Kind): ResourceType {
  const published = types.resource(token);
  const replaces = ["region", ...kind.replaces];
  return {
    inputs: published.inputs,
    required: published.required,
    refused: [],
    computed: published.outputs,
    updateRenewsComputed: false,
    mistakes: (news) => published.problems(news),
    ...(kind.named === true && { complete: completeName }),
    diff({ olds, news }) {
      const changed = changedNames(published.inputs, olds, news);
      // A name that the program gives is free only when the old one is gone.
      const deleteBeforeReplace = kind.named === true && !isGeneratedName(news);
      return { changed, replaces: changed.filter((name) => replaces.includes(name)), deleteBeforeReplace };
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
      const computed = Object.fromEntries(published.outputs.map((name) => [name, state[name]]));
      const outputs = { ...computed, ...(await kind.update?.(before, revealProps(news))) };
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
      await kind.delete?.(found, context);
      store.remove(id);
      await kind.settled?.();
    },
  };
}
