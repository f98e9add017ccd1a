/** What node-to-node traffic rides on. */
export interface UnderlayPlan {
  readonly kind: string;
  readonly encrypted: boolean;
  /** Bytes that it takes from every packet of the site's network. */
  readonly overhead: number;
}

export interface Underlay {
  readonly kind: string;
  plan(): UnderlayPlan;
}

/** The site's own network, as it is. */
export function direct(): Underlay {
  return { kind: "direct", plan: () => ({ kind: "direct", encrypted: false, overhead: 0 }) };
}

export function isUnderlay(value: unknown): value is Underlay {
  return typeof value === "object" && value !== null && typeof (value as Underlay).plan === "function";
}
