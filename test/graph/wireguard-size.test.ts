import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type MeshMember, type MeshOptions, raiseMesh } from "../../components/underlay/wireguard/apply";
import { mostHosts } from "../../components/underlay/wireguard/args";
import { scriptInput, type ScriptValues } from "../../components/remote/script";

type Session = NonNullable<MeshMember["session"]>;

/** A public key is as long as this. */
const keyOf = (host: string, number: number): string => createHash("sha256").update(`${host} ${number}`).digest("base64");

/** What a host holds, and how many bytes it was given for it. */
class CountingHost {
  private number = 1;
  private next: number | undefined;
  private rotation: string | undefined;
  private program = "";
  private sections = new Map<string, string>();

  constructor(
    private readonly key: string,
    private readonly mesh: CountingMesh,
  ) {}

  readonly session: Session = {
    script: async <Result>(text: string, values: ScriptValues, { verb }: { readonly verb: string }): Promise<Result> => {
      this.mesh.bytes += scriptInput(text, verb, values).length;
      return (await Promise.resolve(this.does(verb, values))) as Result;
    },
  };

  private does(verb: string, values: ScriptValues): object {
    if (verb === "check") this.mesh.looks += (values["ADDRESSES"] ?? "").split(" ").length;
    if (verb === "keys") return this.keys(values["ROTATION"] ?? "");
    if (verb === "up" && values["WHOLE"] === "yes") this.take(values["PROGRAM"] ?? "", values["PEERS"] ?? "");
    if (verb === "peer") return this.peer(values["NAME"] ?? "", values["SECTION"] ?? "");
    if (verb === "switch") {
      [this.number, this.next, this.rotation] = [this.next ?? this.number, undefined, this.mesh.rotation];
      return { publicKey: keyOf(this.key, this.number) };
    }
    return { changed: false, silent: [] };
  }

  private keys(rotation: string): object {
    this.rotation ??= rotation;
    if (this.rotation !== rotation) this.next ??= this.number + 1;
    const next = this.next !== undefined && { nextPublicKey: keyOf(this.key, this.next) };
    return { publicKey: keyOf(this.key, this.number), ...next, kernel: true, digest: this.digest() };
  }

  private take(program: string, peers: string): void {
    this.program = program;
    const sections = peers.split("\n\n").map((text): [string, string] => [/^# (.*)$/m.exec(text)?.[1] ?? "", text.trimEnd()]);
    this.sections = new Map(sections);
  }

  private peer(name: string, section: string): object {
    if (!this.sections.has(name)) return { found: false };
    this.sections.set(name, section);
    this.sections.delete(`${name}, its next key`);
    // Hashed where it can matter: hosts have all of it, or it is another one anyway.
    return { found: true, digest: this.sections.size === this.mesh.size - 1 ? this.digest() : "" };
  }

  private digest(): string {
    return createHash("sha256")
      .update(`${this.program}\n${[...this.sections.values()].join("\n\n")}\n`)
      .digest("hex");
  }
}

class CountingMesh {
  bytes = 0;
  looks = 0;
  rotation = "";
  private readonly members: readonly MeshMember[];

  constructor(readonly size: number) {
    this.members = Array.from({ length: size }, (_, index): MeshMember => {
      const key = `worker-${index + 1}`;
      const [third, fourth] = [Math.floor(index / 250), (index % 250) + 1];
      const addresses = { address: `10.0.${third}.${fourth}`, publicAddress: `203.0.${third}.${fourth}`, tunnelAddress: `10.99.${third}.${fourth}` };
      return { key, site: `site-${index % 5}`, ...addresses, session: new CountingHost(key, this).session };
    });
  }

  async raise(options: Partial<MeshOptions> = {}): Promise<{ readonly bytes: number; readonly looks: number }> {
    [this.bytes, this.looks, this.rotation] = [0, 0, options.rotation ?? this.rotation];
    const all = { port: 51820, mtu: 1440, prefix: 20, rotation: this.rotation, ...options };
    const { failures, unrotated } = await raiseMesh(this.members, all, { progress: () => {} });
    assert.deepEqual([failures, unrotated], [[], []]);
    return { bytes: this.bytes, looks: this.looks };
  }
}

describe("what a mesh of many hosts costs", () => {
  const sizes = [10, 100, mostHosts];
  const cost: {
    readonly size: number;
    readonly first: number;
    readonly again: number;
    readonly rotation: number;
    readonly looks: number;
    readonly looksAgain: number;
  }[] = [];

  before(async function () {
    this.timeout(60_000);
    for (const size of sizes) {
      const mesh = new CountingMesh(size);
      const { bytes: first } = await mesh.raise({ rotation: "one" });
      const { bytes: again, looks: looksAgain } = await mesh.raise();
      const { bytes: rotation, looks } = await mesh.raise({ rotation: "two" });
      cost.push({ size, first, again, rotation, looks, looksAgain });
    }
    const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
    for (const { size, first, again, rotation } of cost) {
      process.stdout.write(
        `      ${size} hosts: ${mega(first)} the first time, ${mega(again)} with nothing to change, ${mega(rotation)} for new keys\n`,
      );
    }
  });

  it("is for new keys no more than a kilobyte for every two hosts, and what each host is sent anyway", () => {
    for (const { size, rotation } of cost) assert.ok(rotation < 1_000 * size * size + 80_000 * size, `${size} hosts: ${rotation} bytes`);
  });

  it("is a constant for each host where nothing is to change, but for the addresses that it looks at", () => {
    for (const { size, again } of cost) assert.ok(again < 50_000 * size, `${size} hosts: ${again} bytes`);
  });

  it("is pings of each host to every other one, and beyond a hundred hosts to some", () => {
    const most = (size: number): number => (size <= 100 ? size * (size - 1) : size * 10);
    for (const { size, looks, looksAgain } of cost) {
      assert.ok(looksAgain <= most(size), `${size} hosts: ${looksAgain}`);
      assert.ok(looks <= 3 * most(size), `${size} hosts, one after another: ${looks}`);
    }
  });
});
