import assert from "node:assert/strict";
import { docker, makeHostImages, startMachine } from "../../../tools/lab/machines";
import { keyOf } from "./cluster";
import type { FaultCase } from "./trial";

/** What machines are like before anything of ours is on them. */
export const machines: readonly FaultCase[] = [
  {
    title: "a clock that is an hour ahead",
    async play(trial) {
      const name = trial.victim();
      // All hosts of the lab share one clock, so that only what is read of it can be wrong.
      const date = '#!/bin/sh\\ncase "$*" in +%%s) echo $(($(/usr/bin/date +%%s) + 3600)) ;; *) exec /usr/bin/date "$@" ;; esac\\n';
      await trial.on(name, `printf '${date}' >/usr/local/bin/date && chmod +x /usr/local/bin/date`);
      trial.finally(() => trial.on(name, "rm -f /usr/local/bin/date"));
      trial.cluster.lookAgain();
      await trial.refusedOn(name, new RegExp(`${keyOf(name)}: its clock is 3[56]\\d\\d s ahead of this machine's`));
      await trial.undo();
      await trial.recheck();
    },
  },
  {
    title: "a fresh machine without Docker, on which another program holds apt's lock",
    async play(trial) {
      const { cluster } = trial;
      const name = trial.worker();
      trial.renewed.add(name);
      const image = "pulumi-swarm-host:trixie-bare";
      await makeHostImages(image);
      const machine = cluster.machine(name);
      await docker("rm", "-f", "-v", machine);
      await startMachine({ name: machine, network: "fault-net-rack", address: cluster.address(name), keys: cluster.sites.keys, image });
      const hold =
        'use Fcntl; open(my $f, ">", "/var/lib/dpkg/lock-frontend") or die; my $all = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLKW, $all) or die; sleep 25';
      await trial.on(name, `nohup perl -e '${hold}' >/dev/null 2>&1 & sleep 1; pgrep perl >/dev/null`);
      cluster.lookAgain();
      const result = await cluster.run();
      trial.note(result.code === 0 ? "waited for it" : "failed first");
      if (result.code !== 0) {
        assert.match(result.stdout + result.stderr, new RegExp(`${keyOf(name)}: .*lock`));
        await trial.recheck();
      }
      await cluster.putImage(name);
    },
  },
];
