import type { TopologyPeer } from "../topology/topology";
import { type ClusterChange, type Finding, joined, list, type Text, text, words } from "./findings";

/** What routers outside are told from now on, or no more, and what hosts take from them. */
export function peerFindings({ before, after }: ClusterChange): Finding[] {
  // With the cluster, its hosts and all their sessions go.
  if (!after) return [];
  const was = new Map((before?.peers ?? []).map((peer) => [peer.name, peer]));
  const kept = new Set(after.peers.map(({ name }) => name));
  const found = (kind: Finding["kind"], { name }: TopologyPeer, what: Text): Finding => ({ section: "routers", kind, subject: name, text: what });
  return [
    ...after.peers.flatMap((peer) => {
      const old = was.get(peer.name);
      if (!old) return [found("added", peer, text`router ${peer.name} (${peer.address}, AS ${peer.as}): ${joined(describe(peer), "; ")}`)];
      const differences = differencesOf(old, peer);
      return differences.length === 0 ? [] : [found("changed", peer, text`router ${peer.name}: ${joined(differences, "; ")}`)];
    }),
    ...[...was.values()]
      .filter(({ name }) => !kept.has(name))
      .map((peer) =>
        found(
          "removed",
          peer,
          text`router ${peer.name} (${peer.address}) gets no announcement any more, and hosts take nothing from it: what lies behind it loses the way to containers`,
        ),
      ),
  ];
}

function describe({ on, announces, accepts, signedBy, bfd }: TopologyPeer): Text[] {
  const told = Object.keys(announces);
  return [
    told.length === 0 ? text`hosts of ${on} announce nothing` : text`hosts of ${on} announce ${list(told)}`,
    accepts.length === 0 ? words("they take nothing from it") : text`they take a way to ${list(accepts)} from it`,
    text`signed by ${signedBy}`,
    ...(bfd ? [words("with BFD")] : []),
  ];
}

function differencesOf(was: TopologyPeer, now: TopologyPeer): Text[] {
  const parts = (all: TopologyPeer["announces"]): string[] => Object.entries(all).map(([network, place]) => `${network} (${place})`);
  const changes = <T extends string | number>(what: string, one: T, other: T): Text[] =>
    one === other ? [] : [text`${words(what)} ${other} instead of ${one}`];
  const lists = (more: string, less: string, one: readonly string[], other: readonly string[]): Text[] => {
    const [added, gone] = [other.filter((each) => !one.includes(each)), one.filter((each) => !other.includes(each))];
    return [...(added.length === 0 ? [] : [text`${words(more)} ${list(added)}`]), ...(gone.length === 0 ? [] : [text`${words(less)} ${list(gone)}`])];
  };
  return [
    ...changes("its address is", was.address, now.address),
    ...changes("its AS is", was.as, now.as),
    ...changes("the cluster's AS is", was.clusterAs, now.clusterAs),
    ...changes("its hosts are those of", was.on, now.on),
    ...lists("announced now:", "announced no more:", parts(was.announces), parts(now.announces)),
    ...lists("taken from it now:", "taken from it no more:", was.accepts, now.accepts),
    ...changes("the session is signed by", was.signedBy, now.signedBy),
    ...(was.bfd === now.bfd ? [] : [words(now.bfd ? "with BFD now" : "without BFD now")]),
  ];
}
