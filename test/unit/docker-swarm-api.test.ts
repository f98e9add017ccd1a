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
