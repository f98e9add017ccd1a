import assert from "node:assert/strict";
import { impatience, keyOf, patience } from "./cluster";
import type { FaultCase, Trial } from "./trial";

async function importState({ cluster: { lab } }: Trial, state: string): Promise<void> {
  const { code, stderr } = await lab.stack.pulumi(["stack", "import"], { stdin: state });
  assert.equal(code, 0, stderr);
}

/** Pulumi's memory that is older than the cluster, lost, or two. */
export const state: readonly FaultCase[] = [
  {
    title: "an older state",
    async play(trial) {
      const { cluster } = trial;
      const older = await cluster.lab.stack.export();
      cluster.edit({ label: cluster.another("label"), port: cluster.program.port === 8443 ? 8444 : 8443 });
      await trial.up();
      await importState(trial, older);
      await trial.up();
    },
  },
  {
    title: "a lost state",
    async play(trial) {
      const before = await running(trial);
      await loseState(trial);
      await trial.up();
      assert.deepEqual(await running(trial), before, "no engine and no container was started again");
    },
  },
  {
    title: "a lost state while a host is frozen",
    async play(trial) {
      const name = trial.worker();
      const thaw = await trial.freeze(name);
      await loseState(trial);
      trial.cluster.edit({ reachable: impatience });
      await trial.fails(new RegExp(`${keyOf(name)}: cannot be reached`));
      await thaw();
      // It is still everybody's peer.
      const others = trial.cluster.members.filter((other) => other !== name);
      const peers = await Promise.all(others.map((other) => trial.on(other, "wg show swarm0 peers | wc -l")));
      assert.deepEqual(peers, ["4", "4", "4", "4"]);
      trial.cluster.edit({ reachable: patience });
      await trial.up();
    },
  },
  {
    title: "two states, of which one knows nothing of a host that the other added",
    async play(trial) {
      const { cluster } = trial;
      const added = trial.worker();
      trial.renewed.add(added);
      const both = cluster.program;
      cluster.edit({ edge: both.edge.filter((name) => name !== added) });
      await trial.up();
      const theirs = { state: await cluster.lab.stack.export(), program: cluster.program };
      cluster.edit(both);
      await trial.up();
      const ours = await cluster.lab.stack.export();
      // A colleague, with an older program and state.
      await importState(trial, theirs.state);
      cluster.edit({ ...theirs.program, recheck: cluster.another("look") });
      const { stdout, stderr } = await cluster.run();
      assert.match(stdout + stderr, new RegExp(keyOf(added)), "what becomes of the other's host is said");
      await importState(trial, ours);
      cluster.edit({ ...both, recheck: cluster.another("look") });
      await trial.up();
    },
  },
];

/** Since when the engine of each host runs, and its containers. */
function running({ cluster }: Trial): Promise<string[]> {
  const command =
    "systemctl show docker -p ActiveEnterTimestamp; docker ps -q --no-trunc | xargs -r docker inspect -f '{{.Id}} {{.State.StartedAt}}' | sort";
  return Promise.all(cluster.members.map((name) => cluster.on(name, command)));
}

async function loseState({ cluster: { lab, sites } }: Trial): Promise<void> {
  const removed = await lab.stack.pulumi(["stack", "rm", "--yes", "--force"]);
  assert.equal(removed.code, 0, removed.stderr);
  await lab.stack.init();
  await lab.logInWith(sites.keys.client.privateKey);
}
