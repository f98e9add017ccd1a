// A Docker Swarm of two hosts on this machine, each a container that is a whole machine.
using System.Collections.Generic;
using Pulumi;
using PulumiSwarm.Swarm;
using PulumiSwarm.Swarm.Inputs;

return await Deployment.RunAsync(() =>
{
    var network = new Config().Get("network") ?? "10.213.0.0/16";
    HostGroupArgs Hosts(HostRole role) => new HostGroupArgs { Provider = HostProvider.Local, Role = role, Network = network };

    var cluster = new Cluster(Deployment.Instance.StackName, new ClusterArgs
    {
        Hosts = new() { ["control"] = Hosts(HostRole.Manager), ["edge"] = Hosts(HostRole.Worker) },
        Overlay = new OverlayArgs { Kind = OverlayKind.Native },
        Networks = new() { ["web"] = new NetworkArgs(), ["db"] = new NetworkArgs { Internal = true } },
        Firewall = new FirewallArgs
        {
            Expose = new() { ["https"] = new ExposeArgs { Port = 443, From = new() { "world" } } },
        },
    });

    return new Dictionary<string, object?>
    {
        ["dockerHost"] = cluster.DockerHost,
        ["swarmId"] = cluster.SwarmId,
        ["hosts"] = cluster.Hosts,
        ["networks"] = cluster.Networks,
    };
});
