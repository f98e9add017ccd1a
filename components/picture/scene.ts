import { quorumOf } from "../topology/quorum";
import { byName, type Topology, type TopologyHost } from "../topology/topology";
import {
  channelPieces,
  gatewayPieces,
  hostPiece,
  networkPieces,
  openingPieces,
  peerPieces,
  policyPieces,
  programPieces,
  rulePieces,
  trunkPieces,
} from "./pieces";
import { type Change, merged, type Piece, type Unmarked } from "./piece";
import { count, line, said } from "./words";

/** What a picture shows, in words and in its order, whatever it is drawn with. */
export interface Scene {
  readonly title: string;
  /** The cluster in one line. */
  readonly facts: string;
  /** Whether an edit is shown. */
  readonly compared: boolean;
  /** Who may connect from outside, the world first. */
  readonly openings: readonly Piece[];
  /** What becomes of all traffic that no rule allows. */
  readonly closed: string;
  /** Undefined where there are no hosts. */
  readonly underlay: Piece | undefined;
  readonly sites: readonly SceneSite[];
  /** What hosts let in from each other. */
  readonly between: readonly Piece[];
  /** Undefined for hosts without one, such as those of a firewall alone. */
  readonly overlay: Piece | undefined;
  readonly networks: readonly Piece[];
  /** What is let through between networks, and to them from outside. */
  readonly policies: readonly Piece[];
  /** What containers reach outside. */
  readonly gateways: readonly Piece[];
  /** Routers outside to which hosts announce containers. */
  readonly peers: readonly Piece[];
  /** VLANs outside whose machines take part in networks. */
  readonly trunks: readonly Piece[];
  readonly programs: readonly Piece[];
  /** What is encrypted, and what is not. */
  readonly channels: readonly Piece[];
}

export interface SceneSite {
  readonly name: string;
  /** By role: managers first. */
  readonly roles: readonly { readonly label: string; readonly hosts: readonly Piece[] }[];
}

function isNothing({ hosts }: Topology): boolean {
  return hosts.length === 0;
}

/** What an edit does to machines of hosts, by the hosts' keys. A host may stay what it is while its machine is another one. */
export type Machines = ReadonlyMap<string, "replaced" | "changed">;

/** Puts a cluster into words. With `before`, what an edit adds, changes and takes away is marked. */
export function sceneOf(after: Topology, before?: Topology, machines: Machines = new Map()): Scene {
  const both = (pieces: (topology: Topology) => readonly Unmarked[]): Piece[] => merged(pieces(after), before && pieces(before));
  const [underlay] = both(underlayPieces);
  const [overlay] = both(overlayPieces);
  const openings = both(openingPieces);
  return {
    title: `${[after, before ?? after].every((each) => each.overlay === "none") ? "Hosts of" : "Swarm cluster"} "${said(after.cluster)}"`,
    facts: factsOf(after, before),
    compared: before !== undefined,
    openings: [...openings.filter(({ kind }) => kind === "world"), ...openings.filter(({ kind }) => kind !== "world")],
    closed: closedOf(after),
    underlay: underlay && withWas(underlay),
    sites: sitesOf(after, before, machines),
    between: both(rulePieces),
    overlay: overlay && withWas(overlay),
    networks: both(networkPieces),
    policies: both(policyPieces),
    gateways: both(gatewayPieces),
    peers: both(peerPieces),
    trunks: both(trunkPieces),
    programs: both(programPieces),
    channels: both(channelPieces).map(withTurn),
  };
}

/** Whether an edit changes anything that a picture shows. */
export function isChanged(scene: Scene): boolean {
  const hosts = scene.sites.flatMap(({ roles }) => roles.flatMap((role) => role.hosts));
  const bands = [scene.underlay, scene.overlay].filter((band) => band !== undefined);
  const inOverlay = [...scene.networks, ...scene.policies, ...scene.gateways, ...scene.peers, ...scene.trunks, ...scene.programs];
  const all = [...bands, ...scene.openings, ...scene.between, ...inOverlay, ...scene.channels, ...hosts];
  return all.some(({ change }) => change !== "same");
}

/** Bands have room for both. */
function withWas(piece: Piece): Piece {
  return piece.was === undefined ? piece : { ...piece, says: `${piece.says} (was ${line(piece.was.name, piece.was.says)})` };
}

/** What begins or ends to be protected says so: a colour alone would not tell which. */
function withTurn(piece: Piece): Piece {
  if (piece.was === undefined || piece.was.kind === piece.kind) return piece;
  return { ...piece, says: piece.kind === "protected" ? "now protected" : "no longer protected" };
}

function factsOf(after: Topology, before?: Topology): string {
  if (before && isNothing(before) && !isNothing(after)) return line(factsOf(after), "all of it is new");
  if (before && isNothing(after) && !isNothing(before)) return line(factsOf(before), "all of it goes");
  const fact = (of: (topology: Topology) => string): string => {
    const [now, was] = [of(after), before && of(before)];
    return was === undefined || was === now ? now : `${now === "" ? "none" : now} (was ${was === "" ? "none" : was})`;
  };
  return line(
    fact(({ hosts }) => count(hosts.filter(({ role }) => role === "manager").length, "manager")),
    fact(quorumLine),
    fact(({ hosts }) => workersOf(hosts)),
    fact(({ hosts }) => count(new Set(hosts.map(({ site }) => site)).size, "site")),
    fact(({ addressSpace }) => (addressSpace === "" ? "" : `addresses ${said(addressSpace)}`)),
  );
}

function quorumLine({ hosts }: Topology): string {
  const { managers, majority } = quorumOf(hosts.filter(({ role }) => role === "manager").length);
  return managers === 0 ? "" : `quorum ${majority} of ${managers}`;
}

function workersOf(hosts: readonly TopologyHost[]): string {
  const workers = hosts.filter(({ role }) => role === "worker").length;
  return workers === 0 ? "" : count(workers, "worker");
}

function closedOf({ enforced, rules }: Topology): string {
  if (enforced === "none") return "The hosts themselves drop nothing: all else is as your own firewall lets it.";
  return enforced === "hosts" && rules.length > 0 ? "Every host drops all else." : "";
}

function underlayPieces({ underlay, encryption, hosts }: Topology): Unmarked[] {
  if (hosts.length === 0) return [];
  const { mechanism, protects } = encryption.find(({ channel }) => channel === "underlay") ?? { mechanism: "", protects: underlay === "wireguard" };
  const sites = new Set(hosts.map(({ site }) => site)).size;
  const names: Readonly<Record<string, string>> = {
    direct: sites > 1 ? "each site's own network" : "the site's own network",
    wireguard: "an encrypted mesh of all hosts",
  };
  const says = protects ? said(mechanism) : "not encrypted here";
  const name = `${said(underlay)}: ${names[underlay] ?? "what the hosts are joined by"}`;
  return [{ id: "underlay", kind: protects ? "protected" : "bare", name, says, tip: `underlay ${name}, ${says}` }];
}

function overlayPieces({ overlay, mtu, encryption, hosts }: Topology): Unmarked[] {
  if (overlay === "none" || hosts.length === 0) return [];
  const { mechanism, protects } = encryption.find(({ channel }) => channel === "overlay data") ?? { mechanism: "", protects: false };
  const name = `${said(overlay)} overlay`;
  const data = protects ? `containers' data: ${said(mechanism)}` : "containers' data: not encrypted";
  const says = line(mtu > 0 ? `MTU ${said(mtu)}` : "", data);
  return [{ id: "overlay", kind: protects ? "protected" : "bare", name, says, tip: `${name}, ${says}` }];
}

function sitesOf(after: Topology, before: Topology | undefined, machines: Machines): SceneSite[] {
  const all = merged(after.hosts.map(hostPiece), before?.hosts.map(hostPiece)).map((host) => withMachine(host, machines.get(host.id)));
  const siteOf = new Map([...(before?.hosts ?? []), ...after.hosts].map(({ key, site }) => [key, site]));
  const roleOf = ({ kind }: Piece): string => (kind === "manager" ? "manager" : "worker");
  const names = [...new Set(siteOf.values())];
  const sites = byName(names, said).map((name): SceneSite => {
    const here = byName(
      all.filter(({ id }) => siteOf.get(id) === name),
      ({ id }) => id,
    );
    const roles = ["manager", "worker"].flatMap((role) => {
      const hosts = here.filter((host) => roleOf(host) === role);
      return hosts.length === 0 ? [] : [{ label: labelOf(role, hosts, before !== undefined), hosts }];
    });
    return { name: said(name), roles };
  });
  const managed = ({ roles }: SceneSite): boolean => roles.some(({ hosts }) => hosts.some(({ kind }) => kind === "manager"));
  return [...sites.filter(managed), ...sites.filter((site) => !managed(site))];
}

function withMachine(host: Piece, how: "replaced" | "changed" | undefined): Piece {
  if (how === undefined || host.change === "new" || host.change === "gone") return host;
  const what = how === "replaced" ? "machine replaced" : "machine changed";
  return { ...host, change: "changed", says: line(host.says, what), tip: `${host.tip}: ${what}` };
}

/** How many there are, and what an edit makes of them. */
function labelOf(role: string, hosts: readonly Piece[], compared: boolean): string {
  const number = (...changes: Change[]): number => hosts.filter(({ change }) => changes.includes(change)).length;
  const now = count(hosts.length - number("gone"), role);
  const parts = (["new", "changed", "gone"] as const).flatMap((change) => (number(change) === 0 ? [] : [`${number(change)} ${change}`]));
  return compared && parts.length > 0 ? `${now}: ${parts.join(", ")}` : now;
}
