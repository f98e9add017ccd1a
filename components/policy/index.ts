import type { Policies } from "@pulumi/policy";
import { plaintextPolicy } from "./plaintext";
import { quorumLossPolicy } from "./quorum-loss";
import { renumberPolicy } from "./renumber";
import { replaceManagerPolicy } from "./replace-manager";
import { worldOpenPolicy } from "./world-open";

export type { PlaintextConfig } from "./plaintext";
export type { QuorumLossConfig } from "./quorum-loss";
export type { RenumberConfig } from "./renumber";
export type { ReplaceManagerConfig } from "./replace-manager";
export type { WorldOpenConfig } from "./world-open";

/**
 * A policy for each risk that `pulumi-swarm review` names, for your own pack. Each policy remembers what it has seen, so each
 * pack needs its own set.
 *
 * ```ts import { PolicyPack } from "@pulumi/policy"; import { swarmPolicies } from "pulumi-swarm/policy";
 *
 * new PolicyPack("ours", { policies: [...swarmPolicies()] });
 * ```
 */
export function swarmPolicies(): Policies {
  return [worldOpenPolicy(), quorumLossPolicy(), renumberPolicy(), plaintextPolicy(), replaceManagerPolicy()];
}
