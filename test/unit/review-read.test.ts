import assert from "node:assert/strict";
import { readPreview, UnreadablePreview } from "../../components/review/read";

const urn = (name: string, type = "pulumi-swarm:index:FirewallRule"): string => `urn:pulumi:s::p::pulumi-swarm:index:SwarmCluster$${type}::${name}`;
const state = (name: string, inputs: object): object => ({ urn: urn(name), type: "pulumi-swarm:index:FirewallRule", inputs });
const digest = (steps: readonly object[], more: object = {}): string => JSON.stringify({ steps, changeSummary: {}, ...more });
const event = (sequence: number, what: object): string => JSON.stringify({ sequence, timestamp: 0, ...what });

describe("reading a preview", () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ["nothing", " \n", /^The preview is empty\. Fix: make it with pulumi preview --json --show-sames/],
    ["what people read", "Previewing update (dev):\n + 3 to create", /^This is not the JSON of a preview: it begins with "Previewing update \(d"/],
    ["half a digest", digest([{ op: "same" }]).slice(0, -9), /^The preview's JSON is cut off or broken/],
    ["other JSON", '{"version": 3, "deployment": {}}', /^This is JSON, but not that of a preview/],
    ["a list", "[1, 2]", /^This is JSON, but not that of a preview/],
    ["a number", "17", /^This is JSON, but not that of a preview/],
    [
      "events without an end",
      `${event(0, { preludeEvent: {} })}\n${event(1, { cancelEvent: {} })}\n`,
      /^The preview has no end: it was cut off after event 2/,
    ],
    ["half an event", `${event(0, { preludeEvent: {} })}\n{"sequence":1,"resour`, /^Line 2 of the preview is no event: it is cut off/],
  ];
  for (const [what, text, says] of refused) {
    it(`refuses ${what}, and says how to make one`, () => {
      assert.throws(
        () => readPreview(text),
        (error) => error instanceof UnreadablePreview && says.test(error.message) && error.message.includes("--show-sames"),
      );
    });
  }

  it("takes each resource once, and of a replacement what was and what will be", () => {
    const [old, made] = [state("a", { to: "old" }), state("a", { to: "new" })];
    for (const ops of [
      ["create-replacement", "replace", "delete-replaced"],
      ["delete-replaced", "replace", "create-replacement"],
    ]) {
      const steps = ops.map((op) => ({
        op,
        urn: urn("a"),
        ...(op !== "create-replacement" && { oldState: old }),
        ...(op !== "delete-replaced" && { newState: made }),
      }));
      const { before, after } = readPreview(digest(steps));
      assert.deepEqual(
        [before, after].map((all) => all.map(({ inputs }) => inputs["to"])),
        [["old"], ["new"]],
        ops.join(),
      );
    }
  });

  it("does not take what an earlier run left to be deleted for what is there", () => {
    const left = { op: "delete", urn: urn("a"), oldState: { ...state("a", { to: "left over" }), delete: true } };
    const same = { op: "same", urn: urn("a"), oldState: state("a", { to: "here" }), newState: state("a", { to: "here" }) };
    for (const steps of [
      [left, same],
      [same, left],
    ]) {
      const { before, after } = readPreview(digest(steps));
      assert.deepEqual([before[0]?.inputs["to"], before.length, after.length], ["here", 1, 1]);
    }
  });

  it("takes what the program wants where a resource was read anew before", () => {
    const [was, found, wanted] = ["was", "found", "wanted"].map((to) => state("a", { to }));
    const steps = [
      { op: "refresh", urn: urn("a"), oldState: was, newState: found },
      { op: "update", urn: urn("a"), oldState: found, newState: wanted },
    ];
    const { before, after } = readPreview(digest(steps));
    assert.deepEqual([before[0]?.inputs["to"], after[0]?.inputs["to"], after.length], ["found", "wanted", 1]);
  });

  it("keeps secrets secret in either form, and says what is not known yet", () => {
    const hidden = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "AAAB", plaintext: '"open"' };
    const inputs = { a: hidden, b: ["04da6b54-80e4-46f7-96ec-b56ff0331ba9"], c: "[unknown]", d: "output<string>", e: "[secret]", f: 5 };
    const { after } = readPreview(digest([{ op: "create", urn: urn("a"), newState: state("a", inputs) }]));
    const unknown = "known only when made";
    assert.deepEqual(after[0]?.inputs, { a: "[secret]", b: [unknown], c: unknown, d: unknown, e: "[secret]", f: 5 });
  });

  it("says why a preview failed, each error once, and without debug lines", () => {
    const said = [
      { severity: "error", message: "error: it is wrong\n" },
      { severity: "error", message: "it is wrong" },
      { severity: "warning", message: "careful" },
      { severity: "debug", message: "much" },
    ];
    assert.deepEqual(readPreview(digest([], { diagnostics: said })).errors, ["it is wrong"]);
    const events = [...said.map((diagnosticEvent, index) => event(index, { diagnosticEvent })), event(9, { summaryEvent: {} })];
    assert.deepEqual(readPreview(events.join("\n")).errors, ["it is wrong"]);
  });

  it("counts what was left out, and finds what differs where a provider does not say", () => {
    const [oldState, newState] = [state("a", { to: "x", ports: ["1"] }), state("a", { to: "x", ports: ["2"] })];
    const preview = readPreview(digest([{ op: "update", urn: urn("a"), oldState, newState }], { changeSummary: { same: 3, update: 1 } }));
    assert.equal(preview.leftOut, 3);
    assert.deepEqual(preview.steps[0]?.changed, ["ports"]);
    const detailed = { detailedDiff: { "tags.a": {}, "list[0]": {} }, diffReasons: ["tags"] };
    assert.deepEqual(readPreview(digest([{ op: "update", urn: urn("a"), oldState, newState, ...detailed }])).steps[0]?.changed, ["list", "tags"]);
  });
});
