import type { Props } from "../../shared/values";
import { shortDuration } from "./duration";

// terraform-provider-docker v4.5.0, internal/provider/resource_docker_service_structures.go, flattenTaskSpec and its siblings, and
// resource_docker_service_funcs.go, resourceDockerServiceReadRefreshFunc.

/** What the daemon tells of a service; as much of it as is read here. */
export interface ServiceSeen {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: Spec;
  readonly Endpoint?: { readonly Spec?: { readonly Mode?: string }; readonly Ports?: readonly Port[] };
  readonly UpdateStatus?: { readonly State?: string; readonly Message?: string };
}

interface Spec {
  readonly Name: string;
  readonly Labels?: Table;
  readonly TaskTemplate: Task;
  readonly Mode: { readonly Replicated?: { readonly Replicas?: number }; readonly Global?: object };
  readonly UpdateConfig?: Updates;
  readonly RollbackConfig?: Updates;
  readonly EndpointSpec?: { readonly Mode?: string; readonly Ports?: readonly Port[] };
}

type Table = Readonly<Record<string, string>>;
type Texts = readonly string[];

interface Task {
  readonly ContainerSpec?: Container;
  readonly Resources?: { readonly Limits?: Amounts; readonly Reservations?: Amounts };
  readonly RestartPolicy?: { readonly Condition?: string; readonly Delay?: number; readonly MaxAttempts?: number; readonly Window?: number };
  readonly Placement?: {
    readonly Constraints?: Texts;
    readonly Preferences?: readonly { readonly Spread: { readonly SpreadDescriptor: string } }[];
    readonly MaxReplicas?: number;
    readonly Platforms?: readonly { readonly Architecture?: string; readonly OS?: string }[];
  };
  readonly ForceUpdate: number;
  readonly Runtime?: string;
  readonly Networks?: readonly { readonly Target: string; readonly Aliases?: Texts; readonly DriverOpts?: Table }[];
  readonly LogDriver?: { readonly Name: string; readonly Options?: Table };
}

interface Container {
  readonly [name: string]: unknown;
  readonly Env?: Texts;
  readonly Labels?: Table;
  readonly Hosts?: Texts;
  readonly Mounts?: readonly Mount[];
  readonly StopGracePeriod?: number;
  readonly Healthcheck?: {
    readonly Test?: Texts;
    readonly Interval?: number;
    readonly Timeout?: number;
    readonly StartPeriod?: number;
    readonly Retries?: number;
  };
  readonly DNSConfig?: { readonly Nameservers?: Texts; readonly Search?: Texts; readonly Options?: Texts };
  readonly Secrets?: readonly Reference[];
  readonly Configs?: readonly Reference[];
}

interface Reference {
  readonly SecretID?: string;
  readonly SecretName?: string;
  readonly ConfigID?: string;
  readonly ConfigName?: string;
  readonly File?: { readonly Name: string; readonly UID: string; readonly GID: string; readonly Mode: number };
}

interface Mount {
  readonly Target: string;
  readonly Source?: string;
  readonly Type: string;
  readonly ReadOnly?: boolean;
  readonly BindOptions?: { readonly Propagation?: string };
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean;
    readonly Labels?: Table;
    readonly DriverConfig?: { readonly Name?: string; readonly Options?: Table };
  };
  readonly TmpfsOptions?: { readonly SizeBytes?: number; readonly Mode?: number };
}

interface Amounts {
  readonly NanoCPUs?: number;
  readonly MemoryBytes?: number;
}

interface Updates {
  readonly Parallelism?: number;
  readonly Delay?: number;
  readonly FailureAction?: string;
  readonly Monitor?: number;
  readonly MaxFailureRatio?: number;
  readonly Order?: string;
}

interface Port {
  readonly Name?: string;
  readonly Protocol: string;
  readonly TargetPort: number;
  readonly PublishedPort?: number;
  readonly PublishMode?: string;
}

/** The properties of a service as they are; `convergeConfig` is in no daemon, and stays as it was given. */
export function seen({ Spec: spec, Endpoint: endpoint }: ServiceSeen, convergeConfig: unknown): Props {
  const allocated = Boolean(endpoint?.Spec?.Mode);
  return {
    name: spec.Name,
    labels: labelsOf(spec.Labels),
    taskSpec: taskOf(spec.TaskTemplate),
    mode: {
      ...(spec.Mode.Replicated && { replicated: { replicas: spec.Mode.Replicated.Replicas } }),
      global: spec.Mode.Global !== undefined && spec.Mode.Global !== null,
    },
    updateConfig: updatesOf(spec.UpdateConfig),
    rollbackConfig: updatesOf(spec.RollbackConfig),
    endpointSpec: {
      mode: allocated ? endpoint?.Spec?.Mode : spec.EndpointSpec?.Mode,
      ports: ((allocated ? endpoint?.Ports : spec.EndpointSpec?.Ports) ?? []).map((port) => ({
        ...{ name: port.Name ?? "", protocol: port.Protocol, targetPort: port.TargetPort },
        ...{ publishedPort: port.PublishedPort ?? 0, publishMode: port.PublishMode ?? "" },
      })),
    },
    convergeConfig,
  };
}

function taskOf(task: Task): Props {
  const { Resources: resources, RestartPolicy: restart, Placement: placement, LogDriver: log } = task;
  return {
    containerSpec: task.ContainerSpec && containerOf(task.ContainerSpec),
    resources: resources && { limits: amountsOf(resources.Limits), reservation: amountsOf(resources.Reservations) },
    restartPolicy: restart && {
      condition: restart.Condition,
      delay: durationOf(restart.Delay),
      maxAttempts: restart.MaxAttempts,
      window: durationOf(restart.Window),
    },
    placement: placement && {
      constraints: placement.Constraints,
      prefs: placement.Preferences?.map(({ Spread }) => Spread.SpreadDescriptor),
      platforms: placement.Platforms?.map(({ Architecture = "", OS = "" }) => ({ architecture: Architecture, os: OS })),
      maxReplicas: placement.MaxReplicas ?? 0,
    },
    forceUpdate: task.ForceUpdate,
    runtime: task.Runtime || undefined,
    networksAdvanceds: task.Networks?.map(({ Target, Aliases, DriverOpts = {} }) => ({
      id: Target,
      driverOpts: Object.entries(DriverOpts ?? {}).map(([name, value]) => `${name}=${value}`),
      aliases: Aliases,
    })),
    logDriver: log && { name: log.Name, options: log.Options },
  };
}

/** What is empty is not set. */
function containerOf(container: Container): Props {
  const { Healthcheck: health, DNSConfig: dns, Env: env = [] } = container;
  const filled = Object.fromEntries(Object.entries(TEXTS).map(([api, name]) => [name, isFilled(container[api]) ? container[api] : undefined]));
  return {
    ...filled,
    labels: labelsOf(container.Labels),
    env: Object.fromEntries((env ?? []).map((pair) => [pair.split("=")[0] ?? "", pair.split("=").slice(1).join("=")])),
    mounts: container.Mounts?.map(mountOf),
    stopGracePeriod: durationOf(container.StopGracePeriod),
    healthcheck: health && {
      tests: health.Test,
      interval: shortDuration(health.Interval ?? 0),
      timeout: shortDuration(health.Timeout ?? 0),
      startPeriod: shortDuration(health.StartPeriod ?? 0),
      retries: health.Retries ?? 0,
    },
    hosts: container.Hosts?.map((line) => ({ ip: line.split(" ")[0] ?? "", host: line.split(" ")[1] ?? "" })),
    dnsConfig: dns && { nameservers: dns.Nameservers ?? [], searches: dns.Search ?? [], options: dns.Options ?? [] },
    secrets: container.Secrets?.map((each) => ({ secretId: each.SecretID, secretName: each.SecretName || undefined, ...fileOf(each) })),
    configs: container.Configs?.map((each) => ({ configId: each.ConfigID, configName: each.ConfigName || undefined, ...fileOf(each) })),
  };
}

const TEXTS: Readonly<Record<string, string>> = {
  ...{ Image: "image", Command: "commands", Args: "args", Hostname: "hostname", User: "user", Dir: "dir", Groups: "groups", ReadOnly: "readOnly" },
  ...{ StopSignal: "stopSignal", Isolation: "isolation", Sysctls: "sysctl", CapabilityAdd: "capAdds", CapabilityDrop: "capDrops", Init: "init" },
};

const isFilled = (value: unknown): boolean => value !== undefined && value !== null && value !== "";

const fileOf = ({ File: file }: Reference): Props =>
  file === undefined ? {} : { fileName: file.Name, fileUid: file.UID, fileGid: file.GID, fileMode: file.Mode };

function mountOf({ Target, Source = "", Type, ReadOnly = false, BindOptions: bind, VolumeOptions: volume, TmpfsOptions: tmpfs }: Mount): Props {
  return {
    ...{ target: Target, source: Source, type: Type, readOnly: ReadOnly },
    bindOptions: bind && { propagation: bind.Propagation },
    volumeOptions: volume && {
      noCopy: volume.NoCopy ?? false,
      labels: labelsOf(volume.Labels),
      driverName: volume.DriverConfig?.Name,
      driverOptions: volume.DriverConfig?.Options,
    },
    tmpfsOptions: tmpfs && { sizeBytes: tmpfs.SizeBytes ?? 0, mode: tmpfs.Mode ?? 0 },
  };
}

const labelsOf = (table: Table | undefined): Props[] => Object.entries(table ?? {}).map(([label, value]) => ({ label, value }));

const amountsOf = (amounts: Amounts | undefined): Props | undefined =>
  amounts && { nanoCpus: amounts.NanoCPUs ?? 0, memoryBytes: amounts.MemoryBytes ?? 0 };

const durationOf = (nanos: number | undefined): string | undefined => (nanos === undefined || nanos === null ? undefined : shortDuration(nanos));

/** One digit behind the point: a ratio of "0.25" differs from what is read for ever. */
const updatesOf = (updates: Updates | undefined): Props | undefined =>
  updates && {
    parallelism: updates.Parallelism ?? 0,
    delay: shortDuration(updates.Delay ?? 0),
    failureAction: updates.FailureAction ?? "",
    monitor: shortDuration(updates.Monitor ?? 0),
    maxFailureRatio: Math.fround(updates.MaxFailureRatio ?? 0).toFixed(1),
    order: updates.Order ?? "",
  };
