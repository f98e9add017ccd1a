import assert from "node:assert/strict";
import type { AwsHostsArgs } from "../../components/hosts/aws/args";
import { CloudStack } from "./cloud-stack";

const region = "eu-west-1";

describe("EC2 hosts in a network that is known only when it is made", function () {
  this.timeout(120_000);
  const account = new CloudStack("aws", "late-network");
  before(async () => {
    await account.begin();
    account.describe({ groups: { control: { role: "manager", region } }, lateNetwork: "10.96.0.0/16" });
  });
  after(() => account.end());

  it("are previewed, since nothing is wrong as far as anybody knows", async () => {
    assert.ok((await account.planned()).includes("create Instance cl-control-1"));
  });

  it("are refused when it turns out to overlap, before anything of theirs is made", async () => {
    const up = await account.stack.up();
    assert.notEqual(up.code, 0);
    assert.match(up.stdout, /The swarm cluster "cl" cannot be planned: 1 problem\./);
    assert.match(
      up.stdout,
      /addressSpace: 10\.96\.0\.0\/14 overlaps 10\.96\.0\.0\/16, the network of site "aws eu-west-1"\. Fix: choose a space that is free everywhere/,
    );
    assert.deepEqual(account.holds, {});
  });
});

describe("EC2 hosts in a region that has other zones", function () {
  this.timeout(120_000);
  const account = new CloudStack("aws", "other-zones");
  before(() => account.begin());
  after(() => account.end());

  it("are refused at preview with the zones that the account has, and planned in those", async () => {
    account.describe({ groups: { control: { role: "manager", count: 3, region: "us-west-1" } } });
    const preview = await account.stack.preview();
    assert.notEqual(preview.code, 0);
    assert.match(
      preview.stdout,
      /control-2 would be in zone b of us-west-1, and this account has a, c there\. Nothing was changed\. Fix: write zones: \["a", "c"\]\./,
    );
    account.describe({ groups: { control: { role: "manager", count: 3, region: "us-west-1", zones: ["a", "c"] } } });
    assert.ok((await account.planned()).includes("create Instance cl-control-3"));
  });
});

describe("an edit of a cluster on EC2", function () {
  this.timeout(240_000);
  const account = new CloudStack("aws", "ec2-edits");
  const network = "10.233.8.0/21";
  const control: AwsHostsArgs = { role: "manager", region, network };
  const edge: AwsHostsArgs = { role: "worker", count: 2, region, network };
  const with_ = (more: Partial<AwsHostsArgs>): object => ({ groups: { control, edge: { ...edge, ...more } } });

  before(async () => {
    await account.begin();
    account.describe(with_({}));
    const up = await account.stack.up();
    assert.equal(up.code, 0, up.stdout + up.stderr);
  });
  after(() => account.end());

  it("that changes nothing does nothing", async () => {
    account.describe(with_({}));
    assert.deepEqual(await account.planned(), []);
  });

  it("that adds workers makes just them", async () => {
    account.describe(with_({ count: 4 }));
    const each = ["Eip", "Host", "Instance", "NetworkInterface"].flatMap((kind) => [3, 4].map((n) => `create ${kind} cl-edge-${n}`));
    assert.deepEqual(await account.planned(), [
      ...[
        ...each,
        "create RouteTableAssociation cl-aws-eu-west-1-c",
        "create Stash cl-edge-3-made",
        "create Stash cl-edge-4-made",
        "create Stash cl-edge-3-renewed",
        "create Stash cl-edge-4-renewed",
        "create Stash cl-site-edge-c",
        "create Subnet cl-aws-eu-west-1-c",
        "create SubnetAssignment cl-site-edge-c",
      ].sort(),
      "update Command cl-nodes",
      "update Command cl-swarm",
      "update Command cl-swarm-intent",
    ]);
  });

  it("that takes a worker out removes just that one", async () => {
    account.describe(with_({ count: 1 }));
    assert.deepEqual(await account.planned(), [
      "delete Eip cl-edge-2",
      "delete Host cl-edge-2",
      "delete Instance cl-edge-2",
      "delete NetworkInterface cl-edge-2",
      "delete RouteTableAssociation cl-aws-eu-west-1-b",
      "delete Stash cl-edge-2-made",
      "delete Stash cl-edge-2-renewed",
      "delete Stash cl-site-edge-b",
      "delete Subnet cl-aws-eu-west-1-b",
      "delete SubnetAssignment cl-site-edge-b",
      "update Command cl-nodes",
      "update Command cl-swarm",
      "update Command cl-swarm-intent",
    ]);
  });

  it("that changes one host's type changes one instance", async () => {
    account.describe(with_({ each: { 2: { instanceType: "m7i.large" } } }));
    assert.deepEqual(await account.planned(), ["update Instance cl-edge-2"]);
  });

  it("that opens a port is a rule in each family, and the hosts' own", async () => {
    account.describe({ ...with_({}), firewall: { ssh: ["203.0.113.0/24"], expose: { https: { port: 443, from: ["world"], on: "workers" } } } });
    assert.deepEqual(await account.planned(), [
      "create FirewallRule cl-https",
      "create SecurityGroup cl-aws-eu-west-1-workers",
      "create SecurityGroupIngressRule cl-aws-eu-west-1-https-443-world",
      "create SecurityGroupIngressRule cl-aws-eu-west-1-https-443-world-IPv6",
      "update Command cl-nodes",
      "update Command cl-swarm",
      "update Command cl-swarm-intent",
      "update NetworkInterface cl-edge-1",
      "update NetworkInterface cl-edge-2",
    ]);
  });

  it("that reaches all hosts by Systems Manager closes the port of SSH, and makes no machine anew", async () => {
    const ssm = { access: "ssm", iamInstanceProfile: "swarm-host" } as const;
    account.describe({ groups: { control: { ...control, ...ssm }, edge: { ...edge, ...ssm } }, firewall: {} });
    assert.deepEqual(await account.planned(), [
      "create FirewallRule cl-ssh-control",
      "create FirewallRule cl-ssh-edge",
      "delete FirewallRule cl-ssh",
      "delete SecurityGroupIngressRule cl-aws-eu-west-1-ping-203-0-113-0-24",
      "delete SecurityGroupIngressRule cl-aws-eu-west-1-ssh-22-203-0-113-0-24",
      "update Command cl-nodes",
      "update Command cl-swarm",
      "update Command cl-swarm-intent",
      "update FirewallRule cl-ping",
      "update Instance cl-control-1",
      "update Instance cl-edge-1",
      "update Instance cl-edge-2",
    ]);
  });

  it("that makes a host anew makes another instance on the same interface, once", async () => {
    const addresses = (): unknown[] =>
      Object.entries(account.holds).flatMap(([id, { properties }]) =>
        id.startsWith("i-") ? [] : [[id, properties["privateIp"], properties["publicIp"]]],
      );
    const instances = (): string[] => Object.keys(account.holds).filter((id) => id.startsWith("i-"));
    account.describe(with_({ each: { 2: { renew: "2026-11" } } }));
    assert.deepEqual(await account.planned(), [
      "replace Instance cl-edge-2",
      "replace Stash cl-edge-2-made",
      "replace Stash cl-edge-2-renewed",
      "update Command cl-nodes",
      "update Command cl-swarm",
      "update Command cl-swarm-intent",
    ]);
    const [placesBefore, before] = [addresses(), instances()];
    const up = await account.stack.up();
    assert.equal(up.code, 0, up.stdout + up.stderr);
    assert.deepEqual(addresses(), placesBefore);
    assert.equal(instances().filter((id) => before.includes(id)).length, 2, "two of three are the old ones");
    assert.deepEqual(await account.planned(), []);
  });
});
