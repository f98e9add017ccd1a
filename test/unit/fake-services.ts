import { DockerApiError } from "../../components/remote/docker-api";
import type { EngineApi } from "../../components/remote/engine-api";
import type { Service, ServiceSpec, Task } from "../../components/gateways/api";

interface FakeConfig {
  readonly ID: string;
  readonly Spec: { readonly Name: string; readonly Labels: Readonly<Record<string, string>>; readonly Data: string };
}

type FakeTask = { -readonly [Key in keyof Task]: Task[Key] } & { readonly service: string };
type FakeService = { -readonly [Key in keyof Service]: Service[Key] };

/** Services, configs and tasks of a swarm, as far as a gateway has to do with them, with the habits of the real one. */
export class FakeServices implements EngineApi {
  readonly configs: FakeConfig[] = [];
  readonly services: FakeService[] = [];
  readonly tasks: FakeTask[] = [];
  /** Requests that changed something, as a person would list them. */
  readonly changes: string[] = [];
  /** What becomes of tasks with this image: what they say, or a text when they do not run. @default - they run */
  readonly broken = new Map<string, { readonly state: "rejected" | "pending" | "dies"; readonly says: string }>();
  /** Milliseconds that a task takes to run. */
  startTakes = 1_000;
  /** How many updates meet somebody else's. */
  conflicts = 0;
  /** After so many changes the connection breaks: the change is made, and nobody is told. */
  cutAfter = Infinity;

  private clock = 0;
  private made = 0;

  passes(milliseconds: number): void {
    this.clock += milliseconds;
    for (const service of this.services) this.work(service);
  }

  service(name: string): Service | undefined {
    return this.services.find(({ Spec }) => Spec.Name === name);
  }

  textOf(service: Service | undefined): string {
    const id = service?.Spec.TaskTemplate.ContainerSpec?.Configs?.[0]?.ConfigID;
    return Buffer.from(this.configs.find(({ ID }) => ID === id)?.Spec.Data ?? "", "base64").toString();
  }

  async get<Result>(path: string): Promise<Result> {
    const [where = "", query] = path.split("?");
    const filters = JSON.parse(new URLSearchParams(query).get("filters") ?? "{}") as { name?: string[]; service?: string[] };
    if (where === "/services") return this.services.filter(({ Spec }) => Spec.Name.startsWith(filters.name?.[0] ?? "")) as Result;
    if (where === "/configs") return this.configs as Result;
    if (where === "/tasks") return this.tasks.filter(({ service }) => service === filters.service?.[0]) as Result;
    if (where === "/nodes") return [{ ID: "node1", Spec: { Labels: { "pulumi-swarm.host": "rack-1" } } }] as Result;
    const service = this.services.find(({ ID }) => where === `/services/${ID}`);
    if (service) return service as Result;
    throw this.refusal(404, `service not found`, path);
  }

  async post<Result>(path: string, body?: unknown): Promise<Result> {
    if (path === "/configs/create") {
      const spec = body as FakeConfig["Spec"];
      if (this.configs.some(({ Spec }) => Spec.Name === spec.Name)) throw this.refusal(409, "config already exists", path);
      const config = { ID: `c${++this.made}`, Spec: spec };
      this.configs.push(config);
      return this.changed("config made", { ID: config.ID } as Result);
    }
    const spec = body as ServiceSpec;
    if (path === "/services/create") {
      if (this.service(spec.Name)) throw this.refusal(409, `name conflicts with an existing object: service ${spec.Name} already exists`, path);
      const service = { ID: `s${++this.made}`, Version: { Index: 1 }, Spec: spec };
      this.services.push(service);
      this.work(service);
      return this.changed("service made", { ID: service.ID } as Result);
    }
    const service = this.services.find(({ ID }) => path.startsWith(`/services/${ID}/update?`));
    if (!service) throw this.refusal(404, "service not found", path);
    if (this.conflicts-- > 0) service.Version = { Index: service.Version.Index + 1 };
    if (!path.endsWith(`?version=${service.Version.Index}`)) throw this.refusal(500, "update out of sequence", path);
    Object.assign(service, {
      PreviousSpec: service.Spec,
      Spec: spec,
      Version: { Index: service.Version.Index + 1 },
      UpdateStatus: { State: "updating" },
    });
    this.work(service);
    return this.changed("service updated", {} as Result);
  }

  async delete(path: string): Promise<void> {
    const service = this.services.findIndex(({ ID }) => path === `/services/${ID}`);
    if (service >= 0) {
      this.services.splice(service, 1);
      return this.changed("service removed", undefined);
    }
    const config = this.configs.findIndex(({ ID }) => path === `/configs/${ID}`);
    if (config < 0) throw this.refusal(404, "not found", path);
    const user = this.services.find(({ Spec }) => Spec.TaskTemplate.ContainerSpec?.Configs?.[0]?.ConfigID === this.configs[config]?.ID);
    // swarmkit, manager/controlapi/config.go, RemoveConfig.
    if (user) throw this.refusal(400, `config 'x' is in use by the following service: ${user.Spec.Name}`, path);
    this.configs.splice(config, 1);
    this.changed("config removed", undefined);
  }

  /** A program that ends at once: its task runs for a moment, and another one is started. */
  private die(task: FakeTask, says: string): void {
    if (this.clock - Date.parse(task.UpdatedAt) < 600) return;
    Object.assign(task, { UpdatedAt: new Date(this.clock).toISOString(), DesiredState: "shutdown", Status: { State: "failed", Err: says } });
  }

  /** The scheduler and the updater: earlier tasks stop, new ones start, and a version that does not run is taken back. */
  private work(service: FakeService): void {
    const { Spec: spec } = service;
    const template = JSON.stringify(spec.TaskTemplate);
    const own = this.tasks.filter((task) => task.service === service.ID && task.DesiredState === "running");
    for (const task of own.filter((each) => JSON.stringify(each.Spec) !== template)) task.DesiredState = "shutdown";
    const broken = this.broken.get(spec.TaskTemplate.ContainerSpec?.Image ?? "");
    if (broken?.state === "dies") for (const task of own.filter(({ Status: { State: state } }) => state === "running")) this.die(task, broken.says);
    const current = own.filter((each) => each.DesiredState === "running");
    for (let missing = (spec.Mode.Replicated?.Replicas ?? 0) - current.length; missing > 0; missing -= 1) {
      const task = {
        ID: `t${++this.made}`,
        service: service.ID,
        NodeID: broken?.state === "pending" ? "" : "node1",
        UpdatedAt: new Date(this.clock).toISOString(),
        DesiredState: "running",
        Status: { State: broken?.state === "pending" ? "pending" : "preparing", ...(broken?.state === "pending" && { Err: broken.says }) },
        Spec: spec.TaskTemplate,
      };
      this.tasks.push(task);
    }
    for (const task of this.tasks.filter((each) => each.service === service.ID && each.Status.State === "preparing")) {
      if (this.clock - Date.parse(task.UpdatedAt) < this.startTakes) continue;
      task.UpdatedAt = new Date(this.clock).toISOString();
      task.Status = broken?.state === "rejected" ? { State: "rejected", Err: broken.says } : { State: "running" };
      if (broken?.state !== "rejected") continue;
      task.DesiredState = "shutdown";
      if (service.PreviousSpec && service.UpdateStatus?.State === "updating") {
        Object.assign(service, { Spec: service.PreviousSpec, PreviousSpec: null, UpdateStatus: { State: "rollback_started" } });
      }
    }
  }

  private changed<Result>(what: string, result: Result): Result {
    this.changes.push(what);
    if (this.changes.length >= this.cutAfter) {
      this.cutAfter = Infinity;
      throw new Error("the connection to Docker broke");
    }
    return result;
  }

  private refusal(status: number, reason: string, what: string): DockerApiError {
    return new DockerApiError("control-1", status, reason, what);
  }
}
