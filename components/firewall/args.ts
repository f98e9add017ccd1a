import type { HostSelector, Source } from "./rule";
import { named, optional, options, required, text } from "../options";

/** One port, or a range such as "30000-30100". */
export type Port = number | `${number}-${number}` | `${number}`;

/**
 * Who may connect to the hosts, and to what. All other traffic is dropped, except what the cluster itself needs between its
 * hosts. IPv4 and IPv6 networks may be used everywhere.
 */
export interface FirewallArgs {
  /**
   * Networks from which you administer the hosts over SSH, in CIDR form. The machine that runs Pulumi must be in one of them.
   * "0.0.0.0/0" allows everybody to try, and shows a warning. If a program carries the connection, use the network from which the
   * hosts see it.
   * @default - none, which is refused unless the hosts' provider knows the administrators' networks, like `local`, and `aws` with
   * `ssm`
   */
  readonly ssh?: readonly string[];
  /**
   * Ports of services that containers publish. Without an entry, a published port is closed from outside, regardless of Docker's
   * own rules. A port of a host's own service with the same number is also allowed.
   * @default - none
   */
  readonly expose?: Readonly<Record<string, ExposeArgs>>;
  /** Ports of services of the hosts themselves, outside Docker. @default - none */
  readonly allow?: Readonly<Record<string, AllowArgs>>;
  /**
   * Other sources for a built-in rule, by its name in the preview. Fewer sources are fine; more show a warning. Unknown names are
   * refused.
   * @default - the built-in sources
   */
  readonly rules?: Readonly<Record<string, RuleArgs>>;
  /**
   * `hosts`: each host drops all traffic that no rule allows. `none`: the preview only lists the rules, for your own firewall,
   * and shows a warning.
   * @default "hosts"
   */
  readonly enforce?: "hosts" | "none";
}

/** A port that containers publish. */
export interface ExposeArgs {
  /**
   * The published port, not the container's. It can also be a range, or a list of both. Refused: the ports of SSH, of the swarm
   * itself and of other built-in rules.
   */
  readonly port: Port | readonly Port[];
  /** @default "tcp" */
  readonly protocol?: "tcp" | "udp";
  /** Who may connect: networks in CIDR form, hosts of the cluster, or "world" for everybody in both families. Not empty. */
  readonly from: readonly Source[];
  /** Hosts that allow it. @default "members" */
  readonly on?: HostSelector;
  /**
   * How the service publishes the port: by the ingress mesh, on every host, or by the one host that runs the container. Two
   * entries with the same port on the same hosts are refused if one of them is `host`: only one container can have the port.
   * @default "ingress"
   */
  readonly publish?: "host" | "ingress";
}

/** A port on which a host itself answers. */
export interface AllowArgs {
  /** The port, a range, or a list of both. Refused: the ports of SSH, of the swarm itself and of other built-in rules. */
  readonly port: Port | readonly Port[];
  /** @default "tcp" */
  readonly protocol?: "tcp" | "udp";
  /** Who may connect: networks in CIDR form, hosts of the cluster, or "world" for everybody in both families. Not empty. */
  readonly from: readonly Source[];
  /** Hosts that allow it. @default "members" */
  readonly on?: HostSelector;
  /** The reason that the preview shows. @default - that the program allows it */
  readonly reason?: string;
}

/** Changes to a built-in rule. */
export interface RuleArgs {
  /**
   * Who may connect instead. Not empty. A rule over the tunnel accepts only hosts of the cluster: nobody else is in the tunnel.
   */
  readonly from: readonly Source[];
}

const opened = { port: required, protocol: optional, from: required, on: optional } as const;
const otherNames = {
  ...{ hosts: "on", to: "on", targets: "on", mode: "publish", publishMode: "publish" },
  ...{ cidr: "from", cidrs: "from", source: "from", sources: "from", ports: "port", published: "port" },
};
const entry = 'an entry such as { web: { port: 443, from: ["world"] } }';

export const exposeOptions = options<ExposeArgs>(
  { of: "an exposed port", thing: "an exposed port", example: '{ port: 443, from: ["world"] }', others: otherNames },
  { ...opened, publish: optional },
);

export const allowOptions = options<AllowArgs>(
  { of: "an allowed port", thing: "an allowed port", example: '{ port: 9100, from: ["10.0.0.0/8"] }', others: otherNames },
  { ...opened, reason: text },
);

export const ruleOptions = options<RuleArgs>(
  { of: "a built-in rule", thing: "a change of a built-in rule", example: '{ from: ["managers"] }' },
  { from: required },
);

export const firewallOptions = options<FirewallArgs>(
  { of: "firewall", thing: "a firewall", example: '{ ssh: ["203.0.113.0/24"] }' },
  {
    ssh: optional,
    expose: named(exposeOptions, "exposed ports by name", entry),
    allow: named(allowOptions, "allowed ports by name", entry),
    rules: named(ruleOptions, "changes of built-in rules by name", '{ ping: { from: ["members"] } }'),
    enforce: optional,
  },
);
