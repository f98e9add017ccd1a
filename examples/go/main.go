// A Docker Swarm of two hosts on this machine, each a container that is a whole machine.
package main

import (
	"github.com/pulumi-swarm/pulumi-swarm/sdk/go/swarm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		network := config.Get(ctx, "network")
		if network == "" {
			network = "10.213.0.0/16"
		}
		hosts := func(role swarm.HostRole) swarm.HostGroupArgs {
			return swarm.HostGroupArgs{Provider: swarm.HostProviderLocal, Role: role, Network: &network}
		}
		cluster, err := swarm.NewCluster(ctx, ctx.Stack(), &swarm.ClusterArgs{
			Hosts:    map[string]swarm.HostGroupArgs{"control": hosts(swarm.HostRoleManager), "edge": hosts(swarm.HostRoleWorker)},
			Overlay:  &swarm.OverlayArgs{Kind: swarm.OverlayKindNative},
			Networks: map[string]swarm.NetworkArgs{"web": {}, "db": {Internal: pulumi.BoolRef(true)}},
			Firewall: &swarm.FirewallArgs{
				Expose: map[string]swarm.ExposeArgs{"https": {Port: pulumi.Float64Ref(443), From: []string{"world"}}},
			},
		})
		if err != nil {
			return err
		}
		ctx.Export("dockerHost", cluster.DockerHost)
		ctx.Export("swarmId", cluster.SwarmId)
		ctx.Export("hosts", cluster.Hosts)
		ctx.Export("networks", cluster.Networks)
		return nil
	})
}
