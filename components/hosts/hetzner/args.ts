import type * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";
import type { Transform } from "../../transform";
import type { Bastion } from "../bastion";
import type { HostRole } from "../host";
import type { NumberedHosts } from "../numbered";
import { change, either, flag, labels, lateText, named, opaque, optional, options, provider, required, text } from "../../options";
import { bastionOptions } from "../bastion";

export type { Bastion as HetznerBastion } from "../bastion";

/** Hetzner's current images, by release. */
export type HetznerImage = "debian-13" | "debian-12" | "ubuntu-24.04";

/** Falkenstein, Nuremberg and Helsinki (eu-central), Ashburn (us-east), Hillsboro (us-west), Singapore (ap-southeast). */
export type HetznerLocation = "fsn1" | "nbg1" | "hel1" | "ash" | "hil" | "sin";

/** Hetzner Cloud servers, in locations of one network zone. */
export interface HetznerHostsArgs extends NumberedHosts {
  /** What the hosts are in the swarm. */
  readonly role: HostRole;
  /** Location of all hosts of the group. All groups of a network zone share one network, so they are one site. @default "fsn1" */
  readonly location?: HetznerLocation;
  /**
   * Locations instead of one location. Hosts use them by number: host 1 is in the first, and with three locations host 4 is in
   * the first again. They must be in one network zone. A list that would put an existing host into another location is refused.
   * @default - `location`
   */
  readonly locations?: readonly HetznerLocation[];
  /**
   * Size and processor (x86, or ARM as `cax…`) of the machines. Outside eu-central you must set it: the default is not sold
   * there.
   * @default "cx23"
   */
  readonly serverType?: string;
  /**
   * What the machines boot from. A release is its image when the host is made. The host then keeps it: a newer image replaces
   * nothing until `each` says so. Your own image needs cloud-init, systemd, sudo, an SSH server, and DHCP on the private
   * interface.
   * @default "debian-13"
   */
  readonly image?:
    | HetznerImage
    | {
        /** Its number, as the API has it. */
        readonly id: pulumi.Input<string>;
      };
  /** Jump host for all of them. @default - direct connections */
  readonly bastion?: Bastion;
  /**
   * Number of the key that logs in to these hosts, 1 to 1000. Count it up to change the key: `up` puts the next one on each host beside the one
   * before, proves it by a connection of its own, and then takes the one before off. No machine is replaced, and machines that are made later
   * begin with the new key. All of them follow from one secret in the stack's state. @default 1
   */
  readonly loginKey?: number;
  /** The site's private network, made by the stack: a /8 to /24. @default "10.72.0.0/16" */
  readonly network?: string;
  /** Your own network instead. Only the servers are added to it. @default - the stack makes one */
  readonly privateNetwork?: HetznerNetwork;
  /** Name of the site. Set it if two networks in one network zone are two sites. @default - `hetzner` and the network zone */
  readonly site?: string;
  /** Largest packet in bytes. Hetzner's private networks carry 1450. @default 1450 */
  readonly mtu?: number;
  /**
   * Whether Hetzner refuses to delete and rebuild the servers, for everybody including this stack. Before you remove or replace a
   * server or run `pulumi destroy`, set this to `false` and run `pulumi up` once: Hetzner's provider never removes the
   * protection. Refused together with `renew`.
   * @default false
   */
  readonly protect?: boolean;
  /** Options for single hosts, by number, to change one host at a time. @default - all hosts are alike */
  readonly each?: Readonly<Record<number, HetznerHostArgs>>;
  /** Swarm node labels of all hosts of the group. @default - none */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Hetzner's labels of everything that is made for the group. Labels that begin with `pulumi-swarm/` are reserved.
   * @default - the cluster's name
   */
  readonly hcloudLabels?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Hetzner's project and its token. @default - those from the stack's configuration */
  readonly provider?: hcloud.Provider;
  /** Last changes to the arguments of the underlying resources. @default - they stay as they are */
  readonly transform?: HetznerTransform;
}

/** Options for one host. */
export interface HetznerHostArgs {
  /**
   * Another type switches the machine off, changes it and starts it again. The host is drained first and is back in the swarm
   * afterwards. Its disk keeps its size, so that you can go back to a smaller type.
   * @default - the group's
   */
  readonly serverType?: string;
  /**
   * Any short text, such as a date. Another text replaces the machine once: from the newest image, in its location from
   * `locations`, with its old name and private address. Replace managers one at a time. Removing the text changes nothing.
   * @default - the machine stays
   */
  readonly renew?: string;
}

/** Your existing network. If its CIDR is an `Output`, it is checked as soon as it is known, before anything is made in it. */
export interface HetznerNetwork {
  /** A number, as `hcloud network list` shows it. */
  readonly id: pulumi.Input<string>;
  /**
   * Range of the hosts' subnet, a /8 to /26. If it is a plain string, the hosts' addresses are planned in it. If it is an
   * `Output`, Hetzner chooses them. Put the network's other subnets into the cluster's `avoid`.
   */
  readonly cidr: pulumi.Input<string>;
  /** Such as `4711-10.0.1.0/24`. Needed if the network has more than one subnet. @default - its only subnet */
  readonly subnetId?: pulumi.Input<string>;
}

/** Last changes to the arguments of the resources that make a group's hosts and what they share. */
export interface HetznerTransform {
  /** The private network, if the stack makes it. */
  readonly network?: Transform<hcloud.NetworkArgs>;
  /** The network's subnet, if the stack makes it. */
  readonly subnet?: Transform<hcloud.NetworkSubnetArgs>;
  /** The SSH key that servers are made with. */
  readonly sshKey?: Transform<hcloud.SshKeyArgs>;
  /** Each firewall. */
  readonly firewall?: Transform<hcloud.FirewallArgs>;
  /** Each placement group, which keeps servers on different machines. */
  readonly placementGroup?: Transform<hcloud.PlacementGroupArgs>;
  /** Each host's public address. */
  readonly primaryIp?: Transform<hcloud.PrimaryIpArgs>;
  /** Each host's server. */
  readonly server?: Transform<hcloud.ServerArgs>;
}

/** The arguments of resources are their provider's. */
export const hetznerTransformOptions = options<HetznerTransform>(
  { of: "transform", thing: "changes of resources", example: "{ server: { backups: true } }" },
  { network: change, subnet: change, sshKey: change, firewall: change, placementGroup: change, primaryIp: change, server: change },
);

export const hetznerHostOptions = options<HetznerHostArgs>(
  { of: "a single host", thing: "a single host", example: '{ serverType: "cx33" }' },
  { serverType: optional, renew: optional },
);

export const hetznerNetworkOptions = options<HetznerNetwork>(
  { of: "privateNetwork", thing: "your own network", example: '{ id: "…", cidr: "10.0.1.0/24" }' },
  { id: opaque, cidr: lateText, subnetId: lateText },
);

const imageOptions = options<Exclude<HetznerHostsArgs["image"], HetznerImage | undefined>>(
  { of: "image", thing: "an image", example: '{ id: "…" }' },
  { id: opaque },
);

const otherNames = { datacenter: "location", tags: "hcloudLabels", size: "serverType", type: "serverType", replicas: "count", servers: "count" };

export const hetznerHostsOptions = options<HetznerHostsArgs>(
  { of: "hetzner hosts", thing: "hosts at Hetzner", example: 'hetzner.hosts({ role: "worker", location: "fsn1" })', others: otherNames },
  {
    role: required,
    count: optional,
    numbers: optional,
    labels,
    location: optional,
    locations: optional,
    serverType: optional,
    image: either(imageOptions),
    bastion: bastionOptions,
    loginKey: optional,
    network: text,
    privateNetwork: hetznerNetworkOptions,
    site: text,
    mtu: optional,
    protect: flag,
    each: named(hetznerHostOptions, "single hosts by number", '{ 2: { serverType: "cx33" } }'),
    hcloudLabels: named(lateText, "labels by name", '{ team: "web" }'),
    provider,
    transform: hetznerTransformOptions,
  },
);
