import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, Stack } from "../../tools/lab/pulumi";

interface World {
  readonly swarm: unknown;
  readonly runs: readonly unknown[];
  readonly hosts: Record<string, Record<string, unknown>>;
}

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";

/** What a person is shown of the cluster's hosts: the lines beside its resource, and the summary at the end. */
function shown(stdout: string): string {
  const [rows = "", summary = ""] = stdout.split("Diagnostics:\n");
  const lines = rows
    .split("\n")
    .map((line) => / prod-swarm(?:-intent)? .*?\((?:\d+m)?\d+s\)\s+(.*)$/.exec(line)?.[1] ?? "")
    .filter((line) => line !== "" && !line.startsWith("["));
  // A line is repeated where the row is written again for another reason.
  const each = lines.filter((line, place) => line !== lines[place - 1]);
  const end = summary.split(/\nOutputs:|\nResources:/)[0] ?? "";
  return `${each.join("\n")}\n\nDiagnostics:\n${end}`.replaceAll(/\b\d+ s\b/g, "N s").replaceAll(/[ \t]+$/gm, "");
}

function compare(name: string, text: string): void {
  const file = join(__dirname, "golden", "terminal", `${name}.txt`);
  if (process.env["UPDATE_GOLDEN"] !== undefined || !existsSync(file)) {
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, "utf8"));
}

describe("what a person reads of a cluster of three hosts", function () {
  this.timeout(600_000);
  const stack = new Stack("terminal", join(__dirname, "program"));
  const [spec, fleet] = [join(root, ".lab", "terminal.json"), join(root, ".lab", "terminal-hosts.json")];
  const describeHosts = (hosts: World["hosts"]): void => {
    const world: World = existsSync(fleet) ? (JSON.parse(readFileSync(fleet, "utf8")) as World) : { swarm: null, hosts: {}, runs: [] };
    const known = Object.entries(hosts).map(([address, quirk]) => [address, { address, nodeId: "", files: {}, ...world.hosts[address], ...quirk }]);
    writeFileSync(fleet, JSON.stringify({ ...world, hosts: { ...world.hosts, ...Object.fromEntries(known) } }));
  };

  before(async () => {
    mkdirSync(join(root, ".lab"), { recursive: true });
    rmSync(fleet, { force: true });
    await stack.cancel();
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await stack.init();
    await stack.setConfig({ "engine:spec": spec });
    const site = { site: "rack", network: "10.64.0.0/11" };
    const groups = {
      control: { role: "manager", ...site, machines: { one: { address: "10.70.0.1", hostKey } } },
      edge: { role: "worker", ...site, machines: { one: { address: "10.71.0.1", hostKey }, two: { address: "10.71.0.2", hostKey } } },
    };
    writeFileSync(spec, JSON.stringify({ fleet, groups, firewall: { enforce: "none" } }));
  });
  after(() => stack.pulumi(["stack", "rm", "--yes", "--force"]));

  it("during up: the phases, a last line with what was done, and each warning once, at the end", async () => {
    describeHosts({ "10.71.0.2": { bare: true } });
    const { code, stdout, stderr } = await stack.up();
    assert.equal(code, 0, stdout + stderr);
    compare("up", shown(stdout));
    assert.equal(shown(stdout).match(/no IPVS in the kernel of edge-two/g)?.length, 1, "once, and not between");
  });

  it("during destroy: what was done, and at the end each host that could not be reached, with what to do", async () => {
    describeHosts({ "10.71.0.2": { dead: true } });
    const { code, stdout, stderr } = await stack.destroy();
    assert.equal(code, 0, stdout + stderr);
    compare("destroy", shown(stdout));
    assert.equal(shown(stdout).match(/docker swarm leave --force/g)?.length, 1, "once, and not between");
  });
});
