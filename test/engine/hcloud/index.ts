import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster, type SwarmClusterArgs } from "pulumi-swarm";
import * as hetzner from "pulumi-swarm/hetzner";

/** A cluster at Hetzner as the tests describe it, whose hosts are never dialled. */
interface Spec extends Omit<SwarmClusterArgs, "hosts"> {
  readonly groups: Readonly<Record<string, hetzner.HetznerHostsArgs>>;
  /** Whether work on the hosts fails. */
  readonly broken?: boolean;
}

const { groups, broken = false, ...args } = JSON.parse(readFileSync(new pulumi.Config().require("spec"), "utf8")) as Spec;
const pretend = (said: object): object => ({
  interpreter: ["/bin/sh", "-c"],
  create: `cat >/dev/null; echo '${JSON.stringify(said)}'${broken ? "; exit 1" : ""}`,
  delete: "true",
});

new SwarmCluster("cl", {
  ...args,
  hosts: Object.fromEntries(Object.entries(groups).map(([key, group]) => [key, hetzner.hosts(group)])),
  transform: {
    intent: pretend({ mark: "mark", generation: 1 }),
    swarm: pretend({ swarmId: "swarm", generation: 1 }),
    nodes: pretend({ hosts: {} }),
    network: pretend({ id: "network" }),
  },
});
