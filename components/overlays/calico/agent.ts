import { pairsToCheck } from "../../addresses/pairs";
import { type Failure, onEach } from "../../remote/each";
import { stillSilent } from "../../remote/silent";
import type { ScriptValues } from "../../remote/script";
import type { OverlayAgent, OverlayHost, OverlayIo, OverlayWork } from "../agent";
import { addressOf, type Reached, reachedOf, runnerOf, type Session, subnetOf } from "../hosts";
import { dockerFile, gatewayModeOf, type HostNetwork, hostNetworks, networksFile } from "../routed/networks";
import { policyFile } from "../routed/policy";
import { loadBridgesScript, loadRoutedScript } from "../routed/scripts";
import type { CalicoSettings } from "./args";
import { birdConfig, type Speaker } from "./bird";
import { bgpPassword, chooseLabel, firstLabel } from "./password";
import { type Greeting, silentRouters } from "./peers/greeting";
import { hostPeers } from "./peers/on-host";
import { type CalicoPeer, peersOn } from "./peers/settings";
import { type Session as BgpSession, sessionsMeanwhile, sessionsOf } from "./reflectors";

const script = loadRoutedScript(__dirname, "calico.sh", ["password.sh", "peers/peers.sh"]);
const bridgesScript = loadBridgesScript(__dirname);

/** A package may come slowly; apt's own limits are inside the script. */
const installTimeout = 20 * 60_000;
const scriptTimeout = 3 * 60_000;
const run = runnerOf(script, scriptTimeout);

/** How long two hosts may take to find the way to each other's containers. BIRD waits five seconds between two tries. */
const meetSeconds = 40;

/** How long a router may take to answer. BIRD waits up to ten seconds after an error. */
const greetSeconds = 20;

export const calicoAgent: OverlayAgent<CalicoSettings> = {
  up: (work) => new CalicoRun(work).up(),
  depart: (work) => new CalicoRun(work).depart(),
  down,
};

/** What a host has, and what stands in the way of what it is to have. */
interface Look {
  /** Hosts with which it has sessions, by their keys. */
  readonly sessions: readonly string[];
  readonly blocked: readonly string[];
  /** Of its password; empty where it has none. */
  readonly label: string;
}

class CalicoRun {
  private readonly failures: Failure[] = [];
  private readonly sessions = new Map<string, readonly string[]>();
  private readonly labels = new Map<string, string>();
  /** Hosts whose BIRD has another password than the one that waits beside it. */
  private readonly stale = new Set<string>();
  private label = firstLabel;

  constructor(private readonly work: OverlayWork<CalicoSettings>) {}

  async up(): Promise<readonly Failure[]> {
    await this.onWorking((host) => this.script(host, "install", {}, installTimeout));
    await this.look();
    await this.place();
    await this.renew();
    await this.check();
    await this.settle();
    await this.greet();
    return this.failures;
  }

  /** Those that stay first: what is on its way to those that leave is not lost sooner than it must be. */
  async depart(): Promise<readonly Failure[]> {
    const { work } = this;
    await this.onWorking(async (host) => {
      await this.script(host, "tell", { CONFIG: this.configFor(host, this.sessionsOf(host, work.hosts)) });
      if (work.policy) await this.script(host, "admit", { POLICY: policyFile(work, host, work.hosts) });
    });
    this.failures.push(...(await down(reachedOf(work.departing), work.io)));
    return this.failures;
  }

  /** Docker cannot change a network that is used: a host on which that stops it keeps what it has. */
  private async look(): Promise<void> {
    await this.onWorking(async (host) => {
      const { sessions, blocked, label } = await this.script<Look>(host, "look", this.networkValues(host));
      if (blocked.length > 0) {
        throw new Error(`these networks of it must be recreated, but are in use: ${blocked.join(", ")}. Stop what uses them, and run again`);
      }
      this.sessions.set(host.key, sessions);
      this.labels.set(host.key, label);
    });
  }

  /** Every host gets its files. Another password lies beside the one that BIRD has, until all hosts have it there. */
  private async place(): Promise<void> {
    const { settings, io } = this.work;
    const working = new Set(this.working().map(({ key }) => key));
    const absent = this.all().flatMap(({ key }) => (working.has(key) ? [] : [key]));
    const choice = chooseLabel([...this.labels.values()], settings.rotation, absent);
    if (choice.waiting) io.progress(undefined, `hosts keep their password for BGP for now: ${absent.join(", ")} cannot be given another one`);
    await this.give(choice.label);
    if (this.failures.length === 0 || choice.current === undefined || [...this.labels.values()].includes(choice.label)) return;
    io.progress(undefined, `hosts keep their password for BGP for now: ${this.failures.map(({ host }) => host).join(", ")} did not take the new one`);
    await this.give(choice.current);
  }

  private async give(label: string): Promise<void> {
    this.label = label;
    await this.onWorking(async (host) => {
      const { stale } = await this.script<{ stale: boolean }>(host, "up", this.valuesFor(host));
      if (stale) this.stale.add(host.key);
      else this.stale.delete(host.key);
    });
  }

  /** All at once: each BIRD keeps its routes in the kernel, and those of the others for as long as they take to start again. */
  private async renew(): Promise<void> {
    const waiting = this.working().filter(({ key }) => this.stale.has(key));
    if (waiting.length === 0) return;
    this.work.io.progress(undefined, `BIRD starts with another password on ${waiting.map(({ key }) => key).join(", ")}`);
    await onEach(waiting, this.failures, (host) => this.script(host, "renew", {}));
    // Routes outlive their sessions for a while, so that these are looked at themselves.
    const staying = new Set(this.working().map(({ key }) => key));
    const renewed = waiting.filter(({ key }) => staying.has(key));
    await onEach(renewed, this.failures, async (host) => {
      const { silent } = await this.greeted(host, "hosts", meetSeconds);
      const missed = silent.filter(({ name }) => staying.has(name)).map(({ name, why }) => `${name} (${why})`);
      if (missed.length > 0)
        throw new Error(`after a change of the password, there is no BGP session with ${missed.join(", ")} within ${meetSeconds} s`);
    });
  }

  /** @returns sessions that do not stand, of those with other hosts or with routers outside. */
  private greeted(host: Reached, whom: "hosts" | "routers", seconds: number): Promise<Greeting> {
    return this.script<Greeting>(host, "greet", { WHOM: whom, WAIT: String(seconds) }, scriptTimeout + seconds * 1000);
  }

  private valuesFor(host: Reached): ScriptValues {
    const { settings, space, secret } = this.work;
    return {
      ...this.networkValues(host),
      SPACE: space,
      SUBNET: subnetOf(host),
      UNDERLAY: settings.tunnel ? "pulumi-swarm-wireguard.service" : "",
      NETWORKS: networksFile(this.networksOf(host)),
      POLICY: policyFile(this.work, host, this.all()),
      CONFIG: this.configFor(host, this.sessionsMeanwhile(host)),
      PASSWORD: bgpPassword(secret, this.label),
      LABEL: this.label === firstLabel ? "" : this.label,
      PEER_KEYS: this.peersOf(host)
        .flatMap(({ name, signed }) => (signed ? [`${name} ${this.passwordOf(name)}`] : []))
        .join("\n"),
      BRIDGES: bridgesScript,
    };
  }

  private networkValues(host: Reached): ScriptValues {
    return { MTU: String(this.work.mtu), DOCKER: dockerFile(this.networksOf(host)), GATEWAY_MODE: gatewayModeOf(host.engine) };
  }

  private networksOf(host: OverlayHost): HostNetwork[] {
    return hostNetworks(subnetOf(host), this.work.slices, this.work.settings.bridge, "cal");
  }

  private configFor(host: OverlayHost, sessions: readonly BgpSession<OverlayHost>[]): string {
    const { settings, space } = this.work;
    const speaking = sessions.map((session) => ({ ...session, peer: speaker(session.peer) }));
    const { telling, peers, ...same } = settings;
    const reflects = !telling.meshed && telling.reflectors.includes(host.key);
    const outside = peers && { peers: hostPeers(peers, host), never: peers.never };
    return birdConfig(speaker(host), speaking, { space, ...same, reflects, ...outside });
  }

  private peersOf(host: OverlayHost): readonly CalicoPeer[] {
    const { peers } = this.work.settings;
    return peers ? peersOn(peers, host) : [];
  }

  private passwordOf(router: string): string {
    const password = this.work.passwords?.[router];
    if (password === undefined) throw new Error(`the request has no password for the router ${router}`);
    return password;
  }

  /** A router may be off, or not know of these hosts yet: that is told, and nothing fails. */
  private async greet(): Promise<void> {
    const greeting = this.working().filter((host) => this.peersOf(host).length > 0);
    const heard: (Greeting & { readonly host: string })[] = [];
    await onEach(greeting, this.failures, async (host) => {
      heard.push({ host: host.key, ...(await this.greeted(host, "routers", greetSeconds)) });
    });
    const routers = this.work.settings.peers?.routers ?? [];
    for (const line of silentRouters(routers, heard, this.work.settings.asNumber)) this.work.io.progress(undefined, line);
  }

  /** Those that leave are told of the others until they have left. */
  private all(): readonly OverlayHost[] {
    const staying = new Set(this.work.hosts.map(({ key }) => key));
    return [...this.work.hosts, ...this.work.departing.filter(({ key }) => !staying.has(key))];
  }

  private sessionsOf(host: OverlayHost, hosts: readonly OverlayHost[]): BgpSession<OverlayHost>[] {
    return sessionsOf(host, hosts, this.work.settings.telling);
  }

  private sessionsMeanwhile(host: OverlayHost): BgpSession<OverlayHost>[] {
    return sessionsMeanwhile(host, this.all(), this.work.settings.telling, this.sessions.get(host.key) ?? []);
  }

  /** Sessions that are not asked for any more end when nobody needs them. */
  private async settle(): Promise<void> {
    const changing = this.working().filter((host) => this.sessionsMeanwhile(host).length > this.sessionsOf(host, this.all()).length);
    if (changing.length === 0) return;
    if (this.failures.length > 0) {
      this.work.io.progress(undefined, "hosts keep the sessions that they have, beside the new ones, until all hosts have those");
      return;
    }
    await onEach(changing, this.failures, (host) => this.script(host, "tell", { CONFIG: this.configFor(host, this.sessionsOf(host, this.all())) }));
    await this.check();
  }

  /** Every host asks every other's first bridge, of many hosts some: the way that containers' packets take. */
  private async check(): Promise<void> {
    const reached = this.working();
    const pairs = pairsToCheck(reached);
    const gateway = (host: OverlayHost): string => this.networksOf(host)[0]?.gateway ?? "";
    await onEach(reached, this.failures, async (host) => {
      const others = reached.filter(({ key }) => pairs.get(host.key)?.includes(key));
      let why: readonly { readonly key: string; readonly why: string }[] = [];
      const { peers, seconds } = await stillSilent(others, meetSeconds, async (some) => {
        const lines = some.map((other) => [other.key, subnetOf(other), gateway(other)].join(" ").trimEnd());
        const values = { FROM: gateway(host), HOSTS: lines.join("\n"), WAIT: String(meetSeconds) };
        why = (await this.script<{ silent: typeof why }>(host, "check", values, scriptTimeout + meetSeconds * 1000)).silent;
        return some.filter((other) => why.some(({ key }) => key === other.key));
      });
      if (peers.length === 0) return;
      const those = why.map((each) => `${each.key}: ${each.why}`).join("; ");
      throw new Error(`containers on other hosts are not reached within ${seconds} s. ${those}. ${this.advice()}`);
    });
  }

  private advice(): string {
    return this.work.settings.tunnel
      ? "Look whether 179/tcp is open between them in the tunnel"
      : "Look whether 179/tcp is open between them, and whether their network carries containers' addresses: they must be neighbours";
  }

  /** Hosts that can be worked on, and on which nothing has failed. */
  private working(): Reached[] {
    return reachedOf(this.work.hosts).filter(({ key }) => !this.failures.some(({ host }) => host === key));
  }

  private async onWorking(work: (host: Reached) => Promise<unknown>): Promise<void> {
    await onEach(this.working(), this.failures, work);
  }

  private script<Result>(host: Reached, verb: string, values: ScriptValues, timeout = scriptTimeout): Promise<Result> {
    return run<Result>(host, this.work.io, verb, values, timeout);
  }
}

function speaker(host: OverlayHost): Speaker {
  return { key: host.key, address: addressOf(host), subnet: subnetOf(host) };
}

async function down(hosts: readonly { readonly key: string; readonly session: Session }[], io: OverlayIo): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  await onEach(hosts, failures, async (host) => {
    const { changed } = await run<{ changed: boolean }>(host, io, "down", {});
    if (changed) io.progress(host.key, "calico is off this host");
  });
  return failures;
}
