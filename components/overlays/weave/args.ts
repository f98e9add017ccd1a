import type { ProgramArgs } from "../../programs/args";
import { flag, opaque, optional, options } from "../../options";

/** Weave Net: a router on each host, in a mesh with all others. */
export interface WeaveArgs {
  /**
   * Encrypt what goes between hosts, containers' data and the routers' own talk, under one password of the cluster's that is made
   * for it. Costs 24 bytes a packet. A change of it restarts all routers at once, as a rotation does.
   * @default true, but false inside an encrypted underlay
   */
  readonly encrypted?: boolean;
  /**
   * Any text; another one makes another password. No router talks to one that has another password, so all of them restart at
   * the same moment, and containers of different hosts hear nothing of each other for about two seconds. It waits while a host
   * cannot be reached, because that one would be left alone with the old password.
   * @default - the first password stays
   */
  readonly rotation?: string;
  /**
   * Leave containers' data between hosts of one site in plaintext, and encrypt it between sites only. The routers' own talk is
   * encrypted everywhere. Needs `encrypted`, and the network of every site, since that is what tells who is of it.
   * @default false
   */
  readonly trustSites?: boolean;
  /**
   * Let kernels with Open vSwitch forward (modules `openvswitch` and `vxlan`), instead of the router itself, which is several times
   * slower. Hosts without the modules do without, and the two kinds understand each other. A change counts for each host from its
   * next reboot on.
   * @default true
   */
  readonly fastDatapath?: boolean;
  /** Where the router comes from. @default - docker.io/weaveworks/weave:2.6.5, or the mirror's copy of it */
  readonly router?: ProgramArgs;
}

/** Docker network driver: the plugin's name, which must be the same on all hosts. Docker adds the tag by itself, so it is written. */
export const weaveDriver = "pulumi-swarm-weave:latest";

/** The router's own port, TCP for control and UDP for data that it carries itself; the next one is VXLAN of the fast datapath. */
export const weavePort = 6783;

/** Each router is connected to each other one, and takes 200 connections unless told otherwise. */
export const mostHosts = 200;

/** What the agent is told beside the hosts. Nothing of it is secret. */
export interface WeaveSettings {
  readonly encrypted: boolean;
  /** Undefined where the user asks for none: whatever password there is stays. */
  readonly rotation?: string;
  readonly fastDatapath: boolean;
  /** Network of each site whose hosts trust each other, by the site's key. */
  readonly trusted: Readonly<Record<string, string>>;
}

export const weaveOptions = options<WeaveArgs>(
  { of: "the weave overlay", thing: "the weave overlay", example: "weave({ encrypted: true })" },
  { encrypted: flag, rotation: optional, trustSites: flag, fastDatapath: flag, router: opaque },
);
