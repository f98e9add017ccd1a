import type { Seen, SeenHost, System } from "../../components/status/seen";

/** A situation made out of one that was recorded. Hosts of the lab cannot be brought into most of them: they share this machine's clock, disk and engines. */
export interface Derived {
  readonly name: string;
  /** The record that it is made of. */
  readonly of: string;
  readonly edit: (seen: Seen) => Seen;
}

function onHost(key: string, change: (host: SeenHost) => Partial<SeenHost>): (seen: Seen) => Seen {
  return (seen) => ({ ...seen, hosts: seen.hosts.map((host) => (host.key === key ? { ...host, ...change(host) } : host)) });
}

function onSystem(key: string, change: Partial<System>): (seen: Seen) => Seen {
  return onHost(key, ({ system }) => ({ ...(system && { system: { ...system, ...change } }) }));
}

const day = 24 * 3600 * 1000;

export const derived: readonly Derived[] = [
  {
    // The same tunnel, of a host whose engine runs.
    name: "tunnel",
    of: "tunnel-and-engine",
    edit: onHost("edge-w1", ({ system, planned }) => ({
      ...(system && { system: { ...system, engine: "active" } }),
      engine: { version: "26.1.5+dfsg1", state: "active", nodeId: "", address: planned?.address ?? "", controlAvailable: false, error: "" },
    })),
  },
  {
    // As the lab's own test sees it, when one more manager is killed.
    name: "quorum",
    of: "manager-dead",
    edit: (seen) => {
      const { swarm: _swarm, ...rest } = seen;
      const leaderless = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online.";
      const alone = onHost("control-s1", ({ engine }) => ({ ...(engine && "version" in engine && { engine: { ...engine, error: leaderless } }) }))(
        rest,
      );
      const unreached =
        "cannot be reached over SSH at root@10.226.1.12:22 within 10 s: no route to it (is the machine up, and is the address right?).";
      const hosts = alone.hosts.map((host) => {
        const { key, target, planned } = host;
        return key === "control-s2" ? { key, target, ...(planned && { planned }), unreached } : host;
      });
      return { ...alone, hosts };
    },
  },
  { name: "clock", of: "healthy", edit: onSystem("edge-w1", { clock: -412.3 }) },
  {
    name: "own-clock",
    of: "healthy",
    edit: (seen) => ({ ...seen, hosts: seen.hosts.map((host) => ({ ...host, ...(host.system && { system: { ...host.system, clock: 95 } }) })) }),
  },
  {
    name: "disk",
    of: "engine",
    edit: onSystem("edge-w1", {
      disks: [{ folder: "/var/lib/docker", usedPercent: 100, freeKilobytes: 12_288, inodesPercent: 31 }],
      engine: "failed",
    }),
  },
  {
    name: "certificate",
    of: "healthy",
    edit: (seen) =>
      onSystem("edge-w1", {
        certificate: { from: new Date(Date.parse(seen.at) - 88 * day).toISOString(), until: new Date(Date.parse(seen.at) + 2 * day).toISOString() },
      })(seen),
  },
  {
    name: "engines",
    of: "healthy",
    edit: (seen) => {
      const apart = onHost("edge-w1", ({ engine }) => ({ ...(engine && "version" in engine && { engine: { ...engine, version: "29.1.0" } }) }))(seen);
      return { ...apart, ...(seen.planned && { planned: { ...seen.planned, encrypted: true } }) };
    },
  },
  {
    name: "agent",
    of: "healthy",
    edit: onHost("edge-w1", ({ engine }) => ({
      ...(engine && "version" in engine && { engine: { ...engine, gossip: { attached: false, peers: [] } } }),
    })),
  },
  {
    name: "locked",
    of: "healthy",
    edit: (seen) => {
      const locked = onHost("far-s3", ({ engine }) => ({
        ...(engine && "version" in engine && { engine: { ...engine, state: "locked" as const, controlAvailable: false, nodeId: "" } }),
      }))(seen);
      const nodes = seen.swarm?.nodes.map((node) =>
        node.hostname === "status-s3" ? { ...node, state: "down" as const, reachability: "unreachable" as const } : node,
      );
      return { ...locked, ...(seen.swarm && nodes && { swarm: { ...seen.swarm, nodes } }) };
    },
  },
  {
    name: "slow",
    of: "healthy",
    edit: (seen) => {
      const { swarm: _swarm, ...rest } = seen;
      return rest;
    },
  },
  {
    name: "nothing",
    of: "healthy",
    edit: (seen) => {
      const { swarm: _swarm, ...rest } = seen;
      const unreached =
        "cannot be reached over SSH at root@203.0.113.7:22 within 10 s: no answer within 10 s (TCP may be open: a frozen or overloaded host looks like this).";
      return { ...rest, hosts: seen.hosts.map(({ key, target, planned }) => ({ key, target, ...(planned && { planned }), unreached })) };
    },
  },
];
