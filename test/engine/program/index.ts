import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { native, SwarmCluster, type SwarmClusterArgs, wireguard } from "pulumi-swarm";
import * as existing from "pulumi-swarm/existing";

/** A cluster as the tests describe it, whose hosts are never dialled: what would work on them says what it would say. */
interface Spec extends Omit<SwarmClusterArgs, "hosts" | "underlay" | "overlay"> {
  readonly groups: Readonly<Record<string, existing.ExistingHostsArgs>>;
  readonly wireguard?: Parameters<typeof wireguard>[0];
  readonly native?: Parameters<typeof native>[0];
}

const file = new pulumi.Config().require("spec");
const { groups, wireguard: mesh, native: overlay, ...args } = JSON.parse(readFileSync(file, "utf8")) as Spec;
const pretend = (said: object): object => ({
  interpreter: ["/bin/sh", "-c"],
  create: `cat >/dev/null; echo '${JSON.stringify(said)}'`,
  delete: "true",
});

const swarm = new SwarmCluster("prod", {
  ...args,
  hosts: Object.fromEntries(Object.entries(groups).map(([key, group]) => [key, existing.hosts({ privateKey: "a key", ...group })])),
  ...(mesh && { underlay: wireguard(mesh) }),
  ...(overlay && { overlay: native(overlay) }),
  transform: { swarm: pretend({ swarmId: "swarm", hosts: {} }), network: pretend({ id: "network" }) },
});

export const summary = swarm.summary;
