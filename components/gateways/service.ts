import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { gatewayLabel } from "../networks/gateways";
import { ownerLabel } from "../networks/reconcile";
import type { GatewaySpec, ServiceSpec, TaskSpec } from "./api";
import { gatewayHostLabel } from "./gateway";
import { configFile, proxyCommand, proxyUser } from "./haproxy";

/** Whose a gateway is. */
export interface GatewayOwner {
  readonly cluster: string;
  readonly name: string;
}

/** Of the resource that has a service. */
export const markLabel = "pulumi-swarm.mark";

export const nanosecondsInSecond = 1_000_000_000;

/** On the service and on its configurations. */
export function ownLabels({ cluster, name }: GatewayOwner): Record<string, string> {
  return { [ownerLabel]: cluster, [gatewayLabel]: name };
}

/** Docker cannot change a configuration: another text has another name. Of at most 64 characters, which is Docker's limit. */
export function configName({ cluster, name }: GatewayOwner, text: string): string {
  const digest = createHash("sha256").update([cluster, name, text].join("\n")).digest("hex");
  return `pulumi-swarm.${name.slice(0, 30)}.${digest.slice(0, 12)}`;
}

/**
 * The request that makes the service. Its name resolves to its tasks, since not every overlay and kernel has virtual addresses. A version that
 * does not run is taken back by Docker itself, and the connections of one task live on while the other is replaced.
 */
export function bodyOf(owner: GatewayOwner, spec: GatewaySpec, config: { readonly id: string; readonly name: string }, mark: string): ServiceSpec {
  const container = {
    Image: spec.image,
    Command: proxyCommand,
    User: proxyUser,
    ReadOnly: true,
    CapabilityDrop: ["ALL"],
    // Docker's `stop`: existing connections have the time until it is killed.
    StopSignal: "SIGUSR1",
    StopGracePeriod: 5 * nanosecondsInSecond,
    Configs: [{ ConfigID: config.id, ConfigName: config.name, File: { Name: configFile, UID: "0", GID: "0", Mode: 0o444 } }],
  };
  return {
    Name: owner.name,
    Labels: { ...ownLabels(owner), [markLabel]: mark },
    Mode: { Replicated: { Replicas: spec.replicas } },
    TaskTemplate: {
      ContainerSpec: container,
      Placement: { Constraints: [`node.labels.${gatewayHostLabel(owner.name)}==true`], MaxReplicas: 1 },
      RestartPolicy: { Condition: "any", Delay: 5 * nanosecondsInSecond },
      Networks: spec.networks.map(({ id }) => ({ Target: id })),
    } as TaskSpec,
    ...{ UpdateConfig: { Parallelism: 1, FailureAction: "rollback", Monitor: 5 * nanosecondsInSecond, Order: "stop-first" } },
    EndpointSpec: { Mode: "dnsrr" },
  };
}

/** What differs, in words; the labels only where they say another owner. */
export function differences(is: ServiceSpec, want: ServiceSpec): string[] {
  const pairs = [
    ["image", is.TaskTemplate.ContainerSpec?.Image, want.TaskTemplate.ContainerSpec?.Image],
    ["what it reaches", configOf(is.TaskTemplate), configOf(want.TaskTemplate)],
    ["networks", networksOf(is.TaskTemplate), networksOf(want.TaskTemplate)],
    ["hosts", is.TaskTemplate.Placement?.Constraints ?? [], want.TaskTemplate.Placement?.Constraints],
    ["tasks on a host", is.TaskTemplate.Placement?.MaxReplicas, want.TaskTemplate.Placement?.MaxReplicas],
    ["number of tasks", is.Mode.Replicated?.Replicas, want.Mode.Replicated?.Replicas],
    ["way in which its name resolves", is.EndpointSpec?.Mode, want.EndpointSpec?.Mode],
    ["resource that has it", is.Labels?.[markLabel], want.Labels?.[markLabel]],
  ] as const;
  return pairs.filter(([, has, wants]) => !isDeepStrictEqual(has, wants)).map(([what]) => what);
}

/** Whether a task runs what is wanted, wherever it was placed. */
export function isCurrent(is: TaskSpec, want: TaskSpec): boolean {
  const image = (spec: TaskSpec): string | undefined => spec.ContainerSpec?.Image;
  return image(is) === image(want) && configOf(is) === configOf(want) && isDeepStrictEqual(networksOf(is), networksOf(want));
}

export function configOf(spec: TaskSpec | undefined): string | undefined {
  return spec?.ContainerSpec?.Configs?.[0]?.ConfigID;
}

function networksOf({ Networks: networks }: TaskSpec): string[] {
  return (networks ?? []).map(({ Target }) => Target).sort();
}
