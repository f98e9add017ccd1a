import { gatewayLabel } from "../networks/gateways";

/** A gateway of the cluster in the plan. */
export interface PlannedGateway {
  /** By which containers reach it: also the name of its service. */
  readonly name: string;
  /** An IPv4 address or a DNS name. */
  readonly to: string;
  /** At which containers reach it. */
  readonly port: number;
  /** At which it reaches what is outside. */
  readonly targetPort: number;
  /** Hosts that may run it, in the words of the program. */
  readonly on: string;
  /** The same by their keys, in order. */
  readonly hosts: readonly string[];
  /** How many of them run it at once. */
  readonly replicas: number;
  /** Networks whose containers reach it, in order. */
  readonly networks: readonly string[];
  /** Image of its proxy, with tag, and digest if one is pinned. */
  readonly image: string;
  /** What encrypts the way from a container to the gateway, or that nothing does. From there on, data is as client and target send it. */
  readonly encryptedBy: string;
}

/** Node label of the hosts that may run a gateway. */
export function gatewayHostLabel(name: string): string {
  return `${gatewayLabel}.${name}`;
}
