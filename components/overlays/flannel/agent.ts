import { Cidr, isCidr } from "../../addresses/cidr";
import { pairsToCheck } from "../../addresses/pairs";
import { installProgram, pruneProgram } from "../../programs/install";
import { type Failure, onEach } from "../../remote/each";
import { type Silence, stillSilentTo } from "../../remote/silent";
import { loadScript, type ScriptValues } from "../../remote/script";
import type { OverlayAgent, OverlayHost, OverlayWork } from "../agent";
import { etcdPorts, type FlannelSettings, isEtcdMember } from "./args";
import { configKey, flannelConfig, isDue, planContent, planForgetting, type Subscriber, valueOf } from "./content";
import { EtcdRun } from "./etcd/apply";
import type { EtcdHost } from "./etcd/hosts";
import { certifier } from "./etcd/pki";
import { clear, down, programNames, run, scriptTimeout } from "./on-host";
import { addressOf, type Reached, reachedOf, subnetOf } from "../hosts";
import { dockerFile, gatewayModeOf, type HostNetwork, hostNetworks, networksFile } from "../routed/networks";
import { policyFile } from "../routed/policy";
import { loadBridgesScript } from "../routed/scripts";

const bridgesScript = loadBridgesScript(__dirname);
const pinScript = loadScript(__dirname, "pin.sh");

/** A package may come slowly; apt's own limits are inside the script. */
const installTimeout = 20 * 60_000;

/** How long two hosts may take to find the way to each other's containers. */
const meetSeconds = 20;

type Work = OverlayWork<FlannelSettings>;

export const flannelAgent: OverlayAgent<FlannelSettings> = {
  up: (work) => new FlannelRun(work).up(),
  depart: (work) => new FlannelRun(work).depart(),
  down,
};

/** What was given to a host last time, and what stands in the way of this. */
interface Look {
  readonly subnet: string;
  readonly blocked: readonly string[];
}

class FlannelRun {
  private readonly failures: Failure[] = [];
  private readonly folders = new Map<string, { readonly flanneld: string; readonly etcd: string }>();
  /** Hosts of which another one's routes may still be changing. */
  private readonly changed = new Set<string>();

  constructor(private readonly work: Work) {}

  async up(): Promise<readonly Failure[]> {
    await this.install();
    const etcd = this.etcdRun();
    await etcd.up();
    this.failures.push(...etcd.failures);
    await this.fill(etcd);
    await this.raise();
    await this.settle();
    await this.check();
    await this.prune();
    return this.failures;
  }

  async depart(): Promise<readonly Failure[]> {
    const { work } = this;
    const leaving = reachedOf(work.departing);
    // First, or it would take its subnet again.
    await onEach(leaving, this.failures, (host) => this.script(host, "down"));
    const etcd = this.etcdRun();
    await etcd.look();
    const content = await etcd.content();
    const known = (hosts: readonly OverlayHost[]): Omit<Subscriber, "reached">[] =>
      hosts.map((host) => ({ key: host.key, address: addressOf(host), subnet: host.containerSubnet ?? "" }));
    const change = planForgetting(content, known(work.departing), known(work.hosts));
    if (isDue(change)) await etcd.change(change);
    const staying = this.working();
    if (work.policy) await onEach(staying, this.failures, (host) => this.script(host, "admit", { POLICY: policyFile(work, host, work.hosts) }));
    await this.follow(staying, () => ({ gone: work.departing.flatMap(({ containerSubnet }) => containerSubnet ?? []), ways: [] }));
    await clear(
      leaving.filter((host) => !this.failed(host)),
      this.failures,
      work.io,
    );
    return this.failures;
  }

  private async install(): Promise<void> {
    await onEach(reachedOf(this.work.hosts), this.failures, async (host) => {
      const folders = new Map<string, string>();
      for (const program of this.work.programs) {
        const { folder } = await installProgram(host.session, program, (line) => this.work.io.progress(host.key, line));
        folders.set(program.name, folder);
      }
      const [flanneld, etcd] = [folders.get(programNames.flanneld), folders.get(programNames.etcd)];
      if (flanneld === undefined || etcd === undefined) throw new Error("the plan names no programs for flannel");
      this.folders.set(host.key, { flanneld, etcd });
    });
  }

  private etcdRun(): EtcdRun {
    const { hosts, departing, secret, io, settings } = this.work;
    const staying = this.working();
    const leaving = reachedOf(departing);
    return new EtcdRun({
      members: this.members().map((host) => ({ key: host.key, address: addressOf(host) })),
      hosts: [...staying.map((host) => this.etcdHost(host)), ...leaving.map((host) => this.etcdHost(host))],
      leaving: leaving.map(({ key }) => key),
      away: hosts.filter(({ key }) => !staying.some((host) => host.key === key)).map(({ key }) => key),
      certifier: certifier(secret, settings.etcdRotation),
      io,
    });
  }

  private etcdHost(host: Reached): EtcdHost {
    const programs = this.folders.get(host.key)?.etcd;
    return { key: host.key, address: addressOf(host), session: host.session, ...(programs !== undefined && { programs }) };
  }

  private members(): readonly OverlayHost[] {
    return this.work.hosts.filter((host) => isEtcdMember(this.work.settings, host));
  }

  /**
   * Before etcd is told anything: Docker cannot change a network that is used. A host on which that stops it keeps what it has; what
   * concerns all hosts is not begun.
   */
  private async look(config: string, present: string | undefined): Promise<void> {
    const blocked: string[] = [];
    const moving: Reached[] = [];
    await onEach(this.working(), this.failures, async (host) => {
      const look = await this.script<Look>(host, "look", this.valuesFor(host));
      const what = look.blocked.join(", ");
      if (what !== "") blocked.push(`${host.key}: ${what}`);
      if (what !== "") throw new Error(`these networks of it must be recreated, but are in use: ${what}. Stop what uses them, and run again`);
      if (look.subnet !== "" && look.subnet !== subnetOf(host)) moving.push(host);
    });
    if (blocked.length > 0 && present !== undefined && present !== config) {
      throw new Error(
        [
          "flannel cannot change for all hosts while these networks are in use, which would have to be recreated; nothing was changed:",
          ...blocked.sort(),
        ].join("\n  - "),
      );
    }
    // Whose subnet becomes another one must let go of the one that it has.
    await onEach(moving, this.failures, (host) => this.script(host, "pause"));
  }

  private async fill(etcd: EtcdRun): Promise<void> {
    const { hosts, departing, space, settings, underlayMtu, io } = this.work;
    const content = await etcd.content();
    const config = flannelConfig(space, settings.hostPrefix, settings.backend, underlayMtu);
    await this.look(config, valueOf(content, configKey));
    const working = new Set(this.working().map(({ key }) => key));
    const subscribers = [...hosts, ...departing].map((host): Subscriber => ({
      key: host.key,
      address: addressOf(host),
      subnet: subnetOf(host),
      reached: working.has(host.key),
    }));
    const plan = planContent(content, config, subscribers);
    for (const note of plan.notes) io.progress(undefined, note);
    if (plan.due) await etcd.change(plan.change);
    this.failures.push(...plan.conflicts.filter(({ key }) => working.has(key)).map(({ key, reason }) => ({ host: key, reason })));
  }

  private async raise(): Promise<void> {
    await onEach(this.working(), this.failures, async (host) => {
      const { changed } = await this.script<{ changed: boolean }>(host, "up", this.valuesFor(host), installTimeout);
      if (changed) this.changed.add(host.key);
    });
  }

  private valuesFor(host: Reached): ScriptValues {
    const { settings, space, mtu } = this.work;
    const networks = this.networksOf(host);
    const folders = this.folders.get(host.key);
    const subnet = Cidr.parse(subnetOf(host));
    if (folders === undefined || !isCidr(subnet)) throw new Error("it has no subnet for containers");
    return {
      SPACE: space,
      SUBNET: subnet.toString(),
      FIRST: `${subnet.address(1)}/${subnet.prefix}`,
      ADDRESS: addressOf(host),
      BACKEND: settings.backend,
      MTU: String(mtu),
      UNDERLAY: settings.tunnel ? "pulumi-swarm-wireguard.service" : "",
      FLANNELD: `${folders.flanneld}/flanneld`,
      ETCDCTL: `${folders.etcd}/etcdctl`,
      ENDPOINTS: this.members()
        .map((member) => `https://${addressOf(member)}:${etcdPorts.clients}`)
        .join(","),
      NETWORKS: networksFile(networks),
      POLICY: policyFile(this.work, host, [...this.work.hosts, ...this.work.departing]),
      DOCKER: dockerFile(networks),
      GATEWAY_MODE: gatewayModeOf(host.engine),
      BRIDGES: bridgesScript,
      PIN: pinScript,
    };
  }

  private networksOf(host: OverlayHost): HostNetwork[] {
    return hostNetworks(subnetOf(host), this.work.slices, this.work.settings.bridge, "fl");
  }

  /** Only when all that can be reached have the new ways: until then the old ones carry. */
  private async settle(): Promise<void> {
    if (this.changed.size === 0) return;
    const hosts = this.working();
    const ways = hosts.map(subnetOf);
    await onEach(hosts, this.failures, (host) => this.script(host, "settle", { WAYS: ways.filter((way) => way !== subnetOf(host)).join(" ") }));
  }

  /** Every host asks every other's first bridge, of many hosts some: the way that containers' packets take. */
  private async check(): Promise<void> {
    const reached = this.working();
    const gateways = new Map(
      reached.flatMap((host) =>
        this.networksOf(host)
          .slice(0, 1)
          .map(({ gateway }): [string, string] => [host.key, gateway]),
      ),
    );
    const pairs = pairsToCheck(reached.filter(({ key }) => gateways.has(key)));
    const silentFor = (host: Reached): Promise<Silence<OverlayHost>> => {
      const others = reached.filter(({ key }) => pairs.get(host.key)?.includes(key));
      return stillSilentTo(
        others,
        ({ key }) => gateways.get(key) ?? "",
        meetSeconds,
        (values) => this.script(host, "check", values, scriptTimeout + meetSeconds * 1000),
      );
    };
    const apart = new Map<string, Silence<OverlayHost>>();
    await onEach(reached, this.failures, async (host) => {
      const silence = await silentFor(host);
      if (silence.peers.length > 0) apart.set(host.key, silence);
    });
    // Either of two may lack its way to the other.
    const lacking = (host: Reached): string[] =>
      reached.filter((other) => apart.get(host.key)?.peers.includes(other) || apart.get(other.key)?.peers.includes(host)).map(subnetOf);
    const behind = await this.follow(
      reached.filter((host) => lacking(host).length > 0),
      (host) => ({ gone: [], ways: lacking(host) }),
    );
    await onEach(
      reached.filter(({ key }) => apart.has(key)),
      this.failures,
      async (host) => {
        const silence = behind ? await silentFor(host) : apart.get(host.key);
        const names = (silence?.peers ?? []).map(({ key }) => key).join(", ");
        if (names !== "") throw new Error(`containers on ${names} do not answer within ${silence?.seconds} s: ${this.way()}`);
      },
    );
  }

  /** @returns whether any flanneld was behind with its routes */
  private async follow(
    hosts: readonly Reached[],
    of: (host: Reached) => { readonly gone: readonly string[]; readonly ways: readonly string[] },
  ): Promise<boolean> {
    let behind = false;
    await onEach(hosts, this.failures, async (host) => {
      const { gone, ways } = of(host);
      const { restarted } = await this.script<{ restarted: boolean }>(host, "follow", { GONE: gone.join(" "), WAYS: ways.join(" ") });
      behind ||= restarted;
    });
    return behind;
  }

  private way(): string {
    return this.work.settings.backend === "vxlan"
      ? "look whether 8472/udp is open between them in both directions"
      : "host-gw needs hosts that are neighbours, and a network that carries addresses of containers";
  }

  private async prune(): Promise<void> {
    await onEach(this.working(), this.failures, async ({ session }) => {
      for (const program of this.work.programs) await pruneProgram(session, program.name, program);
    });
  }

  /** Hosts that can be worked on, and on which nothing has failed. */
  private working(): Reached[] {
    return reachedOf(this.work.hosts).filter((host) => !this.failed(host));
  }

  private failed({ key }: { readonly key: string }): boolean {
    return this.failures.some(({ host }) => host === key);
  }

  private script<Result>(host: Reached, verb: string, values: ScriptValues = {}, timeout = scriptTimeout): Promise<Result> {
    return run<Result>(host, this.work.io, verb, values, timeout);
  }
}
