import assert from "node:assert/strict";
import { UNKNOWN } from "../../tools/plugins/shared/values";
import { PublishedTypes } from "../plugins/clouds/shared/published";

describe("what a stand-in for a cloud accepts", () => {
  const types = new PublishedTypes("@pulumi/aws");
  const instance = types.resource("aws:ec2/instance:Instance");
  const mistakes = (inputs: object): string[] =>
    instance.problems(inputs as Record<string, unknown>).map(({ property, reason }) => `${property}: ${reason}`);

  it("are the properties that the cloud's package publishes", () => {
    assert.ok(instance.inputs.includes("userData") && instance.inputs.includes("metadataOptions"));
    assert.ok(instance.outputs.includes("instanceState") && !instance.outputs.includes("userData"));
    assert.deepEqual(types.resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").required, ["ipProtocol", "securityGroupId"]);
    assert.ok(types.configuration().includes("region"));
  });

  it("are values of the published types, at any depth", () => {
    assert.deepEqual(
      mistakes({ instanceType: "t3.small", rootBlockDevice: { encrypted: true, volumeSize: 20 }, tags: { a: "b" }, vpcSecurityGroupIds: ["sg-1"] }),
      [],
    );
    assert.deepEqual(mistakes({ instanceType: 3, tags: { a: 1 }, vpcSecurityGroupIds: [true] }), [
      "instanceType: expected a string, got number",
      "tags.a: expected a string, got number",
      "vpcSecurityGroupIds[0]: expected a string, got boolean",
    ]);
    assert.match(
      mistakes({ rootBlockDevice: { encryptd: true } })[0] ?? "",
      /^rootBlockDevice\.encryptd: no such property; expected one of .*encrypted/,
    );
    assert.deepEqual(mistakes({ primaryNetworkInterface: {} }), ["primaryNetworkInterface.networkInterfaceId: required, and not given"]);
  });

  it("may be unknown in a preview", () => {
    assert.deepEqual(mistakes({ rootBlockDevice: { volumeSize: UNKNOWN }, ami: UNKNOWN }), []);
  });

  it("are likewise those of a package without modules", () => {
    const hetzner = new PublishedTypes("@pulumi/hcloud");
    const server = hetzner.resource("hcloud:index/server:Server");
    assert.deepEqual(server.required, ["serverType"]);
    assert.ok(server.outputs.includes("status") && hetzner.configuration().includes("token"));
    assert.deepEqual(server.problems({ serverType: "cx23", networks: [{ subnetId: "1-10.0.0.0/8", aliasIps: [] }], placementGroupId: UNKNOWN }), []);
    assert.deepEqual(
      server.problems({ networks: [{ subnetid: "1" }], placementGroupId: "1" }).map(({ property }) => property),
      ["networks[0].subnetid", "placementGroupId"],
    );
  });
});
