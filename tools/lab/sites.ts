import { Cidr, isCidr } from "../../components/addresses/cidr";
import type { Connection } from "../../components/remote/connection";
import { eventually } from "./cluster";
import {
  askOn,
  connectionTo,
  defaultImage,
  docker,
  type MachineArgs,
  type MachineKeys,
  machineKeys,
  makeHostImages,
  reboot,
  removeMachines,
  startMachine,
} from "./machines";
import { type NetworkFile, networkOf } from "./namespace";
import { run } from "./pulumi";
import { isVirtual } from "./virtual";

/*
 * Sites far apart, on one machine. Each is a Docker network; Docker lets nothing pass from one to another, so all traffic
 * between them goes through a router of ours. The first site lies in the open, as hosts with public addresses do; each other
 * one is behind its router, which either just routes or hides the site behind its own address and lets nobody in.
 */

export interface SiteArgs {
  /** A /24. Its .1 is the outer machine, from which SSH comes, its .254 the router. */
  readonly subnet: string;
  /** How the site is joined to the first one. @default "routes" */
  readonly router?: "routes" | "masquerades";
  readonly hosts: Readonly<Record<string, Pick<MachineArgs, "image" | "kernel">>>;
}

export interface SiteHost {
  readonly name: string;
  /** Name of its container on the outer machine. */
  readonly machine: string;
  readonly site: string;
  readonly address: string;
  /** @default - others cannot call it: its router hides it */
  readonly publicAddress?: string;
}

/** Last number of an address in each site. */
const places = { outerMachine: 1, firstHost: 10, outsider: 66, admin: 200, router: 254 } as const;

/** Who looks at the hosts from a site's network without being one of them. */
export type Onlooker = "outsider" | "admin";

export class Sites {
  readonly keys: MachineKeys;
  readonly hosts: readonly SiteHost[];
  private readonly outside: string;

  constructor(
    /** Begins the names of all that is made. */
    readonly prefix: string,
    private readonly sites: Readonly<Record<string, SiteArgs>>,
  ) {
    this.keys = machineKeys(prefix);
    this.outside = Object.keys(sites)[0] ?? "";
    this.hosts = Object.entries(sites).flatMap(([site, args]) =>
      Object.keys(args.hosts).map((name, index) => {
        const address = this.address(site, places.firstHost + index + 1);
        return { name, machine: `${prefix}-${name}`, site, address, ...(args.router !== "masquerades" && { publicAddress: address }) };
      }),
    );
  }

  /** Who may log in, everywhere: the admin's address and the outer machine, from which the tests come. One CIDR an address. */
  get admins(): string[] {
    return Object.keys(this.sites).flatMap((site) => [places.outerMachine, places.admin].map((place) => `${this.address(site, place)}/32`));
  }

  host(name: string): SiteHost {
    const found = this.hosts.find((host) => host.name === name);
    if (!found) throw new Error(`no host ${name}; there are ${this.hosts.map((host) => host.name).join(", ")}`);
    return found;
  }

  subnet(site: string): string {
    return this.site(site).subnet;
  }

  onlookerAddress(who: Onlooker, site: string): string {
    return this.address(site, places[who]);
  }

  /** Address of a site's router: within the site, or on the link to the first one. */
  routerAddress(site: string, side: "within" | "link"): string {
    const index = Object.keys(this.sites).indexOf(site);
    return side === "within" ? this.address(site, places.router) : this.address(this.outside, places.router - index + 1);
  }

  routerMachine(site: string): string {
    return `${this.prefix}-router-${site}`;
  }

  /** Name of an onlooker's container. */
  onlooker(who: Onlooker): string {
    return `${this.prefix}-${who}`;
  }

  network(who: Onlooker): Promise<NetworkFile> {
    return networkOf(this.onlooker(who));
  }

  connection(name: string): Connection {
    return connectionTo({ address: this.host(name).address, keys: this.keys });
  }

  /** Makes everything anew; images of hosts may have to be made first. @returns when Docker answers on all hosts. */
  async build(): Promise<void> {
    await this.remove();
    const images = Object.values(this.sites).flatMap(({ hosts }) => Object.values(hosts).flatMap(({ image }) => image ?? []));
    if (images.length > 0) await makeHostImages(...new Set(images));
    for (const [site, { subnet }] of Object.entries(this.sites)) await docker("network", "create", ...bridge(subnet), this.networkName(site));
    await this.leaveUntracked();
    await Promise.all([
      ...Object.keys(this.sites).flatMap((site) => (site === this.outside ? [] : [this.startRouter(site)])),
      ...(["outsider", "admin"] as const).map((who) => this.startOnlooker(who)),
      ...this.hosts.map((host) => this.startHost(host)),
    ]);
    await Promise.all(this.hosts.map(({ name }) => this.ready(name)));
  }

  async remove(): Promise<void> {
    await removeMachines(`${this.prefix}-`);
    await run("nft", ["delete", "table", "ip", this.table]).catch(() => {});
  }

  /** @returns when the host runs Docker. */
  async ready(name: string): Promise<void> {
    // An emulated processor takes its time.
    const seconds = (await isVirtual(this.host(name).machine)) ? 240 : 90;
    await eventually(`${name} runs Docker`, seconds, () => this.on(name, "docker", "version", "--format", "{{.Server.Version}}"));
  }

  /** Runs a command on a host, as root. @returns what it printed */
  on(name: string, ...command: readonly string[]): Promise<string> {
    return askOn(this.host(name).machine, ...command);
  }

  /** Turns a host off and on. @returns when it runs Docker again. */
  async reboot(name: string): Promise<void> {
    await reboot(this.host(name).machine);
    await this.ready(name);
  }

  /** Another machine, fresh from its image, at a host's address. @returns when it runs Docker. */
  async replace(name: string): Promise<void> {
    await docker("rm", "-f", "-v", this.host(name).machine);
    await this.startHost(this.host(name));
    await this.ready(name);
  }

  /** As if a host's plug were pulled, and power came back at once. @returns when it runs Docker again. */
  async powerCut(name: string): Promise<void> {
    const { machine } = this.host(name);
    await docker("kill", machine);
    await docker("start", machine);
    await this.ready(name);
  }

  private get table(): string {
    return `lab_${this.prefix.replaceAll("-", "_")}`;
  }

  /**
   * The outer machine's kernel keeps a list of all connections that pass its bridges. A few scans of all ports would fill it,
   * and then it drops packets of everybody. A table of our own keeps what passes between hosts of the lab off the list.
   */
  private async leaveUntracked(): Promise<void> {
    const subnets = Object.values(this.sites)
      .map(({ subnet }) => subnet)
      .join(", ");
    const rule = `ip saddr { ${subnets} } ip daddr { ${subnets} } notrack`;
    const table = `table ip ${this.table} {\n chain untracked {\n type filter hook prerouting priority raw;\n ${rule}\n }\n}\n`;
    // Where there is no nft, or no right to use it, there are no scans either.
    await run("nft", ["-f", "-"], { stdin: table }).catch(() => {});
  }

  private site(key: string): SiteArgs {
    const site = this.sites[key];
    if (!site) throw new Error(`no site ${key}`);
    return site;
  }

  private networkName(site: string): string {
    return `${this.prefix}-net-${site}`;
  }

  private address(site: string, place: number): string {
    const cidr = Cidr.parse(this.site(site).subnet);
    if (!isCidr(cidr)) throw new Error(`${this.site(site).subnet} is no network`);
    return cidr.address(place);
  }

  private async startHost({ name, machine, site, address }: SiteHost): Promise<void> {
    await startMachine({
      name: machine,
      network: this.networkName(site),
      address,
      keys: this.keys,
      routes: this.routes(site),
      ...this.site(site).hosts[name],
    });
  }

  /** Ways to the other sites. Behind a router everything goes by it. */
  private routes(site: string): Record<string, string> {
    return site === this.outside ? this.routesOverLink(site) : { default: this.routerAddress(site, "within") };
  }

  private routesOverLink(site: string): Record<string, string> {
    const open = Object.entries(this.sites).filter(([other, { router }]) => other !== site && other !== this.outside && router !== "masquerades");
    return Object.fromEntries(open.map(([other, { subnet }]) => [subnet, this.routerAddress(other, "link")]));
  }

  private async startRouter(site: string): Promise<void> {
    const { subnet, router } = this.site(site);
    const rules =
      router === "masquerades"
        ? `table ip router {
             chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; ip saddr ${subnet} accept; }
             chain out { type nat hook postrouting priority 100; ip saddr ${subnet} ip daddr != ${subnet} masquerade random; }
           }`
        : `table ip router {}`;
    const boot = [
      "set -eu",
      `ip route replace default via ${this.address(this.outside, places.outerMachine)}`,
      ...Object.entries(this.routesOverLink(site)).map(([to, via]) => `ip route replace ${to} via ${via}`),
      `echo '${rules}' | nft -f -`,
      "echo routing",
      "exec sleep infinity",
    ];
    const links: Record<string, string> = { [this.outside]: this.routerAddress(site, "link"), [site]: this.routerAddress(site, "within") };
    await this.startSmall(this.routerMachine(site), links, boot.join("\n"));
    await eventually(`${this.routerMachine(site)} routes`, 20, async () =>
      (await docker("logs", this.routerMachine(site))).includes("routing") ? true : undefined,
    );
  }

  private async startOnlooker(who: Onlooker): Promise<void> {
    const links = Object.fromEntries(Object.keys(this.sites).map((site) => [site, this.onlookerAddress(who, site)]));
    await this.startSmall(`${this.prefix}-${who}`, links, "exec sleep infinity");
  }

  /** A container that is no whole machine, on several networks. */
  private async startSmall(name: string, links: Readonly<Record<string, string>>, script: string): Promise<void> {
    const [[site = "", address = ""] = [], ...more] = Object.entries(links);
    const options = ["--init", "--cap-add", "NET_ADMIN", "--sysctl", "net.ipv4.ip_forward=1"];
    await docker("create", "--name", name, ...options, "--network", this.networkName(site), "--ip", address, defaultImage, "sh", "-c", script);
    for (const [other, its] of more) await docker("network", "connect", "--ip", its, this.networkName(other), name);
    await docker("start", name);
  }
}

/** Newer engines drop what comes for a container by another way than its own bridge; here it comes by a router. */
function bridge(subnet: string): string[] {
  return ["--subnet", subnet, "-o", "com.docker.network.bridge.gateway_mode_ipv4=nat-unprotected"];
}
