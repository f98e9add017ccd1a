import assert from "node:assert/strict";
import { planCluster } from "../../components/cluster/plan";
import type { Planned } from "../../components/cluster/planned";
import { planRenumbering } from "../../components/cluster/renumbering";
import { summarize } from "../../components/cluster/summary";
import * as existing from "../../components/hosts/existing";
import * as hetzner from "../../components/hosts/hetzner";
import { calico } from "../../components/overlays/calico";
import { openvswitch } from "../../components/overlays/openvswitch";
import type { OpenvswitchSettings } from "../../components/overlays/openvswitch/args";
import { trunksFile } from "../../components/overlays/openvswitch/trunks/on-host";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
function group(role: "manager" | "worker", machines: Readonly<Record<string, string>>): ReturnType<typeof existing.hosts> {
  const all = Object.entries(machines).map(([name, address]) => [name, { address, hostKey }]);
  return existing.hosts({ role, site: "rack", network: "10.5.0.0/24", agentSocket: "/run/agent", machines: Object.fromEntries(all) });
}
const hosts = {
  control: group("manager", { a: "10.5.0.11" }),
  edge: group("worker", { a: "10.5.0.12" }),
  pair: group("worker", { a: "10.5.0.13", b: "10.5.0.14" }),
};
const rack = { interface: "eth1", vlan: 120, network: "web", on: "edge-a" };

function plan(trunks: unknown, more: object = {}, overlay: object = {}): Planned {
  return planCluster({
    overlay: openvswitch({ ...overlay, trunks } as never),
    networks: { web: {}, db: { internal: true } },
    firewall: { ssh: ["203.0.113.0/24"] },
    hosts,
    ...more,
  });
}

function problems(trunks: unknown, more: object = {}, overlay: object = {}): string[] {
  return plan(trunks, more, overlay).problems.map(({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}`);
}

const one = (args: object): string[] => problems({ rack: { ...rack, ...args } });
const settingsOf = (planned: Planned): OpenvswitchSettings => planned.plan.onHosts?.settings as OpenvswitchSettings;

describe("the plan of VLANs whose machines take part in networks", () => {
  it("says which host carries each, and which addresses and packets machines there may have", () => {
    const planned = plan({ rack, lab: { interface: "bond0", vlan: 1, network: "db", on: "group edge" } });
    assert.deepEqual(planned.problems, []);
    assert.deepEqual(planned.plan.trunks, [
      {
        name: "rack",
        network: "web",
        subnet: "10.98.192.0/19",
        addresses: "10.98.207.0/26",
        vlan: 120,
        on: "edge-a",
        interface: "eth1",
        mtu: 1446,
      },
      {
        name: "lab",
        network: "db",
        subnet: "10.98.32.0/19",
        addresses: "10.98.47.0/26",
        vlan: 1,
        on: "edge-a",
        interface: "bond0",
        mtu: 1446,
      },
    ]);
    assert.match(
      summarize("prod", planned.plan),
      /trunks {5}rack: VLAN 120 at eth1 of edge-a is network web; machines there have addresses of 10\.98\.207\.0\/26 with prefix \/19, and MTU 1446\n +lab: /,
    );
  });

  it("keeps a place for them where no host is, and moves no host and no network for it", () => {
    const [with_, without] = [plan({ rack }).plan, plan({}).plan];
    assert.deepEqual(with_.hosts, without.hosts);
    assert.deepEqual(with_.networks, without.networks);
    const kept = with_.subnets.filter(({ owner }) => !without.subnets.some((other) => other.owner === owner));
    assert.deepEqual(
      kept.map(({ owner, cidr, pin, pinned }) => ({ owner, cidr, pin, pinned })),
      [{ owner: "trunks", cidr: "10.97.60.0/24", pin: 'pins["trunks"]', pinned: false }],
    );
    const place = kept[0]?.cidr.replace(".0/24", ".") ?? "";
    assert.ok(!with_.hosts.some(({ containerSubnet = "" }) => containerSubnet.startsWith(place)));
  });

  it("is what it was where there are no trunks", () => {
    assert.deepEqual(plan({}), plan(undefined));
    assert.equal("trunks" in settingsOf(plan({})), false);
  });

  it("keeps the place when groups come: a group that would lie on it is told of the pin, and goes elsewhere with it", () => {
    const place = "10.97.60.0/24";
    const came = [..."bcdefghijklmnop"].map((letter) => ({ ...hosts, [letter]: group("worker", { a: "10.5.0.15" }) }));
    const moving = came.find((all) => plan({ rack }, { hosts: all }).plan.subnets.find(({ owner }) => owner === "trunks")?.cidr !== place);
    assert.ok(moving, "none of these groups has its block there");
    const args = { overlay: openvswitch({ trunks: { rack } }), networks: { web: {} }, firewall: {}, hosts: moving };
    const moves = planRenumbering(args, { trunks: place });
    assert.deepEqual(
      moves.map(({ owner, was, pin }) => ({ owner, was, pin })),
      [{ owner: "trunks", was: place, pin: 'pins["trunks"]' }],
    );
    const pinned = plan({ rack }, { hosts: moving, pins: { trunks: place } });
    assert.deepEqual(pinned.problems, []);
    assert.equal(pinned.plan.trunks[0]?.addresses, plan({ rack }).plan.trunks[0]?.addresses);
  });

  it("has more addresses with a larger place, and says where it cannot be", () => {
    const pinned = (trunks: string, more: object = {}): Planned => plan({ rack }, { pins: { trunks, ...more } });
    assert.equal(pinned("10.97.60.0/22").plan.trunks[0]?.addresses, "10.98.207.0/24");
    const said = (planned: Planned): string[] => planned.problems.map(({ path, message }) => `${path}: ${message}`);
    assert.deepEqual(said(pinned("10.97.200.0/24")), ['pins["trunks"]: 10.97.200.0/24 is not in 10.97.0.0/17, where hosts have their places']);
    assert.match(said(pinned("10.97.32.0/19")).join(), /pins\["trunks"\]: 10\.97\.32\.0\/19 has another size than is needed here/);
    const { cidr } = plan({ rack }).plan.subnets.find(({ owner }) => owner === "places control") ?? assert.fail();
    assert.match(said(pinned(cidr, { "places control": cidr })).join(), /pins\["[^"]*"\]: \S+ overlaps \S+ of (trunks|places control)/);
    const full = Object.fromEntries([..."abcdefgh"].map((name, index) => [name, group("manager", { a: `10.5.0.${20 + index}` })]));
    assert.match(
      problems({ rack: { ...rack, on: "a-a" } }, { hosts: full }).join("\n"),
      /^overlay\.trunks: groups of hosts have all of 10\.97\.0\.0\/17, and no place in it is left for machines outside\. Fix: give the overlay a larger mostHosts/m,
    );
  });

  it("says that nothing encrypts what is sent there, also beside a tunnel", () => {
    const { encryption } = plan({ rack }).plan;
    assert.match(encryption.find(({ channel }) => channel === "overlay data")?.note ?? "", /; on the VLANs of rack, whoever is there can read/);
  });

  const wrong: readonly (readonly [string, object, RegExp])[] = [
    [
      "an interface that is none",
      { interface: "eth 1" },
      /^overlay\.trunks\.rack\.interface: "eth 1" is not the name of a network interface\. Fix: give the name that "ip link" shows/,
    ],
    ["no interface", { interface: undefined }, /^overlay\.trunks\.rack\.interface: /],
    [
      "a VLAN as an interface",
      { interface: "eth1.120" },
      /eth1\.120 is a VLAN of eth1, as its name says\. Fix: write interface: "eth1" and the number in vlan, such as vlan: 120$/,
    ],
    ["a link within the host", { interface: "docker0" }, /docker0 is not connected to a switch/],
    ["a number in quotes", { vlan: "120" }, /^overlay\.trunks\.rack\.vlan: "120" is not the number of a VLAN\. Fix: write 120$/],
    ["the number of no VLAN", { vlan: 0 }, /0 is not the number of a VLAN\. Fix: give a whole number from 1 to 4094/],
    ["a number that is too large", { vlan: 4095 }, /4095 is not the number of a VLAN/],
    [
      "a network that is misspelt",
      { network: "wb" },
      /^overlay\.trunks\.rack\.network: there is no network "wb"; did you mean "web"\?\. Fix: write "web"$/,
    ],
    [
      "no host, where there are several",
      { on: undefined },
      /^overlay\.trunks\.rack\.on: it is not said which host is connected to the switch, and more than one would make a ring\. Fix: name one of control-a, edge-a, pair-a, pair-b$/,
    ],
    ["a group with two hosts", { on: "group pair" }, /"group pair" is 2 hosts, and exactly one is connected to the switch/],
    ["a group that is none", { on: "group egde" }, /there is no group "egde"; did you mean "group edge"\?/],
    [
      "a host that is misspelt",
      { on: "edge-1" },
      /^overlay\.trunks\.rack\.on: there is no host "edge-1"; did you mean "edge-a"\?\. Fix: write "edge-a"$/,
    ],
    ["an option that is none", { nic: "eth1" }, /nic is not an option of a trunk; did you mean interface\?/],
  ];
  for (const [what, args, told] of wrong) {
    it(`is told of ${what}, and of nothing else`, () => assert.match(one(args).join("\n"), told));
  }

  it("refuses two ways between a network and VLANs, and one VLAN for two networks", () => {
    assert.deepEqual(problems({ rack, other: { ...rack, vlan: 121, on: "control-a" } }), [
      'overlay.trunks.other.network: "web" is the network of the trunk rack too, and frames could go round between the two. Fix: keep one of them, and let your switch connect the machines',
    ]);
    assert.deepEqual(problems({ rack, other: { ...rack, network: "db" } }), [
      'overlay.trunks.other.vlan: VLAN 120 of "eth1" on edge-a is that of the trunk rack too, and networks would no longer be apart. Fix: give each its own VLAN',
    ]);
    assert.deepEqual(problems({ rack, other: { ...rack, vlan: 121, network: "db" } }), []);
  });

  it("takes the only host of a cluster that has one", () => {
    const alone = plan({ rack: { ...rack, on: undefined } }, { hosts: { control: hosts.control } });
    assert.deepEqual(alone.problems, []);
    assert.equal(alone.plan.trunks[0]?.on, "control-a");
  });

  it("refuses a machine of a cloud, whose network takes no frames but its own", () => {
    const cloud = hetzner.hosts({ role: "worker", count: 1, location: "fsn1", serverType: "cx22", token: "t" } as never);
    const said = problems({ rack: { ...rack, on: "group cloud" } }, { hosts: { ...hosts, cloud } }).join("\n");
    assert.match(said, /overlay\.trunks\.rack\.on: cloud-1 cannot be connected to a switch of yours for containers: /);
  });

  it("is an option of openvswitch alone", () => {
    const { problems: found } = plan({}, { overlay: calico({ trunks: { rack } } as never) });
    assert.match(found.map(({ path, message }) => `${path}: ${message}`).join(), /overlay\.trunks: is an option of openvswitch, and this is calico/);
  });

  it("is told to hosts by numbers: those that do not carry it know its range", () => {
    const { onHosts } = plan({ rack, lab: { ...rack, vlan: 130, network: "db" } }).plan;
    const { trunks } = onHosts?.settings as OpenvswitchSettings;
    assert.ok(trunks && onHosts?.ranges);
    const lines = (host: string): string[] => trunksFile(trunks, onHosts.ranges ?? assert.fail(), host).split("\n");
    assert.deepEqual(lines("edge-a"), [
      "rack eth1 ovt-980816f3 120 ovq-72b649bc ovr-72b649bc 2038 10.98.207.0/26 edge-a",
      "lab eth1 ovt-980816f3 130 ovq-9216eec0 ovr-9216eec0 1489 10.98.47.0/26 edge-a",
    ]);
    assert.match(lines("pair-a")[0] ?? "", /^rack - ovt-\w{8} 120 ovq-\w{8} ovr-\w{8} \d+ 10\.98\.207\.0\/26 edge-a$/);
    // Another VLAN or network is another port.
    const ports = [rack, { ...rack, vlan: 121 }, { ...rack, network: "db" }].map((args) => {
      const settings = settingsOf(plan({ rack: args })).trunks ?? assert.fail();
      return trunksFile(settings, onHosts.ranges ?? assert.fail(), "edge-a").split(" ")[4];
    });
    assert.equal(new Set(ports).size, 3);
  });
});
