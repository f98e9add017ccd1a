import { named, optional, options } from "../../options";
import { type OpenvswitchTrunkArgs, trunkOptions } from "./trunks/args";
import type { TrunksSettings } from "./trunks/on-host";

/** Open vSwitch: one switch for all hosts, with a VLAN for each network. */
export interface OpenvswitchArgs {
  /**
   * For how many hosts a network has addresses, a power of two from 8 to 512. Each host has its own part of every network's subnet, of the
   * same size. A change moves all networks and all hosts' parts of them.
   * @default 128
   */
  readonly mostHosts?: number;
  /**
   * How many hosts of a group have their parts beside each other, a power of two from 4 to `mostHosts`. A larger group has several blocks.
   * A change needs new blocks: the preview names the pins that keep the blocks in use.
   * @default 16, or an eighth of `mostHosts` where that is less, but at least 4
   */
  readonly hostsPerGroup?: number;
  /**
   * Prefix length of a host's part of a network, if the network sets neither `subnet` nor `prefix`, from 23 to 29. With 128 hosts, a
   * network's own subnet is 7 bits larger.
   * @default 26 - 62 containers of a network on a host; with 128 hosts, each network is a /19
   */
  readonly hostPrefix?: number;
  /**
   * VLANs of your own switches, whose machines take part in networks of the cluster, by a name of your choice:
   * `{ rack: { interface: "eth1", vlan: 120, network: "web", on: "rack-1" } }`. The preview shows which addresses machines there may have.
   * @default - none
   */
  readonly trunks?: Readonly<Record<string, OpenvswitchTrunkArgs>>;
}

/** What the agent is told beside the hosts. */
export interface OpenvswitchSettings {
  /** Hosts talk through the encrypted tunnel. */
  readonly tunnel: boolean;
  /** VLANs of the user's switches. @default - none */
  readonly trunks?: TrunksSettings;
}

/** UDP port of the tunnels between hosts. The swarm's ingress network has 4789, and two kernel devices cannot share it. */
export const tunnelPort = 4790;

export const usual = { mostHosts: 128, hostsPerGroup: 16, hostPrefix: 26 } as const;

export const openvswitchOptions = options<OpenvswitchArgs>(
  { of: "the openvswitch overlay", thing: "the openvswitch overlay", example: "openvswitch({ hostPrefix: 26 })" },
  {
    mostHosts: optional,
    hostsPerGroup: optional,
    hostPrefix: optional,
    trunks: named(trunkOptions, "trunks by name", '{ rack: { interface: "eth1", vlan: 120, network: "web", on: "rack-1" } }'),
  },
);
