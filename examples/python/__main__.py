"""A Docker Swarm of two hosts on this machine, each a container that is a whole machine."""

import pulumi
import pulumi_swarm as swarm

network = pulumi.Config().get("network") or "10.213.0.0/16"


def hosts(role: swarm.HostRole) -> swarm.HostGroupArgs:
    return swarm.HostGroupArgs(provider=swarm.HostProvider.LOCAL, role=role, network=network)


cluster = swarm.Cluster(
    pulumi.get_stack(),
    hosts={"control": hosts(swarm.HostRole.MANAGER), "edge": hosts(swarm.HostRole.WORKER)},
    overlay=swarm.OverlayArgs(kind=swarm.OverlayKind.NATIVE),
    networks={"web": swarm.NetworkArgs(), "db": swarm.NetworkArgs(internal=True)},
    firewall=swarm.FirewallArgs(expose={"https": swarm.ExposeArgs(port=443, from_=["world"])}),
)

pulumi.export("docker_host", cluster.docker_host)
pulumi.export("swarm_id", cluster.swarm_id)
pulumi.export("hosts", cluster.hosts)
pulumi.export("networks", cluster.networks)
