import { isDeepStrictEqual } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../../remote/connection";
import type { HostContext, HostToMake, Stop } from "../host";
import { changesBetween, type ResourceBehaviour } from "./behaviour";
import { canHook, ofThisRun } from "./hooks";
import { Turns } from "./turns";

/**
 * Options for a machine's resource, by which machines of a cluster are stopped one at a time, whichever groups and sites they are
 * in: each is drained before, and takes part in the swarm again before the next one begins. Nothing of it shows in the preview.
 *
 * @param behaviour Says which changes stop the machine, and how.
 * @param connection How the machine is reached, where that comes out of the resource itself: it is needed while the resource waits
 *   for its turn, and is then made from the machine's id. @default - `Machine.connection`
 */
export function oneAtATime(
  { cluster, shared, service }: Pick<HostContext, "cluster" | "shared" | "service">,
  { key, parent }: Pick<HostToMake, "key" | "parent">,
  behaviour: ResourceBehaviour,
  connection?: (id: string) => pulumi.Input<Connection>,
): Pick<pulumi.CustomResourceOptions, "hooks"> {
  if (!canHook()) return {};
  const turns = shared("turns of machines", () => new Turns(service));
  const stops = (args: Pick<pulumi.ResourceHookArgs, "oldInputs" | "newInputs">): Stop | undefined => stopOf(behaviour, args);
  const name = (when: string): string => `${cluster}-${key} ${when} it is stopped`;
  // What is thrown after an update is a warning only; an error that is logged ends the run as failed.
  const end = async (how: "changed" | "not changed"): Promise<void> => {
    const wrong = await turns.end(key, how);
    if (wrong !== undefined) await pulumi.log.error(wrong, parent);
  };
  const begin = async (args: pulumi.ResourceHookArgs): Promise<void> => {
    const stop = stops(args);
    if (stop === undefined) return;
    if (connection) service.reachedBy(key, connection(args.id));
    await turns.begin(key, stop);
  };
  return {
    hooks: {
      beforeUpdate: [new pulumi.ResourceHook(name("before"), ofThisRun(begin))],
      afterUpdate: [
        new pulumi.ResourceHook(
          name("after"),
          ofThisRun(async (args) => (stops(args) ? end("changed") : undefined)),
        ),
      ],
      onError: [
        new pulumi.ErrorHook(
          name("when it fails while"),
          ofThisRun(async (args) => {
            if (args.failedOperation === "update" && stops(args)) await end("not changed");
            return false;
          }),
        ),
      ],
    },
  };
}

/** How an update stops the machine, if it does. */
export function stopOf(
  behaviour: ResourceBehaviour,
  { oldInputs = {}, newInputs = {} }: Pick<pulumi.ResourceHookArgs, "oldInputs" | "newInputs">,
): Stop | undefined {
  const effects = changesBetween(behaviour, oldInputs, newInputs, alike).map(({ effect }) => effect);
  if (effects.includes("powers off")) return "powered off";
  return effects.includes("stops") ? "stopped" : undefined;
}

/** But for the engine's own note of what it made up, which another version of a provider may write otherwise. */
function alike(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(plain(one), plain(other));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, inner]) => (name === "__defaults" ? [] : [[name, plain(inner)]])));
}
