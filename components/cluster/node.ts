import * as pulumi from "@pulumi/pulumi";
import type { HostRole, Machine, PlannedHost } from "../hosts/host";
import type { Connection } from "../remote/connection";
import type { ClusterHost } from "./index";

/**
 * One host of a cluster: what the plan says of it, known at preview, and what it came to be. Outputs are made when they are asked
 * for, since a cluster may have a thousand hosts.
 */
export class ClusterNode {
  /** The plan of the host: group, zone, labels, addresses as far as they are planned. */
  readonly plan: PlannedHost;
  /** Stands for the host and its machine: `dependsOn` it waits until the machine is made. What needs the swarm takes `nodeId`. */
  readonly resource: pulumi.Resource;

  constructor(
    host: PlannedHost,
    resource: pulumi.Resource,
    private readonly machine: Machine,
    private readonly hosts: pulumi.Output<Readonly<Record<string, ClusterHost>>>,
  ) {
    this.plan = host;
    this.resource = resource;
  }

  /** Such as `edge-1`; it is the name of the node in the swarm's list where the machine's own name is the same. */
  get key(): string {
    return this.plan.key;
  }

  /** What it is in the swarm, or is to become. */
  get role(): HostRole {
    return this.plan.role;
  }

  /** Key of the site where it stands. */
  get site(): string {
    return this.plan.site;
  }

  /** Within its site. Undefined where only the machine can tell. */
  get plannedAddress(): string | undefined {
    return this.plan.address;
  }

  /** Within its site, as the machine has it. */
  get address(): pulumi.Output<string> {
    return pulumi.output(this.machine.address);
  }

  /** The cloud's id of the machine; of a machine of your own, its host key. It changes exactly when the machine is another one. */
  get machineId(): pulumi.Output<string> {
    return pulumi.output(this.machine.id);
  }

  /** Docker's id of the node. Known when the host is a member of the swarm. */
  get nodeId(): pulumi.Output<string> {
    return this.hosts.apply((hosts) => hosts[this.key]?.nodeId ?? "");
  }

  /** How it is reached over SSH. Secret. */
  get connection(): pulumi.Output<Connection> {
    return pulumi.secret(this.machine.connection);
  }
}
