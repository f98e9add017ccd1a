import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dispatch } from "../../components/cli/dispatch";
import { risks } from "../../components/review/risks";

const golden = (name: string): string => join(__dirname, "..", "review", "golden", name);

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function run(args: readonly string[], input?: string): Promise<Ran> {
  let [out, error] = ["", ""];
  const code = await dispatch(args, {
    input: async () => input ?? "",
    inputIsTty: input === undefined,
    out: (text) => void (out += text),
    outIsTty: false,
    error: (text) => void (error += text),
  });
  return { code, out, error };
}

describe("pulumi-swarm", () => {
  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no verb", [], /^pulumi-swarm: no verb is given\.\n/],
    ["another verb", ["revue"], /^pulumi-swarm: there is no verb "revue"\.\n/],
    ["a verb by a name that every object has", ["constructor"], /^pulumi-swarm: there is no verb "constructor"\.\n/],
    ["another option", ["review", "--fail"], /^pulumi-swarm review: Unknown option '--fail'\.\n/],
    ["an option without its value", ["review", "--format"], /^pulumi-swarm review: Option '--format <value>' argument missing\.\n/],
    ["another format", ["review", "-", "--format", "html"], /: there is no format "html"; there are plain, markdown, json\.\n/],
    ["another risk", ["review", "-", "--fail-on", "world-open,fire"], /: --fail-on knows no risk "fire"; there are world-open, quorum-loss, /],
    ["two files", ["review", "a.json", "b.json"], /: one preview at a time: "a\.json", "b\.json" are given\.\n/],
    ["a file beside --run", ["review", "a.json", "--run"], /: --run makes the preview, and a file "a\.json" is given too; keep one of them\.\n/],
    ["what is for pulumi without --run", ["review", "--", "--refresh"], /: what comes after -- is for pulumi preview, which only --run runs\.\n/],
    ["nothing to review", ["review"], /: no preview is given: name a file, pipe one in, or use --run\.\n/],
  ];
  for (const [what, args, says] of wrong) {
    it(`refuses ${what} in one line, and shows how it is called`, async () => {
      const { code, out, error } = await run(args);
      assert.equal(code, 1);
      assert.match(error, says);
      assert.match(error, /\n\nUsage: pulumi-swarm /);
      assert.equal(out, "");
    });
  }

  it("says what it does when asked", async () => {
    for (const args of [["--help"], ["-h"], ["help"]])
      assert.match((await run(args)).out, /^Usage: pulumi-swarm VERB …\n\n {2}review +say what a preview means/);
    const { code, out } = await run(["review", "no.json", "--help"]);
    assert.equal(code, 0);
    for (const [name, meaning] of Object.entries(risks)) assert.match(out, new RegExp(`${name} +${meaning}`));
  });
});

describe("pulumi-swarm review", () => {
  it("takes a preview from a file or from standard input, in either form", async () => {
    const file = golden("world-open-port.digest.json");
    const whole = await run(["review", file]);
    assert.equal(whole.code, 0);
    assert.match(whole.out, /^1 risk: world-open\.\n/);
    assert.deepEqual(await run(["review", "-"], readFileSync(file, "utf8")), whole);
    assert.deepEqual(await run(["review"], readFileSync(golden("world-open-port.stream.jsonl"), "utf8")), whole);
  });

  it("writes Markdown under a marker and a title, and JSON with a version", async () => {
    const file = golden("manager-replaced.digest.json");
    const { out } = await run(["review", file, "--format", "markdown", "--title", "Stack <dev>"]);
    assert.match(out, /^<!-- pulumi-swarm review -->\n### Stack &lt;dev&gt;\n/);
    const json = JSON.parse((await run(["review", file, "--format=json"])).out) as {
      version: number;
      risks: { risk: string; cluster: string; subject: string }[];
    };
    assert.equal(json.version, 1);
    assert.deepEqual(
      json.risks.map(({ risk, cluster, subject }) => [risk, cluster, subject]),
      [["replace-manager", "cl", "control-2"]],
    );
  });

  it("ends with 2 where a risk is found that --fail-on names, and with 0 for others", async () => {
    const file = golden("two-managers-replaced.digest.json");
    const codes = await Promise.all(
      [
        ["--fail-on", "plaintext, replace-manager"],
        ["--fail-on", "plaintext", "--fail-on", "quorum-loss"],
        ["--fail-on", "world-open,plaintext,renumber"],
        [],
      ].map(async (more) => (await run(["review", file, ...more])).code),
    );
    assert.deepEqual(codes, [2, 2, 0, 0]);
  });

  it("ends with 3 where the preview itself failed, whatever --fail-on says", async () => {
    const { code, out } = await run(["review", golden("refused.digest.json"), "--fail-on", "renumber"]);
    assert.equal(code, 3);
    assert.match(out, /^The preview failed, and nothing was changed\. 5 risks: renumber \(5\)\.\n/);
  });

  it("ends with 1 and one line for what cannot be read, and for what cannot be judged", async () => {
    const none = await run(["review", "/no/such.json"]);
    assert.deepEqual([none.code, none.error], [1, `pulumi-swarm review: "/no/such.json" cannot be read: ENOENT: no such file or directory\n`]);
    const cut = await run(["review", "-"], '{"steps": [');
    assert.equal(cut.code, 1);
    assert.match(cut.error, /^pulumi-swarm review: The preview's JSON is cut off or broken\. Fix: .*\n$/);
    const short = JSON.stringify({ steps: [], changeSummary: { same: 40 } });
    const unjudged = await run(["review", "-", "--fail-on", "world-open"], short);
    assert.equal(unjudged.code, 1);
    assert.match(unjudged.error, /leaves out 40 resources that stay as they are, so --fail-on cannot be judged\. Fix: preview with --show-sames\n$/);
  });

  it("says so where there is no cluster, and counts what else is changed", async () => {
    const step = { op: "create", urn: "urn:pulumi:s::p::aws:s3/bucket:Bucket::b", newState: { type: "aws:s3/bucket:Bucket", inputs: {} } };
    const { code, out } = await run(["review", "-", "--fail-on", "world-open"], JSON.stringify({ steps: [step], changeSummary: { create: 1 } }));
    assert.deepEqual([code, out], [0, "There is no cluster of pulumi-swarm in this preview. 1 other resource of the program will be changed.\n"]);
    const short = await run(["review", "-"], JSON.stringify({ steps: [], changeSummary: { same: 40 } }));
    assert.deepEqual([short.code, short.out], [0, "Nothing of a cluster of pulumi-swarm is changed, or in this preview at all.\n"]);
  });

  it("reviews several clusters of one program, each by itself", async () => {
    const one = JSON.parse(readFileSync(golden("world-open-port.digest.json"), "utf8")) as { steps: object[] };
    const other = JSON.parse(readFileSync(golden("manager-replaced.digest.json"), "utf8")) as { steps: object[] };
    const { out } = await run(["review", "-"], JSON.stringify({ steps: [...one.steps, ...other.steps] }));
    assert.match(out, /^2 risks: world-open, replace-manager\./);
    assert.match(out, /\n\ncl, changed\n[^]*control-2[^]*\n\nprod, changed\n[^]*9090/);
  });
});
