import { completeName, isGeneratedName, type ResourceType } from "../shared/plugin";
import { difference, type Fields, planned, withFallbacks } from "../shared/terraform";
import { sameValue } from "../shared/values";

/** What Docker's secrets and configs have in common: any change replaces one, and a name that the user gave is free only when the old one is gone. */
export function replacedWhole(fields: Fields): Pick<ResourceType, "complete" | "diff" | "update"> {
  return {
    complete(news, olds, urn) {
      const named = completeName(news, olds, urn);
      return withFallbacks(fields, named, named["__defaults"] as string[]);
    },
    diff({ state, news }) {
      const { changed, replaces } = difference(fields, state, planned(fields, news, state));
      return { changed, replaces, deleteBeforeReplace: changed.length > 0 && !isGeneratedName(news) && sameValue(state["name"], news["name"]) };
    },
    update: (_id, { state, news }) => Promise.resolve({ ...state, ...news }),
  };
}
