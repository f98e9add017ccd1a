import assert from "node:assert/strict";
import pLimit from "p-limit";
import type { ClusterPlan } from "../../components/cluster/planned";
import { type OpenPorts, openPorts } from "../../components/firewall/open";
import type { FirewallHost } from "../../components/firewall/rule";
import { asRanges, scanTcp, scanUdp } from "../../tools/lab/scan";
import type { Onlooker, Sites } from "../../tools/lab/sites";

/** Somebody who tries all ports of a host, by one of its addresses. */
interface Look {
  readonly title: string;
  readonly target: FirewallHost;
  readonly machine: string;
  readonly scanner: string;
  readonly from: { readonly address: string; readonly arrivesOn: "site" | "tunnel" };
}

/** By "host from whom". */
type Findings = Readonly<Record<string, { readonly tcp: readonly string[]; readonly udp: readonly string[] }>>;

type Protocol = "tcp" | "udp";

function only<Found extends Findings[string]>({ tcp, udp }: Found, protocols: readonly Protocol[]): Findings[string] {
  return { tcp: protocols.includes("tcp") ? tcp : [], udp: protocols.includes("udp") ? udp : [] };
}

/** What is let through on every host of the cluster, as the rules of the plan have it, and as scans of all ports find it. */
export async function lookAtAll(
  sites: Sites,
  plan: ClusterPlan,
  /** By title, as "HOST from an outsider". A scan of all ports takes seconds. @default - all looks at both protocols */
  { wanted = () => true, protocols = ["tcp", "udp"] }: { wanted?: (title: string) => boolean; protocols?: readonly Protocol[] } = {},
): Promise<{ readonly planned: Findings; readonly found: Findings }> {
  const hosts = standing(plan);
  const machines = new Map(plan.hosts.map(({ key, place }) => [key, sites.host(place).machine]));
  const looks = hosts.flatMap((target) => looksAt(target, hosts, sites, machines)).filter(({ title }) => wanted(title));
  const planned = looks.map(({ title, target, from }) => [title, only(openPorts(plan.firewall, target, from, hosts), protocols)] as const);
  return { planned: Object.fromEntries(planned), found: await scanAll(looks, protocols) };
}

/** What the plan lets somebody who is not one of the hosts reach on each of them, by its place. */
export function openTo(who: Onlooker, sites: Sites, plan: ClusterPlan): Readonly<Record<string, OpenPorts>> {
  const hosts = standing(plan);
  const open = hosts.map((target, index): [string, OpenPorts] => {
    const from = { address: sites.onlookerAddress(who, target.site), arrivesOn: "site" } as const;
    return [plan.hosts[index]?.place ?? "", openPorts(plan.firewall, target, from, hosts)];
  });
  return Object.fromEntries(open);
}

function standing(plan: ClusterPlan): FirewallHost[] {
  return plan.hosts.map((host) => {
    const { address, publicAddress, ...others } = host;
    assert.ok(address, `${host.key} has an address`);
    assert.ok(typeof publicAddress !== "object", `${host.key} stands already`);
    return { ...others, address, ...(publicAddress !== undefined && { publicAddress }) };
  });
}

function looksAt(target: FirewallHost, hosts: readonly FirewallHost[], sites: Sites, machines: ReadonlyMap<string, string>): readonly Look[] {
  const machine = (key: string): string => machines.get(key) ?? "";
  const look = (who: string, scanner: string, address: string, arrivesOn: "site" | "tunnel"): Look => ({
    title: `${target.key} from ${who}`,
    target,
    machine: machine(target.key),
    scanner,
    from: { address, arrivesOn },
  });
  const neighbour = hosts.find(({ key, site }) => key !== target.key && site === target.site);
  const others = hosts.filter(({ key }) => key !== target.key);
  const member = others.find(({ site }) => site !== target.site) ?? others[0];
  return [
    look("an outsider", sites.onlooker("outsider"), sites.onlookerAddress("outsider", target.site), "site"),
    look("an admin", sites.onlooker("admin"), sites.onlookerAddress("admin", target.site), "site"),
    ...(neighbour ? [look(`${neighbour.key} over the site`, machine(neighbour.key), neighbour.address, "site")] : []),
    ...(member?.tunnelAddress ? [look(`${member.key} over the tunnel`, machine(member.key), member.tunnelAddress, "tunnel")] : []),
  ];
}

/** A host is looked at by one at a time, since what arrives is noted in one place; two hosts keep two processors busy. */
async function scanAll(looks: readonly Look[], protocols: readonly Protocol[]): Promise<Findings> {
  const atOnce = pLimit(2);
  const targets = [...new Set(looks.map(({ target }) => target.key))];
  const found = await Promise.all(
    targets.map((key) =>
      atOnce(async () => {
        const findings: [string, Findings[string]][] = [];
        for (const look of looks.filter(({ target }) => target.key === key)) findings.push([look.title, await scan(look, protocols)]);
        return findings;
      }),
    ),
  );
  return Object.fromEntries(found.flat());
}

async function scan({ target, machine, scanner, from }: Look, protocols: readonly Protocol[]): Promise<Findings[string]> {
  const address = from.arrivesOn === "tunnel" ? (target.tunnelAddress ?? "") : target.address;
  const tcp = protocols.includes("tcp") ? await scanTcp(scanner, { machine, address }) : [];
  const udp = protocols.includes("udp") ? await scanUdp(scanner, { machine, address }) : [];
  return { tcp: asRanges(tcp), udp: asRanges(udp) };
}
