import assert from "node:assert/strict";
import { Fleet } from "../../components/agents/fleet";
import { confirmation, enforceFirewall } from "../../components/agents/phases/protect";
import type { HostsRequest, RequestHost } from "../../components/agents/request";
import type { Failure } from "../../components/remote/each";
import { SshSession } from "../../components/remote/ssh";
import { HostServer, keys } from "./ssh-servers";

describe("the time for a slow host to confirm new rules", () => {
  const of = (slowest: number, by: Parameters<typeof confirmation>[0] = {}): readonly number[] => {
    const { dial, seconds } = confirmation(by, 1, slowest);
    return [dial, seconds];
  };

  it("is that of all hosts where it answers within a second, and grows with what it takes from there on", () => {
    assert.deepEqual(
      [0, 300, 1_200, 1_600, 4_000, 9_500].map((slowest) => of(slowest)),
      [
        [5, 15],
        [5, 15],
        [5, 15],
        [7, 16],
        [16, 40],
        [38, 95],
      ],
    );
  });

  it("is bounded, so that somebody who is locked out gets in again", () => {
    assert.deepEqual(of(10 ** 9), [60, 120]);
  });

  it("is never less than that of a program which has to sign in", () => {
    assert.deepEqual(
      [of(2_000, { proxyCommand: ["aws"] }), of(10_000, { proxyCommand: ["aws"] })],
      [
        [20, 45],
        [40, 100],
      ],
    );
  });
});

describe("a host that takes longer to let somebody in than others may take", function () {
  this.timeout(60_000);

  it("is reached all the same: each try that hears nothing is followed by a longer one", async () => {
    const server = new HostServer({}, 1_900);
    await server.listen();
    try {
      const connection = { host: "127.0.0.1", port: server.port, privateKey: keys.client.privateKey, hostKey: keys.host.publicKey };
      const session = await SshSession.open("edge-1", connection, { reachable: 20_000, dial: 1_000, keepAlive: 5_000 });
      assert.ok(session.slowest >= 1_900, `${session.slowest} ms`);
      session.close();
    } finally {
      server.close();
    }
  });

  it("gets its firewall all the same", async () => {
    const server = new HostServer({ apply: { changed: true, seconds: 54 }, confirm: { confirmed: true }, state: { pending: false } }, 5_300);
    await server.listen();
    const fleet = new Fleet(30, {});
    try {
      const connection = { host: "127.0.0.1", port: server.port, privateKey: keys.client.privateKey, hostKey: keys.host.publicKey };
      const host: RequestHost = { key: "edge-1", role: "worker", group: "edge", site: "rack", address: "10.0.0.1", machine: "", connection };
      const request: HostsRequest = {
        owner: "Firewall test",
        intent: { mark: "mark", generation: 1 },
        memory: { name: "test", key: "" },
        hosts: [host],
        underlayMtu: 1500,
        reachableSeconds: 30,
        firewall: { rules: [] },
      };
      const failures: Failure[] = [];
      const guarded = { ...(await fleet.reach(host.key, connection)), host };
      await enforceFirewall(fleet, request, [request.owner], [guarded], [host], failures);
      assert.deepEqual([failures, server.verbs], [[], ["apply", "confirm"]]);
    } finally {
      fleet.close();
      server.close();
    }
  });
});
