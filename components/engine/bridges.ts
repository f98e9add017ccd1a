/** Where Docker's own bridges on every host are to be, and the largest packet on them, in bytes. */
export interface BridgePlan {
  /** The network of containers that name none. */
  readonly docker0: {
    readonly subnet: string;
    /** The bridge's own address with the subnet's prefix, such as `10.96.0.1/24`: Docker's `bip`. */
    readonly gateway: string;
  };
  /** By which containers on overlay networks reach the world. */
  readonly gwbridge: { readonly subnet: string; readonly gateway: string };
  readonly mtu: number;
}
