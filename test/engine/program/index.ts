import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { calico, flannel, native, openvswitch, SwarmCluster, type SwarmClusterArgs, weave, wireguard } from "pulumi-swarm";
import * as existing from "pulumi-swarm/existing";
import { clientKey } from "../../unit/client-key";

/** A cluster as the tests describe it, whose hosts are never dialled: what would work on them says what it would say. */
interface Spec extends Omit<SwarmClusterArgs, "hosts" | "underlay" | "overlay"> {
  readonly groups: Readonly<Record<string, existing.ExistingHostsArgs>>;
  readonly wireguard?: Parameters<typeof wireguard>[0];
  readonly native?: Parameters<typeof native>[0];
  readonly weave?: Parameters<typeof weave>[0];
  readonly flannel?: Parameters<typeof flannel>[0];
  readonly calico?: Parameters<typeof calico>[0];
  readonly openvswitch?: Parameters<typeof openvswitch>[0];
  /** A file of hosts that exist only there: the package's own programs work on them. */
  readonly fleet?: string;
}

const file = new pulumi.Config().require("spec");
const {
  groups,
  wireguard: mesh,
  native: docker,
  weave: router,
  flannel: routed,
  calico: announced,
  openvswitch: switched,
  fleet,
  ...args
} = JSON.parse(readFileSync(file, "utf8")) as Spec;
const pretend = (said: object): object => ({
  interpreter: ["/bin/sh", "-c"],
  create: `cat >/dev/null; echo '${JSON.stringify(said)}'`,
  delete: "true",
});

/** Pulumi, plugin and programs as they are; only what they reach of a host is not. */
function onFleet(file: string): NonNullable<SwarmClusterArgs["transform"]> {
  const fake = join(__dirname, "../fleet/fake.js");
  const work = { interpreter: ["node", "--require", fake], environment: { FLEET: file } };
  return { intent: work, swarm: work, nodes: work };
}

const swarm = new SwarmCluster("prod", {
  ...args,
  hosts: Object.fromEntries(Object.entries(groups).map(([key, group]) => [key, existing.hosts({ privateKey: clientKey, ...group })])),
  ...(mesh && { underlay: wireguard(mesh) }),
  ...(docker && { overlay: native(docker) }),
  ...(router && { overlay: weave(router) }),
  ...(routed && { overlay: flannel(routed) }),
  ...(announced && { overlay: calico(announced) }),
  ...(switched && { overlay: openvswitch(switched) }),
  transform:
    fleet !== undefined
      ? onFleet(fleet)
      : {
          intent: pretend({ mark: "mark", generation: 1 }),
          swarm: pretend({ swarmId: "swarm", generation: 1 }),
          nodes: pretend({ hosts: {} }),
          network: pretend({ id: "network" }),
          gateway: pretend({ id: "service", mark: "mark" }),
        },
});

export const summary = swarm.summary;
export const swarmId = swarm.swarmId;
/** How many hosts are said to be members. */
export const members = swarm.hosts.apply((hosts) => Object.values(hosts).filter(({ nodeId }) => nodeId !== "").length);
