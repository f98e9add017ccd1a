import type { PlannedHost } from "../../hosts/host";
import type { Problem } from "../../report";
import { wireguardOverhead } from "../../addresses/mtu";
import { collectOptions, withTold } from "../../options";
import type { Underlay, UnderlayPlan } from "../underlay";
import { mostHosts, tunnelInterface, type WireGuardArgs, wireGuardOptions, wireGuardProblems, wireGuardSettings } from "./args";
import { meshProblems } from "./mesh";

export type { WireGuardArgs } from "./args";

/**
 * An encrypted mesh of all hosts, which carries all traffic of the swarm and its containers. Between hosts, only WireGuard's UDP
 * port is used. Needed if hosts are on more than one site.
 *
 * Private keys are made on the hosts and never leave them. A host without WireGuard in its kernel uses the userspace program, which
 * costs throughput and shows a warning.
 *
 * It takes up to 300 hosts, because every host keeps a session with every other host. More are refused.
 *
 * @example
 * new SwarmCluster("prod", { underlay: wireguard(), hosts, firewall: { ssh: ["203.0.113.0/24"] } });
 */
export function wireguard(args: WireGuardArgs = {}): Underlay {
  const { args: read = {}, problems } = collectOptions<WireGuardArgs>(args, wireGuardOptions, "underlay");
  return { kind: "wireguard", plan: ({ hosts }) => withTold(problems, plan(read, hosts)) };
}

function plan(args: WireGuardArgs, hosts: readonly PlannedHost[]): UnderlayPlan {
  const settings = wireGuardSettings(args);
  const hidden = hosts.filter(isHidden).map(({ key }) => key);
  return {
    kind: "wireguard",
    encrypted: true,
    // Endpoints are IPv4 addresses.
    overhead: wireguardOverhead.ipv4,
    ...(settings.mtu !== undefined && { mtu: settings.mtu }),
    over: "tunnel",
    tunnel: { interface: tunnelInterface, port: settings.port, keepalive: settings.keepalive, rotation: settings.rotation },
    rules: [
      {
        name: "wireguard",
        protocol: "udp",
        ports: [String(settings.port)],
        // Who has no key gets no answer.
        from: ["members"],
        unknownAddress: "open",
        to: "members",
        over: "site",
        answers: "host",
        reason:
          hidden.length > 0
            ? "the encrypted tunnel; from everywhere, since it is not known which address hosts behind address translation show"
            : "the encrypted tunnel",
      },
    ],
    encryption: {
      channel: "underlay",
      mechanism: "WireGuard: ChaCha20-Poly1305",
      keyHolder: "each host its own private key, which never leaves it",
      rotation: `sessions every two minutes; the hosts' keys ${settings.rotation === "" ? "when underlay.rotation is set" : `last for rotation "${settings.rotation}"`}`,
      protects: true,
    },
    problems: [
      ...wireGuardProblems(args).map((problem): Problem => ({ ...problem, path: `underlay.${problem.path}` })),
      ...sizeProblems(hosts.length),
      ...meshProblems(hosts, "hosts").map(({ path = "hosts", message, fix }): Problem => ({ path, message, fix })),
    ],
  };
}

function sizeProblems(hosts: number): Problem[] {
  if (hosts <= mostHosts) return [];
  return [
    {
      path: "hosts",
      message: `${hosts} hosts are more than a WireGuard mesh takes (${mostHosts}): every host keeps a session with every other one`,
      fix: `split the hosts into clusters of ${mostHosts} at most, or connect the sites by your own network (a VPN, the cloud's peering) and use underlay: direct() on it`,
    },
  ];
}

/** Whether other sites cannot know under which address they see it. Within one site nobody needs to. */
function isHidden({ site, publicAddress, seenAs }: PlannedHost, _index: number, all: readonly PlannedHost[]): boolean {
  return publicAddress === undefined && seenAs === undefined && all.some((other) => other.site !== site);
}
