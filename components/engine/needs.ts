import { isOlder, versionNumbers } from "./version";

/**
 * What the kernel must support, and `openvswitch`: the program, or a way to install it. VXLAN is always needed, because the swarm's own
 * ingress network uses it.
 */
export type KernelFeature = "vxlan" | "ipsec" | "macvlan" | "openvswitch";

/** What the chosen overlay requires of every host. `up` checks it before it changes anything. */
export interface HostNeeds {
  /** What the kernel must support. */
  readonly features: readonly KernelFeature[];
  /** UDP port of the overlay's packets. @default 4789 */
  readonly dataPathPort?: number;
  /** Oldest engine that works with it. @default - any that this package accepts */
  readonly engine?: {
    /** Version, such as `24.0.3`. */
    readonly oldest: string;
    /** What older ones lack. */
    readonly reason: string;
  };
}

/** VXLAN's own port, and Docker's default. */
export const defaultDataPathPort = 4789;

/** Before these, encrypted networks could carry plaintext without a word (CVE-2023-28840, -28841, -28842). */
const encryptionFixes: readonly (readonly number[])[] = [
  [20, 10, 24],
  [23, 0, 3],
];

/**
 * Encryption on another port than 4789 (moby pull request 45636). Docker's release notes have it in 24.0.3. It was
 * merged for the 23.0 branch too (45638), but in which release of it is not known here, so those count as without.
 */
const portFix = [24, 0, 3] as const;

/** Engines from here on match packets with xt_bpf alone; older ones use xt_u32 as well. */
const bpfOnly = [24, 0, 0] as const;

/**
 * Why engines of this version, or of all versions with this prefix, cannot encrypt on that port. Said of a pinned version at
 * preview, and of what runs on a host before anything is changed there.
 */
export function engineEncryptionProblem(version: string, dataPathPort = defaultDataPathPort): string | undefined {
  const numbers = versionNumbers(version);
  if (!numbers) return undefined;
  const fix = encryptionFixes.find((release) => numbers[0] === release[0]) ?? encryptionFixes[0] ?? [];
  if (isOlder(numbers, fix)) return `Docker ${version} may send encrypted networks' data in plaintext; ${fix.join(".")} or newer is needed`;
  if (dataPathPort !== defaultDataPathPort && isOlder(numbers, portFix)) {
    return `Docker ${version} carries nothing on encrypted networks unless the data path port is ${defaultDataPathPort}; ${portFix.join(".")} or newer is needed for ${dataPathPort}`;
  }
  return undefined;
}

/** What `probe.sh` saw of a kernel's ability to encrypt; looked for only when it is needed, since looking loads modules. */
export interface IpsecProbe {
  /** ESP with the one algorithm that Docker uses. */
  readonly esp: boolean;
  /** How packets that are to be encrypted are recognised. */
  readonly xtBpf: boolean;
  readonly xtU32: boolean;
}

/** Docker creates encrypted networks whose kernels cannot encrypt without a word, and then carries nothing. */
export function ipsecProblems(ipsec: IpsecProbe, engine: string, dataPathPort?: number): string[] {
  const problems: string[] = [];
  if (!ipsec.esp) {
    problems.push(
      "its kernel cannot encrypt packets (ESP with rfc4106(gcm(aes)): modules esp4, xfrm_user and gcm), " +
        "so an encrypted overlay would carry nothing: use a kernel that can, or take wireguard() as the underlay",
    );
  }
  const numbers = versionNumbers(engine);
  const matches = ipsec.xtBpf || (ipsec.xtU32 && numbers !== undefined && isOlder(numbers, bpfOnly));
  if (!matches) {
    problems.push(
      "its kernel cannot tell which packets to encrypt (module xt_bpf; Debian and Ubuntu have it with the kernel, " +
        "RHEL and its kin in kernel-modules-extra), so they could leave in plaintext: install it",
    );
  }
  const problem = engine === "" ? undefined : engineEncryptionProblem(engine, dataPathPort);
  if (problem !== undefined) problems.push(`its ${problem}`);
  return problems;
}
