import type { SwarmClusterArgs } from "../../components/cluster/args";
import { planCluster } from "../../components/cluster/plan";
import * as aws from "../../components/hosts/aws";
import * as existing from "../../components/hosts/existing";
import * as hetzner from "../../components/hosts/hetzner";
import * as local from "../../components/hosts/local";
import { calico } from "../../components/overlays/calico";
import { weave } from "../../components/overlays/weave";
import { topologyOf } from "../../components/cluster/topology";
import type { Topology } from "../../components/topology/topology";
import { wireguard } from "../../components/underlay/wireguard";
import { clientKey } from "./client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const https = { port: 443, from: ["world"], on: "workers" } as const;

function planned(cluster: string, args: SwarmClusterArgs): Topology {
  const { plan, problems } = planCluster(args);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return topologyOf(cluster, plan);
}

/** The cluster of `npm run demo`: three managers on one machine. */
export function demo(): Topology {
  return planned("demo", { hosts: { control: local.hosts({ role: "manager", count: 3 }) }, networks: { web: {}, db: { internal: true } } });
}

/** That of docs/hybrid.md: a manager on each of three sites, joined by WireGuard, and workers on two. */
export function hybrid(more: { readonly awsWorkers?: number; readonly hetznerWorkers?: number } & Partial<SwarmClusterArgs> = {}): Topology {
  const { awsWorkers = 2, hetznerWorkers = 2, ...args } = more;
  const onAws = { region: "eu-central-1", instanceType: "t3.medium" };
  const atHetzner = { location: "fsn1", serverType: "cx23" } as const;
  return planned("prod", {
    underlay: wireguard(),
    firewall: { ssh: ["203.0.113.0/24"], expose: { https } },
    hosts: {
      aws: aws.hosts({ role: "manager", ...onAws }),
      hetzner: hetzner.hosts({ role: "manager", ...atHetzner }),
      own: existing.hosts({ role: "manager", privateKey: clientKey, machines: { a: { address: "192.0.2.7", publicAddress: "192.0.2.7", hostKey } } }),
      ...(awsWorkers > 0 && { "edge-aws": aws.hosts({ role: "worker", count: awsWorkers, ...onAws }) }),
      ...(hetznerWorkers > 0 && { "edge-hetzner": hetzner.hosts({ role: "worker", count: hetznerWorkers, ...atHetzner }) }),
    },
    networks: { web: {}, db: { internal: true } },
    ...args,
  });
}

/** Sixty hosts on one site, over weave. */
export function sixty(workers = 57): Topology {
  return planned("sixty", {
    overlay: weave(),
    firewall: { expose: { https } },
    hosts: { control: local.hosts({ role: "manager", count: 3 }), edge: local.hosts({ role: "worker", count: workers }) },
    networks: { web: {}, db: { internal: true } },
  });
}

/** Networks that are apart, with ways between them and out of them; an edit opens one to the world and closes another. */
export function ways(edited = false): Topology {
  const machine = (address: string): existing.ExistingMachine => ({ address, hostKey });
  const tor = { address: "10.20.0.254", as: 65010, password: "tor-and-us", announce: edited ? ["web", "db"] : ["web"] };
  return planned("ways", {
    overlay: calico({ peers: edited ? { tor, spine: { ...tor, address: "10.20.0.253", accept: "default" } } : { tor } }),
    firewall: { ssh: ["203.0.113.0/24"] },
    hosts: {
      control: existing.hosts({ role: "manager", privateKey: clientKey, machines: { a: machine("10.20.0.1") } }),
      rack: existing.hosts({ role: "worker", privateKey: clientKey, machines: { a: machine("10.20.0.2"), b: machine("10.20.0.3") } }),
    },
    networks: { web: {}, db: {}, queue: {} },
    policy: {
      "web may reach db": { from: ["web"], to: ["db"], port: 5432 },
      ...(edited
        ? { "everybody may reach web": { from: ["world"], to: ["web"], port: 443 } }
        : { "the office may see the queue": { from: ["10.20.0.0/16"], to: ["queue"], port: 15672 } }),
    },
    gateways: { oracle: { to: edited ? "192.168.7.21" : "192.168.7.20", port: 1521, on: "group rack", networks: ["web"] } },
  });
}

/** The hybrid cluster before an edit, and after it: things are added, changed and taken away. */
export function edit(): { readonly before: Topology; readonly after: Topology } {
  const after = hybrid({
    awsWorkers: 3,
    hetznerWorkers: 1,
    firewall: { ssh: ["203.0.113.0/24", "198.51.100.0/24"], expose: { https, postgres: { port: 5432, from: ["198.51.100.7/32"], on: "group own" } } },
    networks: { web: {}, queue: {} },
    swarm: { autolock: true },
  });
  return { before: hybrid(), after };
}

/** The demo with things of these names, as a state that somebody wrote by hand may have them. */
export function named(names: readonly string[]): Topology {
  const topology = demo();
  const [host] = topology.hosts;
  const [network] = topology.networks;
  const rule = topology.rules.find(({ name }) => name === "ping");
  const [channel] = topology.encryption;
  if (!host || !network || !rule || !channel) throw new Error("the demo has none");
  return {
    ...topology,
    cluster: names.join(" "),
    hosts: names.map((name) => ({ ...host, key: name, group: name, site: name, zone: name, address: name })),
    networks: names.map((name) => ({ ...network, name, subnet: name })),
    rules: names.map((name) => ({ ...rule, name, ports: [name], from: [name], reason: name })),
    encryption: names.map((name) => ({ ...channel, channel: name as typeof channel.channel, mechanism: name, note: name })),
    programs: names.map((name) => ({ name, version: name })),
    policies: names.map((name) => ({ name, from: [name], to: [name], protocol: "tcp", ports: [name] })),
    gateways: names.map((name) => ({ name, to: name, port: 1, targetPort: 1, on: name, networks: [name], encryptedBy: name, image: name })),
    trunks: names.map((name) => ({
      ...{ name, network: name, subnet: name, addresses: name, vlan: 1, on: name, interface: name, mtu: 1 },
    })),
    peers: names.map((name) => ({
      ...{ name, address: name, as: 1, clusterAs: 2, on: "members", announces: { [name]: name }, accepts: [name], signedBy: "nothing", bfd: false },
    })),
  };
}
