import { cloudNames, underHost } from "../cloud/planned";
import type { PlannedName } from "../../names/name";
import type { NamesContext } from "../host";
import type { HetznerHostsArgs } from "./args";
import { addressName, commonOf, placementOf, serverName } from "./names";
import { compileFirewalls } from "./rules";

const ofNetwork = ["hcloud:index/network:Network", "hcloud:index/networkSubnet:NetworkSubnet"];
const firewall = "hcloud:index/firewall:Firewall";

/** The names of all that is made for a group and for its site. */
export function plannedNames(args: HetznerHostsArgs, site: string, context: NamesContext): readonly PlannedName[] {
  const { cluster, group, hosts, rules, members } = context;
  const { named } = commonOf(args, site, context);
  const path = `hosts.${group}`;
  const [own, shared] = [
    { of: `group ${group}`, path },
    { of: `site "${site}"`, path },
  ];
  const selectors = ["closed", ...compileFirewalls(rules, site, members).map((one) => one.hosts)];
  const placements = [...new Set(hosts.map((host) => placementOf(group, host)))];
  return [
    ...cloudNames("hetzner", context),
    ...(args.privateNetwork === undefined ? ofNetwork.map((type): PlannedName => ({ ...shared, type, name: named() })) : []),
    { ...shared, type: "hcloud:index/sshKey:SshKey", name: named() },
    ...selectors.map((selector): PlannedName => ({
      type: firewall,
      name: named(selector),
      of: `the firewall of ${selector} in site "${site}"`,
      path,
    })),
    ...placements.map((words): PlannedName => ({ ...own, type: "hcloud:index/placementGroup:PlacementGroup", name: named(words) })),
    ...hosts.flatMap((host): PlannedName[] => [
      { ...own, type: `${underHost}hcloud:index/primaryIp:PrimaryIp`, name: addressName(cluster, host) },
      { ...own, type: `${underHost}hcloud:index/server:Server`, name: `${cluster}-${host.key}` },
      // With a provider of its own, the group may be in another project.
      ...(args.provider ? [] : [{ ...own, type: "name of a server at Hetzner", name: serverName(cluster, host.key), anywhere: true }]),
    ]),
  ];
}
