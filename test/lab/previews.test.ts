import assert from "node:assert/strict";
import { join } from "node:path";
import { mirrorOf, needImages } from "../../tools/lab/registry";
import { root, Stack } from "../../tools/lab/pulumi";
import { assertNoChange, Lab } from "./lab";
import { type Edit, editsFrom, first, usualCount, usualSeed } from "./random-edits";

const network = "10.237.0.0/16";
/** `EDITS_SEED=… npm run test:long` tries others. */
const seed = Number(process.env["EDITS_SEED"] ?? usualSeed);
const count = Number(process.env["EDITS_COUNT"] ?? usualCount);

/** As the engine tells of it, before and while it works. */
interface EngineEvent {
  readonly resourcePreEvent?: StepEvent;
  readonly resOutputsEvent?: StepEvent;
  readonly diagnosticEvent?: { readonly severity: string; readonly message: string };
}

interface StepEvent {
  readonly metadata: { readonly op: string; readonly urn: string; readonly type: string; readonly new?: { readonly inputs?: object } | null };
}

function events(printed: string): EngineEvent[] {
  return printed
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as EngineEvent);
}

/** An operation on a resource; for those of ours also with what it is given, since that is the plan. */
function operations(printed: string, when: "resourcePreEvent" | "resOutputsEvent"): string[] {
  return events(printed)
    .flatMap((event) => event[when] ?? [])
    .filter(({ metadata: { op } }) => op !== "same" && op !== "read")
    .map(({ metadata: { op, urn, type, new: made } }) => {
      const plan = type.startsWith("pulumi-swarm:") ? ` ${JSON.stringify(made?.inputs ?? {})}` : "";
      return `${op} ${urn.split("::").slice(2).join(" ")}${plan}`;
    })
    .sort();
}

/** What went wrong, out of hundreds of events. */
function errors(printed: string): string {
  const messages = events(printed).flatMap(({ diagnosticEvent }) =>
    diagnosticEvent && diagnosticEvent.severity !== "debug" ? [diagnosticEvent.message] : [],
  );
  return messages.join("");
}

/** One cluster through a series of edits that nobody thought out: each goes on from where the one before it ended. */
describe(`the preview of ${count} edits in a row (seed ${seed})`, function () {
  this.timeout(300_000);
  this.bail(true);
  const lab = new Lab("truth");
  // Every event as a line of JSON, in previews too.
  const stack = new Stack("truth", join(root, "test", "lab", "program"), { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "1" });
  let source = {};

  const describeCluster = ({ local, ...spec }: Edit["spec"]): Promise<void> => {
    const groups = Object.entries(local).map(([key, group]) => [key, { ...group, network }] as const);
    return lab.spec({ ...spec, local: Object.fromEntries(groups), ...source });
  };

  before(async function () {
    await needImages(this, "weaveworks/weave:2.6.5", "flannel-io/flannel:v0.28.10", "etcd-development/etcd:v3.5.35");
    await lab.begin();
    await describeCluster(first);
    await lab.up();
    // Its network exists from the first up on.
    const mirror = await mirrorOf("truth-site-10-237-0-0-16");
    source = { programs: { mirror }, engine: { settings: { "insecure-registries": [mirror] } } };
    await describeCluster(first);
    await lab.up();
  });
  after(() => lab.end());

  for (const [index, { what, spec, replace }] of editsFrom(seed, count).entries()) {
    it(`is what is done: ${index + 1}. ${what}`, async () => {
      await describeCluster(spec);
      const more = replace === undefined ? [] : ["--replace", await machine(replace)];
      const preview = await stack.preview("--json", ...more);
      assert.equal(preview.code, 0, errors(preview.stdout) + preview.stderr);
      const done = await stack.up({}, "--json", ...more);
      assert.equal(done.code, 0, errors(done.stdout) + done.stderr);
      const [shown, made] = [operations(preview.stdout, "resourcePreEvent"), operations(done.stdout, "resOutputsEvent")];
      assert.deepEqual(made, shown);
      assert.equal(shown.length === 0, what === "nothing", `${shown.length} operations:\n${shown.join("\n")}`);
    });
  }

  it("leaves nothing to do in the end, not even after a refresh", async () => {
    const refreshed = await lab.stack.refresh();
    assert.equal(refreshed.code, 0, refreshed.stdout + refreshed.stderr);
    assertNoChange(await lab.up());
  });

  /** URN of a host's container. */
  async function machine(host: string): Promise<string> {
    const state = JSON.parse(await lab.stack.export()) as { deployment: { resources: { urn: string; type: string }[] } };
    const found = state.deployment.resources.find(({ urn, type }) => type === "docker:index/container:Container" && urn.endsWith(`::truth-${host}`));
    assert.ok(found, `${host} is in the state`);
    return found.urn;
  }
});
