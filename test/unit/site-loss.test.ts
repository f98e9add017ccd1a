import assert from "node:assert/strict";
import { planCluster } from "../../components/cluster/plan";
import * as existing from "../../components/hosts/existing";
import { wireguard } from "../../components/underlay/wireguard";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";

/** So many managers and workers in each site. */
function warningsOf(sites: Readonly<Record<string, readonly [managers: number, workers: number]>>): readonly string[] {
  const groups = Object.entries(sites).flatMap(([site, [managers, workers]], index) =>
    [["manager", managers] as const, ["worker", workers] as const].flatMap(([role, count]) => {
      if (count === 0) return [];
      const place = role === "manager" ? 0 : 100;
      const machines = Array.from({ length: count }, (_, n) => [`${n + 1}`, { address: `198.51.${index}.${place + n + 1}`, hostKey }] as const);
      return [[`${site}-${role}s`, existing.hosts({ role, site, agentSocket: "/run/agent", machines: Object.fromEntries(machines) })] as const];
    }),
  );
  const { plan, problems } = planCluster({ hosts: Object.fromEntries(groups), underlay: wireguard(), firewall: { ssh: ["203.0.113.0/24"] } });
  assert.deepEqual(problems, []);
  return plan.warnings;
}

describe("the loss of a site", () => {
  it("is borne where no site has more managers than may be lost", () => {
    assert.deepEqual(warningsOf({ a: [1, 0], b: [1, 2], c: [1, 0] }), []);
    assert.deepEqual(warningsOf({ a: [2, 0], b: [2, 0], c: [1, 0] }), []);
  });

  it("is said of each site that the swarm cannot do without, where there are three", () => {
    assert.deepEqual(warningsOf({ a: [2, 0], b: [1, 0], c: [0, 3] }), [
      'site "a" has 2 of 3 managers: without it nothing can be changed, though services of other sites go on; no site need have more than 1',
    ]);
  });

  it("is said of the larger of two sites, which nothing but a third site mends", () => {
    assert.deepEqual(warningsOf({ a: [3, 0], b: [2, 0] }), [
      'site "a" has 3 of 5 managers: without it nothing can be changed, though services of other sites go on; only a third site with a manager would change that',
    ]);
  });

  it("is nothing new where one manager or one site is all there is", () => {
    assert.deepEqual(warningsOf({ a: [1, 0], b: [0, 1] }), []);
    assert.deepEqual(warningsOf({ a: [3, 2] }), []);
  });
});
