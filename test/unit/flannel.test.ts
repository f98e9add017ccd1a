import assert from "node:assert/strict";
import { flannel, type FlannelArgs } from "../../components/overlays/flannel";
import { flannelConfig, planContent, planForgetting, type Subscriber } from "../../components/overlays/flannel/content";
import type { EtcdContent } from "../../components/overlays/flannel/etcd/look";
import { dockerFile, hostNetworks, linkName, networksFile } from "../../components/overlays/routed/networks";
import type { PlannedHost } from "../../components/hosts/host";
import type { OverlayContext, OverlayPlan } from "../../components/overlays/overlay";
import { direct } from "../../components/underlay/direct";
import { wireguard } from "../../components/underlay/wireguard";

function host(key: string, role: "manager" | "worker", site = "rack"): PlannedHost {
  return { key, group: key.replace(/-\d+$/, ""), place: "1", provider: "existing", role, site, sshPort: 22, labels: {} };
}

const hosts = [host("control-1", "manager"), host("control-2", "manager"), host("control-3", "manager"), host("edge-1", "worker")];

function plan(args: FlannelArgs = {}, more: Partial<OverlayContext> & { readonly tunnel?: boolean } = {}): OverlayPlan {
  const { tunnel = false, ...context } = more;
  const sites = context.sites ?? ["rack"];
  const underlay = (tunnel ? wireguard() : direct()).plan({ sites: sites.map((key) => ({ key, mtu: 1500 })), hosts });
  return flannel(args).plan({ sites, hosts, underlay, behindNat: [], ...context });
}

function problems(args: unknown, more: Parameters<typeof plan>[1] = {}): string[] {
  return plan(args as FlannelArgs, more).problems.map(({ path, message, fix }) => `${path}: ${message}; ${fix}`);
}

describe("the plan of flannel", () => {
  it("opens VXLAN to all, and etcd to those that need it", () => {
    const rules = plan().rules.map(({ name, protocol, ports, from, to }) => `${name} ${protocol}/${ports.join(",")} ${from.join(",")} > ${to}`);
    assert.deepEqual(rules, [
      "overlay-data udp/8472 members > members",
      "ingress-data udp/4789 members > members",
      "etcd tcp/2379 members > managers",
      "etcd-peers tcp/2380 managers > managers",
    ]);
  });

  it("opens etcd on the groups that hold it, and needs no port for host-gw", () => {
    const { rules, routedIn } = plan({ backend: "host-gw", etcd: { on: ["control", "edge"] } });
    assert.deepEqual(
      rules.map(({ name, from, to }) => `${name}: ${from.join(",")} > ${to}`),
      [
        "ingress-data: members > members",
        "etcd control: members > group control",
        "etcd-peers control: group control,group edge > group control",
        "etcd edge: members > group edge",
        "etcd-peers edge: group control,group edge > group edge",
      ],
    );
    assert.deepEqual([routedIn, plan().routedIn], [{}, { interface: "flannel.1" }]);
  });

  it("has what VXLAN takes off the MTU, also inside the tunnel, and nothing for host-gw", () => {
    assert.deepEqual(
      [plan().containerMtu(1500), plan({}, { tunnel: true }).containerMtu(1440), plan({ backend: "host-gw" }).containerMtu(1500)],
      [1450, 1390, 1500],
    );
  });

  it("gives each host a subnet, each network a slice of it, and the bridge one of its own", () => {
    assert.deepEqual(plan().placement, {
      kind: "slices",
      hostPrefix: 24,
      hostsPerGroup: 16,
      slicePrefix: 26,
      own: { bridge: 27 },
      bridge: "flannel",
    });
    assert.deepEqual(plan({ bridge: false, hostPrefix: 22, slicePrefix: 24, hostsPerGroup: 64 }).placement, {
      kind: "slices",
      hostPrefix: 22,
      hostsPerGroup: 64,
      slicePrefix: 24,
      own: {},
    });
  });

  it("says what protects containers' data, and who holds etcd's keys", () => {
    const [data, etcd] = plan().encryption;
    assert.deepEqual([data?.channel, data?.protects, etcd?.channel, etcd?.protects], ["overlay data", false, "etcd", true]);
    assert.equal(plan({}, { tunnel: true }).encryption[0]?.mechanism, "inside the wireguard underlay");
  });

  it("takes programs from the projects' images, the mirror's copies, or where it is told", () => {
    const references = (args: FlannelArgs, more = {}): unknown[] =>
      plan(args, more).programs.map(({ source }) => (source.kind === "image" ? source.reference : source.url));
    assert.deepEqual(references({}), ["ghcr.io/flannel-io/flannel:v0.28.10", "gcr.io/etcd-development/etcd:v3.5.35"]);
    assert.deepEqual(references({}, { mirror: "10.0.0.1:5000" }), [
      "10.0.0.1:5000/flannel-io/flannel:v0.28.10",
      "10.0.0.1:5000/etcd-development/etcd:v3.5.35",
    ]);
    assert.deepEqual(references({ etcd: { program: { version: "v3.5.33" } } })[1], "gcr.io/etcd-development/etcd:v3.5.33");
  });

  it("refuses etcd with published holes, branch by branch, unless that very version is allowed", () => {
    const refused = (version: string, more: object = {}): string => problems({ etcd: { program: { version }, ...more } }).join();
    for (const version of ["v3.5.16", "3.5.32", "v3.6.13", "v3.7.0", "v3.4.38", "v2.3.8", "v3.5.16-arm64"]) {
      assert.equal(
        refused(version),
        `overlay.etcd.program.version: etcd ${version} lets each host read and change more than its own ` +
          "(CVE-2026-33343, CVE-2026-33413, CVE-2026-44283, CVE-2026-73499); take 3.5.33, 3.6.14, 3.7.1 or newer, or leave it out; " +
          `allowVulnerable: "${version}" takes it anyway`,
      );
      assert.equal(refused(version, { allowVulnerable: version }), "");
      assert.match(plan({ etcd: { program: { version }, allowVulnerable: version } }).warnings.join(), new RegExp(`etcd ${version} lets each host`));
    }
    for (const version of ["v3.5.33", "v3.5.35", "v3.6.14", "v3.7.1", "v3.8.0", "v4.0.0", "2026-11-01", "latest", "own-build"])
      assert.equal(refused(version), "", version);
    assert.match(
      refused("v3.5.16", { allowVulnerable: "v3.5.17" }),
      /^overlay.etcd.allowVulnerable: "v3.5.17" is not the version of etcd .*, v3.5.16; take it out/,
    );
    assert.match(
      refused("v3.5.35", { allowVulnerable: "v3.5.35" }),
      /^overlay.etcd.allowVulnerable: etcd v3.5.35 is not known to be vulnerable; take it out/,
    );
    const file = { url: "https://example.com/etcd.tar.gz", sha256: "0".repeat(64), version: "v3.5.16" };
    assert.match(problems({ etcd: { program: file } }).join(), /^overlay.etcd.program.version: etcd v3.5.16 lets/);
  });

  it("refuses plaintext between sites, and host-gw where packets of containers cannot pass", () => {
    const two = { sites: ["rack", "cloud"] };
    assert.deepEqual(problems({}, two), [
      "overlay: flannel would carry container traffic in plaintext between the sites rack and cloud: it encrypts nothing itself; take wireguard() as the underlay",
    ]);
    assert.deepEqual(problems({}, { ...two, tunnel: true }), []);
    assert.match(
      problems({ backend: "host-gw" }, two)[0] ?? "",
      /^overlay.backend: host-gw needs every host to be a neighbour of every other, and there are the sites rack and cloud; take "vxlan"/,
    );
    assert.match(
      problems({ backend: "host-gw" }, { tunnel: true })[0] ?? "",
      /^overlay.backend: host-gw hands on packets .* the encrypted tunnel takes none/,
    );
  });

  it("refuses each wrong argument with its path and what to write instead", () => {
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [{ backend: "wireguard" }, /^overlay.backend: "wireguard" is not a backend .*; write "vxlan" or "host-gw"; for encryption take wireguard\(\)/],
      [{ hostPrefix: 30 }, /^overlay.hostPrefix: 30 is not usable for a host's subnet; give a prefix length from 20 to 26/],
      [{ hostsPerGroup: 10 }, /^overlay.hostsPerGroup: 10 is not a number of hosts for a group; give a power of two from 4 to 256/],
      [{ slicePrefix: 24 }, /^overlay.slicePrefix: 24 is not usable .*; give a prefix length from 25 to 29/],
      [{ bridge: "host" }, /^overlay.bridge: "host" cannot name a Docker network/],
      [{ bridge: true }, /^overlay.bridge: true cannot name a Docker network/],
      [{ etcd: "managers" }, /^overlay.etcd: "managers" does not describe an etcd/],
      [{ etcd: { on: "control" } }, /^overlay.etcd.on: "control" is not a list of groups/],
      [{ etcd: { on: ["nobody"] } }, /^overlay.etcd.on\[0\]: there is no group "nobody"; name one of control, edge/],
      [{ etcd: { on: ["control", "control"] } }, /^overlay.etcd.on\[1\]: the group "control" is named twice/],
      [{ etcd: { rotation: "" } }, /^overlay.etcd.rotation: "" is not a text/],
      [{ program: { digest: "x" } }, /^overlay.program.digest/],
      [{ etcd: { program: { url: "x" } } }, /^overlay.etcd.program.url/],
    ];
    for (const [args, message] of cases) assert.match(problems(args)[0] ?? "nothing", message);
  });

  it("refuses more members than etcd is good with, and warns of an even number and of a single one", () => {
    const managers = (count: number): PlannedHost[] => Array.from({ length: count }, (_, index) => host(`control-${index + 1}`, "manager"));
    assert.match(
      problems({}, { hosts: managers(9) })[0] ?? "",
      /^overlay.etcd.on: 9 members of etcd are too many: each write waits for 5 of them; name a group of 3 or 5 hosts/,
    );
    assert.match(plan({}, { hosts: managers(4) }).warnings[0] ?? "", /4 members tolerate no more failures than 3/);
    assert.match(plan({}, { hosts: managers(1) }).warnings[0] ?? "", /with one member, hosts cannot be added or removed/);
    assert.deepEqual(plan().warnings, []);
  });
});

describe("flannel's networks on a host", () => {
  const slices = [
    { name: "web", slice: "0.0.0.64/26" },
    { name: "bridge", slice: "0.0.0.224/27" },
  ];

  it("are each slice within the host's subnet, with its first address as the gateway", () => {
    assert.equal(
      networksFile(hostNetworks("10.96.3.0/24", slices, "flannel", "fl")),
      [
        `swarm web ${linkName("fl", "bridge", "swarm web")} ${linkName("fl", "parent", "swarm web")} ${linkName("fl", "port", "swarm web")} 10.96.3.65/26 0.0.0.192 0.0.0.64`,
        `plain flannel ${linkName("fl", "bridge", "plain flannel")} ${linkName("fl", "parent", "plain flannel")} ${linkName("fl", "port", "plain flannel")} 10.96.3.225/27 0.0.0.224 0.0.0.224`,
      ].join("\n"),
    );
    assert.equal(
      dockerFile(hostNetworks("10.96.3.0/24", slices, "flannel", "fl")),
      [
        `swarm web pulumi-swarm-web 10.96.3.64/26 10.96.3.65 ${linkName("fl", "parent", "swarm web")}`,
        `plain flannel flannel 10.96.3.224/27 10.96.3.225 ${linkName("fl", "bridge", "plain flannel")}`,
      ].join("\n"),
    );
  });

  it("are told apart by the bits between the host's subnet and the slice", () => {
    const [whole, large] = hostNetworks(
      "10.96.4.0/22",
      [
        { name: "all", slice: "0.0.0.0/22" },
        { name: "half", slice: "0.0.2.0/23" },
      ],
      "",
      "fl",
    );
    assert.deepEqual([whole?.mask, large?.mask, large?.place, large?.subnet], ["0.0.0.0", "0.0.2.0", "0.0.2.0", "10.96.6.0/23"]);
  });

  it("have interfaces that Linux can name, others for every name", () => {
    const names = ["web", "a-network-with-a-rather-long-name", "db"].flatMap((name) =>
      (["bridge", "parent", "port"] as const).map((kind) => linkName("fl", kind, name)),
    );
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.every((name) => name.length <= 15));
  });
});

describe("what etcd holds for flannel", () => {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const lease = (subnet: string, address: string): [string, string] => [
    `/coreos.com/network/subnets/${subnet.replace("/", "-")}`,
    JSON.stringify({ PublicIP: address, BackendType: "vxlan" }),
  ];
  const userText = (key: string, subnet: string): string => {
    const own = `/coreos.com/network/subnets/${subnet.replace("/", "-")}`;
    return [
      `User: flanneld-${key}`,
      "",
      `Role flanneld-${key}`,
      "KV Read:",
      "\t[/coreos.com/network/, /coreos.com/network0) (prefix /coreos.com/network/)",
      `\t${own}`,
      "KV Write:",
      `\t${own}`,
    ].join("\n");
  };
  const a: Subscriber = { key: "a", address: "10.0.0.1", subnet: "10.96.1.0/24", reached: true };
  const b: Subscriber = { key: "b", address: "10.0.0.2", subnet: "10.96.2.0/24", reached: true };
  const config = flannelConfig("10.96.0.0/15", 24, "vxlan", 1500);

  function content(pairs: readonly [string, string][], users: readonly Subscriber[] = [a, b], auth = true): EtcdContent {
    return {
      keys: { kvs: [["/coreos.com/network/config", config] as const, ...pairs].map(([key, value]) => ({ key: base64(key), value: base64(value) })) },
      auth,
      users: { root: "", ...Object.fromEntries(users.map(({ key, subnet }) => [`flanneld-${key}`, userText(key, subnet)])) },
    };
  }
  const whole = content([lease(a.subnet, a.address), lease(b.subnet, b.address)]);

  it("is a configuration that leaves every subnet of the space to the plan, with its backend always named", () => {
    assert.deepEqual(JSON.parse(config), {
      Network: "10.96.0.0/15",
      SubnetLen: 24,
      SubnetMin: "10.96.0.0",
      SubnetMax: "10.97.255.0",
      Backend: { Type: "vxlan", VNI: 1, Port: 8472, MTU: 1500 },
    });
    assert.deepEqual((JSON.parse(flannelConfig("10.96.0.0/15", 24, "host-gw", 1500)) as { Backend: unknown }).Backend, { Type: "host-gw" });
  });

  it("is nothing to change when all is as it should be", () => {
    assert.deepEqual(planContent(whole, config, [a, b]).due, false);
  });

  it("is written at first, with users only for their own subnets", () => {
    const { change } = planContent({ keys: {}, auth: false, users: {} }, config, [a]);
    assert.deepEqual(change, {
      enableAuth: true,
      dropUsers: [],
      addUsers: [{ name: "flanneld-a", key: "/coreos.com/network/subnets/10.96.1.0-24" }],
      dropKeys: [],
      put: [
        { key: "/coreos.com/network/config", value: config },
        { key: "/coreos.com/network/subnets/10.96.1.0-24", value: '{"PublicIP":"10.0.0.1"}' },
      ],
    });
  });

  it("is mended where a user has other rights than its own, or only half of them", () => {
    const half = { ...whole, users: { ...whole.users, "flanneld-a": "User: flanneld-a\n" } };
    assert.deepEqual(planContent(half, config, [a, b]).change.addUsers, [{ name: "flanneld-a", key: "/coreos.com/network/subnets/10.96.1.0-24" }]);
  });

  it("gives a subnet over from a machine that was replaced, and says so", () => {
    const plan = planContent(content([lease(a.subnet, "10.0.0.9"), lease(b.subnet, b.address)]), config, [a, b]);
    assert.deepEqual(plan.notes, ["10.96.1.0/24 goes from 10.0.0.9, which is no host of this cluster to a"]);
    assert.deepEqual(plan.change.put, [{ key: "/coreos.com/network/subnets/10.96.1.0-24", value: '{"PublicIP":"10.0.0.1"}' }]);
  });

  it("lets two hosts change their subnets when both can be told", () => {
    const [first, second] = [
      { ...a, subnet: b.subnet },
      { ...b, subnet: a.subnet },
    ];
    const plan = planContent(whole, config, [first, second]);
    assert.deepEqual(
      [plan.conflicts, plan.change.put.map(({ value }) => value), plan.change.dropKeys],
      [[], ['{"PublicIP":"10.0.0.1"}', '{"PublicIP":"10.0.0.2"}'], []],
    );
  });

  it("refuses a subnet that a host holds that cannot be reached, and leaves that one what it has", () => {
    const [first, second] = [
      { ...a, subnet: b.subnet },
      { ...b, subnet: "10.96.7.0/24", reached: false },
    ];
    const plan = planContent(whole, config, [first, second]);
    assert.deepEqual(plan.conflicts, [
      {
        key: "a",
        reason: "its subnet 10.96.2.0/24 is held by b, which cannot be reached and may use it: start b, or pin another block for one of them",
      },
    ]);
    assert.deepEqual([plan.change.put, plan.change.addUsers], [[], []]);
  });

  it("loses what hosts have left that are no hosts any more", () => {
    const { change } = planContent(whole, config, [a]);
    assert.deepEqual([change.dropUsers, change.dropKeys], [["flanneld-b"], ["/coreos.com/network/subnets/10.96.2.0-24"]]);
  });

  it("forgets those that leave, and nobody else: neither another that stays, nor one that could not leave", () => {
    const c: Subscriber = { key: "c", address: "10.0.0.3", subnet: "10.96.3.0/24", reached: true };
    const three = content([lease(a.subnet, a.address), lease(b.subnet, b.address), lease(c.subnet, c.address)], [a, b, c]);
    const change = planForgetting(three, [b], [a]);
    assert.deepEqual([change.dropUsers, change.dropKeys], [["flanneld-b"], ["/coreos.com/network/subnets/10.96.2.0-24"]]);
    assert.deepEqual(planForgetting(three, [{ ...b, subnet: a.subnet }], [a]).dropKeys, ["/coreos.com/network/subnets/10.96.2.0-24"]);
  });
});
