import assert from "node:assert/strict";
import { docker } from "../../../tools/lab/machines";
import { needTools } from "../../../tools/lab/namespace";
import type { CommandResult } from "../../../tools/lab/pulumi";
import { mirrorOf, needImages } from "../../../tools/lab/registry";
import { Sites, type SiteHost } from "../../../tools/lab/sites";
import { Lab } from "../lab";
import type { OverlayDescription, Secret } from "./description";
import type { Releases } from "./releases";

/** Three managers, and a worker that joins and leaves. */
export const managers = ["c1", "c2", "c3"] as const;
export const worker = "w1";
export const everybody = [...managers, worker] as const;
export type Name = (typeof everybody)[number];

/** Where a service is published on the hosts that run it. */
export const published = 8080;

/** Where the hosts are. */
export interface Place {
  /** Begins the names of all that is made. */
  readonly name: string;
  /** A /24 of one site; or of two, of which the second one is behind its router, over `wireguard()`. */
  readonly subnets: readonly [string] | readonly [string, string];
}

/** What the user's program says, as far as tests edit it. */
export interface Program {
  /** Arguments of the overlay by its kind. */
  readonly overlay: Readonly<Record<string, object>>;
  readonly worker: boolean;
  /** Networks in addition to those that the promises need. */
  readonly networks: Readonly<Record<string, object>>;
  readonly recheck: string;
  readonly reachableSeconds: number;
}

/** One cluster, and the words in which the promises are told. */
export class SuiteCluster {
  readonly sites: Sites;
  readonly lab: Lab;
  /** Arguments that the overlay has after the first `up`. */
  usual: object;
  private program: Program;
  /** What the last `up` that went well said. */
  said = "";
  private mirror = "";
  private counter = 0;

  constructor(
    readonly overlay: OverlayDescription,
    private readonly place: Place,
    /** Of each host's image, which decides its Docker. */
    releases: Releases,
  ) {
    this.lab = new Lab(place.name);
    this.sites = new Sites(place.name, sitesOf(place, releases));
    this.usual = overlay.first;
    this.program = { overlay: { [overlay.kind]: overlay.first }, worker: false, networks: {}, recheck: "", reachableSeconds: 60 };
  }

  get tunnelled(): boolean {
    return this.place.subnets.length > 1;
  }

  /** The host to which it is farthest from c1: in the other site, where there is one. */
  get far(): Name {
    return this.tunnelled ? "c3" : "c2";
  }

  /** What hosts prove themselves by, where they have something. */
  get secret(): Secret | undefined {
    const { secret } = this.overlay;
    return this.tunnelled && !secret?.inTunnel ? undefined : secret;
  }

  /** @param images that hosts pull. @default - the overlay's own */
  async begin(context: Mocha.Context, images = this.overlay.images): Promise<void> {
    needTools(context, "nsenter", "nmap", "tcpdump", "nft", "iperf3");
    await needImages(context, ...images);
    await this.learnUsual();
    await this.lab.begin();
    await this.lab.logInWith(this.sites.keys.client.privateKey);
    await this.sites.build();
  }

  private async learnUsual(): Promise<void> {
    if (this.overlay.usual) this.usual = await this.overlay.usual();
  }

  async end(): Promise<void> {
    await this.lab.end();
    await this.sites.remove();
  }

  /** Hosts that the program has now. */
  get members(): readonly Name[] {
    return this.program.worker ? everybody : managers;
  }

  host(name: Name): SiteHost {
    return this.sites.host(name);
  }

  /** The name that a host has in the cluster. */
  key(name: Name): string {
    return `${groupOf(name)}-${this.host(name).site}-${name}`;
  }

  /** Runs a shell script on a host, as root. @returns what it printed */
  on(name: Name, script: string): Promise<string> {
    return docker("exec", this.host(name).machine, "sh", "-euc", script);
  }

  /** Edits the program and runs `up`. */
  async up(edit: Partial<Program> = {}, ...more: readonly string[]): Promise<CommandResult> {
    await this.edit(edit);
    const result = await this.lab.up(...more);
    this.said = result.stdout + result.stderr;
    return result;
  }

  /** An `up` with all hosts and what is usual, of hosts that may have another overlay. */
  async upWhole(): Promise<CommandResult> {
    await this.learnUsual();
    return this.up({ worker: true, ...this.with({}) });
  }

  /** The overlay with these arguments, in addition to its usual ones. */
  with(more: object): Pick<Program, "overlay"> {
    return { overlay: { [this.overlay.kind]: { ...this.usual, ...more } } };
  }

  /** Arguments that its overlay has in addition from now on. */
  always(more: object): void {
    this.usual = { ...this.usual, ...more };
  }

  /** An `up` that looks at all hosts again, as a user has it who suspects that they are not as they should be. */
  recheck(edit: Partial<Program> = {}): Promise<CommandResult> {
    return this.up({ ...edit, recheck: this.another() });
  }

  /** Pulumi knows nothing of it any more; the program stays. */
  async loseState(): Promise<void> {
    const { code, stderr } = await this.lab.stack.pulumi(["stack", "rm", "--yes", "--force"]);
    assert.equal(code, 0, stderr);
    await this.lab.stack.init();
    await this.lab.logInWith(this.sites.keys.client.privateKey);
    await this.edit({});
  }

  /** An `up` that fails. The program is then again what it was. @returns what it said */
  async refused(edit: Partial<Program>): Promise<string> {
    const before = this.program;
    await this.edit({ recheck: this.another(), ...edit });
    const { code, stdout, stderr } = await this.lab.stack.up();
    assert.notEqual(code, 0, `up should have failed: ${stdout}`);
    this.program = before;
    return stdout + stderr;
  }

  /** What a preview shows of an edit, which is not made. */
  async previewed(edit: Partial<Program>): Promise<string> {
    const before = this.program;
    await this.edit(edit);
    const { code, stdout, stderr } = await this.lab.stack.preview("--diff");
    assert.equal(code, 0, stdout + stderr);
    this.program = before;
    return stdout;
  }

  async edit(edit: Partial<Program>): Promise<void> {
    this.program = { ...this.program, ...edit };
    this.mirror ||= await mirrorOf(`${this.place.name}-net-a`);
    await this.lab.spec(this.spec());
  }

  private another(): string {
    return `look ${(this.counter += 1)}`;
  }

  private spec(): object {
    const { overlay, networks, recheck, reachableSeconds } = this.program;
    return {
      existing: this.groups(),
      networks: { web: {}, store: {}, ...(this.overlay.internal && { closed: { internal: true } }), ...networks },
      overlay,
      ...(this.tunnelled && { wireguard: {} }),
      programs: { mirror: this.mirror },
      engine: { settings: { "insecure-registries": [this.mirror] } },
      firewall: { ssh: this.sites.admins, expose: { website: { port: published, from: ["world"], publish: "host" } } },
      ...(recheck !== "" && { recheck }),
      reachableSeconds,
    };
  }

  /** Hosts of one role in one site are a group. */
  private groups(): object {
    const groups: Record<string, { role: string; site: string; network: string; machines: Record<string, object> }> = {};
    for (const name of this.members) {
      const { site, address, publicAddress } = this.host(name);
      const role = name === worker ? "worker" : "manager";
      const group = (groups[`${groupOf(name)}-${site}`] ??= { role, site, network: this.sites.subnet(site), machines: {} });
      const outside = this.tunnelled && publicAddress !== undefined ? { publicAddress } : {};
      group.machines[name] = { address, hostKey: this.sites.keys.host.publicKey, ...outside };
    }
    return groups;
  }
}

function groupOf(name: Name): string {
  return name === worker ? "work" : "control";
}

function sitesOf({ subnets: [a, b] }: Place, releases: Releases): ConstructorParameters<typeof Sites>[1] {
  const hosts = (...names: readonly Name[]): Record<string, { image: string }> =>
    Object.fromEntries(names.map((name) => [name, { image: `pulumi-swarm-host:${releases[name]}` }]));
  if (b === undefined) return { a: { subnet: a, hosts: hosts(...managers, worker) } };
  return {
    a: { subnet: a, hosts: hosts("c1", "c2") },
    b: { subnet: b, router: "masquerades", hosts: hosts("c3", worker) },
  };
}
