import assert from "node:assert/strict";
import type { ReachedHost } from "../../components/agents/fleet";
import { firstManager } from "../../components/agents/network";
import type { ManagersRequest } from "../../components/agents/request";

type Behaviour = "answers" | "hangs" | "dead" | "demoted";

/** What happens when managers that behave so are asked, and who was asked. */
async function ask(...behaviours: readonly Behaviour[]): Promise<{ readonly dialled: readonly string[]; readonly answer: Promise<unknown> }> {
  const dialled: string[] = [];
  const connection = { host: "127.0.0.1", privateKey: "", hostKey: "" };
  const managers = behaviours.map((_, index) => ({ key: `m${index}`, connection }));
  const fleet = {
    reach: (key: string): Promise<ReachedHost> => {
      dialled.push(key);
      const behaviour = behaviours[Number(key.slice(1))];
      if (behaviour === "hangs") return new Promise(() => {});
      if (behaviour === "dead") return Promise.reject(new Error(`${key}: cannot be reached`));
      const info = { Swarm: { LocalNodeState: "active", ControlAvailable: behaviour === "answers", Error: "" } };
      return Promise.resolve({ key, docker: { key, get: () => Promise.resolve(info) } } as unknown as ReachedHost);
    },
  };
  const answer = firstManager(fleet, "network web", { managers } as unknown as ManagersRequest).then(
    (docker) => (docker as unknown as { key: string }).key,
  );
  await answer.catch(() => undefined);
  return { dialled, answer };
}

describe("The manager that does the work on a network", () => {
  it("is the first one, and no other is dialled where it answers", async () => {
    const { dialled, answer } = await ask("answers", "answers", "answers");
    assert.equal(await answer, "m0");
    assert.deepEqual(dialled, ["m0"]);
  });

  it("is the next one where the first is dead, is no manager any more, or hangs", async () => {
    for (const first of ["dead", "demoted", "hangs"] as const) {
      const { dialled, answer } = await ask(first, "answers", "answers");
      assert.equal(await answer, "m1");
      assert.deepEqual(dialled, ["m0", "m1"], first);
    }
  });

  it("is nobody where none answers, and the error says why of each", async () => {
    await assert.rejects((await ask("dead", "demoted")).answer, (error: Error) => {
      assert.match(
        error.message,
        /^network web: none of the managers can be asked:\n {2}- m0: cannot be reached\n {2}- m1: its engine is no manager now \(active\)$/,
      );
      return true;
    });
  });
});
