import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { DockerApi, DockerApiError } from "../../components/remote/docker-api";

/** A stream with an SSH channel's ways: destroying it only says goodbye, and it is closed when all was read. */
class Channel extends Duplex {
  private readonly socket: Socket;

  constructor(port: number) {
    super({ autoDestroy: false, emitClose: false });
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (data) => this.push(data));
    this.socket.on("end", () => this.push(null));
    this.on("end", () => this.emit("close"));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.socket.end(done);
  }

  override destroy(): this {
    this.end();
    return this;
  }
}

describe("the Docker API over SSH", () => {
  let server: Server;
  let opened = 0;
  let open = 0;
  let mostOpen = 0;
  const port = (): number => (server.address() as AddressInfo).port;
  const session = {
    dockerStream: async (): Promise<Duplex> => {
      // Opening one takes a while, and others are asked for meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 5));
      opened += 1;
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      return new Channel(port()).on("close", () => (open -= 1));
    },
  };

  before((done) => {
    server = createServer((request, response) => {
      if (request.url === "/refused") response.writeHead(500).end(JSON.stringify({ message: "rpc error: code = Unknown desc = no" }));
      else if (request.url === "/closing") response.writeHead(200, { connection: "close" }).end(JSON.stringify({ path: request.url }));
      else response.writeHead(200).end(JSON.stringify({ path: request.url }));
    }).listen(0, "127.0.0.1", done);
  });
  after(() => server.close());
  beforeEach(() => {
    [opened, open, mostOpen] = [0, 0, 0];
  });

  it("answers a burst of calls over a few streams, and again after it", async () => {
    const api = new DockerApi("a", session);
    for (let burst = 0; burst < 3; burst++) {
      const paths = Array.from({ length: 30 }, (_, index) => `/nodes/${index}`);
      const answers = await Promise.all(paths.map((path) => api.get<{ path: string }>(path, 2_000)));
      assert.deepEqual(
        answers.map(({ path }) => path),
        paths,
      );
    }
    assert.ok(mostOpen <= 4, `${mostOpen} streams were open at once`);
    assert.ok(opened <= 4, `${opened} streams were opened`);
    api.close();
  });

  it("goes on when the engine closes each stream after its answer", async () => {
    const api = new DockerApi("a", session);
    for (let call = 0; call < 12; call++) assert.deepEqual(await api.get("/closing", 2_000), { path: "/closing" });
    assert.ok(mostOpen <= 4, `${mostOpen} streams were open at once`);
    api.close();
  });

  it("goes on after calls that nobody waited for any longer", async () => {
    const api = new DockerApi("a", session);
    await Promise.all(
      Array.from({ length: 8 }, () => assert.rejects(api.get("/nodes", 0), /a: Docker did not answer GET \/nodes within 0 s|broke during GET/)),
    );
    assert.deepEqual(await api.get("/nodes", 2_000), { path: "/nodes" });
    api.close();
  });

  it("tells what the engine says, without the words of its transport", async () => {
    const api = new DockerApi("a", session);
    await assert.rejects(api.post("/refused"), (error: unknown) => {
      assert.ok(error instanceof DockerApiError);
      assert.equal(error.message, "a: Docker refused POST /refused: no");
      return true;
    });
    api.close();
  });
});
