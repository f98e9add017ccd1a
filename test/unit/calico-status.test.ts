import assert from "node:assert/strict";
import type { SeenPart } from "../../components/health";
import { type BirdState, calicoStatus } from "../../components/overlays/calico/status";

function host(key: string, answer?: Partial<BirdState> | string): SeenPart<BirdState> {
  const whole = typeof answer === "object" ? { unit: "active", answers: true, apart: true, sessions: [], ...answer } : answer;
  const address = `10.0.0.${key.slice(-1)}`;
  return { key, role: "manager", site: "rack", address, siteAddress: address, silent: [], ...(whole !== undefined && { answer: whole }) };
}

const now = new Date("2026-11-30T00:00:00Z");
const told = (...seen: SeenPart<BirdState>[]): string[] => calicoStatus.findings(seen, now).map(({ kind, text }) => `${kind}: ${text}`);

describe("how Calico's BGP is", () => {
  it("is how many of a host's sessions are established", () => {
    const seen = [host("a1", { sessions: ["a2 Established", "a3 Active Socket: Connection refused"] }), host("a2", "cannot be asked"), host("a3")];
    assert.deepEqual(
      calicoStatus.rows(seen).map(({ host: key, says }) => `${key}: ${says}`),
      ["a1: 1 of 2 BGP sessions established", "a2: cannot be asked", "a3: not seen"],
    );
    assert.deepEqual(told(...seen), []);
  });

  it("names a host on which BIRD does not run, and not those that have no session with it", () => {
    const seen = [host("a1", { sessions: ["a2 Active Socket: Connection refused"] }), host("a2", { unit: "failed", answers: false })];
    assert.deepEqual(told(...seen), [
      "bird-stopped: a2: BIRD does not answer (its unit is failed), so the other hosts lose their routes to its containers",
    ]);
  });

  it("names a host whose table is gone that keeps networks apart", () => {
    assert.deepEqual(told(host("a1"), host("a2", { apart: false })), [
      "calico-apart: a2: its nftables table pulumi_swarm_calico is gone, so networks that should be isolated reach each other there",
    ]);
  });

  it("names two hosts without a session once, with what BIRD says of it", () => {
    const seen = [
      host("a1", { sessions: ["a2 Connect Received: Hold timer expired", "a3 Established"] }),
      host("a2", { sessions: ["a1 Active", "a3 Established"] }),
      host("a3", { sessions: ["a1 Established", "a2 Established"] }),
    ];
    assert.deepEqual(told(...seen), [
      'bgp-session: a1: no BGP session with a2, so they do not learn of each other\'s containers: BIRD says "Connect Received: Hold timer expired"',
    ]);
  });
});
