import assert from "node:assert/strict";
import { Few } from "../../components/hosts/cloud/few";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("resources of which a cloud makes only some at once", () => {
  it("are never more than that at once, are all made, and in their order", async () => {
    const few = new Few(5);
    const begun: number[] = [];
    let [inside, most] = [0, 0];
    const all = Array.from({ length: 23 }, async (_, index) => {
      await few.enter();
      begun.push(index);
      most = Math.max(most, (inside += 1));
      for (let turns = 0; turns <= index % 3; turns += 1) await turn();
      inside -= 1;
      few.leave();
    });
    await Promise.all(all);
    assert.equal(most, 5);
    assert.deepEqual(begun, [...begun.keys()]);
  });

  it("are begun at once where nobody is before them, also after many", async () => {
    const few = new Few(2);
    for (let round = 0; round < 3; round += 1) {
      await Promise.all([few.enter(), few.enter()]);
      let third = false;
      const waiting = few.enter().then(() => (third = true));
      await turn();
      assert.equal(third, false, "two are inside");
      few.leave();
      await waiting;
      few.leave();
      few.leave();
    }
  });
});
