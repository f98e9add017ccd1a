import { assignBlocks } from "../network/blocks";
import { Cidr, isCidr, isPrivate } from "../network/cidr";
import type { Reserved } from "../network/subnets";
import { type Report, show } from "../report";
import type { OverlayPlan } from "../overlays/overlay";
import type { NetworkArgs } from "./args";

export interface PlannedNetwork {
  readonly name: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

export function planNetworks(
  networks: Readonly<Record<string, NetworkArgs>>,
  space: Cidr,
  reserved: readonly Reserved[],
  overlay: OverlayPlan,
  underlayMtu: number,
  report: Report,
): PlannedNetwork[] {
  const requests = Object.entries(networks).flatMap(([key, network]) => {
    const path = `networks.${key}`;
    if (typeof network !== "object" || (network as unknown) === null) {
      report(path, `${show(network)} does not describe a network`, "write {} for one with all defaults");
      return [];
    }
    if (network.subnet !== undefined && network.prefix !== undefined) {
      report(`${path}.prefix`, "subnet and prefix are both given", "keep one of them; a subnet has its prefix in it");
    }
    for (const label of Object.keys(network.labels ?? {})) {
      if (label.startsWith("pulumi-swarm.")) report(`${path}.labels`, `the label ${label} is kept for this package`, "name it otherwise");
    }
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$/.test(key) || ["host", "none", "bridge", "ingress", "docker_gwbridge"].includes(key)) {
      report(
        path,
        `"${key}" cannot name a Docker network`,
        "use 2 to 64 letters, digits, hyphens, dots or underscores; Docker's own names are taken",
      );
    }
    const prefix = network.prefix ?? 24;
    if (!Number.isInteger(prefix) || prefix < 16 || prefix > 28)
      report(`${path}.prefix`, `${show(prefix)} is not usable`, "give a prefix length from 16 to 28");
    const pin = network.subnet === undefined ? undefined : pinnedSubnet(`${path}.subnet`, network.subnet, reserved, report);
    return [{ key, prefix: Math.min(28, Math.max(16, Math.trunc(prefix) || 24)), ...(pin && { pin }) }];
  });
  const blocks = assignBlocks(space, requests);
  for (const { key, message, fix } of blocks.problems) report(`networks.${key}`, message, fix);
  return [...blocks.byKey].map(([name, block]) => ({
    name,
    subnet: block.toString(),
    gateway: block.address(1),
    driver: overlay.driver,
    internal: networks[name]?.internal ?? false,
    attachable: networks[name]?.attachable ?? true,
    labels: networks[name]?.labels ?? {},
    options: overlay.networkOptions(underlayMtu),
  }));
}

function pinnedSubnet(path: string, text: string, reserved: readonly Reserved[], report: Report): Cidr | undefined {
  const pin = Cidr.parse(text);
  if (!isCidr(pin)) {
    report(path, pin.problem, "write it as address/prefix");
    return undefined;
  }
  if (pin.prefix < 16 || pin.prefix > 28) {
    report(path, `${pin} is too ${pin.prefix < 16 ? "large" : "small"} for one network`, "give a prefix length from 16 to 28");
    return undefined;
  }
  if (!isPrivate(pin)) report(path, `${pin} are public addresses`, "take private space");
  const clash = reserved.find(({ network }) => network.overlaps(pin));
  if (clash) report(path, `${pin} overlaps ${clash.network}, ${clash.what}`, "choose a subnet that is free everywhere");
  return pin;
}
