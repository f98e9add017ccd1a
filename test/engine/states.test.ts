import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, caseNames, emptyStack, removeStack, states, version } from "../../tools/release/states";
import type { Stack } from "../../tools/lab/pulumi";

interface Step {
  readonly op: string;
  readonly urn: string;
}

const released = readdirSync(states)
  .map((file) => /^(.*)-(\w+)\.json$/.exec(file))
  .flatMap((match) => (match ? [{ file: match[0], by: match[1] ?? "", name: match[2] as Case }] : []));

/** What the next release adds to a cluster of this one: memories, and the swarm's work in two. Empty again once it is released. */
const sinceRelease = /^create .* prod-(memory-key|members|managers|swarm-intent|nodes|overlay-since)$|^update .* prod-swarm$/;

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

/** What an `up` of the program as it is now would do to the state. */
async function stepsAfter(stack: Stack, file: string): Promise<readonly Step[]> {
  const taken = await stack.pulumi(["stack", "import", "--file", file]);
  assert.equal(taken.code, 0, taken.stdout + taken.stderr);
  const preview = await stack.preview("--json");
  assert.equal(preview.code, 0, preview.stdout + preview.stderr);
  return (JSON.parse(preview.stdout) as { steps: Step[] }).steps.filter(({ op }) => op !== "same");
}

function destructive(steps: readonly Step[]): readonly string[] {
  return steps.filter(({ op }) => /delete|replace/.test(op)).map(describeStep);
}

function describeStep({ op, urn }: Step): string {
  return `${op} ${urn.split("::").slice(2).join(" ")}`;
}
