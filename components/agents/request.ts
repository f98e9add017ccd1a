import type { EngineArgs } from "../engine/args";
import type { BridgePlan } from "../engine/bridges";
import type { HostNeeds } from "../engine/needs";
import type { HostRole } from "../hosts/host";
import type { Connection } from "../remote/connection";

/**
 * What the programs in this folder are given on standard input by the resources that run them. It holds private keys,
 * so it is a secret as a whole.
 */
export interface SwarmRequest {
  readonly cluster: string;
  readonly hosts: readonly SwarmRequestHost[];
  readonly engine: EngineArgs;
  /** @default - Docker's own bridges are left as they are */
  readonly bridges?: BridgePlan;
  /** @default - what every overlay needs */
  readonly needs?: HostNeeds;
  /** Networks in CIDR form that Docker may cut subnets from. */
  readonly dockerPool: string;
  readonly reachableSeconds: number;
  readonly drainSeconds: number;
  readonly abandonedSwarm?: string;
}

export interface SwarmRequestHost {
  readonly key: string;
  readonly role: HostRole;
  readonly address: string;
  /** Not used on the host: another machine under the same key must make this request another one. */
  readonly machine: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly connection: Connection;
}

/** What `swarm-up` prints, and is given back on its next run as its memory. Nothing in it is secret. */
export interface SwarmResponse {
  readonly swarmId: string;
  readonly hosts: Readonly<Record<string, SwarmResponseHost>>;
}

export interface SwarmResponseHost {
  readonly nodeId: string;
  readonly role: HostRole;
  readonly address: string;
  readonly engine: string;
  /** How to reach the host again when it is no longer asked for; the private key is not kept. */
  readonly connection: Omit<Connection, "privateKey" | "passphrase" | "bastion">;
}

export interface NetworkRequest {
  readonly cluster: string;
  readonly name: string;
  readonly spec: NetworkSpec;
  /** Any one of them will do. */
  readonly managers: readonly { readonly key: string; readonly connection: Connection }[];
  readonly reachableSeconds: number;
}

export interface NetworkSpec {
  readonly driver: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

export interface NetworkResponse {
  readonly id: string;
}
