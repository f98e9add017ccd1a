import type * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";
import type { Transform } from "../../transform";
import type { Bastion } from "../bastion";
import type { HostRole, NumberedHosts } from "../host";
import { either, flag, labels, named, opaque, optional, options, required, text } from "../../options";
import { bastionOptions } from "../bastion";

export type { Bastion as HetznerBastion } from "../bastion";

/** Hetzner's current images, by release. */
export type HetznerImage = "debian-13" | "debian-12" | "ubuntu-24.04";

/** Falkenstein, Nuremberg and Helsinki (eu-central), Ashburn (us-east), Hillsboro (us-west), Singapore (ap-southeast). */
export type HetznerLocation = "fsn1" | "nbg1" | "hel1" | "ash" | "hil" | "sin";

/** Virtual machines of Hetzner Cloud, in locations of one network zone. */
export interface HetznerHostsArgs extends NumberedHosts {
  /** What the hosts are in the swarm. */
  readonly role: HostRole;
  /** Where all hosts of the group are. All groups of a network zone share one network, and so are one site. @default "fsn1" */
  readonly location?: HetznerLocation;
  /**
   * Locations over which the hosts go by their numbers instead: host 1 to the first, host 4 of three locations to the first again.
   * They are of one network zone. A list that would put a host that stands into another location is refused.
   * @default - `location`
   */
  readonly locations?: readonly HetznerLocation[];
  /** Size and processor (x86, or ARM as `cax…`) of the machines. Outside eu-central it has to be given: the default is not sold there. @default "cx23" */
  readonly serverType?: string;
  /**
   * What the machines boot from. A release is the image of it when the host is made, and never changes after: a newer image
   * replaces nothing until `each` says so. An image of your own needs cloud-init, systemd, sudo, an SSH server, and DHCP on the
   * private interface.
   * @default "debian-13"
   */
  readonly image?:
    | HetznerImage
    | {
        /** Its number, as the API has it. */
        readonly id: pulumi.Input<string>;
      };
  /** A host to hop over to all of them. @default - dialled directly */
  readonly bastion?: Bastion;
  /** The site's private network, made by the stack: a /8 to /24. @default "10.72.0.0/16" */
  readonly network?: string;
  /** A network of yours instead. Nothing of it is changed but for the servers in it. @default - one is made */
  readonly privateNetwork?: HetznerNetwork;
  /** Name of the site, where two networks in one network zone are two sites. @default - `hetzner` and the network zone */
  readonly site?: string;
  /** Largest packet in bytes. Hetzner's private networks carry 1450. @default 1450 */
  readonly mtu?: number;
  /**
   * Whether Hetzner refuses to delete and rebuild the servers, for everybody, this stack too. To remove a server, make it anew or run
   * `pulumi destroy`, set this to `false` first and run `pulumi up` once: Hetzner's provider never takes the protection off by itself.
   * Refused together with `renew`.
   * @default false
   */
  readonly protect?: boolean;
  /** What is otherwise for single hosts, by number: to change one host at a time. @default - all are alike */
  readonly each?: Readonly<Record<number, HetznerHostArgs>>;
  /** Swarm node labels of all hosts of the group. @default - none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Hetzner's labels of everything that is made for the group. Those that begin with `pulumi-swarm/` are kept. @default - the cluster's name */
  readonly hcloudLabels?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Hetzner's project and its token. @default - the one that the stack's configuration describes */
  readonly provider?: hcloud.Provider;
  /** Last say over the arguments of the resources underneath. @default - they stay as they are */
  readonly transform?: HetznerTransform;
}

/** What may be otherwise for one host. */
export interface HetznerHostArgs {
  /**
   * Another type switches the machine off, changes it and starts it again, drained before and back in the swarm after. Its disk
   * stays as large as it is, so that a smaller type can come back.
   * @default - the group's
   */
  readonly serverType?: string;
  /**
   * Any short text, such as a date. Another text makes the machine anew, once: from the newest image, in the location that
   * `locations` says, with its old name and private address. Of managers, one at a time. Taken out of the program, it changes nothing.
   * @default - the machine stays
   */
  readonly renew?: string;
}

/** A network that you have. Where its CIDR is an `Output`, it is checked as soon as it is known, before anything is made in it. */
export interface HetznerNetwork {
  /** A number, as `hcloud network list` shows it. */
  readonly id: pulumi.Input<string>;
  /**
   * Range of the subnet in which the hosts are, a /8 to /26. Their addresses are planned in it where it is a plain text, and given by Hetzner
   * where it is an `Output`. Name the network's other subnets in the cluster's `avoid`.
   */
  readonly cidr: pulumi.Input<string>;
  /** Such as `4711-10.0.1.0/24`. Needed where the network has more than one subnet. @default - its only one */
  readonly subnetId?: pulumi.Input<string>;
}

/** Last say over the arguments of the resources that make the hosts of a group and what they share. */
export interface HetznerTransform {
  /** The private network, where the stack makes it. */
  readonly network?: Transform<hcloud.NetworkArgs>;
  /** The network's subnet, where the stack makes it. */
  readonly subnet?: Transform<hcloud.NetworkSubnetArgs>;
  /** The SSH key that servers are made with. */
  readonly sshKey?: Transform<hcloud.SshKeyArgs>;
  /** Each firewall. */
  readonly firewall?: Transform<hcloud.FirewallArgs>;
  /** Each group of servers that are kept on different machines. */
  readonly placementGroup?: Transform<hcloud.PlacementGroupArgs>;
  /** Each host's public address. */
  readonly primaryIp?: Transform<hcloud.PrimaryIpArgs>;
  /** Each host's server. */
  readonly server?: Transform<hcloud.ServerArgs>;
}

/** The arguments of resources are their provider's. */
export const hetznerTransformOptions = options<HetznerTransform>(
  { of: "transform", thing: "changes of resources", example: "{ server: { backups: true } }" },
  { network: opaque, subnet: opaque, sshKey: opaque, firewall: opaque, placementGroup: opaque, primaryIp: opaque, server: opaque },
);

export const hetznerHostOptions = options<HetznerHostArgs>(
  { of: "a single host", thing: "a single host", example: '{ serverType: "cx33" }' },
  { serverType: optional, renew: optional },
);

export const hetznerNetworkOptions = options<HetznerNetwork>(
  { of: "privateNetwork", thing: "a network of yours", example: '{ id: "…", cidr: "10.0.1.0/24" }' },
  { id: opaque, cidr: opaque, subnetId: opaque },
);

const imageOptions = options<Exclude<HetznerHostsArgs["image"], HetznerImage | undefined>>(
  { of: "image", thing: "an image", example: '{ id: "…" }' },
  { id: opaque },
);

export const hetznerHostsOptions = options<HetznerHostsArgs>(
  { of: "hetzner hosts", thing: "hosts at Hetzner", example: 'hetzner.hosts({ role: "worker", location: "fsn1" })' },
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
    network: text,
    privateNetwork: hetznerNetworkOptions,
    site: text,
    mtu: optional,
    protect: flag,
    each: named(hetznerHostOptions, "single hosts by number", '{ 2: { serverType: "cx33" } }'),
    hcloudLabels: named(opaque, "labels by name", '{ team: "web" }'),
    provider: opaque,
    transform: hetznerTransformOptions,
  },
);
