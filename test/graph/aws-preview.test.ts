import assert from "node:assert/strict";
import { SwarmCluster } from "../../components";
import * as aws from "../../components/hosts/aws";
import { record } from "./harness";

describe("a preview of hosts on EC2 that are not there yet", function () {
  this.timeout(30_000);

  /** What it asks AWS. */
  async function asked(image?: aws.AwsHostsArgs["image"]): Promise<readonly string[]> {
    const calls: string[] = [];
    const control = aws.hosts({ role: "manager", count: 3, region: "eu-west-1", ...(image !== undefined && { image }) });
    const call = ({ token }: { readonly token: string }): Record<string, unknown> => {
      calls.push(token);
      return { id: "ami-newest" };
    };
    const { error } = await record(() => new SwarmCluster("ci", { hosts: { control }, firewall: { ssh: ["203.0.113.0/24"] } }), {
      call,
      preview: true,
    });
    assert.equal(error, undefined);
    return calls;
  }

  it("asks AWS for the newest image, and nothing else", async () => {
    assert.deepEqual(await asked(), ["aws:ec2/getAmi:getAmi"]);
  });

  it("asks AWS nothing where the image is named, and so needs no valid credentials", async () => {
    assert.deepEqual(await asked({ id: "ami-0123456789abcdef0" }), []);
  });
});
