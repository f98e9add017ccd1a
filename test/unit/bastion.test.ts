import assert from "node:assert/strict";
import { Fleet } from "../../components/agents/fleet";
import { confirmation, enforceFirewall, type Guarded } from "../../components/agents/phases/protect";
import type { HostsRequest, RequestHost } from "../../components/agents/request";
import type { FirewallRule } from "../../components/firewall/rule";
import type { Connection } from "../../components/remote/connection";
import { type Failure, onEach } from "../../components/remote/each";
import { mostStarting } from "../../components/remote/ways";
import { BastionServer, deadPort, HostServer, keys } from "./ssh-servers";

const many = 100;
const rule: FirewallRule = { name: "ssh", protocol: "tcp", ports: ["22"], from: ["world"], to: "members", over: "site", answers: "host", reason: "" };

describe("hosts behind one bastion", () => {
  let bastion: BastionServer;
  let hosts: HostServer;
  let fleet: Fleet;
  let failures: Failure[];
  beforeEach(async () => {
    [bastion, hosts] = [new BastionServer(), new HostServer({ apply: { changed: true, seconds: 15 }, confirm: { confirmed: true } })];
    await Promise.all([bastion.listen(), hosts.listen()]);
    fleet = new Fleet(20, {});
    failures = [];
  });
  afterEach(() => {
    fleet.close();
    bastion.close();
    hosts.close();
  });

  const connection = (more: Partial<Connection> = {}): Connection => ({
    host: "127.0.0.1",
    port: hosts.port,
    privateKey: keys.client.privateKey,
    hostKey: keys.host.publicKey,
    bastion: { host: "localhost", port: bastion.port, privateKey: keys.client.privateKey, hostKey: keys.bastion.publicKey },
    ...more,
  });
  const requestHosts = (count: number, own = connection()): RequestHost[] =>
    Array.from({ length: count }, (_, index) => ({
      key: `edge-${index}`,
      role: "worker",
      group: "edge",
      site: "rack",
      address: `10.0.0.${index + 1}`,
      machine: "",
      connection: own,
    }));
  const reach = async (asked: readonly RequestHost[]): Promise<Guarded[]> => {
    const reached = await onEach(asked, failures, async (host) => ({ ...(await fleet.reach(host.key, host.connection)), host }));
    return [...reached.values()];
  };
  const enforce = async (guarded: readonly Guarded[]): Promise<void> => {
    const all = guarded.map(({ host }) => host);
    const more = { intent: { mark: "mark", generation: 1 }, memory: { name: "test", key: "" } };
    const request: HostsRequest = {
      owner: "Firewall test",
      ...more,
      hosts: all,
      underlayMtu: 1500,
      reachableSeconds: 20,
      firewall: { rules: [rule] },
    };
    await enforceFirewall(fleet, request, [request.owner], guarded, all, failures);
  };

  it("share one connection to it, also for those that confirm their firewalls, so that sshd's MaxStartups drops none", async () => {
    const all = await reach(requestHosts(many));
    assert.deepEqual([all.length, failures], [many, []]);
    const some = all.slice(0, 24);
    await enforce(some);
    assert.deepEqual(failures, []);
    assert.deepEqual([hosts.count("apply"), hosts.count("confirm")], [some.length, some.length]);
    assert.deepEqual([bastion.connections, bastion.dropped, bastion.forwarded], [1, 0, many + some.length]);
  });

  it("are reached by another connection when the one to it broke", async () => {
    await reach(requestHosts(2));
    bastion.breakAll();
    await reach(requestHosts(2));
    assert.deepEqual([failures, bastion.connections], [[], 2]);
  });

  it("confirm by another connection to it where a host may be the bastion itself: one that stands proves nothing", async () => {
    const own = connection({
      bastion: { host: "127.0.0.1", port: bastion.port, privateKey: keys.client.privateKey, hostKey: keys.bastion.publicKey },
    });
    await enforce(await reach(requestHosts(1, own)));
    assert.deepEqual([failures, bastion.connections], [[], 2]);
    await enforce(await reach(requestHosts(24, own)));
    assert.deepEqual([failures, bastion.dropped, bastion.mostStarting], [[], 0, 1]);
  });

  it("say whose fault it is when the bastion cannot be reached, is another machine, or gets no answer of the host", async () => {
    const hop = { host: "localhost", port: bastion.port, privateKey: keys.client.privateKey, hostKey: keys.bastion.publicKey };
    const said = async (more: Partial<Connection>): Promise<string> =>
      (await failed(fleet.reach("edge-1", connection(more), 1))).replaceAll(/:\d+/g, ":PORT");
    assert.equal(
      await said({ bastion: { ...hop, port: deadPort } }),
      "edge-1: cannot be reached over SSH at root@127.0.0.1:PORT within 1 s: the bastion root@localhost:PORT cannot be reached: " +
        "connection refused (is sshd running, and is this the right port?).",
    );
    assert.match(
      await said({ bastion: { ...hop, hostKey: keys.host.publicKey } }),
      /^edge-1: root@localhost:PORT presented another host key than the one pinned\. It presented "ssh-ed25519 /,
    );
    assert.equal(
      await said({ port: deadPort }),
      "edge-1: cannot be reached over SSH at root@127.0.0.1:PORT within 1 s: the bastion root@localhost:PORT had no answer of it within 1 s " +
        "(is the machine up, and is this its address there?).",
    );
  });

  it("that a program carries the connection to sign in a few at a time, since most programs dial one and the same machine", async () => {
    const carry = 'exec 3<>"/dev/tcp/127.0.0.1/$0"; cat <&3 & cat >&3; kill $!';
    const { bastion: _bastion, ...direct } = connection({
      port: bastion.port,
      hostKey: keys.bastion.publicKey,
      proxyCommand: ["bash", "-c", carry, "%p"],
    });
    await reach(requestHosts(20, direct));
    assert.deepEqual([failures, bastion.connections, bastion.dropped], [[], 20, 0]);
    // On a busy machine one has signed in before the next begins.
    assert.ok(bastion.mostStarting <= mostStarting, `${bastion.mostStarting} at once`);
  });
});

describe("the time for a host to confirm new rules", () => {
  const proxied = { proxyCommand: ["aws"] };

  it("grows with the number of hosts that confirm at once, which is bounded", () => {
    const seconds = (together: number, by = {}): number => confirmation(by, together).seconds;
    assert.deepEqual(
      [1, 7, 8, 40, 64, 1000].map((together) => seconds(together)),
      [15, 15, 16, 20, 23, 23],
    );
    assert.deepEqual(
      [1, 8, 9, 64, 1000].map((together) => seconds(together, proxied)),
      [45, 45, 65, 185, 185],
    );
  });

  it("is at least what a program takes to sign in that waits for the others first", () => {
    for (let together = 1; together <= 64; together += 1) {
      const { dial, seconds } = confirmation(proxied, together);
      assert.ok(seconds >= dial * Math.ceil(together / mostStarting));
    }
  });
});

async function failed(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: Error) => reason,
  );
  return error?.message ?? assert.fail("it should have failed");
}
