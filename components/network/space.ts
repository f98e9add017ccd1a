import type { OwnBridges } from "../engine/bridges";
import type { PlannedHost, Site } from "../hosts/host";
import type { Groups } from "../hosts/plan";
import type { Report } from "../cluster/report";
import { Cidr, isCidr, isPrivate } from "./cidr";

/** A network that the cluster's own must keep clear of. */
export interface Reserved {
  readonly network: Cidr;
  readonly what: string;
  /** Which of ours may lie there all the same, where the user pins it. */
  readonly owner?: string;
}

/** Networks that bite silently when something else lies on them. */
const knownTraps: readonly Reserved[] = [
  { network: "169.254.0.0/16", what: "link-local addresses, where clouds answer for metadata and time" },
  { network: "172.17.0.0/16", what: "Docker's default bridge on every host", owner: "docker0" },
  { network: "172.18.0.0/16", what: "Docker's docker_gwbridge on every host", owner: "docker_gwbridge" },
  { network: "10.0.0.0/24", what: "Docker's ingress network", owner: "ingress" },
].map(({ network, ...trap }) => ({ ...trap, network: Cidr.parse(network) as Cidr }));

const defaultAddressSpace = "10.96.0.0/14";

/** What is taken already: known traps, the user's own networks, the sites. Checked against each other on the way. */
export function reservedNetworks(
  avoid: readonly string[],
  groups: Groups,
  sites: readonly Site[],
  hosts: readonly PlannedHost[],
  own: OwnBridges,
  report: Report,
): Reserved[] {
  const reserved: Reserved[] = [...knownTraps];
  avoid.forEach((text, index) => {
    const network = Cidr.parse(text);
    if (isCidr(network)) reserved.push({ network, what: `avoid[${index}]` });
    else report(`avoid[${index}]`, network.problem, "write it as address/prefix");
  });
  for (const text of [...(own.bip === undefined ? [] : [own.bip]), ...(own.pools ?? [])]) {
    const network = Cidr.around(text);
    if (isCidr(network)) reserved.push({ network, what: "which engine.settings gives to Docker's bridges" });
    else report("engine.settings", network.problem, "write it as address/prefix");
  }
  for (const site of sites) {
    if (site.network === undefined) continue;
    const group = groups.find(([, { site: own }]) => own.key === site.key)?.[0] ?? "";
    const network = Cidr.parse(site.network);
    if (!isCidr(network)) {
      report(`hosts.${group}.network`, network.problem, "write it as address/prefix");
      continue;
    }
    const clash = reserved.find((other) => other.network.overlaps(network));
    if (clash) report(`hosts.${group}.network`, `${network} overlaps ${clash.network}, ${clash.what}`, "choose a network that nothing else uses");
    if (!isPrivate(network))
      report(`hosts.${group}.network`, `${network} are public addresses`, "give the private network on which the hosts reach each other");
    reserved.push({ network, what: `the network of site "${site.key}"` });
  }
  // Where the site's network is not known, its hosts' own addresses are.
  const known = new Set(sites.filter(({ network }) => network !== undefined).map(({ key }) => key));
  for (const { key, site, address } of hosts) {
    const own = address === undefined || known.has(site) ? undefined : Cidr.parse(`${address}/32`);
    if (own && isCidr(own)) reserved.push({ network: own, what: `the address of ${key}` });
  }
  return reserved;
}

/** What the address space is cut into. */
export interface Space {
  readonly whole: Cidr;
  /** For networks that somebody makes by hand: Docker's own pool. A quarter. */
  readonly docker: Cidr;
  /** For overlay networks. Half. */
  readonly networks: Cidr;
  /** For the addresses of hosts in the encrypted tunnel. A sixteenth. */
  readonly tunnel: Cidr;
  /** Docker's bridges, the same on every host, and the network of the ingress mesh. A sixty-fourth each. */
  readonly docker0: Cidr;
  readonly gwbridge: Cidr;
  readonly ingress: Cidr;
  /** What pinned networks must keep clear of: all but the half for them. */
  readonly lower: Cidr;
}

export function planSpace(given: string | undefined, reserved: readonly Reserved[], report: Report): Space {
  const parsed = Cidr.parse(given ?? defaultAddressSpace);
  if (!isCidr(parsed)) report("addressSpace", parsed.problem, "for example 10.96.0.0/14");
  let whole = isCidr(parsed) ? parsed : (Cidr.parse(defaultAddressSpace) as Cidr);
  if (!isPrivate(whole)) {
    report("addressSpace", `${whole} are public addresses: containers could not reach their real owners`, "take private space, such as 10.96.0.0/14");
  }
  if (whole.prefix > 22) {
    report(
      "addressSpace",
      `${whole} is too small: half of it is for networks, a quarter for Docker's own`,
      "take a /22 or larger; /14 is a good choice",
    );
    whole = Cidr.at(0n, 8);
  }
  for (const { network, what } of isCidr(parsed) ? reserved : []) {
    if (whole.overlaps(network)) report("addressSpace", `${whole} overlaps ${network}, ${what}`, "choose a space that is free everywhere");
  }
  return cut(whole);
}

/**
 * The places are fixed fractions, so that nothing that is asked for moves anything else. For 10.96.0.0/14:
 *
 *     10.96.0.0/16    Docker's pool          10.97.128.0/20  docker0           10.97.192.0/18  tunnel
 *     10.97.0.0/17    containers per host    10.97.144.0/20  docker_gwbridge   10.98.0.0/15    overlay networks
 *                                            10.97.160.0/20  ingress
 */
function cut(whole: Cidr): Space {
  const [lower, networks] = whole.halves();
  const [docker, hosts] = lower.halves();
  const [shared, tunnel] = hosts.halves()[1].halves();
  const piece = (index: number): Cidr => shared.subnet(whole.prefix + 6, index);
  return { whole, docker, networks, tunnel, docker0: piece(0), gwbridge: piece(1), ingress: piece(2), lower };
}
