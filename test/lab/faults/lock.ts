import type { CommandResult } from "../../../tools/lab/pulumi";
import type { FaultCase, Trial } from "./trial";

const sign = /changing to its new key/;

/** A run that is still there, and does nothing more. */
interface Stuck {
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<CommandResult>;
}

/** Starts a run, and waits until it is in the midst of its work. */
async function inTheMidst(trial: Trial): Promise<Stuck> {
  const { cluster } = trial;
  cluster.edit({ rotation: cluster.another("rotation") });
  let group = 0;
  let running = true;
  let reached: () => void = () => {};
  const midst = new Promise<void>((resolve) => (reached = resolve));
  const killWhen = (output: string): boolean => {
    if (sign.test(output)) reached();
    return false;
  };
  const ended = cluster.run({ onStart: (id) => (group = id), killWhen }).finally(() => (running = false));
  const signal = (name: NodeJS.Signals): void => void (running && group > 0 && process.kill(-group, name));
  trial.finally(async () => {
    signal("SIGKILL");
    await ended;
  });
  await Promise.race([midst, ended.then(({ stdout, stderr }) => Promise.reject(new Error(`it never printed ${sign}: ${stdout}${stderr}`)))]);
  return { signal, ended };
}

/** Runs that meet each other. */
export const lock: readonly FaultCase[] = [
  {
    title: "a run that lost its network for good, and the next one",
    async play(trial) {
      const { signal, ended } = await inTheMidst(trial);
      // Its connections stay open on the hosts, as if the machine at their other end had vanished.
      await Promise.all(
        trial.cluster.members.map(async (name) => {
          const ports = await trial.on(name, "ss -Htn state established 'sport = :22' | awk '{ sub(/.*:/, \"\", $4); print $4 }' | paste -sd, -");
          if (ports === "") return;
          const chain = (hook: string, side: string): string[] => [
            `chain ${hook} {`,
            `type filter hook ${hook} priority -400`,
            `tcp ${side} { ${ports} } drop`,
            "}",
          ];
          await trial.load(name, "lab_vanished", [...chain("prerouting", "sport"), ...chain("output", "dport")]);
          trial.finally(() => trial.on(name, "nft delete table inet lab_vanished 2>/dev/null || true"));
        }),
      );
      signal("SIGKILL");
      await ended;
      await nextRun(trial);
    },
  },
  {
    title: "a run whose machine fell asleep, and the next one from elsewhere",
    async play(trial) {
      const { signal } = await inTheMidst(trial);
      signal("SIGSTOP");
      await nextRun(trial);
      // It must not wake up beside the next one's work: here its machine never does.
      signal("SIGKILL");
    },
  },
];

async function nextRun(trial: Trial): Promise<void> {
  await trial.cluster.lab.stack.cancel();
  const started = Date.now();
  await trial.up();
  trial.note(`the next run took ${Math.round((Date.now() - started) / 1000)} s`);
}
