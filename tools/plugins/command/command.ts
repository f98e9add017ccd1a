import { nameOf, randomHex, type Diff, type ResourceType } from "../shared/plugin";
import { text } from "../shared/properties";
import { changedNames } from "../shared/values";
import { BASE_INPUTS, runCommand, type Runner } from "./run";

interface CommandKind {
  readonly inputs: readonly string[];
  readonly required: readonly string[];
  readonly refused: readonly string[];
  readonly runner: Runner;
}

/** The life of a Command, the same wherever its commands run. */
export function commandResource(kind: CommandKind): ResourceType {
  const inputNames = [...BASE_INPUTS, ...kind.inputs];
  return {
    inputs: inputNames,
    required: kind.required,
    refused: kind.refused,
    computed: ["stdout", "stderr"],
    updateRenewsComputed: true,
    diff: ({ olds, news }) => replacedByTriggers(changedNames(inputNames, olds, news)),
    async create(inputs, context) {
      const id = `${nameOf(context.urn)}${randomHex(8)}`;
      const command = text(inputs, "create");
      const outputs = command === undefined ? { stdout: "", stderr: "" } : await runCommand(kind.runner, command, inputs, {}, context);
      return { id, outputs: { ...inputs, ...outputs } };
    },
    async update(_id, { state, news }, context) {
      const command = text(news, "update") ?? text(news, "create");
      const kept = { stdout: state["stdout"], stderr: state["stderr"] };
      const outputs = command === undefined ? kept : await runCommand(kind.runner, command, news, state, context);
      return { ...news, ...outputs };
    },
    read: (_id, inputs, state) => Promise.resolve({ inputs, state }),
    async delete(_id, state, context) {
      const command = text(state, "delete");
      if (command !== undefined) await runCommand(kind.runner, command, state, state, context);
    },
  };
}

/** A change of `triggers` replaces; every other change is an update. */
export function replacedByTriggers(changed: readonly string[]): Diff {
  return { changed, replaces: changed.filter((name) => name === "triggers"), deleteBeforeReplace: false };
}
