import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { answerOf, logWarnings } from "../agents/answer";
import { agentCommand } from "../agents/program";
import type { ManagersRequest } from "../agents/request";
import { type Transform, transformed } from "../transform";
import type { Connection } from "../remote/connection";

/** What the swarm keeps for the cluster, made through any of its managers. */
export interface ManagedArgs {
  readonly cluster: string;
  readonly managers: pulumi.Input<readonly { readonly key: string; readonly connection: Connection }[]>;
  readonly reachableSeconds: number;
  readonly recheck?: string;
  readonly transform?: Transform<local.CommandArgs>;
}

/**
 * Has a manager make something, and take it away again.
 *
 * @param asked What there is to say of it.
 * @returns Docker's id of it.
 */
export function managed<Request extends ManagersRequest>(
  kind: "network" | "gateway",
  name: string,
  args: ManagedArgs,
  asked: pulumi.Input<Omit<Request, keyof ManagersRequest>>,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const { cluster, managers, reachableSeconds, recheck } = args;
  const request = pulumi
    .all([pulumi.output(managers), pulumi.output(asked)])
    .apply(([known, own]) => JSON.stringify({ cluster, ...own, managers: known, reachableSeconds, ...(recheck !== undefined && { recheck }) }));
  const command = new local.Command(name, transformed(args.transform, agentCommand(`${kind}-up`, `${kind}-down`, pulumi.secret(request))), {
    parent,
  });
  logWarnings(command.stdout, parent);
  return pulumi.unsecret(command.stdout).apply((stdout) => answerOf<{ readonly id: string }>(stdout, `${kind}-up`).id);
}
