import { isNetworkName } from "../docker-network";
import { type Problem, show } from "../../report";
import type { Placement } from "../overlay";
import { bridgeSlice } from "./networks";

/** What a user says of hosts' subnets, for an overlay that routes. */
export interface SlicingArgs {
  readonly hostPrefix?: number;
  readonly hostsPerGroup?: number;
  readonly slicePrefix?: number;
  readonly bridge?: string | false;
}

/** The same, as it is planned: what is wrong in it is taken for left out. */
export interface Slicing {
  readonly hostPrefix: number;
  /** Name of each host's own network; empty for none. */
  readonly bridge: string;
  readonly placement: Extract<Placement, { readonly kind: "slices" }>;
}

/** Prefix length of the slice of the host's own bridge. */
const bridgePrefix = 27;
const usualHostPrefix = 24;

export function planSlicing(args: SlicingArgs, usualBridge: string): Slicing {
  const hostPrefix = isWhole(args.hostPrefix, 20, 26) ? args.hostPrefix : usualHostPrefix;
  const bridge = args.bridge === false ? "" : typeof args.bridge === "string" ? args.bridge : usualBridge;
  return {
    hostPrefix,
    bridge,
    placement: {
      kind: "slices",
      hostPrefix,
      hostsPerGroup: isPowerOfTwo(args.hostsPerGroup) ? args.hostsPerGroup : 16,
      slicePrefix: isWhole(args.slicePrefix, hostPrefix + 1, 29) ? args.slicePrefix : Math.max(26, hostPrefix + 1),
      own: bridge === "" ? {} : { [bridgeSlice]: Math.max(bridgePrefix, hostPrefix + 1) },
      ...(bridge !== "" && { bridge }),
    },
  };
}

export function slicingProblems({ hostPrefix, hostsPerGroup, slicePrefix, bridge }: SlicingArgs): Problem[] {
  const problems: Problem[] = [];
  const refuse = (path: string, message: string, fix: string): void => void problems.push({ path: `overlay.${path}`, message, fix });
  if (hostPrefix !== undefined && !isWhole(hostPrefix, 20, 26)) {
    refuse("hostPrefix", `${show(hostPrefix)} is not usable for a host's subnet`, "give a prefix length from 20 to 26");
  }
  if (hostsPerGroup !== undefined && !isPowerOfTwo(hostsPerGroup)) {
    refuse("hostsPerGroup", `${show(hostsPerGroup)} is not a number of hosts for a group`, "give a power of two from 4 to 256");
  }
  const shortest = (isWhole(hostPrefix, 20, 26) ? hostPrefix : usualHostPrefix) + 1;
  if (slicePrefix !== undefined && !isWhole(slicePrefix, shortest, 29)) {
    refuse(
      "slicePrefix",
      `${show(slicePrefix)} is not usable for a network's slice of each host's subnet`,
      `give a prefix length from ${shortest} to 29`,
    );
  }
  if (bridge !== undefined && bridge !== false && !(typeof bridge === "string" && isNetworkName(bridge))) {
    refuse("bridge", `${show(bridge)} cannot name a Docker network`, "use 2 to 64 letters, digits, hyphens, dots or underscores, or false for none");
  }
  return problems;
}

export function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

function isPowerOfTwo(value: unknown): value is number {
  return isWhole(value, 4, 256) && Number.isInteger(Math.log2(value));
}
