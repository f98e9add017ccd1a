import type { OverlayKind } from "../../../components/overlays/overlay";
import type { SuiteCluster } from "./cluster";

/** A program of the overlay that runs on hosts as a unit. */
export interface Daemon {
  /** The process, as `pidof` finds it: it is also the file's name. */
  readonly program: string;
  /** Name of the systemd unit, without `.service`. */
  readonly unit: string;
  /** Folder of its versions in `/usr/local/lib/pulumi-swarm`. @default - it is a package of the host's distribution */
  readonly folder?: string;
  /** Hosts that have it. */
  readonly on: "all" | "managers";
  /** Whether only the firewall keeps others away from its sockets. */
  readonly listens: "on its host's addresses" | "everywhere";
  /** Longest silence, in seconds, of containers on a host where it is killed. 0: no packet is lost. */
  readonly killed: number;
  /** The kind of what `pulumi-swarm status` finds where it does not run. */
  readonly finding: string;
}

/** What proves hosts to each other: a password, a certificate with its key. */
export interface Secret {
  /** Prints on a host everything there that nobody may read, one a line. Shell. */
  readonly print: string;
  /** Whether there is one inside an encrypted tunnel, too. */
  readonly inTunnel: boolean;
  /** Whether a secret is of one host alone. */
  readonly perHost: "each its own" | "all the same";
  /** Something that is seen in programs' arguments while `up` makes hosts ready, which shows that somebody looked. */
  readonly seen: RegExp;
  readonly forged: Forgery;
  /** @default - its secrets stay what they are */
  readonly rotation?: Rotation;
}

/** Other secrets for all hosts. */
export interface Rotation {
  /** The overlay's arguments that make new secrets. */
  readonly args: object;
  /** Longest silence, in seconds, between two hosts meanwhile. */
  readonly silence: number;
  /** Whether programs are started again for it. */
  readonly restarts: boolean;
  /** What it says when a host cannot be told of new secrets, for which all others then wait. @default - nobody waits */
  readonly waits?: RegExp;
}

/** A host that comes with another secret than the others have. */
export interface Forgery {
  /** Gives a host a wrong one, and restarts what uses it. Shell. */
  readonly give: string;
  /** Whether its containers and those of other hosts cannot reach each other then. A way that stood before may stay. */
  readonly cutsOff: boolean;
  /** Prints, on the host, what it says about that. Shell. @default - nothing is said there */
  readonly says?: { readonly print: string; readonly words: RegExp };
  /** The kind of what `pulumi-swarm status` finds of it, by that host's name. @default - it has no word for it */
  readonly finding?: string;
  /** Whether the next `up` makes it right, or refuses until a person has. */
  readonly up: "makes it right" | { readonly refuses: RegExp; /** What a person does. Shell. */ readonly undo: string };
}

/** Everything that differs between overlays, as far as the suite is concerned. What is the same for all is in the promises. */
export interface OverlayDescription {
  readonly kind: OverlayKind;
  /** Images in the lab's registry that hosts pull. */
  readonly images: readonly string[];
  /** Its arguments for the first `up`: an earlier program than {@link usual}, where it has programs. */
  readonly first: object;
  /** Its arguments from when the worker joins. Asked when the registry is there. @default - {@link first} */
  readonly usual?: () => Promise<object>;
  /** Bytes of the largest packet of a container, over a site's own network and in the tunnel. */
  readonly mtu: { readonly direct: number; readonly wireguard: number };
  /** A port or protocol in the plan's rules that no other overlay has, as a preview prints it. */
  readonly port: string;
  readonly daemons: readonly Daemon[];
  /** Longest silence, in seconds, between two hosts when something happens to a third one. 0: no packet is lost. */
  readonly others: number;
  /** Longest silence, in seconds, between two hosts while their programs are replaced, and a third one joins. */
  readonly upgrade: number;
  /** Whether a network can be `internal`. */
  readonly internal: boolean;
  /** How services' names lead to their tasks: as they are made without a word about it, or only by `--endpoint-mode dnsrr`. */
  readonly services: "as usual" | "dnsrr";
  /** Whether a service can be published by the host that runs it (`mode=host`). */
  readonly publishes: boolean;
  /** Whether a container of no service with `--restart always` is back by itself after its host was turned off and on. */
  readonly restarts: boolean;
  /** @default - it has none of its own */
  readonly secret?: Secret;
  /** What `up` says to a stack that lost its state, and with it the secret; its group is what to run on each host. @default - nothing: it goes on */
  readonly lostState?: RegExp;
  /** What of a host's units, files, links, routes, rules, users and networks is the overlay's. @default - nothing: it is Docker's own */
  readonly traces?: RegExp;
}

/** What only this overlay has: its tests, at the moments at which the cluster is as they need it. Each leaves it as it was. */
export interface OwnTests {
  /** Three managers, with {@link OverlayDescription.first}. */
  readonly early?: (cluster: SuiteCluster) => void;
  /** A worker more, with what is usual, after all that may happen to hosts, and with new secrets where it has some. */
  readonly whole?: (cluster: SuiteCluster) => void;
  /** Three managers again, of which one is another machine. The networks are about to go. */
  readonly late?: (cluster: SuiteCluster) => void;
  /** It comes back from `native()` with these arguments in addition to its usual ones, to hosts without containers. */
  readonly back?: { readonly args: object; readonly tests: (cluster: SuiteCluster) => void };
  /** All is destroyed. */
  readonly gone?: (cluster: SuiteCluster) => void;
}
