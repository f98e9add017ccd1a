import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { lowerMesh, type Mesh, type MeshMember, type MeshOptions, raiseMesh } from "../../components/underlay/wireguard/apply";
import type { ScriptValues } from "../../components/remote/script";

type Session = NonNullable<MeshMember["session"]>;
type Moment = "before" | "after";

/** What wireguard.sh does on a host, as far as the others can see it. */
class SimulatedHost {
  private made = 0;
  current: string | undefined;
  next: string | undefined;
  rotation: string | undefined;
  /** The key in use and, for each key that is let in, the address that belongs to it. */
  live: { readonly key: string; readonly peers: ReadonlyMap<string, string | undefined> } | undefined;
  private program = "";
  conf: string | undefined;

  constructor(
    readonly key: string,
    readonly tunnelAddress: string,
    private readonly mesh: SimulatedMesh,
  ) {}

  does(verb: string, values: ScriptValues): unknown {
    switch (verb) {
      case "keys":
        return this.keys(values["ROTATION"] ?? "");
      case "up":
        if (values["WHOLE"] === "yes") [this.program, this.conf] = [values["PROGRAM"] ?? "", values["PEERS"] ?? ""];
        this.live = { key: this.current ?? "", peers: peersOf(this.conf ?? "") };
        return { changed: true };
      case "known":
        return { known: this.knownOf((values["ADDRESSES"] ?? "").split(" ")) };
      case "peer":
        return this.peer(values["NAME"] ?? "", values["SECTION"] ?? "");
      case "switch":
        if (this.next !== undefined) this.current = this.next;
        this.next = undefined;
        this.rotation = this.mesh.rotation;
        if (this.live) this.live = { ...this.live, key: this.current ?? "" };
        return { publicKey: this.current };
      case "check":
        return { silent: (values["ADDRESSES"] ?? "").split(" ").filter((address) => !this.mesh.meets(this, address)) };
      case "down":
        this.live = this.current = this.next = this.rotation = this.conf = undefined;
        return { changed: true };
      default:
        throw new Error(`unknown verb ${verb}`);
    }
  }

  /** As `change_peer` of tunnel.sh; that this does the same is shown where that is tried. */
  private peer(name: string, section: string): unknown {
    const sections = (this.conf ?? "").split("\n\n").map((text) => text.trimEnd());
    const own = sections.findIndex((text) => text.startsWith(`# ${name}\n`));
    if (own < 0) return { found: false };
    const others = sections.filter((text) => !text.startsWith(`# ${name}\n`) && !text.startsWith(`# ${name}, its next key\n`));
    this.conf = `${[...others.slice(0, own), section, ...others.slice(own)].join("\n\n")}\n`;
    this.live = { key: this.current ?? "", peers: peersOf(this.conf) };
    return { found: true, digest: this.digest() };
  }

  private knownOf(addresses: readonly string[]): Record<string, string> {
    const peers = [...peersOf(this.conf ?? "")];
    return Object.fromEntries(peers.flatMap(([key, address]) => (address !== undefined && addresses.includes(address) ? [[address, key]] : [])));
  }

  private digest(): string {
    return this.conf === undefined ? "" : createHash("sha256").update(`${this.program}\n${this.conf}`).digest("hex");
  }

  private keys(rotation: string): unknown {
    this.current ??= this.newKey();
    this.rotation ??= rotation;
    this.next = this.rotation === rotation ? undefined : (this.next ?? this.newKey());
    const next = this.next !== undefined && { nextPublicKey: this.next };
    return { publicKey: this.current, ...next, kernel: this.mesh.kernel.has(this.key), digest: this.digest() };
  }

  private newKey(): string {
    return `${this.key}-key-${++this.made}`;
  }
}

class SimulatedMesh {
  readonly hosts: readonly SimulatedHost[];
  readonly kernel = new Set<string>();
  readonly blocked = new Set<string>();
  readonly progress: string[] = [];
  readonly calls: string[] = [];
  /** Hosts to which the way is gone: no script runs there. */
  readonly broken = new Map<string, string>();
  rotation = "";
  cut: { readonly call: number; readonly moment: Moment } | undefined;
  mostApart = 0;

  constructor(keys: readonly string[]) {
    this.hosts = keys.map((key, index) => new SimulatedHost(key, `10.99.0.${index + 1}`, this));
  }

  host(key: string): SimulatedHost {
    const host = this.hosts.find((one) => one.key === key);
    assert.ok(host);
    return host;
  }

  meets(one: SimulatedHost, address: string): boolean {
    const other = this.hosts.find(({ tunnelAddress }) => tunnelAddress === address);
    if (!one.live || !other?.live || this.blocked.has(one.key) || this.blocked.has(other.key)) return false;
    return one.live.peers.get(other.live.key) === other.tunnelAddress && other.live.peers.get(one.live.key) === one.tunnelAddress;
  }

  /** Pairs of hosts that do not meet. */
  apart(): string[] {
    return this.hosts.flatMap((one) =>
      this.hosts.filter((other) => other.key > one.key && !this.meets(one, other.tunnelAddress)).map((other) => `${one.key} ${other.key}`),
    );
  }

  members(without: readonly string[] = []): MeshMember[] {
    return this.hosts.map(({ key, tunnelAddress }) => ({
      key,
      site: key.slice(0, 1),
      address: `10.0.0.${key}`,
      ...(key.startsWith("a") && { publicAddress: `203.0.113.${key}` }),
      tunnelAddress,
      ...(!without.includes(key) && { session: this.session(key) }),
    }));
  }

  async raise(options: Partial<MeshOptions> = {}, members = this.members()): Promise<Mesh> {
    this.rotation = options.rotation ?? "";
    this.calls.length = 0;
    this.mostApart = 0;
    const io = { progress: (host: string | undefined, line: string) => void this.progress.push(`${host ?? "all"}: ${line}`) };
    return raiseMesh(members, { port: 51820, mtu: 1440, prefix: 24, ...options }, io);
  }

  session(key: string): Session {
    const script = async (_text: string, values: ScriptValues, { verb }: { verb: string }): Promise<unknown> => {
      this.calls.push(`${key} ${verb}`);
      const number = this.calls.length;
      await Promise.resolve();
      const ended = this.cut && (number > this.cut.call || (number === this.cut.call && this.cut.moment === "before"));
      const broken = this.broken.get(key);
      if (ended || broken !== undefined) throw new Error(`${key}: ${broken ?? "the run was killed"}`);
      const result = this.host(key).does(verb, values);
      this.mostApart = Math.max(this.mostApart, this.apart().length);
      if (number === this.cut?.call) throw new Error(`${key}: the run was killed`);
      return result;
    };
    return { script: script as Session["script"] };
  }
}

function peersOf(text: string): Map<string, string | undefined> {
  const sections = text.split("[Peer]").slice(1);
  return new Map(sections.map((section) => [/PublicKey = (.*)/.exec(section)?.[1] ?? "", /AllowedIPs = (.*)\/32/.exec(section)?.[1]]));
}

describe("raising the encrypted mesh", () => {
  let mesh: SimulatedMesh;
  beforeEach(() => (mesh = new SimulatedMesh(["a1", "a2", "b1", "b2"])));

  it("lets every two hosts meet, and reports the public keys", async () => {
    const result = await mesh.raise();
    assert.deepEqual(mesh.apart(), []);
    assert.deepEqual(result, {
      publicKeys: { a1: "a1-key-1", a2: "a2-key-1", b1: "b1-key-1", b2: "b2-key-1" },
      userspace: ["a1", "a2", "b1", "b2"],
      unrotated: [],
      failures: [],
    });
  });

  it("warns once of all hosts whose kernel has no WireGuard, with what it costs", async () => {
    mesh.kernel.add("a1").add("b1");
    assert.deepEqual((await mesh.raise()).userspace, ["a2", "b2"]);
    const warnings = mesh.progress.filter((line) => line.includes("warning"));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /^all: warning: no WireGuard in the kernel of a2, b2, .*3 ms .* a megabyte, .* 8 times/);
  });

  it("joins the others when a host fails, and says why it did", async () => {
    mesh.broken.set("b2", "apt-get update failed");
    const result = await mesh.raise();
    assert.deepEqual(result.failures, [{ host: "b2", reason: "b2: apt-get update failed" }]);
    assert.deepEqual(mesh.apart(), ["a1 b2", "a2 b2", "b1 b2"]);
    assert.deepEqual(Object.keys(result.publicKeys), ["a1", "a2", "b1"]);
  });

  it("keeps a host that cannot be reached as a peer of the others when its key is known", async () => {
    const { publicKeys } = await mesh.raise();
    const known = Object.fromEntries(Object.entries(publicKeys).map(([key, publicKey]) => [key, { publicKey }]));
    assert.deepEqual(await mesh.raise({ known }, mesh.members(["b2"])), { publicKeys, userspace: ["a1", "a2", "b1"], unrotated: [], failures: [] });
    assert.deepEqual(mesh.apart(), []);
  });

  it("keeps it likewise when nobody remembers its key but the others, as after a lost state", async () => {
    const { publicKeys } = await mesh.raise();
    assert.deepEqual((await mesh.raise({}, mesh.members(["b2"]))).publicKeys, publicKeys, "not seen at all");
    mesh.broken.set("b2", "No space left on device");
    const { publicKeys: known, failures } = await mesh.raise();
    assert.deepEqual([known, failures.map(({ host }) => host)], [publicKeys, ["b2"]], "seen, and of no use");
    assert.deepEqual(mesh.apart(), []);
  });

  it("leaves out a host that never was in the mesh, and asks nobody when all are known", async () => {
    assert.deepEqual(Object.keys((await mesh.raise({}, mesh.members(["b2"]))).publicKeys), ["a1", "a2", "b1"]);
    assert.ok(mesh.calls.includes("a1 known"));
    await mesh.raise();
    assert.ok(!mesh.calls.includes("a1 known"));
  });

  it("blames the host that meets nobody, and names what must be open", async () => {
    mesh.blocked.add("a2");
    const { failures } = await mesh.raise({ meetSeconds: 3 });
    assert.deepEqual(
      failures.map(({ host, reason }) => `${host}: ${reason}`),
      [
        "a2: the tunnel between a2 and a1 gave no answer within 3 s: look whether 51820/udp is open in both directions between 10.0.0.a2 (a2) and 10.0.0.a1 (a1)",
        "a2: the tunnel between a2 and b1 gave no answer within 3 s: look whether packets of b1, which is behind address translation, come to 51820/udp of 203.0.113.a2 (a2)",
        "a2: the tunnel between a2 and b2 gave no answer within 3 s: look whether packets of b2, which is behind address translation, come to 51820/udp of 203.0.113.a2 (a2)",
      ],
    );
  });

  it("takes the tunnel away from hosts that leave", async () => {
    await mesh.raise();
    const { failures } = await lowerMesh([{ key: "b2", session: mesh.session("b2") }], { progress: () => {} });
    assert.deepEqual(failures, []);
    assert.equal(mesh.host("b2").live, undefined);
  });

  it("reports a host that would not let its tunnel go", async () => {
    mesh.broken.set("b2", "no space left");
    const { failures } = await lowerMesh([{ key: "b2", session: mesh.session("b2") }], { progress: () => {} });
    assert.deepEqual(failures, [{ host: "b2", reason: "b2: no space left" }]);
  });
});

describe("changing the keys of the mesh", () => {
  let mesh: SimulatedMesh;
  beforeEach(async () => {
    mesh = new SimulatedMesh(["a1", "a2", "b1", "b2"]);
    await mesh.raise({ rotation: "one" });
  });

  it("gives every host a new key, with never more than one host's pairs apart", async () => {
    const { publicKeys, failures } = await mesh.raise({ rotation: "two" });
    assert.deepEqual(failures, []);
    assert.deepEqual(publicKeys, { a1: "a1-key-2", a2: "a2-key-2", b1: "b1-key-2", b2: "b2-key-2" });
    assert.deepEqual(mesh.apart(), []);
    assert.equal(mesh.mostApart, 3);
    assert.ok(mesh.hosts.every(({ live }) => live?.peers.size === 3));
  });

  it("happens once for one change of the text", async () => {
    const first = await mesh.raise({ rotation: "two" });
    assert.deepEqual((await mesh.raise({ rotation: "two" })).publicKeys, first.publicKeys);
    assert.ok(!mesh.calls.some((call) => call.endsWith("switch")));
    assert.equal(mesh.mostApart, 0);
  });

  it("waits for a host that cannot be told, which would lose the others", async () => {
    const known = { b2: { publicKey: "b2-key-1" } };
    const result = await mesh.raise({ rotation: "two", known }, mesh.members(["b2"]));
    assert.deepEqual(result.unrotated, ["a1", "a2", "b1"]);
    assert.match(mesh.progress.join("\n"), /a1: keeps its key for now, and so do the hosts after it: b2 cannot be told of a new one/);
    assert.deepEqual(mesh.apart(), []);
    assert.deepEqual((await mesh.raise({ rotation: "two" })).unrotated, []);
    assert.deepEqual(mesh.apart(), []);
  });

  it("does not wait for a host that never was in the mesh", async () => {
    mesh = new SimulatedMesh(["a1", "a2", "b1", "b2"]);
    await mesh.raise({ rotation: "one" }, mesh.members(["b2"]));
    const result = await mesh.raise({ rotation: "two" }, mesh.members(["b2"]));
    assert.deepEqual(result.unrotated, []);
    assert.equal(result.publicKeys["a1"], "a1-key-2");
  });

  it("stops after a host that the others no longer meet", async () => {
    const does = mesh.host("a2").does.bind(mesh.host("a2"));
    mesh.host("a2").does = (verb, values) => {
      if (verb === "switch") mesh.blocked.add("a2");
      return does(verb, values);
    };
    const result = await mesh.raise({ rotation: "two", meetSeconds: 0 });
    assert.deepEqual(result.unrotated, ["b1", "b2"]);
    assert.deepEqual([...new Set(result.failures.map(({ host }) => host))], ["a2"]);
  });

  const moments: Moment[] = ["before", "after"];
  for (const moment of moments) {
    it(`ends in one consistent mesh when the run is killed ${moment} any of its steps, and another follows`, async () => {
      await mesh.raise({ rotation: "two" });
      const steps = mesh.calls.length;
      for (let call = 1; call <= steps; call += 1) {
        const cut = new SimulatedMesh(["a1", "a2", "b1", "b2"]);
        await cut.raise({ rotation: "one" });
        cut.cut = { call, moment };
        const killed = await cut.raise({ rotation: "two" });
        assert.notDeepEqual(killed.failures, [], `step ${call}`);
        cut.cut = undefined;
        const result = await cut.raise({ rotation: "two" });
        assert.deepEqual(result.failures, [], `step ${call}`);
        assert.deepEqual(cut.apart(), [], `step ${call}`);
        assert.deepEqual(Object.values(result.publicKeys), ["a1-key-2", "a2-key-2", "b1-key-2", "b2-key-2"], `step ${call}`);
        assert.ok(
          cut.hosts.every(({ live }) => live?.peers.size === 3),
          `step ${call}: an old key is still let in`,
        );
      }
    });
  }
});
