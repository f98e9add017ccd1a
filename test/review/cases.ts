import type { AwsHostsArgs } from "../../components/hosts/aws/args";
import type { ExistingHostsArgs, ExistingMachine } from "../../components/hosts/existing";

export type Place = "existing" | "aws";

/** One edit of a cluster. Descriptions are those of the programs in test/engine. */
export interface Case {
  readonly name: string;
  readonly place: Place;
  /** @default - there is no cluster yet */
  readonly before?: object;
  readonly after: object;
}

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const machine = (place: number): ExistingMachine => ({ address: `192.168.7.${place}`, publicAddress: `203.0.113.${place}`, hostKey });
const control: ExistingHostsArgs = { role: "manager", site: "rack", machines: { a: machine(1), b: machine(2), c: machine(3) } };
const edge: ExistingHostsArgs = { role: "worker", site: "rack", machines: { a: machine(11), b: machine(12) } };
const https = { port: 443, from: ["world"], on: "workers" };

const base = {
  groups: { control, edge },
  firewall: { ssh: ["198.51.100.0/24"], expose: { https } },
  wireguard: {},
  networks: { web: {}, db: { internal: true } },
};
const oracle = { to: "192.168.7.200", port: 1521, on: "group edge", networks: ["web"] };
const gated = { ...base, gateways: { oracle } };
const encrypted = { ...base, wireguard: undefined, native: { encrypted: true }, swarm: { autolock: true } };

const region = "eu-west-1";
const managers: AwsHostsArgs = { role: "manager", region, count: 3 };
const workers: AwsHostsArgs = { role: "worker", region };
const cloud = { groups: { control: managers, edge: workers }, networks: { web: {} } };
const renewed = (...hosts: number[]): object => ({
  ...cloud,
  groups: { control: { ...managers, each: Object.fromEntries(hosts.map((host) => [host, { renew: "2026-11" }])) }, edge: workers },
});

const edits = (place: Place, before: object, all: Readonly<Record<string, object>>): Case[] =>
  Object.entries(all).map(([name, after]) => ({ name, place, before, after }));

export const cases: readonly Case[] = [
  { name: "first-up", place: "existing", after: base },
  ...edits("existing", base, {
    nothing: base,
    "world-open-port": { ...base, firewall: { ...base.firewall, expose: { https, metrics: { port: 9090, from: ["world"] } } } },
    "narrowed-and-closed": { ...base, firewall: { ssh: ["198.51.100.0/28"] } },
    "workers-added-and-removed": {
      ...base,
      groups: { control, edge: { ...edge, machines: { a: machine(11), c: machine(13), d: machine(14) } } },
    },
    renumber: { ...base, networks: { web: { prefix: 25 }, db: { internal: true } }, renumber: ["network web"] },
    "gateway-opened": gated,
    "overlay-switch": { ...base, networks: { web: {} }, weave: {} },
    refused: { ...base, addressSpace: "10.112.0.0/14" },
  }),
  ...edits("existing", gated, {
    "gateway-changed": { ...base, gateways: { oracle: { ...oracle, to: "oracle.example.com", networks: ["web", "db"] } } },
    "gateway-closed": base,
  }),
  ...edits("existing", encrypted, { "encryption-lost": { ...base, wireguard: undefined } }),
  ...edits("aws", cloud, {
    "manager-replaced": renewed(2),
    "two-managers-replaced": renewed(2, 3),
    "managers-resized": { ...cloud, groups: { control: { ...managers, instanceType: "m7i.large" }, edge: workers } },
  }),
];
