import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { inUsersWords, SwarmProvider } from "../../plugin/provider";

/** A value of another resource that is not made yet, as a preview has it. */
function unknown(): pulumi.Output<unknown> {
  const Output = pulumi.Output as unknown as new (...args: readonly unknown[]) => pulumi.Output<unknown>;
  return new Output(new Set(), Promise.resolve(undefined), Promise.resolve(false), Promise.resolve(false), Promise.resolve([]));
}

describe("the plugin for other languages", () => {
  const provider = new SwarmProvider();
  const refused = async (inputs: pulumi.Inputs, type = "swarm:index:Cluster"): Promise<string> => {
    const error = await provider.construct("lab", type, inputs, {}).then(
      () => assert.fail("it was made"),
      (reason: unknown) => reason,
    );
    assert.ok(pulumi.RunError.isInstance(error), String(error));
    return error.message;
  };
  const control = { provider: "local", role: "manager", count: 2 };

  it("has the one resource, and says so of another", async () => {
    assert.equal(await refused({}, "swarm:index:Swarm"), "there is no resource swarm:index:Swarm in this package. Fix: use swarm:index:Cluster");
  });

  it("tells of all that is wrong in one error, of which no stack is shown", async () => {
    const message = await refused({ hosts: { control }, underlay: { kind: "wireguard", keepalive: -1 } });
    const lines = message.split("\n");
    assert.equal(lines[0], 'The swarm cluster "lab" cannot be planned: 2 problems.');
    assert.match(lines[1] ?? "", /^ {2}- underlay\.keepalive: .* Fix: .*\.$/);
    assert.match(lines[2] ?? "", /^ {2}- hosts: 2 managers .* Fix: take 1 or 3\.$/);
  });

  it("plans with an argument that arrives as one secret, since its value is known", async () => {
    assert.match(await refused({ hosts: pulumi.secret({ control }) }), /1 problem\.\n {2}- hosts: 2 managers/);
  });

  it("refuses an argument that is not known at preview, and says where it stands", async () => {
    const late =
      "an Output (a plain value is needed here, so that the preview can be complete). Fix: write the value itself, or take it from the stack's configuration.";
    assert.equal(await refused({ hosts: unknown() }), `The swarm cluster "lab" cannot be planned: 1 problem.\n  - hosts: ${late}`);
    assert.equal(
      await refused({ hosts: { control: { ...control, count: unknown() } } }),
      `The swarm cluster "lab" cannot be planned: 1 problem.\n  - hosts.control.count: ${late}`,
    );
  });

  it("leaves out by which properties an error came", () => {
    const error =
      'error serializing property "outputs": error serializing property "stdin": Fix: keep underlay: wireguard(), or make a second cluster';
    assert.equal(inUsersWords(error), "Fix: keep underlay: { kind: wireguard }, or make a second cluster");
  });
});
