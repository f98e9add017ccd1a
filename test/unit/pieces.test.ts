import assert from "node:assert/strict";
import { planHostFirewall, planWireGuardMesh } from "../../components";
import { nftRuleset } from "../../components/firewall/nftables";
import { openPorts } from "../../components/firewall/open";
import * as existing from "../../components/hosts/existing";
import type { FirewallHost } from "../../components/firewall/rule";
import type { HostGroup, PlannedHost } from "../../components/hosts/host";
import * as aws from "../../components/hosts/aws";
import { clientKey } from "./client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";

function rack(site: string, ...addresses: readonly string[]): HostGroup {
  const machines = Object.fromEntries(addresses.map((address, index) => ["abc"[index] ?? "", { address, hostKey }]));
  return existing.hosts({ role: "worker", privateKey: clientKey, site, machines });
}

function asFirewallHost({ key, role, group, site, address = "", tunnelAddress }: PlannedHost): FirewallHost {
  return { key, role, group, site, address, ...(tunnelAddress !== undefined && { tunnelAddress }) };
}

const hosts = { rack: rack("rack", "10.20.0.1", "10.20.0.2") };
const firewall = { ssh: ["198.51.100.0/24"] };
const said = ({ problems }: { readonly problems: readonly { path: string; message: string; fix: string }[] }): string[] =>
  problems.map(({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}.`);

describe("a firewall of hosts alone", () => {
  it("lets in SSH and pings, what is allowed, and nothing of a swarm", () => {
    const allow = { web: { port: 443, from: ["world"] }, own: { port: 2377, from: ["members"] } } as const;
    const { plan, problems } = planHostFirewall({ hosts, firewall: { ...firewall, allow } });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      plan.firewall.map(({ name }) => name),
      ["ssh", "ping", "web", "own"],
    );
    assert.equal(plan.enforced, "hosts");
    const [target, neighbour] = plan.hosts.map(asFirewallHost);
    assert.ok(target && neighbour);
    const ports = (address: string): readonly string[] => openPorts(plan.firewall, target, { address, arrivesOn: "site" }, [target, neighbour]).tcp;
    assert.deepEqual(ports("198.51.100.7"), ["22", "443"]);
    assert.deepEqual(ports(neighbour.address), ["443", "2377"]);
    assert.deepEqual(ports("192.0.2.1"), ["443"]);
  });

  it("tells all that is wrong at once, in the words of its arguments", () => {
    const wrong = { enforce: "none", allow: { Web: { port: 443, from: [] } } } as const;
    assert.deepEqual(said(planHostFirewall({ hosts, firewall: wrong, reachableSeconds: 1 })).sort(), [
      "firewall.allow.Web.from: it is empty, so nobody could connect. Fix: name who may, or leave the entry out.",
      'firewall.allow.Web: "Web" cannot name a rule. Fix: choose a name such as web: up to 50 lower-case letters, digits and dashes, a letter first.',
      "firewall.enforce: a firewall that no host keeps does nothing. Fix: leave enforce out.",
      "reachableSeconds: 1 is not a usable time. Fix: give seconds from 5 to 900.",
    ]);
    assert.match(said(planHostFirewall({ hosts, firewall: {} }))[0] ?? "", /^firewall\.ssh: SSH is open to nobody by default/);
    assert.match(said(planHostFirewall({ hosts, firewall, recheck: "" }))[0] ?? "", /^recheck: "" is not a text\. Fix: write a text/);
  });
});

describe("an encrypted mesh of hosts alone", () => {
  const two = { ...hosts, far: rack("far", "203.0.113.9") };

  it("gives each host an address that no other host moves", () => {
    const one = planWireGuardMesh({ hosts });
    const more = planWireGuardMesh({ hosts: { edge: rack("rack", "10.20.0.9"), ...hosts } });
    assert.deepEqual([one.problems, more.problems], [[], []]);
    const address = (planned: typeof one, key: string): string | undefined => planned.plan.hosts.find((host) => host.key === key)?.tunnelAddress;
    assert.match(address(one, "rack-a") ?? "", /^10\.97\.(19[2-9]|2\d\d)\./);
    for (const key of ["rack-a", "rack-b"]) assert.equal(address(more, key), address(one, key));
  });

  it("says its packets' size, what protects them and what opens them, and touches no firewall", () => {
    const { plan, problems } = planWireGuardMesh({ hosts: two });
    assert.deepEqual(problems, []);
    assert.equal(plan.underlayMtu, 1440);
    assert.deepEqual([plan.enforced, plan.firewall.map(({ name, ports }) => `${name} ${ports.join()}`)], ["none", ["wireguard 51820"]]);
    assert.match(plan.encryption[0]?.rotation ?? "", /the hosts' keys when rotation is set$/);
  });

  it("closes the hosts where it is told to, but for all that comes out of the tunnel", () => {
    const { plan, problems } = planWireGuardMesh({ hosts: two, firewall: { ...firewall, expose: { web: { port: 443, from: ["world"] } } } });
    assert.deepEqual(problems, [], "the sweeping rules take no port");
    const [target, , far] = plan.hosts.map(asFirewallHost);
    assert.ok(target?.tunnelAddress && far?.tunnelAddress);
    const from = (address: string, arrivesOn: "site" | "tunnel"): readonly string[] =>
      openPorts(plan.firewall, target, { address, arrivesOn }, [target, far]).tcp;
    assert.deepEqual(from(far.tunnelAddress, "tunnel"), ["1-65535"]);
    assert.deepEqual(from("192.0.2.1", "site"), ["443"]);
    assert.match(
      said(planWireGuardMesh({ hosts, firewall: { ...firewall, allow: { "mesh-tcp": { port: 1, from: ["world"] } } } }))[0] ?? "",
      /name of a built-in rule/,
    );
  });

  it("lets a closed host say what it likes, but to addresses of the mesh in the tunnel only", () => {
    const { plan } = planWireGuardMesh({ hosts: two, firewall });
    const all = plan.hosts.map(asFirewallHost);
    const ruleset = nftRuleset(plan.firewall, all[0] as FirewallHost, all, { tunnelInterface: "swarm0" });
    const output = /chain output \{\n(.*?)\n {2}\}/s.exec(ruleset)?.[1] ?? "";
    const drops = output.split("\n").filter((line) => line.includes("drop"));
    const addresses = all.map(({ tunnelAddress }) => tunnelAddress).sort();
    assert.deepEqual(drops, [`    oifname != { "lo", "swarm0" } ip daddr { ${addresses.join(", ")} } drop`]);
  });

  it("refuses a network that is none, is taken, is public or is too small", () => {
    const problem = (subnet: string): string => said(planWireGuardMesh({ hosts, subnet, avoid: ["10.30.0.0/16"] }))[0] ?? "";
    assert.match(problem("10.40"), /^subnet: .*\. Fix: write it as address\/prefix, such as 10\.96\.0\.0\/14\.$/);
    assert.equal(problem("10.30.4.0/22"), "subnet: 10.30.4.0/22 overlaps 10.30.0.0/16, avoid[0]. Fix: choose a network that is free everywhere.");
    assert.match(problem("10.20.0.0/24"), /overlaps 10\.20\.0\.1\/32, the address of rack-a/);
    assert.match(problem("198.18.0.0/18"), /^subnet: 198\.18\.0\.0\/18 are public addresses/);
    assert.equal(problem("10.40.0.0/27"), "subnet: 10.40.0.0/27 is too small: each group of hosts has a block of it. Fix: take a /26 or larger.");
  });

  it("says what is wrong with the tunnel's own arguments by their own names", () => {
    assert.deepEqual(said(planWireGuardMesh({ hosts, port: 0, mtu: 9000 })), [
      "port: 0 is not a UDP port. Fix: give a whole number from 1 to 65535, or leave it out for 51820.",
      "mtu: 9000 is more than the sites carry: 1440 is left of the smallest after 60 bytes for the tunnel. Fix: leave it out.",
    ]);
    assert.match(
      said(planWireGuardMesh({ hosts, pins: { "tunnel edge": "10.97.200.0/24" } }))[0] ?? "",
      /^pins\["tunnel edge"\]: nothing of this name/,
    );
  });

  it("needs to know who may log in where a cloud's firewall of ours stands before the hosts", () => {
    const cloud = { cloud: aws.hosts({ role: "worker", region: "eu-west-1" }) };
    assert.match(
      said(planWireGuardMesh({ hosts: cloud })).join("\n"),
      /firewall: the cloud's own firewall before the hosts of cloud allows what is said here\. Fix: write firewall: \{ ssh/,
    );
  });
});
