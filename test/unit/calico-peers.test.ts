import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { planCluster } from "../../components/cluster/plan";
import type { Planned } from "../../components/cluster/planned";
import { summarize } from "../../components/cluster/summary";
import { swarmRequest } from "../../components/cluster/request";
import { nftRuleset } from "../../components/firewall/nftables";
import type { FirewallHost } from "../../components/firewall/rule";
import * as existing from "../../components/hosts/existing";
import * as hetzner from "../../components/hosts/hetzner";
import { calico } from "../../components/overlays/calico";
import type { CalicoSettings } from "../../components/overlays/calico/args";
import { wireguard } from "../../components/underlay/wireguard";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const hosts = {
  control: existing.hosts({
    role: "manager",
    site: "rack",
    network: "10.5.0.0/24",
    agentSocket: "/run/agent",
    machines: { a: { address: "10.5.0.11", hostKey } },
  }),
  edge: existing.hosts({
    role: "worker",
    site: "rack",
    network: "10.5.0.0/24",
    agentSocket: "/run/agent",
    machines: { a: { address: "10.5.0.12", hostKey } },
  }),
};
const tor = { address: "10.5.0.1", as: 65010, password: "tor-and-us" };

function plan(peers: unknown, more: object = {}, overlay: object = {}): Planned {
  return planCluster({
    overlay: calico({ ...overlay, peers } as never),
    networks: { web: {}, db: {} },
    firewall: { ssh: ["203.0.113.0/24"] },
    hosts,
    ...more,
  });
}

function problems(peers: unknown, more: object = {}, overlay: object = {}): string[] {
  return plan(peers, more, overlay).problems.map(({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}`);
}

const one = (args: object): string[] => problems({ tor: { ...tor, ...args } });

describe("the plan of routers outside the cluster", () => {
  it("says what is announced to each, by whom, what is taken from it, and what signs it", () => {
    const peers = {
      tor: { ...tor, announce: ["web"], accept: ["default", "10.20.0.0/16"], on: "group edge", bfd: true },
      spine: { address: "10.5.0.2", as: 4_200_000_000 },
    };
    const planned = plan(peers);
    assert.deepEqual(planned.problems, []);
    assert.deepEqual(planned.plan.peers, [
      {
        name: "tor",
        address: "10.5.0.1",
        as: 65010,
        clusterAs: 64512,
        on: "group edge",
        announces: { web: "0.0.0.128/26 of each host's own /24 in 10.97.0.0/17" },
        accepts: ["0.0.0.0/0", "10.20.0.0/16"],
        signedBy: "TCP MD5",
        bfd: true,
      },
      {
        name: "spine",
        address: "10.5.0.2",
        as: 4_200_000_000,
        clusterAs: 64512,
        on: "members",
        announces: { "all networks": "each host's own /24 in 10.97.0.0/17" },
        accepts: [],
        signedBy: "nothing",
        bfd: false,
      },
    ]);
    assert.match(
      summarize("prod", planned.plan),
      /routers {4}tor \(10\.5\.0\.1, AS 65010\): group edge announce web; take a way to 0\.0\.0\.0\/0, 10\.20\.0\.0\/16 from it; signed by TCP MD5\n +spine .*: members announce all networks; take nothing from it; signed by nothing\n/,
    );
  });

  it("opens 179/tcp to just these routers, and BFD where it is asked for", () => {
    const rules = plan({ tor: { ...tor, bfd: true, on: "group edge" }, spine: { ...tor, address: "10.5.0.2" } }).plan.firewall;
    assert.deepEqual(
      rules.flatMap(({ name, protocol, ports, from, to, over }) =>
        name.startsWith("bgp") ? [`${name}: ${protocol}/${ports.join()} ${from.join()} > ${to} (${over})`] : [],
      ),
      [
        "bgp: tcp/179 members > members (site)",
        "bgp-bfd: udp/3784 members > members (site)",
        "bgp tor: tcp/179 10.5.0.1/32 > group edge (site)",
        "bgp-bfd tor: udp/3784 10.5.0.1/32 > group edge (site)",
        "bgp spine: tcp/179 10.5.0.2/32 > members (site)",
      ],
    );
  });

  it("tells hosts the cluster's own networks, which no router may draw to itself, only where something is taken", () => {
    const settings = (peers: object): CalicoSettings["peers"] => (plan(peers).plan.onHosts?.settings as CalicoSettings).peers;
    assert.deepEqual(settings({ tor: { ...tor, accept: "default" } })?.never, ["10.5.0.0/24", "10.96.0.0/14", "169.254.0.0/16"]);
    assert.deepEqual(settings({ tor })?.never, []);
    assert.deepEqual(settings({}), undefined);
  });

  it("is what it was where there are no routers", () => {
    assert.deepEqual(plan({}), plan(undefined));
    assert.equal("peers" in (plan({}).plan.onHosts?.settings ?? {}), false);
  });

  it("says that sessions with routers are readable, also beside a tunnel", () => {
    const routes = (peers: object, more: object = {}): unknown => {
      const channel = plan(peers, more).plan.encryption.find(({ channel: name }) => name === "routes");
      return [channel?.protects, channel?.note];
    };
    assert.deepEqual(routes({ tor }), [
      false,
      "whoever is on the site's network can read which subnet is whose; who is between hosts and tor can read what hosts announce",
    ]);
    assert.deepEqual(routes({ tor }, { underlay: wireguard() }), [true, "who is between hosts and tor can read what hosts announce"]);
    assert.deepEqual(routes({}, { underlay: wireguard() }), [true, undefined]);
  });

  it("warns of a session without a password, and of a router that is no neighbour", () => {
    const warnings = (peers: object): string[] => plan(peers).plan.warnings.filter((line) => line.startsWith("overlay.peers"));
    assert.deepEqual(warnings({ tor }), []);
    assert.match(
      warnings({ tor: { address: "10.5.0.1", as: 65010 } }).join(),
      /^overlay\.peers\.tor: without a password, whoever takes the address 10\.5\.0\.1/,
    );
    assert.match(
      warnings({ tor: { ...tor, address: "10.6.0.1" } }).join(),
      /^overlay\.peers\.tor: 10\.6\.0\.1 is not in 10\.5\.0\.0\/24, the network of site "rack"/,
    );
  });

  it("says what is wrong with an address", () => {
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [undefined, /address: an IPv4 address is missing/],
      ["2001:db8::1", /address: "2001:db8::1" is an IPv6 address, and containers and their routes have IPv4 alone/],
      ["tor.example.com", /address: "tor\.example\.com" is not an IPv4 address/],
      ["10.5.0.1/32", /address: "10\.5\.0\.1\/32" is not an IPv4 address\. Fix: write "10\.5\.0\.1"/],
      ["127.0.0.1", /address: 127\.0\.0\.1 is the host itself/],
      ["10.97.3.4", /address: 10\.97\.3\.4 is in 10\.96\.0\.0\/14, the address space of the cluster, where containers have their addresses/],
      ["10.5.0.12", /address: 10\.5\.0\.12 is the address of edge-a, a host of the cluster itself/],
    ];
    for (const [address, message] of cases) assert.match(one({ address })[0] ?? "nothing", message);
    assert.match(
      problems({ tor: { ...tor, address: "10.200.0.9" } }, { networks: { web: {} }, pins: { docker0: "10.200.0.0/24" } }).join(),
      /10\.200\.0\.9 is in 10\.200\.0\.0\/24, the subnet of docker0/,
    );
    assert.deepEqual(problems({ tor, spine: tor }), [
      "overlay.peers.spine.address: 10.5.0.1 is the address of tor too. Fix: keep one of them: hosts have one session with a router",
    ]);
  });

  it("says what is wrong with the number of an autonomous system, the cluster's own among them", () => {
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [0, /as: 0 is not the number of an autonomous system\. Fix: give a whole number from 1 to 4294967294/],
      [4_294_967_295, /as: 4294967295 is not/],
      [23_456, /as: 23456 is not/],
      [65_535, /as: 65535 is not/],
      ["65010", /as: "65010" is not .*\. Fix: write 65010$/],
      ["AS65010", /Fix: write 65010$/],
      ["1.10", /Fix: write 65546$/],
      [undefined, /as: the number of an autonomous system is missing/],
      [
        64_512,
        /as: 64512 is the cluster's own number\. .*\. Fix: give the number of the router's own system, or the cluster another one: asNumber: 64513$/,
      ],
    ];
    for (const [as, message] of cases) assert.match(one({ as })[0] ?? "nothing", message);
    assert.deepEqual(problems({ tor: { ...tor, as: 64_512 } }, {}, { asNumber: 64_513 }), []);
    for (const as of [1, 64_511, 65_536, 4_294_967_294]) assert.deepEqual(one({ as }), []);
  });

  it("says what is wrong with what is announced, what is accepted, hosts and names", () => {
    const cases: readonly (readonly [object, RegExp])[] = [
      [{ announce: "web" }, /announce: "web" is not a list of networks\. Fix: write it as \["web"\]/],
      [{ announce: ["wbe"] }, /announce\[0\]: there is no network "wbe"; did you mean "web"\?\. Fix: write "web"/],
      [{ announce: ["shop"] }, /announce\[0\]: there is no network "shop"\. Fix: the networks are web, db/],
      [{ announce: ["web", "web"] }, /announce\[1\]: "web" is named twice/],
      [{ announce: [] }, /announce: nothing is announced and nothing accepted/],
      [{ accept: "all" }, /accept: "all" does not say what hosts take from the router\. Fix: write "nothing", "default" or a list/],
      [{ accept: "10.20.0.0/16" }, /accept: .*\. Fix: write it as \["10\.20\.0\.0\/16"\]/],
      [{ accept: ["0.0.0.0/0"] }, /accept\[0\]: .*\. Fix: write "default" for a default route/],
      [{ accept: ["nothing"] }, /accept\[0\]: "nothing" is said instead of a list/],
      [{ accept: ["2001:db8::/32"] }, /accept\[0\]: .* IPv6 network/],
      [{ accept: ["10.20.0.1/16"] }, /accept\[0\]: "10\.20\.0\.1\/16" has bits set/],
      [{ accept: [7] }, /accept\[0\]: 7 is not a network in CIDR form/],
      [{ accept: ["10.20.0.0/16", "10.20.0.0/16"] }, /accept\[1\]: "10\.20\.0\.0\/16" is named twice/],
      [
        { accept: ["10.97.1.0/24"] },
        /accept\[0\]: 10\.97\.1\.0\/24 overlaps 10\.96\.0\.0\/14, the address space of the cluster: a router could draw/,
      ],
      [{ accept: ["10.0.0.0/8"] }, /accept\[0\]: 10\.0\.0\.0\/8 overlaps 10\.96\.0\.0\/14/],
      [{ accept: ["10.4.0.0/15"] }, /accept\[0\]: 10\.4\.0\.0\/15 overlaps 10\.5\.0\.0\/24, the network of site "rack"/],
      [{ on: "group rack" }, /on: there is no group "rack"/],
      [{ on: "edge" }, /on: "edge" does not name hosts of the cluster; did you mean "group edge"\?/],
      [{ bfd: "yes" }, /bfd: "yes" is neither true nor false/],
      [{ asn: 1 }, /asn: asn is not an option of a router; did you mean as\?/],
    ];
    for (const [args, message] of cases) assert.match(one(args)[0] ?? "nothing", message);
    assert.match(problems({ "Tor 1": tor })[0] ?? "", /^overlay\.peers\.Tor 1: "Tor 1" cannot name a router/);
    assert.deepEqual(one({ announce: [], accept: "default" }), []);
  });

  it("tells all that is wrong at once", () => {
    assert.equal(problems({ tor: { address: "::1", as: 0, password: "", announce: ["x"], accept: "x", on: "x", bfd: 1 } }).length, 7);
  });

  it("never shows a password, whatever is wrong with it", () => {
    const secret = "geheim-4711";
    for (const peers of [
      { tor: { ...tor, password: `${secret} 1` } },
      { tor: { ...tor, password: `"${secret}` } },
      { tor: { ...tor, password: secret.repeat(9) } },
      { tor: { ...tor, password: [secret] } },
      { tor: { ...tor, password: { secret } } },
      { tor: [{ ...tor, password: secret }] },
      [{ ...tor, password: secret }],
    ]) {
      const said = problems(peers);
      assert.ok(said.length > 0);
      assert.ok(!said.join().includes(secret), said.join());
    }
    assert.match(one({ password: 47_11 })[0] ?? "", /^overlay\.peers\.tor\.password: what is given is not a text/);
    assert.deepEqual(one({ password: pulumi.secret("late") }), []);
    // What the preview could not look into is looked into when it is known.
    const late = calico({ peers: { tor: { ...tor, password: pulumi.secret(`${secret} 1`) } } }).secrets;
    assert.deepEqual(Object.keys(late?.values ?? {}), ["tor"]);
    assert.match(late?.problem("tor", `${secret} 1`)?.message ?? "", /^it is too long, or has characters that BIRD cannot read$/);
    assert.equal(late?.problem("tor", secret), undefined);
  });

  it("has no password in the plan, and has it in the request alone", () => {
    const { plan: planned } = plan({ tor });
    assert.ok(!JSON.stringify(planned).includes(tor.password));
    const identity = { project: "p", stack: "s", cluster: "prod" };
    const args = { hosts };
    const asked = (passwords?: Record<string, string>): string =>
      JSON.stringify(
        swarmRequest(identity, args, planned, new Map(), { overlay: "o", memory: "m", since: "", ...(passwords && { passwords }) }).overlay.onHosts,
      );
    assert.match(asked({ tor: "secret" }), /"passwords":\{"tor":"secret"\}/);
    assert.equal(asked({}), asked());
  });

  it("refuses hosts whose cloud does not carry containers' addresses, also in the tunnel", () => {
    const cloud = hetzner.hosts({ role: "worker", count: 1, location: "fsn1", serverType: "cx22" });
    const mixed = { underlay: wireguard(), hosts: { ...hosts, cloud } };
    assert.match(
      problems({ tor }, mixed).find((line) => line.startsWith("overlay.peers")) ?? "",
      /^overlay\.peers\.tor\.on: a router cannot reach containers on hosts of cloud: Hetzner's private network hands on packets of its own addresses alone\. Fix: name other hosts/,
    );
    assert.deepEqual(
      problems({ tor: { ...tor, on: "group edge" } }, mixed).filter((line) => line.startsWith("overlay.peers")),
      [],
    );
  });
});

describe("the firewall of hosts beside a tunnel", () => {
  const host = (key: string, group: string): FirewallHost => ({
    key,
    role: "worker",
    group,
    site: "rack",
    address: "10.5.0.12",
    tunnelAddress: "10.97.192.2",
  });
  const output = (group: string): string => {
    const { firewall } = plan({ tor: { ...tor, on: "group edge" } }, { underlay: wireguard() }).plan;
    const ruleset = nftRuleset(firewall, host("x", group), [host("x", group)], { tunnelInterface: "swarm0" });
    return /chain output \{[^}]*(?:\{[^}]*\}[^}]*)*\n {2}\}/.exec(ruleset)?.[0] ?? "";
  };

  it("lets hosts call their routers at a port that is for the tunnel, before it drops all else", () => {
    assert.match(output("edge"), /ip daddr 10\.5\.0\.1 tcp dport 179 accept comment "bgp tor"\n.* tcp dport \{[^}]*179/);
    assert.doesNotMatch(output("control"), /10\.5\.0\.1/);
  });
});
