import assert from "node:assert/strict";
import type { FirewallRule } from "../../components/firewall/rule";
import type { EncryptionChannel } from "../../components/addresses/encryption";
import type { NetworkPolicy } from "../../components/network-policy/policy";
import { protectedBy as byCloud } from "../../components/review/clouds";
import type { ClusterChange, Finding, MachineChange } from "../../components/review/findings";
import type { ReviewStep } from "../../components/review/read";
import { plainText } from "../../components/review/render/plain";
import { reviewCluster } from "../../components/review/review";
import type { Topology, TopologyHost } from "../../components/topology/topology";

const host = (key: string, role: TopologyHost["role"] = "manager", more: Partial<TopologyHost> = {}): TopologyHost => ({
  key,
  role,
  provider: "aws",
  site: "here",
  ...more,
});
const base: Topology = {
  cluster: "prod",
  addressSpace: "10.96.0.0/14",
  overlay: "native",
  underlay: "direct",
  mtu: 1450,
  enforced: "hosts",
  hosts: [host("a"), host("b"), host("c"), host("w", "worker")],
  networks: [],
  gateways: [],
  subnets: [],
  rules: [],
  policies: [],
  peers: [],
  trunks: [],
  encryption: [],
  programs: [],
};
const rule = (name: string, from: readonly string[], more: Partial<FirewallRule> = {}): FirewallRule => ({
  name,
  protocol: "tcp",
  ports: ["443"],
  from,
  to: "members",
  over: "site",
  answers: "host",
  reason: "since",
  ...more,
});
const channel = (name: EncryptionChannel["channel"], more: Partial<EncryptionChannel> = {}): EncryptionChannel => ({
  channel: name,
  mechanism: "AES",
  keyHolder: "somebody",
  rotation: "never",
  protects: true,
  ...more,
});
const machine = (of: string, how: MachineChange["how"], changed: readonly string[] = []): MachineChange => ({
  host: of,
  how,
  changed,
  urn: `urn:pulumi:s::p::aws:ec2/instance:Instance::prod-${of}`,
  type: "aws:ec2/instance:Instance",
});
const step = (op: string, type: string, name: string): ReviewStep => ({ op, type, urn: `urn:pulumi:s::p::${type}::${name}`, changed: [] });

function findings(
  before: Partial<Topology> | undefined,
  after: Partial<Topology> | undefined,
  more: Partial<ClusterChange> = {},
): readonly Finding[] {
  const whole = (part: Partial<Topology> | undefined): Topology | undefined => part && { ...base, ...part };
  const change = {
    cluster: "prod",
    before: whole(before),
    after: whole(after),
    steps: [step("update", "x:y:Z", "z")],
    machines: [],
    partial: false,
    otherKeys: [],
    unseenSettings: [],
    livesOn: false,
  };
  return reviewCluster({ ...change, ...more }).findings;
}

const lines = (found: readonly Finding[], section?: Finding["section"]): string[] =>
  found.filter((each) => section === undefined || each.section === section).map(({ risk, text }) => `${risk ? `${risk}: ` : ""}${plainText(text)}`);

describe("what a review says of machines that their cloud protects", () => {
  const protectedBy = "deleteProtection";

  it("is that the update would fail, and what to do first", () => {
    const machines = [
      { ...machine("a", "replaced"), protectedBy },
      { ...machine("b", "changed", [protectedBy]), protectedBy },
      { ...machine("w", "removed"), protectedBy },
    ];
    const refusal = (of: string): string =>
      `the cloud refuses to delete the machine of ${of} (deleteProtection), and the update fails: take the protection off by an update of its own first`;
    assert.deepEqual(lines(findings({}, {}, { machines }), "destructive"), [refusal("a"), refusal("w")]);
  });

  it("is known from what was applied last", () => {
    const server = "hcloud:index/server:Server";
    assert.equal(byCloud(server, { deleteProtection: true }), protectedBy);
    assert.equal(byCloud(server, { deleteProtection: false }), undefined);
    assert.equal(byCloud("aws:ec2/instance:Instance", { disableApiTermination: true, forceDestroy: true }), undefined, "the provider lifts it");
    assert.equal(byCloud("aws:ec2/instance:Instance", { disableApiTermination: true }), "disableApiTermination");
    assert.equal(byCloud("docker:index/container:Container", {}), undefined);
  });
});

describe("what a review says of hosts", () => {
  it("names other roles and sites", () => {
    const hosts = [host("a", "worker"), host("b"), host("c"), host("w", "worker", { site: "there" })];
    assert.deepEqual(lines(findings({}, { hosts }), "hosts"), ["a becomes a worker, and was a manager", "w is now on site there, and was on here"]);
  });

  it("says what is done to machines, and which of it is a risk", () => {
    const machines = [machine("a", "changed", ["tags"]), machine("b", "replaced", ["ami"]), machine("w", "replaced")];
    assert.deepEqual(lines(findings({}, {}, { machines }), "hosts"), [
      "the machine of a is changed in place (tags)",
      "replace-manager: the machine of the manager b is deleted with all that is on its disk, and replaced: aws:ec2/instance:Instance (ami)",
      "the machine of the worker w is deleted with all that is on its disk, and replaced: aws:ec2/instance:Instance",
    ]);
  });

  it("says that the plugin is the reason where nothing but defaults of its schema is otherwise", () => {
    const replaced = (changed: readonly string[]): string | undefined => {
      const machines = [{ ...machine("a", "replaced", changed), type: "docker:index/container:Container" }];
      return lines(findings({}, {}, { machines }), "hosts").find((line) => line.includes("and replaced"));
    };
    assert.match(
      replaced(["mustRun", "networkMode", "networksAdvanced"]) ?? "",
      /\(mustRun, networkMode, networksAdvanced\)\. The edit is not the reason: another make or version of the provider's plugin made this machine.* Fix: go on with that plugin/,
    );
    assert.doesNotMatch(replaced(["hostname", "networkMode"]) ?? "", /plugin/);
    assert.doesNotMatch(replaced(["networksAdvanced"]) ?? "", /plugin/);
  });

  it("says that a machine which somebody deleted is made again, and of a new host nothing but that it is new", () => {
    const machines = [machine("w", "made"), machine("x", "made")];
    assert.deepEqual(lines(findings({}, { hosts: [...base.hosts, host("x", "worker")] }, { machines }), "hosts"), [
      "1 worker added: x (aws, site here)",
      "the machine of w is made, for it is there no longer",
    ]);
  });

  it("counts the quorum before, meanwhile and after", () => {
    const quorum = (hosts: readonly TopologyHost[], machines: readonly MachineChange[] = [], before = base.hosts): string[] =>
      lines(findings({ hosts: before }, { hosts }, { machines }), "quorum");
    assert.deepEqual(quorum(base.hosts), []);
    const alone = "while the only one is away nothing of the swarm can be changed, though running services go on";
    assert.deepEqual(quorum([host("a")]), [`quorum-loss: managers: 3 before, 1 after; ${alone}`]);
    const one = [host("a")];
    assert.deepEqual(quorum([...one, host("w", "worker")], [machine("a", "changed", ["instanceType"])], one), [
      `1 manager, before and after; ${alone}`,
      "quorum-loss: a is stopped for a while; 0 of 1 are left meanwhile, and 1 is needed: nothing of the swarm can be changed until enough are back",
    ]);
    const mixed = quorum(base.hosts, [machine("a", "replaced"), machine("b", "changed", ["instanceType"])]);
    assert.match(
      mixed.at(-1) ?? "",
      /^quorum-loss: a is replaced, while others are stopped one at a time; 1 of 3 is left meanwhile, and 2 are needed/,
    );
    assert.doesNotMatch(mixed.at(-1) ?? "", /disks gone/);
    assert.match(
      quorum(base.hosts, [machine("a", "replaced"), machine("b", "replaced")]).at(-1) ?? "",
      /the swarm itself may be lost\. Fix: one manager in an up$/,
    );
    assert.match(quorum(base.hosts, [machine("w", "replaced")]).join(), /^$/);
  });

  it("names a site that a majority stands on, once it does", () => {
    const [apart, together] = [
      ["x", "y", "z"],
      ["x", "x", "y"],
    ].map((sites) => sites.map((site, index) => host(`m${index}`, "manager", { site })));
    assert.deepEqual(lines(findings({ hosts: apart ?? [] }, { hosts: together ?? [] }), "quorum"), [
      "without the site x there is no majority of managers",
    ]);
    assert.deepEqual(lines(findings({ hosts: together ?? [] }, { hosts: together ?? [] }), "quorum"), []);
    const single = lines(findings(undefined, { hosts: [host("a")] }), "quorum");
    assert.match(single.join(), /^while the only one is away nothing/);
  });
});

describe("what a review says of who is let in", () => {
  const firewall = (was: readonly FirewallRule[], will: readonly FirewallRule[]): string[] =>
    lines(findings({ rules: was }, { rules: will }), "firewall");

  it("takes a rule that is widened for a risk, and one by another name for none", () => {
    const narrow = rule("web", ["10.0.0.0/8"]);
    assert.deepEqual(firewall([narrow], [rule("web", ["10.0.0.0/8", "::/0"])]), [
      "world-open: open to the whole Internet now: 443/tcp on members from ::/0, 10.0.0.0/8; rule web: from also ::/0",
    ]);
    assert.deepEqual(firewall([rule("web", ["world"])], [rule("site", ["0.0.0.0/0"])]), [
      "opened: 443/tcp on members from 0.0.0.0/0; rule site, since (everybody could reach it before, by another rule)",
      "closed: 443/tcp on members from world; rule web",
    ]);
    assert.match(firewall([rule("web", ["0.0.0.0/0"])], [rule("web", ["world"])])[0] ?? "", /^world-open: /, "IPv6 is new");
    assert.match(
      firewall([rule("web", ["world"], { to: "managers" })], [rule("web", ["world"])])[0] ?? "",
      /^world-open: .*to members instead of managers/,
    );
    assert.deepEqual(firewall([rule("web", ["world"], { ports: ["443", "80"] })], [rule("web", ["world"])]), ["web (443/tcp): ports no more 80"]);
  });

  it("says when hosts close nothing any more, and when they do again", () => {
    const changed = (was: "hosts" | "none" | undefined, will: "hosts" | "none"): string[] => {
      const { enforced: _enforced, ...older } = base;
      const before: Topology = was === undefined ? older : { ...base, enforced: was };
      return lines(
        reviewCluster({
          cluster: "prod",
          before,
          after: { ...base, enforced: will },
          steps: [step("update", "x:y:Z", "z")],
          machines: [],
          partial: false,
          otherKeys: [],
          unseenSettings: [],
          livesOn: false,
        }).findings,
      );
    };
    const open = "hosts drop nothing any more: only your own firewall closes what no rule allows";
    assert.deepEqual(changed("hosts", "none"), [`world-open: ${open}`]);
    assert.deepEqual(changed(undefined, "none"), [open], "it may have been so before");
    assert.deepEqual(changed("none", "hosts"), ["each host now drops all traffic that no rule allows"]);
    assert.deepEqual(changed("none", "none"), []);
    assert.match(lines(findings(undefined, { enforced: "none" }), "firewall").join(), /^world-open: hosts drop nothing: only your own firewall/);
  });
});

describe("what a review says of policies between networks", () => {
  const policy = (from: readonly string[], more: Partial<NetworkPolicy> = {}): NetworkPolicy => ({
    name: "web may reach db",
    from,
    to: ["db"],
    protocol: "tcp",
    ports: ["5432"],
    ...more,
  });
  const said = (was: readonly NetworkPolicy[], will: readonly NetworkPolicy[]): string[] =>
    lines(findings({ policies: was }, { policies: will }), "firewall");

  it("is what is opened, what becomes wider or narrower, and what is closed", () => {
    assert.deepEqual(said([], [policy(["web"])]), ["opened: 5432/tcp of containers on db from web; policy web may reach db"]);
    assert.deepEqual(said([policy(["web"])], [policy(["web", "group edge"], { to: ["cache"], ports: ["5433"] })]), [
      "policy web may reach db (5433/tcp): ports 5433 instead of 5432; from also group edge; to cache instead of db",
    ]);
    assert.deepEqual(said([policy(["web", "batch"])], [policy(["web"])]), ["policy web may reach db (5432/tcp): from no more batch"]);
    assert.deepEqual(said([policy(["web"])], []), [
      "closed: 5432/tcp of containers on db from web; policy web may reach db. Connections that are open stay open",
    ]);
    assert.deepEqual(said([policy(["web"])], [policy(["web"])]), []);
    assert.deepEqual(
      lines(findings({ policies: [policy(["web"])] }, undefined), "firewall").filter((line) => /policy/.test(line)),
      [],
    );
  });

  it("takes everybody for a risk where nobody let them in before", () => {
    const open = "open to the whole Internet: 5432/tcp of containers on db from world, web; policy web may reach db";
    assert.deepEqual(said([], [policy(["web", "world"])]), [`world-open: ${open}`]);
    assert.match(
      said([policy(["web"])], [policy(["web", "0.0.0.0/0"])])[0] ?? "",
      /^world-open: open to the whole Internet now: .*: from also 0\.0\.0\.0\/0$/,
    );
    const known = policy(["world"], { name: "all", ports: ["5000-6000"], to: ["db", "web"] });
    assert.deepEqual(said([known], [known, policy(["world"])]), ["opened: 5432/tcp of containers on db from world; policy web may reach db"]);
    assert.match(said([known], [known, policy(["world"], { to: ["db", "cache"] })])[0] ?? "", /^world-open/, "of another network");
    assert.match(said([known], [known, policy(["world"], { protocol: "udp" })])[0] ?? "", /^world-open/, "by another protocol");
  });
});

describe("what a review says of encryption", () => {
  const encryption = (was: readonly EncryptionChannel[], will: readonly EncryptionChannel[], more: Partial<Topology> = {}): string[] =>
    lines(findings({ encryption: was }, { encryption: will, ...more }), "encryption");

  it("names what is gained, changed, new and gone", () => {
    const bare = channel("overlay data", { protects: false, mechanism: "none" });
    assert.deepEqual(encryption([bare], [channel("overlay data")]), ["overlay data is protected now: AES, and was not"]);
    assert.deepEqual(encryption([channel("etcd")], [channel("etcd", { mechanism: "NaCl", keyHolder: "another", rotation: "daily" })]), [
      "etcd: NaCl instead of AES; keys are with another; rotation: daily",
    ]);
    assert.deepEqual(encryption([], [channel("etcd")]), ["etcd: AES"]);
    assert.deepEqual(encryption([channel("etcd")], []), ["etcd: there is no such way any more"]);
    assert.deepEqual(encryption([channel("disks")], [channel("disks", { protects: false, mechanism: "none for w" })]), [
      "disks: none for w instead of AES",
    ]);
  });

  it("takes plain data for a risk as soon as it crosses from site to site", () => {
    const bare = channel("overlay data", { protects: false, mechanism: "none" });
    const apart = { hosts: [host("a"), host("b", "manager", { site: "there" })] };
    const says = ["plaintext: overlay data crosses from site to site as it is: nothing encrypts it"];
    assert.deepEqual(encryption([bare], [bare], apart), says);
    assert.deepEqual(lines(findings(undefined, { encryption: [bare], ...apart }), "encryption"), [
      ...says,
      "not protected: overlay data; all else is",
    ]);
    assert.deepEqual(lines(findings(undefined, { encryption: [bare] }), "encryption"), ["not protected: overlay data; all else is"]);
  });
});

describe("what a review says of addresses and networks", () => {
  it("tells a host that moves with its block from one that moves by itself", () => {
    const hosts = (a: string, b: string): TopologyHost[] => [
      host("a", "manager", { tunnelAddress: a }),
      host("b", "manager", { address: b, publicAddress: b }),
    ];
    const subnet = (cidr: string): Topology["subnets"] => [{ owner: "tunnel x", cidr, purpose: "", pinned: true }];
    const [was, will] = [
      { hosts: hosts("10.97.1.5", "192.0.2.1"), subnets: subnet("10.97.1.0/24") },
      { hosts: hosts("10.97.2.5", "192.0.2.2"), subnets: subnet("10.97.2.0/24") },
    ];
    assert.deepEqual(lines(findings(was, will), "addresses"), [
      "renumber: tunnel x moves from 10.97.1.0/24 to 10.97.2.0/24, and with it the addresses of a (a pin says so)",
      "renumber: b gets another address: 192.0.2.2 instead of 192.0.2.1",
    ]);
  });

  it("names programs, inner networks and networks that come", () => {
    const network = (name: string, internal: boolean): Topology["networks"][number] => ({ name, subnet: "10.99.1.0/24", internal });
    const said = lines(
      findings(
        { networks: [network("db", true), network("web", false)], programs: [{ name: "etcd", version: "1" }] },
        { networks: [network("db", false), network("web", true), network("q", false)], programs: [{ name: "etcd", version: "2" }] },
      ),
      "networks",
    );
    assert.deepEqual(said, [
      "the program etcd becomes 2, and was 1, on each host that runs it",
      "added: q",
      "db is internal no longer: what is on it reaches the outside",
      "web is internal now: nothing on it reaches the outside",
    ]);
    assert.deepEqual(lines(findings({ programs: [{ name: "etcd", version: "1" }] }, {}), "networks"), ["the program etcd is taken off hosts"]);
  });
});

describe("what a review says to expect", () => {
  const rotated = (name: EncryptionChannel["channel"]): Partial<Topology>[] =>
    ["1", "2"].map((rotation) => ({ encryption: [channel(name, { rotation })] }));
  const downtime = (was: Partial<Topology>, will: Partial<Topology>, more: Partial<ClusterChange> = {}): string[] =>
    lines(findings(was, will, more), "downtime");

  it("has the times that were measured, for what is known to take them", () => {
    const [[tunnel, tunnel2], [data, data2]] = [rotated("underlay"), rotated("overlay data")] as [[object, object], [object, object]];
    const everywhere = "all services on the cluster's networks: ";
    assert.deepEqual(downtime(tunnel, tunnel2), [
      `everything between hosts: every host gets another tunnel key: at most 0.4 s were lost between two hosts`,
    ]);
    assert.deepEqual(downtime({ ...data, overlay: "weave" }, { ...data2, overlay: "weave" }), [
      `${everywhere}weave gets another password: about 1.3 s are lost everywhere, since all routers change at once`,
    ]);
    assert.deepEqual(downtime(data, data2), [], "Docker's own keys change without a break");
    const router = (version: string): Partial<Topology> => ({ overlay: "weave", programs: [{ name: "weave", version }] });
    assert.deepEqual(downtime(router("1"), router("2")), [`${everywhere}weave's router restarts on each host: about 1.2 s are lost there`]);
    const flannel = { overlay: "flannel", rules: [rule("overlay-data", ["members"])] };
    assert.deepEqual(downtime(flannel, { ...flannel, rules: [] }), [], "flannel's other backend loses nothing");
    assert.deepEqual(downtime({ ...flannel, rules: [] }, flannel), [], "nor does the way back");
  });

  it("keeps data that stays apart from data that goes with its machine", () => {
    const without = { hosts: base.hosts.filter(({ key }) => key !== "w") };
    const bound = (machines: readonly MachineChange[]): string | undefined =>
      downtime({}, without, { machines }).find((line) => line.includes("volumes:"));
    assert.equal(bound([]), "services bound to a host's volumes: end; their data stays on w");
    assert.equal(bound([machine("w", "removed")]), "services bound to a host's volumes: end, and their data goes with the machine of w");
  });
});

const unlessAnother = "every port on which something listens there can be reached, unless another firewall closes it";

describe("what a review says of hosts that keep running without a firewall", () => {
  const rack = { hosts: ["a", "b", "c"].map((key, index) => host(key, "manager", { provider: "existing", address: `192.168.7.${index + 1}` })) };
  const opened = (found: readonly Finding[]): string[] => lines(found, "firewall");

  it("is a risk when the cluster goes and its hosts do not", () => {
    assert.deepEqual(opened(findings(rack, undefined)), [`world-open: a, b, c keep running and lose their firewall: ${unlessAnother}`]);
    assert.deepEqual(opened(findings(rack, undefined, { livesOn: true })), [
      `world-open: a, b, c keep running and lose their firewall: ${unlessAnother}`,
    ]);
  });

  it("is none where machines go with their cluster, or where nothing was closed", () => {
    assert.deepEqual(opened(findings({ hosts: [host("a")] }, undefined, { machines: [machine("a", "removed")] })), []);
    assert.deepEqual(opened(findings({ ...rack, enforced: "none" }, undefined)), []);
  });

  it("names only those that stay, where some machines are deleted", () => {
    const mixed = { hosts: [...rack.hosts, host("cloud")] };
    assert.match(opened(findings(mixed, undefined, { machines: [machine("cloud", "removed")] })).join(), /^world-open: a, b, c keep running/);
  });

  it("is a risk of a host that is taken out, and not of one that has another name now", () => {
    const without = { hosts: rack.hosts.slice(0, 2) };
    assert.deepEqual(opened(findings(rack, without)), [`world-open: c keeps running and loses its firewall: ${unlessAnother}`]);
    const renamed = { hosts: [...without.hosts, host("z", "manager", { provider: "existing", address: "192.168.7.3" })] };
    assert.deepEqual(opened(findings(rack, renamed)), []);
  });
});

describe("what a review says of a port that has to be open to any address", () => {
  const tunnel = rule("wireguard", ["members"], { protocol: "udp", ports: ["51820"], unknownAddress: "open" });
  const at = (key: string, site: string, more: Partial<TopologyHost> = {}): TopologyHost =>
    host(key, "worker", { site, publicAddress: "203.0.113.1", ...more });
  const hidden = (key: string, site: string, more: Partial<TopologyHost> = {}): TopologyHost => host(key, "worker", { site, ...more });
  const met = (hosts: readonly TopologyHost[]): Partial<Topology> => ({ hosts, rules: [tunnel] });
  const two = [at("a", "cloud"), at("b", "office")];
  const opened = (was: Partial<Topology> | undefined, will: Partial<Topology>): string[] => lines(findings(was, will), "firewall");
  const open = (sites: string, whom: string): string =>
    `world-open: open to the whole Internet: 51820/udp on members of ${sites}; rule wireguard, since the address of ${whom} is not known there (behind address translation). Without a key nobody gets an answer. Fix: give the address of its router as natAddress`;

  it("is a risk when a host behind address translation is added: on all other sites", () => {
    assert.deepEqual(opened(met(two), met([...two, hidden("nat", "home")])), [open("the sites cloud, office", "nat")]);
  });

  it("is a risk of a new cluster too, and no rule for hosts only", () => {
    const found = opened(undefined, met([...two, hidden("nat", "office")]));
    assert.deepEqual(found, [open("site cloud", "nat")]);
  });

  it("is none where the address is known, nor where all are neighbours, nor where it was so before", () => {
    assert.deepEqual(opened(met(two), met([...two, hidden("nat", "home", { seenAs: "198.51.100.7" })])), []);
    assert.deepEqual(opened(met(two), met([...two, at("c", "home", { publicAddress: { assigned: "when the host is made" } })])), []);
    assert.deepEqual(opened(met([at("a", "cloud")]), met([at("a", "cloud"), hidden("nat", "cloud")])), []);
    const before = met([...two, hidden("nat", "home")]);
    assert.deepEqual(opened(before, met([...two, hidden("nat", "home"), hidden("more", "home")])), []);
  });

  it("is a risk of the sites that are open now and were not, by whoever it is", () => {
    const before = met([...two, hidden("nat", "office")]);
    assert.deepEqual(opened(before, met([...two, hidden("nat", "office"), hidden("hut", "cloud")])), [open("site office", "hut")]);
  });

  it("says the rest of what changes of the rule too", () => {
    const will = { hosts: [...two, hidden("nat", "home")], rules: [{ ...tunnel, ports: ["51821"] }] };
    assert.deepEqual(opened(met(two), will), [`${open("the sites cloud, office", "nat").replace("51820", "51821")}; ports 51821 instead of 51820`]);
  });
});

describe("what a review says of pinned SSH host keys that are others", () => {
  const rack = {
    hosts: ["a", "b", "c"].map((key) => host(key, "manager", { provider: "existing" })).concat(host("w", "worker", { provider: "existing" })),
  };
  const said = (otherKeys: readonly string[]): string[] => {
    const found = findings(rack, rack, { otherKeys });
    return [...lines(found, "hosts"), ...lines(found, "quorum")];
  };
  const means = "it is another machine, was reinstalled, or had its key replaced; from now on up trusts only the new key";

  it("is a risk of each manager, since it may be another machine", () => {
    assert.deepEqual(said(["b"]), [
      `replace-manager: the pinned SSH host key of the manager b changes: ${means}`,
      "the pinned SSH host key of 1 of 3 managers changes: if this is another machine, 2 are left, which is a majority",
    ]);
  });

  it("is a risk of the quorum where more of them change than may be away", () => {
    const found = said(["a", "b", "c"]);
    assert.deepEqual(
      found.slice(0, 3),
      ["a", "b", "c"].map((key) => `replace-manager: the pinned SSH host key of the manager ${key} changes: ${means}`),
    );
    assert.deepEqual(found.slice(3), [
      "quorum-loss: the pinned SSH host keys of 3 of 3 managers change: if these are other machines, 0 are left of the 2 that are needed, and the swarm has lost its quorum. Fix: compare the keys on the machines themselves, and replace one manager in each up",
    ]);
  });

  it("counts with a manager that is made anew", () => {
    const mixed = { hosts: [...rack.hosts.slice(0, 2), host("cloud")] };
    const found = lines(findings(mixed, mixed, { otherKeys: ["a"], machines: [machine("cloud", "replaced")] }), "quorum");
    assert.match(
      found.join("\n"),
      /^quorum-loss: the pinned SSH host key of 1 of 3 managers changes, and 1 is replaced: if this is another machine, 1 is left of the 2/m,
    );
  });

  it("is no risk of a worker, and is said all the same", () => {
    assert.deepEqual(said(["w"]), [`the pinned SSH host key of the worker w changes: ${means}`]);
  });
});

describe("what a review says of an adopted swarm that lives on", () => {
  const steps = [step("delete", "pulumi-swarm:index:SwarmCluster", "prod"), step("delete", "pulumi-swarm:index:OverlayNetwork", "prod-web")];

  it("is that it does, and that its hosts stay members", () => {
    const found = findings({}, undefined, { steps, livesOn: true });
    assert.deepEqual(lines(found, "destructive"), [
      "the cluster as a resource only: the swarm was adopted and lives on, with its services, secrets and configs. Nothing manages it any more",
      "overlay network: web",
    ]);
    assert.match(lines(found, "hosts").join(), /3 managers stay in the swarm, no longer managed: a, b, c/);
  });
});

describe("what a review says is deleted, and what it cannot know", () => {
  it("names the cluster itself, and what holds something, but not bookkeeping", () => {
    const steps = [
      step("delete", "pulumi-swarm:index:SwarmCluster", "prod"),
      step("delete", "aws:ec2/instance:Instance", "prod-a-10"),
      step("delete", "aws:ec2/instance:Instance", "prod-a-2"),
      step("replace", "aws:ec2/eip:Eip", "prod-a-2"),
      step("delete", "pulumi:index:Stash", "prod-a-made"),
      step("delete", "pulumi-swarm:index:OverlayNetwork", "prod-web"),
    ];
    const machines = base.hosts.map(({ key }) => machine(key, "removed"));
    const found = findings({ rules: [rule("x", ["world"])] }, undefined, { steps, machines });
    assert.deepEqual(lines(found, "destructive"), [
      "the cluster itself: the swarm is dissolved, with its services, secrets and configs",
      "machine, with its disk: a-2, a-10",
      "public address: a-2, replaced",
      "overlay network: web",
    ]);
    assert.deepEqual(lines(found, "firewall"), [], "with the cluster all of it is closed");
    assert.match(lines(found, "hosts").join(), /3 managers removed with the cluster: a, b, c/);
  });

  it("names what is known only when it is made", () => {
    const assigned = { publicAddress: { assigned: "when the host is made" } } as const;
    const late = "known only when made";
    const will = { hosts: [host("a", "manager", { ...assigned, address: late })], rules: [rule("web", [late])] };
    assert.deepEqual(lines(findings({ hosts: [host("a")] }, will), "unknown"), [
      "public addresses of a are known only when they are made",
      "host a: address known only when it is made",
      "rule web: from known only when it is made",
    ]);
  });
});

describe("what a review says of a firewall or a tunnel by itself", () => {
  const alone = { overlay: "none", mtu: 0, hosts: [host("a"), host("b")] };

  it("knows no managers, no services and no networks", () => {
    const machines = [machine("a", "replaced"), machine("b", "changed", ["instanceType"])];
    assert.deepEqual(lines(findings(alone, alone, { piece: "HostFirewall", machines })), [
      "the machine of the host a is deleted with all that is on its disk, and replaced: aws:ec2/instance:Instance",
      "the machine of b is stopped to be changed (instanceType)",
    ]);
    assert.deepEqual(lines(findings(alone, { ...alone, hosts: [host("a")] }, { piece: "WireGuardMesh" })), [
      "1 host in it no longer: b (aws, site here)",
    ]);
    assert.deepEqual(lines(findings(undefined, alone, { piece: "WireGuardMesh" })), ["2 hosts: a, b (aws, site here)"]);
  });

  it("takes a firewall that leaves its hosts for a risk, and not one that goes with them", () => {
    const last = (piece: "HostFirewall" | "WireGuardMesh", machines: readonly MachineChange[], rules: readonly FirewallRule[] = []): string[] => {
      const found = findings({ ...alone, rules }, undefined, { piece, machines });
      return [...lines(found, "firewall"), ...lines(found, "destructive").slice(0, 1)];
    };
    const firewall = "the firewall of the hosts";
    assert.deepEqual(last("HostFirewall", [machine("a", "removed")]), [
      `world-open: b keeps running and loses its firewall: ${unlessAnother}`,
      firewall,
    ]);
    assert.deepEqual(last("HostFirewall", [machine("a", "removed"), machine("b", "removed")]), [firewall]);
    assert.deepEqual(last("WireGuardMesh", []), ["the tunnel between the hosts"], "without rules of its own it closes nothing");
    assert.deepEqual(last("WireGuardMesh", [], [rule("ssh", ["203.0.113.0/24"])]), [
      `world-open: a, b keep running and lose their firewall: ${unlessAnother}`,
      "the tunnel between the hosts",
    ]);
  });
});
