import assert from "node:assert/strict";

/** Checks what XML asks of a text without a prologue: one root, each element closed by its name, no bare sign, no forbidden one. */
export function wellFormed(text: string): void {
  assert.doesNotMatch(
    text,
    /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/,
  );
  const open: string[] = [];
  let roots = 0;
  let end = 0;
  for (const match of text.matchAll(/<(\/?)([A-Za-z]+)((?:\s+[a-z:A-Z-]+="[^"<]*")*)\s*(\/?)>/g)) {
    const [whole, closing, name = "", attributes = "", empty] = match;
    assert.match(text.slice(end, match.index), /^[^<]*$/, "a bare <");
    assertReferences(text.slice(end, match.index));
    assertReferences(attributes);
    end = match.index + whole.length;
    if (closing === "/") assert.equal(open.pop(), name, `</${name}> closes another element`);
    else {
      if (open.length === 0) roots += 1;
      if (empty !== "/") open.push(name);
    }
    const names = [...attributes.matchAll(/([a-z:A-Z-]+)=/g)].map(([, attribute]) => attribute);
    assert.equal(new Set(names).size, names.length, `an attribute twice in ${whole}`);
  }
  assert.equal(text.slice(end).trim(), "", "text after the root");
  assert.deepEqual(open, [], "elements are not closed");
  assert.equal(roots, 1);
}

function assertReferences(text: string): void {
  assert.doesNotMatch(text, /&(?!(amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)/, "a bare &");
}

/** What stands in text elements, as it is written. */
export function textsIn(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = ""]) => text);
}
