import * as pulumi from "@pulumi/pulumi";
import type { HostRole, Machine, PlannedHost } from "../hosts/host";
import type { Connection } from "../remote/connection";
import type { ClusterHost } from "./index";

/**
 * One host of a cluster: its plan, known at preview, and its outputs. Outputs are created only when you read them, because a
 * cluster may have a thousand hosts.
 */
export class ClusterNode {
  /** The plan of the host: group, zone, labels, and the addresses that are planned. */
  readonly plan: PlannedHost;
  /**
   * Represents the host and its machine. A resource with `dependsOn` it waits until the machine is made. If a resource needs the
   * swarm, use `nodeId`.
   */
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

  /** Such as `edge-1`. It is also the node's name in the swarm's list if the machine itself has this name. */
  get key(): string {
    return this.plan.key;
  }

  /** What it is in the swarm, or will be. */
  get role(): HostRole {
    return this.plan.role;
  }

  /** Key of its site. */
  get site(): string {
    return this.plan.site;
  }

  /** Its address within its site. Undefined if only the machine knows it. */
  get plannedAddress(): string | undefined {
    return this.plan.address;
  }

  /** The machine's address within its site. */
  get address(): pulumi.Output<string> {
    return pulumi.output(this.machine.address);
  }

  /** The cloud's id of the machine, or the host key of your own machine. It changes exactly when the machine is replaced. */
  get machineId(): pulumi.Output<string> {
    return pulumi.output(this.machine.id);
  }

  /** Docker's id of the node. Known after the host joins the swarm. */
  get nodeId(): pulumi.Output<string> {
    return this.hosts.apply((hosts) => hosts[this.key]?.nodeId ?? "");
  }

  /** How to reach it over SSH. Secret. */
  get connection(): pulumi.Output<Connection> {
    return pulumi.secret(this.machine.connection);
  }
}
