import { type Report, show } from "../components/report";
import type { FirewallArgs } from "../components/firewall/args";
import { flannel } from "../components/overlays/flannel";
import { native } from "../components/overlays/native";
import type { Overlay as RichOverlay } from "../components/overlays/overlay";
import { weave } from "../components/overlays/weave";
import { direct } from "../components/underlay/direct";
import type { Underlay as RichUnderlay } from "../components/underlay/underlay";
import { wireguard } from "../components/underlay/wireguard";
import type { Allow, Expose, Firewall, Overlay, Underlay } from "./args";
import { isKind, optionsOf, overlayKinds, reportKind, underlayKinds } from "./kinds";

const overlays: Readonly<Record<keyof typeof overlayKinds, (args: never) => RichOverlay>> = { native, weave, flannel };
const underlays: Readonly<Record<keyof typeof underlayKinds, (args: never) => RichUnderlay>> = { direct, wireguard };

/** A choice is written with its kind, and not as its name alone. */
function isChoice(path: string, of: string, choice: unknown, example: string, report: Report): boolean {
  if (typeof choice === "object" && choice !== null && !Array.isArray(choice)) return true;
  const kind = typeof choice === "string" && /^\w+$/.test(choice) ? choice : example;
  report(path, `${show(choice)} does not describe ${of}`, `write it as { kind: ${kind} }`);
  return false;
}

export function richOverlay(overlay: Overlay, report: Report): RichOverlay | undefined {
  if (!isChoice("overlay", "an overlay", overlay, "flannel", report)) return undefined;
  const { kind, ...given } = overlay ?? {};
  if (!isKind(overlayKinds, kind)) return void reportKind(overlayKinds, "overlay.kind", "an overlay", kind, report);
  const { noBridge, ...options } = optionsOf(overlayKinds, kind, "overlay", given, report);
  if (noBridge === true && options["bridge"] !== undefined) report("overlay.bridge", "bridge and noBridge are both given", "keep one of them");
  return overlays[kind]({ ...options, ...(noBridge === true && { bridge: false }) } as never);
}

export function richUnderlay(underlay: Underlay, report: Report): RichUnderlay | undefined {
  if (!isChoice("underlay", "an underlay", underlay, "wireguard", report)) return undefined;
  const { kind, ...given } = underlay ?? {};
  if (!isKind(underlayKinds, kind)) return void reportKind(underlayKinds, "underlay.kind", "an underlay", kind, report);
  return underlays[kind](optionsOf(underlayKinds, kind, "underlay", given, report) as never);
}

/** Ports are a number or a list of texts; what is wrong with them is for the plan to say. */
export function richFirewall(firewall: Firewall, report: Report): FirewallArgs {
  const opened = (list: "expose" | "allow"): object => {
    const entries = firewall[list];
    return typeof entries === "object" && entries !== null
      ? {
          [list]: Object.fromEntries(
            Object.entries(entries as Record<string, Expose | Allow>).map(([name, entry]) => [
              name,
              richPorts(`firewall.${list}.${name}`, entry, report),
            ]),
          ),
        }
      : {};
  };
  return { ...firewall, ...opened("expose"), ...opened("allow") } as FirewallArgs;
}

function richPorts(path: string, entry: Expose | Allow, report: Report): object {
  const { ports, ...rest } = entry ?? {};
  if (ports === undefined) return rest;
  if (rest.port !== undefined) report(`${path}.ports`, "port and ports are both given", "keep one of them");
  return { ...rest, port: ports };
}
