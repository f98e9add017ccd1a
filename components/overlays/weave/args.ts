import type { ProgramArgs } from "../../programs/args";
import { flag, opaque, optional, options } from "../../options";

/** Weave Net: a router on each host, in a mesh with all others. */
export interface WeaveArgs {
  /**
   * Encrypts data between hosts, both containers' data and the routers' own messages, with one password that is made for the
   * cluster. It costs 24 bytes a packet. A change restarts all routers at once, like a rotation.
   * @default true, but false inside an encrypted underlay
   */
  readonly encrypted?: boolean;
  /**
   * Any text. Another text makes a new password. Routers with different passwords do not talk to each other, so all of them
   * restart at the same moment, and containers on different hosts lose contact for about two seconds. The change waits while a
   * host cannot be reached, because that host would keep the old password.
   * @default - the first password stays
   */
  readonly rotation?: string;
  /**
   * Leaves containers' data between hosts of one site in plaintext, and encrypts it only between sites. The routers' own messages
   * are encrypted everywhere. Needs `encrypted`, and the network of every site, which shows which host belongs to it.
   * @default false
   */
  readonly trustSites?: boolean;
  /**
   * Lets kernels with Open vSwitch forward packets (modules `openvswitch` and `vxlan`), instead of the router itself. Hosts without
   * the modules work without it, and both kinds of host work together. A change takes effect at each host's next reboot.
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
