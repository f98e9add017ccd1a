import * as pulumi from "@pulumi/pulumi";
import type { Machine } from "../hosts/host";
import { readSwarm } from "../agents/read-swarm";
import type { Connection } from "../remote/connection";
import { compareSwarm, engineRefusals } from "./compare";
import type { ClusterPlan } from "./planned";

/** Warns in a preview of what an `up` would change in a swarm that exists, or find otherwise. That it cannot be seen is a warning too. */
export function lookAhead(plan: ClusterPlan, manager: string, machines: ReadonlyMap<string, Machine>, resource: pulumi.Resource): void {
  const warn = (line: string): void => void pulumi.log.warn(`adopt: ${line}`, resource);
  pulumi.output(machines.get(manager)?.connection).apply(async (connection) => {
    try {
      const seen = await readSwarm(connection as Connection);
      void pulumi.log.info(`adopt: looked at the swarm ${seen.swarmId} by ${manager}: ${seen.nodes.length} nodes`, resource);
      for (const difference of compareSwarm(plan, seen)) warn(difference);
      // An error that is logged fails the preview.
      for (const refusal of engineRefusals(plan, seen)) void pulumi.log.error(`adopt: ${refusal}`, resource);
    } catch (error) {
      warn(`the swarm could not be looked at by ${manager}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}
