import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExistingHostsArgs } from "../../components/hosts/existing";
import { root, Stack } from "../../tools/lab/pulumi";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const control: ExistingHostsArgs = {
  role: "manager",
  site: "rack",
  network: "192.168.7.0/24",
  machines: { a: { address: "192.168.7.1", hostKey } },
};
const base = { groups: { control }, firewall: { ssh: ["198.51.100.0/24"] }, flannel: {} };

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

describe("networks of flannel that come and go, with the engine's own memory", function () {
  this.timeout(240_000);
  const name = "slices";
  const stack = new Stack(name, join(__dirname, "program"));
  const file = join(root, ".lab", `${name}.json`);
  const networksAre = (networks: object, more: object = {}): void => writeFileSync(file, JSON.stringify({ ...base, networks, ...more }));
  const named = (resources: readonly Resource[], type: string, slice: string): Resource | undefined =>
    resources.find((resource) => resource.type === type && resource.urn.endsWith(`::prod-${slice}`));
  /** What the state holds of a network's slice, wherever it does. */
  const sliceOf = async (network: string): Promise<string> => {
    const { stdout } = await stack.pulumi(["stack", "export"]);
    const { resources } = (JSON.parse(stdout) as { deployment: { resources: Resource[] } }).deployment;
    const held = [
      named(resources, "pulumi-swarm:index:SubnetAssignment", `slice-${network}`)?.inputs?.["cidr"],
      named(resources, "pulumi:index:Stash", `slice-${network}`)?.outputs?.["output"],
      named(resources, "pulumi-swarm:index:OverlayNetwork", network)?.inputs?.["slice"],
    ];
    assert.equal(new Set(held).size, 1, JSON.stringify(held));
    return String(held[0]);
  };
  const up = async (): Promise<void> => {
    const { code, stdout, stderr } = await stack.up();
    assert.equal(code, 0, stdout + stderr);
  };

  before(async () => {
    mkdirSync(join(root, ".lab"), { recursive: true });
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await stack.init();
    await stack.setConfig({ "engine:spec": file });
  });
  after(() => stack.pulumi(["stack", "rm", "--yes", "--force"]));

  it("shows the place of one that would fall on another's, keeps it, and keeps both when either goes", async () => {
    // Found by trying: both names fall on one slice, and the new one comes first in the alphabet.
    networksAre({ net6: {} });
    await up();
    const was = await sliceOf("net6");
    networksAre({ net6: {}, net0: {} });
    const { code, stdout, stderr } = await stack.preview("--diff", "--suppress-outputs");
    assert.equal(code, 0, stdout + stderr);
    const [, shown = ""] = /slice +: "(\S+)"/.exec(stdout) ?? [];
    assert.match(shown, /^0\.0\.0\.\d+\/26$/, stdout);
    await up();
    assert.equal(await sliceOf("net6"), was);
    assert.equal(await sliceOf("net0"), shown);
    const again = await stack.preview("--expect-no-changes");
    assert.equal(again.code, 0, again.stdout + again.stderr);
    networksAre({ net0: {} });
    await up();
    assert.equal(await sliceOf("net0"), shown);
  });

  it("refuses one for which no room is left in one line, and touches nothing", async () => {
    networksAre({ net0: {}, net1: {}, net2: {} });
    await up();
    const places = await Promise.all(["net0", "net1", "net2"].map(sliceOf));
    assert.equal(new Set(places).size, 3);
    networksAre({ net0: {}, net1: {}, net2: {}, net3: {} });
    const { code, stdout, stderr } = await stack.preview();
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /each host's subnet, a \/24, has no slice left for net3: it holds 3 of a \/26 beside the host's own network/);
    assert.doesNotMatch(stdout + stderr, /\.ts:\d+|\.js:\d+| {4}at /, "no stack trace");
  });

  it("moves one where the program says so, and remembers the new place", async () => {
    const was = await sliceOf("net0");
    networksAre({ net0: {} });
    await up();
    networksAre({ net0: {}, net9: { subnet: was } });
    const refused = await stack.preview();
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout + refused.stderr, /networks\.net9\.subnet: \S+ is in use by network net0/);
    networksAre({ net0: {}, net9: { subnet: was } }, { renumber: ["slice net0"] });
    await up();
    const moved = await sliceOf("net0");
    assert.notEqual(moved, was);
    networksAre({ net0: {}, net9: { subnet: was } });
    const after = await stack.preview("--expect-no-changes");
    assert.equal(after.code, 0, after.stdout + after.stderr);
  });
});
