import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { impatience, keyOf, patience } from "./cluster";
import type { FaultCase } from "./trial";

/** What happens between the machine on which Pulumi runs and the hosts. */
export const ssh: readonly FaultCase[] = [
  {
    title: "SSH to a host dropped for 20 s in the midst of a run",
    async play(trial) {
      const name = trial.victim();
      trial.cluster.edit({ rotation: trial.cluster.another("rotation") });
      const result = await trial.during(/changing to its new key/, async () => {
        const heal = await trial.cut(name, "ssh");
        await sleep(20_000);
        await heal();
      });
      await trial.finish(result);
    },
  },
  {
    title: "SSH to a worker dropped for good, until the user repairs it",
    async play(trial) {
      const name = trial.worker();
      const heal = await trial.cut(name, "ssh");
      trial.cluster.edit({ label: trial.cluster.another("label"), reachable: impatience });
      await trial.fails(
        new RegExp(`${keyOf(name)}: cannot be reached over SSH at root@${trial.cluster.address(name)}:22 within ${impatience} s`),
        /1 host(?: is|) not as asked/,
      );
      await heal();
      trial.cluster.edit({ reachable: patience });
      await trial.up();
    },
  },
  {
    title: "a host without sshd",
    async play(trial) {
      const name = trial.victim();
      await trial.on(name, "systemctl stop ssh.socket ssh.service");
      trial.finally(() => trial.on(name, "systemctl start ssh.service"));
      trial.cluster.edit({ label: trial.cluster.another("label"), reachable: impatience });
      await trial.fails(new RegExp(`${keyOf(name)}: .*connection refused \\(is sshd running`));
      await trial.undo();
      await trial.up();
    },
  },
  {
    title: "a host that presents another host key",
    async play(trial) {
      const name = trial.victim();
      const file = "/etc/ssh/ssh_host_ed25519_key";
      await trial.on(name, `cp ${file} /root/key && rm ${file} && ssh-keygen -q -t ed25519 -N '' -f ${file} && systemctl restart ssh`);
      trial.finally(() => trial.on(name, `cp /root/key ${file} && systemctl restart ssh`));
      trial.cluster.edit({ label: trial.cluster.another("label") });
      await trial.fails(new RegExp(`${keyOf(name)}: root@\\S+ presented another host key than the one pinned`));
      await trial.undo();
      await trial.up();
    },
  },
  {
    title: "a host that no longer takes the user's key",
    async play(trial) {
      const name = trial.victim();
      await trial.on(name, "mv /root/.ssh/authorized_keys /root/.ssh/away");
      trial.finally(() => trial.on(name, "mv /root/.ssh/away /root/.ssh/authorized_keys"));
      trial.cluster.edit({ label: trial.cluster.another("label"), reachable: impatience });
      await trial.fails(new RegExp(`${keyOf(name)}: cannot be reached: root@\\S+ refused the key`));
      await trial.undo();
      await trial.up();
    },
  },
  {
    title: "a host whose sshd allows one session a connection",
    async play(trial) {
      const name = trial.victim();
      const file = "/etc/ssh/sshd_config.d/lab.conf";
      await trial.on(name, `mkdir -p /etc/ssh/sshd_config.d && echo 'MaxSessions 1' >${file} && systemctl restart ssh`);
      trial.finally(() => trial.on(name, `rm -f ${file} && systemctl restart ssh`));
      trial.cluster.lookAgain();
      const result = await trial.cluster.run();
      const said = result.stdout + result.stderr;
      // A manager cannot be worked on without; whoever holds no lock may do with one.
      if (result.code !== 0) assert.match(said, new RegExp(`${keyOf(name)}: .*MaxSessions`));
      await trial.undo();
      await trial.recheck();
    },
  },
];
