import { policyLines } from "../../network-policy/compile";
import type { OverlayHost, OverlayWork } from "../agent";

/** As `tenants.sh` reads what is let through between networks on a host; empty where nothing is. @param all hosts that may connect */
export function policyFile({ space, slices, policy, tunnelInterface }: OverlayWork, host: OverlayHost, all: readonly OverlayHost[]): string {
  if (!policy) return "";
  const { between, outside } = policyLines({ space, slices, policy }, host, all, tunnelInterface);
  return [...between.map((line) => `between ${line}`), ...outside.map((line) => `outside ${line}`)].join("\n");
}
