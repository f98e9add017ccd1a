import assert from "node:assert/strict";
import type { SwarmClusterArgs } from "../../components/cluster/args";
import { planCluster } from "../../components/cluster/plan";
import * as aws from "../../components/hosts/aws";
import * as existing from "../../components/hosts/existing";
import * as hetzner from "../../components/hosts/hetzner";
import type { Problem } from "../../components/report";
import * as local from "../../components/hosts/local";
import { flannel } from "../../components/overlays/flannel";
import { planHostFirewall, planWireGuardMesh } from "../../components/pieces/plan";
import { wireguard } from "../../components/underlay/wireguard";
import { clientKey } from "./client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
const control = local.hosts({ role: "manager" });
const worker = local.hosts({ role: "worker" });
const firewall = { ssh: ["203.0.113.0/24"] };
const rename = "rename one of them, but not one that is deployed already";

const lines = (problems: readonly Problem[]): string[] => problems.map(({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}`);
const taken = (name: string): string => `would both have a resource named "…-${name}", and there can be only one of that name`;

/** Two things whose resources would have one name, and the one line that says so. */
const same: readonly (readonly [string, SwarmClusterArgs, string])[] = [
  [
    "two networks",
    { hosts: { control }, networks: { a_b: {}, "a-b": {} } },
    `networks.a_b: network a_b and network a-b ${taken("network-a-b")}. Fix: ${rename}`,
  ],
  [
    "two networks of an overlay that routes",
    { hosts: { control }, overlay: flannel(), networks: { "a.b": {}, a_b: {} } },
    `networks.a_b: network a_b and network a.b ${taken("slice-a-b")}. Fix: ${rename}`,
  ],
  [
    "a group in a zone and another group",
    {
      firewall,
      underlay: wireguard(),
      hosts: { control, edge: aws.hosts({ role: "worker", region: "eu-west-1" }), "edge-a": worker },
    },
    `hosts.edge-a: group edge-a and group edge in zone a ${taken("site-edge-a")}. Fix: ${rename}`,
  ],
  [
    "two groups that differ by a hyphen",
    { hosts: { control, "a-b": worker, "a--b": worker } },
    `hosts.a-b: group a-b and group a--b ${taken("site-a-b")}. Fix: ${rename}`,
  ],
  [
    "two groups whose servers Hetzner could not tell apart, in two locations",
    {
      firewall,
      hosts: {
        control: hetzner.hosts({ role: "manager" }),
        "a-b": hetzner.hosts({ role: "worker", location: "fsn1", privateNetwork: { id: "1", cidr: "10.72.0.0/16" } }),
        "a--b": hetzner.hosts({ role: "worker", location: "nbg1", privateNetwork: { id: "1", cidr: "10.72.0.0/16" } }),
      },
    },
    `hosts.a-b: group a-b and group a--b ${taken("site-a-b")}. Fix: ${rename}`,
  ],
  [
    "a rule of the user's and a built-in one of a group",
    { hosts: { control }, firewall: { allow: { "ssh-control": { port: 9100, from: ["members"] } } } },
    `firewall.allow.ssh-control: the rule ssh-control and the built-in rule "ssh control" ${taken("ssh-control")}. Fix: choose another name for the rule`,
  ],
  [
    "two rules of the user's",
    {
      hosts: { control },
      firewall: { expose: { "a-b": { port: 443, from: ["world"] } }, allow: { "a--b": { port: 9100, from: ["members"] } } },
    },
    `firewall.allow.a--b: the rule a--b and the rule a-b ${taken("a-b")}. Fix: choose another name for the rule`,
  ],
  [
    "two built-in rules, one of a group of etcd's members",
    { hosts: { control, x: worker, "peers-x": worker, y: worker }, overlay: flannel({ etcd: { on: ["x", "peers-x", "y"] } }) },
    `hosts.peers-x: the built-in rule "etcd peers-x" and the built-in rule "etcd-peers x" ${taken("etcd-peers-x")}. ` +
      "Fix: rename one of the groups, but not one that is deployed already",
  ],
  [
    "two sites of one cloud",
    {
      firewall,
      underlay: wireguard(),
      hosts: {
        control: hetzner.hosts({ role: "manager", site: "far away" }),
        edge: hetzner.hosts({ role: "worker", site: "far-away", network: "10.73.0.0/16" }),
      },
    },
    `hosts.edge: site "far-away" and site "far away" ${taken("far-away")}. Fix: ${rename}`,
  ],
  [
    "two networks that one rule lets in at AWS",
    {
      firewall: { ...firewall, allow: { a: { port: 9100, from: ["fd00::1:2:0/112", "fd00:1::2:0/112"] } } },
      hosts: { control: aws.hosts({ role: "manager", region: "eu-west-1" }) },
    },
    'firewall: "a 9100 fd00:1::2:0/112" in the security groups of site "aws eu-west-1" and "a 9100 fd00::1:2:0/112" in the security groups of site "aws eu-west-1" ' +
      `${taken("aws-eu-west-1-a-9100-fd00-1-2-0-112")}. Fix: rename one of the rules; of two networks in one rule, write one into an entry of its own`,
  ],
  [
    "two rules with their ports at AWS",
    {
      firewall: { ...firewall, allow: { a: { port: "80-81", from: ["10.9.0.0/16"] }, "a-80": { port: 81, from: ["10.9.0.0/16"] } } },
      hosts: { control: aws.hosts({ role: "manager", region: "eu-west-1" }) },
    },
    'firewall: "a-80 81 10.9.0.0/16" in the security groups of site "aws eu-west-1" and "a 80-81 10.9.0.0/16" in the security groups of site "aws eu-west-1" ' +
      `${taken("aws-eu-west-1-a-80-81-10-9-0-0-16")}. Fix: rename one of the rules; of two networks in one rule, write one into an entry of its own`,
  ],
];

describe("names of resources", () => {
  for (const [what, args, expected] of same) {
    it(`are found to be one before anything is made: ${what}`, () => {
      assert.ok(lines(planCluster(args).problems).includes(expected), lines(planCluster(args).problems).join("\n") || "nothing was found");
    });
  }

  it("are found to be one in the pieces too", () => {
    const machines = { a: { address: "10.20.0.1", hostKey } };
    const rack = existing.hosts({ role: "worker", privateKey: clientKey, machines });
    const rules = { ...firewall, allow: { "a-b": { port: 443, from: ["world"] }, "a--b": { port: 9100, from: ["members"] } } };
    const line = `firewall.allow.a--b: the rule a--b and the rule a-b ${taken("a-b")}. Fix: choose another name for the rule`;
    assert.deepEqual(lines(planHostFirewall({ hosts: { rack }, firewall: rules }).problems), [line]);
    assert.deepEqual(lines(planWireGuardMesh({ hosts: { rack }, firewall: rules }).problems), [line]);
    // No rule is a resource where no host keeps it.
    assert.deepEqual(planWireGuardMesh({ hosts: { rack } }).problems, []);
  });

  it("are told once for all hosts of two groups, and not at all where a host's own name is the problem", () => {
    const machine = { address: "10.213.4.9", hostKey };
    const site = { site: "local 10.213.0.0/16", network: "10.213.0.0/16" };
    const many = planCluster({
      hosts: { control, "a-b": local.hosts({ role: "worker", count: 20 }), "a--b": local.hosts({ role: "worker", count: 20 }) },
    });
    assert.equal(many.problems.length, 1, lines(many.problems).join("\n"));
    const twins = planCluster({
      hosts: { control, "edge-1": worker, edge: existing.hosts({ role: "worker", privateKey: clientKey, machines: { "1-1": machine }, ...site }) },
      firewall,
    });
    assert.match(lines(twins.problems)[0] ?? "", /^hosts\.edge: two hosts are named edge-1-1/);
    assert.ok(!lines(twins.problems).join().includes("would both have a resource"), lines(twins.problems).join("\n"));
  });
});
