/* What a cluster tells in any language. */

/** A host as it came to be. */
export interface ClusterHost {
  role: string;
  site: string;
  address: string;
  /** Docker's id of the node. */
  nodeId: string;
  /** Version of its engine. */
  engine: string;
}

/** An overlay network as it came to be. */
export interface ClusterNetwork {
  /** Docker's id of the network. */
  id: string;
  subnet: string;
  internal: boolean;
}

/** How to reach a host over SSH. */
export interface HostConnection {
  /** Address or name to connect to. */
  host: string;
  port?: number;
  user?: string;
  privateKey?: string;
  passphrase?: string;
  /** Private keys that logged in before `privateKey` did. */
  formerKeys?: string[];
  agentSocket?: string;
  /** The host's public key in authorized_keys form. */
  hostKey: string;
  /** Whether everything runs with `sudo -n`. */
  sudo?: boolean;
  /** A program that carries the connection, with its arguments. */
  proxyCommand?: string[];
  bastion?: HostHop;
}

/** A host to hop over on the way. */
export interface HostHop {
  /** Address or name to connect to. */
  host: string;
  port?: number;
  user?: string;
  privateKey?: string;
  passphrase?: string;
  /** Private keys that logged in before `privateKey` did. */
  formerKeys?: string[];
  agentSocket?: string;
  /** The host's public key in authorized_keys form. */
  hostKey: string;
  /** A program that carries the connection, with its arguments. */
  proxyCommand?: string[];
}
