import assert from "node:assert/strict";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { native, SwarmCluster, type SwarmClusterArgs, wireguard } from "../../components";
import type { SwarmRequest } from "../../components/agents/request";
import { describeLateNetwork } from "../../components/cluster/late-network";
import { type OpenPorts, openPorts } from "../../components/firewall/open";
import { mergePorts, rulePorts, showPorts } from "../../components/firewall/ports";
import * as awsHosts from "../../components/hosts/aws";
import { words } from "../../components/hosts/aws/memory";
import { type Birth, birthProblem } from "../../components/hosts/cloud/memory";
import * as existing from "../../components/hosts/existing";
import { AnyCidr, isAnyCidr } from "../../components/addresses/any-cidr";
import { type Answers, type Graph, isSecret, readable, record, type RecordOptions, type Registered, unknown } from "./harness";
import { clientKey } from "../unit/client-key";

const region = "eu-west-1";
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const control = awsHosts.hosts({ role: "manager", count: 3, region });
const three: SwarmClusterArgs = { hosts: { control } };

const instance = "aws:ec2/instance:Instance";
const networkInterface = "aws:ec2/networkInterface:NetworkInterface";
const elasticIp = "aws:ec2/eip:Eip";
const securityGroup = "aws:ec2/securityGroup:SecurityGroup";
const ingressRule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const stash = "pulumi:index:Stash";

/** Outputs that EC2 would give. */
const answers: Answers = {
  outputs: ({ type, name }) => ({
    ...(type === elasticIp && { publicIp: publicIpOf(name) }),
    ...(type === networkInterface && { privateIp: "10.64.9.9" }),
  }),
  call: ({ token, inputs }) => ({
    id: token === "aws:ec2/getAmi:getAmi" ? `ami of ${JSON.stringify((inputs as Record<string, unknown>)["filters"])}` : undefined,
  }),
};

/** Another one for each host: `lab-control-2` has 198.51.100.2. */
function publicIpOf(name: string): string {
  return `198.51.${name.includes("control") ? 100 : 101}.${/\d+$/.exec(name)?.[0]}`;
}

async function graphOf(args: SwarmClusterArgs, options: RecordOptions = {}): Promise<Graph> {
  const graph = await record(() => new SwarmCluster("lab", { firewall: { ssh: ["203.0.113.0/24"] }, ...args }), { ...answers, ...options });
  assert.equal(graph.error, undefined, `the program threw ${String(graph.error)}`);
  return graph;
}

function find({ resources }: Graph, type: string, name: string): Registered {
  return resources.find((resource) => resource.type === type && resource.name === name) ?? assert.fail(`no ${type} ${name}`);
}

function ofType({ resources }: Graph, type: string): readonly Registered[] {
  return resources.filter((resource) => resource.type === type);
}

function isAws({ type }: Registered): boolean {
  return type.startsWith("aws:");
}

function requestOf(graph: Graph): SwarmRequest {
  const { stdin } = find(graph, "command:local:Command", "lab-swarm").inputs;
  assert.ok(isSecret(stdin));
  return JSON.parse(stdin.secret as string) as SwarmRequest;
}

async function inputsOf(args: Partial<awsHosts.AwsHostsArgs>, more: Partial<SwarmClusterArgs> = {}): Promise<Readonly<Record<string, unknown>>> {
  const group = awsHosts.hosts({ role: "manager", region, ...args });
  return find(await graphOf({ hosts: { control: group }, ...more }), instance, "lab-control-1").inputs;
}

describe("the graph of three managers on EC2", function () {
  this.timeout(30_000);
  let graph: Graph;
  before(async () => {
    graph = await graphOf(three);
  });

  it("has exactly these resources of AWS, under these parents", () => {
    const names = graph.resources.filter(isAws).map(({ type, name, parent }) => `${parent} > ${name} (${type.split(":").at(-1)})`);
    assert.deepEqual(names.sort(), [
      "lab > lab-aws-eu-west-1 (InternetGateway)",
      "lab > lab-aws-eu-west-1 (RouteTable)",
      "lab > lab-aws-eu-west-1 (Vpc)",
      "lab > lab-aws-eu-west-1-a (RouteTableAssociation)",
      "lab > lab-aws-eu-west-1-a (Subnet)",
      "lab > lab-aws-eu-west-1-b (RouteTableAssociation)",
      "lab > lab-aws-eu-west-1-b (Subnet)",
      "lab > lab-aws-eu-west-1-c (RouteTableAssociation)",
      "lab > lab-aws-eu-west-1-c (Subnet)",
      "lab > lab-aws-eu-west-1-managers (SecurityGroup)",
      "lab > lab-aws-eu-west-1-members (SecurityGroup)",
      "lab > lab-aws-eu-west-1-out (SecurityGroupEgressRule)",
      "lab > lab-aws-eu-west-1-out-IPv6 (SecurityGroupEgressRule)",
      "lab > lab-aws-eu-west-1-overlay-data-4789-members (SecurityGroupIngressRule)",
      "lab > lab-aws-eu-west-1-path-mtu-world (SecurityGroupIngressRule)",
      "lab > lab-aws-eu-west-1-path-mtu-world-IPv6 (SecurityGroupIngressRule)",
      "lab > lab-aws-eu-west-1-ping-203-0-113-0-24 (SecurityGroupIngressRule)",
      "lab > lab-aws-eu-west-1-ping-members (SecurityGroupIngressRule)",
      "lab > lab-aws-eu-west-1-ssh-22-203-0-113-0-24 (SecurityGroupIngressRule)",
      "lab > lab-aws-eu-west-1-swarm-control-2377-members (SecurityGroupIngressRule)",
      "lab > lab-aws-eu-west-1-swarm-gossip-tcp-7946-members (SecurityGroupIngressRule)",
      "lab > lab-aws-eu-west-1-swarm-gossip-udp-7946-members (SecurityGroupIngressRule)",
      ...[1, 2, 3].flatMap((n) => ["Eip", "Instance", "NetworkInterface"].map((type) => `lab-control-${n} > lab-control-${n} (${type})`)),
    ]);
  });

  it("puts each host into its zone, at the address that the plan shows", () => {
    const zones = ofType(graph, "aws:ec2/subnet:Subnet").map(({ inputs }) => [inputs["availabilityZone"], inputs["cidrBlock"]]);
    assert.deepEqual(zones, [
      ["eu-west-1a", "10.64.0.0/19"],
      ["eu-west-1b", "10.64.32.0/19"],
      ["eu-west-1c", "10.64.64.0/19"],
    ]);
    for (const [n, zone] of ["a", "b", "c"].entries()) {
      const name = `lab-control-${n + 1}`;
      const shown = find(graph, "pulumi-swarm:index:Host", name).inputs;
      const { subnetId, privateIps } = find(graph, networkInterface, name).inputs;
      assert.deepEqual([subnetId, privateIps, shown["zone"]], [`lab-aws-eu-west-1-${zone}-id`, [shown["address"]], zone]);
      assert.deepEqual(shown["publicAddress"], { assigned: "when the host is made" });
      assert.equal(requestOf(graph).hosts[n]?.address, shown["address"]);
    }
  });

  it("tells the hosts of each other's Elastic IP addresses, and is reached by them", () => {
    const found = requestOf(graph).hosts.map(({ key, machine, publicAddress, connection }) => [
      key,
      machine,
      publicAddress,
      connection.host,
      connection.user,
    ]);
    assert.deepEqual(
      found,
      [1, 2, 3].map((n) => [`control-${n}`, `lab-control-${n}-id`, `198.51.100.${n}`, `198.51.100.${n}`, "swarm"]),
    );
  });

  it("has no private key in anything that can be read, and only the host's own in its user data", () => {
    for (const { name, inputs } of graph.resources) for (const text of readable(inputs)) assert.doesNotMatch(text, /PRIVATE KEY/, name);
    for (const { name, inputs } of ofType(graph, instance)) {
      const userData = inputs["userData"];
      assert.ok(isSecret(userData), name);
      const { connection } = requestOf(graph).hosts.find(({ machine }) => machine === `${name}-id`) ?? assert.fail(name);
      const text = String(userData.secret);
      assert.ok(text.startsWith("#cloud-config\n") && text.includes(connection.hostKey), name);
      assert.equal(text.split("BEGIN OPENSSH PRIVATE KEY").length, 2, "one private key");
      assert.ok(!text.includes(JSON.stringify(connection.privateKey).slice(1, -1)), "it is not the one that logs in");
    }
  });

  it("asks for a token, encrypts the disk, and lets nobody else terminate a manager", () => {
    for (const { inputs } of ofType(graph, instance)) {
      const { metadataOptions, rootBlockDevice, disableApiTermination, forceDestroy, iamInstanceProfile, instanceMarketOptions, instanceType } =
        inputs;
      assert.deepEqual(metadataOptions, { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 });
      const { encrypted, volumeSize, volumeType } = rootBlockDevice as Record<string, unknown>;
      assert.deepEqual({ encrypted, volumeSize, volumeType }, { encrypted: true, volumeSize: 20, volumeType: "gp3" });
      assert.deepEqual([disableApiTermination, forceDestroy, instanceType], [true, true, "t3.medium"]);
      assert.deepEqual([iamInstanceProfile, instanceMarketOptions], [undefined, undefined]);
    }
  });

  it("keeps address and interface when the instance becomes another one, which can only come after the old one is gone", () => {
    for (const { name, inputs, deleteBeforeReplace, ignoreChanges } of ofType(graph, instance)) {
      assert.deepEqual(inputs["primaryNetworkInterface"], { networkInterfaceId: `${name}-id` });
      assert.equal(deleteBeforeReplace, true);
      assert.deepEqual(ignoreChanges, ["userData"]);
      assert.equal(find(graph, elasticIp, name).inputs["networkInterface"], `${name}-id`);
    }
  });

  it("works on hosts only when they can be reached, and takes away what they are reached by only after that", () => {
    const { dependsOn } = find(graph, "command:local:Command", "lab-swarm");
    for (const rule of [...ofType(graph, ingressRule), ...ofType(graph, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")]) {
      assert.ok(dependsOn.includes(`${rule.name} (${rule.type})`), rule.name);
    }
    for (const { name, dependsOn: waits } of ofType(graph, networkInterface))
      assert.ok(
        waits.some((one) => one.includes("RouteTableAssociation")),
        name,
      );
    for (const { name, dependsOn: waits } of ofType(graph, elasticIp))
      assert.ok(
        waits.some((one) => one.includes("InternetGateway")),
        name,
      );
  });

  it("has at most six resources for each host, and the same for each one more", async () => {
    const count = async (workers: number): Promise<number> =>
      (await graphOf({ hosts: { control, edge: awsHosts.hosts({ role: "worker", count: workers, region }) } })).resources.length;
    const [three, four, nine] = [await count(3), await count(4), await count(9)];
    assert.ok(four - three <= 6, `${four - three} resources for one host`);
    assert.equal(nine - four, 5 * (four - three));
  });

  it("is made in the region that is named, by the provider that is given, and carries the tags", async () => {
    const tagged = await record(() => {
      const provider = new aws.Provider("mine", { region: "us-east-1" });
      const group = awsHosts.hosts({ role: "manager", region, provider, tags: { team: "swarm" } });
      return new SwarmCluster("lab", { hosts: { control: group }, firewall: { ssh: ["203.0.113.0/24"] } });
    }, answers);
    const made = tagged.resources.filter((resource) => isAws(resource));
    assert.ok(made.length > 10);
    for (const { name, type, inputs, provider } of made) {
      assert.equal(inputs["region"], region, name);
      assert.equal(provider, "mine", name);
      if (type.endsWith("RouteTableAssociation")) continue;
      assert.deepEqual({ ...(inputs["tags"] as object) }, { Name: name, "pulumi-swarm:cluster": "lab", team: "swarm" }, name);
    }
  });

  it("is shown in full by the first preview, when nothing is made yet", async () => {
    const preview = await graphOf(three, { preview: true });
    const names = ({ resources }: Graph): string[] => resources.map(({ type, name }) => `${type} ${name}`);
    assert.deepEqual(names(preview), names(graph));
    for (const type of ["pulumi-swarm:index:Host", "aws:ec2/subnet:Subnet"]) {
      for (const { name, inputs } of ofType(graph, type)) {
        const { vpcId: _, ...shown } = find(preview, type, name).inputs;
        const { vpcId: _known, ...expected } = inputs;
        assert.deepEqual(shown, expected, name);
      }
    }
    for (const { name, inputs } of ofType(graph, networkInterface))
      assert.deepEqual(find(preview, networkInterface, name).inputs["privateIps"], inputs["privateIps"]);
    for (const { name, inputs } of ofType(graph, ingressRule)) {
      const shown = find(preview, ingressRule, name).inputs;
      for (const what of ["cidrIpv4", "cidrIpv6", "ipProtocol", "fromPort", "toPort", "description"])
        assert.deepEqual(shown[what], inputs[what], `${name} ${what}`);
    }
    assert.equal(find(preview, "command:local:Command", "lab-swarm").inputs["stdin"], unknown);
  });
});

describe("the options of EC2 hosts", function () {
  this.timeout(30_000);

  it("choose the newest image of a release for the type's processor", async () => {
    const image = async (args: Partial<awsHosts.AwsHostsArgs>): Promise<unknown> => (await inputsOf(args))["ami"];
    const filters = (name: string, architecture: string): string =>
      `ami of ${JSON.stringify([
        { name: "name", values: [name] },
        { name: "architecture", values: [architecture] },
        { name: "state", values: ["available"] },
      ])}`;
    assert.equal(await image({}), filters("debian-13-amd64-*", "x86_64"));
    assert.equal(await image({ instanceType: "t4g.medium" }), filters("debian-13-arm64-*", "arm64"));
    assert.equal(await image({ image: "debian-12", instanceType: "c6gn.large" }), filters("debian-12-arm64-*", "arm64"));
    assert.equal(
      await image({ image: "ubuntu-24.04", instanceType: "g4dn.xlarge" }),
      filters("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*", "x86_64"),
    );
    assert.equal(await image({ image: { id: pulumi.output("ami-1") } }), "ami-1");
  });

  it("size and encrypt the disk, and give a profile only where one is asked for", async () => {
    const key = "arn:aws:kms:eu-west-1:111122223333:key/0d990263-018e-4e65-a703-eff731de951e";
    const { rootBlockDevice, iamInstanceProfile } = await inputsOf({ diskSize: 80, kmsKeyId: key, iamInstanceProfile: "profile" });
    const { volumeSize, kmsKeyId, encrypted } = rootBlockDevice as Record<string, unknown>;
    assert.deepEqual([volumeSize, kmsKeyId, encrypted, iamInstanceProfile], [80, key, true, "profile"]);
  });

  it("protect what is asked for, and buy spare capacity for workers", async () => {
    assert.equal((await inputsOf({ protect: false }))["disableApiTermination"], undefined);
    const edge = awsHosts.hosts({ role: "worker", region, spot: true });
    const { disableApiTermination, instanceMarketOptions } = find(await graphOf({ hosts: { control, edge } }), instance, "lab-edge-1").inputs;
    assert.equal(disableApiTermination, undefined);
    assert.deepEqual(instanceMarketOptions, { marketType: "spot", spotOptions: { spotInstanceType: "one-time" } });
  });

  it("change one host of a group alone", async () => {
    const group = awsHosts.hosts({ role: "manager", count: 3, region, each: { 2: { instanceType: "m7i.large" }, 3: { renew: "2026-11" } } });
    const graph = await graphOf({ hosts: { control: group } });
    assert.deepEqual(
      ofType(graph, instance).map(({ inputs, replacementTrigger }) => [inputs["instanceType"], replacementTrigger]),
      [
        ["t3.medium", "first"],
        ["m7i.large", "first"],
        ["t3.medium", "2026-11"],
      ],
    );
    const memories = [2, 3].map((n) => find(graph, stash, `lab-control-${n}-made`));
    assert.deepEqual(
      memories.map(({ replacementTrigger, aliases }) => [replacementTrigger, aliases]),
      [
        ["first", undefined],
        // The name that it had in 0.1.0, so that its state is taken over.
        ["2026-11", ["lab-control-3-made-2026-11"]],
      ],
      "another memory, so another image",
    );
  });

  it("have hooks before and after an update where there is an engine to call them, and none that a destroy would miss", async () => {
    const [without, withHooks] = [await graphOf(three), await graphOf(three, { hooks: true })];
    assert.equal(find(without, instance, "lab-control-1").hooks, undefined);
    assert.deepEqual(find(withHooks, instance, "lab-control-1").hooks, {
      beforeCreate: [],
      beforeUpdate: ["lab-control-1 before it is stopped"],
      afterUpdate: ["lab-control-1 after it is stopped"],
      delete: [],
      onError: ["lab-control-1 when it fails while it is stopped"],
    });
    assert.equal(find(withHooks, elasticIp, "lab-control-1").hooks, undefined);
  });

  it("leave the last word to transforms, for every resource", async () => {
    const tags = { last: "word" };
    const transform: Required<awsHosts.AwsTransform> = {
      vpc: { tags },
      internetGateway: { tags },
      routeTable: { tags },
      subnet: { tags },
      routeTableAssociation: (args) => ({ ...args, subnetId: "another" }),
      securityGroup: { tags },
      ingressRule: (args) => ({ ...args, tags }),
      egressRule: { tags },
      networkInterface: { tags },
      elasticIp: { tags },
      instance: { tags },
    };
    const graph = await graphOf({ hosts: { control: awsHosts.hosts({ role: "manager", region, transform }) } });
    for (const { name, type, inputs } of graph.resources.filter(isAws)) {
      if (type.endsWith("RouteTableAssociation")) assert.equal(inputs["subnetId"], "another");
      else assert.deepEqual({ ...(inputs["tags"] as object) }, tags, `${type} ${name}`);
    }
  });

  it("make one network for all groups of a region, and another for another site", async () => {
    const edge = awsHosts.hosts({ role: "worker", region, count: 2 });
    const far = awsHosts.hosts({ role: "worker", region: "us-east-1", network: "10.66.0.0/16" });
    const again = awsHosts.hosts({ role: "worker", region, site: "second", network: "10.68.0.0/16" });
    const graph = await graphOf({ hosts: { control, edge, far, again }, underlay: wireguard() });
    const networks = ofType(graph, "aws:ec2/vpc:Vpc").map(({ name, inputs }) => [name, inputs["region"], inputs["cidrBlock"]]);
    assert.deepEqual(networks, [
      ["lab-aws-eu-west-1", "eu-west-1", "10.64.0.0/16"],
      ["lab-aws-us-east-1", "us-east-1", "10.66.0.0/16"],
      ["lab-second", "eu-west-1", "10.68.0.0/16"],
    ]);
    assert.equal(graph.resources.filter(({ name }) => name === "lab-aws-keys").length, 1);
  });

  it("check the source of packets, unless the overlay sends containers' own", async () => {
    const check = async (more: Partial<SwarmClusterArgs>): Promise<unknown> =>
      find(await graphOf({ ...three, ...more }), networkInterface, "lab-control-1").inputs["sourceDestCheck"];
    assert.equal(await check({}), true);
    const routed = (way: { readonly interface?: string }): SwarmClusterArgs["overlay"] => ({
      kind: "native",
      plan: (context) => ({ ...native().plan(context), settings: {}, routedIn: way }),
    });
    assert.equal(await check({ overlay: routed({ interface: "swarm0" }) as never, underlay: wireguard() }), true);
    const neighbours = awsHosts.hosts({ role: "manager", count: 3, region, zones: ["a"] });
    assert.equal(await check({ hosts: { control: neighbours }, overlay: routed({}) as never }), false);
  });
});

describe("what an EC2 host was made as", function () {
  this.timeout(30_000);
  const born = (zone: string): Birth => ({ image: "ami-old", zone, architecture: "x86_64" });
  const stand: Readonly<Record<string, Birth>> = {
    "lab-control-1-made": born("a"),
    "lab-control-2-made": born("b"),
    "lab-control-3-made": born("c"),
  };

  /** Images and zones, where the state has this of earlier runs. */
  async function placesOf(args: Partial<awsHosts.AwsHostsArgs>, anew?: string): Promise<unknown[]> {
    const graph = await graphOf(
      { hosts: { control: awsHosts.hosts({ role: "manager", count: 3, region, ...args }) } },
      {
        outputs: (one) => ({
          ...answers.outputs?.(one),
          ...(one.type === stash && one.name in stand && one.name !== anew && { output: stand[one.name] }),
        }),
      },
    );
    const subnets = ofType(graph, networkInterface).map(({ inputs }) => String(inputs["subnetId"]).replace("lab-aws-eu-west-1-", ""));
    return ofType(graph, instance).map(({ inputs }, index) => [String(inputs["ami"]).slice(0, 7), subnets[index]]);
  }

  it("stays, whatever images have come since, and whatever zone is added that moves nobody", async () => {
    for (const zones of [
      ["a", "b", "c"],
      ["a", "b", "c", "d"],
    ]) {
      assert.deepEqual(await placesOf({ zones }), [
        ["ami-old", "a-id"],
        ["ami-old", "b-id"],
        ["ami-old", "c-id"],
      ]);
    }
  });

  it("is another one when the host is made anew", async () => {
    assert.deepEqual(await placesOf({ zones: ["a", "d", "c"], each: { 2: { renew: "1" } } }, "lab-control-2-made"), [
      ["ami-old", "a-id"],
      ["ami of ", "d-id"],
      ["ami-old", "c-id"],
    ]);
  });

  it("keeps the key of its volume, and gets another one when it is made anew", async () => {
    const arn = (id: string): string => `arn:aws:kms:eu-west-1:111122223333:key/${id}`;
    const born = (diskKey: string | undefined): Birth => ({ ...stand["lab-control-1-made"], diskKey }) as Birth;
    const keyOf = async (made: Birth | undefined, kmsKeyId: pulumi.Input<string> | undefined): Promise<unknown> => {
      const group = awsHosts.hosts({ role: "manager", region, ...(kmsKeyId !== undefined && { kmsKeyId }) });
      const outputs: Answers["outputs"] = (one) => ({
        ...answers.outputs?.(one),
        ...(one.name === "lab-control-1-made" && made && { output: made }),
      });
      const { rootBlockDevice } = find(await graphOf({ hosts: { control: group } }, { outputs }), instance, "lab-control-1").inputs;
      return (rootBlockDevice as Record<string, unknown>)["kmsKeyId"];
    };
    assert.equal(await keyOf(undefined, pulumi.output(arn("new"))), arn("new"), "a new host");
    assert.equal(await keyOf(born(arn("old")), arn("new")), arn("old"));
    assert.equal(await keyOf(born(""), arn("new")), undefined, "AWS's own");
    assert.equal(await keyOf(born(undefined), arn("given")), arn("given"), "a state of 0.1.0 does not know it");
  });

  it("keeps its type where it is a spot instance, which cannot be stopped", () => {
    const made = { ...born("a"), type: "t3.medium" };
    const wanted = { zone: "a", architecture: "x86_64" };
    assert.equal(birthProblem(words, { key: "edge-1", place: "1" }, made, { ...wanted, type: "t3.medium" }), undefined);
    assert.equal(birthProblem(words, { key: "edge-1", place: "1" }, born("a"), { ...wanted, type: "m7i.large" }), undefined, "a state of 0.1.0");
    assert.equal(
      birthProblem(words, { key: "edge-1", place: "1" }, made, { ...wanted, type: "m7i.large" }),
      "edge-1 is a spot instance of type t3.medium, which EC2 cannot stop to make it m7i.large. Nothing was changed. Fix: keep its type, " +
        'or replace its machine, without its volumes, by each: { 1: { renew: "any new text" } }.',
    );
  });

  it("says what keeps it, where a list of zones or a type would change it without a word", () => {
    const host = { key: "control-2", place: "2" };
    assert.equal(birthProblem(words, host, born("b"), { zone: "b", architecture: "x86_64" }), undefined);
    assert.equal(
      birthProblem(words, host, born("b"), { zone: "c", architecture: "x86_64" }),
      "control-2 stands in zone b, and zones would put it into c. Nothing was changed. Fix: write zones so that it stays, one letter for each host in the order of their numbers, " +
        'or replace its machine, with another private address and without its volumes, by each: { 2: { renew: "any new text" } }.',
    );
    assert.equal(
      birthProblem(words, host, born("b"), { zone: "b", architecture: "arm64" }),
      "control-2 was made for x86_64, and its instance type is for arm64. Nothing was changed. Fix: take a type for x86_64, " +
        'or replace its machine, without its volumes, by each: { 2: { renew: "any new text" } }.',
    );
  });
});

describe("a VPC of the user's", function () {
  this.timeout(30_000);
  const subnets = { a: { id: "subnet-a", cidr: "10.20.0.0/20" }, b: { id: "subnet-b", cidr: "10.20.16.0/20" } };
  const vpc: awsHosts.AwsVpc = { id: "vpc-1", cidr: "10.20.0.0/16", subnets };
  const inVpc = (args: Partial<awsHosts.AwsHostsArgs>): SwarmClusterArgs => ({
    hosts: { control: awsHosts.hosts({ role: "manager", count: 3, region, ...args }) },
  });

  it("gets nothing but security groups, interfaces and instances, at planned addresses", async () => {
    const graph = await graphOf(inVpc({ vpc }));
    const types = new Set(graph.resources.filter(isAws).map(({ type }) => type.split(":").at(-1)));
    assert.deepEqual([...types].sort(), [
      "Eip",
      "Instance",
      "NetworkInterface",
      "SecurityGroup",
      "SecurityGroupEgressRule",
      "SecurityGroupIngressRule",
    ]);
    for (const { inputs } of ofType(graph, securityGroup)) assert.equal(inputs["vpcId"], "vpc-1");
    const places = ofType(graph, networkInterface).map(({ inputs }) => [
      inputs["subnetId"],
      (inputs["privateIps"] as string[])[0]?.split(".").slice(0, 2).join("."),
    ]);
    assert.deepEqual(places, [
      ["subnet-a", "10.20"],
      ["subnet-b", "10.20"],
      ["subnet-a", "10.20"],
    ]);
  });

  it("is reached through a bastion where hosts have no public address", async () => {
    const bastion = { address: "203.0.113.9", hostKey, privateKey: clientKey, user: "jump" };
    const graph = await graphOf(inVpc({ vpc, publicAddress: "none", bastion, natAddress: "203.0.113.50" }));
    assert.deepEqual(ofType(graph, elasticIp), []);
    const [first] = requestOf(graph).hosts;
    assert.equal(first?.connection.host, first?.address);
    assert.deepEqual(first?.connection.bastion, { host: "203.0.113.9", hostKey, user: "jump", port: 22, privateKey: clientKey });
    assert.deepEqual([first?.publicAddress, first?.seenAs], [undefined, "203.0.113.50"]);
  });

  const later: awsHosts.AwsVpc = {
    id: pulumi.output("vpc-1"),
    cidr: pulumi.output("10.20.0.0/16"),
    subnets: { a: { id: pulumi.output("subnet-a"), cidr: pulumi.output("10.20.0.0/20") } },
  };

  it("whose networks are known only later has EC2 choose addresses, which the hosts are then told", async () => {
    const graph = await graphOf(inVpc({ vpc: later }));
    for (const { inputs } of ofType(graph, networkInterface)) assert.equal(inputs["privateIps"], undefined);
    assert.deepEqual(
      requestOf(graph).hosts.map(({ address }) => address),
      ["10.64.9.9", "10.64.9.9", "10.64.9.9"],
    );
  });

  it("that turns out to overlap is refused as it would have been before, with the fix", () => {
    const args = { ...inVpc({ vpc: later }), firewall: { ssh: ["203.0.113.0/24"] } };
    assert.equal(describeLateNetwork("lab", args, "aws eu-west-1", "10.20.0.0/16"), undefined);
    assert.equal(
      describeLateNetwork("lab", args, "aws eu-west-1", "10.96.0.0/16"),
      'The swarm cluster "lab" cannot be planned: 1 problem.\n' +
        '  - addressSpace: 10.96.0.0/14 overlaps 10.96.0.0/16, the network of site "aws eu-west-1". Fix: choose a space that is free everywhere.',
    );
  });
});

describe("EC2 hosts and hosts of other sites", function () {
  this.timeout(30_000);
  const far = awsHosts.hosts({ role: "worker", count: 2, region: "us-east-1", network: "10.66.0.0/16" });
  const rack = (machine: Partial<existing.ExistingMachine>): SwarmClusterArgs["hosts"][string] =>
    existing.hosts({ role: "worker", agentSocket: "/run/agent", machines: { "1": { address: "192.168.7.1", hostKey, ...machine } } });
  const named = (graph: Graph, name: string): string[] => ofType(graph, ingressRule).flatMap((one) => (one.name.includes(name) ? [one.name] : []));

  it("let each other in by the address with which they come, and hosts of their own site by security group", async () => {
    const graph = await graphOf({ hosts: { control, far, rack: rack({ publicAddress: "192.0.2.7" }) }, underlay: wireguard() });
    assert.deepEqual(named(graph, "wireguard"), [
      "lab-aws-eu-west-1-wireguard-51820-192-0-2-7-32",
      "lab-aws-eu-west-1-wireguard-51820-far-1",
      "lab-aws-eu-west-1-wireguard-51820-far-2",
      "lab-aws-eu-west-1-wireguard-51820-members",
      "lab-aws-us-east-1-wireguard-51820-192-0-2-7-32",
      ...[1, 2, 3].map((n) => `lab-aws-us-east-1-wireguard-51820-control-${n}`),
      "lab-aws-us-east-1-wireguard-51820-members",
    ]);
    assert.equal(find(graph, ingressRule, "lab-aws-us-east-1-wireguard-51820-control-2").inputs["cidrIpv4"], "198.51.100.2/32");
  });

  it("open the tunnel's port, and nothing else, to everybody where one of the others comes with an address that nobody knows", async () => {
    const graph = await graphOf({ hosts: { control, rack: rack({}) }, underlay: wireguard() });
    const world = ofType(graph, ingressRule).filter(({ inputs }) => inputs["cidrIpv4"] === "0.0.0.0/0" || inputs["cidrIpv6"] === "::/0");
    assert.deepEqual(
      world.map(({ name }) => name),
      ["path-mtu-world", "path-mtu-world-IPv6", "wireguard-51820-world", "wireguard-51820-world-IPv6"].map((name) => `lab-aws-eu-west-1-${name}`),
    );
  });

  it("are reached, by security groups alone, at exactly the ports that the list of rules has", async () => {
    const firewall = {
      ssh: ["203.0.113.0/24", "2001:DB8::/32"],
      expose: {
        https: { port: 443, from: ["world"], on: "group edge" },
        metrics: { port: [9100, "9200-9210"], from: ["managers", "198.18.0.0/15"], on: "workers" },
        syslog: { port: 514, protocol: "udp", from: ["group edge"], on: "managers" },
      },
    } as const;
    const edge = awsHosts.hosts({ role: "worker", count: 2, region });
    const cases: SwarmClusterArgs[] = [
      { hosts: { control, edge }, firewall },
      { hosts: { control, edge, far, rack: rack({ publicAddress: "192.0.2.7" }) }, underlay: wireguard(), firewall },
      { hosts: { control, edge, rack: rack({}) }, underlay: wireguard(), firewall },
    ];
    for (const args of cases) {
      const graph = await graphOf(args);
      const hosts = requestOf(graph).hosts;
      const { firewall: { rules = [] } = {} } = requestOf(graph);
      const outsiders = ["203.0.113.5", "2001:db8::5", "198.18.0.9", "8.8.8.8", "2001:4860::1", "10.64.0.200", "192.0.2.7"];
      for (const target of hosts.filter(({ site }) => site.startsWith("aws"))) {
        const peers = hosts
          .filter(({ key }) => key !== target.key)
          .map(({ site, address, publicAddress }) => (site === target.site ? address : (publicAddress ?? "192.0.2.99")));
        for (const address of [...outsiders, ...peers]) {
          const planned = openPorts(rules, target, { address, arrivesOn: "site" }, hosts);
          assert.deepEqual(openBySecurityGroups(graph, target.key, address), planned, `${target.key} from ${address}`);
        }
      }
    }
  }).timeout(60_000);
});

/** Ports that the security groups of a host let somebody reach, read back from the resources. */
function openBySecurityGroups(graph: Graph, host: string, address: string): OpenPorts {
  const groupsOf = (name: string): readonly unknown[] => find(graph, networkInterface, name).inputs["securityGroups"] as unknown[];
  const caller = AnyCidr.host(address);
  const letsIn = ({ inputs }: Registered): boolean => {
    const { cidrIpv4, cidrIpv6, referencedSecurityGroupId: group } = inputs;
    const network = AnyCidr.parse(String(cidrIpv4 ?? cidrIpv6 ?? ""));
    if (group === undefined) return isAnyCidr(network) && network.contains(caller);
    const members = ofType(graph, networkInterface).filter(({ name }) => groupsOf(name).includes(group));
    return members.some(({ inputs: { privateIps } }) => (privateIps as string[]).includes(address));
  };
  const open = ofType(graph, ingressRule).filter((rule) => groupsOf(`lab-${host}`).includes(rule.inputs["securityGroupId"]) && letsIn(rule));
  const ports = (protocol: string): string[] => {
    const ranges = open
      .filter(({ inputs }) => inputs["ipProtocol"] === protocol)
      .map(({ inputs }) => `${String(inputs["fromPort"])}-${String(inputs["toPort"])}`);
    return mergePorts(rulePorts(ranges)).map(showPorts);
  };
  return { tcp: ports("tcp"), udp: ports("udp") };
}
