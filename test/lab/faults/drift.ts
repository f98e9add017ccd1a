import assert from "node:assert/strict";
import { eventually } from "../../../tools/lab/cluster";
import { keyOf, type Name, names } from "./cluster";
import type { FaultCase, Trial } from "./trial";

/** Something that is undone on a host behind Pulumi's back, and is there again after an `up` that looks. */
interface Drift {
  readonly title: string;
  readonly quick?: true;
  readonly how: string;
  readonly among?: readonly Name[];
}

const drifts: readonly Drift[] = [
  { title: "all nftables rules flushed", how: "nft flush ruleset" },
  { title: "a hole in our rules", how: "nft insert rule inet pulumi_swarm input tcp dport 1-65535 accept" },
  { title: "a deleted tunnel", quick: true, how: "ip link delete swarm0" },
  { title: "a deleted tunnel key", how: "rm -f /etc/pulumi-swarm/wireguard/private.key" },
  { title: "a deleted /etc/pulumi-swarm", how: "rm -rf /etc/pulumi-swarm" },
  { title: "a stopped firewall unit", how: "systemctl stop pulumi-swarm-firewall.service" },
  { title: "no DNS", how: "umount /etc/resolv.conf 2>/dev/null; echo nameserver 192.0.2.1 >/etc/resolv.conf" },
];

export const drift: readonly FaultCase[] = [
  ...drifts.map(({ title, quick, how, among = names }): FaultCase => ({
    title: `${title} on a host`,
    ...(quick && { quick }),
    async play(trial) {
      await trial.on(trial.victim(among), how);
      await trial.recheck();
    },
  })),
  {
    title: "the ingress network removed by hand",
    async play(trial) {
      await trial.cluster.ask("yes | docker network rm ingress");
      await trial.recheck();
      assert.equal(await trial.cluster.ask("docker network ls -q -f name=ingress | wc -l"), "1");
    },
  },
  {
    title: "a network removed by hand",
    async play(trial) {
      await withNetwork(trial);
      await trial.cluster.ask("docker network rm db");
      await trial.recheck();
    },
  },
  {
    title: "a network removed by hand, whose resource the user replaces",
    async play(trial) {
      await withNetwork(trial);
      await trial.cluster.ask("docker network rm db");
      const state = JSON.parse(await trial.cluster.lab.stack.export()) as { deployment: { resources: { urn: string }[] } };
      const urn = state.deployment.resources.find((resource) => resource.urn.endsWith("command:local:Command::fault-db"))?.urn;
      assert.ok(urn, "the network is in the state");
      await trial.up("--replace", urn);
    },
  },
  {
    title: "docker_gwbridge deleted by hand",
    async play(trial) {
      const name = trial.victim();
      const remove =
        "for end in $(docker network inspect docker_gwbridge -f '{{range .Containers}}{{.Name}} {{end}}'); do " +
        "docker network disconnect -f docker_gwbridge $end; done; docker network rm docker_gwbridge";
      await trial.on(name, remove);
      await trial.recheck();
      await trial.on(name, "docker network inspect docker_gwbridge >/dev/null");
    },
  },
  {
    title: "nftables restarted on a host, with no run after it",
    async play(trial) {
      const name = trial.victim();
      await trial.on(name, "systemctl restart nftables.service");
      await eventually("rules that are back by themselves", 10, async () =>
        (await trial.on(name, "nft list tables")).includes("pulumi_swarm") ? true : undefined,
      );
    },
  },
  {
    title: "a daemon.json that is no JSON",
    async play(trial) {
      const name = trial.victim();
      const file = "/etc/docker/daemon.json";
      await trial.on(name, `cp ${file} /root/daemon.json; echo '{ "log-driver": ' >${file}`);
      trial.finally(() => trial.on(name, `cp /root/daemon.json ${file}`));
      trial.cluster.lookAgain();
      await trial.fails(new RegExp(`${keyOf(name)}: .*daemon\\.json`));
      await trial.undo();
      await trial.recheck();
    },
  },
];

/** A network on which nothing lives. */
async function withNetwork(trial: Trial): Promise<void> {
  const { cluster } = trial;
  if (!cluster.program.networks.includes("db")) {
    cluster.edit({ networks: ["web", "db"] });
    await trial.up();
  }
  trial.replacedNetworks.add("db");
}
