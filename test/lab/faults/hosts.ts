import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "../../../tools/lab/machines";
import { impatience, keyOf, names, patience } from "./cluster";
import type { FaultCase } from "./trial";

/** Hosts that stop, for a while or for good. */
export const hosts: readonly FaultCase[] = [
  {
    title: "a frozen worker, until the user thaws it",
    async play(trial) {
      const name = trial.worker();
      const thaw = await trial.freeze(name);
      trial.cluster.edit({ label: trial.cluster.another("label"), reachable: impatience });
      await trial.fails(new RegExp(`${keyOf(name)}: cannot be reached over SSH at root@\\S+ within ${impatience} s: no answer`));
      await thaw();
      trial.cluster.edit({ reachable: patience });
      await trial.up();
    },
  },
  {
    title: "a manager frozen for 20 s in the midst of a run",
    async play(trial) {
      const name = trial.manager();
      trial.cluster.edit({ label: trial.cluster.another("label") });
      const result = await trial.during(/reaching 5 hosts/, async () => {
        const thaw = await trial.freeze(name);
        await sleep(20_000);
        await thaw();
      });
      await trial.finish(result);
    },
  },
  {
    title: "a worker rebooted in the midst of a run",
    async play(trial) {
      const name = trial.worker();
      trial.cluster.edit({ rotation: trial.cluster.another("rotation") });
      await trial.finish(await trial.during(/changing to its new key/, () => trial.cluster.sites.reboot(name)));
    },
  },
  {
    title: "the leader losing power in the midst of a run",
    async play(trial) {
      const leader = await trial.cluster.leader();
      trial.touch(leader);
      trial.cluster.edit({ label: trial.cluster.another("label"), port: trial.cluster.program.port === 8443 ? 8444 : 8443 });
      const result = await trial.during(/reaching 5 hosts/, async () => {
        const back = await trial.powerOff(leader);
        await sleep(10_000);
        await back();
      });
      await trial.finish(result);
    },
  },
  {
    title: "a host that does not come back from a reboot, until somebody starts it",
    async play(trial) {
      const { cluster } = trial;
      const lost = trial.victim();
      // Each of them has its turn.
      trial.touch(...names);
      const others = names.filter((name) => name !== lost).map((name) => cluster.machine(name));
      // What a container's reboot ends, Docker starts again.
      await docker("update", "--restart", "on-failure", ...others);
      trial.finally(() => docker("update", "--restart", "no", ...others));
      trial.finally(() => docker("start", cluster.machine(lost)));
      cluster.edit({ reboot: cluster.another("reboot") });
      await trial.fails(new RegExp(`${keyOf(lost)}: rebooted, and is not back after 60 s \\(maintenance\\.rebootSeconds\\)`));
      trial.note(`${keyOf(lost)} was lost`);
      await docker("start", cluster.machine(lost));
      await cluster.sites.ready(lost);
      await trial.up();
    },
  },
  {
    title: "a run right after a host got power again",
    async play(trial) {
      const name = trial.victim();
      await docker("kill", trial.cluster.machine(name));
      await docker("start", trial.cluster.machine(name));
      trial.cluster.edit({ reachable: patience });
      await trial.recheck();
      trial.cluster.edit({ reachable: patience });
    },
  },
  {
    title: "all hosts losing power at once",
    async play(trial) {
      trial.touch(...names);
      const machines = names.map((name) => trial.cluster.machine(name));
      await docker("kill", ...machines);
      await docker("start", ...machines);
      await Promise.all(names.map((name) => trial.cluster.sites.ready(name)));
      await trial.recheck();
    },
  },
  {
    title: "an engine that was stopped by hand",
    async play(trial) {
      const name = trial.victim();
      await trial.on(name, "systemctl stop docker.socket docker.service");
      await trial.recheck();
    },
  },
  {
    title: "a fresh machine in a worker's place",
    async play(trial) {
      const name = trial.worker();
      trial.renewed.add(name);
      await trial.cluster.freshMachine(name);
      await trial.recheck();
    },
  },
  {
    title: "a fresh machine in the first manager's place",
    async play(trial) {
      trial.touch("a");
      trial.renewed.add("a");
      await trial.cluster.freshMachine("a");
      await trial.recheck();
    },
  },
  {
    title: "an engine whose /var/lib/docker was wiped",
    async play(trial) {
      const name = trial.victim();
      trial.renewed.add(name);
      const wipe = "systemctl stop docker.socket docker.service && find /var/lib/docker -mindepth 1 -delete; systemctl start docker.service";
      await trial.on(name, wipe);
      await trial.cluster.putImage(name);
      await trial.recheck();
    },
  },
];
