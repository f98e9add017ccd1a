import assert from "node:assert/strict";
import { DockerSwarmApi } from "../../components/membership/docker-swarm-api";
import { DockerApiError } from "../../components/remote/docker-api";
import type { EngineApi } from "../../components/remote/engine-api";
import { failure } from "./fake-io";

/** An engine that has left a swarm, with what it has not removed. */
class EngineThatLeft implements EngineApi {
  readonly asked: string[] = [];
  /** Why it does not remove a container. */
  readonly refusals = new Map<string, DockerApiError>();

  constructor(
    private readonly containers: readonly string[],
    private readonly refusal?: DockerApiError,
  ) {}

  async get<Result>(path: string): Promise<Result> {
    assert.match(decodeURIComponent(path), /^\/containers\/json\?filters=\{"label":\["com\.docker\.swarm\.node\.id"\]\}$/);
    return Promise.resolve(this.containers.map((Id) => ({ Id })) as Result);
  }

  async post<Result>(path: string): Promise<Result> {
    this.asked.push(`POST ${path}`);
    return this.refusal ? Promise.reject(this.refusal) : Promise.resolve(undefined as Result);
  }

  async delete(path: string): Promise<void> {
    this.asked.push(`DELETE ${path}`);
    const refusal = this.refusals.get(path.split(/[/?]/)[2] ?? "");
    return refusal ? Promise.reject(refusal) : Promise.resolve();
  }
}

const refused = (status: number, reason: string): DockerApiError => new DockerApiError("edge-1", status, reason, "DELETE /containers/one");

describe("an engine that is asked while it looks for its leader", () => {
  const asked: string[] = [];
  const engine = (newest: string, oldest?: string): EngineApi => ({
    get: <Result>(path: string): Promise<Result> => {
      asked.push(path);
      const swarm = { LocalNodeState: "active", NodeID: "n", NodeAddr: "10.0.0.1", ControlAvailable: true, Error: "" };
      return Promise.resolve((path === "/version" ? { ApiVersion: newest, ...(oldest && { MinAPIVersion: oldest }) } : { Swarm: swarm }) as Result);
    },
    post: () => Promise.reject(new Error("nothing is to be changed")),
    delete: () => Promise.reject(new Error("nothing is to be changed")),
  });
  beforeEach(() => asked.splice(0));

  it("is asked for an answer of its own by another version of its API, of those that it has", async () => {
    const api = new DockerSwarmApi("control-2", engine("1.45", "1.24"));
    for (const apart of [0, 1, 2, 3]) assert.equal((await api.local(apart)).nodeId, "n");
    assert.deepEqual(asked, ["/info", "/version", "/v1.44/info", "/v1.43/info", "/v1.42/info"]);
  });

  it("is asked by none that it refuses", async () => {
    await new DockerSwarmApi("control-2", engine("1.45", "1.44")).local(3);
    await new DockerSwarmApi("control-2", engine("1.45")).local(3);
    assert.deepEqual(asked, ["/version", "/v1.44/info", "/version", "/v1.45/info"]);
  });
});

describe("a host that leaves a swarm", () => {
  it("takes along the containers of its tasks, which an engine in an error leaves running", async () => {
    const engine = new EngineThatLeft(["one", "two"]);
    await new DockerSwarmApi("edge-1", engine).leave(true);
    assert.deepEqual(engine.asked, ["POST /swarm/leave?force=true", "DELETE /containers/one?force=true", "DELETE /containers/two?force=true"]);
  });

  it("does not mind that one of them is gone or going, and says what else Docker refuses", async () => {
    const engine = new EngineThatLeft(["one", "two"]);
    engine.refusals.set("one", refused(404, "No such container: one"));
    engine.refusals.set("two", refused(409, "removal of container two is already in progress"));
    await new DockerSwarmApi("edge-1", engine).leave(true);
    engine.refusals.set("one", refused(500, "driver failed to remove root filesystem"));
    assert.match(
      await failure(new DockerSwarmApi("edge-1", engine).leave(true)),
      /^edge-1: Docker refused .*: driver failed to remove root filesystem$/,
    );
  });

  it("touches nothing where it was in none", async () => {
    const engine = new EngineThatLeft(["one"], refused(503, "This node is not part of a swarm"));
    await new DockerSwarmApi("edge-1", engine).leave(true);
    assert.deepEqual(engine.asked, ["POST /swarm/leave?force=true"]);
  });
});

describe("services, as the managers count their tasks", () => {
  it("are those that go on for as long as they are there: jobs end, and have nothing to be waited for", async () => {
    const status = (RunningTasks: number, DesiredTasks: number): object => ({ ServiceStatus: { RunningTasks, DesiredTasks } });
    const services = [
      { ID: "1", Spec: { Name: "web", Mode: { Replicated: { Replicas: 3 } } }, ...status(2, 3) },
      { ID: "2", Spec: { Name: "agent", Mode: { Global: {} } }, ...status(5, 5) },
      { ID: "3", Spec: { Name: "nightly", Mode: { ReplicatedJob: { MaxConcurrent: 1 } } }, ...status(0, 1) },
      { ID: "4", Spec: { Name: "sweep", Mode: { GlobalJob: {} } }, ...status(0, 5) },
      // What an engine before 20.10 answers.
      { ID: "5", Spec: { Name: "old", Mode: { Replicated: { Replicas: 1 } } } },
    ];
    const asked: string[] = [];
    const docker = {
      get: (path: string) => {
        asked.push(path);
        return Promise.resolve(services);
      },
    } as unknown as EngineApi;
    assert.deepEqual(await new DockerSwarmApi("control-1", docker).services(), [
      { id: "1", name: "web", running: 2, desired: 3 },
      { id: "2", name: "agent", running: 5, desired: 5 },
    ]);
    assert.deepEqual(asked, ["/services?status=true"]);
  });
});
