import assert from "node:assert/strict";
import * as fc from "fast-check";
import { Cidr } from "../../components/addresses/cidr";
import type { SwarmClusterArgs } from "../../components/cluster/args";
import { planCluster } from "../../components/cluster/plan";
import { type ClusterPlan } from "../../components/cluster/planned";
import { planRenumbering, withPins } from "../../components/cluster/renumbering";
import type { PlannedHost } from "../../components/hosts/host";
import * as local from "../../components/hosts/local";
import { placeOf, rangeOf } from "../../components/overlays/ranges";
import { openvswitch, type OpenvswitchArgs } from "../../components/overlays/openvswitch";
import { dockerFile, hostNetworks, networksFile, tunnelLinks, tunnelsFile, vlansOf } from "../../components/overlays/openvswitch/links";
import type { OverlayContext, OverlayPlan } from "../../components/overlays/overlay";
import { direct } from "../../components/underlay/direct";
import { wireguard } from "../../components/underlay/wireguard";

function host(key: string, site = "rack"): PlannedHost {
  return { key, group: "control", place: "1", provider: "existing", role: "manager", site, sshPort: 22, labels: {} };
}

const hosts = ["a", "b", "c"].map((key) => host(key));

function plan(args: OpenvswitchArgs = {}, more: Partial<OverlayContext> & { readonly tunnel?: boolean } = {}): OverlayPlan {
  const { tunnel = false, ...context } = more;
  const sites = context.sites ?? ["rack"];
  const underlay = (tunnel ? wireguard() : direct()).plan({ sites: sites.map((key) => ({ key, mtu: 1500 })), hosts });
  return openvswitch(args).plan({ sites, hosts, underlay, behindNat: [], ...context });
}

function problems(args: unknown, more: Parameters<typeof plan>[1] = {}): string[] {
  return plan(args as OpenvswitchArgs, more).problems.map(({ path, message, fix }) => `${path}: ${message}; ${fix}`);
}

const control = local.hosts({ role: "manager", count: 3 });

function cluster(args: Partial<SwarmClusterArgs> = {}): ClusterPlan {
  const { plan: planned, problems: found } = planCluster({ hosts: { control }, overlay: openvswitch(), networks: { web: {}, db: {} }, ...args });
  assert.deepEqual(found, []);
  return planned;
}

function said(args: Partial<SwarmClusterArgs>): string[] {
  return planCluster({ hosts: { control }, overlay: openvswitch(), ...args }).problems.map(({ path, message, fix }) => `${path}: ${message}; ${fix}`);
}

const cidr = (text: string | undefined): Cidr => Cidr.parse(text ?? "") as Cidr;

describe("the plan of Open vSwitch", () => {
  it("opens its tunnels between the hosts, and the swarm's ingress network, and nothing else", () => {
    const rules = plan().rules.map(({ name, protocol, ports, from, to }) => `${name} ${protocol}/${ports.join(",")} ${from.join(",")} > ${to}`);
    assert.deepEqual(rules, ["overlay-data udp/4790 members > members", "ingress-data udp/4789 members > members"]);
    assert.deepEqual(plan().routedIn, { interface: "ovg-*" });
  });

  it("has what VXLAN and the VLAN's tag take off the MTU, also inside the tunnel", () => {
    assert.deepEqual([plan().containerMtu(1500), plan({}, { tunnel: true }).containerMtu(1440)], [1446, 1386]);
  });

  it("asks hosts for macvlan and for Open vSwitch, or a way to install it", () => {
    assert.deepEqual(plan().needs, { features: ["vxlan", "macvlan", "openvswitch"] });
  });

  it("refuses plaintext between sites, and is encrypted by the underlay", () => {
    const two = { sites: ["rack", "cloud"] };
    assert.deepEqual(problems({}, two), [
      "overlay: openvswitch would carry container traffic in plaintext between the sites rack and cloud: it encrypts nothing itself; take wireguard() as the underlay",
    ]);
    assert.deepEqual(problems({}, { ...two, tunnel: true }), []);
    assert.deepEqual([plan().encryption[0]?.protects, plan({}, { tunnel: true }).encryption[0]?.mechanism], [false, "inside the wireguard underlay"]);
  });

  it("refuses numbers that networks cannot be divided by, and more hosts than that", () => {
    assert.deepEqual(problems({ mostHosts: 100, hostsPerGroup: 3, hostPrefix: 30 }), [
      "overlay.mostHosts: 100 is not a number of hosts that networks can be divided among; give a power of two from 8 to 512",
      "overlay.hostsPerGroup: 3 is not a number of hosts for a group; give a power of two from 4 to 128",
      "overlay.hostPrefix: 30 is not usable for a host's part of a network; give a prefix length from 23 to 29",
    ]);
    assert.deepEqual(problems({ mostHosts: 8 }, { hosts: Array.from({ length: 9 }, (_, index) => host(`h${index}`)) }), [
      "overlay.mostHosts: networks are divided among 8 hosts, and there are 9; give a power of two of at least 9, up to 512, or take native()",
    ]);
    assert.deepEqual(problems({ mostHosts: 8 }), []);
  });
});

describe("networks of which each host has a range", () => {
  it("have subnets of their own, with room for each host, and addresses from a network of each host's own", () => {
    const { networks, subnets, onHosts } = cluster({ networks: { web: {}, db: { prefix: 20, internal: true }, old: { subnet: "10.99.64.0/18" } } });
    const prefixes = networks.map(({ name, subnet, configFrom, gateway, internal }) => [name, cidr(subnet).prefix, configFrom, gateway, internal]);
    assert.deepEqual(prefixes, [
      ["old", 18, "pulumi-swarm-old", undefined, false],
      ["db", 20, "pulumi-swarm-db", undefined, true],
      ["web", 19, "pulumi-swarm-web", undefined, false],
    ]);
    assert.equal(subnets.find(({ owner }) => owner === "ranges old")?.cidr, "10.99.64.0/18");
    assert.deepEqual(onHosts?.routedIn, { network: "10.98.0.0/15", interface: "ovg-*" });
    assert.deepEqual(
      onHosts?.ranges?.networks.map(({ name, internal }) => `${name} ${internal}`),
      ["old false", "db true", "web false"],
    );
  });

  it("never overlap between two hosts, whatever their groups and names", () => {
    const group = fc.record({ count: fc.integer({ min: 1, max: 20 }), key: fc.constantFrom("edge", "gpu", "front", "a") });
    fc.assert(
      fc.property(fc.uniqueArray(group, { maxLength: 3, selector: ({ key }) => key }), (groups) => {
        const more = Object.fromEntries(groups.map(({ key, count }) => [key, local.hosts({ role: "worker", count })]));
        const { hosts: all, networks, onHosts } = cluster({ hosts: { control, ...more } });
        const places = onHosts?.ranges?.places ?? "";
        for (const { subnet } of networks) {
          const ranges = all.map(({ containerSubnet = "" }) => rangeOf(subnet, containerSubnet, places)).sort((one, other) => one.compare(other));
          ranges.forEach((range, index) => {
            assert.ok(cidr(subnet).contains(range));
            assert.ok(index === 0 || !ranges[index - 1]?.overlaps(range), `${ranges.join(" ")}`);
          });
        }
      }),
      { numRuns: 25 },
    );
  });

  it("stay where they are when hosts and networks come and go", () => {
    const [before, after] = [
      cluster(),
      cluster({ hosts: { control, edge: local.hosts({ role: "worker", count: 2 }) }, networks: { web: {}, zoo: {} } }),
    ];
    const places = ({ hosts: all }: ClusterPlan): unknown =>
      all.filter(({ group }) => group === "control").map(({ containerSubnet }) => containerSubnet);
    const web = ({ networks }: ClusterPlan): unknown => networks.find(({ name }) => name === "web")?.subnet;
    assert.deepEqual([places(after), web(after)], [places(before), web(before)]);
  });

  it("are kept by pins that the preview names, hosts' places too", () => {
    const args = { hosts: { control }, overlay: openvswitch(), networks: { web: {} } };
    const remembered = { "ranges web": "10.98.0.0/19", "places control": "10.97.64.0/20" };
    const moves = planRenumbering(args, remembered);
    assert.deepEqual(
      moves.map(({ owner, was, pin }) => `${owner} ${was} ${pin}`),
      ['places control 10.97.64.0/20 pins["places control"]', "ranges web 10.98.0.0/19 networks.web.subnet"],
    );
    const { plan: kept, problems: found } = planCluster(withPins(args, moves));
    assert.deepEqual([found, kept.networks[0]?.subnet, kept.hosts[0]?.containerSubnet], [[], "10.98.0.0/19", "10.97.64.0/24"]);
  });

  it("refuses networks in which a host would have no room, and labels", () => {
    assert.deepEqual(said({ networks: { web: { prefix: 24 }, db: { subnet: "10.99.0.0/24" }, log: { labels: { a: "b" } } } }), [
      "networks.log.labels: Docker takes no labels for a network whose addresses each host keeps; leave labels out",
      "networks.web.prefix: 24 is not usable; give a prefix length from 16 to 22",
      "networks.db.subnet: 10.99.0.0/24 is too small for one network; give a prefix length from 16 to 22",
    ]);
    assert.deepEqual(said({ overlay: openvswitch({ mostHosts: 8 }), networks: { web: { prefix: 24 }, db: { subnet: "10.99.0.0/26" } } }), []);
  });

  it("has room for several groups also where networks are divided among few hosts, and says what to change where not", () => {
    const groups = (count: number): NonNullable<Partial<SwarmClusterArgs>["hosts"]> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`edge${index}`, local.hosts({ role: "worker", count: 1 })]));
    for (const [mostHosts, count] of [
      [8, 2],
      [16, 4],
      [64, 8],
      [512, 32],
    ] as const) {
      const overlay = openvswitch({ mostHosts });
      assert.deepEqual(said({ overlay, hosts: { control, ...groups(count - 1) } }), []);
      assert.deepEqual(
        said({ overlay, hosts: { control, ...groups(count) } }).map((line) => line.replace(/edge\d+/, "GROUP")),
        [
          "hosts.GROUP: the part of the address space for places of hosts, 10.97.0.0/17, has no block left for it; give the overlay a larger mostHosts, or a smaller hostsPerGroup",
        ],
      );
    }
  });

  it("are as large as the hosts' parts together", () => {
    const sizes = (args: OpenvswitchArgs): unknown => cidr(cluster({ overlay: openvswitch(args), networks: { web: {} } }).networks[0]?.subnet).prefix;
    assert.deepEqual([sizes({}), sizes({ mostHosts: 8 }), sizes({ mostHosts: 512, hostPrefix: 28 }), sizes({ hostPrefix: 23 })], [19, 23, 19, 16]);
  });
});

describe("a host's links of Open vSwitch", () => {
  const places = "10.97.0.0/17";
  const ranges = {
    places,
    networks: [
      { name: "web", subnet: "10.98.192.0/19", internal: false },
      { name: "db", subnet: "10.98.32.0/19", internal: true },
    ],
  };

  it("give a host the same part of each network, and an address in those with a way out", () => {
    assert.equal(placeOf("10.97.121.0/24", places), 121);
    const [web, db] = networksFile(hostNetworks(ranges, "10.97.121.0/24")).split("\n");
    assert.match(web ?? "", /^web ovp-(\w{8}) ovb-\1 ovg-\1 ovh-\1 2038 10\.98\.222\.65\/19 10\.98\.222\.64\/26 10\.98\.192\.0\/19$/);
    assert.match(db ?? "", /^db ovp-\w{8} .* 1489 - 10\.98\.62\.64\/26 10\.98\.32\.0\/19$/);
    assert.deepEqual(
      dockerFile(hostNetworks(ranges, "10.97.121.0/24"))
        .split("\n")
        .map((line) => line.replace(/ovp-\w+/, "PARENT")),
      [
        "web pulumi-swarm-web 10.98.192.0/19,10.98.222.64/26,10.98.222.65,PARENT false",
        "db pulumi-swarm-db 10.98.32.0/19,10.98.62.64/26,10.98.62.65,PARENT true",
      ],
    );
  });

  it("give networks VLANs of their own that follow from their names", () => {
    const names = Array.from({ length: 400 }, (_, index) => `network-${index}`);
    const vlans = vlansOf(names);
    assert.equal(new Set(vlans.values()).size, names.length);
    assert.ok([...vlans.values()].every((vlan) => vlan >= 1 && vlan <= 4094));
    assert.equal(vlansOf(["web", "other"]).get("web"), vlansOf(["web"]).get("web"));
  });

  it("have a number of VXLAN for each pair of hosts, the same at both ends, and another one for each other pair", () => {
    const all = [0, 1, 2, 121, 511].map((place) => ({ address: `10.0.0.${place}`, place }));
    const numbers = new Map<string, number>();
    for (const one of all) {
      for (const { number, remote } of tunnelLinks(
        one,
        all.filter((other) => other !== one),
      )) {
        const pair = [one.address, remote].sort().join();
        assert.equal(numbers.get(pair) ?? number, number, pair);
        numbers.set(pair, number);
        assert.ok(number > 0 && number < 2 ** 24);
      }
    }
    assert.equal(new Set(numbers.values()).size, (all.length * (all.length - 1)) / 2);
    assert.equal(tunnelsFile(tunnelLinks(all[1] ?? assert.fail(), all.slice(3, 4))), "ovx-121 4218 10.0.0.121 122");
  });
});
