import { Cidr, isCidr } from "../../../addresses/cidr";
import type { FirewallRule, HostSelector } from "../../../firewall/rule";
import { Sources } from "../../../firewall/sources";
import { selects } from "../../../firewall/resolve";
import { nearestName } from "../../../nearest";
import { fewOf, isNot, type Problem, type Report, show } from "../../../report";
import type { PeersContext, PeersPlan, PlannedPeer } from "../../peers";
import { isWhole } from "../../routed/slicing";
import { bfdPort, bgpPort } from "../ports";
import { checkAccept, checkAddress, isInside, takenBy } from "./addresses";
import type { CalicoPeerArgs } from "./args";
import type { CalicoPeer, CalicoPeers } from "./settings";

/** What all sessions with routers have in common. */
export interface PeersOf {
  /** Number of the cluster's autonomous system. */
  readonly asNumber: number;
  readonly hostPrefix: number;
}

/** Reserved, or what others put in the place of a number that they cannot write (RFC 7607, 6793, 7300). */
const noAs: readonly number[] = [0, 23_456, 65_535, 4_294_967_295];

/** All routers that hosts have sessions with, and what is wrong with them. */
export function planPeers(given: Readonly<Record<string, CalicoPeerArgs>>, of: PeersOf, context: PeersContext): PeersPlan {
  const problems: Problem[] = [];
  const report: Report = (path, message, fix) => void problems.push({ path, message, fix });
  const seen = new Map<string, string>();
  const planned = Object.entries(given).flatMap(([name, args]) => {
    // Told with the options.
    if (typeof args !== "object" || (args as unknown) === null) return [];
    const peer = planPeer(name, args, of, context, report);
    const other = typeof peer.address === "string" ? seen.get(peer.address) : undefined;
    if (other !== undefined) {
      report(
        `overlay.peers.${name}.address`,
        `${peer.address} is the address of ${other} too`,
        "keep one of them: hosts have one session with a router",
      );
    }
    seen.set(peer.address, name);
    return [{ peer, slices: slicesOf(args, context) }];
  });
  const routers = planned.map(({ peer, slices }): CalicoPeer => {
    const { name, address, as, on, accepts, bfd, signedBy } = peer;
    return { name, address, as, on, accept: accepts, signed: signedBy !== "nothing", bfd, ...(slices && { announce: slices }) };
  });
  const settings: { readonly peers?: CalicoPeers } =
    routers.length === 0 ? {} : { peers: { never: routers.some(({ accept }) => accept.length > 0) ? neverOf(context) : [], routers } };
  const peers = planned.map(({ peer }) => peer);
  return { peers, rules: peers.flatMap(rulesFor), settings, problems, warnings: peers.flatMap((peer) => warningsOf(peer, context)) };
}

function planPeer(name: string, args: CalicoPeerArgs, { asNumber, hostPrefix }: PeersOf, context: PeersContext, report: Report): PlannedPeer {
  const path = `overlay.peers.${name}`;
  if (!/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) {
    report(path, `"${name}" cannot name a router`, "use up to 32 lower-case letters, digits and dashes, a letter first");
  }
  checkAddress(`${path}.address`, args.address, context, report);
  checkAs(`${path}.as`, args.as, asNumber, report);
  const on = checkHosts(`${path}.on`, args.on, context, report);
  checkAnnounce(`${path}.announce`, args.announce, context, report);
  const accepts = checkAccept(`${path}.accept`, args.accept, context, report);
  if (Array.isArray(args.announce) && args.announce.length === 0 && accepts.length === 0) {
    report(
      `${path}.announce`,
      "nothing is announced and nothing accepted, so the session would be for nothing",
      "name a network, or leave the router out",
    );
  }
  return {
    name,
    address: args.address,
    as: args.as,
    clusterAs: asNumber,
    on,
    announces: announcesOf(args, hostPrefix, context),
    accepts,
    signedBy: args.password === undefined ? "nothing" : "TCP MD5",
    bfd: args.bfd === true,
  };
}

function checkAs(path: string, given: unknown, own: number, report: Report): void {
  if (given === own) {
    const other = own === 64_512 ? 64_513 : 64_512;
    return report(
      path,
      `${own} is the cluster's own number. A router hands nothing on within its own system, and hosts take each other's subnets from no router`,
      `give the number of the router's own system, or the cluster another one: asNumber: ${other}`,
    );
  }
  if (isWhole(given, 1, 4_294_967_294) && !noAs.includes(given)) return;
  const [, high, low] = /^(?:AS)?(?:(\d{1,5})\.)?(\d{1,10})$/i.exec(typeof given === "string" ? given.trim() : "") ?? [];
  const meant = low === undefined ? Number.NaN : Number(high ?? 0) * 65_536 + Number(low);
  const usable = isWhole(meant, 1, 4_294_967_294) && !noAs.includes(meant);
  report(
    path,
    isNot(given, "the number of an autonomous system"),
    usable ? `write ${meant}` : "give a whole number from 1 to 4294967294, such as 65010",
  );
}

function checkHosts(path: string, given: unknown, { hosts, groups }: PeersContext, report: Report): HostSelector {
  const selector = given === undefined ? "members" : new Sources(groups, report).selector(path, given);
  if (selector === given && !hosts.some((host) => selects(selector, host))) {
    report(path, `"${selector}" has no hosts, so nobody would have a session with it`, "name hosts that there are");
  }
  for (const { key, role, noContainerRoutes: reason } of groups) {
    if (reason === undefined || !selects(selector, { group: key, role })) continue;
    report(path, `a router cannot reach containers on hosts of ${key}: ${reason}`, 'name other hosts, such as "group NAME"');
  }
  return selector;
}

function checkAnnounce(path: string, given: unknown, { networkNames: known }: PeersContext, report: Report): void {
  if (given === undefined) return;
  if (!Array.isArray(given)) {
    const one = typeof given === "string" && given !== "" ? given : (known[0] ?? "web");
    return report(path, isNot(given, "a list of networks"), `write it as ["${one}"], or leave it out for all networks`);
  }
  for (const [index, name] of (given as readonly unknown[]).entries()) {
    const at = `${path}[${index}]`;
    if (given.indexOf(name) < index) report(at, `${show(name)} is named twice`, "name it once");
    else if (typeof name !== "string" || !known.includes(name)) {
      const near = typeof name === "string" ? nearestName(name, known) : undefined;
      const all = known.length === 0 ? "make a network first, in networks" : `the networks are ${fewOf(known, 8)}`;
      report(
        at,
        `there is no network ${show(name)}${near === undefined ? "" : `; did you mean "${near}"?`}`,
        near === undefined ? all : `write "${near}"`,
      );
    }
  }
}

/** As a reader of the preview sees it. Hosts are not named: with a new one, nothing of it changes. */
function announcesOf({ announce }: CalicoPeerArgs, hostPrefix: number, { slices, containers }: PeersContext): Readonly<Record<string, string>> {
  const whole = `each host's own /${hostPrefix} in ${containers}`;
  if (!Array.isArray(announce)) return { "all networks": whole };
  const named = slices.filter(({ name }) => announce.includes(name));
  return Object.fromEntries(named.map(({ name, slice }) => [name, `${slice} of ${whole}`]));
}

function slicesOf({ announce }: CalicoPeerArgs, { slices }: PeersContext): readonly string[] | undefined {
  if (!Array.isArray(announce)) return undefined;
  return slices.flatMap(({ name, slice }) => (announce.includes(name) ? [slice] : []));
}

/** Sorted, and without those that lie in another one. */
function neverOf(context: PeersContext): readonly string[] {
  const all = takenBy(context).map(({ network }) => network);
  const outermost = all.filter(
    (network, index) => !all.some((other, at) => at !== index && other.contains(network) && (!network.contains(other) || at < index)),
  );
  return outermost.map(String).sort();
}

function rulesFor({ name, address, as, on, bfd }: PlannedPeer): FirewallRule[] {
  const from = isCidr(Cidr.parse(`${address}/32`)) ? [`${address}/32`] : [];
  const common = { from, to: on, over: "site", answers: "host", begins: "either" } as const;
  const what = `${name}, a router outside the cluster (AS ${as})`;
  return [
    { ...common, name: `bgp ${name}`, protocol: "tcp", ports: [String(bgpPort)], reason: `BGP with ${what}: hosts announce containers to it` },
    ...(bfd
      ? [
          {
            ...common,
            name: `bgp-bfd ${name}`,
            protocol: "udp",
            ports: [String(bfdPort)],
            reason: `BFD with ${what}: each notices that the other is gone`,
          } as const,
        ]
      : []),
  ];
}

function warningsOf({ name, address, on, signedBy }: PlannedPeer, { hosts, sites }: PeersContext): string[] {
  const path = `overlay.peers.${name}`;
  const far = new Set(hosts.filter((host) => selects(on, host)).map(({ site }) => site));
  const strange = sites.filter(({ key, network }) => far.has(key) && network !== undefined && !isInside(network, address));
  return [
    ...(signedBy === "nothing"
      ? [`${path}: without a password, whoever takes the address ${address} on its network can learn the way to containers, and end the session`]
      : []),
    ...strange.map(
      ({ key, network }) =>
        `${path}: ${address} is not in ${network}, the network of site "${key}". A router must be a neighbour of its hosts: name those that are in "on"`,
    ),
  ];
}
