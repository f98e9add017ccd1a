/* What is seen of etcd on hosts, and what is to be done about it. */

/** A host that is to be a member. */
export interface WantedMember {
  readonly key: string;
  /** By which the other members reach it. */
  readonly address: string;
}

/** What is on a host that was looked at, whether it is to be a member or not. */
export interface SeenHost {
  readonly key: string;
  /** There are data of a member. */
  readonly data: boolean;
  readonly running: boolean;
  /** Of the member whose data they are; undefined where it never said so. */
  readonly memberId?: string;
  /** A cluster has stood of which this host's member was part. */
  readonly formed: boolean;
  /** Its settings and its program are those that it should have. */
  readonly current: boolean;
  /** How far its data reach. */
  readonly index: number;
  /** Hosts of all members, when it was last seen that all were there. Every host is told, so that a lost etcd is not taken for none. */
  readonly roster: readonly string[];
}

/** A member as the majority has it. */
export interface Member {
  readonly id: string;
  /** Its host's key; empty where it was never started. */
  readonly name: string;
  readonly peerUrl: string;
  /** Takes no part in decisions yet. */
  readonly learner: boolean;
  /** It answers. */
  readonly alive: boolean;
}

export interface EtcdSurvey {
  readonly hosts: readonly SeenHost[];
  /** Hosts of the cluster, without those that leave it, that cannot be looked at or on which something has failed. */
  readonly away: readonly string[];
  /** Undefined where no majority answers. */
  readonly members?: readonly Member[];
}

export type EtcdStep =
  /** The first members, all at once. */
  | { readonly kind: "form"; readonly keys: readonly string[] }
  /** Members that are not running; whether they are a majority is not known before they do. */
  | { readonly kind: "wake"; readonly keys: readonly string[] }
  /** A member that is not running. */
  | { readonly kind: "start"; readonly key: string }
  | { readonly kind: "snapshot"; readonly key: string }
  /** The last one with data goes on alone. */
  | { readonly kind: "recover"; readonly key: string; readonly lost: readonly string[] }
  /** A member that will not come back. */
  | { readonly kind: "strike off"; readonly id: string; readonly key: string }
  /** @param id where the others know it already, and it never started */
  | { readonly kind: "join"; readonly key: string; readonly id?: string }
  | { readonly kind: "promote"; readonly key: string; readonly id: string }
  | { readonly kind: "readdress"; readonly key: string; readonly id: string }
  /** Other settings, or another version. */
  | { readonly kind: "restart"; readonly key: string }
  /** A member that works, on a host that is not to be one. */
  | { readonly kind: "remove"; readonly id: string; readonly key: string }
  /** What a member has left on a host that is not to be one. */
  | { readonly kind: "wipe"; readonly key: string };

export interface EtcdPlan {
  readonly steps: readonly EtcdStep[];
  /** When the steps are done, more can be seen than now: it has to be looked and planned again. */
  readonly more: boolean;
  /** What has to wait, and for whom. */
  readonly waiting: readonly { readonly key: string; readonly reason: string }[];
}

/** Says what is wrong and what to do. Thrown before anything is changed. */
export class EtcdRefusal extends Error {
  constructor(message: string) {
    super(`etcd: ${message}`);
    this.name = "EtcdRefusal";
  }
}

export function peerUrl(address: string): string {
  return `https://${address}:2380`;
}
