import type { Report } from "../report";
import type { PlannedHost } from "../hosts/host";
import { assignBlocks } from "../network/blocks";
import type { Cidr } from "../network/cidr";
import { pinPath, type Pins, type PlannedSubnet } from "../network/subnets";

export interface PlannedTunnel {
  readonly addresses: ReadonlyMap<string, string>;
  readonly blocks: readonly PlannedSubnet[];
}

/** Up to 64 groups have a block of the tunnel's space, of 254 hosts at the most. */
function blockPrefix(space: Cidr): number {
  return Math.min(28, Math.max(24, space.prefix + 6));
}

/** Each group has a block, and each host its number in it, or a place that follows from its name. */
export function planTunnel(hosts: readonly PlannedHost[], space: Cidr, pins: Pins, report: Report): PlannedTunnel {
  const prefix = blockPrefix(space);
  const groups = new Map<string, PlannedHost[]>();
  for (const host of hosts) groups.set(host.group, [...(groups.get(host.group) ?? []), host]);
  const requests = [...groups.keys()].map((key) => ({ key, prefix, pin: pins.take(`tunnel ${key}`, prefix, prefix) }));
  const assigned = assignBlocks(space, requests);
  for (const { key } of assigned.problems) {
    report(`hosts.${key}`, `the part of the address space for tunnel addresses, ${space}, has no block left for it`, "take a larger addressSpace");
  }
  const addresses = new Map<string, string>();
  const blocks: PlannedSubnet[] = [];
  for (const [group, members] of groups) {
    const block = assigned.byKey.get(group);
    if (!block) continue;
    for (const [key, address] of placesIn(block, group, members, report)) addresses.set(key, address);
    blocks.push({
      owner: `tunnel ${group}`,
      purpose: `addresses of the hosts of ${group} in the encrypted tunnel`,
      cidr: block.toString(),
      from: `${space}, the tunnel's part of the address space`,
      routes: "between all hosts, encrypted",
      pin: pinPath(`tunnel ${group}`),
      pinned: requests.some(({ key, pin }) => key === group && pin !== undefined),
    });
  }
  return { addresses, blocks };
}

function placesIn(block: Cidr, group: string, members: readonly PlannedHost[], report: Report): [string, string][] {
  const room = Number(block.size) - 2;
  const numbered = members.filter(({ place }) => /^\d+$/.test(place));
  const beyond = numbered.filter(({ place }) => Number(place) > room);
  if (beyond.length > 0 || members.length > room) {
    report(
      `hosts.${group}`,
      `its block ${block} of tunnel addresses holds ${room} hosts; ${Math.max(beyond.length, members.length - room)} of its hosts do not fit`,
      "split the group, or take a larger addressSpace",
    );
  }
  const fitting = numbered.filter((host) => !beyond.includes(host)).map(({ key, place }): [string, string] => [key, block.address(Number(place))]);
  const ends = [
    block.subnet(32, 0),
    block.subnet(32, room + 1),
    ...numbered.filter((host) => !beyond.includes(host)).map(({ place }) => block.subnet(32, Number(place))),
  ];
  const named = members.filter((host) => !numbered.includes(host)).map(({ key }) => ({ key, prefix: 32 }));
  return [...fitting, ...[...assignBlocks(block, named, ends).byKey].map(([key, address]): [string, string] => [key, address.address(0)])];
}
