import { type Finding, known, type Row, type SeenPart, type StatusPart, upAgain } from "../../health";
import { loadStatusScript } from "../scripts";
import { fewOf } from "../../report";
import { trunkFindings, trunkKinds, type TrunkState } from "./trunks/status";

/** One host's Open vSwitch, as `status.sh` tells it. */
export interface SwitchState {
  /** ovsdb-server, which knows the bridge, answers. */
  readonly database: boolean;
  /** ovs-vswitchd, which forwards or tells the kernel to, answers. */
  readonly switch: boolean;
  /** States of their units, and of the one that makes the bridge. */
  readonly units: Readonly<Record<"ovsdb-server" | "ovs-vswitchd" | "bridge", string>>;
  /** How many OpenFlow rules the bridge has. Without any, it drops everything. */
  readonly flows: number;
  /** The nftables table is loaded that stops the host from routing between networks. */
  readonly apart: boolean;
  /** Addresses of the hosts to which the bridge has tunnels. */
  readonly tunnels: readonly string[];
  /** VLANs of the user's switches that this host carries. */
  readonly trunks: readonly TrunkState[];
}

type Seen = readonly SeenPart<SwitchState>[];
type Known = ReturnType<typeof known<SwitchState>>;

/** Open vSwitch on all hosts: each has a tunnel to each other one. */
export const openvswitchStatus: StatusPart<SwitchState> = {
  name: "Open vSwitch",
  key: "openvswitch",
  script: loadStatusScript(__dirname),
  values: () => ({}),
  kinds: {
    "openvswitch-stopped": "Open vSwitch does not answer on a host, so its containers reach no other host, or nothing of its bridge can be changed",
    "openvswitch-tunnel": "a host's bridge has no tunnel to another host, so that nothing passes between their containers",
    "openvswitch-flows": "a host's bridge has lost its OpenFlow rules, and drops everything",
    "openvswitch-apart": "a host has no nftables table of Open vSwitch loaded, so that it routes between networks that should be isolated",
    ...trunkKinds,
  },
  rows: (seen) =>
    seen.map(({ key, address, answer }): Row => {
      if (answer === undefined || typeof answer === "string") return { host: key, says: answer ?? "not seen" };
      const silent = silentIn(answer);
      if (silent) return { host: key, says: `${silent.what} does not answer (its unit is ${answer.units[silent.unit]})` };
      const others = othersOf(seen, address);
      return { host: key, says: `tunnels to ${others.filter((other) => hasTunnel(answer, other)).length} of ${others.length} hosts` };
    }),
  findings: (seen) => {
    const hosts = known(seen);
    const running = hosts.filter(({ answer }) => !silentIn(answer));
    return [...stopped(hosts), ...withoutTunnels(seen, running), ...withoutFlows(running), ...notApart(hosts), ...looseTrunks(running)];
  },
};

interface Silent {
  readonly what: string;
  readonly unit: "ovsdb-server" | "ovs-vswitchd";
}

/** The switch first: without it nothing passes, and it does not start without its database. */
function silentIn({ database, switch: forwards }: SwitchState): Silent | undefined {
  if (!forwards) return { what: "Open vSwitch (ovs-vswitchd)", unit: "ovs-vswitchd" };
  return database ? undefined : { what: "Open vSwitch's database (ovsdb-server)", unit: "ovsdb-server" };
}

function othersOf(seen: Seen, own: string): Seen {
  return seen.filter(({ address }) => address !== own);
}

function hasTunnel({ tunnels }: SwitchState, { address }: SeenPart<SwitchState>): boolean {
  return tunnels.includes(address);
}

function stopped(hosts: Known): Finding[] {
  return hosts.flatMap(({ key, answer }): Finding[] => {
    const silent = silentIn(answer);
    if (!silent) return [];
    const { what, unit } = silent;
    const forwards = unit === "ovsdb-server";
    const follows = forwards ? "nothing of its bridge can be changed, and after a restart nothing passes" : "its containers reach no other host";
    return [
      {
        kind: "openvswitch-stopped",
        severity: forwards ? "warning" : "broken",
        hosts: [key],
        text: `${key}: ${what} does not answer (its unit is ${answer.units[unit]}), so ${follows}`,
        fix: `run "systemctl restart ${unit}" on ${key}; "journalctl -u ${unit}" there says why it stopped; if that fails, ${upAgain}`,
        drift: true,
      },
    ];
  });
}

/** To all others, also to those that were not seen: a host has its tunnels whether or not somebody is at their other ends. */
function withoutTunnels(seen: Seen, running: Known): Finding[] {
  return running.flatMap(({ key, address, answer }): Finding[] => {
    const missing = othersOf(seen, address).filter((other) => !hasTunnel(answer, other));
    if (missing.length === 0) return [];
    return [
      {
        kind: "openvswitch-tunnel",
        severity: "broken",
        hosts: [key],
        text: `${key}: its bridge has no tunnel to ${fewOf(missing.map((other) => other.key))}, so nothing passes between their containers`,
        detail: `the unit that makes the bridge is ${answer.units.bridge}`,
        fix: madeAnew(key),
        drift: true,
      },
    ];
  });
}

/** Each tunnel has a rule, so a bridge with tunnels and without rules has lost them. */
function withoutFlows(running: Known): Finding[] {
  return running
    .filter(({ answer: { flows, tunnels } }) => flows === 0 && tunnels.length > 0)
    .map(({ key }) => ({
      kind: "openvswitch-flows",
      severity: "broken",
      hosts: [key],
      text: `${key}: its bridge has no OpenFlow rules, and drops everything that its containers send`,
      fix: madeAnew(key),
      drift: true,
    }));
}

function notApart(hosts: Known): Finding[] {
  return hosts
    .filter(({ answer }) => !answer.apart)
    .map(({ key }) => ({
      kind: "openvswitch-apart",
      severity: "broken",
      hosts: [key],
      text: `${key}: its nftables table pulumi_swarm_openvswitch is gone, so it routes between networks that should be isolated`,
      detail: '"nft flush ruleset" removes it, as a reload of nftables.service may',
      fix: madeAnew(key),
      drift: true,
    }));
}

function looseTrunks(running: Known): Finding[] {
  return running.flatMap(({ key, answer: { trunks } }) => trunkFindings(key, trunks, madeAnew(key)));
}

/** What a boot does. What stands stays. */
function madeAnew(key: string): string {
  return `run "systemctl restart pulumi-swarm-openvswitch" on ${key}, which makes its bridge again as planned; if that fails, ${upAgain}`;
}
