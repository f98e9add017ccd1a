import assert from "node:assert/strict";
import { Deeds } from "../../components/agents/deeds";

const none = new Set<string>();

describe("the last line of an up", () => {
  it("says what became of the hosts, and what was changed on how many", () => {
    const deeds = new Deeds();
    deeds.did("edge-1", "joined");
    deeds.did("edge-9", "left");
    for (const host of ["control-1", "edge-1", "edge-1"]) deeds.did(host, "firewall changed");
    deeds.did("edge-1", "Docker installed");
    assert.equal(
      deeds.describeUp(["control-1", "control-2", "edge-1"], none, 14_300, true),
      "3 hosts as asked: 1 joined, 2 stayed, 1 left; Docker installed on 1, firewall changed on 2; 14 s",
    );
  });

  it("claims nothing of hosts that are not as asked, nor that nothing was changed", () => {
    const deeds = new Deeds();
    deeds.did("edge-1", "joined");
    assert.equal(
      deeds.describeUp(["control-1", "edge-1", "edge-2"], new Set(["edge-2"]), 95_000, true),
      "2 of 3 hosts as asked: 1 joined, 1 stayed; 1 min 35 s",
    );
    assert.equal(deeds.describeUp(["control-1"], new Set(["control-1"]), 20_000, true), "0 of 1 host as asked; 20 s");
    // What failed is no host, as the ingress network.
    assert.equal(deeds.describeUp(["control-1"], new Set(["ingress"]), 2_000, true), "1 host as asked: 1 stayed; 2 s");
  });

  it("speaks of roles in words, and of no members where there is no swarm", () => {
    const deeds = new Deeds();
    for (const host of ["a", "b"]) deeds.did(host, "is a manager now");
    deeds.did("c", "is a worker now");
    assert.equal(deeds.describeUp(["a", "b", "c"], none, 400, true), "3 hosts as asked: 3 stayed; 2 are managers now, 1 is a worker now; 0 s");
    assert.equal(new Deeds().describeUp(["a", "b"], none, 2_000, false), "2 hosts as asked; 2 s");
  });
});

describe("the last line of a destroy", () => {
  it("says of how many hosts all was taken away", () => {
    const deeds = new Deeds();
    for (const host of ["control-1", "edge-1"]) deeds.did(host, "left");
    assert.equal(deeds.describeDown(["control-1", "edge-1"], none, 8_000), "2 hosts released: 2 left the swarm; 8 s");
    assert.equal(deeds.describeDown(["control-1", "edge-1", "edge-2"], new Set(["edge-2"]), 28_000), "2 of 3 hosts released: 2 left the swarm; 28 s");
    assert.equal(new Deeds().describeDown(["edge-1"], none, 1_000), "1 host released; 1 s");
  });
});
