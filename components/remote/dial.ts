import { timingSafeEqual } from "node:crypto";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import type { Connection, RemoteLimits } from "./connection";
import { type Carrier, carry } from "./proxy";

/** The machine at the other end is not the one that was pinned; the message says which one it is and what to do. */
export class HostKeyMismatch extends Error {}

class ConnectionLost extends Error {}

/**
 * One try, up to the end of authentication.
 *
 * @param sock What carries it. @default - TCP, or the connection's own program
 */
export function dial(connection: Omit<Connection, "sudo">, limits: RemoteLimits, sock?: Duplex): Promise<Client> {
  const [type = "", pinned = ""] = connection.hostKey.trim().split(/\s+/);
  const client = new Client();
  const carrier = sock === undefined && connection.proxyCommand ? carry(connection.proxyCommand, connection) : undefined;
  const stream = sock ?? carrier?.stream;
  return new Promise((resolve, reject) => {
    let mismatch: HostKeyMismatch | undefined;
    // ssh2's own readyTimeout does not cover a dial that hangs in TCP, so ours goes around everything.
    const timer = setTimeout(() => {
      client.destroy();
      carrier?.stop();
      reject(new Error(silence(limits.dial, carrier)));
    }, limits.dial);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      if (carrier && !mismatch) void whyOf(error, carrier).then(reject);
      else reject(mismatch ?? error);
    };
    client.on("ready", () => {
      clearTimeout(timer);
      resolve(client);
    });
    client.on("error", fail);
    client.on("close", () => fail(new ConnectionLost("the connection was closed before a session stood")));
    const config: ConnectConfig = {
      host: connection.host,
      port: connection.port ?? 22,
      username: connection.user ?? "root",
      readyTimeout: limits.dial,
      keepaliveInterval: limits.keepAlive,
      keepaliveCountMax: 3,
      algorithms: { serverHostKey: hostKeyAlgorithms(type) },
      hostVerifier: (key: Buffer) => {
        const expected = Buffer.from(pinned, "base64");
        const same = key.length === expected.length && timingSafeEqual(key, expected);
        if (!same) mismatch = new HostKeyMismatch(`${targetOf(connection)} presented another host key than the one pinned. ${hostKeyAdvice(key)}`);
        return same;
      },
      ...(connection.privateKey && { privateKey: connection.privateKey }),
      ...(connection.passphrase && { passphrase: connection.passphrase }),
      ...(connection.agentSocket && { agent: connection.agentSocket }),
      ...(stream && { sock: stream }),
    };
    try {
      client.connect(config);
    } catch (error) {
      clearTimeout(timer);
      carrier?.stop();
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** Where the stream broke, the program that carried it can say why; what SSH says of its own is better than that. */
async function whyOf(error: Error, carrier: Carrier): Promise<Error> {
  const { level } = error as { level?: string };
  const broke = error instanceof ConnectionLost || level === "client-socket" || /before handshake/.test(error.message);
  const why = broke ? await Promise.race([carrier.ended, sleep(1_000, error, { ref: false })]) : error;
  carrier.stop();
  return why;
}

function silence(limit: number, carrier: Carrier | undefined): string {
  const seconds = `no answer within ${limit / 1000} s`;
  if (!carrier) return `${seconds} (TCP may be open: a frozen or overloaded host looks like this)`;
  return `${seconds} by the program that is to carry the connection, which said ${carrier.said() || "nothing"}`;
}

/** Who is dialled where, and by what, as messages say it. */
export function targetOf({ user = "root", host, port = 22, proxyCommand }: Connection): string {
  return `${user}@${host}:${port}${proxyCommand ? ` through the program ${proxyCommand[0]}` : ""}`;
}

/** Only the pinned key's own type may be offered, or a host with several keys would present another one. */
function hostKeyAlgorithms(type: string): ServerHostKeyAlgorithm[] {
  return type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type as ServerHostKeyAlgorithm];
}

function hostKeyAdvice(presented: Buffer): string {
  const type = presented.subarray(4, 4 + presented.readUInt32BE(0)).toString();
  return (
    `It presented "${type} ${presented.toString("base64")}". If the machine was reinstalled on purpose, pin this key; ` +
    "if not, somebody may be in between: do not connect."
  );
}

/** Why a dial failed, and where to look. */
export function explain(error: unknown): string {
  const { message, code, level } = error as { message: string; code?: string; level?: string };
  if (level === "client-authentication") return "it refused the key (is the public key in authorized_keys of this user?)";
  if (code === "ECONNREFUSED") return "connection refused (is sshd running, and is this the right port?)";
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return "no route to it (is the machine up, and is the address right?)";
  if (code === "ENOTFOUND") return "its name cannot be resolved";
  if (/Handshake failed/.test(message)) return `${message} (does the host have a host key of the pinned type?)`;
  return message;
}
