import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { impatience, keyOf, managers, type Name, patience } from "./cluster";
import type { FaultCase, Trial } from "./trial";

/** A program that sits on a port of a host before Docker does. */
async function taken(trial: Trial, name: Name, port: number, protocol: "tcp" | "udp"): Promise<void> {
  const socket = protocol === "tcp" ? "SOCK_STREAM" : "SOCK_DGRAM";
  const listen = protocol === "tcp" ? "listen($s, 5);" : "";
  // Connections that have just ended would be in its way.
  const reuse = protocol === "tcp" ? "setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);" : "";
  const script = `use Socket; socket($s, PF_INET, ${socket}, 0); ${reuse} bind($s, sockaddr_in(${port}, INADDR_ANY)) or die "bind: $!"; ${listen} sleep 100000`;
  await trial.on(name, "systemctl stop docker.socket docker.service");
  await trial.on(name, `systemd-run --quiet --unit=lab-taken-${port} perl -e '${script}'`);
  trial.finally(() => trial.on(name, `systemctl stop lab-taken-${port}.service 2>/dev/null || true`));
  await trial.on(name, `sleep 1; systemctl is-active lab-taken-${port}.service`);
  await trial.on(name, "systemctl start docker.service || true");
}

/** The hosts' own network. */
export const network: readonly FaultCase[] = [
  {
    title: "a manager whose partition has just healed",
    async play(trial) {
      const name = trial.manager();
      const heal = await trial.cut(name, "members");
      await sleep(40_000);
      await heal();
      await sleep(10_000);
      await trial.recheck();
    },
  },
  {
    title: "a worker parted from the others in the midst of a run",
    async play(trial) {
      const name = trial.worker();
      trial.cluster.edit({ label: trial.cluster.another("label") });
      const result = await trial.during(/reaching 5 hosts/, async () => {
        const heal = await trial.cut(name, "members");
        await sleep(20_000);
        await heal();
      });
      await trial.finish(result);
    },
  },
  {
    title: "a manager that hears nobody at all, and comes back",
    async play(trial) {
      const name = trial.choices.pick(managers);
      trial.touch(name);
      const heal = await trial.cut(name, "everything");
      trial.cluster.edit({ label: trial.cluster.another("label"), reachable: impatience });
      await trial.fails(new RegExp(`${keyOf(name)}: cannot be reached`));
      await heal();
      trial.cluster.edit({ reachable: patience });
      await trial.up();
    },
  },
  ...(
    [
      [7946, "tcp"],
      [4789, "udp"],
    ] as const
  ).map(([port, protocol]): FaultCase => ({
    title: `port ${port}/${protocol} taken on a host by another program`,
    async play(trial) {
      const name = trial.worker();
      await taken(trial, name, port, protocol);
      trial.cluster.lookAgain();
      await trial.fails(new RegExp(`${keyOf(name)}: .*${port}`));
      await trial.undo();
      await trial.recheck();
    },
  })),
  {
    title: "the addresses of two hosts swapped in the program",
    async play(trial) {
      const [one, two] = trial.choices.shuffled(managers);
      assert.ok(one && two);
      const before = trial.cluster.program;
      trial.cluster.edit({ swapped: [one, two] });
      await trial.refused(new RegExp(keyOf(one)), new RegExp(keyOf(two)), /Nothing was changed/);
      const { swapped: _swapped, ...restored } = { ...trial.cluster.program, ...before };
      trial.cluster.program = { ...restored, recheck: trial.cluster.another("look") };
      await trial.up();
    },
  },
];
