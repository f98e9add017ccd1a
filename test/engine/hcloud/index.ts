import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster, type SwarmClusterArgs } from "pulumi-swarm";
import * as hetzner from "pulumi-swarm/hetzner";

/** A cluster at Hetzner as the tests describe it, whose hosts are never dialled. */
interface Spec extends Omit<SwarmClusterArgs, "hosts"> {
  readonly groups: Readonly<Record<string, hetzner.HetznerHostsArgs>>;
  /** Whether work on the hosts fails. */
  readonly broken?: boolean;
  /** A file of hosts that exist only there, which the program itself asks in the middle of an `up`. @default - their real machines */
  readonly fleet?: string;
}

const { groups, broken = false, fleet, ...args } = JSON.parse(readFileSync(new pulumi.Config().require("spec"), "utf8")) as Spec;
if (fleet !== undefined) {
  Object.assign(process.env, { FLEET: fleet, FLEET_COMPONENTS: join(__dirname, "../../../dist/components") });
  // It puts other hosts into the places of those that the package would reach.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  require("../fleet/fake.js");
}
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
