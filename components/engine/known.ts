import { isOlder, type VersionRange, versionNumbers, within } from "./version";

/** What is known of some versions of Docker's engine. Previews, preflights and the table in docs/hosts.md read it here. */
export interface KnownEngines {
  /** As a page names them. */
  readonly versions: string;
  readonly ranges: readonly VersionRange[];
  /** What is wrong with them, as the end of a sentence that begins with the engine. */
  readonly fault: string;
  /** What happens when such an engine is met. */
  readonly handling: string;
  /** What to do. */
  readonly fix: string;
  /** Issues and pull requests of moby. */
  readonly sources: readonly string[];
}

/** In no swarm, whatever else runs there. */
export const badForSwarm: KnownEngines = {
  versions: "28.2.0 to 28.2.2",
  ranges: [{ first: "28.2.0", last: "28.2" }],
  fault: "loses containers' packets between the hosts of a swarm",
  handling: "refused",
  fix: "upgrade it to 28.3 or newer",
  sources: ["moby#50129", "moby#49908", "moby#50232"],
};

/** Beside any other engine, under `native({ encrypted: true })`. */
export const shortIndex: KnownEngines = {
  versions: "25.0.13, 25.0.14, 28.2.2, 29.0.0 to 29.2.0",
  ranges: [
    { first: "25.0.13", last: "25.0.14" },
    { first: "28.2.2", last: "28.2.2" },
    { first: "29.0.0", last: "29.2.0" },
  ],
  fault: "works out the index (SPI) of an encrypted packet from 4 bytes of an address, where all others take 16",
  handling:
    "refused beside an engine of any other version under `native({ encrypted: true })`; so is an `engine.version` that may be either, such as 29",
  fix: "bring all hosts to 29.2.1 or newer (25.0.15 or newer on the 25.0 branch), or leave encrypted out",
  sources: ["moby#51798", "moby#51672", "fixed by moby#51951 and moby#51963"],
};

/**
 * Why a prefix such as `29` says too little under `native({ encrypted: true })`: some engines with it carry nothing to others with it.
 * Those that are refused in every swarm are left out.
 */
export function prefixProblem(version: string): { readonly message: string; readonly fix: string } | undefined {
  const usable = shortIndex.ranges.filter(({ first }) => within(first, badForSwarm.ranges) === "none");
  if (within(version, usable) !== "some") return undefined;
  const good = (versionNumbers(version)?.[0] ?? 0) < 29 ? '"25.0.15" or newer, such as "28.5"' : '"29.2.1" or newer, such as "29.7"';
  return {
    message:
      `${version} may be an engine that carries nothing to the others on encrypted networks ` +
      `(${shortIndex.versions} beside all others; ${shortIndex.sources.join(", ")})`,
    fix: `write a version that is none of these: ${good}`,
  };
}

/** With `firewall-backend: nftables`. Docker's daemon/config/config_linux.go says what it refuses. */
export const nftablesBackend = {
  /** Older ones do not start with the key, whatever its value. */
  knowsKey: [29],
  /** Older ones refuse a swarm. */
  takesSwarm: [29, 6, 0],
  /** Without it, newer ones refuse too. */
  feature: "swarm-nftables",
  /** What holds from there on. */
  lacks:
    "firewall-backend nftables in a swarm is an experiment of Docker's: services have no virtual addresses and no ingress mesh, " +
    "Docker does not switch on net.ipv4.ip_forward, and there is no chain DOCKER-USER (moby#49638, moby#52803)",
} as const;

/** Rows of the table in docs/hosts.md. */
export const engineRows: readonly (readonly string[])[] = [
  ...[badForSwarm, shortIndex].map(({ versions, fault, handling, sources }) => [versions, fault, handling, sources.join(", ")]),
  ["before 29.0.0", "does not start with the setting `firewall-backend`", "refused with that setting", "seen on 28.5.2"],
  ["29.0.0 to 29.5", "refuses a swarm with `firewall-backend: nftables`", "refused with that setting", "moby#50467"],
  [
    "29.6.0 and newer",
    `refuses a swarm with \`firewall-backend: nftables\`, unless \`features\` has \`${nftablesBackend.feature}\``,
    "refused without the feature; a warning with it: no virtual addresses, `net.ipv4.ip_forward` is yours to set, no chain `DOCKER-USER`",
    "moby#49638, moby#52803",
  ],
];

/** Why an engine of this version, or any with this prefix, is refused in every swarm. */
export function swarmProblem(version: string): { readonly message: string; readonly fix: string } | undefined {
  if (within(version, badForSwarm.ranges) !== "all") return undefined;
  return { message: `Docker ${version} ${badForSwarm.fault} (${badForSwarm.sources.join(", ")})`, fix: badForSwarm.fix };
}

/** An engine by whoever it belongs to. */
export interface NamedEngine {
  readonly key: string;
  readonly version: string;
}

/**
 * What keeps these engines from sharing encrypted networks. Nothing is said of an engine without a version stamp.
 *
 * @returns the problem with all its hosts, or nothing.
 */
export function mixProblem(engines: readonly NamedEngine[]): { readonly message: string; readonly fix: string } | undefined {
  const short = engines.filter(({ version }) => within(version, shortIndex.ranges) === "all");
  const others = engines.filter(({ version }) => within(version, shortIndex.ranges) === "none");
  if (short.length === 0 || others.length === 0) return undefined;
  return {
    message:
      `encrypted networks carry nothing between ${named(short)} and ${named(others)}, though every node is Ready: ` +
      `${short.length === 1 ? "the first one derives" : `the first ${short.length} derive`} the index (SPI) of encrypted packets in another way ` +
      `(${shortIndex.sources.join(", ")})`,
    fix: shortIndex.fix,
  };
}

/** Those that do not tell their version, such as `library-import`: whether they share encrypted networks with others is not known. */
export function unstamped(engines: readonly NamedEngine[]): readonly NamedEngine[] {
  return engines.filter(({ version }) => version !== "" && versionNumbers(version) === undefined);
}

/** By version, so that a fleet of a hundred hosts stays readable. */
export function named(engines: readonly NamedEngine[]): string {
  const byVersion = new Map<string, string[]>();
  for (const { key, version } of engines) byVersion.set(version, [...(byVersion.get(version) ?? []), key]);
  return [...byVersion].map(([version, keys]) => `${some(keys)} (Docker ${version})`).join(", ");
}

const mostNamed = 10;
function some(keys: readonly string[]): string {
  return keys.length <= mostNamed ? keys.join(", ") : `${keys.slice(0, mostNamed).join(", ")} and ${keys.length - mostNamed} more`;
}

/** Docker's `daemon.json`, or part of it. */
type Settings = Readonly<Record<string, unknown>>;

/** What an engine of this version, or any where none is given, makes of these settings' firewall backend in a swarm. */
export function backendProblem(settings: Settings | undefined, version?: string): { readonly message: string; readonly fix: string } | undefined {
  const backend = settings?.["firewall-backend"];
  if (backend === undefined) return undefined;
  const numbers = versionNumbers(version ?? "");
  const said = `firewall-backend ${typeof backend === "string" ? backend : JSON.stringify(backend)}`;
  if (numbers && isOlder(numbers, nftablesBackend.knowsKey)) {
    return { message: `Docker ${version} does not know the setting firewall-backend, and would not start`, fix: "leave it out" };
  }
  if (backend !== "nftables") return undefined;
  if (numbers && isOlder(numbers, nftablesBackend.takesSwarm)) {
    return { message: `${said} does not work in a swarm before Docker 29.6.0 (moby#50467): Docker ${version} would not start`, fix: "leave it out" };
  }
  if (hasFeature(settings)) return undefined;
  return {
    message: `${said} does not work in a swarm: the engine would not start`,
    fix: `leave it out; from Docker 29.6.0 on, "features": { "${nftablesBackend.feature}": true } allows it as an experiment`,
  };
}

/** What works with these settings, but not as elsewhere. */
export function backendWarning(settings: Settings | undefined): string | undefined {
  return settings?.["firewall-backend"] === "nftables" && hasFeature(settings) ? nftablesBackend.lacks : undefined;
}

function hasFeature(settings: Settings | undefined): boolean {
  const features: unknown = settings?.["features"];
  return typeof features === "object" && features !== null && (features as Settings)[nftablesBackend.feature] === true;
}
