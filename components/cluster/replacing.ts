import * as pulumi from "@pulumi/pulumi";
import type { NodesResponse } from "../agents/request";
import { ownSettings } from "../engine/own";
import { settingsMarks } from "../engine/settings";
import { canHook, ofThisRun } from "../hosts/cloud/hooks";
import { asksForMaintenance } from "../maintenance/due";
import { describeReplacing } from "../walk/describe";
import type { SwarmClusterArgs } from "./args";
import type { ClusterPlan } from "./planned";

/**
 * Options of the resource that tells of the hosts what was found out: its last answer has the versions of their engines, and what was done
 * to them last. A preview in which it would ask again shows what becomes of them.
 */
export function tellReplacing(
  name: string,
  args: SwarmClusterArgs,
  plan: ClusterPlan,
  parent: pulumi.Resource,
): Pick<pulumi.CustomResourceOptions, "hooks"> {
  if ((args.engine?.version === undefined && !asksForMaintenance(args.maintenance ?? {})) || !pulumi.runtime.isDryRun() || !canHook()) return {};
  const tell = async ({ oldOutputs }: pulumi.ResourceHookArgs): Promise<void> => {
    const told = hostsIn(oldOutputs?.["stdout"]);
    const hosts = plan.hosts.map(({ key, role }) => {
      const { nodeId = "", engine = "", maintained = {} } = told[key] ?? {};
      return { key, role, engine, ...(nodeId !== "" && { maintained }) };
    });
    const lines = describeReplacing(hosts, args.engine ?? {}, args.maintenance);
    if (lines.length > 0) await pulumi.log.info(lines.join("\n"), parent);
  };
  return { hooks: { beforeUpdate: [new pulumi.ResourceHook(`${name}-nodes before it changes`, ofThisRun(tell), { onDryRun: true })] } };
}

/**
 * Inputs of the cluster by which a review says for what hosts are taken out of service, and in which order. The settings are there even where
 * there are none: a state without them is of a version that did not write them.
 */
export function walkedFor({ engine = {}, maintenance }: Pick<SwarmClusterArgs, "engine" | "maintenance">): Readonly<Record<string, unknown>> {
  const { version, metrics } = engine;
  const marks = settingsMarks({ ...(metrics !== undefined && { "metrics-addr": metrics }), ...ownSettings(engine) });
  const set = Object.keys(marks).length > 0;
  return {
    ...(version !== undefined && { engine: version }),
    engineSettings: marks,
    ...((version !== undefined || set || asksForMaintenance(maintenance ?? {})) && maintenance && { maintenance }),
  };
}

/** What is no answer of ours tells nothing. */
function hostsIn(stdout: unknown): NodesResponse["hosts"] {
  try {
    return (JSON.parse(String(stdout)) as Partial<NodesResponse>).hosts ?? {};
  } catch {
    return {};
  }
}
