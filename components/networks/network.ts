/** A network of the cluster in the plan. */
export interface PlannedNetwork {
  /** Docker's name of the network. */
  readonly name: string;
  /** Range of its addresses. */
  readonly subnet: string;
  /** @default - each host has its own gateway */
  readonly gateway?: string;
  /**
   * Its part of each host's subnet, relative to that subnet, as its name alone would place it: `0.0.0.64/26`. A network that was there before
   * keeps its place, which its `SubnetAssignment` shows. @default - it has its own subnet
   */
  readonly slice?: string;
  /** Network of each host's own engine that provides its addresses. @default - it has its own subnet */
  readonly configFrom?: string;
  /** Docker network driver, chosen by the overlay. */
  readonly driver: string;
  /** Whether its containers have no outside access through it. */
  readonly internal: boolean;
  /** Whether containers outside services may join it. */
  readonly attachable: boolean;
  /** Docker's labels on the network. */
  readonly labels: Readonly<Record<string, string>>;
  /** Options of the driver, the MTU among them. */
  readonly options: Readonly<Record<string, string>>;
}
