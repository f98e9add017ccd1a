import assert from "node:assert/strict";
import { SshSession } from "../../components/remote/ssh";
import { lowerMesh, type Mesh, type MeshMember, raiseMesh } from "../../components/underlay/wireguard/apply";
import { capture } from "../../tools/lab/capture";
import { tryPacket } from "../../tools/lab/measure";
import { needTools, networkOf } from "../../tools/lab/namespace";
import { Sites } from "../../tools/lab/sites";
import { needKernel } from "../../tools/lab/virtual";
import { lossDuring, pairsOf, show } from "../lab/tunnel-watch";
import { farewell, hideModule, served } from "./tunnel";

const names = ["v1", "v2", "v3"] as const;

/** v3 has no WireGuard in its kernel. */
describe("an encrypted mesh on real kernels, one of which has no WireGuard", function () {
  this.timeout(300_000);
  this.bail(true);
  const sites = new Sites("vmw", { rack: { subnet: "10.246.0.0/24", hosts: Object.fromEntries(names.map((each) => [each, { kernel: "own" }])) } });
  const sessions = new Map<string, SshSession>();
  const watched = { hosts: names.map((key) => ({ key })), on: (key: string, command: string) => sites.on(key, "sh", "-c", command) };
  const tunnelOf = (key: string): string => `10.99.0.${names.findIndex((name) => name === key) + 1}`;
  const io = { progress: (): void => {} };

  function session(key: string): SshSession {
    const found = sessions.get(key);
    assert.ok(found, `no session to ${key}`);
    return found;
  }

  async function raise(of: readonly string[] = names, rotation = ""): Promise<Mesh> {
    const members = of.map((key): MeshMember => {
      const { site, address } = sites.host(key);
      return { key, site, address, tunnelAddress: tunnelOf(key), session: session(key) };
    });
    const mesh = await raiseMesh(members, { port: 51820, mtu: 1440, prefix: 24, rotation }, io);
    assert.deepEqual(mesh.failures, []);
    return mesh;
  }

  before(async function () {
    needKernel(this);
    needTools(this, "nsenter", "tcpdump");
    await sites.build();
    await hideModule(sites, "v3");
    for (const key of names) sessions.set(key, await SshSession.open(key, sites.connection(key)));
  });
  after(async () => {
    await farewell(sessions.values());
    await sites.remove();
  });

  it("takes the kernel's where there is one, and wireguard-go where not", async () => {
    const { userspace } = await raise();
    assert.deepEqual(userspace, ["v3"]);
    assert.deepEqual(await Promise.all(names.map((name) => served(sites, name))), ["kernel", "kernel", "wireguard-go"]);
  });

  it("passes packets of exactly 1440 bytes in one piece between any two of them, and refuses one byte more", async () => {
    for (const [from, to] of [...pairsOf(names), ["v3", "v1"] as const]) {
      const send = (size: number): Promise<string> => tryPacket(sites.host(from).machine, undefined, tunnelOf(to), size);
      const { packets, result } = await capture(
        await networkOf(sites.host(to).machine),
        "machine",
        async () => [await send(1440), await send(1441)],
        ["host", sites.host(from).address, "and", "udp"],
      );
      assert.deepEqual(result, ["passes", "refused"], `${from} to ${to}`);
      assert.equal(packets.filter(({ fragment }) => fragment).length, 0, `${from} to ${to} in one piece`);
      assert.equal(Math.max(...packets.map(({ size }) => size)), 1500, "the largest fills the link");
    }
  });

  it("loses no packet between the others while a host leaves and comes back", async () => {
    const loss = await lossDuring(watched, [["v1", "v2"]], async () => {
      await raise(["v1", "v2"]);
      assert.deepEqual((await lowerMesh([{ key: "v3", session: session("v3") }], io)).failures, []);
      await raise();
    });
    process.stdout.write(`      lost of pings every 10 ms: ${show(loss)}\n`);
    assert.ok((loss["v1-v2"]?.sent ?? 0) > 50);
    assert.equal(loss["v1-v2"]?.lost, 0);
  });

  it("gives new keys with no more loss between kernels than where one end is wireguard-go", async () => {
    const { publicKeys } = await raise();
    let mesh: Mesh | undefined;
    const loss = await lossDuring(watched, pairsOf(names), async () => {
      mesh = await raise(names, "first");
    });
    process.stdout.write(`      lost of pings every 10 ms while all keys changed: ${show(loss)}\n`);
    for (const key of names) assert.notEqual(mesh?.publicKeys[key], publicKeys[key]);
    for (const [pair, { lost, sent }] of Object.entries(loss)) {
      assert.ok(sent > 50, `${pair}: only ${sent} pings`);
      // Less than a second on a machine that is not emulated (test/lab/wireguard): here the scripts between the two ends' changes take longer.
      assert.ok(lost < 300, `${pair} lost ${lost} pings of ${sent}`);
    }
    // Each pair waits for the same scripts, so that what is more than twice as much is not chance.
    const lost = (pair: string): number => loss[pair]?.lost ?? Number.NaN;
    assert.ok(lost("v1-v2") <= 2 * Math.max(lost("v1-v3"), lost("v2-v3")), show(loss));
  });
});
