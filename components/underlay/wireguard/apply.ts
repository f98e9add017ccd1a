import { createHash } from "node:crypto";
import { mostForAllPairs, pairsToCheck } from "../../addresses/pairs";
import { type Failure, onEach } from "../../remote/each";
import { loadHostScript, loadInstallingScript, loadScript, type ScriptValues } from "../../remote/script";
import { stillSilentTo } from "../../remote/silent";
import type { SshSession } from "../../remote/ssh";
import { whileWaiting, type WaitingIo } from "../../waiting";
import { tunnelInterface } from "./args";
import { type MeshHost, type PeerKeys, type PlannedPeer, peersConf, planPeers } from "./mesh";

const hostScript = loadHostScript(__dirname, "wireguard.sh");
/** Knows `keys`, too, which installs what is missing. */
const keysScript = loadInstallingScript(__dirname, "wireguard.sh");
const tunnelProgram = loadScript(__dirname, "tunnel.sh");
const peerScript = loadScript(__dirname, "peer.sh");
const knownScript = loadScript(__dirname, "known.sh");

/** A package may come slowly; apt's own limits are inside the script. */
const installTimeout = 20 * 60_000;
const scriptTimeout = 3 * 60_000;

export interface MeshIo extends WaitingIo {
  /** @param host undefined where it is about all hosts */
  progress(host: string | undefined, line: string): void;
  /** Called when a host got another configuration. */
  changed?(host: string): void;
}

/** A host of the mesh; one without a session cannot be reached just now, and stays a peer if its key is known. */
export type MeshMember = MeshHost & { readonly session?: Pick<SshSession, "script"> };

export interface MeshOptions {
  readonly port: number;
  readonly mtu: number;
  /** Length of the tunnel network's prefix. */
  readonly prefix: number;
  /** @default 25 */
  readonly keepalive?: number;
  /** Every other text than the last makes new keys. @default - the keys are kept */
  readonly rotation?: string;
  /** What {@link raiseMesh} returned last time. @default - nothing is known of hosts that cannot be reached */
  readonly known?: Readonly<Record<string, { readonly publicKey: string }>>;
  /** How long two hosts may take to meet, where neither is short of processors. @default 20 */
  readonly meetSeconds?: number;
}

export interface Mesh {
  readonly publicKeys: Readonly<Record<string, string>>;
  /** Hosts whose kernel has no WireGuard. */
  readonly userspace: readonly string[];
  /** Hosts that keep their old keys for now, since one that cannot be reached would lose them. */
  readonly unrotated: readonly string[];
  readonly failures: readonly Failure[];
}

/**
 * Joins the hosts: keys, peers, new keys where they are asked for, and a proof that every two that are reached do meet.
 * What fails on one host is a failure of that host. May be run again at any time, also after a run that was cut off.
 */
export async function raiseMesh(hosts: readonly MeshMember[], options: MeshOptions, io: MeshIo): Promise<Mesh> {
  const run = new MeshRun(hosts, options, io);
  await run.makeKeys();
  await run.givePeers(run.working());
  await run.checkPairs();
  await run.rotate();
  return run.result();
}

/** Takes the tunnel away from hosts that leave, or from all. The keys go with it. */
export async function lowerMesh(
  hosts: readonly { readonly key: string; readonly session: Pick<SshSession, "script"> }[],
  io: MeshIo,
): Promise<{ readonly failures: readonly Failure[] }> {
  const failures: Failure[] = [];
  await onEach(hosts, failures, ({ key, session }) =>
    session.script(
      hostScript,
      { INTERFACE: tunnelInterface },
      { verb: "down", timeout: scriptTimeout, onProgress: (line) => io.progress(key, line) },
    ),
  );
  return { failures: sorted(failures) };
}

interface HostKeys {
  readonly publicKey: string;
  readonly nextPublicKey?: string;
  readonly kernel: boolean;
  /** Of its program and its peers' configuration, as they are; of an older version none. */
  readonly digest?: string;
}

/** What a host says that was told of one peer's new key. */
interface Told {
  /** False where its configuration has nothing of that peer. */
  readonly found: boolean;
  readonly digest?: string;
}

type Reached = MeshHost & { readonly session: Pick<SshSession, "script"> };

/** Two hosts that did not meet. */
interface Pair {
  readonly one: Reached;
  readonly other: Reached;
  /** Within so many. */
  readonly seconds: number;
}

class MeshRun {
  private readonly peers: ReadonlyMap<string, readonly PlannedPeer[]>;
  private readonly keys: Record<string, PeerKeys> = {};
  /** What each host holds of program and configuration, by their digest: it is not sent again. */
  private readonly holds = new Map<string, string>();
  private readonly userspace: string[] = [];
  private readonly failures: Failure[] = [];
  private unrotated: readonly string[] = [];

  constructor(
    private readonly hosts: readonly MeshMember[],
    private readonly options: MeshOptions,
    private readonly io: MeshIo,
  ) {
    this.peers = planPeers(hosts, options);
  }

  async makeKeys(): Promise<void> {
    const rotation = { ROTATION: this.options.rotation ?? "" };
    const made = await onEach(this.working(), this.failures, (host) => this.script<HostKeys>(host, "keys", rotation, installTimeout));
    for (const { key } of this.hosts) {
      const keys = made.get(key) ?? this.options.known?.[key];
      if (keys !== undefined) this.keys[key] = keys;
      this.holds.set(key, made.get(key)?.digest ?? "");
    }
    await this.askForKeys();
    this.userspace.push(...[...made].filter(([, { kernel }]) => !kernel).map(([key]) => key));
    if (this.userspace.length > 0) this.io.progress(undefined, userspaceWarning(this.userspace.sort()));
  }

  /**
   * Keys of hosts that cannot be asked themselves and that nobody remembers, as after a lost state: the others have them. Without, an `up`
   * that does not see a host would take it out of everybody's peers.
   */
  private async askForKeys(): Promise<void> {
    const unknown = this.hosts.filter(({ key }) => this.keys[key] === undefined);
    if (unknown.length === 0) return;
    const values = { ADDRESSES: unknown.map(({ tunnelAddress }) => tunnelAddress).join(" ") };
    const told = await onEach(this.working(), this.failures, ({ session }) =>
      session.script<{ known: Readonly<Record<string, string>> }>(knownScript, values, { verb: "known", timeout: scriptTimeout }),
    );
    for (const { key, tunnelAddress } of unknown) {
      const publicKey = [...told.values()].map(({ known }) => known[tunnelAddress]).find((found) => found !== undefined);
      if (publicKey !== undefined) this.keys[key] = { publicKey };
    }
  }

  async givePeers(hosts: readonly Reached[]): Promise<void> {
    await onEach(hosts, this.failures, async (host) => {
      const { conf, digest } = this.wanted(host);
      const whole = this.holds.get(host.key) !== digest;
      const values = {
        ADDRESS: `${host.tunnelAddress}/${this.options.prefix}`,
        MTU: String(this.options.mtu),
        PORT: String(this.options.port),
        WHOLE: whole ? "yes" : "no",
        ...(whole && { PEERS: conf, PROGRAM: tunnelProgram }),
      };
      await this.script(host, "up", values);
      if (whole) this.io.changed?.(host.key);
      this.holds.set(host.key, digest);
    });
  }

  private wanted(host: Reached): { readonly conf: string; readonly digest: string } {
    const conf = peersConf(this.peers.get(host.key) ?? [], this.keys);
    return { conf, digest: createHash("sha256").update(`${tunnelProgram}\n${conf.trimEnd()}\n`).digest("hex") };
  }

  /** Host after host, so that never more than one host's pairs are without a session. */
  async rotate(): Promise<void> {
    await this.switchAll();
    // Changes one by one must have come to the same as all at once.
    await this.givePeers(this.working().filter((host) => this.holds.get(host.key) !== this.wanted(host).digest));
  }

  private async switchAll(): Promise<void> {
    const waiting = this.working().filter(({ key }) => this.keys[key]?.nextPublicKey !== undefined);
    for (const [index, host] of waiting.entries()) {
      const absent = this.absentPeers();
      if (absent.length > 0) {
        this.unrotated = waiting.slice(index).map(({ key }) => key);
        this.io.progress(host.key, `keeps its key for now, and so do the hosts after it: ${absent.join(", ")} cannot be told of a new one`);
        return;
      }
      await this.switchKey(host);
    }
  }

  /** Hosts of the mesh that cannot be told of a new key. */
  private absentPeers(): string[] {
    const working = new Set(this.working().map(({ key }) => key));
    return this.hosts.map(({ key }) => key).filter((key) => this.keys[key] !== undefined && !working.has(key));
  }

  /** The others know the next key already: what is lost is what arrives between the two steps. */
  private async switchKey(host: Reached): Promise<void> {
    this.io.progress(host.key, "changing to its new key");
    await onEach([host], this.failures, async () => {
      const { publicKey } = await this.script<{ publicKey: string }>(host, "switch", {});
      this.keys[host.key] = { publicKey };
    });
    if (this.failures.some((failure) => failure.host === host.key)) return;
    const others = this.working().filter(({ key }) => key !== host.key);
    const unaware: Reached[] = [];
    await onEach(others, [], async (other) => {
      if (!(await this.tellOf(host, other))) unaware.push(other);
    });
    await this.givePeers(unaware);
    await this.checkPairs(host);
  }

  /** Of one host's new key, and of nothing else: with all peers each time, the bytes would grow with the cube of the hosts. */
  private async tellOf(changed: Reached, other: Reached): Promise<boolean> {
    const peers = planPeers([changed, other], this.options).get(other.key) ?? [];
    const values = { NAME: changed.key, SECTION: peersConf(peers, this.keys).trimEnd() };
    const onProgress = (line: string): void => this.io.progress(other.key, line);
    try {
      const { found, digest = "" } = await other.session.script<Told>(peerScript, values, { verb: "peer", timeout: scriptTimeout, onProgress });
      this.holds.set(other.key, digest);
      return found;
    } catch {
      // It may be down, or somebody took its program away: `up` mends that, or says what it is.
      this.holds.set(other.key, "");
      return false;
    }
  }

  /** @param of only the pairs of this host. */
  async checkPairs(of?: Reached): Promise<void> {
    const reached = this.working();
    const wait = this.options.meetSeconds ?? 20;
    const targets = this.looks(reached, of);
    const silentPairs: Pair[] = [];
    const looking = reached.filter(({ key }) => targets.has(key));
    await whileWaiting(this.io, of?.key, "the tunnels to answer", wait * 1000, () =>
      onEach(looking, this.failures, async (host) => {
        const others = targets.get(host.key) ?? [];
        const { peers, seconds } = await stillSilentTo(
          others,
          ({ tunnelAddress }) => tunnelAddress,
          wait,
          (values) => this.script(host, "check", values, scriptTimeout + wait * 1000),
        );
        silentPairs.push(...peers.map((other) => ({ one: host, other, seconds })));
      }),
    );
    this.failures.push(...this.blame(silentPairs));
  }

  /** Who looks at whom. One host alone looks at those that it would be looked at by, too. */
  private looks(reached: readonly Reached[], of: Reached | undefined): ReadonlyMap<string, readonly Reached[]> {
    const byKey = new Map(reached.map((host) => [host.key, host]));
    const pairs = pairsToCheck(reached);
    if (of) {
      const others = [...pairs].flatMap(([key, looked]) => (key === of.key ? looked : looked.includes(of.key) ? [key] : []));
      return new Map([[of.key, [...new Set(others)].flatMap((key) => byKey.get(key) ?? [])]]);
    }
    if (reached.length > mostForAllPairs) {
      const count = [...pairs.values()].reduce((sum, looked) => sum + looked.length, 0);
      this.io.progress(undefined, `trying ${count} of the tunnels between ${reached.length} hosts, among them each host and every two sites`);
    }
    return new Map([...pairs].map(([key, looked]) => [key, looked.flatMap((other) => byKey.get(other) ?? [])]));
  }

  /** One failure a pair, of the host that has trouble with most others; of many pairs, the others' names. */
  private blame(pairs: readonly Pair[]): Failure[] {
    const trouble = (key: string): number => pairs.filter(({ one, other }) => one.key === key || other.key === key).length;
    const told = new Map<string, Map<string, string>>();
    for (const { one, other, seconds } of pairs) {
      const [host, peer] = [one, other].sort((a, b) => trouble(b.key) - trouble(a.key) || (a.key < b.key ? -1 : 1)) as [Reached, Reached];
      const reason = `the tunnel between ${host.key} and ${peer.key} gave no answer within ${seconds} s: look whether ${this.way(host, peer)}`;
      told.set(host.key, (told.get(host.key) ?? new Map<string, string>()).set(peer.key, reason));
    }
    return [...told].flatMap(([host, reasons]) => fewOf(reasons).map((reason) => ({ host, reason })));
  }

  /** What must be open for two hosts to meet. */
  private way(host: Reached, peer: Reached): string {
    const to = (from: Reached, target: Reached): string | undefined =>
      this.peers
        .get(from.key)
        ?.find(({ key }) => key === target.key)
        ?.endpoint?.replace(/:\d+$/, "");
    const [there, back] = [to(host, peer), to(peer, host)];
    const port = `${this.options.port}/udp`;
    if (there !== undefined && back !== undefined)
      return `${port} is open in both directions between ${back} (${host.key}) and ${there} (${peer.key})`;
    const [caller, called, address] = there !== undefined ? [host, peer, there] : [peer, host, back ?? "its address"];
    return `packets of ${caller.key}, which is behind address translation, come to ${port} of ${address} (${called.key})`;
  }

  /** Hosts that are reached and on which nothing has failed. */
  working(): Reached[] {
    return this.hosts.flatMap((host) => {
      const { session } = host;
      if (session === undefined || this.failures.some((failure) => failure.host === host.key)) return [];
      return [{ ...host, session }];
    });
  }

  result(): Mesh {
    const publicKeys = Object.fromEntries(Object.entries(this.keys).map(([key, { publicKey }]) => [key, publicKey]));
    return { publicKeys, userspace: this.userspace, unrotated: this.unrotated, failures: sorted(this.failures) };
  }

  private script<Result>(host: Reached, verb: string, values: ScriptValues, timeout = scriptTimeout): Promise<Result> {
    const onProgress = (line: string): void => this.io.progress(host.key, line);
    return host.session.script<Result>(
      verb === "keys" ? keysScript : hostScript,
      { INTERFACE: tunnelInterface, ...values },
      { verb, timeout, onProgress },
    );
  }
}

/** Measured with wireguard-go 0.0.20231211; the factor comes from packets that it cannot take in batches. */
function userspaceWarning(hosts: readonly string[]): string {
  return (
    `warning: no WireGuard in the kernel of ${hosts.join(", ")}, so wireguard-go does it: ` +
    "about 3 ms of processor time a megabyte, and about 8 times that under an overlay network"
  );
}

/** What keeps a host from its first peers most likely keeps it from the others. */
function fewOf(reasons: ReadonlyMap<string, string>): string[] {
  const few = 4;
  const peers = [...reasons.keys()].sort();
  const rest = peers.slice(few);
  const first = peers.slice(0, few).flatMap((peer) => reasons.get(peer) ?? []);
  return rest.length === 0
    ? first
    : [...first, `the tunnels to ${rest.length} more hosts gave no answer either: ${rest.slice(0, 20).join(", ")}${rest.length > 20 ? " …" : ""}`];
}

function sorted(failures: readonly Failure[]): Failure[] {
  const order = (failure: Failure): string => `${failure.host} ${failure.reason}`;
  return [...failures].sort((a, b) => (order(a) < order(b) ? -1 : Number(order(a) > order(b))));
}
