import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExistingMachine } from "../../components/hosts/existing";
import { type CommandResult, root, Stack } from "../../tools/lab/pulumi";

interface World {
  readonly swarm: { readonly nodes: readonly unknown[] } | null;
  readonly hosts: Readonly<Record<string, { readonly nodeId: string; readonly files: object }>>;
  readonly runs: readonly { readonly program: string; readonly stdout: number; readonly stderr: number }[];
}

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const machines = (count: number, network: number): Record<string, ExistingMachine> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, place) => [`h${place}`, { address: `10.${network}.${Math.floor(place / 250)}.${(place % 250) + 1}`, hostKey }]),
  );

/** Linux gives one environment variable 128 KiB; half of it is left for longer names and keys. */
const most = 64 * 1024;

describe("a cluster of a thousand hosts, through the engine and the plugin", function () {
  this.timeout(600_000);
  // A state of megabytes after each of two thousand steps takes the engine three quarters of the time, and is not what this is about.
  const stack = new Stack("fleet", join(__dirname, "program"), { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" });
  const [spec, fleet] = [join(root, ".lab", "fleet.json"), join(root, ".lab", "fleet-hosts.json")];
  const world = (): World => JSON.parse(readFileSync(fleet, "utf8")) as World;

  before(async () => {
    mkdirSync(join(root, ".lab"), { recursive: true });
    rmSync(fleet, { force: true });
    // A run that was killed has left its lock.
    await stack.cancel();
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await stack.init();
    await stack.setConfig({ "engine:spec": spec });
  });
  after(() => stack.pulumi(["stack", "rm", "--yes", "--force"]));

  function describeCluster(workers: number): void {
    const site = { site: "rack", network: "10.64.0.0/11" };
    const groups = {
      control: { role: "manager", ...site, machines: machines(3, 70) },
      edge: { role: "worker", ...site, machines: machines(workers, 71) },
    };
    writeFileSync(spec, JSON.stringify({ fleet, groups, firewall: { enforce: "none" } }));
  }

  function mustBeSmall(): void {
    for (const { program, stdout, stderr } of world().runs) {
      assert.ok(stdout < most && stderr < most, `${program} was given ${stdout} bytes of its last output, and ${stderr} of its last progress`);
    }
  }

  function mustSucceed({ code, stdout, stderr }: CommandResult): void {
    assert.equal(code, 0, (stdout + stderr).slice(-4000));
    mustBeSmall();
  }

  it("is made", async () => {
    describeCluster(997);
    mustSucceed(await stack.up());
    assert.equal(world().swarm?.nodes.length, 1000);
    assert.equal((await stack.outputs<{ members: number }>()).members, 1000);
  });

  it("is edited", async () => {
    describeCluster(987);
    mustSucceed(await stack.up());
    assert.equal(world().swarm?.nodes.length, 990);
  });

  it("is destroyed, and leaves nothing on any host", async () => {
    mustSucceed(await stack.destroy());
    const { swarm, hosts } = world();
    assert.equal(swarm?.nodes.length, 0);
    const left = Object.values(hosts).filter(({ nodeId, files }) => nodeId !== "" || Object.keys(files).length > 0);
    assert.deepEqual(left, []);
  });
});
