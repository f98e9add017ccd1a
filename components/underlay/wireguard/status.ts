import { blamed, type Finding, known, type Row, type SeenPart, type StatusPart, upAgain } from "../../health";
import { loadScript } from "../../remote/script";
import { fewOf } from "../../report";

interface Peer {
  /** In the tunnel. */
  readonly address: string;
  readonly endpoint: string;
  /** Seconds since the last one; null where there never was one. */
  readonly handshake: number | null;
  readonly received: number;
}

/** One host's end of the tunnel, as `status.sh` tells it. */
export interface TunnelEnd {
  readonly unit: string;
  readonly there: boolean;
  readonly peers: readonly Peer[];
}

/** WireGuard gives a session up that was not renewed for so long. Between hosts that send nothing, that is no fault. */
const sessionSeconds = 180;

/** All traffic between hosts goes through it. */
const explains = ["path-lost", "path-narrow", "node-down", "network-agent"];

/** The tunnel between the hosts: a peer without a handshake is one to which nothing passes. */
export const wireguardStatus: StatusPart<TunnelEnd> = {
  name: "Tunnel (WireGuard)",
  key: "wireguard",
  script: loadScript(__dirname, "status.sh"),
  values: ({ tunnel }) => ({ INTERFACE: tunnel?.interface ?? "" }),
  kinds: {
    "tunnel-down": "a host's end of the encrypted tunnel is not there, so that it reaches no other host",
    "tunnel-peer": "a host has no handshake with another one, so that nothing passes between them",
    "tunnel-peers": "a host does not know the key of another one",
  },
  rows: (seen) =>
    seen.map((host): Row => {
      const { key, answer } = host;
      if (answer === undefined || typeof answer === "string") return { host: key, says: answer ?? "not seen" };
      if (!answer.there) return { host: key, says: `no interface (its unit is ${answer.unit})` };
      const times = answer.peers.flatMap(({ handshake }) => handshake ?? []);
      const with_ = `${times.length} of ${seen.length - 1} peers had a handshake`;
      return { host: key, says: times.length === 0 ? with_ : `${with_}, the oldest ${Math.max(...times)} s ago` };
    }),
  findings: (seen) => [...downEnds(seen), ...strangers(seen), ...silentPeers(seen)],
};

function downEnds(seen: readonly SeenPart<TunnelEnd>[]): Finding[] {
  return known(seen)
    .filter(({ answer }) => !answer.there)
    .map(({ key, answer: { unit } }) => ({
      kind: "tunnel-down",
      severity: "broken",
      hosts: [key],
      text: `${key}: its end of the encrypted tunnel is gone, so it reaches no other host of the swarm`,
      detail: `the unit pulumi-swarm-wireguard is ${unit}`,
      explains,
      fix: `run "systemctl restart pulumi-swarm-wireguard" on ${key}; if that fails, ${upAgain}`,
      drift: true,
    }));
}

/** Whose key it does not have: as after a deleted file of settings. */
function strangers(seen: readonly SeenPart<TunnelEnd>[]): Finding[] {
  return known(seen).flatMap(({ key, answer: { there, peers } }) => {
    const missing = seen.filter((other) => other.key !== key && !peers.some(({ address }) => address === other.address));
    if (!there || missing.length === 0) return [];
    return [
      {
        kind: "tunnel-peers",
        severity: "broken" as const,
        hosts: [key],
        explains,
        text: `${key}: its tunnel does not have ${fewOf(missing.map((other) => other.key))} among its peers, so nothing passes between them`,
        fix: upAgain,
        drift: true as const,
      },
    ];
  });
}

/** Both ends run and know each other; a pair is told once. */
function silentPeers(seen: readonly SeenPart<TunnelEnd>[]): Finding[] {
  const ends = known(seen).filter(({ answer }) => answer.there);
  const broken = ends.flatMap((one, index) =>
    ends.slice(index + 1).flatMap((other) => (isSilent(one, other) || isSilent(other, one) ? [{ one, other }] : [])),
  );
  return blamed(broken.map(({ one, other }) => [one.key, other.key])).map(({ host, peers }) => {
    const { answer } = ends.find(({ key }) => key === host) ?? {};
    const address = ends.find(({ key }) => key === peers[0])?.address;
    const peer = answer?.peers.find((each) => each.address === address);
    const port = /:(\d+)$/.exec(peer?.endpoint ?? "")?.[1] ?? "the tunnel's port";
    const last = peer?.handshake === undefined || peer.handshake === null ? "there never was one" : `the last one was ${peer.handshake} s ago`;
    return {
      kind: "tunnel-peer",
      severity: "broken" as const,
      hosts: [host],
      text: `${host} has no handshake with ${fewOf(peers)}, so nothing passes between them`,
      detail: `${last}; ${host} calls ${fewOf(peers.slice(0, 1))} at ${peer?.endpoint ?? "no address"}`,
      explains,
      fix: `see whether ${port}/udp passes between ${host} and ${fewOf(peers)} in both directions: a firewall in between, an address that changed`,
    };
  });
}

function isSilent(from: SeenPart<TunnelEnd> & { readonly answer: TunnelEnd }, to: SeenPart<TunnelEnd>): boolean {
  const peer = from.answer.peers.find(({ address }) => address === to.address);
  const stale = peer !== undefined && (peer.handshake === null || peer.handshake > sessionSeconds);
  // Packets were just sent, which would have made a session.
  return stale && from.silent.includes(to.key);
}
