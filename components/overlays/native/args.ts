import { flag, optional, options } from "../../options";

/** Docker's own overlay network. */
export interface NativeArgs {
  /**
   * Encrypts containers' data between hosts with IPsec (ESP). The swarm has the keys and changes them every 12 hours. It costs 26
   * more bytes a packet, and processor time for each of them. Refused if ESP cannot pass (address translation between sites), and on hosts
   * whose kernel or engine does not support it: Docker would drop the data without an error.
   * @default false
   */
  readonly encrypted?: boolean;
  /**
   * UDP port of the data between hosts, 1024 to 49151. It is set when the swarm is created, and cannot be changed later. Needed
   * if something else uses 4789, such as VMware NSX.
   * @default 4789
   */
  readonly dataPathPort?: number;
}

export const nativeOptions = options<NativeArgs>(
  { of: "the native overlay", thing: "the native overlay", example: "native({ encrypted: true })" },
  { encrypted: flag, dataPathPort: optional },
);
