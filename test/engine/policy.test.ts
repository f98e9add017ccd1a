import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AwsHostsArgs } from "../../components/hosts/aws/args";
import type { ExistingHostsArgs, ExistingMachine } from "../../components/hosts/existing";
import { type CommandResult, root, Stack } from "../../tools/lab/pulumi";
import { CloudStack } from "./cloud-stack";

/** As users name it: `node_modules/pulumi-swarm/policy`. */
const pack = join(root, "policy");

/** A preview that the pack watches, with its configuration. */
async function watched(stack: Stack, config: object): Promise<CommandResult> {
  const file = join(root, ".lab", `${stack.name}-policy.json`);
  writeFileSync(file, JSON.stringify(config));
  try {
    return await stack.preview("--policy-pack", pack, "--policy-pack-config", file);
  } finally {
    rmSync(file);
  }
}

/** What the pack said: level, policy and resource of each violation. */
function said({ stdout }: CommandResult): string[] {
  return [...stdout.matchAll(/- \[(\w+)\] {2}([\w-]+) {2}\([^)]*: ([\w-]+)\)/g)]
    .map(([, level, name, resource]) => `${level} ${name} ${resource}`)
    .sort();
}

describe("the policy pack", function () {
  this.timeout(120_000);
  const stack = new Stack("policy", join(__dirname, "program"));
  const spec = join(root, ".lab", "policy-spec.json");
  const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
  const machine = (place: number): ExistingMachine => ({ address: `192.168.7.${place}`, publicAddress: `203.0.113.${place}`, hostKey });
  const control = (count: number): ExistingHostsArgs => ({
    role: "manager",
    site: "rack",
    machines: Object.fromEntries(["a", "b", "c"].slice(0, count).map((key, index) => [key, machine(index + 1)])),
  });
  const https = { port: 443, from: ["world"] };
  const risky = {
    groups: { control: control(1) },
    firewall: { ssh: ["198.51.100.0/24"], expose: { https } },
    networks: { web: {} },
    renumber: ["network web"],
  };
  const sound = { groups: { control: control(3) }, firewall: risky.firewall, networks: { web: {} }, wireguard: {} };

  before(async () => {
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await stack.init();
    await stack.setConfig({ "engine:spec": spec });
  });
  after(async () => {
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    rmSync(spec, { force: true });
  });

  it("fails a preview of all that is mandatory, and says what is wrong and how to mend it", async () => {
    writeFileSync(spec, JSON.stringify(risky));
    const preview = await watched(stack, { all: "mandatory", plaintext: { channels: ["overlay data"] } });
    assert.notEqual(preview.code, 0);
    assert.deepEqual(said(preview), [
      "mandatory plaintext prod",
      "mandatory quorum-loss prod",
      "mandatory renumber prod-network-web",
      "mandatory world-open prod-https",
    ]);
    assert.match(preview.stdout, /The rule "https" opens tcp 443 on members to the whole Internet \(world\)\. Fix: name in "from" who needs it/);
    assert.match(preview.stdout, /The swarm "prod" has 1 of at least 3 managers: it tolerates no failure\. Fix: have 3/);
    assert.match(preview.stdout, /The overlay data of "prod" must be protected, and is not \(none; .*\)\. Fix: take underlay: wireguard\(\)/);
    assert.match(preview.stdout, /The program lists "network web" in "renumber".*Fix: take it out of the list/);
  });

  it("says what is advisory and lets it pass, and says nothing of what is disabled or allowed", async () => {
    const preview = await watched(stack, { "quorum-loss": "disabled", renumber: { allow: ["network web"] } });
    assert.equal(preview.code, 0, preview.stdout + preview.stderr);
    assert.deepEqual(said(preview), ["advisory world-open prod-https"]);
    assert.match(preview.stdout, /The rule "https" opens tcp 443/);
  });

  it("lets pass a cluster that has none of it, however strict it is", async () => {
    writeFileSync(spec, JSON.stringify(sound));
    const strict = { "world-open": { ports: ["443"] }, plaintext: { channels: ["overlay data"] }, "replace-manager": { protected: true } };
    const preview = await watched(stack, { all: "mandatory", ...strict });
    assert.equal(preview.code, 0, preview.stdout + preview.stderr);
    assert.deepEqual(said(preview), []);
    assert.match(preview.stdout, /pulumi-swarm@v[\d.]+ \(local: /, "the pack was there");
  });

  it("refuses a configuration that means nothing", async () => {
    const channel = await watched(stack, { plaintext: { channels: ["overlay"] } });
    assert.notEqual(channel.code, 0);
    assert.match(channel.stdout + channel.stderr, /plaintext: channels\.0: channels\.0 must be one of the following: "administration"/);
    const option = await watched(stack, { "world-open": { alow: ["https"] } });
    assert.notEqual(option.code, 0);
    assert.match(
      option.stdout + option.stderr,
      /The policy world-open has no option "alow"; did you mean allow\? Fix: its options are allow, ports, allowUnenforced\./,
    );
  });
});

describe("the policy pack on a cluster that stands", function () {
  this.timeout(240_000);
  const account = new CloudStack("aws", "policy-ec2");
  const control: AwsHostsArgs = { role: "manager", count: 3, region: "eu-west-1", network: "10.233.48.0/21" };
  const strict = { all: "mandatory", "replace-manager": { protected: true } };
  before(async () => {
    await account.begin();
    account.describe({ groups: { control }, protect: true });
    const up = await account.stack.up();
    assert.equal(up.code, 0, up.stdout + up.stderr);
  });
  after(() => account.end());

  it("lets pass what changes no machine of a manager", async () => {
    account.describe({ groups: { control: { ...control, each: { 1: { instanceType: "m7i.large" } } } }, protect: true });
    const preview = await watched(account.stack, strict);
    assert.equal(preview.code, 0, preview.stdout + preview.stderr);
    assert.deepEqual(said(preview), []);
  });

  it("fails where managers' machines are made anew or are not protected, and where too many are at once", async () => {
    // By itself the preview would be refused before any policy could say something.
    const membership = { replaceManagers: ["control-1", "control-2"] };
    account.describe({ groups: { control: { ...control, each: { 1: { renew: "x" }, 2: { renew: "x" } } } }, membership });
    const preview = await watched(account.stack, strict);
    assert.notEqual(preview.code, 0);
    assert.deepEqual(said(preview), [
      "mandatory quorum-loss cl",
      "mandatory replace-manager cl-control-1",
      "mandatory replace-manager cl-control-2",
      "mandatory replace-manager cl-control-3",
    ]);
    assert.match(preview.stdout, /The machine of the manager "cl-control-2" is deleted and replaced: /);
    assert.match(preview.stdout, /Pulumi does not protect the machine of the manager "cl-control-3" from being replaced\. Fix: /);
    assert.match(preview.stdout, /replaces the machines of 2 of its 3 managers in one update/);
  });
});
