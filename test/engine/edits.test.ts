import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExistingHostsArgs, ExistingMachine } from "../../components/hosts/existing";
import { root, Stack } from "../../tools/lab/pulumi";
import { readable } from "./readable";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const machine = (place: number): ExistingMachine => ({ address: `192.168.7.${place}`, publicAddress: `203.0.113.${place}`, hostKey });
const control: ExistingHostsArgs = { role: "manager", site: "rack", machines: { a: machine(1), b: machine(2), c: machine(3) } };
const edge: ExistingHostsArgs = { role: "worker", site: "rack", machines: { a: machine(11), b: machine(12) } };

/** The cluster before each edit. */
const base = {
  groups: { control, edge },
  firewall: { ssh: ["198.51.100.0/24"], expose: { https: { port: 443, from: ["world"], on: "workers" } } },
  wireguard: {},
  networks: { web: {}, db: { internal: true } },
};

const edits: readonly (readonly [string, object])[] = [
  ["nothing", base],
  [
    "expose a port",
    { ...base, firewall: { ...base.firewall, expose: { ...base.firewall.expose, metrics: { port: 9090, from: ["198.51.100.0/24"] } } } },
  ],
  ["add an admin network", { ...base, firewall: { ...base.firewall, ssh: ["198.51.100.0/24", "192.0.2.0/28"] } }],
  ["narrow a built-in rule", { ...base, firewall: { ...base.firewall, rules: { ping: { from: ["members"] } } } }],
  ["add a network", { ...base, networks: { ...base.networks, queue: {} } }],
  ["reach a database by a gateway", { ...base, gateways: { oracle: { to: "192.168.7.200", port: 1521, on: "group edge", networks: ["web"] } } }],
  ["remove a network", { ...base, networks: { web: {} } }],
  ["add a group", { ...base, groups: { control, edge, batch: { ...edge, machines: { a: machine(21) } } } }],
  ["add a host", { ...base, groups: { control, edge: { ...edge, machines: { ...edge.machines, c: machine(13) } } } }],
  ["lower a site's MTU", { ...base, groups: { control: { ...control, mtu: 1400 }, edge: { ...edge, mtu: 1400 } } }],
  ["turn encryption of the overlay on", { ...base, native: { encrypted: true } }],
  ["lock the managers", { ...base, swarm: { autolock: true } }],
  ["make new tunnel keys", { ...base, wireguard: { rotation: "2026-11" } }],
  ["take weave as the overlay", { ...base, weave: {} }],
];

const onWeave = { ...base, networks: { web: {} }, weave: {} };
/** Previewed on a cluster whose overlay is weave. */
const editsOfWeave: typeof edits = [
  ["take flannel as the overlay", { ...onWeave, weave: undefined, flannel: {} }],
  ["take Open vSwitch as the overlay", { ...onWeave, weave: undefined, openvswitch: {} }],
  ["take a newer router", { ...onWeave, weave: { router: { version: "2.8.1" } } }],
];

const file = (stack: string): string => join(root, ".lab", `${stack}.json`);

/** The stack of a cluster as it is before edits, and what its previews show. */
function previewsOf(
  name: string,
  initial: object,
  edits: readonly (readonly [string, object])[],
): { readonly stack: Stack; readonly describeCluster: (spec: object) => void } {
  const stack = new Stack(name, join(__dirname, "program"));
  const describeCluster = (spec: object): void => writeFileSync(file(name), JSON.stringify(spec));

  before(async () => {
    mkdirSync(join(root, ".lab"), { recursive: true });
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    await stack.init();
    await stack.setConfig({ "engine:spec": file(name) });
    describeCluster(initial);
    const made = await stack.up();
    assert.equal(made.code, 0, made.stdout + made.stderr);
  });
  after(() => stack.pulumi(["stack", "rm", "--yes", "--force"]));

  for (const [what, spec] of edits) {
    it(`shows just what changes: ${what} (golden/${slug(what)}.diff)`, async () => {
      describeCluster(spec);
      const preview = await stack.preview("--diff", "--suppress-outputs");
      assert.equal(preview.code, 0, preview.stdout + preview.stderr);
      const golden = join(__dirname, "golden", `${slug(what)}.diff`);
      const text = readable(preview.stdout);
      if (process.env["UPDATE_GOLDEN"] || !existsSync(golden)) {
        assert.ok(process.env["UPDATE_GOLDEN"], `there is no ${golden}: UPDATE_GOLDEN=1 writes it`);
        mkdirSync(join(__dirname, "golden"), { recursive: true });
        writeFileSync(golden, text);
      }
      assert.equal(text, readFileSync(golden, "utf8"));
    });
  }
  return { stack, describeCluster };
}

describe("the preview of an edit of a cluster on another overlay", function () {
  this.timeout(240_000);
  previewsOf("edits-weave", onWeave, editsOfWeave);
});

describe("the preview of an edit", function () {
  this.timeout(240_000);
  const { stack, describeCluster } = previewsOf("edits", base, edits);

  it("fails where an address in use would move, and says which pin keeps it", async () => {
    describeCluster({ ...base, addressSpace: "10.112.0.0/14" });
    const preview = await stack.preview();
    assert.notEqual(preview.code, 0);
    const said = preview.stdout + preview.stderr;
    assert.match(said, /The swarm cluster "prod" would move 5 addresses that are in use\. Nothing was changed\./);
    assert.match(said, /network web: from 10\.99\.246\.0\/24 to 10\.\d+\.\d+\.0\/24\. Fix: keep it with networks\.web\.subnet: "10\.99\.246\.0\/24"/);
    assert.match(said, /docker pool: from 10\.96\.0\.0\/16 to 10\.112\.0\.0\/16\. Fix: keep it with addressSpace/);
    assert.doesNotMatch(said, /\.ts:\d+|\.js:\d+|    at /, "no stack trace");
  });

  it("lets an address move where the program says so, and remembers the new one", async () => {
    const networks = { web: { prefix: 25 }, db: { internal: true } };
    describeCluster({ ...base, networks });
    assert.match((await stack.preview()).stdout, /would move an address that is in use/);
    describeCluster({ ...base, networks, renumber: ["network web"] });
    const moved = await stack.up();
    assert.equal(moved.code, 0, moved.stdout + moved.stderr);
    describeCluster({ ...base, networks });
    const after = await stack.preview("--expect-no-changes");
    assert.equal(after.code, 0, after.stdout + after.stderr);
  });

  it("fails where members would get other addresses by other names, says which pins keep them, and changes nothing with those", async () => {
    const named = (control: object): object => ({ ...base, networks: {}, groups: { ...control, edge } });
    describeCluster(named({ control }));
    const made = await stack.up();
    assert.equal(made.code, 0, made.stdout + made.stderr);

    const renamed = named({ ctl: control });
    describeCluster(renamed);
    for (const result of [await stack.preview(), await stack.up()]) {
      assert.notEqual(result.code, 0);
      assert.match(result.stdout + result.stderr, /The swarm cluster "prod" would give 3 members of the swarm another address/);
    }
    const preview = await stack.preview();
    const said = preview.stdout + preview.stderr;
    assert.match(
      said,
      /ctl-a, which was control-a: from (10\.97\.\d+\.\d+) to 10\.97\.\d+\.\d+\. Fix: keep it with pins\["tunnel host ctl-a"\]: "\1\/32"\./,
    );
    assert.doesNotMatch(said, /\.ts:\d+|\.js:\d+| {4}at /, "no stack trace");
    const advice = [...said.matchAll(/pins\["([^"]+)"\]: "([^"]+)"/g)].map(([, owner = "", place = ""]) => [owner, place] as const);
    const pins = Object.fromEntries(advice);
    assert.equal(Object.keys(pins).length, 3, said);
    describeCluster({ ...renamed, pins });
    const kept = await stack.up();
    assert.equal(kept.code, 0, kept.stdout + kept.stderr);
    describeCluster(base);
  });

  it("fails where nodes would have to join over another underlay", async () => {
    describeCluster({ ...base, networks: {}, wireguard: undefined });
    const preview = await stack.preview();
    assert.notEqual(preview.code, 0);
    assert.match(preview.stdout + preview.stderr, /joined over the underlay "wireguard".*Fix: keep underlay: wireguard\(\)/s);
  });
});

function slug(what: string): string {
  return what.replaceAll(/[^a-z]+/gi, "-").toLowerCase();
}
