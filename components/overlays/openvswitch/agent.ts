import { Cidr, isCidr } from "../../addresses/cidr";
import { pairsToCheck } from "../../addresses/pairs";
import { placeOf } from "../ranges";
import { type Failure, onEach } from "../../remote/each";
import { stillSilentTo } from "../../remote/silent";
import type { ScriptValues } from "../../remote/script";
import type { OverlayAgent, OverlayHost, OverlayWork } from "../agent";
import { addressOf, reachedOf, runnerOf } from "../hosts";
import { loadReachingScript, loadSwitchScript } from "../scripts";
import { type OpenvswitchSettings, tunnelPort } from "./args";
import { carriesTrunk, trunksFile } from "./trunks/on-host";
import { dockerFile, hostNetworks, networksFile, type PlacedHost, type TunnelLink, tunnelLinks, tunnelsFile } from "./links";

const script = loadReachingScript(__dirname, "trunks/refuse.sh", "openvswitch.sh");
const bridgeScript = loadSwitchScript(__dirname);

/** A package may come slowly; apt's own limits are inside the script. */
const upTimeout = 20 * 60_000;
const scriptTimeout = 3 * 60_000;
const run = runnerOf(script, scriptTimeout);

/** How long two hosts may take to find the way to each other. */
const meetSeconds = 20;

type Work = OverlayWork<OpenvswitchSettings>;

interface UpResult {
  readonly datapath: "system" | "netdev";
}

/** Open vSwitch's bridges on all hosts. */
export const openvswitchAgent: OverlayAgent<OpenvswitchSettings> = {
  async up(work) {
    const bridges = new Bridges(work);
    await bridges.raise([...work.hosts, ...work.departing]);
    await bridges.check();
    return bridges.failures;
  },

  async depart(work) {
    const bridges = new Bridges(work);
    await bridges.raise(work.hosts);
    return [...bridges.failures, ...(await openvswitchAgent.down(reachedOf(work.departing), work.io))];
  },

  async down(hosts, io) {
    const failures: Failure[] = [];
    await onEach(hosts, failures, async (host) => {
      const { changed } = await run<{ changed: boolean }>(host, io, "down");
      if (changed) io.progress(host.key, "Open vSwitch's bridge is off this host; its program stays");
    });
    return failures;
  },
};

class Bridges {
  readonly failures: Failure[] = [];
  private readonly ranges: NonNullable<Work["ranges"]>;

  constructor(private readonly work: Work) {
    if (!work.ranges) throw new Error("the plan divides no networks among the hosts");
    this.ranges = work.ranges;
  }

  /** @param members to whom each has a tunnel: hosts that leave are members until they have left. */
  async raise(members: readonly OverlayHost[]): Promise<void> {
    const { hosts } = this.work;
    const carries = ({ key }: OverlayHost): boolean => carriesTrunk(this.work.settings.trunks, key);
    // Whoever carries one no longer lets go of it before another one takes it.
    await this.raiseThese(
      hosts.filter((host) => !carries(host)),
      members,
    );
    await this.raiseThese(hosts.filter(carries), members);
  }

  private async raiseThese(hosts: readonly OverlayHost[], members: readonly OverlayHost[]): Promise<void> {
    const { io } = this.work;
    await onEach(reachedOf(hosts), this.failures, async (host) => {
      const { datapath } = await run<UpResult>(host, io, "up", this.values(host, members), upTimeout);
      if (datapath === "netdev") {
        io.progress(
          host.key,
          "warning: its kernel has no Open vSwitch (module openvswitch), so a program forwards every packet of containers: slower, and it takes a processor. Fix: boot a kernel that has it",
        );
      }
    });
  }

  private values(host: OverlayHost, members: readonly OverlayHost[]): ScriptValues {
    const networks = hostNetworks(this.ranges, this.placeText(host));
    const { trunks } = this.work.settings;
    return {
      ADDRESS: addressOf(host),
      PORT: String(tunnelPort),
      MTU: String(this.work.mtu),
      NETWORKS: networksFile(networks),
      TUNNELS: tunnelsFile(this.tunnels(host, members)),
      DOCKER: dockerFile(networks),
      TRUNKS: trunks ? trunksFile(trunks, this.ranges, host.key) : "",
      BRIDGE: bridgeScript,
    };
  }

  private tunnels(host: OverlayHost, members: readonly OverlayHost[]): TunnelLink[] {
    // A host that leaves may have left its place to a new one.
    const byPlace = new Map(
      [...members]
        .reverse()
        .filter(({ key, containerSubnet }) => key !== host.key && containerSubnet !== undefined)
        .map((member): [number, PlacedHost] => [this.place(member), { address: addressOf(member), place: this.place(member) }]),
    );
    byPlace.delete(this.place(host));
    return tunnelLinks({ address: addressOf(host), place: this.place(host) }, [...byPlace.values()].reverse());
  }

  /** Every host asks every other's own address in a network, of many hosts some: the way that containers' packets take. */
  async check(): Promise<void> {
    const reached = reachedOf(this.work.hosts).filter(({ key }) => !this.failures.some(({ host }) => host === key));
    // The host's firewall lets it be asked where the plan has networks.
    const network = this.ranges.networks.find(({ subnet, internal }) => !internal && isInside(subnet, this.work.space));
    if (!network) return;
    const addresses = new Map(reached.map((host) => [host.key, this.gateway(host, network)]));
    const pairs = pairsToCheck(reached);
    await onEach(reached, this.failures, async (host) => {
      const others = reached.filter(({ key }) => pairs.get(host.key)?.includes(key));
      const { peers, seconds } = await stillSilentTo(
        others,
        ({ key }) => addresses.get(key) ?? "",
        meetSeconds,
        (values) => run(host, this.work.io, "check", values, scriptTimeout + meetSeconds * 1000),
      );
      if (peers.length > 0) {
        throw new Error(
          `Open vSwitch on ${peers.map(({ key }) => key).join(", ")} does not answer within ${seconds} s: look whether ${tunnelPort}/udp is open between them in both directions`,
        );
      }
    });
  }

  private gateway(host: OverlayHost, network: NonNullable<Work["ranges"]>["networks"][number]): string {
    const [found] = hostNetworks({ ...this.ranges, networks: [network] }, this.placeText(host));
    return found?.range.address(1) ?? "";
  }

  private place(host: OverlayHost): number {
    return placeOf(this.placeText(host), this.ranges.places);
  }

  private placeText({ key, containerSubnet }: OverlayHost): string {
    if (containerSubnet === undefined) throw new Error(`the plan gives ${key} no place among the hosts`);
    return containerSubnet;
  }
}

function isInside(subnet: string, space: string): boolean {
  const [inner, outer] = [Cidr.parse(subnet), Cidr.parse(space)];
  return isCidr(inner) && isCidr(outer) && outer.contains(inner);
}
