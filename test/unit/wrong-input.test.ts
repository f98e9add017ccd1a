import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { SwarmClusterArgs } from "../../components/cluster/args";
import { describeProblems, planCluster } from "../../components/cluster/plan";
import * as aws from "../../components/hosts/aws";
import * as existing from "../../components/hosts/existing";
import * as hetzner from "../../components/hosts/hetzner";
import type { HostGroup } from "../../components/hosts/host";
import * as local from "../../components/hosts/local";
import type { Overlay } from "../../components/overlays/overlay";
import type { Underlay } from "../../components/underlay/underlay";
import { wireguard } from "../../components/underlay/wireguard";
import { deriveSshKey } from "../../components/remote/ssh-key";
import { clientKey } from "./client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
const control = local.hosts({ role: "manager", count: 3 });
const machines = { a: { address: "192.168.7.10", hostKey } };

function rack(role: "manager" | "worker", more: Partial<existing.ExistingHostsArgs> = {}): HostGroup {
  return existing.hosts({ role, privateKey: clientKey, machines, ...more });
}

/** One machine at such an address. */
function at(address: unknown, more: Partial<existing.ExistingMachine> = {}): Partial<SwarmClusterArgs> {
  return {
    hosts: { rack: rack("manager", { machines: { a: { address: address as string, hostKey, ...more } } }) },
    firewall: { ssh: ["198.51.100.0/24"] },
  };
}

function problemsOf(args: Partial<SwarmClusterArgs>): string[] {
  return planCluster({ hosts: { control }, ...args }).problems.map(({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}`);
}

/** What a user wrote, and the one line that it gives. */
const cases: readonly (readonly [string, Partial<SwarmClusterArgs>, RegExp])[] = [
  [
    "an address space that is no network",
    { addressSpace: "10.96.0.0" },
    /^addressSpace: "10\.96\.0\.0" is not an IPv4 network in CIDR form.*Fix: write "10\.96\.0\.0\/16"/,
  ],
  ["an address space with host bits", { addressSpace: "10.96.0.1/14" }, /has bits set beyond its prefix; the network is 10\.96\.0\.0\/14/],
  ["public addresses", { addressSpace: "20.0.0.0/8" }, /^addressSpace: 20\.0\.0\.0\/8 are public addresses/],
  ["too small a space", { addressSpace: "10.96.0.0/24" }, /^addressSpace: 10\.96\.0\.0\/24 is too small.*Fix: take a \/22 or larger/],
  [
    "a space over a site's network",
    { addressSpace: "10.208.0.0/12" },
    /^addressSpace: 10\.208\.0\.0\/12 overlaps 10\.213\.0\.0\/16, the network of site/,
  ],
  ["a space over Docker's ingress", { addressSpace: "10.0.0.0/14" }, /^addressSpace: .*overlaps 10\.0\.0\.0\/24, Docker's ingress network/],
  ["a space over a network to avoid", { avoid: ["10.97.0.0/16"] }, /^addressSpace: .*overlaps 10\.97\.0\.0\/16, avoid\[0\]/],
  ["a network to avoid that is none", { avoid: ["office"] }, /^avoid\[0\]: "office" is not an IPv4 network/],
  ["no host at all", { hosts: {} }, /^hosts: no group of hosts is given/],
  ["no manager", { hosts: { edge: local.hosts({ role: "worker" }) } }, /^hosts: no host is a manager/],
  [
    "an even number of managers",
    { hosts: { control: local.hosts({ role: "manager", count: 2 }) } },
    /^hosts: 2 managers tolerate no failure, like 1 manager, and are more likely to lose quorum.*Fix: take 1 or 3/,
  ],
  ["too many managers", { hosts: { control: local.hosts({ role: "manager", count: 9 }) } }, /^hosts: 9 managers are too many.*Fix: take 3, 5 or 7/],
  [
    "a count that is none",
    { hosts: { control, edge: local.hosts({ role: "worker", count: 0 }) } },
    /^hosts\.edge\.count: 0 is not a number of hosts/,
  ],
  [
    "a count and numbers",
    { hosts: { control, edge: local.hosts({ role: "worker", count: 1, numbers: [1] }) } },
    /^hosts\.edge\.count: count and numbers are both given/,
  ],
  [
    "a number twice",
    { hosts: { control, edge: local.hosts({ role: "worker", numbers: [2, 2] }) } },
    /^hosts\.edge\.numbers\[1\]: host 2 is named twice/,
  ],
  [
    "more hosts than the site has room for",
    { hosts: { control, edge: local.hosts({ role: "worker", count: 300 }) } },
    /^hosts\.edge: its block .* holds hosts 1 to 254; 46 of its hosts do not fit/,
  ],
  ["a role that is none", { hosts: { control, edge: local.hosts({ role: "boss" as "worker" }) } }, /^hosts\.edge\.role: "boss" is not a role/],
  [
    "a group's name that cannot name hosts",
    { hosts: { control, Edge_1: local.hosts({ role: "worker" }) } },
    /^hosts\.Edge_1: "Edge_1" cannot name hosts/,
  ],
  [
    "two hosts of one name",
    {
      hosts: {
        control,
        "edge-1": local.hosts({ role: "worker" }),
        edge: existing.hosts({
          role: "worker",
          privateKey: clientKey,
          machines: { "1-1": { ...machines.a } },
          site: "local 10.213.0.0/16",
          network: "10.213.0.0/16",
        }),
      },
    },
    /two hosts are named edge-1-1, one of group edge-1, one of edge/,
  ],
  [
    "two machines of one address",
    {
      hosts: {
        rack: existing.hosts({
          role: "manager",
          privateKey: clientKey,
          machines: { ...machines, b: machines.a, c: { ...machines.a, address: "192.168.7.12" } },
        }),
      },
    },
    /^hosts\.rack: rack-b has the address 192\.168\.7\.10 of rack-a/,
  ],
  [
    "a port of SSH that is none",
    {
      hosts: { rack: rack("manager", { machines: { a: { ...machines.a, port: "22" as unknown as number } } }) },
      firewall: { ssh: ["203.0.113.0/24"] },
    },
    /^hosts\.rack\.machines\.a\.port: "22" is not a TCP port\. Fix: give a whole number from 1 to 65535/,
  ],
  [
    "no role",
    { hosts: { rack: rack(undefined as unknown as "manager") } },
    /^hosts\.rack\.role: a role is missing\. Fix: write role: "manager" or role: "worker"$/,
  ],
  ["no way to log in", { hosts: { rack: existing.hosts({ role: "manager", machines }) } }, /^hosts\.rack\.privateKey: there is no way to log in/],
  [
    "a line where a program and its arguments belong",
    { hosts: { rack: rack("manager", { proxyCommand: "nc %h %p" as unknown as string[] }) } },
    /^hosts\.rack\.proxyCommand: "nc %h %p" is not a program with its arguments\. Fix: write a text each, such as \["nc", "%h", "%p"\]/,
  ],
  ["no program", { hosts: { rack: rack("manager", { proxyCommand: [] }) } }, /^hosts\.rack\.proxyCommand: \[\] is not a program with its arguments/],
  [
    "a token of OpenSSH's that is not known here",
    { hosts: { rack: rack("manager", { proxyCommand: ["nc", "%%p", "%n", "%p"] }) } },
    /^hosts\.rack\.proxyCommand: "%n" stands for nothing\. Fix: use %h, %p and %r, and write %% for a percent sign/,
  ],
  [
    "a program and a bastion",
    { hosts: { rack: rack("manager", { proxyCommand: ["nc", "%h", "%p"], bastion: { address: "192.0.2.9", hostKey } }) } },
    /^hosts\.rack\.proxyCommand: a program and a bastion are both to carry the connection\. Fix: keep one of them/,
  ],
  [
    "no host key",
    { hosts: { rack: existing.hosts({ role: "manager", privateKey: clientKey, machines: { a: { address: "192.168.7.10", hostKey: "" } } }) } },
    /^hosts\.rack\.machines\.a\.hostKey: no host key is pinned.*ssh-keyscan -t ed25519 192\.168\.7\.10/,
  ],
  [
    "a name where an address is needed",
    { hosts: { rack: existing.hosts({ role: "manager", privateKey: clientKey, machines: { a: { address: "rack.example.org", hostKey } } }) } },
    /^hosts\.rack\.machines\.a\.address: "rack\.example\.org" is not an IPv4 address.*privateAddress/,
  ],
  ["an unknown overlay", { overlay: "weave" as unknown as Overlay }, /^overlay: "weave" is not an overlay/],
  ["an unknown underlay", { underlay: {} as Underlay }, /^underlay: \{\} is not an underlay/],
  [
    "plaintext between sites",
    { hosts: { control, rack: existing.hosts({ role: "worker", privateKey: clientKey, machines }) } },
    /^overlay: the native overlay would carry container traffic in plaintext between the sites/,
  ],
  ["a network's name that Docker refuses", { networks: { "my net": {} } }, /^networks\.my net: "my net" cannot name a Docker network/],
  ["a name that Docker keeps", { networks: { ingress: {} } }, /^networks\.ingress: "ingress" is a network of Docker's own/],
  ["a prefix that is none", { networks: { web: { prefix: 30 } } }, /^networks\.web\.prefix: 30 is not usable/],
  [
    "a subnet over a site's network",
    { networks: { web: { subnet: "10.213.4.0/24" } } },
    /^networks\.web\.subnet: 10\.213\.4\.0\/24 overlaps 10\.213\.0\.0\/16/,
  ],
  [
    "two networks on one subnet",
    { networks: { web: { subnet: "10.99.1.0/24" }, db: { subnet: "10.99.0.0/16" } } },
    /^networks\.web\.subnet: 10\.99\.1\.0\/24 overlaps 10\.99\.0\.0\/16 of db/,
  ],
  [
    "more networks than fit",
    { addressSpace: "10.96.0.0/22", networks: { aa: { prefix: 24 }, bb: { prefix: 24 }, cc: { prefix: 24 } } },
    /^networks\.cc: no \/24 is left for it in 10\.96\.2\.0\/23\. Fix: take an address space/,
  ],
  [
    "a subnet too small for anything",
    { networks: { web: { subnet: "192.168.9.4/31" } } },
    /^networks\.web\.subnet: 192\.168\.9\.4\/31 is too small for one network/,
  ],
  [
    "a subnet and a prefix",
    { networks: { web: { subnet: "10.98.1.0/24", prefix: 25 } } },
    /^networks\.web\.prefix: subnet and prefix are both given/,
  ],
  [
    "a subnet in Docker's own part",
    { networks: { web: { subnet: "10.96.0.0/24" } } },
    /^networks\.web\.subnet: 10\.96\.0\.0\/24 overlaps 10\.96\.0\.0\/15, the half of the address space for Docker/,
  ],
  ["a network that is nothing", { networks: { web: null as unknown as object } }, /^networks\.web: null does not describe a network/],
  [
    "a network's label that is ours",
    { networks: { web: { labels: { "pulumi-swarm.cluster": "x" } } } },
    /^networks\.web\.labels: the label pulumi-swarm\.cluster is kept/,
  ],
  [
    "a machine whose address is in the space",
    { hosts: { rack: existing.hosts({ role: "manager", privateKey: clientKey, machines: { a: { address: "10.97.1.1", hostKey } } }) } },
    /^addressSpace: 10\.96\.0\.0\/14 overlaps 10\.97\.1\.1\/32, the address of rack-a/,
  ],
  [
    "a machine outside its site's network",
    { hosts: { rack: existing.hosts({ role: "manager", privateKey: clientKey, network: "192.168.8.0/24", machines }) } },
    /^hosts\.rack: rack-a has the address 192\.168\.7\.10, which is not in the site's network 192\.168\.8\.0\/24/,
  ],
  [
    "a site over Docker's bridge",
    { hosts: { control: local.hosts({ role: "manager", network: "172.17.0.0/16" }) } },
    /^hosts\.control\.network: 172\.17\.0\.0\/16 overlaps 172\.17\.0\.0\/16, Docker's default bridge/,
  ],
  [
    "a group that is none",
    { hosts: { control, edge: { role: "worker" } as unknown as HostGroup } },
    /^hosts\.edge: \{"role":"worker"\} is not a group of hosts/,
  ],
  [
    "numbers that are no list",
    { hosts: { control, edge: local.hosts({ role: "worker", numbers: "3" as unknown as number[] }) } },
    /^hosts\.edge\.numbers: "3" is not a list/,
  ],
  [
    "an overlay that was not called",
    { overlay: (() => ({})) as unknown as Overlay },
    /^overlay: a function \(is it to be called\?\) is not an overlay/,
  ],
  [
    "a label that is ours",
    { hosts: { control: local.hosts({ role: "manager", count: 1, labels: { "pulumi-swarm.host": "x" } }) } },
    /the label pulumi-swarm\.host is kept for this package/,
  ],
  [
    "a pin of nothing",
    { pins: { "tunnel edge": "10.97.200.0/24" } },
    /^pins\["tunnel edge"\]: nothing of this name has an address\. Fix: pin one of: site control, docker0/,
  ],
  ["a pin that is no network", { pins: { docker0: "10.97.1" } }, /^pins\["docker0"\]: "10\.97\.1" is not an IPv4 network/],
  ["a pin of public addresses", { pins: { ingress: "8.8.8.0/24" } }, /^pins\["ingress"\]: 8\.8\.8\.0\/24 are public addresses/],
  [
    "a pin of another size",
    { pins: { "site control": "10.213.4.0/22" } },
    /^pins\["site control"\]: 10\.213\.4\.0\/22 has another size than is needed here\. Fix: give a prefix length of 24/,
  ],
  [
    "a pin outside of its site",
    { pins: { "site control": "10.214.4.0/24" } },
    /^pins\["site control"\]: 10\.214\.4\.0\/24 is not in 10\.213\.0\.0\/16/,
  ],
  [
    "a pin on something else of ours",
    { pins: { docker0: "10.97.160.0/22" } },
    /^pins\["docker0"\]: 10\.97\.160\.0\/22 overlaps 10\.97\.160\.0\/20 of ingress/,
  ],
  [
    "a pin on a site",
    { pins: { docker0: "10.213.4.0/22" } },
    /^pins\["docker0"\]: 10\.213\.4\.0\/22 overlaps 10\.213\.0\.0\/16, the network of site/,
  ],
  [
    "Docker's own settings over the address space",
    { engine: { settings: { bip: "10.97.3.1/24" } } },
    /^addressSpace: 10\.96\.0\.0\/14 overlaps 10\.97\.3\.0\/24, which engine\.settings gives to Docker's bridges/,
  ],
  ["a bridge's address that is none", { engine: { settings: { bip: "here" } } }, /^engine\.settings: "here" is not an IPv4 network/],
  ["nobody who administers", { hosts: { rack: rack("manager") } }, /^firewall\.ssh: SSH is open to nobody by default, so the hosts of rack/],
  [
    "private and public addresses in one swarm",
    { hosts: { control, cloud: rack("worker", { machines: { a: { address: "198.51.100.7", hostKey } }, site: "local 10.213.0.0/16" }) } },
    /^hosts\.cloud: cloud-a has the public address 198\.51\.100\.7, but control-1 the private one/,
  ],
  [
    "two sites that nobody reaches",
    { underlay: wireguard(), hosts: { rack: rack("manager"), other: rack("worker", { site: "other" }) } },
    /^hosts: rack-a in site existing and other-a in site other cannot meet: neither side has a publicAddress/,
  ],
  [
    "a public address that is none",
    { hosts: { rack: rack("manager", { machines: { a: { ...machines.a, publicAddress: "here" } } }) } },
    /^hosts\.rack\.machines\.a\.publicAddress: "here" is not an IPv4 address/,
  ],
  [
    "a router's address that is none",
    { hosts: { rack: rack("manager", { natAddress: "here" }) } },
    /^hosts\.rack\.natAddress: "here" is not an IPv4 address/,
  ],
  ["a tunnel wider than its sites", { underlay: wireguard({ mtu: 1500 }) }, /^underlay\.mtu: 1500 is more than the sites carry: 1440 is left/],
  ["a port that is none", { underlay: wireguard({ port: 70000 }) }, /^underlay\.port: 70000 is not a UDP port/],
  [
    "a port that is none, which a cloud's firewall would open",
    { underlay: wireguard({ port: 70000 }), firewall: { ssh: ["203.0.113.0/24"] }, hosts: { control: hetzner.hosts({ role: "manager" }) } },
    /^underlay\.port: 70000 is not a UDP port/,
  ],
  [
    "more hosts than the tunnel's space holds",
    { addressSpace: "10.96.0.0/20", underlay: wireguard(), hosts: { control, edge: local.hosts({ role: "worker", count: 220 }) } },
    /^hosts\.edge: its hosts from number 211 on need a further block of tunnel addresses, a \/28, and the part of the address space for them, \S+\/24, has none left\. Fix: keep the numbers of the group to 210,/,
  ],
  ["a version that is none", { engine: { version: "latest" } }, /^engine\.version: "latest" is not a version/],
  [
    "a setting that a swarm cannot have",
    { engine: { settings: { "live-restore": true } } },
    /^engine\.settings: live-restore does not work in a swarm/,
  ],
  ["a time that is none", { membership: { reachableSeconds: 1 } }, /^membership\.reachableSeconds: 1 is not a usable time/],
  ["a number as the word to look again", { membership: { recheck: 2 as unknown as string } }, /^membership\.recheck: 2 is not a text/],
  ["an autolock that is a text", { swarm: { autolock: "yes" as unknown as boolean } }, /^swarm\.autolock: "yes" is neither true nor false/],
  ["a number as the word to rotate", { swarm: { rotateCa: 2 as unknown as string } }, /^swarm\.rotateCa: 2 is not a text/],
  ["a number of hours without its unit", { swarm: { certificateExpiry: 720 as unknown as string } }, /^swarm\.certificateExpiry: 720 is not a time/],
  [
    "too little memory",
    { hosts: { control: local.hosts({ role: "manager", count: 1, memory: 8 }) } },
    /^hosts\.control\.memory: 8 MiB are not enough/,
  ],
];

describe("wrong input", () => {
  for (const [what, args, expected] of cases) {
    it(`is named with its place and its fix: ${what}`, () => {
      const problems = problemsOf(args);
      assert.ok(
        problems.some((problem) => expected.test(problem)),
        problems.join("\n") || "no problem was found",
      );
      assert.ok(
        problems.every((problem) => !/undefined|\[object/.test(problem)),
        problems.join("\n"),
      );
    });
  }

  it("is not found where all is well", () => {
    assert.deepEqual(
      problemsOf({ networks: { web: {}, db: { internal: true } }, avoid: ["10.0.0.0/8".replace("10.0", "172.30").replace("/8", "/16")] }),
      [],
    );
  });

  it("is not found in a swarm that is kept where Docker put it", () => {
    assert.deepEqual(problemsOf({ pins: { ingress: "10.0.0.0/24", docker0: "172.17.0.0/16", docker_gwbridge: "172.18.0.0/16" } }), []);
  });

  it("is told all at once", () => {
    const hosts: Record<string, HostGroup> = { control: local.hosts({ role: "manager", count: 2 }) };
    const { problems } = planCluster({ addressSpace: "8.0.0.0/8", hosts, networks: { x: {} }, engine: { version: "?" } });
    const text = describeProblems("prod", problems);
    assert.match(text, /^The swarm cluster "prod" cannot be planned: 4 problems\.\n {2}- addressSpace: /);
    for (const path of ["addressSpace", "hosts", "networks.x", "engine.version"]) assert.match(text, new RegExp(`\n {2}- ${path}: .* Fix: .*\\.`));
  });
});

/** What a user wrote as an address, and all that is said of it. */
const addresses: readonly (readonly [string, Partial<SwarmClusterArgs>, string])[] = [
  ["a number too large", at("10.0.0.300"), 'address: "10.0.0.300" is not an IPv4 address: 300 is more than 255. Fix: correct it'],
  ["a number missing", at("10.0.300"), 'address: "10.0.300" is not an IPv4 address: it has not four numbers. Fix: correct it'],
  [
    "a number with a zero before it",
    at("10.0.0.010"),
    'address: "10.0.0.010" is not an IPv4 address: a number in it begins with 0. Fix: write address: "10.0.0.10"',
  ],
  [
    "an underscore in a name",
    at("host_name", { privateAddress: "10.0.0.1" }),
    'address: "host_name" is neither an address nor a host\'s name, which has only letters, digits, hyphens and dots. Fix: correct it, or give the address',
  ],
  ["a space after it", at("10.0.0.1 "), 'address: "10.0.0.1 " has a space around it. Fix: write address: "10.0.0.1"'],
  ["a port in it", at("10.0.0.1:2222"), 'address: "10.0.0.1:2222" is an address with a port. Fix: write address: "10.0.0.1", port: 2222'],
  ["a user in it", at("ops@10.0.0.1"), 'address: "ops@10.0.0.1" is an address with a user. Fix: write address: "10.0.0.1", user: "ops"'],
  [
    "both in it",
    at("ssh://ops@rack.example:2222", { privateAddress: "10.0.0.1" }),
    'address: "ssh://ops@rack.example:2222" is an address with a user and a port. Fix: write address: "rack.example", user: "ops", port: 2222',
  ],
  ["a URL", at("ssh://10.0.0.1/"), 'address: "ssh://10.0.0.1/" is a URL. Fix: write address: "10.0.0.1"'],
  ["a network", at("10.0.0.0/8"), 'address: "10.0.0.0/8" is a network. Fix: give one address, such as address: "10.0.0.0"'],
  ["none", at(undefined), 'address: the address is missing. Fix: write such as address: "192.0.2.10"'],
  ["a number", at(10), 'address: 10 is not a text. Fix: write it as "10"'],
  [
    "a port in a private address, which has no option for it",
    at("192.0.2.1", { privateAddress: "10.0.0.1:22" }),
    'privateAddress: "10.0.0.1:22" is an address with a port. Fix: write privateAddress: "10.0.0.1"',
  ],
  [
    "a name as a public address",
    at("10.0.0.1", { publicAddress: "rack.example" }),
    'publicAddress: "rack.example" is not an IPv4 address. Fix: give the address on which other sites reach it, or leave it out',
  ],
];

describe("a secret in the wrong place", () => {
  it("is not repeated", () => {
    const args = { ...at("192.0.2.1", { hostKey: clientKey }), adopt: { swarmId: "SWMTKN-1-abc" } };
    const said = problemsOf(args).join("\n");
    assert.match(
      said,
      /hostKey: this is a private key[^]*swarmId: a join token is not the id of a swarm|swarmId: a join token[^]*hostKey: this is a private key/,
    );
    assert.doesNotMatch(said, /BEGIN|b3Bl|SWMTKN/);
  });
});

describe("an address with something wrong in it", () => {
  for (const [what, args, said] of addresses) {
    it(`is one problem that says what it is: ${what}`, () => assert.deepEqual(problemsOf(args), [`hosts.rack.machines.a.${said}`]));
  }

  it("is one problem of a bastion too, whichever provider's hosts are behind it", () => {
    const hop = { address: "ops@203.0.113.9", hostKey, privateKey: clientKey };
    const said = 'bastion.address: "ops@203.0.113.9" is an address with a user. Fix: write address: "203.0.113.9", user: "ops"';
    const groups: Record<string, HostGroup> = {
      rack: rack("manager", { bastion: hop }),
      hetzner: hetzner.hosts({ role: "manager", location: "fsn1", bastion: hop }),
      aws: aws.hosts({ role: "manager", region: "eu-west-1", bastion: hop }),
    };
    for (const [name, { problems }] of Object.entries(groups))
      assert.deepEqual(
        problems.map(({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}`),
        [said],
        name,
      );
  });

  it("is dialled as it is where a program carries the connection: it may call the host as it likes", () => {
    const machine = { address: "project_a:rack", privateAddress: "10.0.0.1", hostKey };
    assert.deepEqual(rack("manager", { proxyCommand: ["nc", "%h"], machines: { a: machine } }).problems, []);
  });
});

describe("a private key that is none", () => {
  const problemOf = (privateKey: unknown, passphrase?: string): string[] =>
    rack("manager", { privateKey: privateKey as string, ...(passphrase !== undefined && { passphrase }) }).problems.map(
      ({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}`,
    );
  const whole = 'store the whole file with "pulumi config set --secret sshKey <FILE", or read it with readFileSync(FILE, "utf8")';
  const pkcs8 = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const { privateKey: rsa } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const locked = rsa.export({ type: "pkcs1", format: "pem", cipher: "aes-256-cbc", passphrase: "right" }).toString();
  const path = `privateKey: this is the path of a file, and the private key itself is needed. Fix: ${whole}`;
  const given: readonly (readonly [string, unknown, string, string?])[] = [
    ["a path in the home folder", "~/.ssh/id_ed25519", path],
    ["a path with a space", "/home/me/My keys/id_ed25519", path],
    ["a name of a file", "id_ed25519", path],
    [
      "a public key",
      hostKey,
      'privateKey: this is a public key, and the private key is needed. Fix: give the text of the file that has the same name without ".pub"',
    ],
    ["nothing", "", `privateKey: the private key is empty. Fix: ${whole}`],
    [
      "a sentence",
      "my own key",
      `privateKey: this is not a private key, which begins with a line such as -----BEGIN OPENSSH PRIVATE KEY-----. Fix: ${whole}`,
    ],
    ["a Buffer", Buffer.from(clientKey), 'privateKey: the private key is a Buffer. Fix: read it with readFileSync(FILE, "utf8")'],
    ["lost line breaks", clientKey.replaceAll("\n", " "), `privateKey: the line breaks of the private key are lost. Fix: ${whole}`],
    ["line breaks as words", clientKey.replaceAll("\n", "\\n"), `privateKey: the line breaks of the private key are lost. Fix: ${whole}`],
    [
      "base64",
      Buffer.from(clientKey).toString("base64"),
      'privateKey: this is a private key in base64. Fix: decode it: Buffer.from(text, "base64").toString()',
    ],
    [
      "a part",
      clientKey.split("\n").slice(0, 3).join("\n"),
      `privateKey: the private key cannot be read: a part of it is missing, or its lines are indented. Fix: ${whole}`,
    ],
    [
      "PKCS #8",
      pkcs8,
      'privateKey: this is a private key in PKCS #8 form, and OpenSSH\'s form is needed. Fix: convert it with "ssh-keygen -p -f FILE"; of @pulumi/tls take privateKeyOpenssh',
    ],
    ["no passphrase", locked, "passphrase: the private key is encrypted, and its passphrase is missing. Fix: give passphrase, or agentSocket"],
    ["a wrong passphrase", locked, "passphrase: the passphrase does not open the private key. Fix: correct the passphrase, or the key", "wrong"],
  ];
  for (const [what, key, said, passphrase] of given) {
    it(`is told what it is, and no word of it is shown: ${what}`, () => assert.deepEqual(problemOf(key, passphrase), [said]));
  }

  it("is none of these", () => {
    assert.deepEqual([problemOf(clientKey), problemOf(`\n${clientKey.replaceAll("\n", "\r\n")}`), problemOf(locked, "right")], [[], [], []]);
  });

  it("is told beside the one that takes its place, too", () => {
    const problemsOf = (args: object): string[] =>
      rack("manager", args).problems.map(({ path: where, message, fix }) => `${where}: ${message}. Fix: ${fix}`);
    const bastion = { address: "198.51.100.4", hostKey };
    assert.deepEqual(problemsOf({ privateKey: clientKey, previousKey: clientKey }), [
      "previousKey: this is the same key as privateKey. Fix: leave it out, or give the one that logged in before",
    ]);
    assert.deepEqual(problemsOf({ privateKey: clientKey, previousKey: locked }), [
      "previousKey: the private key is encrypted, and its passphrase is missing. Fix: give a copy without a passphrase",
    ]);
    const before = deriveSshKey("wrong input", "before").privateKey;
    assert.deepEqual(problemsOf({ privateKey: undefined, agentSocket: "/run/agent", previousKey: before }), [
      "previousKey: there is no key to take its place. Fix: give the new one as privateKey",
    ]);
    assert.deepEqual(problemsOf({ privateKey: clientKey, previousKey: before, bastion }), [
      "previousKey: the bastion is logged in to by the group's key, which up does not change there. Fix: give the bastion's own as bastion.privateKey",
    ]);
    assert.deepEqual(problemsOf({ privateKey: clientKey, previousKey: before, bastion: { ...bastion, privateKey: clientKey } }), []);
  });

  it("is looked at later where it is an Output", () => {
    assert.deepEqual(rack("manager", { privateKey: pulumi.secret("~/.ssh/id") }).problems, []);
    assert.deepEqual(rack("manager", { privateKey: locked, passphrase: pulumi.secret("right") }).problems, []);
  });
});
