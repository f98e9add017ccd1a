import type { WaitingIo } from "../waiting";

export interface NetworkIo extends WaitingIo {
  progress(line: string): void;
  sleep(milliseconds: number): Promise<void>;
  now(): number;
}

/** A network as Docker describes it. */
export interface Network {
  readonly Id: string;
  readonly Name: string;
  readonly Driver: string;
  readonly Scope: string;
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress?: boolean;
  readonly IPAM: { readonly Config: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null };
  readonly Options: Readonly<Record<string, string>> | null;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly ConfigFrom?: { readonly Network?: string };
}

/** What is asked of a network. */
export interface NetworkSpec {
  readonly driver: string;
  readonly subnet: string;
  /** Undefined where each host has one of its own. */
  readonly gateway?: string;
  /** Network of each host's own engine that provides addresses and options, instead of the subnet. */
  readonly configFrom?: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/** What a run returns, and the next run of the same resource is given. */
export interface NetworkResponse {
  readonly id: string;
  /** Where the network was made by another resource: the mark of having taken it over. */
  readonly owner?: string;
}
