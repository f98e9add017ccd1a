import * as pulumi from "@pulumi/pulumi";
import { answerOf } from "../agents/answer";
import type { HostsUpResponse } from "../agents/request";
import type { Connection } from "../remote/connection";
import type { WireGuardMeshArgs } from "./args";
import { changed, keepHosts, type Piece, planOrRefuse } from "./hosts";
import { type HostsAlonePlan, planWireGuardMesh } from "./plan";

/**
 * An encrypted mesh of hosts without a swarm. Each host reaches all others at their addresses in the mesh, across sites and
 * address translation. Private keys are made on the hosts and never leave them. A destroy removes the mesh. A host is refused if
 * a SwarmCluster or another mesh manages its tunnel.
 *
 * @example
 * const mesh = new WireGuardMesh("office", { hosts: { rack: existing.hosts({ role: "worker", privateKey, machines }) } });
 * export const addresses = mesh.addresses;
 */
export class WireGuardMesh extends pulumi.ComponentResource {
  /** The plan: everything that is decided before anything changes. */
  readonly plan: HostsAlonePlan;
  /**
   * Each host's address in the mesh, known at preview. Resources that use the addresses can wait for the mesh with `dependsOn`.
   */
  readonly addresses: Readonly<Record<string, string>>;
  /** Each host's public key. */
  readonly publicKeys: pulumi.Output<Record<string, string>>;
  /** How to reach each host over SSH. Secret. */
  readonly connections: pulumi.Output<Record<string, Connection>>;

  constructor(name: string, args: WireGuardMeshArgs, opts?: pulumi.ComponentResourceOptions) {
    const plan = (change: Partial<WireGuardMeshArgs>): ReturnType<typeof planWireGuardMesh> => planWireGuardMesh(changed(args, change));
    const piece: Piece = { type: "WireGuardMesh", name, what: `WireGuard mesh "${name}"`, args, plan };
    const planned = planOrRefuse(piece, opts?.parent);
    super("pulumi-swarm:index:WireGuardMesh", name, { subnet: planned.tunnel?.subnet, mtu: planned.underlayMtu }, opts);
    this.plan = planned;
    this.addresses = Object.fromEntries(planned.hosts.map(({ key, tunnelAddress = "" }) => [key, tunnelAddress]));
    const { connections, command } = keepHosts(piece, planned, this);
    const keys = command.stdout.apply((stdout) => answerOf<HostsUpResponse>(stdout, "hosts-up").publicKeys);
    this.publicKeys = pulumi.unsecret(keys);
    this.connections = connections;
    this.registerOutputs({ addresses: this.addresses, publicKeys: this.publicKeys });
  }
}
