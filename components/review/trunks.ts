import type { TopologyTrunk } from "../topology/topology";
import { type ClusterChange, type Finding, joined, type Text, text, words } from "./findings";

/** Which machines outside take part in networks of containers from now on, or no more. */
export function trunkFindings({ before, after }: ClusterChange): Finding[] {
  // With the cluster, its hosts and all their ports go.
  if (!after) return [];
  const was = new Map((before?.trunks ?? []).map((trunk) => [trunk.name, trunk]));
  const kept = new Set(after.trunks.map(({ name }) => name));
  const found = (kind: Finding["kind"], { name }: TopologyTrunk, what: Text): Finding => ({ section: "trunks", kind, subject: name, text: what });
  return [
    ...after.trunks.flatMap((trunk) => {
      const old = was.get(trunk.name);
      if (!old) return [found("added", trunk, text`trunk ${trunk.name}: ${describe(trunk)}`)];
      const differences = differencesOf(old, trunk);
      return differences.length === 0 ? [] : [found("changed", trunk, text`trunk ${trunk.name}: ${joined(differences, "; ")}`)];
    }),
    ...[...was.values()]
      .filter(({ name }) => !kept.has(name))
      .map((trunk) =>
        found(
          "removed",
          trunk,
          text`trunk ${trunk.name}: machines on VLAN ${trunk.vlan} at ${trunk.interface} of ${trunk.on} and containers of network ${trunk.network} no longer reach each other`,
        ),
      ),
  ];
}

function describe({ network, vlan, on, interface: link, addresses }: TopologyTrunk): Text {
  return text`machines on VLAN ${vlan} at ${link} of ${on} and containers of network ${network} reach each other, with addresses of ${addresses} for these machines; nothing encrypts what is sent there`;
}

function differencesOf(was: TopologyTrunk, now: TopologyTrunk): Text[] {
  const changes = <T extends string | number>(what: string, one: T, other: T): Text[] =>
    one === other ? [] : [text`${words(what)} ${other} instead of ${one}`];
  return [
    ...changes("its network is", was.network, now.network),
    ...changes("its VLAN is", was.vlan, now.vlan),
    ...changes("its host is", was.on, now.on),
    ...changes("its interface is", was.interface, now.interface),
    ...changes("machines there have addresses of", was.addresses, now.addresses),
    ...changes("the network's subnet is", was.subnet, now.subnet),
    ...changes("the MTU is", was.mtu, now.mtu),
  ];
}
