import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
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
  const exceptions = allowed.filter(([file]) => file === page).map(([, words]) => words);
  return prose(text).flatMap((line, index) => {
    const left = exceptions.reduce((rest, words) => rest.replaceAll(words, ""), line);
    return stumbles.flatMap(([habit, better]) => {
      const found = habit.exec(left);
      return found === null ? [] : [`${page}:${index + 1}: "${found[0]}". Fix: write ${better}`];
    });
  });
}

describe("the English of pages, docstrings and the schema", () => {
  it("has no word that has to be read twice", () => {
    // Not yet: the changelog's older entries, and messages in golden files below test/.
    const pages = [...pagesIn(root).filter((page) => page !== "CHANGELOG.md" && !page.startsWith("test/")), "plugin/schema.json"];
    assert.ok(pages.includes("README.md") && pages.includes("docs/aws.md") && pages.includes("docs/api/index.md"), pages.join(" "));
    assert.deepEqual(
      pages.flatMap((page) => stumbling(page, readFileSync(join(root, page), "utf8"))),
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
