import { applyFirewall, removeFirewall } from "../../firewall/apply";
import { isSsh, nftRuleset, smallestRuleset } from "../../firewall/nftables";
import { selects } from "../../firewall/resolve";
import type { FirewallHost, FirewallRule } from "../../firewall/rule";
import { outsideLines } from "../../network-policy/compile";
import { type MeshMember, raiseMesh } from "../../underlay/wireguard/apply";
import type { Connection } from "../../remote/connection";
import type { SshSession } from "../../remote/ssh";
import { type Failure, mostAtOnce, onEach } from "../../remote/each";
import { mostStarting } from "../../remote/ways";
import type { Fleet, ReachedHost } from "../fleet";
import { clusterParts, type HostsRequest, type OverlayWays, ownedParts, type RequestHost, type SwarmRequest } from "../request";
import { claim, disown, ownedByOthers, type OwnerNames, type SeenOwners } from "../../owner";
import { announce, did, phase, progress, waiting } from "../run";

/** A host whose firewall or tunnel is worked on. */
export type Guarded = ReachedHost & {
  readonly host: RequestHost;
  /** What a look saw of it. @default - it was not looked at */
  readonly probe?: { readonly also: Pick<SeenOwners, "claimed"> };
};

type Request = SwarmRequest | HostsRequest;

/** Ways of containers' packets that are left, but that they may still take: until they do not, they stay open. */
interface LeavingWays {
  readonly leaving?: OverlayWays | undefined;
}

/** WireGuard's public keys, by host. */
export type PublicKeys = Readonly<Record<string, string>>;

/** Seconds for one new connection, and for all tries until the old rules are back. */
interface Confirmation {
  readonly dial: number;
  readonly seconds: number;
}

/** Of what a host was seen to take at most, a new connection may take so much, and all that confirms new rules. */
const patience = { dial: 4, seconds: 10 } as const;
/** However slow a host is, somebody who is locked out gets in again after these seconds. */
const mostPatience: Confirmation = { dial: 60, seconds: 120 };

/**
 * A program that carries the connection has to start, and to sign in somewhere, each time, and only a few of them may do so at once.
 *
 * @param together How many hosts are dialled anew at the same time: they share this machine, its line and a bastion.
 * @param slowest Milliseconds that the host was seen to take: on one that is busy or far away, all of it takes longer.
 */
export function confirmation({ proxyCommand }: Pick<Connection, "proxyCommand">, together: number, slowest = 0): Confirmation {
  const least = leastConfirmation(proxyCommand !== undefined, Math.min(together, mostAtOnce));
  const stretched = (which: keyof Confirmation): number => Math.min(mostPatience[which], Math.ceil((patience[which] * slowest) / 1000));
  return { dial: Math.max(least.dial, stretched("dial")), seconds: Math.max(least.seconds, stretched("seconds")) };
}

function leastConfirmation(byProgram: boolean, atOnce: number): Confirmation {
  if (!byProgram) return { dial: 5, seconds: 15 + Math.floor(atOnce / 8) };
  const dial = 20;
  return { dial, seconds: 25 + dial * Math.ceil(atOnce / mostStarting) };
}

/** A host that is its own bastion: a connection to it that stands already says nothing about its new rules. */
export function isOwnBastion({ connection, address, publicAddress }: RequestHost): boolean {
  const { bastion } = connection;
  return bastion !== undefined && (bastion.hostKey === connection.hostKey || [connection.host, address, publicAddress].includes(bastion.host));
}

/** Before the first change of either: of two owners, the first one keeps the host. */
export async function takeHosts(request: Request, owner: OwnerNames, hosts: readonly Guarded[], failures: Failure[]): Promise<void> {
  const parts = "overlay" in request ? clusterParts(request) : ownedParts(request);
  // Nobody else takes what carries a name.
  const has = ({ probe }: Guarded): boolean => parts.every((part) => probe?.also.claimed.includes(part));
  await onEach(
    hosts.filter((host) => !has(host)),
    failures,
    ({ session }) => claim(session, parts, owner),
  );
}

/**
 * Each host's own firewall. It comes before the tunnel and the swarm, so that nothing of them is ever open to anybody else.
 *
 * @param all Every host that may still talk to the others: also those that cannot be reached now, or are about to leave.
 */
export async function enforceFirewall(
  fleet: Fleet,
  request: Request & LeavingWays,
  owner: OwnerNames,
  hosts: readonly Guarded[],
  all: readonly FirewallHost[],
  failures: Failure[],
): Promise<void> {
  const { firewall, tunnel, leaving } = request;
  const routed = "overlay" in request ? request.overlay.onHosts : undefined;
  const routedIn = [routed?.routedIn, leaving?.routedIn].flatMap((each) => each ?? []);
  if (!firewall) {
    await onEach(hosts, failures, ({ key, session }) => leaveFirewall(request, owner, key, session));
    return;
  }
  await phase("setting the firewall of", "firewall set", hosts, failures, async ({ key, session, host }) => {
    const ruleset = nftRuleset([...firewall.rules, ...(leaving?.rules ?? [])], host, all, {
      ...(tunnel && { tunnelInterface: tunnel.interface }),
      routedIn,
      toRouted: outsideLines(routed, host, all, tunnel?.interface),
    });
    const { dial, seconds } = confirmation(host.connection, hosts.length, session.slowest);
    const redial = (stretch: number): Promise<SshSession> =>
      fleet.dial(key, host.connection, Math.min(Math.max(dial, mostPatience.dial), Math.ceil(stretch * dial)), isOwnBastion(host));
    const options = {
      seconds,
      slowest: session.slowest,
      admitted: admittedTo(host, firewall.rules),
      smallest: smallestRuleset(firewall.rules, host, all),
    };
    const { changed } = await applyFirewall({ key, session, redial }, ruleset, (line) => progress(key, line), options);
    if (changed) did(key, "firewall changed");
  });
}

/** A cluster that keeps no firewall takes its own away, and nobody else's. A mesh alone never had one. */
async function leaveFirewall(request: Request, owner: OwnerNames, key: string, session: SshSession): Promise<void> {
  if ("owner" in request || (await ownedByOthers(session, ["firewall"], owner)).length > 0) return;
  await removeFirewall(session, (line) => progress(key, line));
  await disown(session, ["firewall"], owner);
}

/** The subnet of a host's containers, where they enter the tunnel with their own addresses. */
function containersInTunnel(request: Request, host: FirewallHost & { readonly containerSubnet?: string }): string | undefined {
  const routedIn = "overlay" in request ? request.overlay.onHosts?.routedIn : undefined;
  return routedIn?.interface !== undefined && routedIn.interface === request.tunnel?.interface ? host.containerSubnet : undefined;
}

/** Networks from which SSH is let in there. */
function admittedTo(host: FirewallHost, rules: readonly FirewallRule[]): string[] {
  return rules.filter((rule) => isSsh(rule) && selects(rule.to, host)).flatMap(({ from }) => [...from]);
}

/**
 * The encrypted mesh, where the underlay is one.
 *
 * @returns the public keys by host; the next run is to be given them.
 */
export async function raiseTunnel(
  request: Request,
  hosts: readonly Guarded[],
  all: readonly FirewallHost[],
  known: PublicKeys,
  failures: Failure[],
): Promise<PublicKeys> {
  const { tunnel, underlayMtu } = request;
  if (!tunnel) return {};
  const sessions = new Map(hosts.map(({ key, session }) => [key, session]));
  const members = all.flatMap((host): MeshMember[] => {
    const { key, site, address, publicAddress, tunnelAddress } = host;
    const carries = containersInTunnel(request, host);
    const session = sessions.get(key);
    if (tunnelAddress === undefined) return [];
    return [
      {
        key,
        site,
        address,
        tunnelAddress,
        ...(carries !== undefined && { carries }),
        ...(publicAddress !== undefined && { publicAddress }),
        ...(session && { session }),
      },
    ];
  });
  announce("connecting by WireGuard", hosts.length);
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
    { progress, waiting, changed: (host) => did(host, "tunnel changed") },
  );
  failures.push(...mesh.failures);
  return mesh.publicKeys;
}
