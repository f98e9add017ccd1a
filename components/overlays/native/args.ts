import { flag, optional, options } from "../../options";

/** Docker's own overlay network. */
export interface NativeArgs {
  /**
   * Encrypt containers' data between hosts with IPsec (ESP). The keys are the swarm's and change every 12 hours. Costs
   * 26 more bytes a packet and much of the throughput. Refused where ESP cannot pass (address translation between sites) and on
   * hosts whose kernel or engine cannot do it; Docker itself would say nothing and carry nothing.
   * @default false
   */
  readonly encrypted?: boolean;
  /**
   * UDP port of the data between hosts, 1024 to 49151. Chosen when the swarm is formed, and never changed after. Needed where
   * something else takes 4789, as VMware NSX does.
   * @default 4789
   */
  readonly dataPathPort?: number;
}

export const nativeOptions = options<NativeArgs>(
  { of: "the native overlay", thing: "the native overlay", example: "native({ encrypted: true })" },
  { encrypted: flag, dataPathPort: optional },
);
