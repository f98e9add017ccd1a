import assert from "node:assert/strict";
import { certificateLife } from "../../components/overlays/flannel/etcd/life";
import { timesPassed } from "../../components/since";

const day = 24 * 3600 * 1000;
const born = "2026-11-28";
const after = (days: number): Date => new Date(Date.parse(born) + days * day);

describe("the times at which an overlay is looked at again", () => {
  it("are counted from the first day on", () => {
    assert.deepEqual(
      [-1, 0, 179, 180, 359, 360, 1800].map((days) => timesPassed(born, 180, after(days))),
      [0, 0, 0, 1, 1, 2, 10],
    );
  });

  it("leave no certificate unlooked at in its last year, for whoever runs up at least as often", () => {
    const { renewedFrom, revisited } = certificateLife;
    // The last moment of one time, and what is then the last of the next.
    const [one, other] = [after(0), after(2 * revisited - 1)];
    assert.ok(timesPassed(born, revisited, other) > timesPassed(born, revisited, one));
    assert.ok(2 * revisited < renewedFrom);
  });
});
