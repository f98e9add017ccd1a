/* Mistakes that the compiler tells before anything runs: it would complain of a line below which it does not. Never run. */
import { flannel, HostFirewall, native, SwarmCluster, weave, wireguard } from "../../../components";
import * as aws from "../../../components/hosts/aws";
import * as existing from "../../../components/hosts/existing";
import * as hetzner from "../../../components/hosts/hetzner";
import * as local from "../../../components/hosts/local";

const control = local.hosts({ role: "manager", count: 3 });
const hosts = { control };
const machine = { address: "192.168.7.10", hostKey: "ssh-ed25519 AAAA" };

export const refused = [
  // @ts-expect-error no arguments
  () => new SwarmCluster("prod"),
  // @ts-expect-error a misspelt option
  () => new SwarmCluster("prod", { hosts, adressSpace: "10.96.0.0/14" }),
  // @ts-expect-error hosts as a list
  () => new SwarmCluster("prod", { hosts: [control] }),
  // @ts-expect-error hosts() forgotten
  () => new SwarmCluster("prod", { hosts: { control: { role: "manager" } } }),
  // @ts-expect-error a text for an overlay
  () => new SwarmCluster("prod", { hosts, overlay: "flannel" }),
  // @ts-expect-error the overlay's function not called
  () => new SwarmCluster("prod", { hosts, overlay: flannel }),
  // @ts-expect-error a misspelt option of a network
  () => new SwarmCluster("prod", { hosts, networks: { db: { intern: true } } }),
  // @ts-expect-error a text for a list
  () => new SwarmCluster("prod", { hosts, firewall: { ssh: "203.0.113.0/24" } }),
  // @ts-expect-error no sources
  () => new SwarmCluster("prod", { hosts, firewall: { expose: { web: { port: 80 } } } }),
  // @ts-expect-error a text for a flag
  () => new SwarmCluster("prod", { hosts, swarm: { autolock: "true" } }),
  // @ts-expect-error a number for a time
  () => new SwarmCluster("prod", { hosts, swarm: { certificateExpiry: 720 } }),
  // @ts-expect-error a source that there is not
  () => new SwarmCluster("prod", { hosts, engine: { source: "snap" } }),
  // @ts-expect-error a role that is none
  () => local.hosts({ role: "master" }),
  // @ts-expect-error no role
  () => local.hosts({ count: 3 }),
  // @ts-expect-error a count as a text
  () => local.hosts({ role: "worker", count: "3" }),
  // @ts-expect-error an option of another provider
  () => local.hosts({ role: "worker", region: "eu-west-1" }),
  // @ts-expect-error no host key
  () => existing.hosts({ role: "manager", machines: { a: { address: "192.168.7.10" } } }),
  // @ts-expect-error a port as a text
  () => existing.hosts({ role: "manager", port: "22", machines: { a: machine } }),
  // @ts-expect-error no region
  () => aws.hosts({ role: "manager" }),
  // @ts-expect-error a location by its city
  () => hetzner.hosts({ role: "manager", location: "Falkenstein" }),
  // @ts-expect-error an option of another overlay
  () => native({ backend: "vxlan" }),
  // @ts-expect-error an option of another overlay
  () => weave({ backend: "vxlan" }),
  // @ts-expect-error a port as a text
  () => wireguard({ port: "51820" }),
  // @ts-expect-error no firewall
  () => new HostFirewall("racks", { hosts }),
];
