import type { SwarmRequest } from "../../agents/request";
import type { Connection } from "../../remote/connection";

/** A host that is to be looked at. */
export interface TargetHost {
  readonly key: string;
  readonly connection: Connection;
}

/** Which cluster is looked at, and how it is reached. It holds private keys: it is never printed. */
export interface Target {
  readonly cluster: string;
  /** Where this was learned, as a person reads it. */
  readonly by: string;
  readonly hosts: readonly TargetHost[];
  /** What the last `up` asked for. @default - only connections are known */
  readonly request?: SwarmRequest;
  readonly networks: readonly { readonly name: string; readonly subnet: string }[];
}

/** Nobody knows which hosts to look at. Says what to do. */
export class NoTarget extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
