import assert from "node:assert/strict";
import { said, text } from "../../components/review/findings";
import { markdown } from "../../components/review/render/markdown";
import { plain } from "../../components/review/render/plain";
import type { Review } from "../../components/review/review";

const review = (value: string, reason: string, more: Partial<Review> = {}): Review => ({
  verdict: "1 risk: world-open.",
  clusters: [
    {
      cluster: "prod",
      what: "changed",
      findings: [{ section: "firewall", kind: "added", subject: "x", risk: "world-open", text: text`opened ${value}, ${said(reason)}` }],
    },
  ],
  risks: { "world-open": 1 },
  errors: [],
  leftOut: 0,
  ...more,
});

describe("a review as Markdown", () => {
  it("lets nothing that a program wrote count as Markdown, HTML or a name", () => {
    const shown = markdown(review("a`b``c", "| **bold** `code` <img src=x> [x](y) @team #1 \\ ~x~\n# head"), "The edit");
    const line = shown.split("\n").find((each) => each.startsWith("- "));
    assert.equal(
      line,
      "- ⚠️ **world-open**: opened ```a`b``c```, \\| \\*\\*bold\\*\\* \\`code\\` &lt;img src=x&gt; \\[x\\](y) &#64;team &#35;1 \\\\ \\~x\\~ &#35; head",
    );
    assert.match(markdown(review("`", "x"), "t"), /opened `` ` ``,/);
    assert.match(markdown(review("", "x"), "t"), /opened "",/);
  });

  it("keeps an error in its fence, whatever is in it", () => {
    const shown = markdown({ ...review("x", "y"), clusters: [], errors: ["wrong\n```\n<b>"] }, "t");
    assert.match(shown, /\n````\nwrong\n```\n<b>\n````\n$/);
  });
});

describe("a review on a terminal", () => {
  it("has colours only where it is asked for", () => {
    assert.match(plain(review("a", "b"), { color: true }), /\u001b\[31m {4}! world-open: opened a, b\u001b\[0m/);
    assert.doesNotMatch(plain(review("a", "b"), { color: false }), /\u001b/);
  });

  it("lets nothing that a program wrote move the cursor", () => {
    const shown = plain({ ...review("a\u001b[2Jb", "c\rd"), errors: ["\u001b[1mloud"] }, { color: false });
    assert.doesNotMatch(shown, /[\u001b\r]/);
    assert.match(shown, /opened a \[2Jb, c d/);
  });
});
