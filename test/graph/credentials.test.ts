import assert from "node:assert/strict";
import { SwarmCluster } from "../../components";
import * as aws from "../../components/hosts/aws";
import * as hetzner from "../../components/hosts/hetzner";
import type { HostGroup } from "../../components/hosts/host";
import { record } from "./harness";

/** What a preview of hosts that are not there yet asks their cloud. */
async function asked(control: HostGroup, answer: string | number): Promise<readonly string[]> {
  const calls: string[] = [];
  const call = ({ token }: { readonly token: string }): Record<string, unknown> => {
    calls.push(token);
    return { id: answer };
  };
  const { error } = await record(() => new SwarmCluster("ci", { hosts: { control }, firewall: { ssh: ["203.0.113.0/24"] } }), {
    call,
    preview: true,
  });
  assert.equal(error, undefined);
  return calls;
}

const onEc2 = { role: "manager", count: 3, region: "eu-west-1" } as const;
const atHetzner = { role: "manager", count: 3, location: "fsn1" } as const;

describe("a preview of hosts that are not there yet", function () {
  this.timeout(30_000);

  it("asks the cloud for the newest image and for zones that nobody named, and nothing else", async () => {
    assert.deepEqual([...(await asked(aws.hosts(onEc2), "ami-newest"))].sort(), [
      "aws:ec2/getAmi:getAmi",
      "aws:index/getAvailabilityZones:getAvailabilityZones",
    ]);
    assert.deepEqual(await asked(hetzner.hosts(atHetzner), 1), ["hcloud:index/getImage:getImage"]);
  });

  it("asks nothing where the image and zones are named, and so needs no valid credentials", async () => {
    assert.deepEqual(await asked(aws.hosts({ ...onEc2, zones: ["a", "b", "c"], image: { id: "ami-0123456789abcdef0" } }), "none"), []);
    assert.deepEqual(await asked(hetzner.hosts({ ...atHetzner, image: { id: "161547269" } }), "none"), []);
  });
});
