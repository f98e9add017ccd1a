import assert from "node:assert/strict";
import type { SwarmClusterArgs } from "../../components/cluster/args";
import { planCluster } from "../../components/cluster/plan";
import type { Problem } from "../../components/report";
import * as hetzner from "../../components/hosts/hetzner";
import { commonOf, isLabelKey, isLabelValue } from "../../components/hosts/hetzner/names";
import { architectureOf } from "../../components/hosts/hetzner/plan";
import { flannel } from "../../components/overlays/flannel";
import { wireguard } from "../../components/underlay/wireguard";

const firewall = { ssh: ["203.0.113.0/24"] };

/** A program without types may give anything. */
function group(args: object): SwarmClusterArgs["hosts"][string] {
  return hetzner.hosts({ role: "manager", ...args });
}

function problemsOf(args: object): readonly Problem[] {
  return planCluster({ hosts: { control: group(args) }, firewall }).problems;
}

/** What is wrong, and all that a user should read of it. */
const wrong: readonly (readonly [when: string, args: object, problem: Problem])[] = [
  [
    "the location is a network zone",
    { location: "eu-central" },
    { path: "hosts.control.location", message: '"eu-central" is not a location', fix: 'write one of "fsn1", "nbg1", "hel1", "ash", "hil", "sin"' },
  ],
  [
    "one of the locations is none",
    { locations: ["fsn1", "fsn2"] },
    { path: "hosts.control.locations[1]", message: '"fsn2" is not a location; did you mean "fsn1"?', fix: 'write "fsn1"' },
  ],
  [
    "no location is named",
    { locations: [] },
    { path: "hosts.control.locations", message: "[] names no location", fix: 'write names such as ["fsn1", "nbg1", "hel1"]' },
  ],
  [
    "a location and locations are given",
    { location: "hel1", locations: ["fsn1"] },
    { path: "hosts.control.locations", message: "location and locations are both given", fix: "keep one of them" },
  ],
  [
    "its locations are of two network zones",
    { locations: ["fsn1", "ash", "hel1"] },
    {
      path: "hosts.control.locations[1]",
      message: "ash is in us-east, and fsn1 in eu-central: a network of Hetzner's joins locations of one network zone",
      fix: "make its hosts another group",
    },
  ],
  [
    "the default type is not sold there",
    { location: "sin" },
    {
      path: "hosts.control.serverType",
      message: "none is given, and Hetzner sells the default, cx23, in eu-central only",
      fix: 'name one that is sold in ap-southeast, such as "cpx21"',
    },
  ],
  [
    "the type is no type",
    { serverType: "t3.medium" },
    {
      path: "hosts.control.serverType",
      message: '"t3.medium" is not a server type',
      fix: 'write one such as "cx23", "cpx22", "ccx13" or "cax11"',
    },
  ],
  [
    "a host's own type is none",
    { each: { 1: { serverType: 23 } } },
    { path: "hosts.control.each.1.serverType", message: "23 is not a server type", fix: 'write one such as "cx23", "cpx22", "ccx13" or "cax11"' },
  ],
  [
    "the image is not known",
    { image: "debian-11" },
    { path: "hosts.control.image", message: '"debian-11" is not an image', fix: 'write "debian-13", "debian-12", "ubuntu-24.04" or { id: "…" }' },
  ],
  [
    "two networks are given",
    { network: "10.72.0.0/16", privateNetwork: { id: "1", cidr: "10.20.0.0/16" } },
    {
      path: "hosts.control.network",
      message: "network and privateNetwork are both given",
      fix: "keep network to have one made, or privateNetwork to use yours",
    },
  ],
  [
    "the user's network has no range",
    { privateNetwork: { id: "1" } },
    { path: "hosts.control.privateNetwork", message: '{"id":"1"} is not a network', fix: 'write { id: "…", cidr: "10.0.1.0/24" }' },
  ],
  [
    "the network is smaller than Hetzner makes one",
    { network: "10.72.0.0/25" },
    { path: "hosts.control.network", message: "10.72.0.0/25 is too small for a network of hosts", fix: "take a /8 to /24" },
  ],
  [
    "the user's network is too small for a block each",
    { privateNetwork: { id: "1", cidr: "10.72.0.0/27" } },
    { path: "hosts.control.privateNetwork.cidr", message: "10.72.0.0/27 is too small for a network of hosts", fix: "take a /8 to /26" },
  ],
  [
    "the network would cut servers off from the Internet",
    { network: "172.31.0.0/16" },
    {
      path: "hosts.control.network",
      message: "172.31.0.0/16 holds 172.31.1.1, by which servers reach the Internet",
      fix: "take another network",
    },
  ],
  [
    "packets would not pass the network",
    { mtu: 1500 },
    { path: "hosts.control.mtu", message: "Hetzner's private networks carry 1450 bytes, not 1500", fix: "leave it out, or give less" },
  ],
  [
    "something is said of a host that is not there",
    { count: 1, each: { 2: { renew: "1" } } },
    { path: "hosts.control.each.2", message: "there is no host 2", fix: "the hosts are 1" },
  ],
  [
    "a text to renew a host cannot be part of a name",
    { each: { 1: { renew: "to hel1!" } } },
    {
      path: "hosts.control.each.1.renew",
      message: '"to hel1!" is not a short text',
      fix: 'use up to 40 letters, digits, dots and hyphens, such as "2026-05-01"',
    },
  ],
  [
    "a protected server cannot be made anew",
    { protect: true, each: { 1: { renew: "2026-11" } } },
    {
      path: "hosts.control.each.1.renew",
      message: "the servers are protected, so Hetzner refuses to delete host 1, and it cannot be replaced",
      fix: "set protect: false and run pulumi up once, then renew; after that leave renew out (the host stays as it is) and set protect again",
    },
  ],
  [
    "a label is one of ours",
    { hcloudLabels: { "pulumi-swarm/role": "worker" } },
    {
      path: 'hosts.control.hcloudLabels["pulumi-swarm/role"]',
      message: "labels that begin with pulumi-swarm/ are kept for this package",
      fix: "name it otherwise",
    },
  ],
  [
    "a label's key is none",
    { hcloudLabels: { "cost centre": "42" } },
    {
      path: 'hosts.control.hcloudLabels["cost centre"]',
      message: '"cost centre" is not a key of a label',
      fix: "use letters, digits, dots, hyphens and underscores, up to 63, after a DNS name and a slash if need be",
    },
  ],
  [
    "a label's value is none",
    { hcloudLabels: { owner: "a@example.com" } },
    {
      path: 'hosts.control.hcloudLabels["owner"]',
      message: '"a@example.com" is not a value of a label',
      fix: "use up to 63 letters, digits, dots, hyphens and underscores, beginning and ending with a letter or digit",
    },
  ],
];

describe("Hetzner's hosts", () => {
  for (const [when, args, problem] of wrong) it(`are refused with the fix when ${when}`, () => assert.deepEqual(problemsOf(args), [problem]));

  it("have room in the smallest networks", () => {
    for (const args of [{ network: "10.72.0.0/24" }, { privateNetwork: { id: "1", cidr: "10.72.0.0/26" } }]) {
      const edge = group({ role: "worker", count: 5, ...args });
      assert.deepEqual(planCluster({ hosts: { control: group({ count: 3, ...args }), edge }, firewall }).problems, []);
    }
  });

  it("are refused in a network that is larger than any private one", () => {
    const problem = { path: "hosts.control.network", message: "10.0.0.0/7 is too large for a network of hosts", fix: "take a /8 to /24" };
    assert.ok(
      problemsOf({ network: "10.0.0.0/7" }).some((one) => one.message === problem.message && one.fix === problem.fix && one.path === problem.path),
    );
  });

  it("go round the locations by their numbers, each at its number in its group's one block", () => {
    const hosts = {
      control: group({ count: 3, locations: ["fsn1", "nbg1", "hel1"] }),
      edge: group({ role: "worker", numbers: [2, 5], location: "hel1" }),
    };
    const { plan, problems } = planCluster({ hosts, firewall });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      plan.hosts.map(({ key, site, zone, address }) => [key, site, zone, address]),
      [
        ["control-1", "hetzner eu-central", "fsn1", "10.72.138.1"],
        ["control-2", "hetzner eu-central", "nbg1", "10.72.138.2"],
        ["control-3", "hetzner eu-central", "hel1", "10.72.138.3"],
        ["edge-2", "hetzner eu-central", "hel1", "10.72.15.2"],
        ["edge-5", "hetzner eu-central", "hel1", "10.72.15.5"],
      ],
    );
    assert.deepEqual(
      plan.subnets.filter(({ owner }) => owner.startsWith("site")).map(({ owner, cidr, pin }) => [owner, cidr, pin]),
      [
        ["site control", "10.72.138.0/24", 'pins["site control"]'],
        ["site edge", "10.72.15.0/24", 'pins["site edge"]'],
      ],
    );
  });

  it("keep their addresses when their locations change, and can be pinned in one block", () => {
    const addresses = (args: object, pins = {}): unknown =>
      planCluster({ hosts: { control: group({ count: 3, ...args }) }, firewall, pins }).plan.hosts.map(({ address }) => address);
    assert.deepEqual(addresses({ locations: ["hel1", "fsn1"] }), addresses({}));
    assert.deepEqual(addresses({ locations: ["hel1", "fsn1"] }, { "site control": "10.72.7.0/24" }), ["10.72.7.1", "10.72.7.2", "10.72.7.3"]);
  });

  it("carry the private network's packets, and so do all others beside them", () => {
    const hosts = {
      control: group({ count: 3 }),
      far: group({ role: "worker", location: "ash", serverType: "cpx21", network: "10.73.0.0/16", mtu: 1400 }),
    };
    assert.equal(planCluster({ hosts: { control: hosts.control }, firewall }).plan.underlayMtu, 1450);
    assert.equal(planCluster({ hosts, firewall, underlay: wireguard() }).plan.underlayMtu, 1340);
  });

  it("are refused at preview where they are more than a network takes, told once", () => {
    const crowd = { hosts: { control: group({}), edge: group({ role: "worker", count: 60 }), more: group({ role: "worker", count: 40 }) }, firewall };
    assert.deepEqual(planCluster(crowd).problems, [
      {
        path: "hosts.control.network",
        message: 'the network of site "hetzner eu-central" would have 101 servers, and Hetzner takes 100',
        fix: "give some of its groups a site and a network of their own",
      },
    ]);
  });

  it("are refused with an overlay that routes containers' own addresses, once for each group and whatever their locations", () => {
    const hosts = { control: group({ count: 3, locations: ["fsn1", "nbg1", "hel1"] }) };
    assert.deepEqual(planCluster({ hosts, firewall, overlay: flannel({ backend: "vxlan" }) }).problems, []);
    assert.deepEqual(planCluster({ hosts, firewall, overlay: flannel({ backend: "host-gw" }) }).problems, [
      {
        path: "overlay",
        message:
          "flannel hands on packets with containers' own addresses, and hosts of control would not get them: Hetzner's private network hands on packets of its own addresses alone",
        fix: 'take flannel({ backend: "vxlan" }) or another overlay that wraps them',
      },
    ]);
  });

  it("have the processor that their type's name says", () => {
    for (const type of ["cax11", "cax41"]) assert.equal(architectureOf(type), "arm", type);
    for (const type of ["cx23", "cpx22", "ccx13"]) assert.equal(architectureOf(type), "x86", type);
  });
});

describe("Hetzner's labels", () => {
  it("are what Hetzner takes, whatever cluster and site are called", () => {
    for (const [cluster, site] of [
      ["lab", "hetzner eu-central"],
      ["_my cluster!", "Büro, 2. Stock"],
      ["c".repeat(80), "s"],
    ] as const) {
      const labels = commonOf({ role: "manager" }, site, { cluster }).serverLabels({ role: "manager", group: "control" });
      for (const [key, value] of Object.entries(labels)) assert.ok(isLabelKey(key) && isLabelValue(String(value)), `${key}=${String(value)}`);
    }
  });

  it("are checked by Hetzner's syntax", () => {
    for (const key of ["a", "a.b_c-d", "example.com/cost", "k".repeat(63)]) assert.ok(isLabelKey(key), key);
    for (const key of ["", "-a", "a-", "/a", "a/", "a/b/c", "Example.com/a", "a b", "k".repeat(64)]) assert.ok(!isLabelKey(key), key);
    for (const value of ["", "1", "v1.2_x-y", "v".repeat(63)]) assert.ok(isLabelValue(value), value);
    for (const value of ["-", "a.", "a/b", "ü", "v".repeat(64)]) assert.ok(!isLabelValue(value), value);
  });
});
