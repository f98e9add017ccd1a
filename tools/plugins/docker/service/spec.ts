import { labels, record, records, text, texts, textTable, flag, number } from "../../shared/properties";
import type { Props } from "../../shared/values";
import { nanoseconds } from "./duration";

// terraform-provider-docker v4.5.0, internal/provider/resource_docker_service_structures.go, createServiceSpec and what it calls.

/** The body of a request that creates or updates. `plan`: all of the service's properties, with what the daemon chose before. */
export function specOf(plan: Props): object {
  return {
    Name: text(plan, "name"),
    Labels: labels(plan) ?? {},
    TaskTemplate: taskOf(record(plan, "taskSpec") ?? {}),
    Mode: modeOf(record(plan, "mode") ?? {}),
    UpdateConfig: updatesOf(record(plan, "updateConfig")),
    RollbackConfig: updatesOf(record(plan, "rollbackConfig")),
    EndpointSpec: endpointOf(record(plan, "endpointSpec") ?? {}),
  };
}

function taskOf(task: Props): object {
  const [resources, placement, log] = [record(task, "resources"), record(task, "placement"), record(task, "logDriver")];
  return {
    ContainerSpec: containerOf(record(task, "containerSpec") ?? {}),
    Resources: {
      Limits: amountsOf(resources && record(resources, "limits")),
      Reservations: amountsOf(resources && record(resources, "reservation")),
    },
    RestartPolicy: restartOf(record(task, "restartPolicy")),
    Placement: placement && {
      Constraints: texts(placement, "constraints") ?? [],
      // The whole text goes to the daemon, which knows labels only: with `spread=` before it, it is no label and spreads nothing.
      Preferences: (texts(placement, "prefs") ?? []).map((descriptor) => ({ Spread: { SpreadDescriptor: descriptor } })),
      MaxReplicas: number(placement, "maxReplicas"),
      Platforms: (records(placement, "platforms") ?? []).map((each) => ({ Architecture: text(each, "architecture"), OS: text(each, "os") })),
    },
    ForceUpdate: number(task, "forceUpdate"),
    Runtime: text(task, "runtime"),
    Networks: (records(task, "networksAdvanceds") ?? []).map((network) => {
      const Target = text(network, "id") || text(network, "name");
      if (!Target) throw new Error("network 'name' or 'id' must be specified");
      return { Target, Aliases: texts(network, "aliases") ?? [], DriverOpts: pairsOf(texts(network, "driverOpts")) };
    }),
    LogDriver: log && { Name: text(log, "name"), Options: textTable(log, "options") ?? {} },
  };
}

function containerOf(container: Props): object {
  const [health, dns] = [record(container, "healthcheck"), record(container, "dnsConfig")];
  return {
    Image: text(container, "image"),
    Labels: labels(container) ?? {},
    Command: texts(container, "commands"),
    Args: texts(container, "args"),
    Hostname: text(container, "hostname"),
    Env: Object.entries(textTable(container, "env") ?? {}).map(([name, value]) => `${name}=${value}`),
    Dir: text(container, "dir"),
    User: text(container, "user"),
    Groups: texts(container, "groups"),
    ReadOnly: flag(container, "readOnly"),
    Mounts: (records(container, "mounts") ?? []).map(mountOf),
    StopSignal: text(container, "stopSignal"),
    // Where the program gives none it is 0, not the 10 s of Docker: such tasks are killed at once.
    StopGracePeriod: nanoseconds(text(container, "stopGracePeriod") ?? ""),
    // Of none, an empty one: it leaves the image's own.
    Healthcheck: health
      ? {
          Test: texts(health, "tests") ?? [],
          Interval: nanoseconds(text(health, "interval") ?? ""),
          Timeout: nanoseconds(text(health, "timeout") ?? ""),
          StartPeriod: nanoseconds(text(health, "startPeriod") ?? ""),
          Retries: number(health, "retries"),
        }
      : {},
    Hosts: (records(container, "hosts") ?? []).map((host) => `${text(host, "ip")} ${text(host, "host")}`),
    DNSConfig: dns
      ? { Nameservers: texts(dns, "nameservers") ?? [], Search: texts(dns, "searches") ?? [], Options: texts(dns, "options") ?? [] }
      : {},
    Secrets: (records(container, "secrets") ?? []).map((each) => ({ ...referenceOf(each, "secret", "Secret") })),
    Configs: (records(container, "configs") ?? []).map((each) => ({ ...referenceOf(each, "config", "Config") })),
    Isolation: text(container, "isolation"),
    Sysctls: textTable(container, "sysctl") ?? {},
    CapabilityAdd: texts(container, "capAdds"),
    CapabilityDrop: texts(container, "capDrops"),
    Init: flag(container, "init"),
  };
}

function referenceOf(props: Props, kind: "secret" | "config", api: "Secret" | "Config"): object {
  return {
    [`${api}ID`]: text(props, `${kind}Id`),
    [`${api}Name`]: text(props, `${kind}Name`),
    File: { Name: text(props, "fileName"), UID: text(props, "fileUid"), GID: text(props, "fileGid"), Mode: number(props, "fileMode") },
  };
}

function mountOf(mount: Props): object {
  const [bind, volume, tmpfs] = [record(mount, "bindOptions"), record(mount, "volumeOptions"), record(mount, "tmpfsOptions")];
  return {
    Type: text(mount, "type"),
    Target: text(mount, "target"),
    Source: text(mount, "source"),
    ReadOnly: flag(mount, "readOnly"),
    BindOptions: bind && { Propagation: text(bind, "propagation") },
    VolumeOptions: volume && {
      NoCopy: flag(volume, "noCopy"),
      Labels: labels(volume) ?? {},
      DriverConfig: { Name: text(volume, "driverName"), Options: textTable(volume, "driverOptions") ?? {} },
    },
    TmpfsOptions: tmpfs && { SizeBytes: number(tmpfs, "sizeBytes"), Mode: number(tmpfs, "mode") },
  };
}

const amountsOf = (amounts: Props | undefined): object | undefined =>
  amounts && { NanoCPUs: number(amounts, "nanoCpus"), MemoryBytes: number(amounts, "memoryBytes") };

/** Of a policy that is given in part, the rest is sent as 0, and read so: the next `up` finds `delay` and `window` changed. */
const restartOf = (policy: Props | undefined): object =>
  policy
    ? {
        Condition: text(policy, "condition"),
        Delay: nanoseconds(text(policy, "delay") ?? ""),
        MaxAttempts: number(policy, "maxAttempts"),
        Window: nanoseconds(text(policy, "window") ?? ""),
      }
    : {};

function modeOf(mode: Props): object {
  const replicated = record(mode, "replicated");
  return {
    ...(replicated && { Replicated: { Replicas: number(replicated, "replicas") } }),
    ...(flag(mode, "global") && { Global: {} }),
  };
}

const updatesOf = (updates: Props | undefined): object | undefined =>
  updates && {
    Parallelism: number(updates, "parallelism"),
    Delay: nanoseconds(text(updates, "delay") ?? ""),
    FailureAction: text(updates, "failureAction"),
    Monitor: nanoseconds(text(updates, "monitor") ?? ""),
    MaxFailureRatio: Number.parseFloat(text(updates, "maxFailureRatio") ?? "0"),
    Order: text(updates, "order"),
  };

const endpointOf = (endpoint: Props): object => ({
  Mode: text(endpoint, "mode") ?? "",
  Ports: (records(endpoint, "ports") ?? []).map((port) => ({
    Name: text(port, "name"),
    Protocol: text(port, "protocol"),
    TargetPort: number(port, "targetPort"),
    PublishedPort: number(port, "publishedPort"),
    PublishMode: text(port, "publishMode"),
  })),
});

const pairsOf = (pairs: readonly string[] = []): Record<string, string> =>
  Object.fromEntries(pairs.filter((pair) => pair.includes("=")).map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
