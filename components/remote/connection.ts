/** How to reach a host over SSH. The host's key is always pinned: no key is trusted on first use. */
export interface Connection {
  /** Address or name to connect to. */
  readonly host: string;
  /** @default 22 */
  readonly port?: number;
  /** @default "root" */
  readonly user?: string;
  /** Private key, OpenSSH or PEM form. Secret. One of `privateKey` and `agentSocket` is needed. */
  readonly privateKey?: string;
  /** Passphrase of `privateKey`. Secret. @default - the key is not encrypted */
  readonly passphrase?: string;
  /**
   * Private keys, without passphrases, that logged in before `privateKey` did. Secret. A host that refuses `privateKey` is logged in to by
   * them, and the next `up` takes them off it. @default - none
   */
  readonly formerKeys?: readonly string[];
  /** Path of a running ssh-agent's socket, for keys that never leave the agent. */
  readonly agentSocket?: string;
  /** The host's public key in authorized_keys form, such as `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** Run everything by `sudo -n`. @default true unless the user is root */
  readonly sudo?: boolean;
  /**
   * A program whose standard input and output are the TCP stream to the host's SSH server, like OpenSSH's ProxyCommand: its name
   * and arguments, one string each, without a shell. `%h`, `%p` and `%r` are replaced by host, port and user, `%%` by a percent
   * sign. Everyone on this machine can read its arguments, so they must not contain secrets. Not together with `bastion`.
   * @default - direct connections
   */
  readonly proxyCommand?: readonly string[];
  /** Jump host. @default - direct connections */
  readonly bastion?: Omit<Connection, "bastion" | "sudo">;
}

/** Time limits of our own, in milliseconds. */
export interface RemoteLimits {
  /** How long a host may take from the first dial until a session stands; it may still be booting. */
  readonly reachable: number;
  /** One dial, up to the end of authentication. A frozen host accepts TCP and then says nothing. */
  readonly dial: number;
  /** Silence after which a session counts as dead (three unanswered keep-alives). */
  readonly keepAlive: number;
}

/** 75 s covers a cloud machine's boot and keeps the report of a dead host under two minutes. */
export const defaultRemoteLimits: RemoteLimits = { reachable: 75_000, dial: 10_000, keepAlive: 5_000 };

/** A host could not be reached, or did not do what it was asked. The message names the host. */
export class RemoteError extends Error {
  constructor(
    readonly host: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${host}: ${message}`, options);
    this.name = "RemoteError";
  }
}
