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

  it("has what the days after the first bring: managers lost for good, and a host that does not come back from a reboot", () => {
    const titles = cases.map(({ title }) => title).join("\n");
    assert.match(titles, /^two managers lost for good, and the way out that the message names$/m);
    assert.match(titles, /^a host that does not come back from a reboot, until somebody starts it$/m);
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
