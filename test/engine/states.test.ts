import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, caseNames, emptyStack, removeStack, states, version } from "../../tools/release/states";
import { root, run, type Stack } from "../../tools/lab/pulumi";
import { clientKey } from "../unit/client-key";

interface Step {
  readonly op: string;
  readonly urn: string;
}

const released = readdirSync(states)
  .map((file) => /^(.*)-(\w+)\.json$/.exec(file))
  .flatMap((match) => (match ? [{ file: match[0], by: match[1] ?? "", name: match[2] as Case }] : []));

/**
 * What the next release adds to a cluster of this one: memories, and the swarm's work in two. And what it makes otherwise: newer versions
 * of flannel and etcd. And what it says of a quorum in other words. Empty again once it is released.
 */
const sinceRelease =
  /^create .* prod-(memory-key|members|managers|swarm-intent|nodes|overlay-since|since-slice-web)$|^update (.* prod-swarm|pulumi-swarm:index:SwarmCluster prod)$|^update .*(HostProgram prod-(flanneld|etcd)|Encryption prod-etcd)$/;

describe("a state that a release left behind", function () {
  this.timeout(240_000);
  let stack: Stack | undefined;
  afterEach(async () => {
    if (stack) await removeStack(stack);
    stack = undefined;
  });

  it("is kept for each cluster of this version (npm run release:state writes them)", () => {
    const own = released.filter(({ by }) => by === version).map(({ name }) => name);
    assert.deepEqual(own.sort(), [...caseNames].sort());
  });

  for (const { file, by, name } of released) {
    it(`is taken over with nothing replaced and nothing deleted: ${file}`, async () => {
      stack = await emptyStack(name);
      const steps = await stepsAfter(stack, join(states, file));
      assert.deepEqual(destructive(steps), []);
      // What the program's dependencies register of themselves may be newer.
      const own = steps.filter(({ urn }) => !urn.includes("::pulumi:providers:")).map(describeStep);
      if (by === version)
        assert.deepEqual(
          own.filter((step) => !sinceRelease.test(step)),
          [],
        );
    });
  }

  it("is destroyed by this version's programs, with the request and the memory that 0.1.0 left in it", async () => {
    stack = await emptyStack("native");
    const taken = await stack.pulumi(["stack", "import", "--file", join(states, "0.1.0-native.json")]);
    assert.equal(taken.code, 0, taken.stdout + taken.stderr);
    const exported = await stack.pulumi(["stack", "export", "--show-secrets"]);
    const request = requestOf(JSON.parse(exported.stdout) as Exported, "prod-swarm");
    const fleet = join(root, ".lab", "released-fleet.json");
    const nodes = request.hosts.map(({ key, role, address, tunnelAddress, connection }, place) => ({
      id: `node${String(place).padStart(21, "0")}`,
      hostname: key,
      role,
      address: tunnelAddress ?? address,
      availability: "active",
      state: "ready",
      labels: {},
      connection,
    }));
    const mark = "swarm of version 0.1.0";
    const hosts = Object.fromEntries(nodes.map(({ id, connection: { host } }) => [host, { address: host, nodeId: id, files: {} }]));
    writeFileSync(
      fleet,
      JSON.stringify({ swarm: { id: "s1", version: 1, labels: { "pulumi-swarm.owner": mark }, nodes, made: 9 }, hosts, runs: [] }),
    );
    // As its swarm-up printed it: the connection without its key.
    const response = {
      swarmId: "s1",
      owner: mark,
      overlay: { kind: "native", slices: {} },
      hosts: Object.fromEntries(
        request.hosts.map(({ key, connection: { privateKey: _privateKey, ...connection }, ...host }, place) => [
          key,
          { ...host, connection, nodeId: nodes[place]?.id, engine: "26.1.5" },
        ]),
      ),
    };
    const down = join(root, "dist", "components", "agents", "swarm-down.js");
    const { code, stderr } = await run("node", ["--require", join(__dirname, "fleet", "fake.js"), down], {
      env: { ...process.env, FLEET: fleet, PULUMI_COMMAND_STDOUT: JSON.stringify(response) },
      stdin: JSON.stringify(request),
    });
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /warning/);
    const left = JSON.parse(readFileSync(fleet, "utf8")) as { swarm: { nodes: unknown[] }; hosts: Record<string, { nodeId: string }> };
    assert.deepEqual(
      [left.swarm.nodes, Object.values(left.hosts).map(({ nodeId }) => nodeId)],
      [[], request.hosts.map(() => "")],
      "nobody is a member",
    );
  });

  it("shows what would be replaced or deleted", async () => {
    stack = await emptyStack("native");
    const [kept = ""] = released.filter(({ name }) => name === "native").map(({ file }) => readFileSync(join(states, file), "utf8"));
    // As if this version had renamed a resource and another type of its own.
    const other = join(states, "..", "..", "..", ".lab", "other-state.json");
    writeFileSync(
      other,
      kept.replaceAll("prod-network-web", "prod-net-web").replaceAll("pulumi-swarm:index:FirewallRule", "pulumi-swarm:index:Rule"),
    );
    const lost = destructive(await stepsAfter(stack, other));
    assert.ok(
      lost.some((step) => /^delete .*Rule/.test(step)),
      lost.join("\n"),
    );
  });
});

interface Exported {
  readonly deployment: { readonly resources: readonly { readonly urn: string; readonly inputs?: { readonly stdin?: unknown } }[] };
}

interface Request {
  readonly hosts: readonly {
    readonly key: string;
    readonly role: string;
    readonly address: string;
    readonly tunnelAddress?: string;
    readonly connection: { readonly host: string; readonly privateKey?: string };
  }[];
}

/** What a resource gives its program. A secret is exported as an object with its JSON. */
function requestOf({ deployment }: Exported, name: string): Request {
  const stdin = deployment.resources.find(({ urn }) => urn.endsWith(`::${name}`))?.inputs?.stdin;
  const text = typeof stdin === "string" ? stdin : (JSON.parse((stdin as { plaintext: string }).plaintext) as string);
  return JSON.parse(text) as Request;
}

/** What an `up` of the program as it is now would do to the state. */
async function stepsAfter(stack: Stack, file: string): Promise<readonly Step[]> {
  await take(stack, file);
  // 0.1.0 took any text for a private key, and its state has one that is none.
  const known = await stack.pulumi(["stack", "export", "--show-secrets"]);
  const inside = (text: string, times: number): string => (times === 0 ? text : inside(JSON.stringify(text).slice(1, -1), times - 1));
  const readable = [1, 2, 3, 4, 5].reduce(
    (state, times) =>
      state.replaceAll(`${inside('"privateKey":"', times)}a key`, () => `${inside('"privateKey":"', times)}${inside(clientKey, times + 1)}`),
    known.stdout,
  );
  assert.notEqual(readable, known.stdout);
  const changed = join(root, ".lab", "released-state.json");
  writeFileSync(changed, readable, { mode: 0o600 });
  await take(stack, changed);
  const preview = await stack.preview("--json");
  assert.equal(preview.code, 0, preview.stdout + preview.stderr);
  return (JSON.parse(preview.stdout) as { steps: Step[] }).steps.filter(({ op }) => op !== "same");
}

async function take(stack: Stack, file: string): Promise<void> {
  const taken = await stack.pulumi(["stack", "import", "--file", file]);
  assert.equal(taken.code, 0, taken.stdout + taken.stderr);
}

function destructive(steps: readonly Step[]): readonly string[] {
  return steps.filter(({ op }) => /delete|replace/.test(op)).map(describeStep);
}

function describeStep({ op, urn }: Step): string {
  return `${op} ${urn.split("::").slice(2).join(" ")}`;
}
