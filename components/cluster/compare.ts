import { mixProblem, type NamedEngine, swarmProblem } from "../engine/known";
import { parsePorts } from "../firewall/ports";
import { Cidr, isCidr } from "../addresses/cidr";
import type { SeenSwarm } from "../agents/read-swarm";
import type { ClusterPlan } from "./planned";

/**
 * What an `up` would find different from the plan, or would change, in an adopted swarm. Pure.
 *
 * @returns sentences; none if everything is as planned.
 */
export function compareSwarm(plan: ClusterPlan, seen: SeenSwarm): string[] {
  return [...compareNodes(plan, seen), ...compareNetworks(plan, seen), ...closedPorts(plan, seen)];
}

/**
 * Engines of a swarm that is adopted with which an `up` would be refused. Pure. Members that are not in the program count: they carry the
 * swarm's networks too.
 *
 * @returns sentences with what to do; none where all can stay.
 */
export function engineRefusals({ hosts, needs }: Pick<ClusterPlan, "hosts" | "needs">, { nodes }: SeenSwarm): string[] {
  const keys = new Map(hosts.map(({ key, address }) => [address, key]));
  const engines = nodes.flatMap(({ hostname, address, engine }): NamedEngine[] =>
    engine === undefined ? [] : [{ key: keys.get(address) ?? hostname, version: engine }],
  );
  const bad = engines.flatMap(({ key, version }) => {
    const problem = swarmProblem(version);
    return problem ? [`${key}: its ${problem.message}. Fix: ${problem.fix}`] : [];
  });
  const mixed = needs.features.includes("ipsec") ? mixProblem(engines) : undefined;
  return mixed ? [...bad, `${mixed.message}. Fix: ${mixed.fix}`] : bad;
}

function compareNodes({ hosts }: ClusterPlan, { nodes }: SeenSwarm): string[] {
  const byAddress = new Map(nodes.map((node) => [node.address, node]));
  const own = hosts.flatMap(({ key, role, address = "" }): string[] => {
    const node = byAddress.get(address);
    if (!node) return [`${key} (${address || "address not known yet"}) is no member by that address: it would join as ${role}`];
    const other = node.role === role ? [] : [`${key} is a ${node.role} and planned as ${role}: it would be refused`];
    return node.state === "ready" ? other : [...other, `${key} is a member that the managers see as ${node.state}`];
  });
  const planned = new Set(hosts.map(({ address }) => address));
  const strangers = nodes.filter(({ address }) => !planned.has(address)).map(({ hostname, role }) => `${hostname} (${role})`);
  return [...own, ...(strangers.length > 0 ? [`${strangers.join(", ")} would be left alone: not in the program`] : [])];
}

function compareNetworks({ networks: planned }: ClusterPlan, { networks }: SeenSwarm): string[] {
  return planned.flatMap(({ name, subnet }): string[] => {
    const own = Cidr.parse(subnet);
    const same = networks.find((network) => network.name === name);
    if (same) return same.subnets.includes(subnet) ? [] : [`the network ${name} is there already, as ${same.subnets.join(", ")} and not ${subnet}`];
    const clash = networks.find(({ subnets }) =>
      subnets.map((text) => Cidr.parse(text)).some((other) => isCidr(other) && isCidr(own) && other.overlaps(own)),
    );
    return clash ? [`the network ${name} would be made at ${subnet}, where ${clash.name} is (${clash.subnets.join(", ")})`] : [];
  });
}

/** The first `up` closes them. */
function closedPorts({ firewall, enforced }: ClusterPlan, { services }: SeenSwarm): string[] {
  if (enforced === "none") return [];
  const open = (text: string): boolean => {
    const [port = "", protocol = ""] = text.split("/");
    return firewall.some(
      (rule) => rule.answers === "container" && rule.protocol === protocol && rule.ports.some((range) => holds(range, Number(port))),
    );
  };
  return services.flatMap(({ name, published }) =>
    published
      .filter((port) => !open(port))
      .map((port) => `the service ${name} publishes ${port}, which no firewall.expose names: it would be closed`),
  );
}

function holds(range: string, port: number): boolean {
  const ports = parsePorts(range);
  return ports !== undefined && ports.first <= port && port <= ports.last;
}
