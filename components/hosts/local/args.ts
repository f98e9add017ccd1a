import type * as docker from "@pulumi/docker";
import { change, labels, optional, options, required, text } from "../../options";
import type { Transform } from "../../transform";
import type { HostRole } from "../host";
import type { NumberedHosts } from "../numbered";

/** Hosts as containers on this machine. Each acts as a whole machine with systemd, sshd and its own Docker engine. Linux only. */
export interface LocalHostsArgs extends NumberedHosts {
  /** What the hosts are in the swarm. */
  readonly role: HostRole;
  /**
   * Image of a whole machine. It is used when a host is made. Another image later does not replace existing hosts
   * (`pulumi up --replace` of the container does).
   * @default "pulumi-swarm-host:trixie" - if Docker does not have it, `up` builds it with `docker build`, in about a minute
   */
  readonly image?: string;
  /** The Docker network that the hosts share, made by the stack. @default "10.213.0.0/16" */
  readonly network?: string;
  /** Memory in MiB that one host may use. @default - no limit */
  readonly memory?: number;
  /** Swarm node labels of all hosts of the group. @default - none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Last changes to the arguments of the underlying resources. @default - they stay as they are */
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
  { container: change, network: change },
);

export const localHostsOptions = options<LocalHostsArgs>(
  {
    of: "local hosts",
    thing: "hosts on this machine",
    example: 'local.hosts({ role: "worker" })',
    others: { replicas: "count", nodes: "count", size: "count" },
  },
  { role: required, count: optional, numbers: optional, image: text, network: text, memory: optional, labels, transform: transformOptions },
);
