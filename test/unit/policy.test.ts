import assert from "node:assert/strict";
import * as sdk from "@pulumi/policy";
import type {
  Policies,
  PolicyResource,
  PolicyResourceOptions,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationArgs,
  StackValidationPolicy,
} from "@pulumi/policy";
import { swarmPolicies } from "../../components/policy";
import { plain } from "../../components/policy/noted";
import { riskNames } from "../../components/review/risks";

/** The SDK's types leave them out. */
const { unknownCheckingProxy, UnknownValueError } = sdk as unknown as {
  readonly unknownCheckingProxy: (properties: object) => Record<string, unknown>;
  readonly UnknownValueError: new () => Error;
};

/** As the engine writes a text that is known only when it is made. */
const notYet = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

interface Resource {
  readonly type: string;
  readonly name: string;
  readonly parent?: Resource;
  readonly inputs?: object;
  readonly outputs?: object;
  readonly opts?: Partial<PolicyResourceOptions>;
}

const swarm = "pulumi-swarm:index:";
const cluster = (enforced = "hosts"): Resource => ({ type: `${swarm}SwarmCluster`, name: "prod", inputs: { enforced, overlay: "native" } });
const prod = cluster();
const host = (key: string, more: object = {}): Resource => ({
  type: `${swarm}Host`,
  name: `prod-${key}`,
  parent: prod,
  inputs: { role: "manager", site: "rack", address: notYet, labels: {}, ...more },
});
const rule = (name: string, more: object): Resource => ({
  type: `${swarm}FirewallRule`,
  name: `prod-${name}`,
  parent: prod,
  inputs: { protocol: "tcp", ports: ["443"], from: ["world"], to: "workers", over: "site", answers: "container", reason: "", ...more },
});
const channel = (name: string, more: object = {}): Resource => ({
  type: `${swarm}Encryption`,
  name: `prod-${name.replace(" ", "-")}`,
  parent: prod,
  inputs: { channel: name, mechanism: "none", protects: false, ...more },
});
const managers = (count: number, site = (_: number): string => "rack"): Resource[] =>
  Array.from({ length: count }, (_, index) => host(`control-${index + 1}`, { site: site(index) }));

const urnOf = ({ type, name }: Resource): string => `urn:pulumi:test::test::${type}::${name}`;

function shown({ type, name, parent, opts }: Resource, props: object | undefined): Omit<ResourceValidationArgs, "getConfig"> {
  const options = { protect: false, ignoreChanges: [], aliases: [], additionalSecretOutputs: [], ...opts };
  return {
    type,
    name,
    urn: urnOf({ type, name }),
    props: unknownCheckingProxy(props ?? {}),
    opts: { ...options, customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 }, ...(parent && { parent: urnOf(parent) }) },
    stackTags: new Map(),
    isType: () => false,
    asType: () => undefined,
    notApplicable: () => assert.fail(),
  };
}

/** What the engine does with one policy: it shows inputs one by one, and at the end all outputs. */
function violations(name: string, resources: readonly Resource[], config: object = {}, policies: Policies = swarmPolicies()): string[] {
  const policy = policies.find((each) => each.name === name) as ResourceValidationPolicy & Partial<StackValidationPolicy>;
  const said: string[] = [];
  const report = (message: string, urn?: string): void => void said.push(urn === undefined ? message : `${urn.split("::").at(-1)}: ${message}`);
  const getConfig = <T extends object>(): T => config as T;
  const validate = policy.validateResource;
  assert.ok(typeof validate === "function");
  for (const each of resources) void validate({ ...shown(each, each.inputs), getConfig }, report);
  const all = resources.map((each): PolicyResource => ({
    ...shown(each, each.outputs),
    ...(each.parent && { parent: { urn: urnOf(each.parent), name: each.parent.name, type: each.parent.type } as PolicyResource }),
    dependencies: [],
    propertyDependencies: {},
  }));
  void policy.validateStack?.({ resources: all, getConfig } as StackValidationArgs, report);
  return said;
}

describe("the policies", () => {
  it("are one for each risk that the review names, and each says what it holds", () => {
    assert.deepEqual(
      swarmPolicies()
        .map(({ name }) => name)
        .sort(),
      [...riskNames].sort(),
    );
    for (const { description } of swarmPolicies()) assert.match(description, /^[A-Z].*\.$/);
  });

  it("say nothing of a stack without a cluster", () => {
    const bucket = { type: "aws:s3/bucket:Bucket", name: "bucket", inputs: { acl: notYet }, outputs: { arn: notYet } };
    for (const name of riskNames) assert.deepEqual(violations(name, [bucket]), [], name);
  });

  it("refuse an option that there is not, which would leave them laxer than they were meant to be", () => {
    for (const name of riskNames) {
      const wrong = (): unknown => violations(name, [prod], { chanels: [] });
      assert.throws(
        wrong,
        new RegExp(`^Error: The policy ${name} has no option "chanels"(\\.|; did you mean channels\\?) Fix: its options are \\w+`),
        name,
      );
    }
  });

  it("look only at what the stack has now, whatever they saw before", () => {
    const policies = swarmPolicies();
    assert.equal(violations("quorum-loss", [prod, host("control-1")], {}, policies).length, 1);
    assert.deepEqual(violations("quorum-loss", [], {}, policies), []);
  });
});

describe("a copy of what is not all known yet", () => {
  it("has a mark in the place of what is unknown, at any depth", () => {
    const inputs = unknownCheckingProxy({ a: notYet, b: [1, notYet], c: { d: { e: notYet, f: null } }, g: true });
    assert.throws(() => inputs["a"], UnknownValueError, "the proxy of the SDK is in place");
    assert.deepEqual(plain(inputs), { a: "[unknown]", b: [1, "[unknown]"], c: { d: { e: "[unknown]", f: null } }, g: true });
  });
});

describe("the policy world-open", () => {
  const said = (resource: Resource, config?: object): string[] => violations("world-open", [prod, resource], config);

  it("names the rule, its ports and who may come, and how to allow it", () => {
    assert.deepEqual(said(rule("https", { from: ["10.0.0.0/8", "0.0.0.0/0"] })), [
      'The rule "https" opens tcp 443 on workers to the whole Internet (0.0.0.0/0). ' +
        'Fix: name in "from" who needs it, or allow the rule by "allow": ["https"] in the configuration of the policy world-open.',
    ]);
    assert.equal(said(rule("ping", { protocol: "icmp", ports: [] })).length, 1);
  });

  it("lets pass what is allowed by name or by port, and nothing beside it", () => {
    const many = rule("web", { ports: ["80", "443", "8000-8010"] });
    assert.deepEqual(said(many, { allow: ["web"] }), []);
    assert.deepEqual(said(many, { ports: ["80", "443", "8000-8999"] }), []);
    assert.equal(said(many, { allow: ["prod-web", "we"] }).length, 1);
    assert.equal(said(many, { ports: ["80", "443", "8000-8009"] }).length, 1);
    assert.equal(said(rule("ping", { protocol: "icmp", ports: [] }), { ports: ["1-65535"] }).length, 1, "what has no port is allowed by name");
  });

  it("names a policy of networks by the name that the program gives it, and lets pass what is allowed", () => {
    const open = (more: object): Resource => ({
      type: `${swarm}NetworkPolicy`,
      name: "prod-everybody-may-reach-web",
      parent: prod,
      inputs: { policy: "everybody may reach web", from: ["world"], to: ["web", "shop"], protocol: "tcp", ports: ["443"], ...more },
    });
    assert.deepEqual(said(open({})), [
      'The policy "everybody may reach web" opens tcp 443 of containers on web, shop to the whole Internet (world). Fix: name in "from" who needs it, or ' +
        'allow the policy by "allow": ["everybody may reach web"] in the configuration of the policy world-open.',
    ]);
    assert.deepEqual(said(open({}), { allow: ["everybody may reach web"] }), []);
    assert.deepEqual(said(open({}), { ports: ["443"] }), []);
    assert.equal(said(open({ ports: ["443", "8443"] }), { ports: ["443"] }).length, 1);
    for (const from of [["db"], ["group edge"], ["10.20.0.0/16"]]) assert.deepEqual(said(open({ from })), [], from.join());
  });

  it("says nothing of networks and hosts, nor of what is not known yet", () => {
    for (const from of [["members"], ["203.0.113.0/24"], [notYet], []]) assert.deepEqual(said(rule("https", { from })), [], from.join());
  });

  it("names a cluster whose hosts drop nothing", () => {
    const open = cluster("none");
    assert.match(violations("world-open", [open])[0] ?? "", /^The hosts of "prod" drop nothing .* Fix: leave enforce out/);
    assert.deepEqual(violations("world-open", [open], { allowUnenforced: true }), []);
    assert.deepEqual(violations("world-open", [prod]), []);
  });
});

describe("the policy quorum-loss", () => {
  const said = (hosts: readonly Resource[], config?: object): string[] => violations("quorum-loss", [prod, ...hosts], config);

  it("names a swarm with too few managers, or with one that helps nobody", () => {
    assert.deepEqual(said(managers(1)), [
      'prod: The swarm "prod" has 1 of at least 3 managers: it tolerates no failure. ' +
        'Fix: have 3, or lower "leastManagers" in the configuration of the policy quorum-loss.',
    ]);
    assert.deepEqual(said(managers(1), { leastManagers: 1 }), []);
    assert.match(said(managers(4))[0] ?? "", /has 4 managers, an even number: it tolerates 1 failure, like 3\. Fix: take 3 or 5\.$/);
    assert.deepEqual(said(managers(3)), []);
    assert.equal(said(managers(3), { leastManagers: 5 }).length, 1);
  });

  it("names the site that takes the majority with it, unless that is meant", () => {
    const two = managers(3, (index) => (index < 2 ? "a" : "b"));
    assert.match(said(two)[0] ?? "", /loses its majority with the site "a": fewer than 2 of 3 managers are elsewhere/);
    assert.equal(said(two).length, 1);
    assert.deepEqual(said(two, { survivesSites: false }), []);
    assert.deepEqual(said(managers(3, String)), [], "one on each of three");
  });

  it("says nothing of the pieces of a cluster that are used alone", () => {
    const firewall = { type: `${swarm}HostFirewall`, name: "prod" };
    assert.deepEqual(violations("quorum-loss", [firewall, { ...host("a"), parent: firewall }]), []);
  });
});

describe("the policy plaintext", () => {
  const hosts = [host("control-1", { site: "a" }), host("control-2", { site: "b" })];

  it("names what crosses from site to site as it is, and not what stays on one", () => {
    const plainly = [prod, channel("overlay data")];
    assert.match(
      violations("plaintext", [...plainly, ...hosts])[0] ?? "",
      /^prod: The overlay data of "prod" crosses from site to site in plaintext\. Fix: /,
    );
    assert.deepEqual(violations("plaintext", [...plainly, ...managers(3)]), []);
    assert.deepEqual(violations("plaintext", [prod, channel("overlay data", { protects: true, mechanism: "AES" }), ...hosts]), []);
  });

  it("names each channel that must be protected, once", () => {
    const all = [prod, channel("overlay data"), channel("raft log", { mechanism: "NaCl", note: "on the disk" }), channel("disks")];
    const config = { channels: ["raft log", "overlay data"] };
    assert.deepEqual(
      violations("plaintext", [...all, ...managers(3)], config).map((message) => message.slice(0, message.indexOf(" Fix:"))),
      [
        'prod: The overlay data of "prod" must be protected, and is not (none).',
        'prod: The raft log of "prod" must be protected, and is not (NaCl; on the disk).',
      ],
    );
    assert.equal(violations("plaintext", [...all, ...hosts], config).length, 2);
  });
});

describe("the policy renumber", () => {
  const subnet = (more: object = {}): Resource => ({
    type: `${swarm}SubnetAssignment`,
    name: "prod-network-web",
    parent: prod,
    inputs: { owner: "network web", cidr: "10.1.0.0/24", pinned: false, ...more },
  });
  const said = (more: object, input: string, ignoreChanges: string[], config?: object): string[] =>
    violations(
      "renumber",
      [prod, subnet(more), { type: "pulumi:index:Stash", name: "m", parent: subnet(), inputs: { input }, opts: { ignoreChanges } }],
      config,
    );

  it("names a subnet that would move, and one that may", () => {
    assert.deepEqual(said({}, "10.1.0.0/24", ["input"]), []);
    assert.match(said({}, "10.0.0.0/24", ["input"])[0] ?? "", /^The subnet of "network web" is 10\.0\.0\.0\/24, and would become 10\.1\.0\.0\/24/);
    assert.match(
      said({}, "10.1.0.0/24", [])[0] ?? "",
      /^The program lists "network web" in "renumber".* Fix: take it out of the list, or allow it by /,
    );
  });

  it("says nothing of what is pinned or allowed, nor of memories of something else", () => {
    assert.deepEqual(said({ pinned: true }, "10.1.0.0/24", []), []);
    assert.deepEqual(said({}, "10.1.0.0/24", [], { allow: ["network web"] }), []);
    assert.deepEqual(violations("renumber", [prod, { type: "pulumi:index:Stash", name: "s", parent: prod, inputs: { input: notYet } }]), []);
  });
});

describe("the policy replace-manager", () => {
  const parts = (key: string, { machine = "arn:i-1", network = "arn:eni-1", role = "manager", protect = false }): Resource[] => {
    const parent = host(key, { role });
    return [
      parent,
      { type: "aws:ec2/instance:Instance", name: `prod-${key}`, parent, inputs: { ami: notYet }, outputs: { arn: machine }, opts: { protect } },
      { type: "aws:ec2/networkInterface:NetworkInterface", name: `prod-${key}-eni`, parent, outputs: { arn: network } },
    ];
  };
  const said = (hosts: readonly Resource[], config?: object): string[] => violations("replace-manager", [prod, ...hosts], config);

  it("names a manager whose machine is unknown again while its address stands, and neither a new one nor a worker", () => {
    assert.match(
      said([...parts("control-1", {}), ...parts("control-2", { machine: notYet })]).join(),
      /^prod-control-2: The machine of the manager "prod-control-2" is deleted and replaced: .* Fix: /,
    );
    assert.deepEqual(said([...parts("control-1", {}), ...parts("control-2", { machine: notYet, network: notYet })]), []);
    assert.deepEqual(said(parts("edge-1", { machine: notYet, role: "worker" })), []);
  });

  it("names a manager's machine that Pulumi does not protect, where that is asked for", () => {
    const both = [...parts("control-1", {}), ...parts("control-2", { protect: true })];
    assert.deepEqual(said(both), []);
    assert.match(said(both, { protected: true }).join(), /^prod-control-1: Pulumi does not protect .* "prod-control-1" .*docs\/policy\.md shows\.$/);
  });

  it("counts such machines for the quorum of quorum-loss", () => {
    const anew = (count: number): Resource[] => [1, 2, 3].flatMap((place) => parts(`control-${place}`, place <= count ? { machine: notYet } : {}));
    assert.deepEqual(violations("quorum-loss", [prod, ...anew(1)]), []);
    assert.match(
      violations("quorum-loss", [prod, ...anew(2)]).join(),
      /^prod: The swarm "prod" replaces the machines of 2 of its 3 managers in one update, .* Fix: replace 1 in each update\.$/,
    );
  });
});
