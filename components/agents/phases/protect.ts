import { applyFirewall, removeFirewall } from "../../firewall/apply";
import { nftRuleset } from "../../firewall/nftables";
import { selects } from "../../firewall/resolve";
import type { FirewallHost, FirewallRule } from "../../firewall/rule";
import { type MeshMember, raiseMesh } from "../../underlay/wireguard/apply";
import type { Connection } from "../../remote/connection";
import type { SshSession } from "../../remote/ssh";
import { type Failure, onEach } from "../../remote/each";
import type { Fleet } from "../fleet";
import type { SwarmRequest } from "../request";
import { progress } from "../run";
import type { Ready } from "./engines";

/** WireGuard's public keys, by host. */
export type PublicKeys = Readonly<Record<string, string>>;

/** Seconds for one new connection, and for all tries until the old rules are back. */
interface Confirmation {
  readonly dial: number;
  readonly seconds: number;
}

/** A program that carries the connection has to start, and to sign in somewhere, each time. */
export function confirmation({ proxyCommand }: Pick<Connection, "proxyCommand">): Confirmation {
  return proxyCommand ? { dial: 20, seconds: 45 } : { dial: 5, seconds: 15 };
}

/**
 * Each host's own firewall. It comes before the tunnel and the swarm, so that nothing of them is ever open to anybody else.
 *
 * @param all Every host that may still talk to the others: also those that cannot be reached now, or are about to leave.
 */
export async function enforceFirewall(
  fleet: Fleet,
  request: SwarmRequest,
  hosts: readonly Ready[],
  all: readonly FirewallHost[],
  failures: Failure[],
): Promise<void> {
  const { firewall, tunnel } = request;
  const routedIn = request.overlay.onHosts?.routedIn;
  await onEach(hosts, failures, async ({ key, session, host }) => {
    if (!firewall) return removeFirewall(session, (line) => progress(key, line));
    const ruleset = nftRuleset(firewall.rules, host, all, {
      ...(tunnel && { tunnelInterface: tunnel.interface }),
      ...(routedIn && { routedIn }),
    });
    const { dial, seconds } = confirmation(host.connection);
    const redial = (): Promise<SshSession> => fleet.dial(key, host.connection, dial);
    const options = { seconds, admitted: admittedTo(host, firewall.rules) };
    await applyFirewall({ key, session, redial }, ruleset, (line) => progress(key, line), options);
    return undefined;
  });
}

/** Networks from which SSH is let in there. */
function admittedTo(host: FirewallHost, rules: readonly FirewallRule[]): string[] {
  return rules.filter(({ name, to }) => (name === "ssh" || name.startsWith("ssh ")) && selects(to, host)).flatMap(({ from }) => [...from]);
}

/**
 * The encrypted mesh, where the underlay is one.
 *
 * @returns the public keys by host; the next run is to be given them.
 */
export async function raiseTunnel(
  request: SwarmRequest,
  hosts: readonly Ready[],
  all: readonly FirewallHost[],
  known: PublicKeys,
  failures: Failure[],
): Promise<PublicKeys> {
  const { tunnel, underlayMtu } = request;
  if (!tunnel) return {};
  const sessions = new Map(hosts.map(({ key, session }) => [key, session]));
  const members = all.flatMap((host): MeshMember[] => {
    const { key, site, address, publicAddress, tunnelAddress } = host;
    const session = sessions.get(key);
    if (tunnelAddress === undefined) return [];
    return [{ key, site, address, tunnelAddress, ...(publicAddress !== undefined && { publicAddress }), ...(session && { session }) }];
  });
  const mesh = await raiseMesh(
    members,
    {
      port: tunnel.port,
      mtu: underlayMtu,
      prefix: tunnel.prefix,
      keepalive: tunnel.keepalive,
      // A host that leaves keeps its key, and must find the others until it has left.
      rotation: all.length === request.hosts.length ? tunnel.rotation : "",
      known: Object.fromEntries(Object.entries(known).map(([key, publicKey]) => [key, { publicKey }])),
    },
    { progress },
  );
  failures.push(...mesh.failures);
  return mesh.publicKeys;
}
