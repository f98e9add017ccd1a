import assert from "node:assert/strict";
import { names } from "./cluster";
import type { FaultCase, Trial } from "./trial";

async function destroy(trial: Trial): Promise<void> {
  const { code, stdout, stderr } = await trial.cluster.destroy();
  assert.equal(code, 0, stdout + stderr);
}

/** What of ours a host must not have any more, listed by what is there. */
const remains = [
  "nft list tables | grep pulumi || true",
  "ip -o link show swarm0 2>/dev/null || true",
  "ls -d /etc/pulumi-swarm 2>/dev/null || true",
  "systemctl list-units --all --no-legend 'pulumi-swarm*' || true",
  "ls /etc/systemd/system | grep pulumi || true",
  "ss -Hlntu 'sport = :7946 or sport = :2377 or sport = :4789'",
  "docker info -f '{{.Swarm.LocalNodeState}}' | grep -v inactive || true",
].join("; ");

/** Destroy, and up on the same hosts. */
export const cycles: readonly FaultCase[] = [
  {
    title: "a destroy, which leaves nothing on the hosts",
    async play(trial) {
      trial.everythingIsNew = true;
      await destroy(trial);
      for (const name of names) assert.equal(await trial.on(name, remains), "", name);
      await trial.up();
    },
  },
  {
    title: "a destroy that was killed, and then run again",
    async play(trial) {
      trial.everythingIsNew = true;
      const killed = await trial.cluster.destroy({ killWhen: (output) => /has left the swarm/.test(output) });
      assert.equal(killed.code, 137, killed.stdout + killed.stderr);
      await trial.cluster.lab.stack.cancel();
      await destroy(trial);
      await trial.up();
    },
  },
  {
    title: "destroy and up on the same hosts, ten times",
    async play(trial) {
      trial.everythingIsNew = true;
      for (let round = 0; round < 10; round++) {
        await destroy(trial);
        await trial.up();
        await trial.cluster.settle();
      }
    },
  },
];
