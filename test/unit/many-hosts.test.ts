import assert from "node:assert/strict";
import { Fleet, type ReachedHost } from "../../components/agents/fleet";
import { type Failure, mostAtOnce, onEach } from "../../components/remote/each";
import { scriptInput } from "../../components/remote/script";
import { HostServer, keys } from "./ssh-servers";

describe("many hosts over SSH", () => {
  const many = 200;
  let server: HostServer;
  let fleet: Fleet;
  beforeEach(async () => {
    server = new HostServer();
    await server.listen();
    fleet = new Fleet(20, {});
  });
  afterEach(() => {
    fleet.close();
    server.close();
  });

  async function reach(count: number): Promise<readonly ReachedHost[]> {
    const hosts = Array.from({ length: count }, (_, index) => ({ key: `edge-${index}` }));
    const connection = { host: "127.0.0.1", port: server.port, privateKey: keys.client.privateKey, hostKey: keys.host.publicKey };
    const failures: Failure[] = [];
    const reached = await onEach(hosts, failures, ({ key }) => fleet.reach(key, connection));
    assert.deepEqual(failures, []);
    return [...reached.values()];
  }

  it("take one connection each, which stands until the end of the run, and at most 64 are dialled at the same time", async () => {
    await reach(many);
    const { connections, mostStarting, mostStanding } = server.seen;
    assert.deepEqual([connections, mostStanding, server.open], [many, many, many]);
    assert.ok(mostStarting <= mostAtOnce, `${mostStarting} at once`);
  });

  it("are sent what scripts are, one per cent more, and 2 kB for each connection", async () => {
    const [text, values] = ["x".repeat(60_000), { VALUE: "y".repeat(20_000) }];
    const hosts = await reach(10);
    assert.ok(server.seen.bytes < 10 * 2_000, `${server.seen.bytes} bytes for ten connections`);
    const before = server.seen.bytes;
    await Promise.all(hosts.map(({ session }) => session.script(text, values, { verb: "up", timeout: 10_000 })));
    const [sent, came] = [10 * scriptInput(text, "up", values).length, server.seen.bytes - before];
    assert.ok(came > sent && came < 1.01 * sent, `${came} bytes came of ${sent}`);
  });
});
