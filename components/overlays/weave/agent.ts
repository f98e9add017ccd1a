import { installProgram, pruneProgram } from "../../programs/install";
import type { HostProgram } from "../../programs/program";
import { type Failure, onEach } from "../../remote/each";
import { loadInstallingScript, loadPart, loadScript, type ScriptValues } from "../../remote/script";
import type { OverlayAgent, OverlayHost, OverlayWork } from "../agent";
import { type Reached, reachedOf, runnerOf } from "../hosts";
import { weaveDriver, weavePort, type WeaveSettings } from "./args";
import { blame, type Connection, parseConnection } from "./connections";
import { nodeAddress } from "./peers";
import { choosePassword, password, type Standing } from "./password";

const hostScript = [loadInstallingScript(__dirname), loadPart(__dirname, "plugin.sh"), loadScript(__dirname, "weave.sh")].join("\n");
const routerScript = loadScript(__dirname, "router.sh");

/** A script may have to wait for another run, and for packages. */
const upTimeout = 15 * 60_000;
const scriptTimeout = 5 * 60_000;
const script = runnerOf(hostScript, scriptTimeout);
const meetSeconds = 20;

interface UpResult {
  /** Of the router, by which the others list it. It draws another one after each boot. */
  readonly name: string;
  /** It runs with something else than what its files say. */
  readonly stale: boolean;
  /** It runs with another password than the one in its file, whatever their labels. */
  readonly other: boolean;
}

/** Weave's routers on all hosts. */
export const weaveAgent: OverlayAgent<WeaveSettings> = {
  async up(work) {
    const routers = new Routers(work);
    await routers.install();
    await routers.place();
    await routers.renew();
    await routers.check();
    await routers.prune();
    return routers.failures;
  },

  async depart(work) {
    const failures: Failure[] = [];
    await onEach(reachedOf(work.hosts), failures, (host) => {
      // An address may have gone to another host already.
      const kept = new Set(work.hosts.map((peer) => nodeAddress(peer, host)));
      const gone = work.departing.map((peer) => nodeAddress(peer, host)).filter((address) => !kept.has(address));
      return script(host, work.io, "forget", { PEERS: gone.join("\n") });
    });
    failures.push(...(await weaveAgent.down(reachedOf(work.departing), work.io)));
    return failures;
  },

  async down(hosts, io) {
    const failures: Failure[] = [];
    await onEach(hosts, failures, async (host) => {
      const { changed } = await script<{ changed: boolean }>(host, io, "down", { PLUGIN: weaveDriver });
      await pruneProgram(host.session, programName, undefined);
      if (changed) io.progress(host.key, "Weave's router is off this host");
    });
    return failures;
  },
};

const programName = "weave";

/** One run of `up`. What failed on a host is not tried any further there. */
class Routers {
  readonly failures: Failure[] = [];
  /** Hosts that are on their way out: what fails on them must not keep them here. */
  private readonly departing: ReadonlySet<string>;
  private readonly lost: Failure[] = [];
  private readonly programs = new Map<string, string>();
  private readonly names = new Map<string, string>();
  private readonly stale = new Set<string>();
  private readonly otherPassword = new Set<string>();
  private readonly standing = new Map<string, Standing>();
  private label = "";

  constructor(private readonly work: OverlayWork<WeaveSettings>) {
    this.departing = new Set(work.departing.map(({ key }) => key));
  }

  async install(): Promise<void> {
    await this.onEach(this.working(), async (host) => {
      const progress = (line: string): void => this.work.io.progress(host.key, line);
      this.programs.set(host.key, `${(await installProgram(host.session, this.program(), progress)).folder}/weaver`);
      this.standing.set(host.key, await script<Standing>(host, this.work.io, "look", {}));
    });
  }

  /** Every host gets its files, and its router if it has none running. Those that run are left as they are. */
  async place(): Promise<void> {
    const { settings, hosts, io } = this.work;
    const working = new Set(this.working().map(({ key }) => key));
    const absent = hosts.filter(({ key }) => !working.has(key)).map(({ key }) => key);
    const choice = choosePassword([...this.standing.values()], settings, absent);
    if (choice.waiting) {
      io.progress(undefined, `the routers keep their password for now: ${absent.join(", ")} cannot be told of another one, and would be left alone`);
    }
    await this.give(choice.label);
    if (choice.current === undefined || this.failures.length === 0 || this.runsSomewhere(choice.label)) return;
    // A router that starts now for any reason must still find the others.
    io.progress(undefined, `the routers keep their password for now: ${this.failures.map(({ host }) => host).join(", ")} did not take the new one`);
    await this.give(choice.current);
  }

  private runsSomewhere(label: string): boolean {
    return [...this.standing.values()].some(({ running }) => running === label);
  }

  private async give(label: string): Promise<void> {
    this.label = label;
    await this.onEach(this.working(), async (host) => {
      const { name, stale, other } = await script<UpResult>(host, this.work.io, "up", this.values(host), upTimeout);
      this.names.set(host.key, name);
      if (stale) this.stale.add(host.key);
      else this.stale.delete(host.key);
      if (other) this.otherPassword.add(host.key);
      else this.otherPassword.delete(host.key);
    });
  }

  private values(host: OverlayHost): ScriptValues {
    const { settings, mtu, secret } = this.work;
    const peers = this.all().filter(({ key }) => key !== host.key);
    return {
      HOST: nodeAddress(host),
      PORT: String(weavePort),
      NICKNAME: host.key,
      MTU: String(mtu),
      FAST: String(settings.fastDatapath),
      TRUSTED: settings.trusted[host.site] ?? "",
      PEERS: peers.map((peer) => nodeAddress(peer, host)).join("\n"),
      PROGRAM: this.programs.get(host.key) ?? "",
      PLUGIN: weaveDriver,
      LABEL: this.label,
      PASSWORD: password(secret, this.label),
      ROUTER: routerScript,
    };
  }

  /** Routers that run with something else than they should. */
  async renew(): Promise<void> {
    const waiting = this.working().filter(({ key }) => this.stale.has(key));
    if (waiting.some(({ key }) => this.standing.get(key)?.running !== this.label || this.otherPassword.has(key))) {
      // Another password, or none: nobody talks to those who are still to change, so all do at once.
      this.work.io.progress(
        undefined,
        `all routers change to another password; containers of different hosts do not hear each other for some seconds`,
      );
      await this.onEach(waiting, (host) => script(host, this.work.io, "restart", {}));
      return;
    }
    for (const [index, host] of waiting.entries()) {
      const before = this.failures.length;
      await this.onEach([host], (one) => script(one, this.work.io, "restart", {}));
      await this.check([host]);
      const left = waiting.slice(index + 1).map(({ key }) => key);
      if (this.failures.length === before || left.length === 0) continue;
      this.work.io.progress(undefined, `${left.join(", ")}: left as they are, since ${host.key} is not connected again`);
      return;
    }
  }

  /** @param from the hosts that look; all others are looked at. */
  async check(from: readonly Reached[] = this.working()): Promise<void> {
    const seen = await this.look(from, meetSeconds);
    if (blame(this.routers(), seen, meetSeconds).length === 0) return;
    // The other end may know more of why.
    const others = this.working().filter(({ key }) => !seen.has(key));
    for (const [key, connections] of await this.look(others, 2)) seen.set(key, connections);
    this.failures.push(...blame(this.routers(), seen, meetSeconds));
  }

  private async look(from: readonly Reached[], seconds: number): Promise<Map<string, readonly Connection[]>> {
    const staying = from.filter(({ key }) => !this.departing.has(key));
    const seen = new Map<string, readonly Connection[]>();
    await this.onEach(staying, async (host) => {
      const names = this.routers().flatMap(({ key, name }) => (key === host.key ? [] : [name]));
      const values = { OTHERS: names.join(" "), WAIT: String(seconds) };
      const { connections } = await script<{ connections: readonly string[] }>(host, this.work.io, "check", values);
      seen.set(
        host.key,
        connections.flatMap((line) => parseConnection(line) ?? []),
      );
    });
    return seen;
  }

  /** Those that should all be connected. */
  private routers(): { readonly key: string; readonly name: string; readonly address: string }[] {
    const staying = this.working().filter(({ key }) => !this.departing.has(key));
    return staying.map((host) => ({ key: host.key, name: this.names.get(host.key) ?? "", address: nodeAddress(host) }));
  }

  async prune(): Promise<void> {
    await this.onEach(this.working(), (host) => pruneProgram(host.session, programName, this.program()));
  }

  private program(): HostProgram {
    const program = this.work.programs.find(({ name }) => name === programName);
    if (!program) throw new Error("the plan has no program for Weave's router");
    return program;
  }

  private all(): readonly OverlayHost[] {
    return [...this.work.hosts, ...this.work.departing];
  }

  private working(): Reached[] {
    const failed = new Set([...this.failures, ...this.lost].map(({ host }) => host));
    return reachedOf(this.all()).filter(({ key }) => !failed.has(key));
  }

  private async onEach(hosts: readonly Reached[], work: (host: Reached) => Promise<unknown>): Promise<void> {
    const failures: Failure[] = [];
    await onEach(hosts, failures, work);
    for (const failure of failures) {
      if (!this.departing.has(failure.host)) this.failures.push(failure);
      else {
        this.lost.push(failure);
        this.work.io.progress(failure.host, `warning: Weave's router could not be looked after, but it leaves anyway: ${failure.reason}`);
      }
    }
  }
}
