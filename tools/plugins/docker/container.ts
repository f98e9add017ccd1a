import type { ContainerInspectInfo } from "dockerode";
import { completeWith, type Defaults, withDefaults } from "../shared/defaults";
import { isGeneratedName, type ResourceType } from "../shared/plugin";
import { flag, number, record, records, requiredText, text, texts } from "../shared/properties";
import { changedNames, replaceRevealed, type Props } from "../shared/values";
import { attempting, docker, reasonOf, statusOf, unlessGone } from "./client";
import { adjustable, createOptions, UNCONFINED_PATHS } from "./container-config";
import { findOrPull } from "./image";
import { uploadArchive } from "./uploads";

const UPDATED_IN_PLACE = ["restart", "maxRetryCount", "memory", "memorySwap", "cpuShares", "cpuSet"];
/** Only read when the container is created, refreshed or removed: a change needs nothing done. */
const WITHOUT_EFFECT = ["destroyGraceSeconds", "mustRun", "removeVolumes", "start", "containerReadRefreshTimeoutMilliseconds"];
const REPLACED = [
  ...["name", "image", "hostname", "domainname", "command", "entrypoints", "envs", "labels", "user", "workingDir", "groupAdds"],
  ...["capabilities", "securityOpts", "privileged", "devices", "sysctls", "ulimits", "init", "runtime", "healthcheck"],
  ...["cgroupnsMode", "ipcMode", "pidMode", "usernsMode", "stopSignal", "stopTimeout", "tty", "stdinOpen", "rm", "readOnly", "shmSize"],
  ...["networkMode", "networksAdvanced", "ports", "publishAllPorts", "hosts", "dns", "dnsOpts", "dnsSearches"],
  ...["tmpfs", "volumes", "mounts", "uploads", "logDriver", "logOpts"],
];
const INPUTS = [...REPLACED, ...UPDATED_IN_PLACE, ...WITHOUT_EFFECT];
/** terraform-provider-docker, internal/provider/resource_docker_container.go. */
const DEFAULTS: Defaults = {
  own: {
    ...{ attach: false, logs: false, memoryReservation: 0, mustRun: true, networkMode: "bridge", readOnly: false, removeVolumes: true },
    ...{ restart: "no", rm: false, start: true, stdinOpen: false, tty: false, wait: false, waitTimeout: 60 },
    containerReadRefreshTimeoutMilliseconds: 15_000,
  },
  within: {
    devices: { permissions: "rwm" },
    healthcheck: { interval: "0s", timeout: "0s", startPeriod: "0s", startInterval: "0s", retries: 0 },
    ports: { ip: "0.0.0.0", protocol: "tcp" },
    uploads: { executable: false },
  },
};

export const container: ResourceType = {
  inputs: INPUTS,
  required: ["image"],
  refused: [
    ...["attach", "logs", "wait", "waitTimeout", "gpus", "platform", "cgroupParent", "storageOpts", "cpus", "cpuPeriod", "cpuQuota"],
    ...["memoryReservation", "deviceCgroupRules", "deviceRequests", "deviceReadBps", "deviceReadIops", "deviceWriteBps", "deviceWriteIops"],
  ],
  computed: ["networkDatas", "bridge", "exitCode", "hostname", "networkMode"],
  updateRenewsComputed: false,
  complete: completeWith(DEFAULTS),
  diff({ olds, news }) {
    const changed = changedNames(INPUTS, withDefaults(olds, DEFAULTS), withDefaults(news, DEFAULTS));
    const replaces = changed.filter((name) => REPLACED.includes(name));
    return { changed, replaces, deleteBeforeReplace: replaces.length > 0 && !isGeneratedName(news) };
  },
  async create(inputs) {
    const name = requiredText(inputs, "name");
    const archive = await uploadArchive(inputs);
    await findOrPull(requiredText(inputs, "image"));
    const created = await attempting(`container ${name}: cannot be created`, docker().createContainer(createOptions(inputs)));
    try {
      await connectNetworks(created.id, inputs);
      if (archive !== undefined) await created.putArchive(archive, { path: "/" });
      // One that ends at once is no failure to the real one either: its state says that it does not run, and an update starts it again.
      if (flag(inputs, "start") !== false) await attempting("cannot be started", created.start());
      return { id: created.id, outputs: outputsOf(inputs, await created.inspect()) };
    } catch (error) {
      // The engine keeps nothing of a failed creation, so nothing may stay behind under this name.
      await created.remove({ force: true, v: true }).catch(() => undefined);
      throw new Error(`container ${name}: ${reasonOf(error)}`);
    }
  },
  async update(id, { olds, state, news }) {
    const target = docker().getContainer(id);
    const name = text(news, "name") ?? id;
    if (changedNames(["mustRun"], olds, news).length > 0 && flag(news, "mustRun") !== false && flag(news, "start") !== false) {
      // 304: it runs.
      await attempting(`container ${name}: cannot be started`, target.start().catch(ignoring(304)));
    }
    if (changedNames(UPDATED_IN_PLACE, withDefaults(olds, DEFAULTS), withDefaults(news, DEFAULTS)).length > 0) {
      await attempting(`container ${name}: cannot be updated`, target.update(adjustable(news)));
    }
    const computed = Object.fromEntries(this.computed.map((name) => [name, state[name]]));
    return { ...computed, ...news };
  },
  async read(id, inputs) {
    const found = await unlessGone(docker().getContainer(id).inspect());
    if (found === undefined) return undefined;
    const refreshed = { ...inputs, ...refreshedInputs(inputs, found) };
    return { inputs: refreshed, state: outputsOf(refreshed, found) };
  },
  async delete(id, state) {
    const target = docker().getContainer(id);
    const name = text(state, "name") ?? id;
    const grace = number(state, "destroyGraceSeconds") ?? 0;
    // 304: not running.
    if (grace > 0) await target.stop({ t: grace }).catch(ignoring(304, 404));
    const removal = target.remove({ force: true, v: flag(state, "removeVolumes") ?? true });
    // 409: a removal is under way already.
    await attempting(`container ${name}: cannot be removed`, removal.catch(ignoring(404, 409)));
    await unlessGone(target.wait({ condition: "removed" }));
  },
};

function ignoring(...statuses: readonly number[]) {
  return (error: unknown): void => {
    if (!statuses.includes(statusOf(error) ?? 0)) throw error;
  };
}

/** As the real one: the container starts life on "bridge" and is moved before it runs. */
async function connectNetworks(id: string, inputs: Props): Promise<void> {
  const networks = records(inputs, "networksAdvanced") ?? [];
  if (networks.length === 0) return;
  try {
    await docker().getNetwork("bridge").disconnect({ Container: id });
  } catch (error) {
    if (!reasonOf(error).includes("is not connected to")) throw error;
  }
  for (const network of networks) {
    const [ipv4, ipv6] = [text(network, "ipv4Address"), text(network, "ipv6Address")];
    const connection = docker()
      .getNetwork(requiredText(network, "name"))
      .connect({
        Container: id,
        EndpointConfig: {
          Aliases: texts(network, "aliases") ?? [],
          IPAMConfig: { ...(ipv4 ? { IPv4Address: ipv4 } : {}), ...(ipv6 ? { IPv6Address: ipv6 } : {}) },
        },
      });
    await attempting(`networksAdvanced: cannot connect to ${requiredText(network, "name")}`, connection);
  }
}

/** What the real one reads where the program says nothing: seen of 5.2.0. It would replace a container that lacks `command` or `entrypoints`. */
function readOf({ Config: own, HostConfig: host }: ContainerInspectInfo): Props {
  const { StopTimeout: stopTimeout } = own as { readonly StopTimeout?: number };
  const { Runtime: runtime = "", Init: init } = host as typeof host & { readonly Runtime?: string };
  const none = [
    "deviceReadBps",
    "deviceReadIops",
    "deviceRequests",
    "deviceWriteBps",
    "deviceWriteIops",
    "hosts",
    "labels",
    "mounts",
    "ports",
    "ulimits",
  ];
  return {
    ...Object.fromEntries(none.map((name) => [name, []])),
    ...{ command: own.Cmd ?? [], entrypoints: own.Entrypoint ?? [], user: own.User, workingDir: own.WorkingDir, domainname: own.Domainname },
    ...{ cpuSet: "", cpuShares: 0, maxRetryCount: 0, memory: 0, memorySwap: 0, privileged: false, publishAllPorts: false, usernsMode: "" },
    ...{ init: init ?? false, ipcMode: host.IpcMode, logDriver: host.LogConfig?.Type, platform: "linux", runtime, stopTimeout: stopTimeout ?? 0 },
    shmSize: Math.round((host.ShmSize ?? 0) / (1024 * 1024)),
  };
}

function outputsOf(inputs: Props, found: ContainerInspectInfo): Props {
  return {
    ...readOf(found),
    hostname: found.Config.Hostname,
    networkMode: found.HostConfig.NetworkMode,
    ...inputs,
    // Newer daemons no longer send it.
    bridge: "Bridge" in found.NetworkSettings ? found.NetworkSettings.Bridge : "",
    exitCode: found.State.ExitCode,
    networkDatas: Object.entries(found.NetworkSettings.Networks).map(([networkName, endpoint]) => ({
      networkName,
      ipAddress: endpoint.IPAddress,
      ipPrefixLength: endpoint.IPPrefixLen,
      gateway: endpoint.Gateway,
      globalIpv6Address: endpoint.GlobalIPv6Address,
      globalIpv6PrefixLength: endpoint.GlobalIPv6PrefixLen,
      ipv6Gateway: endpoint.IPv6Gateway,
      macAddress: endpoint.MacAddress,
    })),
  };
}

/** What may differ from the program after a refresh, with the real plugin's own false alarms. */
function refreshedInputs(inputs: Props, found: ContainerInspectInfo): Props {
  const refreshed: Record<string, unknown> = {
    name: replaceRevealed(inputs["name"], found.Name.replace(/^\//, "")),
    image: replaceRevealed(inputs["image"], found.Image),
  };
  const restart = found.HostConfig.RestartPolicy?.Name || "no";
  if (restart !== (text(inputs, "restart") ?? "no")) refreshed["restart"] = restart;
  const expectedToRun = flag(inputs, "mustRun") !== false && flag(inputs, "start") !== false;
  if (expectedToRun && !found.State.Running) refreshed["mustRun"] = false;
  const securityOpts = texts(inputs, "securityOpts");
  if (securityOpts !== undefined) {
    const kept = securityOpts.filter((option) => option !== UNCONFINED_PATHS);
    refreshed["securityOpts"] = replaceRevealed(inputs["securityOpts"], kept);
  }
  const capabilities = record(inputs, "capabilities");
  if (capabilities !== undefined) refreshed["capabilities"] = replaceRevealed(inputs["capabilities"], normalCapabilities(capabilities));
  return refreshed;
}

function normalCapabilities(capabilities: Props): Props {
  const normal = (names: readonly string[]) => names.map((name) => (name === "ALL" || name.startsWith("CAP_") ? name : `CAP_${name}`));
  const [adds, drops] = [texts(capabilities, "adds"), texts(capabilities, "drops")];
  return { ...(adds && { adds: normal(adds) }), ...(drops && { drops: normal(drops) }) };
}
