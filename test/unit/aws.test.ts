import assert from "node:assert/strict";
import * as fc from "fast-check";
import { planCluster } from "../../components/cluster/plan";
import { summarize } from "../../components/cluster/summary";
import type { SwarmClusterArgs } from "../../components/cluster/args";
import * as aws from "../../components/hosts/aws";
import type { AwsHostsArgs } from "../../components/hosts/aws/args";
import { architectureOf } from "../../components/hosts/aws/plan";
import { compileIngress, groupSizes, selectorsOf } from "../../components/hosts/aws/rules";
import { zonesProblem } from "../../components/hosts/aws/zones";
import { selects } from "../../components/firewall/resolve";
import { userData } from "../../components/hosts/cloud/user-data";
import type { HostGroup, Member } from "../../components/hosts/host";
import * as existing from "../../components/hosts/existing";
import { Cidr } from "../../components/addresses/cidr";
import { flannel } from "../../components/overlays/flannel";
import { wireguard } from "../../components/underlay/wireguard";
import type { Problem } from "../../components/report";

const region = "eu-west-1";
const firewall = { ssh: ["203.0.113.0/24"] };

/** A program without types may give anything. */
function group(args: object): SwarmClusterArgs["hosts"][string] {
  return aws.hosts({ role: "manager", region, ...args });
}

function problemsOf(args: object): readonly Problem[] {
  return planCluster({ hosts: { control: group(args) }, firewall }).problems;
}

/** Where each host is, in a sound plan. */
function placesOf(groups: Readonly<Record<string, object>>): Readonly<Record<string, string>> {
  const hosts = Object.fromEntries(Object.entries(groups).map(([key, args]) => [key, group(args)]));
  const { plan, problems } = planCluster({ hosts, firewall, underlay: wireguard() });
  assert.deepEqual(problems, []);
  return Object.fromEntries(plan.hosts.map(({ key, zone, address }) => [key, `${zone} ${address}`]));
}

const vpc = { id: "vpc-1", cidr: "10.20.0.0/16", subnets: { a: { id: "subnet-a", cidr: "10.20.0.0/20" } } };

/** What is wrong, and all that a user should read of it. */
const wrong: readonly (readonly [when: string, args: object, problem: Problem])[] = [
  [
    "there is no region",
    { region: undefined },
    { path: "hosts.control.region", message: "a region is missing", fix: 'write its name, such as "eu-west-1"' },
  ],
  [
    "the region is a zone",
    { region: "eu-west-1a" },
    { path: "hosts.control.region", message: '"eu-west-1a" is not a region', fix: 'write "eu-west-1"' },
  ],
  [
    "a zone is named in full",
    { zones: ["a", "eu-west-1b"] },
    { path: "hosts.control.zones[1]", message: '"eu-west-1b" is not a zone\'s letter', fix: 'write "b"' },
  ],
  ["no zone is named", { zones: [] }, { path: "hosts.control.zones", message: "[] names no zone", fix: 'write letters such as ["a", "b", "c"]' }],
  [
    "a zone has no subnet in the user's VPC",
    { vpc, zones: ["a", "b"] },
    { path: "hosts.control.zones[1]", message: "vpc.subnets has none in zone b", fix: "add one, or leave the zone out" },
  ],
  [
    "the VPC has no subnets",
    { vpc: { ...vpc, subnets: undefined } },
    {
      path: "hosts.control.vpc.subnets",
      message: "no subnet is given",
      fix: 'write each under the letter of its zone: { a: { id: "subnet-…", cidr: "10.0.1.0/24" } }',
    },
  ],
  [
    "a subnet is not in its VPC",
    // Another zone than that of the only host, so that its address is right.
    { vpc: { ...vpc, subnets: { ...vpc.subnets, b: { id: "subnet-b", cidr: "10.21.0.0/20" } } } },
    { path: "hosts.control.vpc.subnets.b.cidr", message: "10.21.0.0/20 is not in 10.20.0.0/16, the VPC's network", fix: "correct one of them" },
  ],
  [
    "the network is too small for zones",
    { network: "10.64.0.0/22" },
    { path: "hosts.control.network", message: "10.64.0.0/22 cannot be cut into zones", fix: "take a /16 to /21" },
  ],
  [
    "the network is larger than a VPC can be",
    { network: "10.64.0.0/15" },
    { path: "hosts.control.network", message: "10.64.0.0/15 cannot be cut into zones", fix: "take a /16 to /21" },
  ],
  [
    "two networks are given",
    { network: "10.64.0.0/16", vpc },
    { path: "hosts.control.network", message: "network and vpc are both given", fix: "keep network to have one made, or vpc to use yours" },
  ],
  [
    "the type is no type",
    { instanceType: "large" },
    {
      path: "hosts.control.instanceType",
      message: '"large" is not an instance type for Linux',
      fix: 'write one such as "t3.medium" or "t4g.medium"',
    },
  ],
  [
    "the image is not known",
    { image: "debian-11" },
    {
      path: "hosts.control.image",
      message: '"debian-11" is not an image',
      fix: 'write "debian-13", "debian-12", "ubuntu-24.04" or { id: "ami-…" }',
    },
  ],
  [
    "the disk is too small",
    { diskSize: 4 },
    { path: "hosts.control.diskSize", message: "4 GiB are not a size for a root volume", fix: "give a whole number from 8 to 16384" },
  ],
  [
    "the quota of rules is none",
    { securityGroupRules: 0 },
    {
      path: "hosts.control.securityGroupRules",
      message: "0 is not a quota of rules",
      fix: "give a whole number from 1 to 1000, as Service Quotas shows it, or leave it out",
    },
  ],
  [
    "managers are spot instances",
    { spot: true },
    {
      path: "hosts.control.spot",
      message: "EC2 takes spot instances away, and the swarm would lose its managers",
      fix: "leave spot out, or make the group workers",
    },
  ],
  [
    "hosts of the network that is made have no public address",
    { publicAddress: "none" },
    {
      path: "hosts.control.publicAddress",
      message: "hosts without a public address could neither be reached nor fetch anything: the network that is made for them has no other way out",
      fix: "leave it out, or give your own vpc, with a NAT gateway for its subnets",
    },
  ],
  [
    "an address is to be given as EC2 does by itself, which an interface that stays does not get",
    { publicAddress: "auto" },
    { path: "hosts.control.publicAddress", message: '"auto" is no way to an address', fix: 'write "elastic" or "none"' },
  ],
  [
    "a router's address is given to hosts that have their own",
    { natAddress: "203.0.113.9" },
    { path: "hosts.control.natAddress", message: "the hosts have public addresses of their own", fix: 'leave it out, or set publicAddress: "none"' },
  ],
  [
    "something is said of a host that is not there",
    { count: 1, each: { 2: { renew: "1" } } },
    { path: "hosts.control.each.2", message: "there is no host 2", fix: "the hosts are 1" },
  ],
  [
    "the key is named by its alias",
    { kmsKeyId: "alias/swarm" },
    {
      path: "hosts.control.kmsKeyId",
      message: '"alias/swarm" is not a key\'s ARN',
      fix:
        'give what "aws kms describe-key --key-id KEY --query KeyMetadata.Arn --output text" prints, with the key\'s id or alias as KEY: ' +
        "EC2 gives an id or alias back as the ARN, and each up would replace all hosts",
    },
  ],
  [
    "a text to renew a host cannot be part of a name",
    { each: { 1: { renew: "to zone d" } } },
    {
      path: "hosts.control.each.1.renew",
      message: '"to zone d" is not a short text',
      fix: 'use up to 40 letters, digits, dots and hyphens, such as "2026-05-01"',
    },
  ],
];

describe("EC2 hosts", () => {
  for (const [when, args, problem] of wrong) it(`are refused with the fix when ${when}`, () => assert.deepEqual(problemsOf(args), [problem]));

  it("are refused where two subnets of a VPC overlap", () => {
    const subnets = { a: { id: "a", cidr: "10.20.0.0/20" }, b: { id: "b", cidr: "10.20.8.0/24" } };
    assert.deepEqual(problemsOf({ vpc: { ...vpc, subnets } }), [
      { path: "hosts.control.vpc.subnets.b.cidr", message: "10.20.8.0/24 overlaps 10.20.0.0/20 of zone a", fix: "give each subnet its own CIDR" },
    ]);
  });

  it("are refused in a VPC that overlaps the address space, or another region's network, at preview", () => {
    const overlapping = { ...vpc, cidr: "10.96.0.0/16", subnets: { a: { id: "a", cidr: "10.96.0.0/20" } } };
    assert.deepEqual(
      problemsOf({ vpc: overlapping }).map(({ path, message }) => `${path}: ${message}`),
      ['addressSpace: 10.96.0.0/14 overlaps 10.96.0.0/16, the network of site "aws eu-west-1"'],
    );
    const hosts = { control: group({}), far: group({ region: "us-east-1", role: "worker" }) };
    assert.deepEqual(planCluster({ hosts, firewall, underlay: wireguard() }).problems, [
      {
        path: "hosts.far.network",
        message: '10.64.0.0/16 overlaps 10.64.0.0/16, the network of site "aws eu-west-1"',
        fix: "choose a network that nothing else uses",
      },
    ]);
  });

  it("need somebody who may administer them", () => {
    assert.deepEqual(
      planCluster({ hosts: { control: group({}) } }).problems.map(({ path }) => path),
      ["firewall.ssh"],
    );
  });

  it("go round the zones by their numbers, each at its number in its group's block", () => {
    assert.deepEqual(placesOf({ control: { count: 3 }, edge: { role: "worker", numbers: [2, 4, 5], zones: ["a", "c"] } }), {
      "control-1": "a 10.64.10.1",
      "control-2": "b 10.64.42.2",
      "control-3": "c 10.64.74.3",
      "edge-2": "c 10.64.79.2",
      "edge-4": "c 10.64.79.4",
      "edge-5": "a 10.64.15.5",
    });
  });

  it("can be pinned zone by zone", () => {
    const { plan, problems } = planCluster({ hosts: { control: group({ count: 3 }) }, firewall, pins: { "site control b": "10.64.63.0/24" } });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      plan.hosts.map(({ address }) => address),
      ["10.64.10.1", "10.64.63.2", "10.64.74.3"],
    );
    assert.deepEqual(planCluster({ hosts: { control: group({ count: 3 }) }, firewall, pins: { "site control b": "10.64.0.0/24" } }).problems.at(-1), {
      path: 'pins["site control b"]',
      message: '10.64.0.0/24 is not in 10.64.32.0/19, that of zone b of site "aws eu-west-1"',
      fix: "pin a block of it",
    });
  });

  it("are never where another is, nor on what AWS keeps, and none is moved by a host or a zone more", () => {
    const zones = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f"), { minLength: 1 });
    const groups = fc.record({
      count: fc.constantFrom(1, 3, 5),
      more: fc.nat(20),
      zones,
      network: fc.constantFrom("10.64.0.0/16", "172.20.0.0/18", "10.0.64.0/21"),
    });
    fc.assert(
      fc.property(groups, ({ count, more, zones: letters, network }) => {
        const common = { network, zones: letters };
        const before = placesOf({ control: { count, ...common } });
        const after = placesOf({ control: { count, ...common }, edge: { role: "worker", count: 1 + more, ...common, zones: [...letters, "h"] } });
        const whole = Cidr.parse(network) as Cidr;
        for (const [key, place] of Object.entries(before)) assert.equal(after[key], place);
        const addresses = Object.values(after);
        assert.equal(new Set(addresses).size, addresses.length);
        for (const place of addresses) {
          const [zone = "", address = ""] = place.split(" ");
          const subnet = whole.subnet(whole.prefix + 3, "abcdefgh".indexOf(zone));
          const offset = (Cidr.parse(`${address}/32`) as Cidr).first - subnet.first;
          assert.ok(offset >= 4n && offset < subnet.size - 1n, `${place} in ${subnet}`);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("are in one zone where an overlay routes containers' addresses over their network, of which EC2's routers know nothing", () => {
    const overlayOf = (groups: Readonly<Record<string, object>>, backend: "host-gw" | "vxlan"): readonly Problem[] => {
      const hosts = Object.fromEntries(Object.entries(groups).map(([key, args]) => [key, group(args)]));
      return planCluster({ hosts, firewall, overlay: flannel({ backend }) }).problems;
    };
    const apart = { control: { zones: ["b"] }, edge: { role: "worker", zones: ["a"] } };
    for (const groups of [{ control: { count: 3, zones: ["b", "a"] } }, apart]) {
      assert.deepEqual(overlayOf(groups, "host-gw"), [
        {
          path: "overlay",
          message:
            'flannel hands on packets with containers\' own addresses to neighbours, and the hosts of site "aws eu-west-1" are in the subnets of the zones a, b: the routers between them know no way to containers',
          fix: 'take flannel({ backend: "vxlan" }) or another overlay that wraps them, or put all hosts of the site into one zone (zones: ["a"])',
        },
      ]);
      assert.deepEqual(overlayOf(groups, "vxlan"), []);
    }
    assert.deepEqual(overlayOf({ control: { count: 3, zones: ["b"] } }, "host-gw"), []);
  });

  it("have EC2's large packets among themselves, and those of the Internet with hosts of other sites", () => {
    const planned = (hosts: SwarmClusterArgs["hosts"]): unknown[] => {
      const { plan, problems } = planCluster({ hosts, firewall, underlay: wireguard() });
      return [plan.underlayMtu, ...problems.map(({ path, message, fix }) => `${path}: ${message}; ${fix}`)];
    };
    const control = group({ mtu: 9001 });
    const far = (more: object): HostGroup => group({ role: "worker", region: "us-east-1", network: "10.65.0.0/16", mtu: 9001, ...more });
    assert.deepEqual(planned({ control }), [8941]);
    assert.deepEqual(planned({ control, far: far({}) }), [1440]);
    const { plan } = planCluster({ hosts: { control, far: far({}) }, firewall, underlay: wireguard() });
    assert.match(summarize("lab", plan), /MTU +1390 for containers \(1500 between the sites, 1440 on wireguard\)/);
    assert.deepEqual(planned({ control: group({ mtu: 9001, mtuOutside: 8500 }), far: far({ mtuOutside: 8500 }) }), [8440]);
    const narrow = planned({ control, far: far({ mtuOutside: 9002 }) }).slice(1);
    assert.deepEqual(narrow, [
      "hosts.far.mtuOutside: 9002 is not an MTU to other sites; give the way's MTU in bytes, from 1280 to the 9001 of the site, or leave it out",
    ]);
    assert.deepEqual(planned({ control, edge: group({ role: "worker", mtu: 9001, mtuOutside: 1400 }) }).slice(1), [
      'hosts.edge: describes its site "aws eu-west-1" otherwise than another group does (network 10.64.0.0/16, MTU 9001 (1400 outside) against 10.64.0.0/16, 9001); give the same network and MTU to all groups of a site, or another site',
    ]);
  });

  it("have encrypted disks, which the plan says of the cluster as soon as all hosts do", () => {
    const rack = existing.hosts({
      role: "worker",
      agentSocket: "/run/agent",
      machines: { a: { address: "192.0.2.1", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9" } },
    });
    const disks = (hosts: SwarmClusterArgs["hosts"]): unknown => {
      const channel = planCluster({ hosts, firewall, underlay: wireguard() }).plan.encryption.find((one) => one.channel === "disks");
      return [channel?.mechanism, channel?.protects];
    };
    assert.deepEqual(disks({ control: group({}) }), ["EBS: AES-256 under a key of AWS KMS", true]);
    assert.deepEqual(disks({ control: group({}), rack }), ["none by this package for rack", false]);
    assert.deepEqual(disks({ rack }), ["none by this package", false]);
  });

  it("have the processor that their type's name says", () => {
    const types = ["a1.large", "t4g.small", "m7g.large", "c6gn.xlarge", "im4gn.large", "is4gen.medium", "x2gd.medium", "g5g.xlarge", "r8gd.large"];
    for (const type of types) assert.equal(architectureOf(type), "arm64", type);
    for (const type of ["t3.medium", "g4dn.xlarge", "m7i.large", "c5ad.large", "u7i-12tb.224xlarge", "x2idn.large", "g6.xlarge"]) {
      assert.equal(architectureOf(type), "x86_64", type);
    }
  });
});

describe("the user data of an EC2 host", () => {
  const text = userData({
    hostname: "control-1",
    authorizedKey: "ssh-ed25519 AAAAclient",
    hostKey: { privateKey: "line 1\nline 2\n", publicKey: "ssh-ed25519 AAAAhost" },
  });

  it("is cloud-init's, and puts in place one host key, one login, and no password", () => {
    assert.ok(text.startsWith("#cloud-config\n"));
    assert.deepEqual(JSON.parse(text.slice(text.indexOf("\n"))), {
      hostname: "control-1",
      manage_etc_hosts: "localhost",
      ssh_pwauth: false,
      disable_root: true,
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: "line 1\nline 2\n", ed25519_public: "ssh-ed25519 AAAAhost" },
      users: [
        {
          name: "swarm",
          gecos: "pulumi-swarm",
          shell: "/bin/bash",
          lock_passwd: true,
          sudo: "ALL=(ALL) NOPASSWD:ALL",
          groups: ["docker"],
          ssh_authorized_keys: ["ssh-ed25519 AAAAclient"],
        },
      ],
    });
  });
});

describe("the rules of security groups", () => {
  const member = (key: string, site: string, more: Partial<Member> = {}): Member => ({
    key,
    group: key.replace(/-\d+$/, ""),
    role: key.startsWith("control") ? "manager" : "worker",
    site,
    provider: site.startsWith("aws") ? "aws" : "existing",
    address: "10.64.1.1",
    ...more,
  });
  const here = [member("control-1", "aws one"), member("edge-1", "aws one")];
  const tcp = { protocol: "tcp", fromPort: 443, toPort: 443, description: "what it's for" } as const;

  it("are one for the same ports from the same source, whatever they are called: EC2 takes no second", () => {
    const cidr = { kind: "cidr", cidr: "203.0.113.0/24" } as const;
    const rules = [
      { ...tcp, name: "one", sources: [cidr], appliesTo: "members" },
      { ...tcp, name: "other", sources: [cidr, { kind: "cidr", cidr: "2001:DB8::/32" }], appliesTo: "members" },
    ] as const;
    const found = compileIngress(rules, "aws one", here).map(({ name, source }) => [name, source]);
    assert.deepEqual(found, [
      ["one 443 203.0.113.0/24", { kind: "network", cidr: "203.0.113.0/24" }],
      ["other 443 2001:db8::/32", { kind: "network", cidr: "2001:db8::/32" }],
    ]);
  });

  it("name a host that is no instance of ours in the same site by its address there", () => {
    const rules = [{ ...tcp, name: "one", sources: [{ kind: "hosts", hosts: "workers" }], appliesTo: "managers" }] as const;
    const neighbour = member("rack-1", "aws one", { provider: "existing", address: "10.64.7.7", seenAs: "192.0.2.1" });
    const found = compileIngress(rules, "aws one", [...here, neighbour]).map(({ source }) => source);
    assert.deepEqual(found, [
      { kind: "security group", of: "workers" },
      { kind: "network", cidr: "10.64.7.7/32" },
    ]);
  });

  it("are none for hosts that are not in the site, nor for those whose address nobody knows", () => {
    const rules = [
      { ...tcp, name: "one", sources: [{ kind: "hosts", hosts: "members" }], appliesTo: "group far" },
      { ...tcp, name: "two", sources: [{ kind: "hosts", hosts: "group far" }], appliesTo: "members" },
    ] as const;
    assert.deepEqual(compileIngress(rules, "aws one", [...here, member("far-1", "attic")]), []);
    assert.deepEqual(selectorsOf(rules), ["group far", "members"]);
  });

  it("are described in EC2's characters", () => {
    const rules = [
      {
        ...tcp,
        name: "one",
        description: `"quoted" – it's ${"long ".repeat(80)}`,
        sources: [{ kind: "hosts", hosts: "workers" }],
        appliesTo: "managers",
      },
    ] as const;
    const [{ description = "" } = {}] = compileIngress(rules, "aws one", here);
    assert.match(description, /^one:  quoted {4}it s long /);
    assert.equal(description.length, 255);
  });

  it("are counted as EC2 does: each family for itself, a group for both", () => {
    const sources = [
      { kind: "hosts", hosts: "workers" },
      { kind: "cidr", cidr: "203.0.113.0/24" },
      { kind: "cidr", cidr: "198.51.100.0/24" },
      { kind: "cidr", cidr: "2001:db8::/32" },
    ] as const;
    const rules = compileIngress([{ ...tcp, name: "one", sources, appliesTo: "managers" }], "aws one", here);
    assert.deepEqual(groupSizes(rules), [{ group: "managers", rules: 3 }]);
    assert.deepEqual(groupSizes([]), []);
  });

  const sources = (count: number): string[] => Array.from({ length: count }, (_, index) => `198.51.100.${index}/32`);
  const overfull = (more: object, hosts: Readonly<Record<string, object>> = { control: {} }): readonly Problem[] =>
    planCluster({
      hosts: Object.fromEntries(Object.entries(hosts).map(([key, args]) => [key, group({ ...args, ...more })])),
      firewall: { ...firewall, expose: { https: { port: 443, from: sources(70), on: "managers" } } },
    }).problems;

  it("are refused at preview where a group would have more than EC2 takes, once for all groups of the site", () => {
    const problem = {
      path: "hosts.control.securityGroupRules",
      message: 'the security group of managers in site "aws eu-west-1" would have 71 rules, and EC2 takes 60',
      fix: "name fewer sources in firewall, or have AWS raise the quota of rules per security group and say securityGroupRules: 71 in all groups of the site",
    };
    assert.deepEqual(overfull({}), [problem]);
    assert.deepEqual(overfull({}, { control: {}, edge: { role: "worker" } }), [problem], "workers are not in the managers' group");
    assert.deepEqual(overfull({}, { control: {}, more: { count: 2 } }), [problem], "told once");
    assert.deepEqual(overfull({ securityGroupRules: 71 }), []);
  });

  it("count a host of another site each, also where its address is not known before it is made", () => {
    const far = (count: number): readonly string[] =>
      planCluster({
        hosts: { control: group({}), far: group({ region: "us-east-1", network: "10.65.0.0/16", role: "worker", count }) },
        firewall,
        underlay: wireguard(),
      }).problems.map(({ path, message }) => `${path}: ${message}`);
    assert.deepEqual(far(25), []);
    assert.deepEqual(far(70), [
      'hosts.control.securityGroupRules: the security group of members in site "aws eu-west-1" would have 145 rules, and EC2 takes 60',
    ]);
  });

  it("are in no more than three groups for one host, of the five that an interface takes", () => {
    const selectors = ["members", "managers", "workers", "group control", "group edge"] as const;
    for (const host of [{ role: "manager", group: "control" } as const, { role: "worker", group: "edge" } as const]) {
      assert.equal(selectors.filter((selector) => selects(selector, host)).length, 3);
    }
  });
});

describe("the zones of an AWS account", () => {
  const hosts = ["a", "b", "c"].map((zone, index) => ({ key: `control-${index + 1}`, zone }));

  it("are enough where they are those of the hosts, or where the account did not answer", () => {
    assert.equal(zonesProblem("eu-west-1", hosts, ["a", "b", "c", "d"]), undefined);
    assert.equal(zonesProblem("eu-west-1", hosts, undefined), undefined);
  });

  it("are named where a host would be in another one, with what to write", () => {
    assert.equal(
      zonesProblem("us-west-1", hosts, ["a", "c"]),
      'control-2 would be in zone b of us-west-1, and this account has a, c there. Nothing was changed. Fix: write zones: ["a", "c"].',
    );
  });
});

describe("Elastic IP addresses", () => {
  const planned = (count: number, more: Partial<AwsHostsArgs> = {}): readonly string[] =>
    planCluster({
      hosts: {
        control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1" }),
        edge: aws.hosts({ role: "worker", count, region: "eu-west-1", ...more }),
      },
      firewall: { ssh: ["203.0.113.0/24"] },
    }).plan.warnings.filter((warning) => warning.includes("Elastic IP"));

  it("that are more than AWS gives to everybody are a warning with their number, once for all groups", () => {
    assert.deepEqual(planned(2), []);
    assert.deepEqual(planned(4), [
      'site "aws eu-west-1" needs 7 Elastic IP addresses, and AWS gives an account 5 in a region until it raises the quota: ' +
        'see at Service Quotas that eu-west-1 has at least 7 ("EC2-VPC Elastic IPs") before you run up',
    ]);
  });
});
