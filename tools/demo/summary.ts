import { sceneOf } from "../../components/picture/scene";
import type { Topology } from "../../components/topology/topology";

/** Where what the demo wrote is, as a person types it. */
export interface DemoFiles {
  /** To be read by a shell, for `docker` to talk to the swarm. */
  readonly env: string;
  /** The picture, as a browser opens it. */
  readonly picture: string;
}

/** The whole demo for somebody who never saw a swarm, in ten lines at most. */
export function summaryOf(topology: Topology, { env, picture }: DemoFiles): string[] {
  return [
    hostsLine(topology),
    managersLine(topology),
    ...networksLines(topology),
    openLine(topology),
    encryptedLine(topology),
    `See it:     ${picture}`,
    `Use it:     . ${env} && docker node ls   (in this shell, then docker as ever)`,
    "Keep it:    docker context create demo --docker host=$DOCKER_HOST   (in such a shell, once)",
    "Change it:  set workers in Pulumi.local.yaml, as Pulumi.local.example.yaml does; npm run demo then does only what differs",
    "Remove it:  npm run demo:down   (leaves no trace)",
  ];
}

function hostsLine({ hosts }: Topology): string {
  return `You have a Docker Swarm of ${hosts.length === 1 ? "one machine" : `${hosts.length} machines`}: ${listed(hosts.map(({ key }) => key))}. Each is a container of this computer that behaves as a whole machine.`;
}

function managersLine({ hosts }: Topology): string {
  const managers = hosts.filter(({ role }) => role === "manager").length;
  const [away, workers] = [Math.floor((managers - 1) / 2), hosts.length - managers];
  const who = managers === 1 ? "One decides" : managers === hosts.length ? "All of them decide together" : `${managers} decide together`;
  const fails = away === 0 ? "where one fails, nothing can be changed until it is back" : `${away} may fail, and the swarm can still be changed`;
  const others = workers === 1 ? "The other one only runs containers (a worker)." : `The other ${workers} only run containers (workers).`;
  return `${who} what runs where (${managers === 1 ? "the manager" : "managers"}): ${fails}. ${workers === 0 ? "Containers run on all." : others}`;
}

function networksLines({ networks }: Topology): string[] {
  if (networks.length === 0) return [];
  const names = networks.map(({ name, internal }) => `"${name}"${internal ? " (no way out to the Internet)" : ""}`);
  return [
    `Containers meet on ${networks.length === 1 ? "the network" : "the networks"} ${listed(names)}: they find each other by name, whichever machines they run on.`,
  ];
}

function openLine(topology: Topology): string {
  const { openings } = sceneOf(topology);
  const of = (kind: string): string[] => openings.filter((opening) => opening.kind === kind).map(({ name }) => name);
  const [world, some] = [of("world"), of("opening")];
  const rest = topology.enforced === "none" ? "The machines themselves close nothing." : "Each machine turns everything else away.";
  return `Open to the world: ${world.length === 0 ? "nothing" : listed(world)}. Open to this computer: ${some.length === 0 ? "nothing" : listed(some)}. ${rest}`;
}

/** Channels in words of every day. The underlay is none of them: what it carries is named. */
const everyday: Readonly<Record<string, string>> = {
  administration: "your commands",
  "swarm control": "what managers say",
  gossip: "what machines tell each other",
  "overlay data": "data between containers",
  "raft log": "the managers' records",
  etcd: "the overlay's own store",
  disks: "disks",
};

function encryptedLine({ encryption }: Topology): string {
  const of = (protects: boolean): string[] =>
    Object.entries(everyday).flatMap(([name, words]) =>
      encryption.some((each) => each.channel === name && each.protects === protects) ? [words] : [],
    );
  const [safe, bare] = [of(true), of(false)];
  return `Encrypted: ${listed(safe)}. Not encrypted: ${bare.length === 0 ? "nothing" : `${listed(bare)}; none of it leaves this computer`}.`;
}

const mostNames = 6;

function listed(names: readonly string[]): string {
  const shown = names.length > mostNames ? [...names.slice(0, mostNames - 1), `${names.length - mostNames + 1} more`] : names;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}
