import { timingSafeEqual } from "node:crypto";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type AuthHandlerMiddleware, Client, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import type { Connection, RemoteLimits } from "./connection";
import { fingerprintOf, privateKeyProblem } from "./private-key";
import { CannotDial, type Carrier, carry } from "./proxy";

/** The machine at the other end is not the one that was pinned; the message says which one it is and what to do. */
export class HostKeyMismatch extends Error {}

/** Nothing was heard until the time of one try was over. Of a try with less time than others this says little. */
export class Silence extends Error {}

class ConnectionLost extends Error {}

/** What carries each client. */
const carriers = new WeakMap<Client, Duplex>();

/** What let clients in that the connection's own key did not. */
const formerly = new WeakMap<Client, string>();

/** The former private key that let a client in. @returns undefined where it was the connection's own, or an agent's */
export function formerKeyOf(client: Client): string | undefined {
  return formerly.get(client);
}

/** Milliseconds for the last bytes to leave. */
const parting = 2_000;

/**
 * Ends a connection. A host that vanished never confirms that, and its socket would stand, and keep this process, for a quarter of an hour; ssh2's
 * own `destroy` does nothing any more once the connection was ended (client.js: only while the socket is writable).
 */
export function hangUp(client: Client): void {
  client.end();
  setTimeout(() => carriers.get(client)?.destroy(), parting).unref();
}

/** How one try is made. */
export interface DialOptions {
  /** What carries it. @default - TCP, or the connection's own program */
  readonly sock?: Duplex;
  /** What messages call the other end. @default - who is dialled where */
  readonly name?: string;
}

/**
 * One try, up to the end of authentication.
 *
 * @throws CannotDial where another try would fail too, such as with a key that is refused: sshd shuts out for a while who tries again.
 */
export function dial(
  connection: Omit<Connection, "sudo">,
  limits: RemoteLimits,
  { sock, name = targetOf(connection) }: DialOptions = {},
): Promise<Client> {
  const [type = "", pinned = ""] = connection.hostKey.trim().split(/\s+/);
  const client = new Client();
  const carrier = sock === undefined && connection.proxyCommand ? carry(connection.proxyCommand, connection) : undefined;
  const stream = sock ?? carrier?.stream ?? connect({ host: connection.host, port: connection.port ?? 22 });
  carriers.set(client, stream);
  return new Promise((resolve, reject) => {
    let mismatch: HostKeyMismatch | undefined;
    let banner = "";
    // ssh2's own readyTimeout does not cover a dial that hangs in TCP, so ours goes around everything.
    const timer = setTimeout(() => {
      stream.destroy();
      carrier?.stop();
      reject(new Silence(silence(limits.dial, carrier)));
    }, limits.dial);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      const final = mismatch ?? refusalOf(error, connection, name);
      if (final) {
        // An agent that failed for one key is asked for the next one.
        hangUp(client);
        carrier?.stop();
        reject(final);
      } else if (carrier) void whyOf(error, carrier).then(reject);
      else reject(error);
    };
    client.on("ready", () => {
      clearTimeout(timer);
      resolve(client);
    });
    client.on("error", fail);
    // As while a machine starts, where nobody but root may log in yet.
    client.on("banner", (text) => (banner = text.trim().split("\n")[0]?.replace(/\.$/, "") ?? ""));
    client.on("close", () => fail(new ConnectionLost(`it closed the connection before a session stood${banner && `, and said: ${banner}`}`)));
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
      ...(connection.formerKeys && { authHandler: inTurn(connection, connection.formerKeys, client) }),
      sock: stream,
    };
    try {
      client.connect(config);
    } catch (error) {
      clearTimeout(timer);
      stream.destroy();
      carrier?.stop();
      reject(new CannotDial(unusable(connection, name, error)));
    }
  });
}

/** The own key, an agent's, and then those of before: all within one connection, which sshd ends after six (sshd_config(5), MaxAuthTries). */
function inTurn(
  { user: username = "root", privateKey, passphrase, agentSocket }: Omit<Connection, "sudo">,
  formerKeys: readonly string[],
  client: Client,
): AuthHandlerMiddleware {
  const byKey = (key: string) => ({ type: "publickey" as const, username, key });
  const own = privateKey === undefined ? [] : [{ ...byKey(privateKey), ...(passphrase !== undefined && { passphrase }) }];
  const agent = agentSocket === undefined ? [] : [{ type: "agent" as const, username, agent: agentSocket }];
  const turns = [
    ...[...own, ...agent].map((method) => ({ method, former: undefined })),
    ...formerKeys.map((former) => ({ method: byKey(former), former })),
  ];
  return (_left, _partial, next) => {
    const turn = turns.shift();
    if (turn?.former !== undefined) formerly.set(client, turn.former);
    // Its types do not know how to end.
    next(turn?.method ?? (false as unknown as "none"));
  };
}

/** What is settled by the first answer, and why. */
function refusalOf(error: Error, connection: Omit<Connection, "sudo">, name: string): CannotDial | undefined {
  const { message, level } = error as { message: string; level?: string };
  const { user = "root", privateKey, passphrase, agentSocket, formerKeys = [] } = connection;
  if (level === "agent") {
    const key = privateKey === undefined ? "" : `${name} refused the key, and `;
    return new CannotDial(`${key}the ssh-agent at ${agentSocket} gives none (${message}). Fix: start it, or correct agentSocket`);
  }
  if (/too many authentication failures/i.test(message)) {
    return new CannotDial(
      `${name} refused the first keys of the ssh-agent and looks at no more of them. Fix: load only the right key into the agent`,
    );
  }
  if (level !== "client-authentication") return undefined;
  const fingerprint = privateKey === undefined ? undefined : fingerprintOf(privateKey, passphrase);
  const keys = [
    ...(privateKey === undefined ? [] : [`the key ${fingerprint}`]),
    ...(agentSocket === undefined ? [] : ["each key of the ssh-agent"]),
    ...formerKeys.map((key) => `the previous key ${fingerprintOf(key)}`),
  ];
  return new CannotDial(
    `${name} refused ${keys.join(" and ")}. Fix: add its public key to the authorized_keys of ${user} there, or correct user or key`,
  );
}

/** Why SSH could not even begin. */
function unusable({ privateKey, passphrase }: Omit<Connection, "sudo">, name: string, error: unknown): string {
  const problem = privateKey === undefined ? undefined : privateKeyProblem(privateKey, passphrase);
  if (!problem) return `SSH to ${name} cannot begin: ${error instanceof Error ? error.message : String(error)}`;
  return `${problem.of} for ${name}: ${problem.message}. Fix: ${problem.fix}`;
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
  const { message, code } = error as { message: string; code?: string };
  if (code === "ECONNREFUSED") return "connection refused (is sshd running, and is this the right port?)";
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return "no route to it (is the machine up, and is the address right?)";
  if (code === "ENOTFOUND") return "its name cannot be resolved";
  if (code === "ECONNRESET" || /before handshake/.test(message)) {
    return (
      "it closed the connection before the SSH handshake (is this the port of its sshd? " +
      "After failed logins, sshd of OpenSSH 9.8 and newer shuts an address out for a while: PerSourcePenalties)"
    );
  }
  if (/Handshake failed/.test(message)) return `${message} (does the host have a host key of the pinned type?)`;
  return message;
}
