import assert from "node:assert/strict";
import { SwarmCluster } from "../../components";
import type { SwarmRequest } from "../../components/agents/request";
import * as awsHosts from "../../components/hosts/aws";
import { type Graph, isSecret, record } from "./harness";

const region = "eu-west-1";

/** Outputs that EC2 would give. */
const answers = { outputs: () => ({ publicIp: "198.51.100.1" }), call: () => ({ id: "ami-1" }) };

async function graphOf(args: Partial<awsHosts.AwsHostsArgs>): Promise<Graph> {
  const control = awsHosts.hosts({ role: "manager", region, iamInstanceProfile: "ssm", ...args });
  const graph = await record(() => new SwarmCluster("lab", { hosts: { control } }), answers);
  assert.equal(graph.error, undefined, `the program threw ${String(graph.error)}`);
  return graph;
}

function requestOf({ resources }: Graph): SwarmRequest {
  const { stdin } = resources.find(({ name }) => name === "lab-swarm")?.inputs ?? assert.fail("no command");
  assert.ok(isSecret(stdin));
  return JSON.parse(stdin.secret as string) as SwarmRequest;
}

describe("the graph of a manager behind Systems Manager", function () {
  this.timeout(30_000);

  it("is reached by its instance's id through the AWS CLI, and told to others by its address", async () => {
    const host = requestOf(await graphOf({ access: "ssm" })).hosts[0] ?? assert.fail("no host");
    const { host: name, user, proxyCommand, hostKey } = host.connection;
    assert.deepEqual([name, user, host.publicAddress], [host.machine, "swarm", "198.51.100.1"]);
    assert.equal(
      proxyCommand?.join(" "),
      "aws ssm start-session --target %h --document-name AWS-StartSSHSession --parameters portNumber=%p --region eu-west-1",
    );
    assert.match(hostKey, /^ssh-ed25519 /, "pinned all the same");
  });

  it("has no rule for SSH in any security group", async () => {
    const rules = (await graphOf({ access: "ssm" })).resources.filter(({ type }) => type.endsWith(":SecurityGroupIngressRule"));
    assert.ok(rules.length > 0);
    assert.deepEqual(
      rules.filter(({ inputs }) => inputs["fromPort"] === 22 || /127|::1/.test(JSON.stringify(inputs))),
      [],
    );
  });
});
