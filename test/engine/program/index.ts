import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { flannel, native, SwarmCluster, type SwarmClusterArgs, weave, wireguard } from "pulumi-swarm";
import * as existing from "pulumi-swarm/existing";

/** A cluster as the tests describe it, whose hosts are never dialled: what would work on them says what it would say. */
interface Spec extends Omit<SwarmClusterArgs, "hosts" | "underlay" | "overlay"> {
  readonly groups: Readonly<Record<string, existing.ExistingHostsArgs>>;
  readonly wireguard?: Parameters<typeof wireguard>[0];
  readonly native?: Parameters<typeof native>[0];
  readonly weave?: Parameters<typeof weave>[0];
  readonly flannel?: Parameters<typeof flannel>[0];
}

const file = new pulumi.Config().require("spec");
const { groups, wireguard: mesh, native: docker, weave: router, flannel: routed, ...args } = JSON.parse(readFileSync(file, "utf8")) as Spec;
const pretend = (said: object): object => ({
  interpreter: ["/bin/sh", "-c"],
  create: `cat >/dev/null; echo '${JSON.stringify(said)}'`,
  delete: "true",
});

const swarm = new SwarmCluster("prod", {
  ...args,
  hosts: Object.fromEntries(Object.entries(groups).map(([key, group]) => [key, existing.hosts({ privateKey: "a key", ...group })])),
  ...(mesh && { underlay: wireguard(mesh) }),
  ...(docker && { overlay: native(docker) }),
  ...(router && { overlay: weave(router) }),
  ...(routed && { overlay: flannel(routed) }),
  transform: { intent: pretend({ mark: "mark", generation: 1 }), swarm: pretend({ swarmId: "swarm", hosts: {} }), network: pretend({ id: "network" }) },
});

export const summary = swarm.summary;
