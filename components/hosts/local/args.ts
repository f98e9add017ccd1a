import type * as docker from "@pulumi/docker";
import { labels, opaque, optional, options, required, text } from "../../options";
import type { Transform } from "../../transform";
import type { HostRole, NumberedHosts } from "../host";

/** Hosts as containers of this machine's Docker, each a whole machine with systemd, sshd and an engine of its own. Linux only. */
export interface LocalHostsArgs extends NumberedHosts {
  /** What the hosts are in the swarm. */
  readonly role: HostRole;
  /**
   * Image of a whole machine. It is used when a host is made; another image later does not replace hosts that stand
   * (`pulumi up --replace` of the container does).
   * @default "pulumi-swarm-host:trixie" - where Docker does not have it, `up` makes it by `docker build`, in about a minute
   */
  readonly image?: string;
  /** The Docker network that the hosts share, made by the stack. @default "10.213.0.0/16" */
  readonly network?: string;
  /** Memory in MiB that one host may use. @default - no limit */
  readonly memory?: number;
  /** Swarm node labels of all hosts of the group. @default - none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Last say over the arguments of the resources underneath. @default - they stay as they are */
  readonly transform?: {
    /** The container of each host. */
    readonly container?: Transform<docker.ContainerArgs>;
    /** The network that the hosts share. */
    readonly network?: Transform<docker.NetworkArgs>;
  };
}

/** The arguments of resources are their provider's. */
const transformOptions = options<NonNullable<LocalHostsArgs["transform"]>>(
  { of: "transform", thing: "changes of resources", example: "{ container: { memory: 1024 } }" },
  { container: opaque, network: opaque },
);

export const localHostsOptions = options<LocalHostsArgs>(
  { of: "local hosts", thing: "hosts on this machine", example: 'local.hosts({ role: "worker" })' },
  { role: required, count: optional, numbers: optional, image: text, network: text, memory: optional, labels, transform: transformOptions },
);
