import type { TopologyGateway } from "../topology/topology";
import { type ClusterChange, type Finding, joined, list, said, type Text, text, words } from "./findings";

/** What containers reach outside the swarm from now on, or no more. */
export function gatewayFindings({ before, after }: ClusterChange): Finding[] {
  // With the cluster, its networks and all that is on them go.
  if (!after) return [];
  const was = new Map((before?.gateways ?? []).map((gateway) => [gateway.name, gateway]));
  const kept = new Set(after.gateways.map(({ name }) => name));
  const found = (kind: Finding["kind"], { name }: TopologyGateway, what: Text): Finding => ({ section: "gateways", kind, subject: name, text: what });
  return [
    ...after.gateways.flatMap((gateway) => {
      const old = was.get(gateway.name);
      if (!old) return [found("added", gateway, text`opened: ${describe(gateway)}; encrypted up to these hosts: ${said(gateway.encryptedBy)}`)];
      const same = old.encryptedBy === gateway.encryptedBy;
      const way = same ? [] : [text`encrypted up to its hosts: ${said(gateway.encryptedBy)} instead of ${said(old.encryptedBy)}`];
      const differences = differencesOf(old, gateway);
      if (differences.length + way.length === 0) return [];
      const closes = differences.length === 0 ? "" : ". Connections through it are closed, one task after the other";
      return [found("changed", gateway, text`gateway ${gateway.name}: ${joined([...differences, ...way], "; ")}${words(closes)}`)];
    }),
    ...[...was.values()]
      .filter(({ name }) => !kept.has(name))
      .map((gateway) => found("removed", gateway, text`closed: ${describe(gateway, "no longer reach")}`)),
  ];
}

function describe({ name, port, networks, to, targetPort, on }: TopologyGateway, reach = "reach"): Text {
  return text`containers on ${list(networks)} ${words(reach)} ${`${to}:${targetPort}`} as ${`${name}:${port}`}, through hosts of ${on}`;
}

function differencesOf(was: TopologyGateway, now: TopologyGateway): Text[] {
  const more = now.networks.filter((network) => !was.networks.includes(network));
  const less = was.networks.filter((network) => !now.networks.includes(network));
  const leads = ({ to, targetPort }: TopologyGateway): string => `${to}:${targetPort}`;
  return [
    ...(leads(was) === leads(now) ? [] : [text`leads to ${leads(now)} instead of ${leads(was)}`]),
    ...(was.port === now.port ? [] : [text`answers at port ${now.port} instead of ${was.port}`]),
    ...(was.on === now.on ? [] : [text`runs on hosts of ${now.on} instead of ${was.on}`]),
    ...(more.length === 0 ? [] : [text`also opened to ${list(more)}`]),
    ...(less.length === 0 ? [] : [text`closed to ${list(less)}`]),
    ...(was.image === now.image ? [] : [text`its image is ${now.image} instead of ${was.image}`]),
  ];
}
