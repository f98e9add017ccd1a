import assert from "node:assert/strict";
import { cases } from "../lab/faults";
import { Choices } from "../lab/faults/random";

describe("the matrix of faults", () => {
  it("has at least forty cases, each by a name of its own, and few that are quick", () => {
    assert.ok(cases.length >= 40, String(cases.length));
    assert.equal(new Set(cases.map(({ title }) => title)).size, cases.length);
    const quick = cases.filter((each) => each.quick).length;
    assert.ok(quick > 0 && quick <= 10, String(quick));
  });

  it("chooses the same again with the same seed, and another case something else", () => {
    const hosts = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const chosen = (seed: number, what: string): string => new Choices(seed, what).shuffled(hosts).join();
    assert.equal(chosen(7, "one"), chosen(7, "one"));
    assert.notEqual(chosen(7, "one"), chosen(8, "one"));
    assert.notEqual(chosen(7, "one"), chosen(7, "two"));
  });

  it("chooses everything sooner or later", () => {
    const choices = new Choices(1, "all");
    const seen = new Set(Array.from({ length: 100 }, () => choices.pick(["a", "b", "c", "d"])));
    assert.equal(seen.size, 4);
    assert.throws(() => choices.pick([]), /nothing to choose from/);
  });
});
