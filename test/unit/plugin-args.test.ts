import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { SwarmClusterArgs } from "../../components/cluster/args";
import { planCluster } from "../../components/cluster/plan";
import type { HostGroup as RichGroup } from "../../components/hosts/host";
import type { Problem } from "../../components/report";
import * as existing from "../../components/hosts/existing";
import * as hetzner from "../../components/hosts/hetzner";
import * as local from "../../components/hosts/local";
import { calico } from "../../components/overlays/calico";
import { flannel } from "../../components/overlays/flannel";
import { openvswitch } from "../../components/overlays/openvswitch";
import { native } from "../../components/overlays/native";
import { weave } from "../../components/overlays/weave";
import { direct } from "../../components/underlay/direct";
import { wireguard } from "../../components/underlay/wireguard";
import type { ClusterArgs } from "../../plugin/args";
import { hostKinds, overlayKinds, overrideKinds } from "../../plugin/kinds";
import { richArgs } from "../../plugin/rich";
import { inFlatWords } from "../../plugin/words";
import { clientKey } from "./client-key";

/** As it arrives from a language without types. */
/** No option of the TypeScript component is missing in the flat one, but for functions, which no schema has. */
const missing: Exclude<keyof SwarmClusterArgs, keyof ClusterArgs | "transform"> extends never ? true : false = true;

const flat = (args: object): ClusterArgs => args as ClusterArgs;
const lines = (problems: readonly Problem[]): string[] => problems.map(({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}`);
const control = { provider: "local", role: "manager" };

/** What the provider's own function is given for a group. */
function given(group: object): { readonly args: Record<string, unknown>; readonly problems: readonly string[] } {
  let args: Record<string, unknown> = {};
  const { problems } = richArgs(flat({ hosts: { edge: group } }), () => (arrived: never): RichGroup => {
    args = arrived;
    return local.hosts({ role: "manager" });
  });
  return { args, problems: lines(problems) };
}

describe("arguments of other languages", () => {
  for (const [provider, options] of Object.entries(hostKinds)) {
    it(`reach the ${provider} provider, each of them`, () => {
      for (const option of Object.keys(options).filter(
        (name) => !["imageId", "each", "bastion", "privateKey", "passphrase", "previousKey"].includes(name),
      )) {
        const value = `a value of ${option}`;
        assert.deepEqual(given({ provider, role: "worker", [option]: value }), { args: { role: "worker", [option]: value }, problems: [] });
      }
    });

    it(`are refused by name where ${provider} does not have them`, () => {
      const all = new Set(Object.values(hostKinds).flatMap((kind) => Object.keys(kind)));
      for (const option of [...all].filter((name) => !Object.hasOwn(options, name))) {
        const owners = Object.entries(hostKinds).flatMap(([name, kind]) => (Object.hasOwn(kind, option) ? [name] : []));
        const { problems } = given({ provider, role: "worker", [option]: "x" });
        assert.deepEqual(problems, [`hosts.edge.${option}: is an option of ${owners.join(" and ")}, and this is ${provider}. Fix: leave it out`]);
      }
    });
  }

  it("with a spelling of nobody's are refused with those that there are", () => {
    assert.deepEqual(given({ ...control, cuont: 3 }).problems, [
      "hosts.edge.cuont: cuont is not an option of local; did you mean count?. Fix: write count",
    ]);
    assert.deepEqual(given({ ...control, flavour: "x" }).problems, [
      "hosts.edge.flavour: flavour is not an option of local. Fix: leave it out; the options of local are count, image, labels, memory, network, numbers",
    ]);
  });

  it("name an image by its id, beside which no release is taken", () => {
    assert.deepEqual(given({ provider: "aws", role: "worker", imageId: "ami-1" }).args["image"], { id: "ami-1" });
    assert.deepEqual(given({ provider: "hetzner", role: "worker", imageId: "1", image: "debian-13" }).problems, [
      "hosts.edge.image: image and imageId are both given. Fix: keep one of them",
    ]);
  });

  it("of single hosts are those of the provider", () => {
    assert.deepEqual(given({ provider: "aws", role: "worker", each: { 2: { renew: "a", instanceType: "t3.large" } } }).args["each"], {
      2: { renew: "a", instanceType: "t3.large" },
    });
    assert.deepEqual(given({ provider: "aws", role: "worker", each: { 2: { serverType: "cx33" } } }).problems, [
      "hosts.edge.each.2.serverType: is an option of hetzner, and this is aws. Fix: leave it out",
    ]);
    assert.ok(Object.keys(overrideKinds).every((provider) => Object.hasOwn(hostKinds, provider)));
  });

  it("keep keys secret, however they arrive", async () => {
    const { args } = given({
      provider: "existing",
      role: "worker",
      privateKey: "a",
      passphrase: "b",
      previousKey: "d",
      bastion: { address: "h", hostKey: "k", privateKey: "c" },
    });
    for (const key of [args["privateKey"], args["passphrase"], args["previousKey"], (args["bastion"] as { privateKey: unknown }).privateKey]) {
      assert.equal(await (key as { isSecret: Promise<boolean> }).isSecret, true);
    }
  });

  it("ask for the key of a host to hop over where the cloud has none", () => {
    const bastion = { address: "198.51.100.4", hostKey: "ssh-ed25519 AAAA" };
    assert.deepEqual(given({ provider: "hetzner", role: "worker", bastion }).problems, [
      "hosts.edge.bastion.privateKey: there is no key for the host to hop over. Fix: give the one that logs in there",
    ]);
    assert.deepEqual(given({ provider: "existing", role: "worker", bastion }).problems, []);
  });

  it("have an option for each of the TypeScript component's, and the swarm to adopt among them", () => {
    const adopt = { swarmId: "a1b2c3d4e5f6g7h8i9j0k1l2m", dissolve: true };
    assert.deepEqual([missing, richArgs(flat({ hosts: { control }, adopt })).args.adopt], [true, adopt]);
    assert.match(
      lines(richArgs(flat({ hosts: { control }, adopt: {} })).problems).join("\n"),
      /^adopt\.swarmId: the id of a swarm is missing\. Fix: take what/m,
    );
  });

  it("say which package of npm a provider needs", () => {
    const missing = (): never => {
      throw Object.assign(new Error("Cannot find module '@pulumi/hcloud'"), { code: "MODULE_NOT_FOUND" });
    };
    assert.deepEqual(lines(richArgs(flat({ hosts: { edge: { provider: "hetzner", role: "manager" } } }), missing).problems), [
      "hosts.edge.provider: hosts of hetzner need the npm package @pulumi/hcloud, which is not beside pulumi-swarm. Fix: npm install @pulumi/hcloud",
    ]);
  });

  const same: readonly (readonly [string, object, Partial<SwarmClusterArgs>])[] = [
    ["nothing but hosts", {}, {}],
    [
      "what is the same everywhere",
      { addressSpace: "10.100.0.0/14", avoid: ["10.9.0.0/16"], renumber: ["tunnel"] },
      { addressSpace: "10.100.0.0/14", avoid: ["10.9.0.0/16"], renumber: ["tunnel"] },
    ],
    ["what another language says by null", { addressSpace: null, overlay: null, networks: { web: { prefix: null } } }, { networks: { web: {} } }],
    ["networks", { networks: { web: { prefix: 23, internal: true } } }, { networks: { web: { prefix: 23, internal: true } } }],
    [
      "gateways",
      { gateways: { oracle: { to: "192.168.7.20", port: 1521, on: "managers", networks: ["web"], targetPort: null } }, networks: { web: {} } },
      { gateways: { oracle: { to: "192.168.7.20", port: 1521, on: "managers", networks: ["web"] } }, networks: { web: {} } },
    ],
    ["the native overlay", { overlay: { kind: "native", dataPathPort: 4790 } }, { overlay: native({ dataPathPort: 4790 }) }],
    ["weave", { overlay: { kind: "weave", encrypted: true, rotation: "a" } }, { overlay: weave({ encrypted: true, rotation: "a" }) }],
    ["flannel", { overlay: { kind: "flannel", backend: "host-gw", hostPrefix: 23 } }, { overlay: flannel({ backend: "host-gw", hostPrefix: 23 }) }],
    [
      "Open vSwitch",
      { overlay: { kind: "openvswitch", mostHosts: 16, hostPrefix: 27 } },
      { overlay: openvswitch({ mostHosts: 16, hostPrefix: 27 }) },
    ],
    ["flannel without its bridge", { overlay: { kind: "flannel", noBridge: true } }, { overlay: flannel({ bridge: false }) }],
    ["no tunnel", { underlay: { kind: "direct" } }, { underlay: direct() }],
    ["a tunnel", { underlay: { kind: "wireguard", port: 51821, rotation: "a" } }, { underlay: wireguard({ port: 51821, rotation: "a" }) }],
    [
      "what is open",
      {
        firewall: {
          ssh: ["203.0.113.0/24"],
          expose: { a: { port: 443, from: ["world"] }, b: { ports: ["80", "8000-8010"], from: ["members"], on: "workers" } },
        },
      },
      {
        firewall: {
          ssh: ["203.0.113.0/24"],
          expose: { a: { port: 443, from: ["world"] }, b: { port: ["80", "8000-8010"], from: ["members"], on: "workers" } },
        },
      },
    ],
    [
      "what networks may reach",
      {
        networks: { web: {}, db: {} },
        overlay: { kind: "calico" },
        policy: { "web may reach db": { from: ["web"], to: ["db"], ports: ["5432", "8000-8010"], protocol: "udp" } },
      },
      {
        networks: { web: {}, db: {} },
        overlay: calico(),
        policy: { "web may reach db": { from: ["web"], to: ["db"], port: ["5432", "8000-8010"], protocol: "udp" } },
      },
    ],
    [
      "routers outside, and what is taken from them",
      {
        networks: { web: {} },
        overlay: {
          kind: "calico",
          peers: { tor: { address: "10.5.0.1", as: 65010, password: "p", on: "workers", announce: ["web"], accept: ["default"], bfd: null } },
        },
      },
      {
        networks: { web: {} },
        overlay: calico({ peers: { tor: { address: "10.5.0.1", as: 65010, password: "p", on: "workers", announce: ["web"], accept: ["default"] } } }),
      },
    ],
    [
      "VLANs whose machines take part in networks",
      {
        networks: { web: {} },
        overlay: { kind: "openvswitch", trunks: { rack: { interface: "eth1", vlan: 120, network: "web", on: "group edge" } } },
      },
      {
        networks: { web: {} },
        overlay: openvswitch({ trunks: { rack: { interface: "eth1", vlan: 120, network: "web", on: "group edge" } } }),
      },
    ],
    [
      "what hosts serve",
      { firewall: { allow: { m: { ports: ["9100"], from: ["world"] } } } },
      { firewall: { allow: { m: { port: ["9100"], from: ["world"] } } } },
    ],
    [
      "the swarm's own",
      { swarm: { autolock: true }, engine: { version: "28" }, membership: { drainSeconds: 5 } },
      { swarm: { autolock: true }, engine: { version: "28" }, membership: { drainSeconds: 5 } },
    ],
    ["a swarm that is there already", { adopt: { swarmId: "a1b2c3d4e5f6g7h8i9j0k1l2m" } }, { adopt: { swarmId: "a1b2c3d4e5f6g7h8i9j0k1l2m" } }],
  ];
  for (const [what, written, rich] of same) {
    it(`plan the same cluster: ${what}`, () => {
      const { args, problems } = richArgs(
        flat({ hosts: { control: { ...control, count: 3 }, edge: { provider: "local", role: "worker" } }, ...written }),
      );
      assert.deepEqual(problems, []);
      const typed = { hosts: { control: local.hosts({ role: "manager", count: 3 }), edge: local.hosts({ role: "worker" }) }, ...rich };
      assert.deepEqual(planCluster(args), planCluster(typed));
      for (const name of ["engine", "membership", "swarm", "networks", "firewall"] as const) assert.deepEqual(args[name], typed[name]);
    });
  }

  it("plan hosts of several providers", () => {
    const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
    const machines = { a: { address: "198.51.100.7", hostKey } };
    const shared = { firewall: { ssh: ["203.0.113.0/24"] } };
    const { args, problems } = richArgs(
      flat({
        ...shared,
        hosts: {
          cloud: { provider: "hetzner", role: "manager", location: "fsn1" },
          rack: { provider: "existing", role: "worker", privateKey: clientKey, machines },
        },
        underlay: { kind: "wireguard" },
      }),
    );
    assert.deepEqual(problems, []);
    const hosts = {
      cloud: hetzner.hosts({ role: "manager", location: "fsn1" }),
      rack: existing.hosts({ role: "worker", privateKey: clientKey, machines }),
    };
    assert.deepEqual(planCluster(args), planCluster({ ...shared, hosts, underlay: wireguard() }));
  });

  const wrong: readonly (readonly [string, object, readonly string[]])[] = [
    ["no hosts", {}, ["hosts: groups of hosts are missing. Fix: write at least one, such as control: { provider: local, role: manager }"]],
    [
      "a provider that is none",
      { hosts: { a: { provider: "azure", role: "manager" } } },
      ['hosts.a.provider: "azure" is not a provider of hosts. Fix: write one of local, existing, aws, hetzner'],
    ],
    [
      "a group that is none",
      { hosts: { a: "local" } },
      ['hosts.a: "local" does not describe a group of hosts. Fix: write it as { provider: local, role: manager }'],
    ],
    [
      "an overlay that is none",
      { hosts: { control }, overlay: { kind: "cilium" } },
      ['overlay.kind: "cilium" is not an overlay. Fix: write one of native, weave, flannel, calico, openvswitch'],
    ],
    [
      "an overlay without its kind",
      { hosts: { control }, overlay: "weave" },
      ['overlay: "weave" does not describe an overlay. Fix: write it as { kind: weave }'],
    ],
    [
      "an underlay that is none",
      { hosts: { control }, underlay: { kind: "ipsec" } },
      ['underlay.kind: "ipsec" is not an underlay. Fix: write direct or wireguard'],
    ],
    [
      "an option of another underlay",
      { hosts: { control }, underlay: { kind: "direct", port: 1 } },
      ["underlay.port: is an option of wireguard, and this is direct. Fix: leave it out"],
    ],
    [
      "two ways to write ports",
      { hosts: { control }, firewall: { expose: { a: { port: 80, ports: ["81"], from: ["world"] } } } },
      ["firewall.expose.a.ports: port and ports are both given. Fix: keep one of them"],
    ],
    [
      "two ways to write a policy's ports, on an overlay that has none",
      { hosts: { control }, networks: { web: {}, db: {} }, policy: { a: { from: ["web"], to: ["db"], port: 80, ports: ["81"] } } },
      [
        "policy.a.ports: port and ports are both given. Fix: keep one of them",
        "policy: { kind: native } keeps each network in a VXLAN of its own, and no host routes from one to another. Fix: take { kind: calico } or { kind: flannel } as the overlay, or put containers that talk to each other on one network",
      ],
    ],
    [
      "two ways to write a bridge",
      { hosts: { control }, overlay: { kind: "flannel", bridge: "a", noBridge: true } },
      ["overlay.bridge: bridge and noBridge are both given. Fix: keep one of them"],
    ],
    [
      "a shape that is not known yet",
      { hosts: { control: { ...control, count: pulumi.output(3) } } },
      [
        "hosts.control.count: an Output (a plain value is needed here, so that the preview can be complete). Fix: write the value itself, or take it from the stack's configuration",
      ],
    ],
  ];
  for (const [what, written, told] of wrong) {
    it(`are told of: ${what}`, () => assert.deepEqual(lines(richArgs(flat(written)).problems), told));
  }

  it("may have a router's password that is known later, and nothing else of it", () => {
    const router = (more: object): readonly string[] => {
      const peers = { tor: { address: "10.5.0.1", as: 65010, ...more } };
      return lines(richArgs(flat({ hosts: { control }, networks: { web: {} }, overlay: { kind: "calico", peers } })).problems);
    };
    assert.deepEqual(router({ password: pulumi.output("tor-and-us") }), []);
    assert.match(router({ as: pulumi.output(65010) }).join(), /^overlay\.peers\.tor\.as: an Output/);
  });

  it("are told of what is misspelt anywhere, also beside a group or an overlay that cannot be read", () => {
    const misspelt = { adressSpace: "10.96.0.0/14", networks: { db: { intern: true } }, firewall: { exposed: {} } };
    const told = [
      "adressSpace: adressSpace is not an option of a cluster; did you mean addressSpace?. Fix: write addressSpace",
      "networks.db.intern: intern is not an option of a network; did you mean internal?. Fix: write internal",
      "firewall.exposed: exposed is not an option of firewall; did you mean expose?. Fix: write expose",
    ];
    for (const more of [{}, { overlay: { kind: "cilium" } }, { underlay: { kind: "ipsec" } }]) {
      const found = lines(richArgs(flat({ hosts: { control }, ...misspelt, ...more })).problems);
      assert.deepEqual(
        told.filter((line) => !found.includes(line)),
        [],
        found.join("\n"),
      );
      assert.equal(new Set(found).size, found.length);
    }
  });

  it("are told of an option of each other overlay", () => {
    for (const [kind, options] of Object.entries(overlayKinds)) {
      for (const other of Object.values(overlayKinds).flatMap((one) => Object.keys(one))) {
        if (Object.hasOwn(options, other)) continue;
        const [problem = ""] = lines(richArgs(flat({ hosts: { control }, overlay: { kind, [other]: "x" } })).problems);
        assert.match(problem, new RegExp(`^overlay\\.${other}: is an option of .*, and this is ${kind}\\. Fix: leave it out$`));
      }
    }
  });

  it("have all problems told at once, the plan's among them, in words of no language", () => {
    const { problems } = richArgs(
      flat({ hosts: { control: { ...control, count: 2, region: "x" }, far: { ...control, role: "worker", network: "10.99.0.0/16" } } }),
    );
    const told = lines(problems);
    assert.equal(told[0], "hosts.control.region: is an option of aws, and this is local. Fix: leave it out");
    assert.ok(
      told.some((line) => line.startsWith("hosts: 2 managers")),
      told.join("\n"),
    );
    assert.ok(
      told.some((line) =>
        line.endsWith("take { kind: wireguard } as the underlay, or { kind: native, encrypted: true } where no address translation is in between"),
      ),
      told.join("\n"),
    );
    assert.equal(inFlatWords('use weave() or flannel({ backend: "vxlan" })'), 'use { kind: weave } or { kind: flannel, backend: "vxlan" }');
  });
});
