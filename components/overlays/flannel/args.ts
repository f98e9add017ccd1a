import type { ProgramArgs } from "../../programs/args";
import { opaque, optional, options } from "../../options";

/** flannel: each host has its own subnet, and routes lead to it. */
export interface FlannelArgs {
  /**
   * How packets reach the other host. `vxlan` encapsulates them, works between any hosts that reach each other, and takes 50
   * bytes of each packet. `host-gw` forwards them unchanged and takes no bytes. It requires all hosts in one site, without a
   * router between them, on a network that carries foreign addresses (clouds drop them by default). A change restarts flanneld
   * everywhere. For some seconds, containers on different hosts do not reach each other.
   * @default "vxlan"
   */
  readonly backend?: "vxlan" | "host-gw";
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
   * Name of a Docker network on each host for containers outside the swarm's networks: `docker run --network flannel`. They reach
   * containers on the network of the same name on other hosts, by address. `false` for none.
   * @default "flannel"
   */
  readonly bridge?: string | false;
  /** Where flanneld comes from. @default - the project's image, of the version that this package was tested with */
  readonly program?: ProgramArgs;
  /** The store that records the owner of each subnet. */
  readonly etcd?: EtcdArgs;
}

/** The store in which flannel records the owner of each subnet: etcd with TLS, on hosts of the cluster. */
export interface EtcdArgs {
  /**
   * Groups whose hosts are its members: 3 or 5 hosts in total. etcd writes little, but waits for the disk when it writes.
   * @default - all managers
   */
  readonly on?: readonly string[];
  /**
   * Any text, such as a date. Every change gives each host new keys and certificates for etcd, without restarts. Certificates are
   * valid for three years, and every `up` in the last year renews them automatically. Removing the text changes nothing.
   * @default - they are kept until a year before they expire
   */
  readonly rotation?: string;
  /** Where etcd and etcdctl come from. @default - the project's image, in the version that this package was tested with */
  readonly program?: ProgramArgs;
  /**
   * A version of etcd with known vulnerabilities that let a host read or change more than its own data, as in `program`, such as
   * `"v3.5.16"`. Without this option such a version is refused: before 3.5.33, 3.6.14 and 3.7.1.
   * @default - none
   */
  readonly allowVulnerable?: string;
}

/** What the agent is given. */
export interface FlannelSettings {
  readonly backend: "vxlan" | "host-gw";
  readonly hostPrefix: number;
  /** Empty for none. */
  readonly bridge: string;
  /** Groups of etcd's members; empty for all managers. */
  readonly etcdOn: readonly string[];
  readonly etcdRotation: string;
  /** Hosts talk through the encrypted tunnel. */
  readonly tunnel: boolean;
}

/** UDP port of flannel's VXLAN; its own is not the swarm's, which has 4789 for the ingress network. */
export const vxlanPort = 8472;

export const etcdPorts = { clients: 2379, peers: 2380 } as const;

export function isEtcdMember({ etcdOn }: Pick<FlannelSettings, "etcdOn">, host: { readonly role: string; readonly group: string }): boolean {
  return etcdOn.length === 0 ? host.role === "manager" : etcdOn.includes(host.group);
}

/** Of programs, their own plan says what is wrong. */
export const etcdOptions = options<EtcdArgs>(
  { of: "etcd", thing: "an etcd", example: "{ on: [groups] }, or leave it out" },
  { on: optional, rotation: optional, program: opaque, allowVulnerable: optional },
);

export const flannelOptions = options<FlannelArgs>(
  { of: "the flannel overlay", thing: "the flannel overlay", example: 'flannel({ backend: "vxlan" })' },
  {
    backend: optional,
    hostPrefix: optional,
    hostsPerGroup: optional,
    slicePrefix: optional,
    bridge: optional,
    program: opaque,
    etcd: etcdOptions,
  },
);
