import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..", "..");

interface Statement {
  readonly Sid: string;
  readonly Action: string | readonly string[];
  readonly Condition?: object;
  readonly Resource: string;
}

const policy = JSON.parse(readFileSync(join(root, "docs", "aws-policy.json"), "utf8")) as { readonly Statement: readonly Statement[] };

const tags = ["CreateTags", "DeleteTags"];

/** What AWS's provider calls for a resource of each kind: to make, look at, change and remove it (internal/service/ec2 of its source). */
const calls: Readonly<Record<string, readonly string[]>> = {
  "ec2.Vpc": [
    ...["CreateVpc", "DescribeVpcs", "DescribeVpcAttribute", "DescribeNetworkAcls", "DescribeRouteTables", "DescribeSecurityGroups"],
    ...["ModifyVpcAttribute", "DeleteVpc", ...tags],
  ],
  "ec2.InternetGateway": [
    ...["CreateInternetGateway", "AttachInternetGateway", "DescribeInternetGateways", "DetachInternetGateway", "DeleteInternetGateway", ...tags],
  ],
  "ec2.RouteTable": [
    ...[
      "CreateRouteTable",
      "CreateRoute",
      "DescribeRouteTables",
      "ReplaceRoute",
      "DeleteRoute",
      "DisassociateRouteTable",
      "DeleteRouteTable",
      ...tags,
    ],
  ],
  "ec2.Subnet": ["CreateSubnet", "DescribeSubnets", "ModifySubnetAttribute", "DescribeNetworkInterfaces", "DeleteSubnet", ...tags],
  "ec2.RouteTableAssociation": ["AssociateRouteTable", "DescribeRouteTables", "ReplaceRouteTableAssociation", "DisassociateRouteTable"],
  // A new group lets everything out: the provider takes that rule away.
  "ec2.SecurityGroup": [
    ...["CreateSecurityGroup", "RevokeSecurityGroupEgress", "DescribeSecurityGroups", "DescribeNetworkInterfaces", "DeleteSecurityGroup", ...tags],
  ],
  "vpc.SecurityGroupIngressRule": [
    ...["AuthorizeSecurityGroupIngress", "DescribeSecurityGroupRules", "ModifySecurityGroupRules", "RevokeSecurityGroupIngress", ...tags],
  ],
  "vpc.SecurityGroupEgressRule": [
    ...["AuthorizeSecurityGroupEgress", "DescribeSecurityGroupRules", "ModifySecurityGroupRules", "RevokeSecurityGroupEgress", ...tags],
  ],
  "ec2.NetworkInterface": [
    ...["CreateNetworkInterface", "DescribeNetworkInterfaces", "ModifyNetworkInterfaceAttribute", "AssignPrivateIpAddresses"],
    ...["UnassignPrivateIpAddresses", "DetachNetworkInterface", "DeleteNetworkInterface", ...tags],
  ],
  "ec2.Eip": [
    ...["AllocateAddress", "AssociateAddress", "DescribeAddresses", "DescribeAddressesAttribute", "DisassociateAddress", "ReleaseAddress", ...tags],
  ],
  "ec2.Instance": [
    ...["RunInstances", "DescribeImages", "DescribeInstances", "DescribeInstanceAttribute", "DescribeInstanceTypes", "DescribeTags"],
    ...["DescribeInstanceCreditSpecifications", "DescribeVolumes", "DescribeVolumesModifications", "DescribeSpotInstanceRequests"],
    ...["ModifyInstanceAttribute", "ModifyInstanceMetadataOptions", "ModifyVolume", "StopInstances", "StartInstances"],
    ...["TerminateInstances", "CancelSpotInstanceRequests", ...tags],
  ],
  "ec2.getAmiOutput": ["DescribeImages"],
  getAvailabilityZones: ["DescribeAvailabilityZones"],
};

function actionsOf({ Action }: Statement): readonly string[] {
  return (typeof Action === "string" ? [Action] : Action).map((action) => action.replace(/^ec2:/, ""));
}

/** Kinds of resources and look-ups in the sources of the provider. */
function kindsMade(): readonly string[] {
  const folder = join(root, "components", "hosts", "aws");
  const sources = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
  return [
    ...new Set(
      sources.flatMap((source) =>
        [...source.matchAll(/(?:new |return |await )aws\.((?:\w+\.)?(?:[A-Z]\w+|get\w+))\(/g)].map(([, kind = ""]) => kind),
      ),
    ),
  ];
}

describe("the policy for who runs Pulumi against AWS", () => {
  const allowed = new Set(policy.Statement.flatMap(actionsOf));

  it("lets every kind of resource that is made be made, looked at, changed and removed", () => {
    assert.deepEqual([...kindsMade()].sort(), Object.keys(calls).sort(), "the table has what the sources make");
    for (const [kind, needed] of Object.entries(calls)) {
      for (const action of needed) assert.ok(allowed.has(action), `${kind} needs ec2:${action}`);
    }
  });

  it("lets nothing be done that no resource needs, and names each action", () => {
    const needed = new Set(Object.values(calls).flat());
    assert.deepEqual(
      [...allowed].filter((action) => !needed.has(action)),
      [],
    );
  });

  it("lets only what carries the cluster's tag be changed or removed", () => {
    for (const statement of policy.Statement) {
      const harmful = actionsOf(statement).filter((action) =>
        /^(Delete|Modify|Terminate|Stop|Release|Revoke|Detach|Disassociate|Replace)/.test(action),
      );
      const ours = JSON.stringify(statement.Condition ?? {}).includes("aws:ResourceTag/pulumi-swarm:cluster");
      // A rule is reached by its group only, which carries the tag.
      if (!ours && !statement.Resource.endsWith(":security-group-rule/*")) assert.deepEqual(harmful, [], statement.Sid);
    }
  });
});
