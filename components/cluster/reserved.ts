import type { OwnBridges } from "../engine/bridges";
import type { PlannedHost, Site } from "../hosts/host";
import { blockOwners, type Groups } from "../hosts/plan";
import { Cidr, isCidr, isPrivate } from "../addresses/cidr";
import type { Reserved } from "../addresses/subnets";
import type { Report } from "../report";

/** Networks that bite silently when something else lies on them. */
const knownTraps: readonly Reserved[] = [
  { network: "169.254.0.0/16", what: "link-local addresses, where clouds answer for metadata and time" },
  { network: "172.17.0.0/16", what: "Docker's default bridge on every host", owners: ["docker0"] },
  { network: "172.18.0.0/16", what: "Docker's docker_gwbridge on every host", owners: ["docker_gwbridge"] },
  { network: "10.0.0.0/24", what: "Docker's ingress network", owners: ["ingress"] },
].map(({ network, ...trap }) => ({ ...trap, network: Cidr.parse(network) as Cidr }));

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
    else report(`avoid[${index}]`, network.problem, network.fix);
  });
  const { bip, pools = [] } = own;
  for (const text of [...(bip === undefined ? [] : [bip]), ...pools]) {
    const network = Cidr.around(text);
    // It is an address, and the network around it.
    const fix = text === bip ? 'write it with the prefix of its network, such as "10.30.0.1/24"' : undefined;
    if (isCidr(network)) reserved.push({ network, what: "which engine.settings gives to Docker's bridges" });
    else report("engine.settings", network.problem, fix ?? network.fix);
  }
  for (const site of sites) {
    if (site.network === undefined) continue;
    const [group, { networkOption = "network" } = {}] = groups.find(([, { site: own }]) => own.key === site.key) ?? [""];
    const path = `hosts.${group}.${networkOption}`;
    const network = Cidr.parse(site.network);
    if (!isCidr(network)) {
      report(path, network.problem, network.fix);
      continue;
    }
    const clash = reserved.find((other) => other.network.overlaps(network));
    if (clash) report(path, `${network} overlaps ${clash.network}, ${clash.what}`, "choose a network that nothing else uses");
    if (!isPrivate(network)) report(path, `${network} are public addresses`, "give the private network on which the hosts reach each other");
    const owners = groups.filter(([, { site: own }]) => own.key === site.key).flatMap(([key, { hosts: members }]) => blockOwners(key, members));
    reserved.push({ network, what: `the network of site "${site.key}"`, owners });
  }
  // Where the site's network is not known, its hosts' own addresses are.
  const known = new Set(sites.filter(({ network }) => network !== undefined).map(({ key }) => key));
  for (const { key, site, address } of hosts) {
    const own = address === undefined || known.has(site) ? undefined : Cidr.parse(`${address}/32`);
    if (own && isCidr(own)) reserved.push({ network: own, what: `the address of ${key}` });
  }
  return reserved;
}
