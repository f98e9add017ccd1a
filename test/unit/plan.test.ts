import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { SwarmClusterArgs } from "../../components/cluster/args";
import { describeProblems, planCluster } from "../../components/cluster/plan";
import { type ClusterPlan } from "../../components/cluster/planned";
import * as existing from "../../components/hosts/existing";
import type { HostGroup } from "../../components/hosts/host";
import * as local from "../../components/hosts/local";
import { Cidr } from "../../components/addresses/cidr";
import { calico } from "../../components/overlays/calico";
import { flannel } from "../../components/overlays/flannel";
import type { Overlay } from "../../components/overlays/overlay";
import { wireguard } from "../../components/underlay/wireguard";
import type { Underlay } from "../../components/underlay/underlay";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const managers = (count: number): HostGroup => local.hosts({ role: "manager", count });
const control = { control: managers(3) };

function rack(args: Partial<existing.ExistingHostsArgs> = {}): HostGroup {
  return existing.hosts({ role: "worker", agentSocket: "/run/agent", machines: { "1": { address: "192.0.2.1", hostKey } }, ...args });
}

/** The plan of arguments in which nothing is wrong. */
function planned(args: SwarmClusterArgs): ClusterPlan {
  const { plan, problems } = planCluster({ firewall: { ssh: ["203.0.113.0/24"] }, ...args });
  assert.deepEqual(problems, []);
  return plan;
}

function cidr(text: string): Cidr {
  return Cidr.parse(text) as Cidr;
}

/** What is wrong, and the one problem that a user should read of it. */
interface Wrong {
  readonly when: string;
  readonly args: SwarmClusterArgs;
  readonly path: string;
  readonly message: string | RegExp;
  readonly fix: string | RegExp;
}

const wrong: readonly Wrong[] = [
  {
    when: "the address space is no network",
    args: { hosts: control, addressSpace: "10.96.0.0" },
    path: "addressSpace",
    message: '"10.96.0.0" is not an IPv4 network in CIDR form, such as 10.96.0.0/14',
    fix: 'write "10.96.0.0/16"',
  },
  {
    when: "the address space has bits beyond its prefix",
    args: { hosts: control, addressSpace: "10.97.0.0/14" },
    path: "addressSpace",
    message: '"10.97.0.0/14" has bits set beyond its prefix; the network is 10.96.0.0/14',
    fix: 'write "10.96.0.0/14"',
  },
  {
    when: "the address space is public",
    args: { hosts: control, addressSpace: "8.8.0.0/16" },
    path: "addressSpace",
    message: "8.8.0.0/16 are public addresses: containers could not reach their real owners",
    fix: "take private space, such as 10.96.0.0/14",
  },
  {
    when: "the address space is too small",
    args: { hosts: control, addressSpace: "10.96.0.0/23" },
    path: "addressSpace",
    message: "10.96.0.0/23 is too small: half of it is for networks, a quarter for Docker's own",
    fix: "take a /22 or larger; /14 is a good choice",
  },
  {
    when: "the address space overlaps a site",
    args: { hosts: control, addressSpace: "10.212.0.0/14" },
    path: "addressSpace",
    message: '10.212.0.0/14 overlaps 10.213.0.0/16, the network of site "local 10.213.0.0/16"',
    fix: "choose a space that is free everywhere",
  },
  {
    when: "the address space overlaps a network to avoid",
    args: { hosts: control, avoid: ["192.168.0.0/16", "10.97.3.0/24"] },
    path: "addressSpace",
    message: "10.96.0.0/14 overlaps 10.97.3.0/24, avoid[1]",
    fix: "choose a space that is free everywhere",
  },
  {
    when: "the address space overlaps Docker's default bridge",
    args: { hosts: control, addressSpace: "172.16.0.0/14" },
    path: "addressSpace",
    message: "172.16.0.0/14 overlaps 172.17.0.0/16, Docker's default bridge on every host",
    fix: "choose a space that is free everywhere",
  },
  {
    when: "the address space overlaps Docker's ingress network",
    args: { hosts: control, addressSpace: "10.0.0.0/14" },
    path: "addressSpace",
    message: "10.0.0.0/14 overlaps 10.0.0.0/24, Docker's ingress network",
    fix: "choose a space that is free everywhere",
  },
  {
    when: "a network to avoid is no network",
    args: { hosts: control, avoid: ["office"] },
    path: "avoid[0]",
    message: '"office" is not an IPv4 network in CIDR form, such as 10.96.0.0/14',
    fix: "write it as address/prefix, such as 10.96.0.0/14",
  },
  {
    when: "there are no hosts",
    args: { hosts: {} },
    path: "hosts",
    message: "no group of hosts is given",
    fix: "give at least one group with a manager",
  },
  {
    when: "no host is a manager",
    args: { hosts: { edge: local.hosts({ role: "worker", count: 2 }) } },
    path: "hosts",
    message: "no host is a manager",
    fix: 'give one group the role "manager"',
  },
  {
    when: "the managers are two",
    args: { hosts: { control: managers(2) } },
    path: "hosts",
    message: "2 managers tolerate no failure, like 1 manager, and are more likely to lose quorum",
    fix: "take 1 or 3",
  },
  {
    when: "the managers of all groups together are even",
    args: { hosts: { a: managers(3), b: managers(1) } },
    path: "hosts",
    message: "4 managers tolerate 1 failure, like 3 managers, and are more likely to lose quorum",
    fix: "take 3 or 5",
  },
  {
    when: "the managers are more than seven",
    args: { hosts: { control: managers(9) } },
    path: "hosts",
    message: "9 managers are too many: Docker advises 7 at most, since each change is sent to all of them and waits for 5",
    fix: "take 3, 5 or 7 and make the rest workers",
  },
  ...["Control", "1a", "a_b", "a-", "", "ä", "a".repeat(41)].map((key): Wrong => ({
    when: `a group is called ${JSON.stringify(key)}`,
    args: { hosts: { ...control, [key]: local.hosts({ role: "worker" }) } },
    path: `hosts.${key}`,
    message: `"${key}" cannot name hosts`,
    fix: "use lower-case letters, digits and hyphens, beginning with a letter, at most 40 characters",
  })),
  {
    when: "hosts of two groups come to have one name",
    args: {
      hosts: { ...control, a: rack({ machines: { "b-1": { address: "192.0.2.1", hostKey } } }), "a-b": local.hosts({ role: "worker", count: 1 }) },
    },
    path: "hosts.a-b",
    message: "two hosts are named a-b-1, one of group a, one of a-b",
    fix: "rename one of the groups",
  },
  {
    when: "two machines have one address",
    args: { hosts: { control: rack({ role: "manager" }), edge: rack() } },
    path: "hosts.edge",
    message: "edge-1 has the address 192.0.2.1 of control-1",
    fix: "give each host its own address",
  },
  {
    when: "the overlay is none of ours",
    args: { hosts: control, overlay: "native" as unknown as Overlay },
    path: "overlay",
    message: '"native" is not an overlay',
    fix: "use native(), weave(), flannel(), calico() or openvswitch()",
  },
  {
    when: "the underlay is none of ours",
    args: { hosts: control, underlay: {} as Underlay },
    path: "underlay",
    message: "{} is not an underlay",
    fix: "use direct() or wireguard()",
  },
  {
    when: "an overlay routes containers' addresses over a network that carries none",
    args: { hosts: { control: { ...managers(1), noContainerRoutes: "its router drops them" } }, overlay: flannel({ backend: "host-gw" }) },
    path: "overlay",
    message: "flannel hands on packets with containers' own addresses, and hosts of control would not get them: its router drops them",
    fix: 'take flannel({ backend: "vxlan" }) or another overlay that wraps them',
  },
  {
    when: "calico meets a network that carries no containers' addresses",
    args: { hosts: { control: { ...managers(1), noContainerRoutes: "its router drops them" } }, overlay: calico() },
    path: "overlay",
    message: "calico hands on packets with containers' own addresses, and hosts of control would not get them: its router drops them",
    fix: "take wireguard() as the underlay or another overlay that wraps them",
  },
  ...[0, -1, 1.5, 1001, "3"].map((count): Wrong => ({
    when: `a count is ${JSON.stringify(count)}`,
    args: { hosts: { ...control, edge: local.hosts({ role: "worker", count: count as number }) } },
    path: "hosts.edge.count",
    message: `${JSON.stringify(count)} is not a number of hosts`,
    fix: "give a whole number from 1 to 1000",
  })),
  {
    when: "a host's number is none",
    args: { hosts: { ...control, edge: local.hosts({ role: "worker", numbers: [1, 0] }) } },
    path: "hosts.edge.numbers[1]",
    message: "0 is not a host's number",
    fix: "give whole numbers from 1 to 1000",
  },
  {
    when: "a host's number is given twice",
    args: { hosts: { ...control, edge: local.hosts({ role: "worker", numbers: [4, 2, 4] }) } },
    path: "hosts.edge.numbers[2]",
    message: "host 4 is named twice",
    fix: "name each number once",
  },
  {
    when: "count and numbers are both given",
    args: { hosts: { ...control, edge: local.hosts({ role: "worker", count: 2, numbers: [1, 2] }) } },
    path: "hosts.edge.count",
    message: "count and numbers are both given",
    fix: "keep one of them",
  },
  {
    when: "a host would have too little memory",
    args: { hosts: { control: local.hosts({ role: "manager", memory: 64 }) } },
    path: "hosts.control.memory",
    message: "64 MiB are not enough for a host",
    fix: "give a whole number, 256 or more, or leave it out",
  },
  {
    when: "a role is none",
    args: { hosts: { ...control, edge: local.hosts({ role: "leader" as "worker" }) } },
    path: "hosts.edge.role",
    message: '"leader" is not a role; did you mean role: "manager"?',
    fix: 'write role: "manager"',
  },
  {
    when: "a group is larger than its block of the site's network",
    args: { hosts: { ...control, edge: local.hosts({ role: "worker", count: 300 }) } },
    path: "hosts.edge",
    message: /^its block 10\.213\.\d+\.0\/24 of the site's network holds hosts 1 to 254; 46 of its hosts do not fit$/,
    fix: "split the group, or take a larger network for the site",
  },
  {
    when: "the site's network has no room for another group",
    args: {
      hosts: Object.fromEntries(
        ["a", "b", "c"].map((key, index) => [key, local.hosts({ role: index ? "worker" : "manager", network: "10.213.0.0/27" })]),
      ),
    },
    path: "hosts.b",
    message: 'the network 10.213.0.0/27 of site "local 10.213.0.0/27" has no room for it',
    fix: "take a larger network for the site",
  },
  {
    when: "a site's network is no network",
    args: { hosts: { control: local.hosts({ role: "manager", network: "lan" }) } },
    path: "hosts.control.network",
    message: '"lan" is not an IPv4 network in CIDR form, such as 10.96.0.0/14',
    fix: "write it as address/prefix, such as 10.96.0.0/14",
  },
  {
    when: "two groups describe one site otherwise",
    args: { hosts: { control: rack({ role: "manager" }), edge: rack({ mtu: 1400, machines: { "1": { address: "192.0.2.2", hostKey } } }) } },
    path: "hosts.edge",
    message: 'describes its site "existing" otherwise than another group does (network none, MTU 1400 against none, 1500)',
    fix: "give the same network and MTU to all groups of a site, or another site",
  },
  {
    when: "an MTU is not usable",
    args: { hosts: { control: rack({ role: "manager", mtu: 900 }) } },
    path: "hosts.control.mtu",
    message: "900 is not a usable MTU",
    fix: "give the link's MTU in bytes, from 1280 to 9216",
  },
  ...["", "x", "-a", "my net"].map((key): Wrong => ({
    when: `a network is called ${JSON.stringify(key)}`,
    args: { hosts: control, networks: { [key]: {} } },
    path: `networks.${key}`,
    message: `"${key}" cannot name a Docker network`,
    fix: "use 2 to 64 letters, digits, hyphens, dots or underscores, a letter or digit first",
  })),
  ...["ingress", "docker_gwbridge", "host"].map((key): Wrong => ({
    when: `a network is called ${JSON.stringify(key)}`,
    args: { hosts: control, networks: { [key]: {} } },
    path: `networks.${key}`,
    message: `"${key}" is a network of Docker's own`,
    fix: "choose another name",
  })),
  ...[15, 29, 24.5, "24"].map((prefix): Wrong => ({
    when: `a network's prefix is ${JSON.stringify(prefix)}`,
    args: { hosts: control, networks: { web: { prefix: prefix as number } } },
    path: "networks.web.prefix",
    message: `${JSON.stringify(prefix)} is not usable`,
    fix: "give a prefix length from 16 to 28",
  })),
  {
    when: "a pinned subnet is none",
    args: { hosts: control, networks: { web: { subnet: "10.96.0.1/24" } } },
    path: "networks.web.subnet",
    message: '"10.96.0.1/24" has bits set beyond its prefix; the network is 10.96.0.0/24',
    fix: 'write "10.96.0.0/24"',
  },
  {
    when: "a pinned subnet is public",
    args: { hosts: control, networks: { web: { subnet: "9.9.9.0/24" } } },
    path: "networks.web.subnet",
    message: "9.9.9.0/24 are public addresses",
    fix: "take private addresses, such as some of 10.98.0.0/15",
  },
  {
    when: "a pinned subnet lies on a site",
    args: { hosts: control, networks: { web: { subnet: "10.213.7.0/24" } } },
    path: "networks.web.subnet",
    message: '10.213.7.0/24 overlaps 10.213.0.0/16, the network of site "local 10.213.0.0/16"',
    fix: "choose one that nothing else uses, such as one of 10.98.0.0/15",
  },
  {
    when: "two pinned subnets overlap",
    args: { hosts: control, networks: { db: { subnet: "192.168.8.0/23" }, web: { subnet: "192.168.9.0/24" } } },
    path: "networks.web.subnet",
    message: "192.168.9.0/24 overlaps 192.168.8.0/23 of db",
    fix: "choose a network that nothing else uses",
  },
  {
    when: "there is no room for a network",
    args: { hosts: control, addressSpace: "10.96.0.0/22", networks: Object.fromEntries(["aa", "bb", "cc"].map((key) => [key, {}])) },
    path: "networks.cc",
    message: "no /24 is left for it in 10.96.2.0/23",
    fix: "take an address space in which this part is a /22 or larger, or ask for smaller subnets",
  },
  {
    when: "a host's label is one of ours",
    args: { hosts: { control: local.hosts({ role: "manager", labels: { "pulumi-swarm.key": "x" } }) } },
    path: "hosts.control.labels",
    message: "the label pulumi-swarm.key is kept for this package",
    fix: "name it otherwise",
  },
  {
    when: "an existing group has no machines",
    args: { hosts: { ...control, edge: rack({ machines: {}, site: "local 10.213.0.0/16", network: "10.213.0.0/16" }) } },
    path: "hosts.edge.machines",
    message: "no machine is given",
    fix: "give at least one, or leave the group out",
  },
  {
    when: "there is no way to log in to existing machines",
    args: { hosts: { control: existing.hosts({ role: "manager", machines: { "1": { address: "192.0.2.1", hostKey } } }) } },
    path: "hosts.control.privateKey",
    message: "there is no way to log in",
    fix: "give privateKey or agentSocket",
  },
  {
    when: "no host key is pinned",
    args: { hosts: { control: rack({ role: "manager", machines: { one: { address: "192.0.2.1", hostKey: "" } } }) } },
    path: "hosts.control.machines.one.hostKey",
    message: "no host key is pinned",
    fix: 'take the line that "ssh-keyscan -t ed25519 192.0.2.1" prints, without the address, after comparing it on the machine itself',
  },
  {
    when: "a host key still has the address of ssh-keyscan before it",
    args: { hosts: { control: rack({ role: "manager", machines: { one: { address: "192.0.2.1", hostKey: `192.0.2.1 ${hostKey}` } } }) } },
    path: "hosts.control.machines.one.hostKey",
    message: '"192.0.2.1" stands before the host key',
    fix: `write "${hostKey}"`,
  },
  {
    when: "a bastion's host key is none",
    args: { hosts: { control: rack({ role: "manager", bastion: { address: "hop", hostKey: "?" } }) } },
    path: "hosts.control.bastion.hostKey",
    message: '"?" is not a public host key in authorized_keys form',
    fix: /ssh-keyscan -t ed25519 hop/,
  },
  ...["server.example", "2001:db8::1"].map((address): Wrong => ({
    when: `an existing machine is known only as ${address}`,
    args: { hosts: { control: rack({ role: "manager", machines: { one: { address, hostKey } } }) } },
    path: "hosts.control.machines.one.address",
    message: `"${address}" is not an IPv4 address, and Docker advertises nothing else`,
    fix: "give the machine's private IPv4 address as privateAddress",
  })),
  {
    when: "an existing machine's private address is a name",
    args: { hosts: { control: rack({ role: "manager", machines: { one: { address: "192.0.2.1", privateAddress: "one", hostKey } } }) } },
    path: "hosts.control.machines.one.privateAddress",
    message: '"one" is not an IPv4 address, and Docker advertises nothing else',
    fix: "give the machine's private IPv4 address as privateAddress",
  },
  {
    when: "an existing machine has a name that no host can have",
    args: { hosts: { control: rack({ role: "manager", machines: { "Rack 1": { address: "192.0.2.1", hostKey } } }) } },
    path: "hosts.control.machines.Rack 1",
    message: '"Rack 1" cannot name a host',
    fix: "use lower-case letters, digits and hyphens",
  },
  {
    when: "traffic would go in plaintext between two sites",
    args: { hosts: { ...control, edge: rack() } },
    path: "overlay",
    message: "the native overlay would carry container traffic in plaintext between the sites local 10.213.0.0/16 and existing",
    fix: "take wireguard() as the underlay, or native({ encrypted: true }) where no address translation is in between",
  },
  ...["latest", ""].map((version): Wrong => ({
    when: `the engine's version is ${JSON.stringify(version)}`,
    args: { hosts: control, engine: { version } },
    path: "engine.version",
    message: `"${version}" is not a version`,
    fix: 'write it as a text: "28", "28.5" or "28.5.2"',
  })),
  ...(
    [
      ["28.x", "28"],
      ["v28", "28"],
      ["28.5.2-1", "28.5.2"],
    ] as const
  ).map(([version, meant]): Wrong => ({
    when: `the engine's version is ${JSON.stringify(version)}`,
    args: { hosts: control, engine: { version } },
    path: "engine.version",
    message: `"${version}" is not a version`,
    fix: `write it as "${meant}"`,
  })),
  {
    when: "the engine's source is none",
    args: { hosts: control, engine: { source: "snap" as "docker" } },
    path: "engine.source",
    message: '"snap" is not a source of Docker',
    fix: 'write "present", "distribution" or "docker"',
  },
  {
    when: "live-restore is set",
    args: { hosts: control, engine: { settings: { "live-restore": true } } },
    path: "engine.settings",
    message: "live-restore does not work in a swarm: the engine would not start",
    fix: "leave it out",
  },
  {
    when: "the nftables backend is set",
    args: { hosts: control, engine: { settings: { "firewall-backend": "nftables" } } },
    path: "engine.settings",
    message: "firewall-backend nftables does not work in a swarm: the engine would not start",
    fix: 'leave it out; from Docker 29.6.0 on, "features": { "swarm-nftables": true } allows it as an experiment',
  },
  {
    when: "a firewall backend is set for an engine that does not know it",
    args: { hosts: control, engine: { version: "28", settings: { "firewall-backend": "iptables" } } },
    path: "engine.settings",
    message: "Docker 28 does not know the setting firewall-backend, and would not start",
    fix: "leave it out",
  },
  {
    when: "the nftables backend is allowed for an engine that refuses it all the same",
    args: { hosts: control, engine: { version: "29.5", settings: { "firewall-backend": "nftables", features: { "swarm-nftables": true } } } },
    path: "engine.settings",
    message: "firewall-backend nftables does not work in a swarm before Docker 29.6.0 (moby#50467): Docker 29.5 would not start",
    fix: "leave it out",
  },
  ...["28.2", "28.2.0", "28.2.2"].map((version): Wrong => ({
    when: `the engine is pinned to ${version}`,
    args: { hosts: control, engine: { version } },
    path: "engine.version",
    message: `Docker ${version} loses containers' packets between the hosts of a swarm (moby#50129, moby#49908, moby#50232)`,
    fix: "upgrade it to 28.3 or newer",
  })),
  {
    when: "a host would get too little time to answer",
    args: { hosts: control, membership: { reachableSeconds: 1 } },
    path: "membership.reachableSeconds",
    message: "1 is not a usable time",
    fix: "give seconds from 5 to 900",
  },
  {
    when: "draining would never end",
    args: { hosts: control, membership: { drainSeconds: 86_400 } },
    path: "membership.drainSeconds",
    message: "86400 is not a usable time",
    fix: "give seconds from 0 to 3600",
  },
  ...["0h", "30m", "1.5h", "900000h", "-3h", ""].map((certificateExpiry) => ({
    when: `certificates would hold for "${certificateExpiry}"`,
    args: { hosts: control, swarm: { certificateExpiry } },
    path: "swarm.certificateExpiry",
    message: `"${certificateExpiry}" is not a time for which certificates can hold`,
    fix: 'give hours from "1h" to "175200h"',
  })),
  {
    when: "an unlock key is to be changed where there is none",
    args: { hosts: control, swarm: { rotateUnlockKey: "1" } },
    path: "swarm.rotateUnlockKey",
    message: "there is an unlock key only with autolock",
    fix: "set swarm.autolock to true, or take this out",
  },
];

function matches(text: string, expected: string | RegExp): boolean {
  return typeof expected === "string" ? text === expected : expected.test(text);
}

describe("planCluster refuses when", () => {
  for (const { when, args, path, message, fix } of wrong) {
    it(when, () => {
      const { problems } = planCluster(args);
      const found = problems.filter((problem) => problem.path === path && matches(problem.message, message) && matches(problem.fix, fix));
      assert.equal(found.length, 1, `wanted ${path}: ${String(message)}. Fix: ${String(fix)}.\ngot ${JSON.stringify(problems, undefined, 1)}`);
    });
  }
});

describe("planCluster", () => {
  it("plans three local managers and two networks", () => {
    const plan = planned({ hosts: control, networks: { web: {}, db: { internal: true, attachable: false, prefix: 20, labels: { team: "data" } } } });
    assert.equal(plan.addressSpace, "10.96.0.0/14");
    assert.equal(plan.dockerPool, "10.96.0.0/16");
    assert.equal(plan.mtu, 1450);
    assert.deepEqual(
      plan.hosts.map(({ key, role, provider, site }) => ({ key, role, provider, site })),
      [1, 2, 3].map((number) => ({ key: `control-${number}`, role: "manager", provider: "local", site: "local 10.213.0.0/16" })),
    );
    const options = { "com.docker.network.driver.mtu": "1500" };
    assert.deepEqual(
      plan.networks.map(({ subnet: _subnet, gateway: _gateway, ...rest }) => rest).sort((a, b) => (a.name < b.name ? -1 : 1)),
      [
        { name: "db", driver: "overlay", internal: true, attachable: false, labels: { team: "data" }, options },
        { name: "web", driver: "overlay", internal: false, attachable: true, labels: {}, options },
      ],
    );
    for (const { name, subnet, gateway } of plan.networks) {
      assert.ok(cidr("10.98.0.0/15").contains(cidr(subnet)), `${name} lies in the upper half`);
      assert.equal(gateway, cidr(subnet).address(1));
      assert.equal(cidr(subnet).prefix, name === "db" ? 20 : 24);
    }
  });

  it("gives hosts of a group neighbouring addresses, by number, in a block that is the group's own", () => {
    const { hosts } = planned({ hosts: { ...control, edge: local.hosts({ role: "worker", numbers: [7, 2] }) } });
    const of = (key: string): string => hosts.find((host) => host.key === key)?.address ?? "";
    const block = of("control-1").replace(/\d+$/, "");
    assert.deepEqual(
      [of("control-1"), of("control-2"), of("control-3")],
      [1, 2, 3].map((number) => `${block}${number}`),
    );
    const other = of("edge-7").replace(/\d+$/, "");
    assert.deepEqual([of("edge-7"), of("edge-2")], [`${other}7`, `${other}2`]);
    assert.notEqual(block, other);
    assert.notEqual(block, "10.213.0.", "the gateway's block is nobody's");
  });

  it("leaves every host and network where it is when others come and go", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{2,8}$/), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(names, fc.nat(), (list, pick) => {
        const gone = list[pick % list.length] ?? "";
        const args = (keys: readonly string[]): SwarmClusterArgs => ({
          hosts: { ...control, ...Object.fromEntries(keys.map((key) => [`${key}0`, local.hosts({ role: "worker", count: 2 })])) },
        });
        const before = new Map(planned(args(list)).hosts.map(({ key, address }) => [key, address]));
        const after = planned(args(list.filter((key) => key !== gone))).hosts;
        const alone = (group: string): string | undefined =>
          planned({ hosts: { ...control, [group]: local.hosts({ role: "worker" }) } }).hosts.find(({ key }) => key === `${group}-1`)?.address;
        for (const { key, group, place, address } of after) {
          // A group that a namesake of the same place had pushed aside may go back home; see assignBlocks.
          if (group !== "control" && before.get(`${group}-1`) !== alone(group)) continue;
          if (group === "control" && before.get("control-1") !== planned({ hosts: control }).hosts[0]?.address) continue;
          assert.equal(address, before.get(`${group}-${place}`), key);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("gives the same plan for the same arguments, whatever the order of their keys", () => {
    const groups = { control: managers(3), edge: local.hosts({ role: "worker", count: 4 }), batch: local.hosts({ role: "worker" }) };
    const networks = { web: {}, db: { internal: true }, cache: { prefix: 26 } };
    const reversed = <T>(record: Record<string, T>): Record<string, T> => Object.fromEntries(Object.entries(record).reverse());
    const sorted = ({ hosts, networks: list, ...rest }: ClusterPlan): object => ({
      ...rest,
      hosts: [...hosts].sort((a, b) => (a.key < b.key ? -1 : 1)),
      networks: [...list].sort((a, b) => (a.name < b.name ? -1 : 1)),
    });
    const plan = planned({ hosts: groups, networks });
    assert.deepEqual(planned({ hosts: groups, networks }), plan);
    assert.deepEqual(sorted(planned({ hosts: reversed(groups), networks: reversed<object>(networks) })), sorted(plan));
  });

  it("takes a machine's own labels over its group's", () => {
    const { hosts } = planned({
      hosts: {
        rack: rack({
          role: "manager",
          labels: { disk: "hdd", row: "1" },
          machines: { one: { address: "192.0.2.1", hostKey, labels: { disk: "ssd" } } },
        }),
      },
    });
    assert.deepEqual(hosts[0]?.labels, { disk: "ssd", row: "1" });
  });

  it("advertises an existing machine's private address", () => {
    const { hosts } = planned({
      hosts: { rack: rack({ role: "manager", machines: { one: { address: "one.example", privateAddress: "10.1.2.3", hostKey } } }) },
    });
    assert.equal(hosts[0]?.address, "10.1.2.3");
  });

  it("takes the smallest MTU of all sites, and an encrypting underlay between them", () => {
    const plan = planned({ hosts: { ...control, edge: rack({ mtu: 1400 }) }, underlay: wireguard(), networks: { web: {} } });
    assert.equal(plan.mtu, 1400 - 60 - 50);
    assert.deepEqual(plan.networks[0]?.options, { "com.docker.network.driver.mtu": "1340" });
  });

  it("takes jumbo frames within a site, and between sites only where it is said that they pass", () => {
    const mtuOf = (args: Partial<existing.ExistingHostsArgs>, more: SwarmClusterArgs["hosts"] = {}): number =>
      planned({ hosts: { control: rack({ role: "manager", mtu: 9000, ...args }), ...more }, underlay: wireguard() }).underlayMtu;
    const away = (args: Partial<existing.ExistingHostsArgs>): SwarmClusterArgs["hosts"] => ({
      away: rack({ site: "away", machines: { "1": { address: "192.0.2.2", hostKey } }, mtu: 9000, ...args }),
    });
    assert.equal(mtuOf({}), 8940);
    assert.equal(mtuOf({}, away({})), 1440);
    assert.equal(mtuOf({ mtuOutside: 9000 }, away({ mtuOutside: 4000 })), 3940);
  });

  it("keeps a pinned subnet, inside the address space or outside", () => {
    const { networks } = planned({ hosts: control, networks: { web: { subnet: "10.99.7.0/24" }, db: { subnet: "192.168.50.0/25" } } });
    assert.deepEqual(Object.fromEntries(networks.map(({ name, subnet }) => [name, subnet])), { web: "10.99.7.0/24", db: "192.168.50.0/25" });
  });

  for (const [count, majority, mayFail, says] of [
    [1, 1, 0, "1 manager: tolerates no failure; while it is down the swarm is read-only and running services continue"],
    [3, 2, 1, "3 managers: tolerates 1 failure; with 2 managers down the swarm is read-only and running services continue"],
    [5, 3, 2, "5 managers: tolerates 2 failures; with 3 managers down the swarm is read-only and running services continue"],
    [7, 4, 3, "7 managers: tolerates 3 failures; with 4 managers down the swarm is read-only and running services continue"],
  ] as const) {
    it(`says what a quorum of ${count} bears`, () => {
      assert.deepEqual(planned({ hosts: { control: managers(count) } }).quorum, { managers: count, majority, mayFail, says });
    });
  }

  it("plans a thousand hosts and a hundred networks, each with its own address", () => {
    const workers = Object.fromEntries(
      Array.from({ length: 5 }, (_, index) => [`edge${index}`, local.hosts({ role: "worker", count: index < 3 ? 250 : index === 3 ? 240 : 7 })]),
    );
    const networks = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`net-${index}`, {}]));
    const plan = planned({ hosts: { control: managers(3), ...workers }, networks });
    assert.equal(plan.hosts.length, 1000);
    assert.equal(new Set(plan.hosts.map(({ address }) => address)).size, 1000);
    assert.equal(plan.networks.length, 100);
    assert.equal(new Set(plan.networks.map(({ subnet }) => subnet)).size, 100);
  });
});

describe("planCluster's problems", () => {
  it("are reported, not thrown, whatever a program without types may give", () => {
    const anything = fc.jsonValue({ maxDepth: 2 });
    fc.assert(
      fc.property(
        fc.record({
          addressSpace: anything,
          avoid: fc.array(anything),
          overlay: fc.oneof(fc.string(), fc.integer()),
          engine: fc.record({ version: anything }),
        }),
        (args) => {
          const { problems } = planCluster({ hosts: control, ...args } as unknown as SwarmClusterArgs);
          assert.ok(problems.length > 0);
          for (const { path, message, fix } of problems) assert.ok(path !== "" && message !== "" && fix !== "");
        },
      ),
      { numRuns: 200 },
    );
  });

  it("are told all at once, in one message", () => {
    const { problems } = planCluster({
      addressSpace: "8.0.0.0/16",
      hosts: { control: managers(2), Bad: local.hosts({ role: "worker", count: 0 }) },
      networks: { ingress: {} },
      engine: { version: "new" },
      membership: { drainSeconds: -1 },
    });
    assert.deepEqual(
      problems.map(({ path }) => path),
      ["hosts.Bad", "hosts.Bad.count", "addressSpace", "networks.ingress", "hosts", "engine.version", "membership.drainSeconds"],
    );
    const text = describeProblems("lab", problems);
    assert.equal(text.split("\n")[0], 'The swarm cluster "lab" cannot be planned: 7 problems.');
    assert.equal(text.split("\n").length, 8);
    for (const { path, message, fix } of problems) assert.ok(text.includes(`\n  - ${path}: ${message}. Fix: ${fix}.`));
  });

  it("are counted: one is one", () => {
    assert.equal(
      describeProblems("lab", [{ path: "a", message: "b", fix: "c" }]),
      'The swarm cluster "lab" cannot be planned: 1 problem.\n  - a: b. Fix: c.',
    );
  });
});
