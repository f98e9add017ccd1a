import { nearestName } from "../components/nearest";
import { isRecord } from "../components/options";
import { type Report, show } from "../components/report";
import type { FirewallArgs } from "../components/firewall/args";
import { calico } from "../components/overlays/calico";
import { flannel } from "../components/overlays/flannel";
import { native } from "../components/overlays/native";
import { openvswitch } from "../components/overlays/openvswitch";
import type { Overlay as RichOverlay } from "../components/overlays/overlay";
import { weave } from "../components/overlays/weave";
import { direct } from "../components/underlay/direct";
import type { Underlay as RichUnderlay } from "../components/underlay/underlay";
import { wireguard } from "../components/underlay/wireguard";
import type { Allow, ClusterArgs, Expose, Firewall, NetworkPolicy, Overlay, Underlay } from "./args";
import { isKind, type Kinds, optionsOf, overlayKinds, reportKind, underlayKinds } from "./kinds";

const overlays: Readonly<Record<keyof typeof overlayKinds, (args: never) => RichOverlay>> = { native, weave, flannel, calico, openvswitch };
const underlays: Readonly<Record<keyof typeof underlayKinds, (args: never) => RichUnderlay>> = { direct, wireguard };

/** A choice is written with its kind, and not as its name alone. */
function isChoice(path: string, of: string, choice: unknown, kinds: Kinds, example: string, report: Report): boolean {
  if (typeof choice === "object" && choice !== null && !Array.isArray(choice)) return true;
  const kind = nearestName(String(choice).replace(/\(.*$/, ""), Object.keys(kinds)) ?? example;
  report(path, `${show(choice)} does not describe ${of}`, `write it as { kind: ${kind} }`);
  return false;
}

/** Its options under its name: `overlay: { native: { encrypted: true } }`. */
function isNested(path: string, kinds: Kinds, kind: unknown, given: object, report: Report): boolean {
  const [name, ...more] = Object.keys(given);
  if (kind !== undefined || name === undefined || more.length > 0 || !isKind(kinds, name)) return false;
  report(path, `its kind is missing, and ${name} is one`, `write it as { kind: ${name} } with its options beside the kind`);
  return true;
}

export function richOverlay(overlay: Overlay, report: Report): RichOverlay | undefined {
  if (!isChoice("overlay", "an overlay", overlay, overlayKinds, "flannel", report)) return undefined;
  const { kind, ...given } = overlay ?? {};
  if (isNested("overlay", overlayKinds, kind, given, report)) return undefined;
  if (!isKind(overlayKinds, kind)) return void reportKind(overlayKinds, "overlay.kind", "an overlay", kind, report);
  const { noBridge, ...options } = optionsOf(overlayKinds, kind, "overlay", given, report);
  if (noBridge === true && options["bridge"] !== undefined) report("overlay.bridge", "bridge and noBridge are both given", "keep one of them");
  return overlays[kind]({ ...options, ...(noBridge === true && { bridge: false }) } as never);
}

export function richUnderlay(underlay: Underlay, report: Report): RichUnderlay | undefined {
  if (!isChoice("underlay", "an underlay", underlay, underlayKinds, "wireguard", report)) return undefined;
  const { kind, ...given } = underlay ?? {};
  if (isNested("underlay", underlayKinds, kind, given, report)) return undefined;
  if (!isKind(underlayKinds, kind)) return void reportKind(underlayKinds, "underlay.kind", "an underlay", kind, report);
  return underlays[kind](optionsOf(underlayKinds, kind, "underlay", given, report) as never);
}

/** Ports are a number or a list of texts; what is wrong with them, and with all that is no set of entries, is for the plan to say. */
export function richFirewall(firewall: Firewall, report: Report): FirewallArgs {
  if (!isRecord(firewall)) return firewall as FirewallArgs;
  const opened = (list: "expose" | "allow"): object => {
    const entries = firewall[list];
    return isRecord(entries)
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
  return { ...firewall, ...opened("expose"), ...opened("allow") };
}

/** The same of policies. */
export function richPolicy(policy: NonNullable<ClusterArgs["policy"]>, report: Report): object {
  if (!isRecord(policy)) return policy;
  const entries = Object.entries(policy);
  return Object.fromEntries(entries.map(([name, entry]) => [name, richPorts(`policy.${name}`, entry, report)]));
}

function richPorts(path: string, entry: Expose | Allow | NetworkPolicy, report: Report): object {
  if (!isRecord(entry)) return entry;
  const { ports, ...rest } = entry;
  if (ports === undefined) return rest;
  if (rest.port !== undefined) report(`${path}.ports`, "port and ports are both given", "keep one of them");
  return { ...rest, port: ports };
}
