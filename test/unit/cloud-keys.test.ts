import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { connectionOf } from "../../components/hosts/cloud/connection";
import { checkLoginKey, clientKey, type HostKeys, hostKeys } from "../../components/hosts/cloud/keys";

const valueOf = <T>(output: pulumi.Output<T>): Promise<T> => (output as unknown as { promise(): Promise<T> }).promise();
const seed = pulumi.output("a secret of the stack");
const keysOf = (loginKey?: number, client?: string): Promise<HostKeys> => valueOf(hostKeys(seed, "edge-1", loginKey, client));

describe("keys that log in to machines of a cloud", () => {
  it("are one for all, from the first up on, and no number changes what a host shows for itself", async () => {
    const [first, tenth] = [await keysOf(), await keysOf(10)];
    assert.deepEqual(first.former, []);
    assert.deepEqual(await keysOf(1), first);
    assert.deepEqual(tenth.machine, first.machine);
    assert.deepEqual(first.login, await valueOf(clientKey(seed)));
  });

  it("are others by each number, beside the one before, and the one that machines of the first up began with", async () => {
    const all = await Promise.all([1, 2, 3, 4].map((number) => keysOf(number)));
    const login = all.map((keys) => keys.login);
    assert.equal(new Set(login.map(({ publicKey }) => publicKey)).size, 4);
    assert.deepEqual(
      all.map(({ former }) => former.map((key) => login.findIndex(({ publicKey }) => publicKey === key.publicKey) + 1)),
      [[], [1], [2, 1], [3, 1, 2]],
    );
    // sshd ends a connection after six tries.
    assert.ok((await keysOf(1000)).former.length <= 4);
  });

  it("are others on each site of a cloud that takes no key twice", async () => {
    const [one, other] = [await keysOf(2, "client one"), await keysOf(2, "client other")];
    assert.notEqual(one.login.publicKey, other.login.publicKey);
  });

  it("are in the connection by which hosts are reached, and nothing of them is there with the first", async () => {
    const third = await valueOf(connectionOf("192.0.2.1", hostKeys(seed, "edge-1", 3)));
    const keys = await keysOf(3);
    assert.deepEqual(third, {
      host: "192.0.2.1",
      user: "swarm",
      privateKey: keys.login.privateKey,
      formerKeys: keys.former.map(({ privateKey }) => privateKey),
      hostKey: keys.machine.publicKey,
    });
    assert.ok(!("formerKeys" in (await valueOf(connectionOf("192.0.2.1", hostKeys(seed, "edge-1"))))));
  });

  it("are counted", () => {
    for (const number of [undefined, 1, 2, 1000]) assert.deepEqual(checkLoginKey(number), []);
    for (const wrong of [0, -1, 1.5, 1001, "2", Number.NaN, null]) {
      const [problem] = checkLoginKey(wrong);
      assert.equal(problem?.path, "loginKey");
      assert.match(problem?.message ?? "", /is not the number of a key$/);
      assert.equal(problem?.fix, "give a whole number from 1 to 1000, and count it up");
    }
  });
});
