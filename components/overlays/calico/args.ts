import { flag, named, optional, options } from "../../options";
import { type CalicoPeerArgs, peerOptions } from "./peers/args";
import type { CalicoPeers } from "./peers/settings";
import type { Telling } from "./reflectors";

/** Calico's way of networking: each host has its own subnet, and announces it to the others by BGP. */
export interface CalicoArgs {
  /**
   * Prefix length of each host's subnet, 20 to 26. All networks of the cluster share it on a host, and each has a slice of it.
   * @default 24 - 254 addresses on a host
   */
  readonly hostPrefix?: number;
  /**
   * How many hosts of a group have their subnets in one block, a power of two from 4 to 256. A larger group has several blocks. A
   * change needs new blocks: the preview names the pins that keep the blocks in use.
   * @default 16
   */
  readonly hostsPerGroup?: number;
  /**
   * Prefix length of a network's slice of each host's subnet, if the network sets none. Longer than `hostPrefix`, up to 29.
   * @default 26 - 61 containers of a network on a host, with hostPrefix 24: three such networks and the bridge
   */
  readonly slicePrefix?: number;
  /**
   * Name of a Docker network on each host for containers outside the swarm's networks: `docker run --network calico`. They reach
   * containers on the network of the same name on other hosts, by address. `false` for none.
   * @default "calico"
   */
  readonly bridge?: string | false;
  /**
   * Number of the cluster's autonomous system in BGP: a private one, 64512 to 65534 or 4200000000 to 4294967294. A change ends all
   * sessions at once. For some seconds, containers on different hosts do not reach each other.
   * @default 64512
   */
  readonly asNumber?: number;
  /**
   * Hosts that tell all others the routes, by their keys, such as `["control-1", "control-2"]`: two or more. All others have sessions with
   * these alone. An empty list is none, up to 100 hosts: each host has a session with every other one.
   * @default - none up to 32 hosts; beyond that, two managers, of different sites or zones where there are such
   */
  readonly reflectors?: readonly string[];
  /**
   * Hosts notice within two seconds that another one is silent (BFD), instead of within half a minute. It has 15 seconds to come back. Then
   * its containers are unreachable at once, instead of by a timeout. It sends three small packets a second in each session.
   * @default true
   */
  readonly bfd?: boolean;
  /**
   * Any text, such as `"2026-05"`. Another text gives the hosts another password for their sessions with each other, in the next `up`. All hosts
   * have to be reachable for that. Passwords of routers in `peers` are yours to change.
   * @default - the password stays
   */
  readonly rotation?: string;
  /**
   * Your own routers, to which hosts announce containers, by a name of your choice: `{ tor: { address: "10.0.0.1", as: 65010, password } }`.
   * What comes from behind them to containers needs a `policy`. A router that does not answer is a warning.
   * @default - none
   */
  readonly peers?: Readonly<Record<string, CalicoPeerArgs>>;
}

/** What the agent is given. */
export interface CalicoSettings {
  readonly hostPrefix: number;
  /** Empty for none. */
  readonly bridge: string;
  readonly asNumber: number;
  readonly telling: Telling;
  readonly bfd: boolean;
  /** Hosts talk through the encrypted tunnel. */
  readonly tunnel: boolean;
  /** @default - the password stays */
  readonly rotation?: string;
  /** Routers outside the cluster. @default - none */
  readonly peers?: CalicoPeers;
}

export const calicoOptions = options<CalicoArgs>(
  { of: "the calico overlay", thing: "the calico overlay", example: "calico()" },
  {
    hostPrefix: optional,
    hostsPerGroup: optional,
    slicePrefix: optional,
    bridge: optional,
    asNumber: optional,
    reflectors: optional,
    bfd: flag,
    rotation: optional,
    peers: named(peerOptions, "routers by name", '{ tor: { address: "10.0.0.1", as: 65010, password } }'),
  },
);
