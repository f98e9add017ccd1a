import assert from "node:assert/strict";
import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { HostFirewall, planAddresses, planHostFirewall, planWireGuardMesh, SwarmCluster, WireGuardMesh } from "../../components";
import { clusterOptions, type SwarmClusterArgs } from "../../components/cluster/args";
import { planCluster } from "../../components/cluster/plan";
import { makeDockerProvider } from "../../components/docker-provider";
import * as aws from "../../components/hosts/aws";
import * as existing from "../../components/hosts/existing";
import * as hetzner from "../../components/hosts/hetzner";
import type { HostGroup } from "../../components/hosts/host";
import type { Problem } from "../../components/report";
import { hostOptions } from "../../components/hosts/kinds";
import * as local from "../../components/hosts/local";
import { networkOptions, type NetworkArgs } from "../../components/networks/args";
import { type AnyOptions, flag, labels, optional, options, type Shape } from "../../components/options";
import { nearestName } from "../../components/nearest";
import { calico } from "../../components/overlays/calico";
import { flannel } from "../../components/overlays/flannel";
import { openvswitch } from "../../components/overlays/openvswitch";
import { overlayOptions } from "../../components/overlays/kinds";
import { native } from "../../components/overlays/native";
import { weave } from "../../components/overlays/weave";
import { hostFirewallOptions, wireGuardMeshOptions } from "../../components/pieces/args";
import { describeProblems } from "../../components/report";
import { direct } from "../../components/underlay/direct";
import { wireGuardOptions } from "../../components/underlay/wireguard/args";
import { wireguard } from "../../components/underlay/wireguard";
import { clientKey } from "./client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
const control = local.hosts({ role: "manager" });
const firewall = { ssh: ["203.0.113.0/24"] };

/** Whatever a program without types gives. */
type Untyped = (args?: unknown, ...more: unknown[]) => never;
const anything = (value: unknown): never => value as never;
const lines = (problems: readonly Problem[]): string[] => problems.map(({ path, message, fix }) => `${path}: ${message} → ${fix}`);
const problemsOf = (args: unknown): string[] => lines(planCluster(anything(args)).problems);

/** Functions that make hosts, with the least that each needs. */
const providers = {
  local: { hosts: local.hosts as Untyped, least: { role: "manager" } },
  existing: {
    hosts: existing.hosts as Untyped,
    least: { role: "manager", privateKey: clientKey, machines: { a: { address: "192.168.7.10", hostKey } } },
  },
  aws: { hosts: aws.hosts as Untyped, least: { role: "manager", region: "eu-west-1" } },
  hetzner: { hosts: hetzner.hosts as Untyped, least: { role: "manager" } },
} as const;
const overlays = {
  native: native as Untyped,
  weave: weave as Untyped,
  flannel: flannel as Untyped,
  calico: calico as Untyped,
  openvswitch: openvswitch as Untyped,
} as const;

/** One misspelt name at each place where there are options. */
const misspelt: readonly (readonly [unknown, string])[] = [
  [
    { hosts: { control }, adressSpace: "10.96.0.0/14" },
    "adressSpace: adressSpace is not an option of a cluster; did you mean addressSpace? → write addressSpace",
  ],
  [
    { hosts: { control }, networks: { db: { intern: true } } },
    "networks.db.intern: intern is not an option of a network; did you mean internal? → write internal",
  ],
  [{ hosts: { control }, firewall: { exposed: {} } }, "firewall.exposed: exposed is not an option of firewall; did you mean expose? → write expose"],
  [
    { hosts: { control }, firewall: { expose: { web: { ports: 443, port: 443, from: ["world"] } } } },
    "firewall.expose.web.ports: ports is not an option of an exposed port; did you mean port? → write port",
  ],
  [
    { hosts: { control }, firewall: { allow: { web: { port: 443, from: ["world"], publish: "host" } } } },
    "firewall.allow.web.publish: publish is not an option of an allowed port → leave it out; the options of an allowed port are from, on, port, protocol, reason",
  ],
  [
    { hosts: { control }, firewall: { rules: { ping: { From: ["members"], from: ["members"] } } } },
    "firewall.rules.ping.From: From is not an option of a built-in rule; did you mean from? → write from",
  ],
  [{ hosts: { control }, engine: { verison: "28" } }, "engine.verison: verison is not an option of engine; did you mean version? → write version"],
  [{ hosts: { control }, swarm: { autoLock: true } }, "swarm.autoLock: autoLock is not an option of swarm; did you mean autolock? → write autolock"],
  [
    { hosts: { control }, membership: { drain: 60 } },
    "membership.drain: drain is not an option of membership; did you mean drainSeconds? → write drainSeconds",
  ],
  [
    { hosts: { control }, adopt: { swarm_id: "a".repeat(25), swarmId: "a".repeat(25) } },
    "adopt.swarm_id: swarm_id is not an option of adopt; did you mean swarmId? → write swarmId",
  ],
  [
    { hosts: { control }, programs: { miror: "localhost:5000" } },
    "programs.miror: miror is not an option of programs; did you mean mirror? → write mirror",
  ],
  [
    { hosts: { control }, transform: { networks: {} } },
    "transform.networks: networks is not an option of transform; did you mean network? → write network",
  ],
  [
    { hosts: { control }, overlay: overlays.native({ encrypt: true }) },
    "overlay.encrypt: encrypt is not an option of the native overlay; did you mean encrypted? → write encrypted",
  ],
  [
    { hosts: { control }, overlay: overlays.native({ trustSites: true }) },
    "overlay.trustSites: is an option of weave, and this is native → leave it out",
  ],
  [
    { hosts: { control }, overlay: overlays.weave({ password: "x" }) },
    "overlay.password: password is not an option of the weave overlay → leave it out; the options of the weave overlay are encrypted, fastDatapath, rotation, router, trustSites",
  ],
  [
    { hosts: { control }, overlay: overlays.weave({ router: { tag: "2" } }) },
    "overlay.router.tag: tag is not an option of a program; did you mean version? → write version",
  ],
  [
    { hosts: { control }, overlay: overlays.flannel({ etcd: { one: ["control"] } }) },
    "overlay.etcd.one: one is not an option of etcd; did you mean on? → write on",
  ],
  [
    { hosts: { control }, overlay: overlays.flannel({ etcd: { program: { imgae: "x" } } }) },
    "overlay.etcd.program.imgae: imgae is not an option of a program; did you mean image? → write image",
  ],
  [
    { hosts: { control }, underlay: (wireguard as Untyped)({ keepAlive: 5 }) },
    "underlay.keepAlive: keepAlive is not an option of the wireguard underlay; did you mean keepalive? → write keepalive",
  ],
  [{ hosts: { control }, underlay: (direct as Untyped)({ port: 5 }) }, "underlay.port: is an option of wireguard, and this is direct → leave it out"],
  [
    { hosts: { control: providers.local.hosts({ role: "manager", cuont: 3 }) } },
    "hosts.control.cuont: cuont is not an option of local hosts; did you mean count? → write count",
  ],
  [
    { hosts: { control: providers.local.hosts({ role: "manager", region: "x" }) } },
    "hosts.control.region: is an option of aws, and this is local → leave it out",
  ],
  [
    { hosts: { control: providers.local.hosts({ role: "manager", transform: { containers: {} } }) } },
    "hosts.control.transform.containers: containers is not an option of transform; did you mean container? → write container",
  ],
  [
    {
      hosts: {
        rack: providers.existing.hosts({
          ...providers.existing.least,
          machines: { a: { address: "192.168.7.10", hostKey, privateAdress: "10.0.0.1" } },
        }),
      },
      firewall,
    },
    "hosts.rack.machines.a.privateAdress: privateAdress is not an option of a machine; did you mean privateAddress? → write privateAddress",
  ],
  [
    {
      hosts: { rack: providers.existing.hosts({ ...providers.existing.least, bastion: { address: "192.0.2.1", hostkey: hostKey, hostKey } }) },
      firewall,
    },
    "hosts.rack.bastion.hostkey: hostkey is not an option of bastion; did you mean hostKey? → write hostKey",
  ],
  [
    { hosts: { c: providers.aws.hosts({ ...providers.aws.least, each: { 1: { type: "t3.large" } } }) }, firewall },
    "hosts.c.each.1.type: type is not an option of a single host → leave it out; the options of a single host are instanceType, renew",
  ],
  [
    {
      hosts: {
        c: providers.aws.hosts({
          ...providers.aws.least,
          vpc: { id: "v", cidr: "10.64.0.0/16", subnets: { a: { id: "s", cidr: "10.64.0.0/20", zone: "a" } } },
        }),
      },
      firewall,
    },
    "hosts.c.vpc.subnets.a.zone: zone is not an option of a subnet → leave it out; the options of a subnet are cidr, id",
  ],
  [
    { hosts: { c: providers.aws.hosts({ ...providers.aws.least, image: { id: "ami-1", name: "x" } }) }, firewall },
    "hosts.c.image.name: name is not an option of image → leave it out; the options of image are id",
  ],
  [
    { hosts: { c: providers.aws.hosts({ ...providers.aws.least, transform: { instances: {} } }) }, firewall },
    "hosts.c.transform.instances: instances is not an option of transform; did you mean instance? → write instance",
  ],
  [
    { hosts: { c: providers.hetzner.hosts({ role: "manager", instanceType: "cx23" }) }, firewall },
    "hosts.c.instanceType: is an option of aws, and this is hetzner → leave it out",
  ],
  [
    { hosts: { c: providers.hetzner.hosts({ role: "manager", privateNetwork: { id: "1", cidr: "10.70.0.0/16", subnet: "x" } }) }, firewall },
    "hosts.c.privateNetwork.subnet: subnet is not an option of privateNetwork; did you mean subnetId? → write subnetId",
  ],
];

/** What a program that means something else altogether gives. */
const wrongKinds: readonly unknown[] = [
  null,
  "text",
  "",
  5,
  Number.NaN,
  true,
  [],
  [1],
  {},
  { a: 1 },
  () => ({}),
  new Map([["a", {}]]),
  // What has no text, as an object without a prototype has none, by itself and in a list. Where only some values have, JSON writes them.
  { toString: false },
  [{ toString: false }],
  Symbol("s"),
  Promise.resolve({}),
  pulumi.output({ a: 1 }),
];

/** Each option at each place, with a value of it put into whatever has it. */
function places(wanted: AnyOptions): { readonly path: string; readonly shape: Shape; readonly put: (value: unknown) => object }[] {
  return Object.entries(wanted.names).flatMap(([name, shape]) => {
    const here = { path: name, shape, put: (value: unknown) => ({ [name]: value }) };
    const within = (own: AnyOptions, path: string, wrap: (inner: object) => unknown): ReturnType<typeof places> =>
      places(own).map((inner) => ({ path: `${path}.${inner.path}`, shape: inner.shape, put: (value) => ({ [name]: wrap(inner.put(value)) }) }));
    if (shape.kind === "options") return [here, ...within(shape, name, (inner) => inner)];
    if (shape.kind === "either") return [here, ...within(shape.options, name, (inner) => inner)];
    // A key that is good for a host's number, a zone, a machine, a rule and a network.
    const key = name === "each" ? "1" : name === "networks" ? "web" : "a";
    if (shape.kind !== "named") return [here];
    const each = { path: `${name}.${key}`, shape: shape.each, put: (value: unknown) => ({ [name]: { [key]: value } }) };
    return shape.each.kind === "options" ? [here, each, ...within(shape.each, `${name}.${key}`, (inner) => ({ [key]: inner }))] : [here, each];
  });
}

/** Everything that takes options, by what is to be found where one of them is wrong. */
const takers: readonly {
  readonly what: string;
  readonly wanted: AnyOptions;
  readonly at: string;
  readonly plan: (args: unknown) => readonly Problem[];
}[] = [
  { what: "a cluster", wanted: clusterOptions, at: "", plan: (args) => planCluster(anything({ hosts: { control }, ...(args as object) })).problems },
  ...Object.entries(hostOptions).map(([kind, wanted]) => ({
    what: `${kind} hosts`,
    wanted,
    at: "hosts.edge.",
    plan: (args: unknown) => {
      const { hosts, least } = providers[kind as keyof typeof providers];
      return planCluster({ hosts: { edge: hosts({ ...least, ...(args as object) }) }, firewall }).problems;
    },
  })),
  ...Object.entries(overlayOptions).map(([kind, wanted]) => ({
    what: `the ${kind} overlay`,
    wanted,
    at: "overlay.",
    plan: (args: unknown) => planCluster({ hosts: { control }, overlay: overlays[kind as keyof typeof overlays](args) }).problems,
  })),
  {
    what: "wireguard",
    wanted: wireGuardOptions,
    at: "underlay.",
    plan: (args) => planCluster({ hosts: { control }, underlay: (wireguard as Untyped)(args) }).problems,
  },
  {
    what: "HostFirewall",
    wanted: hostFirewallOptions,
    at: "",
    plan: (args) => planHostFirewall(anything({ hosts: { control }, firewall: {}, ...(args as object) })).problems,
  },
  {
    what: "WireGuardMesh",
    wanted: wireGuardMeshOptions,
    at: "",
    plan: (args) => planWireGuardMesh(anything({ hosts: { control }, ...(args as object) })).problems,
  },
];

/** Of those that are not looked into for it, the ones without which there is no group, host or key. */
const mustBeGiven = ["hosts", "machines", "region", "privateKey"];

describe("names of options", () => {
  for (const [args, expected] of misspelt) {
    it(`that there are not are told with what was meant: ${expected.split(": ")[0]}`, () => assert.deepEqual(problemsOf(args), [expected]));
  }

  it("that there are not are told together with all else that is wrong, in one text that reads well", () => {
    const { problems } = planCluster(
      anything({ hosts: { control: local.hosts({ role: "manager", count: 2 }) }, adressSpace: "x", networks: { x: { intern: true } } }),
    );
    assert.equal(
      describeProblems('swarm cluster "t"', problems),
      'The swarm cluster "t" cannot be planned: 4 problems.\n' +
        "  - adressSpace: adressSpace is not an option of a cluster; did you mean addressSpace? Fix: write addressSpace.\n" +
        "  - networks.x.intern: intern is not an option of a network; did you mean internal? Fix: write internal.\n" +
        '  - networks.x: "x" cannot name a Docker network. Fix: use 2 to 64 letters, digits, hyphens, dots or underscores, a letter or digit first.\n' +
        `  - hosts: ${problems.at(-1)?.message}. Fix: take 1 or 3.`,
    );
  });

  for (const { what, wanted, at, plan } of takers) {
    const all = places(wanted);

    it(`are no mistake where they have no value: ${what}`, () => {
      const usual = lines(plan({}));
      for (const { path, shape, put } of all) {
        // What must be given is missed, and a key of the user's has something under it.
        const told = lines(plan(put(undefined))).filter((line) => !usual.includes(line));
        assert.ok(
          told.every((line) => !line.includes("is not an option")),
          `${path}: ${told.join("\n")}`,
        );
        if (shape.kind !== "required" && !mustBeGiven.includes(path) && !path.includes(".")) assert.deepEqual(told, [], path);
      }
    });

    it(`are asked of every object that has options: ${what}`, () => {
      const inside = all.filter(({ shape }) => shape.kind === "options" || shape.kind === "either");
      for (const { path, put } of inside) {
        const told = lines(plan(put({ zzz: 1 })));
        assert.ok(
          told.some((line) => line.startsWith(`${at}${path}.zzz: zzz is not an option of `)),
          `${path}: ${told.join("\n")}`,
        );
      }
      assert.ok(lines(plan({ zzz: undefined })).some((line) => line.startsWith(`${at}zzz: zzz is not an option of `)));
    });

    it(`that have something of another kind end in a problem, never in an exception: ${what}`, () => {
      for (const { path, shape, put } of all) {
        for (const value of wrongKinds) {
          let found: readonly Problem[] = [];
          assert.doesNotThrow(() => (found = plan(put(value))), `${at}${path}: ${inspect(value)}`);
          const isObject = Object.prototype.toString.call(value) === "[object Object]" && !pulumi.Output.isInstance(value);
          const wrong = { flag: value !== true, text: typeof value !== "string", list: !Array.isArray(value), options: !isObject, named: !isObject }[
            shape.kind as string
          ];
          if (wrong !== true) continue;
          const here = found.filter((problem) => problem.path === `${at}${path}`);
          assert.equal(here.length, 1, `${at}${path}: ${lines(found).join("\n")}`);
          assert.doesNotMatch(`${here[0]?.message}`, /undefined|\[object/);
        }
      }
    });
  }
});

describe("the list of an interface's options", () => {
  const network = { of: "a network", thing: "a network", example: "{}" };
  const all = { subnet: optional, prefix: optional, internal: flag, attachable: flag, labels };

  it("does not compile with a name that is missing or made up, or with options that nobody looks into", () => {
    const { internal: _internal, ...less } = all;
    // @ts-expect-error A name is missing.
    options<NetworkArgs>(network, less);
    // @ts-expect-error There is no such name.
    options<NetworkArgs>(network, { ...all, intern: flag });
    // @ts-expect-error It has options of its own.
    options<Pick<SwarmClusterArgs, "engine">>(network, { engine: optional });
    // @ts-expect-error It is true or false.
    options<NetworkArgs>(network, { ...all, internal: optional });
    assert.deepEqual(Object.keys(options<NetworkArgs>(network, all).names), Object.keys(networkOptions.names));
  });
});

describe("arguments that are none", () => {
  const wrong: readonly (readonly [string, () => unknown, string])[] = [
    [
      "nothing at all",
      () => new (SwarmCluster as new (...given: unknown[]) => unknown)("t"),
      'The swarm cluster "t" cannot be planned: 1 problem.\n  - arguments: nothing does not describe a cluster. Fix: write it as new SwarmCluster("prod", { hosts: { control: existing.hosts({ role: "manager", … }) } }).',
    ],
    [
      "an Output",
      () => new SwarmCluster("t", anything(pulumi.output({ hosts: {} }))),
      'The swarm cluster "t" cannot be planned: 1 problem.\n  - arguments: an Output (a plain value is needed here, so that the preview can be complete) does not describe a cluster. Fix: write it as new SwarmCluster("prod", { hosts: { control: existing.hosts({ role: "manager", … }) } }).',
    ],
    [
      "hosts in a list",
      () => new SwarmCluster("t", anything({ hosts: [] })),
      'The swarm cluster "t" cannot be planned: 1 problem.\n  - hosts: [] does not describe groups of hosts by name. Fix: write it as { control: existing.hosts({ role: "manager", … }) }.',
    ],
    [
      "the name of a network",
      () => new SwarmCluster("t", anything({ hosts: { control }, networks: "web" })),
      'The swarm cluster "t" cannot be planned: 1 problem.\n  - networks: "web" does not describe networks by name. Fix: write it as { web: {} }.',
    ],
    [
      "null for all that can be left out",
      () => new SwarmCluster("t", anything({ hosts: { control }, networks: null, overlay: null, underlay: null, addressSpace: null })),
      'The swarm cluster "t" cannot be planned: 4 problems.\n' +
        "  - networks: null does not describe networks by name. Fix: write it as { web: {} }.\n" +
        "  - addressSpace: null is not a value. Fix: give one, or leave it out.\n" +
        "  - underlay: null is not an underlay. Fix: use direct() or wireguard().\n" +
        "  - overlay: null is not an overlay. Fix: use native(), weave(), flannel(), calico() or openvswitch().",
    ],
    [
      "hosts of a provider without any arguments",
      () =>
        new SwarmCluster("t", {
          hosts: {
            edge: providers.aws.hosts(),
            more: providers.hetzner.hosts("fsn1"),
            rack: providers.existing.hosts(null),
            box: providers.local.hosts([]),
          },
        }),
      'The swarm cluster "t" cannot be planned: 4 problems.\n' +
        '  - hosts.edge: nothing does not describe hosts on AWS. Fix: write it as aws.hosts({ role: "worker", region: "eu-west-1" }).\n' +
        '  - hosts.more: "fsn1" does not describe hosts at Hetzner. Fix: write it as hetzner.hosts({ role: "worker", location: "fsn1" }).\n' +
        '  - hosts.rack: null does not describe machines that you have. Fix: write it as existing.hosts({ role: "worker", privateKey, machines: { … } }).\n' +
        '  - hosts.box: [] does not describe hosts on this machine. Fix: write it as local.hosts({ role: "worker" }).',
    ],
    [
      "a firewall of nothing",
      () => new (HostFirewall as new (...given: unknown[]) => unknown)("t"),
      'The host firewall "t" cannot be planned: 1 problem.\n  - arguments: nothing does not describe a firewall of hosts. Fix: write it as new HostFirewall("racks", { hosts: { … }, firewall: { … } }).',
    ],
    [
      "a mesh of a list",
      () => new WireGuardMesh("t", anything([])),
      'The WireGuard mesh "t" cannot be planned: 1 problem.\n  - arguments: [] does not describe a mesh of hosts. Fix: write it as new WireGuardMesh("office", { hosts: { … } }).',
    ],
  ];
  for (const [what, program, expected] of wrong) {
    it(`are told as one mistake: ${what}`, () => {
      assert.throws(program, (error) => {
        assert.equal((error as Error).message, expected);
        assert.ok(pulumi.RunError.isInstance(error), "it would be shown with a stack");
        return true;
      });
    });
  }

  it("are told of addresses and of a provider for Docker too", () => {
    assert.deepEqual(lines(planAddresses(anything(undefined)).problems), [
      "arguments: nothing does not describe address space and its networks → write it as planAddresses({ networks: { web: {} } })",
    ]);
    assert.deepEqual(lines(planAddresses(anything({ networks: { web: { prefx: 24 } }, space: 1 })).problems), [
      "networks.web.prefx: prefx is not an option of a network; did you mean prefix? → write prefix",
      "space: space is not an option of planAddresses → leave it out; the options of planAddresses are addressSpace, avoid, networks",
    ]);
    const context = { cluster: "t", hosts: [], connections: new Map(), dependsOn: [], made: anything(undefined), parent: anything(undefined) };
    assert.throws(() => makeDockerProvider(anything({ keyfile: "x" }), context), {
      message:
        'There can be no Docker provider for the swarm cluster "t": keyfile is not an option of dockerProvider; did you mean keyFile? Fix: write keyFile.',
    });
  });
});

describe("what is not ours to look into", () => {
  /** Fails when anybody asks what is in it. */
  function closed<T extends object>(target: T): T {
    const refuse = (): never => assert.fail("it was looked into");
    return new Proxy(target, { ownKeys: refuse, getOwnPropertyDescriptor: refuse });
  }

  it("is taken as it is: keys, ids, settings and other Inputs, whether known or not", async () => {
    const unknown = new Promise<string>(() => {});
    const key = closed(pulumi.secret("k"));
    const groups: Record<string, HostGroup> = {
      rack: existing.hosts({ role: "manager", privateKey: key, passphrase: unknown, machines: { a: { address: "192.168.7.10", hostKey } } }),
      cloud: aws.hosts({
        role: "worker",
        region: "eu-west-1",
        kmsKeyId: closed(pulumi.output("k")),
        image: { id: closed(pulumi.output("ami-1")) },
        tags: { team: closed(pulumi.output("web")) },
        vpc: {
          id: unknown,
          cidr: closed(pulumi.output("10.64.0.0/16")),
          subnets: { a: { id: unknown, cidr: closed(pulumi.output("10.64.0.0/20")) } },
        },
        transform: { instance: closed({ monitoring: true }) },
      }),
    };
    const args: SwarmClusterArgs = { hosts: groups, firewall, underlay: wireguard(), engine: { settings: { any: closed({}) } } };
    assert.ok(
      planCluster(args).problems.every(({ message }) => !message.includes("not an option")),
      problemsOf(args).join("\n"),
    );
  });

  it("is named as the user likes: groups, networks, rules, labels, machines, owners", () => {
    const machines = { constructor: { address: "192.168.7.10", hostKey } };
    const args = {
      hosts: { toString: existing.hosts({ role: "manager", privateKey: clientKey, machines }), control },
      networks: { internal: {}, hasOwnProperty: { labels: { internal: "x", "com.example": "y" } } },
    };
    for (const line of problemsOf(args)) assert.doesNotMatch(line, /is not an option/);
  });
});

describe("the nearest name", () => {
  const known = Object.keys(clusterOptions.names);
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["adressSpace", "addressSpace"],
    ["address_space", "addressSpace"],
    ["ADDRESSSPACE", "addressSpace"],
    ["netwroks", "networks"],
    ["network", "networks"],
    ["fire", "firewall"],
    ["pin", "pins"],
    ["swram", "swarm"],
    ["region", undefined],
    ["x", undefined],
    ["", undefined],
  ];
  for (const [written, meant] of cases) it(`to "${written}" is ${meant ?? "none"}`, () => assert.equal(nearestName(written, known), meant));
});
