import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pagesIn } from "../../tools/docs/pages";

const root = join(__dirname, "..", "..");

/** Words that a reader stumbles over, and what to write. The pages of the reference and the schema have the docstrings. */
const stumbles: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bmend(s|ed|ing)?\b/i, "fix"],
  [/\b(is|are|be|was|were) let (in|through)\b/i, "is allowed"],
  [/\blet(s|ting)? (in|through)\b/i, "allow"],
  [/\bfor good\b/i, "permanently"],
  [/\bbears?\b|\blikelier\b/i, "tolerate, more likely"],
  [/\banew\b/i, "again; of a machine, replace"],
  [/\ball the same\b/i, "anyway"],
  [/\bone's own\b|\bof yours\b/i, "your own"],
  [/\bof your own\b(?! \w)/i, "your own"], // fine before a noun: the id of your own image
  [/\bbut for\b/i, "except for"],
  [/\bwhoever\b/i, "anyone who"],
  [/\b(is|are) told\b/i, "name who tells whom what"],
  [/\btaken in\b|\bstruck off\b|\bcame to be\b|\bdialled\b/i, "join, remove, is made, connect"],
  [/\bServices notice\b/i, "Some services will be interrupted"],
  [/\bnothing is not\b/i, "… is missing"],
];

/** Text that keeps such a word, with the reason. */
const allowed: ReadonlyArray<readonly [page: string, text: string]> = [
  ["docs/hosts.md", "--anew"], // an option of the program
  // What is said of a channel is in the states of clusters.
  ["test/review/golden/encryption-lost.txt", "whoever is on the site's network can read it"],
  ["test/review/golden/encryption-lost.md", "whoever is on the site's network can read it"],
];

/** What the package says, as its tests keep it. Files that the engine wrote are not listed: other programs' words are in them. */
const goldens: ReadonlyArray<readonly [folder: string, file: RegExp]> = [
  ["test/graph/golden/mistakes", /\.txt$/],
  ["test/review/golden", /\.(txt|md)$/],
  ["test/status/golden", /\.txt$/],
];

/** Lines outside of blocks of code: those quote programs. */
function prose(text: string): string[] {
  let block = false;
  return text.split("\n").map((line) => {
    if (line.startsWith("```")) block = !block;
    return block ? "" : line;
  });
}

function stumbling(page: string, text: string): string[] {
  return stumblingIn(page, prose(text));
}

function stumblingIn(page: string, lines: readonly string[]): string[] {
  const exceptions = allowed.filter(([file]) => file === page).map(([, words]) => words);
  return lines.flatMap((line, index) => {
    const left = exceptions.reduce((rest, words) => rest.replaceAll(words, ""), line);
    return stumbles.flatMap(([habit, better]) => {
      const found = habit.exec(left);
      return found === null ? [] : [`${page}:${index + 1}: "${found[0]}". Fix: write ${better}`];
    });
  });
}

describe("the English of pages, docstrings, the schema and messages", () => {
  it("has no word that has to be read twice", () => {
    // Not yet: the changelog's older entries.
    const pages = [...pagesIn(root).filter((page) => page !== "CHANGELOG.md" && !page.startsWith("test/")), "plugin/schema.json"];
    assert.ok(pages.includes("README.md") && pages.includes("docs/aws.md") && pages.includes("docs/api/index.md"), pages.join(" "));
    assert.deepEqual(
      pages.flatMap((page) => stumbling(page, readFileSync(join(root, page), "utf8"))),
      [],
    );
  });

  it("has no such word in what a wrong program or a preview is answered, blocks included", () => {
    const files = goldens.flatMap(([folder, ending]) =>
      readdirSync(join(root, folder))
        .filter((file) => ending.test(file))
        .map((file) => `${folder}/${file}`),
    );
    assert.ok(files.includes("test/graph/golden/mistakes/clouds.txt") && files.includes("test/review/golden/renumber.md"), files.join(" "));
    assert.deepEqual(
      files.flatMap((file) => stumblingIn(file, readFileSync(join(root, file), "utf8").split("\n"))),
      [],
    );
  });

  it("is checked outside of blocks of code, and every exception is still needed", () => {
    assert.deepEqual(stumbling("page.md", "Mend it.\n```\nmend it\n```\nA host is let in."), [
      'page.md:1: "Mend". Fix: write fix',
      'page.md:5: "is let in". Fix: write is allowed',
      'page.md:5: "let in". Fix: write allow',
    ]);
    for (const [page, words] of allowed) {
      assert.ok(existsSync(join(root, page)) && readFileSync(join(root, page), "utf8").includes(words), `${page} no longer has "${words}"`);
    }
  });
});
