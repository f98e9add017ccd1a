import assert from "node:assert/strict";
import { eventually } from "../../../tools/lab/cluster";
import { impatience, keyOf, managers, type Name, patience } from "./cluster";
import type { FaultCase, Trial } from "./trial";

/** A manager that lost the others goes on answering for some seconds. */
function noticed(trial: Trial, left: Name): Promise<unknown> {
  return eventually("the last manager knows that it is alone", 60, async () => {
    const said = await trial.on(left, "timeout 20 docker node ls >/dev/null 2>&1 && echo lists || echo alone");
    return said.trim() === "alone" ? said : undefined;
  });
}

/** More managers away than may be. */
export const quorum: readonly FaultCase[] = [
  {
    title: "two managers frozen, which come back",
    async play(trial) {
      const [one, two, left] = trial.choices.shuffled(managers);
      assert.ok(one && two && left);
      trial.touch(one, two);
      const thaw = [await trial.freeze(one), await trial.freeze(two)];
      await noticed(trial, left);
      trial.cluster.edit({ label: trial.cluster.another("label"), reachable: impatience });
      await trial.refused(/lost its quorum/, new RegExp(keyOf(one)), new RegExp(keyOf(two)), /Nothing was changed/);
      for (const each of thaw) await each();
      trial.cluster.edit({ reachable: patience });
      await trial.up();
    },
  },
  {
    title: "two managers lost for good, and the way out that the message names",
    async play(trial) {
      const [left, ...lost] = trial.choices.shuffled(managers);
      assert.ok(left);
      trial.touch(left, ...lost);
      for (const name of lost) {
        trial.renewed.add(name);
        await trial.powerOff(name);
      }
      await noticed(trial, left);
      trial.cluster.edit({ recheck: trial.cluster.another("look"), reachable: impatience });
      const said = await trial.refused(/lost its quorum/, /Nothing was changed/);
      const [, recover = "", host] = /membership: { recover: "((\S+)\.[0-9a-f]{12})" }/.exec(said) ?? [];
      assert.equal(host, keyOf(left));
      for (const name of lost) await trial.cluster.freshMachine(name);
      trial.cluster.edit({ recover, reachable: patience });
      await trial.up();
    },
  },
];
