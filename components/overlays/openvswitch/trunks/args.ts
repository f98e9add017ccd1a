import { optional, options, required } from "../../../options";

/**
 * A VLAN of your own switch, whose machines take part in a network of the cluster: they reach containers on all hosts by their addresses,
 * and containers reach them. One host is connected to the switch. It carries the frames of all others.
 */
export interface OpenvswitchTrunkArgs {
  /**
   * Interface of the host that is connected to the switch, such as `"eth1"`. The host must have no address on it: Open vSwitch takes it over.
   * VLANs of the host's own on it stay.
   */
  readonly interface: string;
  /** Number of the VLAN on the switch, 1 to 4094. The switch has to send it with its tag. Frames of any other VLAN are dropped. */
  readonly vlan: number;
  /** Network of the cluster, by its name. */
  readonly network: string;
  /**
   * The host: its key, such as `"rack-1"`, or hosts that are exactly one, such as `"group rack"`. While it is away, machines there and
   * containers do not reach each other. No other host takes over.
   * @default - the only host of a cluster that has one
   */
  readonly on?: string;
}

export const trunkOptions = options<OpenvswitchTrunkArgs>(
  {
    of: "a trunk",
    thing: "a trunk",
    example: '{ interface: "eth1", vlan: 120, network: "web", on: "rack-1" }',
    others: {
      ...{ nic: "interface", device: "interface", port: "interface", iface: "interface", vlanId: "vlan", tag: "vlan", id: "vlan" },
      ...{ networks: "network", host: "on", hosts: "on", node: "on" },
    },
  },
  { interface: required, vlan: required, network: required, on: optional },
);
