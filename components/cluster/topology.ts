import type { ClusterPlan } from "./planned";
import { slug } from "../slug";
import { byName, type Topology } from "../topology/topology";

/** The shape of a planned cluster. */
export function topologyOf(cluster: string, plan: ClusterPlan): Topology {
  const { addressSpace, overlay, underlay, mtu, enforced } = plan;
  return {
    cluster,
    addressSpace,
    overlay,
    underlay,
    mtu,
    enforced,
    hosts: byName(plan.hosts, ({ key }) => key).map(({ place: _place, sshPort: _port, labels: _labels, ...host }) => host),
    networks: byName(plan.networks, ({ name }) => name).map(({ name, subnet, internal }) => ({ name, subnet, internal })),
    gateways: byName(plan.gateways, ({ name }) => name).map(({ hosts: _hosts, replicas: _replicas, ...gateway }) => gateway),
    subnets: byName(plan.subnets, ({ owner }) => slug(owner)).map(({ owner, cidr, purpose, pinned }) => ({ owner, cidr, purpose, pinned })),
    rules: byName(
      plan.firewall.map((rule) => ({ ...rule, name: slug(rule.name) })),
      ({ name }) => name,
    ),
    policies: byName(plan.policies, ({ name }) => slug(name)),
    peers: byName(plan.peers, ({ name }) => name),
    trunks: byName(plan.trunks, ({ name }) => name),
    encryption: byName(plan.encryption, ({ channel }) => slug(channel)),
    programs: byName(plan.programs, ({ name }) => slug(name)).map(({ name, version }) => ({ name, version })),
  };
}
