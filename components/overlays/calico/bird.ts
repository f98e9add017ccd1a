import { peersConfig } from "./peers/bird";
import type { HostPeer } from "./peers/on-host";
import type { Session } from "./reflectors";
import { sessionOptions } from "./session";

/** A host that announces its subnet. */
export interface Speaker {
  readonly key: string;
  /** By which the other hosts reach it. */
  readonly address: string;
  /** Of its containers, in CIDR form. */
  readonly subnet: string;
}

export interface BirdSettings {
  /** Out of which hosts' subnets are cut, in CIDR form. */
  readonly space: string;
  readonly hostPrefix: number;
  readonly asNumber: number;
  readonly bfd: boolean;
  /** This host tells others what it has heard. */
  readonly reflects: boolean;
  /** Routers outside the cluster. @default - none */
  readonly peers?: readonly HostPeer[];
  /** Networks in CIDR form of which none of them is believed. @default - none */
  readonly never?: readonly string[];
}

/** The file beside the configuration that has the password, and nothing else. */
export const passwordFile = "password.conf";

/**
 * BIRD's configuration on one host. Of each other host it takes that one's own subnet, and nothing else: a host cannot draw the packets of
 * another one to itself. Of a reflector it takes all but its own.
 *
 * Routes outlive BIRD in the kernel (`persist`), a BIRD that starts finds them there, and waits until it has heard of the others before it
 * takes any away (`graceful restart` in both protocols, and the option -R). BFD says at once that it is gone, and the others wait for it all
 * the same (`bfd graceful`). With less, a BIRD that is killed costs a second or two.
 */
export function birdConfig(self: Speaker, sessions: readonly Session<Speaker>[], settings: BirdSettings): string {
  const { space, hostPrefix, asNumber, bfd, reflects } = settings;
  const outside = peersConfig(settings.peers ?? [], settings.never ?? [], asNumber);
  const known = ["net ~ HOSTS", ...(outside.accepted === undefined ? [] : [`net ~ ${outside.accepted}`])];
  const exported = ["net = OWN", ...(reflects ? ["source = RTS_BGP && net ~ HOSTS"] : [])];
  return [
    `# Routes between containers: this is ${self.key}. Made by pulumi-swarm, and made anew by every up.`,
    "log stderr all;",
    `router id ${self.address};`,
    `define HOSTS = [ ${space}{${hostPrefix},${hostPrefix}} ];`,
    `define OWN = ${self.subnet};`,
    ...outside.head,
    "protocol device { scan time 10; }",
    ...(bfd || outside.bfd ? ['protocol bfd { strict bind on; interface "*" { interval 300 ms; multiplier 5; }; }'] : []),
    "protocol static own { ipv4; route OWN unreachable; }",
    ...outside.announced,
    "protocol kernel {",
    "  persist;",
    "  graceful restart on;",
    "  scan time 15;",
    `  ipv4 { import none; export filter { ${known.map((test) => `if source = RTS_BGP && ${test} then accept;`).join(" ")} reject; }; };`,
    "}",
    "template bgp host {",
    `  local ${self.address} as ${asNumber};`,
    ...sessionOptions(bfd),
    `  include "${passwordFile}";`,
    "  ipv4 {",
    "    import none;",
    `    export filter { ${exported.map((test) => `if ${test} then accept;`).join(" ")} reject; };`,
    "  };",
    "}",
    ...sorted(sessions).map((session) => sessionText(session, asNumber)),
    ...outside.protocols,
    "",
  ].join("\n");
}

function sessionText({ peer, tellsAll, client }: Session<Speaker>, asNumber: number): string {
  return [
    `protocol bgp '${peer.key}' from host {`,
    `  neighbor ${peer.address} as ${asNumber};`,
    ...(client ? ["  rr client;"] : []),
    `  ipv4 { import where ${tellsAll ? "net ~ HOSTS && net != OWN" : `net = ${peer.subnet}`}; };`,
    "}",
  ].join("\n");
}

function sorted(sessions: readonly Session<Speaker>[]): Session<Speaker>[] {
  return [...sessions].sort((one, other) => (one.peer.key < other.peer.key ? -1 : 1));
}
