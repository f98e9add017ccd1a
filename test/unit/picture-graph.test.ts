import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dispatch } from "../../components/cli/dispatch";
import { wellFormed } from "./xml";

const previews = join(__dirname, "..", "review", "golden");
const preview = (name: string): string => join(previews, name);

async function graph(args: readonly string[], input?: string): Promise<{ readonly code: number; readonly out: string; readonly error: string }> {
  let [out, error] = ["", ""];
  const code = await dispatch(["graph", ...args], {
    input: async () => input ?? "",
    inputIsTty: input === undefined,
    outIsTty: false,
    out: (text) => void (out += text),
    error: (text) => void (error += text),
  });
  return { code, out, error };
}

const resource = (type: string, name: string, inputs: object, more: object = {}): object => ({
  urn: `urn:pulumi:test::test::pulumi-swarm:index:${type}::${name}`,
  type: `pulumi-swarm:index:${type}`,
  parent: type === "SwarmCluster" ? "" : `urn:pulumi:test::test::pulumi-swarm:index:SwarmCluster::${name.split("-")[0] ?? ""}`,
  inputs,
  ...more,
});
const cluster = (name: string): object[] => [
  resource("SwarmCluster", name, { addressSpace: "10.96.0.0/14", overlay: "native", underlay: "direct", mtu: 1450, enforced: "hosts" }),
  resource("Host", `${name}-control-1`, { role: "manager", group: "control", provider: "local", site: "rack", address: "192.0.2.1" }),
  resource("Host", `${name}-gone-1`, { role: "worker", provider: "local", site: "rack", address: "192.0.2.2" }, { delete: true }),
];
const state = (...resources: readonly object[]): string => JSON.stringify({ version: 3, deployment: { resources } });

describe("pulumi-swarm graph", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-graph-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("draws both forms of a preview alike, with what the edit changes", async () => {
    for (const format of ["svg", "mermaid"]) {
      const [digest, stream] = [
        await graph([preview("workers-added-and-removed.digest.json"), "--format", format]),
        await graph([preview("workers-added-and-removed.stream.jsonl"), "--format", format]),
      ];
      assert.deepEqual([digest.code, digest.error], [0, ""]);
      assert.equal(digest.out, stream.out);
      assert.match(
        digest.out,
        format === "svg" ? /<g class="worker gone">.*<g class="worker new">/s : /\["− [^"]*worker[^"]*"\]:::gone\n.*\["\+ [^"]*worker[^"]*"\]:::new/s,
      );
    }
  });

  it("draws a first preview as all new, and one that changes nothing as it is", async () => {
    assert.match((await graph([preview("first-up.digest.json")])).out, /all of it is new/);
    assert.match((await graph([preview("nothing.digest.json")])).out, />nothing of this changes</);
  });

  it("marks a host that stays what it is while its machine is made anew or changed", async () => {
    for (const [name, host] of [
      ["manager-replaced", '["~ control-2<br/>manager · 10.64.42.2 · zone b · machine replaced"]:::changed'],
      ["managers-resized", 'machine changed"]:::changed'],
    ] as const) {
      const { code, out } = await graph([preview(`${name}.digest.json`), "--format", "mermaid"]);
      assert.equal(code, 0);
      assert.ok(out.includes(host), out);
    }
    assert.doesNotMatch((await graph([preview("manager-replaced.digest.json")])).out, />nothing of this changes</);
  });

  it("draws an exported state, without what only waits to be deleted", async () => {
    const { code, out } = await graph([], state(...cluster("lab")));
    assert.equal(code, 0);
    wellFormed(out);
    assert.match(out, />control-1</);
    assert.doesNotMatch(out, /gone-1|>new</);
  });

  it("writes to a file, and then nothing else", async () => {
    const file = join(folder, "lab.mmd");
    assert.deepEqual(await graph(["-", "--format", "mermaid", "--out", file], state(...cluster("lab"))), { code: 0, out: "", error: "" });
    assert.match(readFileSync(file, "utf8"), /^flowchart TB\n/);
  });

  it("draws the one of several clusters that is named", async () => {
    const both = state(...cluster("lab"), ...cluster("prod"));
    assert.match((await graph(["--cluster", "prod"], both)).out, /Swarm cluster &quot;prod&quot;/);
    assert.deepEqual(await graph([], both), {
      code: 1,
      out: "",
      error: 'pulumi-swarm graph: There are several clusters. Fix: choose one by --cluster: "lab", "prod"\n',
    });
    assert.equal(
      (await graph(["--cluster", "other"], both)).error,
      'pulumi-swarm graph: There is no cluster "other". Fix: --cluster with one of "lab", "prod"\n',
    );
  });

  it("says in a line what cannot be drawn, and how it can", async () => {
    const partial = JSON.stringify({ steps: [], changeSummary: { same: 12 } });
    const old = join(folder, "nothing.json");
    writeFileSync(old, "");
    for (const [args, input, error] of [
      [
        [old],
        undefined,
        /^The preview is empty\. Fix: make it with pulumi preview --json --show-sames > preview\.json, or a state with pulumi stack export > state\.json\n$/,
      ],
      [["-"], "nonsense", /^This is not the JSON of a preview: it begins with "nonsense"\. Fix: .* or a state with pulumi stack export/],
      [["-"], partial, /^The preview leaves out 12 resources that stay as they are, and a picture needs them\. Fix: preview with --show-sames\n$/],
      [["-"], state(), /^There is no cluster of pulumi-swarm in it\. Fix: name the stack that has one\n$/],
      [["-"], '{"deployment":{}}', /^There is no cluster of pulumi-swarm in it\./],
      [[preview("refused.digest.json")], undefined, /^The preview failed, so nobody knows what would be:\n/],
      [
        [join(folder, "missing.json")],
        undefined,
        /missing\.json" cannot be read: ENOENT: no such file or directory\. Fix: name what pulumi printed\n$/,
      ],
      [
        ["--out", join(folder, "no", "such.svg")],
        state(...cluster("lab")),
        /such\.svg" cannot be written: ENOENT.*\. Fix: name a file in a folder that is there\n$/,
      ],
    ] as const) {
      const result = await graph(args, input);
      assert.deepEqual([result.code, result.out], [1, ""]);
      assert.match(result.error.replace("pulumi-swarm graph: ", ""), error);
    }
  });

  it("says how it is called to who calls it otherwise", async () => {
    for (const [args, error] of [
      [["--format", "png"], 'there is no format "png"; there are svg, mermaid'],
      [["a", "b"], 'one file at a time: "a", "b" are given'],
      [["--wrong"], "Unknown option '--wrong'"],
      [[], "nothing to draw is given: name a file, or pipe one in"],
    ] as const) {
      const result = await graph(args);
      assert.equal(result.code, 1);
      assert.ok(result.error.startsWith(`pulumi-swarm graph: ${error}.\n\nUsage: pulumi-swarm graph [FILE | -] [options]\n`), result.error);
    }
    assert.match((await graph(["--help"])).out, /^Usage: pulumi-swarm graph /);
  });
});
