import assert from "node:assert/strict";
import { stillSilent } from "../../components/remote/silent";

/** What each look finds silent, and how many seconds it takes; how often a host was asked, and what came of it. */
async function listen(seconds: number, ...looks: readonly (readonly [silent: string, took: number])[]): Promise<readonly [string, number, number]> {
  let [clock, asked] = [0, 0];
  const ask = async (): Promise<readonly string[]> => {
    const [silent, took] = looks[asked++] ?? assert.fail("asked too often");
    clock += took * 1000;
    return [...silent];
  };
  const silence = await stillSilent([..."abc"], seconds, ask, () => clock);
  return [silence.peers.join(""), silence.seconds, asked];
}

describe("peers that give no answer", () => {
  it("are told after one look of a host that has time for it, whether some answered or none", async () => {
    assert.deepEqual(await listen(20, ["c", 21.5]), ["c", 20, 1]);
    assert.deepEqual(await listen(20, ["abc", 21.5]), ["abc", 20, 1]);
    assert.deepEqual(await listen(20, ["", 40]), ["", 20, 1]);
  });

  it("are listened to once more by a busy host, as long as some of them do answer", async () => {
    assert.deepEqual(await listen(20, ["bc", 33], ["c", 29], ["", 4]), ["", 60, 3]);
    assert.deepEqual(await listen(20, ["bc", 33], ["bc", 33]), ["bc", 40, 2]);
    assert.deepEqual(await listen(20, ["bc", 33], ["c", 21]), ["c", 40, 2]);
    assert.deepEqual(await listen(20, ["abc", 33]), ["abc", 20, 1]);
  });

  it("are listened to for two minutes at most", async () => {
    assert.deepEqual(await listen(60, ["bc", 80], ["c", 80]), ["c", 120, 2]);
  });
});
