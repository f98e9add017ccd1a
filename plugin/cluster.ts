import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster } from "../components/cluster";
import { describeProblems } from "../components/cluster/plan";
import { claimNames } from "../components/names/claimed";
import type { ClusterArgs } from "./args";
import type { ClusterHost, ClusterNetwork, HostConnection } from "./outputs";
import { richArgs } from "./rich";

/** The type of the component, as programs of other languages name it. */
export const clusterType = "swarm:index:Cluster";

/**
 * A Docker Swarm over hosts of any kind. Before anything changes, the preview shows the whole plan: hosts, quorum, addresses, who
 * may connect to what, what encrypts what, and MTU.
 */
export class Cluster extends pulumi.ComponentResource {
  /** For `DOCKER_HOST` and `docker context create`: the first manager, over SSH. */
  readonly dockerHost: pulumi.Output<string>;
  /** Docker's id of the swarm. It stays the same when hosts join and leave. */
  readonly swarmId: pulumi.Output<string>;
  /** Each host after it is made, by its name. */
  readonly hosts: pulumi.Output<Record<string, ClusterHost>>;
  /** Each overlay network after it is made, by its name. */
  readonly networks: pulumi.Output<Record<string, ClusterNetwork>>;
  /** The plan as text: hosts, quorum, what is open to whom, what encrypts what, subnets, MTU. */
  readonly summary: pulumi.Output<string>;
  /**
   * An entry for Prometheus' `scrape_configs` on one line, with Docker's metrics of each host. Empty unless `engine.metrics` is `true`.
   */
  readonly prometheus: pulumi.Output<string>;
  /** How to reach each host over SSH. Secret. */
  readonly connections: pulumi.Output<Record<string, HostConnection>>;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const { args: rich, problems } = richArgs(args);
    if (problems.length > 0) throw new pulumi.RunError(describeProblems(name, problems));
    // The engine would refuse a second one by its URN, before anything is said in words.
    const twice = claimNames({ what: `swarm cluster "${name}"`, type: clusterType, name, parent: opts?.parent, names: [] });
    if (twice.length > 0) throw new pulumi.RunError(describeProblems(name, twice));
    super(clusterType, name, {}, opts);
    const swarm = new SwarmCluster(name, rich, { parent: this });
    this.dockerHost = swarm.dockerHost;
    this.swarmId = swarm.swarmId;
    this.hosts = swarm.hosts;
    this.networks = swarm.networks;
    this.summary = pulumi.output(swarm.summary);
    this.prometheus = swarm.prometheus;
    this.connections = swarm.connections as pulumi.Output<Record<string, HostConnection>>;
    this.registerOutputs({
      dockerHost: this.dockerHost,
      swarmId: this.swarmId,
      hosts: this.hosts,
      networks: this.networks,
      summary: this.summary,
      prometheus: this.prometheus,
      connections: this.connections,
    });
  }
}
