import { DockerApiError } from "../remote/docker-api";
import type { EngineApi } from "../remote/engine-api";
import { recoveredOf } from "./recovery";
import type {
  LocalSwarmState,
  NodeChange,
  SwarmApi,
  SwarmChange,
  SwarmInit,
  SwarmJoin,
  ServiceTasks,
  SwarmNode,
  SwarmRole,
  SwarmSettings,
} from "./swarm-api";

interface Info {
  readonly Swarm: {
    readonly NodeID: string;
    readonly NodeAddr: string;
    readonly LocalNodeState: LocalSwarmState["state"];
    readonly ControlAvailable: boolean;
    readonly Error: string;
    readonly RemoteManagers: readonly { readonly NodeID: string; readonly Addr: string }[] | null;
    readonly Cluster?: { readonly ID: string; readonly Spec?: { readonly Labels?: Readonly<Record<string, string>> | null } } | null;
  };
}

interface Node {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: {
    readonly Role: SwarmRole;
    readonly Availability: SwarmNode["availability"];
    readonly Labels: Record<string, string> | null;
    readonly Name?: string;
  };
  readonly Description?: { readonly Hostname?: string };
  readonly Status: { readonly State: SwarmNode["state"] };
  readonly ManagerStatus?: { readonly Leader?: boolean; readonly Reachability?: NonNullable<SwarmNode["reachability"]> } | null;
}

/** The fields that are not named here go back as they came. */
interface Swarm {
  readonly Version: { readonly Index: number };
  readonly Spec: {
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly CAConfig?: { readonly NodeCertExpiry?: number; readonly ForceRotate?: number };
    readonly EncryptionConfig?: { readonly AutoLockManagers?: boolean };
  };
  readonly RootRotationInProgress: boolean;
}

/** Engines from 20.10 on count tasks. */
interface Service {
  readonly ID: string;
  readonly Spec: { readonly Name?: string; readonly Mode?: Readonly<Record<string, unknown>> };
  readonly ServiceStatus?: { readonly RunningTasks?: number; readonly DesiredTasks?: number } | null;
}

/** Docker counts certificates in nanoseconds. Whole hours are multiples of 2^13 of them, so a number holds them exactly. */
const hour = 3_600_000_000_000;

/** A join to an address where nobody answers takes Docker 20 s to give up. */
const joinTimeout = 45_000;
/** Without a leader, Docker lets a call wait for up to 20 s before it says so. */
const controlTimeout = 40_000;
/** One manager of two came back in 14 s; the others, their engines and an election may be waited for. */
const unlockTimeout = 60_000;

interface Versions {
  readonly ApiVersion: string;
  readonly MinAPIVersion?: string;
}

/** Swarm membership through the engine's own API on one host. */
export class DockerSwarmApi implements SwarmApi {
  private versions: Promise<Versions> | undefined;

  constructor(
    private readonly host: string,
    private readonly docker: EngineApi,
  ) {}

  async local(apart = 0): Promise<LocalSwarmState> {
    const { Swarm: swarm } = await this.docker.get<Info>(apart === 0 ? "/info" : await this.infoApart(apart), controlTimeout);
    return {
      state: swarm.LocalNodeState,
      nodeId: swarm.NodeID,
      address: swarm.NodeAddr,
      swarmId: swarm.Cluster?.ID ?? "",
      controlAvailable: swarm.ControlAvailable,
      error: swarm.Error,
      recovered: recoveredOf(swarm.Cluster?.Spec?.Labels ?? {}),
      remoteManagers: (swarm.RemoteManagers ?? []).map(({ NodeID, Addr }) => ({ nodeId: NodeID, address: Addr })),
    };
  }

  /**
   * From 25.0 on, an engine gives who asks while an answer is on its way that same answer: one for each version of its API (moby,
   * api/server/router/system/system_routes.go, getInfo).
   */
  private async infoApart(apart: number): Promise<string> {
    this.versions ??= this.docker.get<Versions>("/version");
    const { ApiVersion: newest, MinAPIVersion: oldest = newest } = await this.versions;
    const [major = 0, minor = 0] = newest.split(".").map(Number);
    const [, oldestMinor = minor] = oldest.split(".").map(Number);
    return `/v${major}.${Math.max(minor - apart, oldestMinor)}/info`;
  }

  async init(options: SwarmInit): Promise<void> {
    await this.docker.post(
      "/swarm/init",
      {
        AdvertiseAddr: options.advertiseAddress,
        ListenAddr: options.listenAddress,
        DataPathAddr: options.dataPathAddress,
        ...(options.dataPathPort !== undefined && { DataPathPort: options.dataPathPort }),
        ...(options.defaultAddressPool && { DefaultAddrPool: options.defaultAddressPool }),
        ...(options.subnetSize !== undefined && { SubnetSize: options.subnetSize }),
        ForceNewCluster: options.forceNewCluster ?? false,
        Spec: {
          ...(options.labels && { Labels: options.labels }),
          ...(options.certificateHours !== undefined && { CAConfig: { NodeCertExpiry: options.certificateHours * hour } }),
        },
      },
      joinTimeout,
    );
  }

  async join(options: SwarmJoin): Promise<void> {
    await this.docker.post(
      "/swarm/join",
      {
        AdvertiseAddr: options.advertiseAddress,
        ListenAddr: options.listenAddress,
        DataPathAddr: options.dataPathAddress,
        RemoteAddrs: options.managers,
        JoinToken: options.token,
      },
      joinTimeout,
    );
  }

  async leave(force: boolean): Promise<void> {
    try {
      await this.docker.post(`/swarm/leave?force=${force}`, undefined, controlTimeout);
    } catch (error) {
      if (error instanceof DockerApiError && /not part of a swarm/.test(error.reason)) return;
      throw error;
    }
    await this.removeTasks();
  }

  /**
   * An engine removes its tasks' containers when it leaves, but not if it is in an error and has no node (moby, daemon/cluster/swarm.go,
   * `Leave`): nobody would stop them any more, and a host that joins again would run its services twice.
   */
  private async removeTasks(): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ label: ["com.docker.swarm.node.id"] }));
    const tasks = await this.docker.get<readonly { readonly Id: string }[]>(`/containers/json?filters=${filters}`, controlTimeout);
    const gone = (error: unknown): void => {
      // It ended by itself, or the engine is just removing it.
      if (!(error instanceof DockerApiError && (error.status === 404 || error.status === 409))) throw error;
    };
    await Promise.all(tasks.map(({ Id }) => this.docker.delete(`/containers/${Id}?force=true`, controlTimeout).catch(gone)));
  }

  async joinTokens(): Promise<{ readonly manager: string; readonly worker: string }> {
    const { JoinTokens } = await this.docker.get<{ JoinTokens: { Manager: string; Worker: string } }>("/swarm", controlTimeout);
    return { manager: JoinTokens.Manager, worker: JoinTokens.Worker };
  }

  async nodes(): Promise<readonly SwarmNode[]> {
    const nodes = await this.docker.get<readonly Node[]>("/nodes", controlTimeout);
    return nodes.map((node) => ({
      id: node.ID,
      hostname: node.Description?.Hostname ?? "",
      role: node.Spec.Role,
      availability: node.Spec.Availability,
      state: node.Status.State,
      leader: node.ManagerStatus?.Leader ?? false,
      ...(node.ManagerStatus?.Reachability && { reachability: node.ManagerStatus.Reachability }),
      labels: node.Spec.Labels ?? {},
    }));
  }

  async updateNode(nodeId: string, change: NodeChange): Promise<void> {
    const node = await this.docker.get<Node>(`/nodes/${nodeId}`, controlTimeout);
    await this.docker.post(
      `/nodes/${nodeId}/update?version=${node.Version.Index}`,
      {
        ...node.Spec,
        ...(change.role && { Role: change.role }),
        ...(change.availability && { Availability: change.availability }),
        ...(change.labels && { Labels: change.labels }),
      },
      controlTimeout,
    );
  }

  async removeNode(nodeId: string): Promise<void> {
    try {
      // All that it changes: the node may be ready (swarmkit, manager/controlapi/node.go, RemoveNode).
      await this.docker.delete(`/nodes/${nodeId}?force=true`, controlTimeout);
    } catch (error) {
      if (error instanceof DockerApiError && error.status === 404) return;
      throw error;
    }
  }

  async settings(): Promise<SwarmSettings> {
    const { Version, Spec, RootRotationInProgress } = await this.docker.get<Swarm>("/swarm", controlTimeout);
    return {
      version: Version.Index,
      labels: Spec.Labels ?? {},
      autolock: Spec.EncryptionConfig?.AutoLockManagers ?? false,
      certificateHours: (Spec.CAConfig?.NodeCertExpiry ?? 0) / hour,
      caRotating: RootRotationInProgress,
    };
  }

  async updateSwarm(version: number, change: SwarmChange): Promise<void> {
    const { Spec: spec } = await this.docker.get<Swarm>("/swarm", controlTimeout);
    const { rotateCa, rotateJoinTokens, rotateUnlockKey } = change;
    const labels = Object.entries({ ...spec.Labels, ...change.labels }).filter(([, value]) => value !== undefined);
    const rotations = [
      ...(rotateJoinTokens ? ["rotateWorkerToken=true", "rotateManagerToken=true"] : []),
      ...(rotateUnlockKey ? ["rotateManagerUnlockKey=true"] : []),
    ];
    await this.docker.post(
      `/swarm/update?${[`version=${version}`, ...rotations].join("&")}`,
      {
        ...spec,
        Labels: Object.fromEntries(labels),
        CAConfig: {
          ...spec.CAConfig,
          ...(change.certificateHours !== undefined && { NodeCertExpiry: change.certificateHours * hour }),
          ...(rotateCa && { ForceRotate: (spec.CAConfig?.ForceRotate ?? 0) + 1 }),
        },
        EncryptionConfig: { ...spec.EncryptionConfig, ...(change.autolock !== undefined && { AutoLockManagers: change.autolock }) },
      },
      controlTimeout,
    );
  }

  async unlockKey(): Promise<string> {
    return (await this.docker.get<{ readonly UnlockKey: string }>("/swarm/unlockkey", controlTimeout)).UnlockKey;
  }

  async unlock(key: string): Promise<void> {
    try {
      await this.docker.post("/swarm/unlock", { UnlockKey: key }, unlockTimeout);
    } catch (error) {
      if (error instanceof DockerApiError && /swarm is not locked/.test(error.reason)) return;
      throw error;
    }
  }

  async runningTasks(nodeId: string): Promise<number> {
    const filters = encodeURIComponent(JSON.stringify({ node: [nodeId] }));
    const tasks = await this.docker.get<readonly { Status: { State: string } }[]>(`/tasks?filters=${filters}`, controlTimeout);
    const moving = ["assigned", "accepted", "preparing", "ready", "starting", "running"];
    return tasks.filter((task) => moving.includes(task.Status.State)).length;
  }

  async services(): Promise<readonly ServiceTasks[]> {
    const services = await this.docker.get<readonly Service[]>("/services?status=true", controlTimeout);
    return services.flatMap(({ ID, Spec: { Name = ID, Mode = {} }, ServiceStatus: status }): ServiceTasks[] =>
      status && ("Replicated" in Mode || "Global" in Mode)
        ? [{ id: ID, name: Name, running: status.RunningTasks ?? 0, desired: status.DesiredTasks ?? 0 }]
        : [],
    );
  }
}
