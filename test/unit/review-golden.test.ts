import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPreview } from "../../components/review/read";
import { json } from "../../components/review/render/json";
import { markdown } from "../../components/review/render/markdown";
import { plain } from "../../components/review/render/plain";
import { type Review, review } from "../../components/review/review";
import { cases } from "../review/cases";
import { derive, derived } from "../review/derived";

const folder = join(__dirname, "..", "review", "golden");
const read = (file: string): string => readFileSync(join(folder, file), "utf8");
const reviews = new Map(cases.map(({ name }) => [name, review(readPreview(read(`${name}.digest.json`)))]));

function compare(name: string, found: Review): void {
  const written = { md: markdown(found, "The edit"), txt: plain(found, { color: false }), "review.json": json(found) };
  for (const [ending, text] of Object.entries(written)) {
    const file = `${name}.${ending}`;
    if (process.env["UPDATE_GOLDEN"]) writeFileSync(join(folder, file), text);
    assert.ok(existsSync(join(folder, file)), `there is no ${file}: UPDATE_GOLDEN=1 writes it`);
    assert.equal(text, read(file));
  }
}

describe("the review of a preview that the engine made", () => {
  for (const { name } of cases) {
    it(`says what it means, whichever form it was written in: ${name} (review/golden/${name}.md)`, () => {
      const digest = reviews.get(name);
      assert.ok(digest);
      assert.deepEqual(review(readPreview(read(`${name}.stream.jsonl`))), digest);
      compare(name, digest);
    });
  }

  for (const each of derived) {
    it(`says what it means when it is made out of another one: ${each.name} (review/golden/${each.name}.md)`, () => {
      compare(each.name, review(readPreview(derive(each, read(`${each.of}.digest.json`)))));
    });
  }

  it("names the risks of hosts that are left alone, seen by nobody, or not the same any more", () => {
    const found = derived.map((each) => [each.name, review(readPreview(derive(each, read(`${each.of}.digest.json`)))).risks]);
    assert.deepEqual(Object.fromEntries(found), {
      "cluster-removed": { "world-open": 1 },
      "adopted-removed": { "world-open": 1 },
      "host-behind-nat": { "world-open": 1 },
      "manager-keys-changed": { "quorum-loss": 1, "replace-manager": 3 },
      "docker-replaced": {},
      "docker-replaced-one-manager": { "quorum-loss": 1 },
      "docker-restarted": {},
      "docker-restarted-two-managers": { "quorum-loss": 1 },
      "package-upgraded": {},
      "docker-replaced-and-set": {},
      "packages-and-reboots": {},
      "reboots-one-manager": { "quorum-loss": 1 },
      policies: { "world-open": 1 },
      routers: {},
      trunks: {},
    });
  });

  it("names no setting as changed that the state of an older version only does not tell of", () => {
    const [upgraded] = derived.filter(({ name }) => name === "package-upgraded");
    assert.ok(upgraded);
    const said = plain(review(readPreview(derive(upgraded, read(`${upgraded.of}.digest.json`)))), { color: false });
    assert.doesNotMatch(said, /starts again with other settings|Docker starts again on one manager/);
    assert.match(said, /the state, which an older version of this package wrote, does not say which hosts have log-driver, log-opts/);
  });

  it("names as risks just what is one", () => {
    const expected = {
      nothing: {},
      "first-up": { "world-open": 1 },
      "world-open-port": { "world-open": 1 },
      "narrowed-and-closed": {},
      "workers-added-and-removed": { "world-open": 1 },
      renumber: { renumber: 1 },
      "overlay-switch": {},
      "gateway-opened": {},
      "gateway-changed": {},
      "gateway-closed": {},
      refused: { renumber: 5 },
      "encryption-lost": { plaintext: 2 },
      "manager-replaced": { "replace-manager": 1 },
      "two-managers-replaced": { "quorum-loss": 1, "replace-manager": 2 },
      "managers-resized": {},
    };
    assert.deepEqual(Object.keys(expected).sort(), cases.map(({ name }) => name).sort());
    for (const [name, risks] of Object.entries(expected)) assert.deepEqual(reviews.get(name)?.risks, risks, name);
  });

  it("shows nothing that the engine keeps secret", () => {
    for (const { name } of [...cases, ...derived]) {
      for (const ending of ["md", "txt", "review.json"])
        assert.ok(!/stdin|PRIVATE KEY|ciphertext|4dabf18/.test(read(`${name}.${ending}`)), `${name}.${ending}`);
    }
    for (const { name } of cases) {
      for (const form of ["digest.json", "stream.jsonl"]) assert.ok(!/PRIVATE KEY|\\"a key/.test(read(`${name}.${form}`)), `${name}.${form}`);
    }
  });

  it("counts nothing where what stays was left out, and still names what is opened and removed", () => {
    const whole = JSON.parse(read("workers-added-and-removed.digest.json")) as { steps: { op: string }[] };
    const short = readPreview(JSON.stringify({ ...whole, steps: whole.steps.filter(({ op }) => op !== "same") }));
    assert.ok(short.leftOut > 20);
    const said = plain(review(short), { color: false });
    assert.match(said, /managers cannot be counted/);
    assert.match(said, /2 workers added: edge-c, edge-d/);
    assert.match(said, /what stays as it is was left out .*Fix: preview with --show-sames/);
    const replaced = JSON.parse(read("manager-replaced.digest.json")) as { steps: { op: string }[] };
    const host = review(readPreview(JSON.stringify({ ...replaced, steps: replaced.steps.filter(({ op }) => op !== "same") })));
    assert.match(plain(host, { color: false }), /the machine of the host \(manager or worker, the preview leaves it out\) control-2 is deleted/);
  });
});
