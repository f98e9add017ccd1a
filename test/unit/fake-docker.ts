import { isDeepStrictEqual } from "node:util";
import type { EngineApi } from "../../components/remote/engine-api";
import { DockerApiError } from "../../components/remote/docker-api";

interface FakeNetwork {
  readonly Id: string;
  readonly Name: string;
  readonly Driver: string;
  readonly Scope: string;
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: boolean;
  readonly IPAM: { readonly Config: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null };
  readonly Options: Readonly<Record<string, string>> | null;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly ConfigFrom?: { readonly Network: string };
}

/** A member of the swarm. */
export interface FakeNode {
  readonly ID: string;
  version: number;
  Spec: { readonly Role: string; readonly Labels: Readonly<Record<string, string>> };
  /** The ingress network in which the managers have an address for it: not one that was made after it came or last changed. */
  address?: string;
  /** The one that its engine has. */
  ingress?: string;
  /** It makes the network before it has learnt of the address, and gives up. */
  tooQuick?: boolean;
}

/** As much of a manager's engine as networks need, with the habits of the real one that matter to them. */
export class FakeDocker implements EngineApi {
  readonly networks: FakeNetwork[] = [];
  /** Bodies of the requests that made networks. */
  readonly created: object[] = [];
  readonly services: {
    readonly Name: string;
    readonly uses: string;
    readonly where: "task" | "spec";
    readonly publishes?: readonly ("host" | "ingress")[];
    readonly labels?: Readonly<Record<string, string>>;
  }[] = [];
  readonly containers: { readonly name: string; readonly uses: string; readonly service?: string }[] = [];
  readonly tasks: { readonly uses: string; readonly state: string; readonly stopsWithin: number }[] = [];
  /** Requests that changed something. */
  changes = 0;
  /** Docker answers a removal before the network is gone: milliseconds until it is. */
  removalTakes = 0;
  /**
   * Milliseconds for which this engine has a removed network once more, which it was still making when the swarm removed it: not listed at
   * once, but there when the name is asked for.
   */
  comesBackFor = 0;
  /** Milliseconds for which tasks that are going still hold the networks. */
  heldFor = 0;
  /** Whose task holds a network. @default - the managers know no such task any more */
  heldOn: string | undefined;
  goneBeforeDelete = false;
  isManager = true;
  refuseCreate: { times: number; readonly reason: string } | undefined;
  refuseDelete: Error | undefined;
  /** How many times the networks are listed without those of the swarm, as by a manager that has no leader. */
  overlooked = 0;

  readonly nodes: FakeNode[] = [];
  /** How many changes of a node meet somebody else's. */
  nodeConflicts = 0;

  /** The swarm's own. */
  labels: Readonly<Record<string, string>> = { theirs: "kept" };
  /** How many changes of the swarm meet somebody else's. */
  swarmConflicts = 0;

  private version = 10;
  /** What the swarm has no longer, and this engine still has. */
  private readonly leaving: { readonly id: string; left: number }[] = [];
  private late: FakeNetwork | undefined;
  private made = 0;
  private clock = 0;

  find(name: string): FakeNetwork | undefined {
    return this.networks.find((network) => network.Name === name);
  }

  add(network: Partial<FakeNetwork> & Pick<FakeNetwork, "Name">): FakeNetwork {
    const whole = {
      Id: `n${++this.made}`,
      Driver: "overlay",
      Scope: "swarm",
      Internal: false,
      Attachable: true,
      Ingress: false,
      IPAM: { Config: null },
      Options: null,
      Labels: null,
      ...network,
    };
    this.networks.push(whole);
    return whole;
  }

  passes(milliseconds: number): void {
    this.clock += milliseconds;
    this.heldFor -= milliseconds;
    for (const one of this.leaving) {
      one.left -= milliseconds;
      if (one.left <= 0) this.drop(one.id);
    }
  }

  async get<Result>(path: string): Promise<Result> {
    const [where, query] = path.split("?");
    const filters = JSON.parse(new URLSearchParams(query).get("filters") ?? "{}") as { name?: string[]; network?: string[] };
    switch (where) {
      case "/info":
        return { Swarm: { ControlAvailable: this.isManager } } as Result;
      case "/networks":
        if (this.overlooked-- > 0) return [] as Result;
        // The real filter, too, matches parts of names.
        return this.networks.filter(({ Name }) => Name.includes(filters.name?.[0] ?? "")) as Result;
      case "/swarm":
        return { Version: { Index: this.version }, Spec: { Name: "default", Labels: this.labels }, RootRotationInProgress: false } as Result;
      case "/nodes":
        return this.nodes.map(({ ID, version, Spec }) => ({ ID, Version: { Index: version }, Spec })) as Result;
      case "/services":
        return this.services.map(({ Name, uses, where: place, publishes, labels = {} }) => ({
          ID: `service-${Name}`,
          Spec: {
            Name,
            Labels: labels,
            ...(publishes && { EndpointSpec: { Ports: publishes.map((PublishMode) => ({ PublishMode })) } }),
            Networks: place === "spec" ? [{ Target: uses }] : null,
            TaskTemplate: place === "task" ? { Networks: [{ Target: uses }] } : {},
          },
        })) as Result;
      case "/tasks":
        return this.tasks
          .filter(({ stopsWithin }) => stopsWithin > this.clock)
          .map(({ uses, state }) => ({ Status: { State: state }, NetworksAttachments: [{ Network: { ID: uses } }] })) as Result;
      case "/containers/json":
        return this.containers
          .filter(({ uses }) => uses === filters.network?.[0])
          .map(({ name, service }) => ({
            Names: [`/${name}`],
            Labels: service === undefined ? {} : { "com.docker.swarm.service.id": service },
          })) as Result;
      case "/tasks/t1":
        if (this.heldOn === undefined) throw this.refusal(404, "task t1 not found", `GET ${path}`);
        return { NodeID: "n1", Status: { State: "running" } } as Result;
      case "/nodes/n1":
        return { Description: { Hostname: this.heldOn } } as Result;
      default:
        throw new Error(`the fake has no ${path}`);
    }
  }

  async post<Result>(path: string, body?: unknown): Promise<Result> {
    if (path.startsWith("/swarm/update?")) return this.updateSwarm(path, body as { readonly Labels: Readonly<Record<string, string>> }) as Result;
    if (path.startsWith("/nodes/")) return this.updateNode(path, body as FakeNode["Spec"]) as Result;
    if (path !== "/networks/create") throw new Error(`the fake has no ${path}`);
    const request = body as FakeNetwork;
    if (this.refuseCreate && this.refuseCreate.times-- > 0) throw this.refusal(409, this.refuseCreate.reason, "POST /networks/create");
    if (this.late?.Name === request.Name) this.appear(this.late);
    if (this.find(request.Name)) throw this.refusal(409, `network with name ${request.Name} already exists`, "POST /networks/create");
    this.changes++;
    this.created.push(request);
    const { Id } = this.add({ ...request, Options: { ...request.Options, "com.docker.network.driver.overlay.vxlanid_list": "4097" } });
    return { Id } as Result;
  }

  private updateNode(path: string, spec: FakeNode["Spec"]): undefined {
    const node = this.nodes.find(({ ID }) => path.startsWith(`/nodes/${ID}/update?`));
    if (!node) throw this.refusal(404, "node not found", `POST ${path}`);
    if (this.nodeConflicts-- > 0) node.version++;
    if (!path.endsWith(`?version=${node.version}`)) throw this.refusal(500, "update out of sequence", `POST ${path}`);
    const address = this.networks.find(({ Ingress }) => Ingress)?.Id;
    const isNew = node.address !== address;
    // The engine is told only of what is otherwise.
    if (address !== undefined && (isNew || !isDeepStrictEqual(node.Spec, spec)) && !(isNew && node.tooQuick)) node.ingress = address;
    Object.assign(node, { version: node.version + 1, Spec: spec, address });
  }

  private updateSwarm(path: string, spec: { readonly Labels: Readonly<Record<string, string>> }): undefined {
    if (this.swarmConflicts-- > 0) this.version++;
    if (path !== `/swarm/update?version=${this.version}`) throw this.refusal(500, "update out of sequence", "POST /swarm/update");
    this.changes++;
    this.version++;
    this.labels = spec.Labels;
  }

  async delete(path: string): Promise<void> {
    if (path.startsWith("/services/")) {
      this.changes++;
      const service = this.services.findIndex(({ Name }) => path === `/services/service-${Name}`);
      if (service < 0) throw this.refusal(404, "service not found", `DELETE ${path}`);
      return void this.services.splice(service, 1);
    }
    const id = path.replace("/networks/", "");
    if (this.refuseDelete) throw this.refuseDelete;
    if (this.goneBeforeDelete) this.drop(id);
    const network = this.networks.find(({ Id }) => Id === id);
    if (!network) throw this.refusal(404, `network ${id} not found`, `DELETE ${path}`);
    // moby, daemon/cluster/helpers.go, getNetwork: an error without a kind, which is HTTP's 500. 404 is only where the engine has it neither.
    if (this.leaving.some((one) => one.id === id)) throw this.refusal(500, `network ${id} not found`, `DELETE ${path}`);
    if (this.heldFor > 0) throw this.refusal(403, `network ${id} is in use by task t1`, `DELETE ${path}`);
    this.changes++;
    if (this.comesBackFor > 0) this.late = network;
    if (this.removalTakes === 0) this.drop(id);
    else this.leaving.push({ id, left: this.removalTakes });
  }

  private appear(network: FakeNetwork): void {
    this.late = undefined;
    this.networks.push(network);
    this.leaving.push({ id: network.Id, left: this.comesBackFor });
  }

  private drop(id: string): void {
    const index = this.networks.findIndex(({ Id }) => Id === id);
    if (index >= 0) this.networks.splice(index, 1);
  }

  private refusal(status: number, reason: string, what: string): DockerApiError {
    return new DockerApiError("control-1", status, reason, what);
  }
}
