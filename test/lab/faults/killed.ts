import type { Program } from "./cluster";
import type { FaultCase, Trial } from "./trial";

/** An edit in whose midst the machine on which Pulumi runs loses power. */
interface Moment {
  readonly title: string;
  readonly quick?: true;
  readonly edit: (trial: Trial) => Partial<Program>;
  readonly sign: RegExp;
}

const moments: readonly Moment[] = [
  {
    title: "while the hosts are looked at",
    quick: true,
    edit: ({ cluster }) => ({ recheck: cluster.another("look") }),
    sign: /reaching 5 hosts/,
  },
  {
    title: "while the tunnel's keys change",
    edit: ({ cluster }) => ({ rotation: cluster.another("rotation") }),
    sign: /changing to its new key/,
  },
  {
    title: "while a network is made",
    quick: true,
    edit: ({ cluster: { program } }) => ({ networks: program.networks.includes("db") ? ["web"] : ["web", "db"] }),
    sign: /fault-db (creating|deleting)/,
  },
  {
    title: "while workers become managers or managers workers",
    quick: true,
    edit: ({ cluster: { program } }) => ({ edgeRole: program.edgeRole === "worker" ? "manager" : "worker" }),
    sign: /becomes a (manager|worker)/,
  },
  {
    title: "while an engine restarts for its settings",
    edit: ({ cluster: { program } }) => ({ logDriver: program.logDriver === "local" ? "json-file" : "local" }),
    sign: /restarting Docker/,
  },
  {
    title: "while a port is opened and labels change",
    edit: ({ cluster }) => ({ port: cluster.program.port === 8443 ? 8444 : 8443, label: cluster.another("label") }),
    sign: /fault-swarm updating/,
  },
];

export const killed: readonly FaultCase[] = [
  ...moments.map(({ title, quick, edit, sign }): FaultCase => ({
    title: `a run killed ${title}`,
    ...(quick && { quick }),
    async play(trial) {
      const { cluster, choices } = trial;
      const before = cluster.program;
      cluster.edit(edit(trial));
      await trial.killed(sign);
      // Half of all users go on, the others take the edit back.
      const goOn = choices.pick([true, false]);
      trial.note(goOn ? "goes on" : "takes the edit back");
      if (!goOn) cluster.edit({ ...before, recheck: cluster.another("look") });
      await trial.up();
    },
  })),
  {
    title: "a run killed while a host is taken out, which then stays",
    async play(trial) {
      const { cluster } = trial;
      const out = trial.worker();
      const before = cluster.program;
      cluster.edit({ edge: before.edge.filter((name) => name !== out) });
      await trial.killed(/is drained|is taken out|has left the swarm/);
      cluster.edit({ ...before, recheck: cluster.another("look") });
      trial.renewed.add(out);
      await trial.up();
    },
  },
  {
    title: "a run killed while a host comes back",
    async play(trial) {
      const { cluster } = trial;
      const out = trial.worker();
      const before = cluster.program;
      cluster.edit({ edge: before.edge.filter((name) => name !== out) });
      await trial.up();
      trial.renewed.add(out);
      cluster.edit(before);
      await trial.killed(/joins as worker/);
      await trial.up();
    },
  },
];
