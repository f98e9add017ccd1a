import type { EngineArgs } from "./args";
import { backendProblem, swarmProblem } from "./known";
import { sourceProblem } from "./source";
import { type HostNeeds, type IpsecProbe, ipsecProblems } from "./needs";
import { type Upgrade, upgradeOf, upgradeProblem } from "./upgrade";
import { isOlder, versionNumbers } from "./version";

/** What a first look at a host saw: `probe.sh`, and what its engine says. */
export interface Probe extends ProbeScript {
  /** Version and API version of the engine that answers, or empty. */
  readonly engine: string;
  /** What the engine keeps its rules with, and whether `daemon.json` allows that in a swarm. Null where the engine does not say. */
  readonly firewall: { readonly backend: string; readonly swarm: boolean } | null;
}

/** What `probe.sh` prints. */
export interface ProbeScript {
  readonly cli: boolean;
  /** Whether `daemon.json` lets an engine that keeps its rules with nftables be in a swarm. */
  readonly swarmNftables: boolean;
  /** `ID` of os-release, and `VERSION_CODENAME` or, without one, `VERSION_ID`. */
  readonly distribution: string;
  readonly apt: boolean;
  readonly dnf: boolean;
  readonly systemd: boolean;
  /** The unit of cloud-init that is at work, or empty: as long as it is, what else was seen may still change. */
  readonly settingUp: string;
  readonly vxlan: boolean;
  readonly ipvs: boolean;
  /** Null where nothing asked for it. */
  readonly ipsec: IpsecProbe | null;
  readonly macvlan: boolean | null;
  readonly openvswitch: boolean | null;
  /** Parts of this package that keep something there, finished or not: their folders in `/etc/pulumi-swarm`. */
  readonly folders: readonly string[];
  /** Its own IPv4 addresses, of all its interfaces. */
  readonly addresses: readonly string[];
  /** The host's clock, in seconds since 1970. */
  readonly epoch: number;
  readonly freeKilobytes: number;
  readonly hostname: string;
}

export interface Preflight {
  /** Why nothing may be changed on this host. */
  readonly refusals: readonly string[];
  readonly needsEngine: boolean;
  /** Another version for the engine that runs there, by the program's word. */
  readonly upgrade?: Upgrade;
}

/** Debian 12's engine; what older ones do was not tried. */
export const oldestEngine = [20, 10] as const;
/** Engine, its images and the Raft log; an install alone takes about 0.5 GB. */
const leastFreeKilobytes = 1_000_000;
/** A node certificate is valid from an hour before its issue; beyond that TLS between nodes fails. */
const mostClockSkewSeconds = 1800;

const always: HostNeeds = { features: ["vxlan"] };

/** Judges a host before anything is changed on it. */
export function preflight(probe: Probe, engine: EngineArgs, now: number, needs: HostNeeds = always): Preflight {
  const refusals: string[] = [];
  const version = probe.engine.split(" ")[0] ?? "";
  const needsEngine = version === "";
  if (needsEngine && engine.source === "present") {
    refusals.push(`Docker is not there, or does not answer, and engine.source is "present": install it, or choose another source`);
  }
  const unavailable = needsEngine && engine.source !== "present" ? sourceProblem(engine, probe) : undefined;
  if (unavailable !== undefined) {
    refusals.push(`Docker is not there and ${unavailable.problem}: ${unavailable.fix ?? "install Docker yourself"}`);
  }
  if (!probe.systemd) refusals.push("it is not run by systemd, which keeps Docker up");
  const upgrade = needsEngine ? undefined : upgradeOf(version, engine);
  if (!needsEngine) refusals.push(...engineProblems(version, engine, needs, probe));
  if (!probe.vxlan) refusals.push("its kernel cannot make VXLAN devices, which every overlay network needs (module vxlan)");
  if (needs.features.includes("ipsec") && probe.ipsec) refusals.push(...ipsecProblems(probe.ipsec, upgrade?.to ?? version, needs.dataPathPort));
  if (needs.features.includes("macvlan") && probe.macvlan === false) {
    refusals.push("its kernel cannot make macvlan devices (module macvlan), by which the overlay's networks reach containers");
  }
  if (needs.features.includes("openvswitch") && probe.openvswitch === false && !probe.apt) {
    refusals.push(
      `it has no Open vSwitch (ovs-vsctl), and this system (${probe.distribution || "unknown"}) has no apt-get to install it with: install Open vSwitch yourself`,
    );
  }
  if (probe.freeKilobytes < leastFreeKilobytes) {
    refusals.push(`only ${Math.round(probe.freeKilobytes / 1000)} MB are free for /var/lib/docker; ${leastFreeKilobytes / 1000} MB are needed`);
  }
  const skew = probe.epoch - now;
  if (Math.abs(skew) > mostClockSkewSeconds) {
    refusals.push(
      `its clock is ${Math.round(Math.abs(skew))} s ${skew > 0 ? "ahead of" : "behind"} this machine's: certificates would not be valid; set it, and keep it by NTP`,
    );
  }
  return { refusals, needsEngine, ...(upgrade && { upgrade }) };
}

/**
 * What is said of an engine as soon as its version is known: of one that runs already, and of one that was just installed. Of one that is
 * about to be replaced, only what is in the way of that: what the next one is to be like was checked with the program.
 */
export function engineProblems(
  version: string,
  engine: EngineArgs,
  needs: HostNeeds,
  probe: Pick<Probe, "firewall" | "apt" | "dnf" | "distribution">,
): string[] {
  const upgrade = upgradeOf(version, engine);
  if (!upgrade) return [...ageProblems(version), ...overlayProblems(version, needs), ...knownProblems(version, engine, probe.firewall)];
  const problem = upgradeProblem(upgrade, engine, probe);
  return [...ageProblems(version), ...(problem === undefined ? [] : [problem])];
}

function knownProblems(version: string, { settings }: EngineArgs, firewall: Probe["firewall"]): string[] {
  const problems = [swarmProblem(version), backendProblem(settings, version)];
  // Somebody else's setting: the program's own would take its place.
  const backend = settings?.["firewall-backend"] ?? firewall?.backend;
  if (backend === "nftables" && settings?.["firewall-backend"] === undefined) {
    problems.push(backendProblem({ "firewall-backend": backend, features: { "swarm-nftables": firewall?.swarm } }, version));
  }
  return problems.flatMap((problem) => (problem ? [`its ${problem.message.replace(/^firewall/, "setting firewall")}: ${problem.fix}`] : []));
}

function overlayProblems(version: string, { engine }: HostNeeds): string[] {
  const [numbers, oldest] = [versionNumbers(version), versionNumbers(engine?.oldest ?? "")];
  if (!engine || !numbers || !oldest || !isOlder(numbers, oldest)) return [];
  return [`its Docker ${version} is too old for the overlay: ${engine.reason}; ${engine.oldest} or newer is needed`];
}

function ageProblems(version: string): string[] {
  // A build without a version stamp calls itself otherwise (for example "library-import"): nothing can be said of it.
  const numbers = versionNumbers(version);
  if (!numbers || !isOlder(numbers, oldestEngine)) return [];
  return [`its Docker ${version} is too old; ${oldestEngine.join(".")} or newer is needed`];
}

/**
 * A machine without the private address that its provider was to give it, on which the others are to call it. Hetzner's provider calls a
 * server done whose attachment to the network failed: the state then holds what was wanted, and no `up` but one with `--refresh` attaches
 * it (terraform-provider-hcloud 1.66, internal/server/resource.go). Until then its engine would join by an address that nobody reaches.
 */
export function addressProblem({ addresses }: Pick<Probe, "addresses">, planned: string): string | undefined {
  // Where nothing could be read, nothing can be said.
  if (addresses.length === 0 || addresses.includes(planned)) return undefined;
  const own = addresses.filter((address) => !address.startsWith("127."));
  return (
    `it does not have its private address ${planned}, but ${own.length > 0 ? own.join(", ") : "none"}: its machine was not attached to the network, or the interface is not up. ` +
    'Run "pulumi up --refresh", which attaches it; where the provider\'s console shows it attached, reboot the host and run `up` again'
  );
}
