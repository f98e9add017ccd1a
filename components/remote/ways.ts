import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import { type Connection, defaultRemoteLimits, type RemoteLimits } from "./connection";
import { dial, explain, hangUp, HostKeyMismatch, Silence, targetOf } from "./dial";
import { pLimit } from "./limit";
import { CannotDial } from "./proxy";

/** Milliseconds that a dial may take longer where a program has to start, and to sign in somewhere, before it carries anything. */
const carrierStart = 20_000;

/**
 * Programs that carry a connection, of those that have not signed in yet. Most of them dial one and the same machine, and sshd refuses
 * new connections at random from the tenth on that has not signed in (sshd_config(5), MaxStartups, by default 10:30:100).
 */
export const mostStarting = 8;

export interface Try {
  /** For this try, asked when its turn has come. @param extra milliseconds that a dial may take longer than others */
  readonly limits: (extra?: number) => RemoteLimits;
  /** A way that is made after this call, also where one stands: it is what proves that a new one can be made. */
  readonly fresh: boolean;
}

/**
 * What the sessions of one run share on their ways to the hosts: one connection to each bastion. Forwarded connections count neither as
 * startups nor as sessions there: OpenSSH checks MaxStartups for each TCP connection until it has signed in (sshd.c, drop_connection), and
 * MaxSessions for shells, commands and subsystems (session.c, session_new), not for `direct-tcpip` channels (serverloop.c,
 * server_request_direct_tcpip), of which a connection holds 16384 (channels.h). Read in openssh-portable 0ef0f5a, and in sshd_config(5).
 */
export class Ways {
  private readonly bastions = new Map<string, Bastion>();
  private readonly starting = pLimit(mostStarting);

  /** One try to reach a host, when its turn has come. */
  client(connection: Connection, attempt: Try): Promise<Client> {
    const { bastion } = connection;
    if (bastion) return this.over(bastion, connection, attempt);
    if (connection.proxyCommand) return this.starting(() => dial(connection, attempt.limits(carrierStart)));
    return dial(connection, attempt.limits());
  }

  close(): void {
    for (const bastion of this.bastions.values()) bastion.close();
    this.bastions.clear();
  }

  private async over(hop: NonNullable<Connection["bastion"]>, connection: Connection, { limits, fresh }: Try): Promise<Client> {
    const name = JSON.stringify(hop);
    const bastion = this.bastions.get(name) ?? new Bastion(hop);
    this.bastions.set(name, bastion);
    const most = limits();
    const stream = await bastion.stream(connection, most, fresh);
    try {
      return await dial(connection, most, { sock: stream });
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }
}

/** One host that is hopped over. At most one dial to it runs at a time, however many hosts are behind it. */
class Bastion {
  /** Those that stand, the newest last. */
  private readonly standing = new Set<Client>();
  private dialling: Promise<Client> | undefined;
  /** For all who want a new one while another one is being dialled. */
  private next: Promise<Client> | undefined;
  private closed = false;

  constructor(private readonly connection: NonNullable<Connection["bastion"]>) {}

  async stream(to: Connection, limits: RemoteLimits, fresh: boolean): Promise<Duplex> {
    const client = fresh
      ? await (this.next ??= this.afterThis(limits))
      : ([...this.standing].at(-1) ?? (await (this.dialling ?? this.begin(limits))));
    return forward(client, to, limits.dial, targetOf(this.connection));
  }

  close(): void {
    this.closed = true;
    for (const client of this.standing) hangUp(client);
    this.standing.clear();
  }

  private async afterThis(limits: RemoteLimits): Promise<Client> {
    while (this.dialling) await Promise.allSettled([this.dialling]);
    this.next = undefined;
    return this.begin(limits);
  }

  private begin({ keepAlive, reachable }: RemoteLimits): Promise<Client> {
    // It serves others than the one who asked first, who may have little time left.
    const most = defaultRemoteLimits.dial + (this.connection.proxyCommand ? carrierStart : 0);
    this.dialling = this.dial({ keepAlive, reachable, dial: most }).finally(() => (this.dialling = undefined));
    return this.dialling;
  }

  private async dial(limits: RemoteLimits): Promise<Client> {
    try {
      const client = await dial(this.connection, limits, { name: `the bastion ${targetOf(this.connection)}` });
      if (this.closed) hangUp(client);
      else this.standing.add(client);
      client.on("close", () => this.standing.delete(client));
      return client;
    } catch (error) {
      if (error instanceof HostKeyMismatch || error instanceof CannotDial) throw error;
      throw new Error(`the bastion ${targetOf(this.connection)} cannot be reached: ${explain(error)}`);
    }
  }
}

/** Packets to a host that is down are lost without a word, and the bastion itself waits for more than two minutes. */
function forward(bastion: Client, to: Connection, limit: number, name: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(new Silence(`the bastion ${name} had no answer of it within ${limit / 1000} s (is the machine up, and is this its address there?)`));
    }, limit);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(new Error(`the bastion ${name} cannot reach it: ${error.message}`));
    };
    try {
      bastion.forwardOut("127.0.0.1", 0, to.host, to.port ?? 22, (error, stream) => {
        if (error) return fail(error);
        clearTimeout(timer);
        if (late) stream.destroy();
        else resolve(stream);
      });
    } catch (error) {
      fail(error as Error);
    }
  });
}
