import assert from "node:assert/strict";
import { keyOf, managers, type Name, workers } from "./cluster";
import type { FaultCase, Trial } from "./trial";

const nodeOf = async (trial: Trial, name: Name): Promise<string> => trial.on(name, "docker info -f '{{.Swarm.NodeID}}'");

/** A run that was killed before may have left all of them managers, as the program then says. */
async function someWorker(trial: Trial): Promise<Name> {
  if (trial.cluster.program.edgeRole === "manager") {
    trial.cluster.edit({ edgeRole: "worker" });
    await trial.up();
  }
  return trial.worker();
}

/** What somebody did to members by hand, in Docker's own words. The program says otherwise. */
export const members: readonly FaultCase[] = [
  {
    title: "a worker promoted by hand",
    async play(trial) {
      const name = await someWorker(trial);
      // The others cannot reach it as a manager, since its firewall is a worker's, and Docker cannot demote what never became one: it joins anew.
      trial.renewed.add(name);
      await trial.cluster.ask(`docker node promote ${await nodeOf(trial, name)}`);
      await trial.recheck();
    },
  },
  {
    title: "a worker promoted by hand whose machine was then lost",
    async play(trial) {
      const name = await someWorker(trial);
      trial.renewed.add(name);
      await trial.cluster.ask(`docker node promote ${await nodeOf(trial, name)}`);
      await trial.cluster.freshMachine(name);
      await trial.recheck();
    },
  },
  {
    title: "a manager demoted by hand",
    async play(trial) {
      const name = trial.manager();
      await trial.cluster.ask(`docker node demote ${await nodeOf(trial, name)}`);
      await trial.recheck();
    },
  },
  {
    title: "a worker that was struck off by hand",
    quick: true,
    async play(trial) {
      const name = await someWorker(trial);
      trial.renewed.add(name);
      await trial.cluster.ask(`docker node rm --force ${await nodeOf(trial, name)}`);
      await trial.recheck();
    },
  },
  {
    title: "a host that was made to leave by hand",
    async play(trial) {
      const name = trial.victim();
      trial.renewed.add(name);
      await trial.on(name, "docker swarm leave --force");
      await trial.recheck();
    },
  },
  {
    title: "a host drained by hand",
    async play(trial) {
      const name = trial.victim();
      const id = await nodeOf(trial, name);
      await trial.cluster.ask(`docker node update --availability drain ${id}`);
      const said = await trial.recheck();
      // An operator may have drained it on purpose; then it must at least be said.
      const availability = await trial.cluster.ask(`docker node inspect ${id} --format '{{.Spec.Availability}}'`);
      trial.note(`then ${availability}`);
      assert.match(said, new RegExp(`${keyOf(name)}.*drain`));
      if (availability === "drain") await trial.cluster.ask(`docker node update --availability active ${id}`);
    },
  },
  {
    title: "labels changed by hand on managers and workers",
    quick: true,
    async play(trial) {
      for (const name of [trial.choices.pick(managers), trial.choices.pick(workers)]) {
        trial.note(keyOf(name));
        const id = await nodeOf(trial, name);
        await trial.cluster.ask(`docker node update --label-rm pulumi-swarm.host --label-add edit=by-hand ${id}`);
      }
      await trial.recheck();
    },
  },
];
