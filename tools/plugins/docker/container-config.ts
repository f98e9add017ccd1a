import type { ContainerCreateOptions, HostConfig, MountSettings } from "dockerode";
import { flag, labels, number, record, records, requiredText, text, texts, textTable } from "../shared/properties";
import type { Props } from "../shared/values";

const MEBIBYTE = 1024 * 1024;

/** The one security option that the daemon does not know by name: clients turn it into empty path lists. */
export const UNCONFINED_PATHS = "systempaths=unconfined";

/** The body of the create request for a Container's inputs. */
export function createOptions(inputs: Props): ContainerCreateOptions {
  const volumes = volumesOf(inputs);
  const ports = portsOf(inputs);
  return given<ContainerCreateOptions>({
    name: requiredText(inputs, "name"),
    Image: requiredText(inputs, "image"),
    Hostname: text(inputs, "hostname"),
    Domainname: text(inputs, "domainname"),
    Cmd: texts(inputs, "command"),
    Entrypoint: texts(inputs, "entrypoints"),
    Env: texts(inputs, "envs"),
    User: text(inputs, "user"),
    WorkingDir: text(inputs, "workingDir"),
    Labels: labels(inputs),
    Tty: flag(inputs, "tty"),
    OpenStdin: flag(inputs, "stdinOpen"),
    StopSignal: text(inputs, "stopSignal"),
    StopTimeout: number(inputs, "stopTimeout"),
    Healthcheck: healthcheckOf(inputs),
    Volumes: Object.fromEntries(volumes.anonymous.map((path) => [path, {}])),
    ExposedPorts: Object.fromEntries(ports.map((port) => [port.name, {}])),
    HostConfig: hostConfig(inputs, volumes, ports),
  });
}

function hostConfig(inputs: Props, volumes: Volumes, ports: readonly Port[]): HostConfig {
  const capabilities = record(inputs, "capabilities") ?? {};
  const securityOpts = texts(inputs, "securityOpts") ?? [];
  const unconfined = securityOpts.includes(UNCONFINED_PATHS);
  return given<HostConfig & { CgroupnsMode?: string }>({
    NetworkMode: text(inputs, "networkMode") ?? "bridge",
    Privileged: flag(inputs, "privileged"),
    PublishAllPorts: flag(inputs, "publishAllPorts"),
    AutoRemove: flag(inputs, "rm"),
    ReadonlyRootfs: flag(inputs, "readOnly"),
    CapAdd: texts(capabilities, "adds"),
    CapDrop: texts(capabilities, "drops"),
    SecurityOpt: securityOpts.filter((option) => option !== UNCONFINED_PATHS),
    MaskedPaths: unconfined ? [] : undefined,
    ReadonlyPaths: unconfined ? [] : undefined,
    CgroupnsMode: text(inputs, "cgroupnsMode"),
    Devices: records(inputs, "devices")?.map((device) => ({
      PathOnHost: requiredText(device, "hostPath"),
      PathInContainer: text(device, "containerPath") ?? requiredText(device, "hostPath"),
      CgroupPermissions: text(device, "permissions") ?? "rwm",
    })),
    Tmpfs: textTable(inputs, "tmpfs"),
    Binds: volumes.binds,
    VolumesFrom: volumes.from,
    Mounts: mountsOf(inputs),
    PortBindings: bindingsOf(ports),
    ExtraHosts: records(inputs, "hosts")?.map((entry) => `${requiredText(entry, "host")}:${requiredText(entry, "ip")}`),
    Dns: texts(inputs, "dns"),
    DnsOptions: texts(inputs, "dnsOpts"),
    DnsSearch: texts(inputs, "dnsSearches"),
    Sysctls: textTable(inputs, "sysctls"),
    Ulimits: records(inputs, "ulimits")?.map((limit) => ({
      Name: requiredText(limit, "name"),
      Soft: number(limit, "soft") ?? 0,
      Hard: number(limit, "hard") ?? 0,
    })),
    Init: flag(inputs, "init"),
    ShmSize: mebibytes(number(inputs, "shmSize")),
    IpcMode: text(inputs, "ipcMode"),
    PidMode: text(inputs, "pidMode"),
    UsernsMode: text(inputs, "usernsMode"),
    Runtime: text(inputs, "runtime"),
    GroupAdd: texts(inputs, "groupAdds"),
    LogConfig: logConfig(inputs),
    ...adjustable(inputs),
  });
}

/** What can change while the container lives. Memory is given in MiB; a negative swap means without limit. */
export function adjustable(inputs: Props): Partial<HostConfig> {
  return given<Partial<HostConfig>>({
    RestartPolicy: { Name: text(inputs, "restart") ?? "no", MaximumRetryCount: number(inputs, "maxRetryCount") ?? 0 },
    Memory: mebibytes(number(inputs, "memory")),
    MemorySwap: mebibytes(number(inputs, "memorySwap")),
    CpuShares: number(inputs, "cpuShares"),
    CpusetCpus: text(inputs, "cpuSet"),
  });
}

function mebibytes(value: number | undefined): number | undefined {
  return value === undefined || value < 0 ? value : value * MEBIBYTE;
}

interface Volumes {
  readonly anonymous: readonly string[];
  readonly binds: string[];
  readonly from: string[];
}

function volumesOf(inputs: Props): Volumes {
  const result = { anonymous: [] as string[], binds: [] as string[], from: [] as string[] };
  for (const volume of records(inputs, "volumes") ?? []) {
    const readOnly = flag(volume, "readOnly") === true;
    const from = text(volume, "fromContainer");
    const source = text(volume, "hostPath") || text(volume, "volumeName");
    if (from) result.from.push(readOnly ? `${from}:ro` : from);
    else if (source) result.binds.push(`${source}:${requiredText(volume, "containerPath")}:${readOnly ? "ro" : "rw"}`);
    else result.anonymous.push(requiredText(volume, "containerPath"));
  }
  return result;
}

function mountsOf(inputs: Props): MountSettings[] | undefined {
  return records(inputs, "mounts")?.map((mount) => {
    const [bind, tmpfs, volume] = [record(mount, "bindOptions"), record(mount, "tmpfsOptions"), record(mount, "volumeOptions")];
    return given<MountSettings>({
      Type: requiredText(mount, "type") as MountSettings["Type"],
      Target: requiredText(mount, "target"),
      Source: text(mount, "source") ?? "",
      ReadOnly: flag(mount, "readOnly"),
      BindOptions: bind && { Propagation: (text(bind, "propagation") ?? "rprivate") as "rprivate" },
      TmpfsOptions: tmpfs && { SizeBytes: number(tmpfs, "sizeBytes") ?? 0, Mode: number(tmpfs, "mode") ?? 0o1777 },
      VolumeOptions: volume && {
        NoCopy: flag(volume, "noCopy") ?? false,
        Labels: labels(volume) ?? {},
        DriverConfig: { Name: text(volume, "driverName") ?? "", Options: textTable(volume, "driverOptions") ?? {} },
      },
    });
  });
}

interface Port {
  /** "80/tcp", as the API writes it. */
  readonly name: string;
  readonly hostIp: string;
  readonly hostPort: string;
}

function portsOf(inputs: Props): Port[] {
  return (records(inputs, "ports") ?? []).map((port) => ({
    name: `${number(port, "internal") ?? 0}/${text(port, "protocol") ?? "tcp"}`,
    hostIp: text(port, "ip") ?? "0.0.0.0",
    hostPort: String(number(port, "external") ?? ""),
  }));
}

function bindingsOf(ports: readonly Port[]): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) (bindings[port.name] ??= []).push({ HostIp: port.hostIp, HostPort: port.hostPort });
  return bindings;
}

function logConfig(inputs: Props): HostConfig["LogConfig"] {
  const [driver, options] = [text(inputs, "logDriver"), textTable(inputs, "logOpts")];
  return driver === undefined && options === undefined ? undefined : { Type: driver ?? "", Config: options ?? {} };
}

function healthcheckOf(inputs: Props): ContainerCreateOptions["Healthcheck"] {
  const check = record(inputs, "healthcheck");
  return (
    check && {
      Test: texts(check, "tests") ?? [],
      Interval: nanoseconds(text(check, "interval")),
      Timeout: nanoseconds(text(check, "timeout")),
      StartPeriod: nanoseconds(text(check, "startPeriod")),
      Retries: number(check, "retries") ?? 0,
    }
  );
}

const UNITS: Readonly<Record<string, number>> = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

function nanoseconds(duration: string | undefined): number {
  const parts = [...(duration ?? "").matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (duration !== undefined && parts.map(([part]) => part).join("") !== duration) {
    throw new Error(`healthcheck: expected a duration such as "30s" or "1m30s", got "${duration}"`);
  }
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ""] ?? 0), 0);
}

/** The members that have a value: an absent one is left to the daemon's default. */
function given<T extends object>(members: { readonly [K in keyof T]?: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}
