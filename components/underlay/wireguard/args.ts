import { optional, options } from "../../options";

/** How WireGuard joins the hosts: an encrypted mesh in which every host is a peer of every other. */
export interface WireGuardArgs {
  /**
   * UDP port for the tunnel's packets on every host, 1 to 65535. It is open to the other hosts. It is open to everybody if hosts
   * are behind network address translation and their outside addresses are not known. A UDP port of the swarm or of its overlay is
   * refused.
   * @default 51820
   */
  readonly port?: number;
  /**
   * Any text, such as a date. Every change gives each host a new private key, one host after the other. Traffic between two hosts
   * stops for less than a second. The text is not secret: no key is derived from it. Removing it changes nothing.
   * @default - a host keeps its key
   */
  readonly rotation?: string;
  /**
   * Seconds after which a host behind network address translation sends a packet to the hosts of other sites, to keep the
   * translation open, 0 to 65535. Routers forget a translation after 30 s or more. 0 turns it off: then a host of another site
   * cannot start a connection to it.
   * @default 25
   */
  readonly keepalive?: number;
  /**
   * Largest packet inside the tunnel in bytes, 576 to 65475. Needed only if the path between two sites has a smaller limit than
   * the sites themselves (PPPoE: 1432). If the value is too large, large packets are silently lost.
   * @default - the smallest MTU of all sites minus 60, which WireGuard adds over IPv4 (80 over IPv6)
   */
  readonly mtu?: number;
}

export interface WireGuardSettings {
  readonly port: number;
  /** Empty when no rotation was ever asked for. */
  readonly rotation: string;
  readonly keepalive: number;
  readonly mtu?: number;
}

/** Name of the tunnel's interface on every host. */
export const tunnelInterface = "swarm0";

/**
 * Every host knows every other one: each new key is told to all, host after host, so bytes grow with the square of the hosts and the time
 * with their number. Tried up to here (test/graph/wireguard-size.test.ts).
 */
export const mostHosts = 300;

export interface ArgumentProblem {
  /** Relative to the underlay's arguments. */
  readonly path: string;
  readonly message: string;
  readonly fix: string;
}

export function wireGuardSettings(args: WireGuardArgs): WireGuardSettings {
  return {
    port: args.port ?? 51820,
    rotation: args.rotation ?? "",
    keepalive: args.keepalive ?? 25,
    ...(args.mtu !== undefined && { mtu: args.mtu }),
  };
}

/** What is wrong with the arguments. A program without types may give anything. */
export function wireGuardProblems(args: WireGuardArgs): ArgumentProblem[] {
  const settings = wireGuardSettings(args);
  const numbers = [
    { path: "port", value: settings.port, least: 1, most: 65535, what: "a UDP port", usual: "leave it out for 51820" },
    { path: "keepalive", value: settings.keepalive, least: 0, most: 65535, what: "a number of seconds", usual: "leave it out for 25" },
    { path: "mtu", value: settings.mtu, least: 576, most: 65475, what: "an MTU in bytes", usual: "leave it out: it follows from the sites' MTU" },
  ];
  const problems = numbers
    .filter(({ value, least, most }) => value !== undefined && !(Number.isInteger(value) && value >= least && value <= most))
    .map(({ path, value, least, most, what, usual }) => ({
      path,
      message: `${JSON.stringify(value)} is not ${what}`,
      fix: `give a whole number from ${least} to ${most}, or ${usual}`,
    }));
  if (typeof settings.rotation !== "string" || /[^ -~]/.test(settings.rotation)) {
    const fix = "give a short text without line breaks, such as a date";
    problems.push({ path: "rotation", message: `${JSON.stringify(settings.rotation)} is not plain text`, fix });
  }
  return problems;
}

export const wireGuardOptions = options<WireGuardArgs>(
  { of: "the wireguard underlay", thing: "the wireguard underlay", example: "wireguard({ port: 51820 })" },
  { port: optional, rotation: optional, keepalive: optional, mtu: optional },
);
