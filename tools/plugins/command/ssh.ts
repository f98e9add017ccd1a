import { setTimeout as delay } from "node:timers/promises";
import type { Duplex } from "node:stream";
import { Client, utils, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import type { Context } from "../shared/plugin";
import { number, record, requiredText, text } from "../shared/properties";
import type { Props } from "../shared/values";

const FIRST_DELAY_MILLISECONDS = 100;
const DELAY_FACTOR = 1.5;
const LONGEST_DELAY_MILLISECONDS = 5000;

/** The host keys' names in authorized_keys and the algorithms a server may prove each of them with. */
const HOST_KEY_ALGORITHMS: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
};

/** Does the work over a connection that is closed afterwards. */
export async function overSsh<T>(inputs: Props, context: Context, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = record(inputs, "connection");
  if (connection === undefined) throw new Error("connection: required, and not given");
  const opened: Client[] = [];
  try {
    return await work(await dial(connection, context, opened));
  } finally {
    for (const client of opened.reverse()) client.end();
  }
}

async function dial(connection: Props, context: Context, opened: Client[]): Promise<Client> {
  const proxy = record(connection, "proxy");
  if (proxy === undefined) return dialAgainAndAgain(connection, context, opened, undefined);
  const hop = await dialAgainAndAgain(proxy, context, opened, undefined);
  return dialAgainAndAgain(connection, context, opened, hop);
}

async function dialAgainAndAgain(connection: Props, context: Context, opened: Client[], hop: Client | undefined): Promise<Client> {
  const limit = number(connection, "dialErrorLimit") ?? 10;
  let wait = FIRST_DELAY_MILLISECONDS;
  for (let failures = 0; ;) {
    try {
      const client = await dialOnce(connection, hop, context.signal);
      opened.push(client);
      return client;
    } catch (error) {
      failures += 1;
      const message = error instanceof Error ? error.message : String(error);
      const address = `${requiredText(connection, "host")}:${number(connection, "port") ?? 22}`;
      context.signal.throwIfAborted();
      if (limit >= 0 && failures >= limit) throw new Error(`after ${failures} failed attempts: dial ${address}: ${message}`);
      context.log("info", `Dial ${failures}/${limit < 0 ? "inf" : limit} failed: retrying (${address}: ${message})`);
    }
    await delay(wait, undefined, { signal: context.signal });
    wait = Math.min(wait * DELAY_FACTOR, LONGEST_DELAY_MILLISECONDS);
  }
}

async function dialOnce(connection: Props, hop: Client | undefined, signal: AbortSignal): Promise<Client> {
  const config = connectConfig(connection);
  const sock = hop === undefined ? undefined : await tunnel(hop, requiredText(connection, "host"), config.port ?? 22);
  const client = new Client();
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      client.destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", stop, { once: true });
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, finish) => {
      finish(prompts.map(() => config.password ?? ""));
    });
    client.once("ready", () => {
      signal.removeEventListener("abort", stop);
      resolve(client);
    });
    // Stays attached: an error after the connection is made shows as the channel's end, and must not end the plugin.
    client.on("error", (error) => {
      signal.removeEventListener("abort", stop);
      client.destroy();
      reject(error);
    });
    client.connect(sock === undefined ? config : { ...config, sock });
  });
}

function tunnel(hop: Client, host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    hop.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
      if (error) reject(error);
      else resolve(channel);
    });
  });
}

function connectConfig(connection: Props): ConnectConfig {
  const password = text(connection, "password");
  const privateKey = text(connection, "privateKey");
  const passphrase = text(connection, "privateKeyPassword");
  const agent = text(connection, "agentSocketPath") ?? process.env["SSH_AUTH_SOCK"];
  return {
    host: requiredText(connection, "host"),
    port: number(connection, "port") ?? 22,
    username: text(connection, "user") ?? "root",
    readyTimeout: (number(connection, "perDialTimeout") ?? 15) * 1000,
    ...(password === undefined ? {} : { password, tryKeyboard: true }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(agent === undefined || agent === "" ? {} : { agent }),
    ...pinnedHostKey(text(connection, "hostKey")),
  };
}

function pinnedHostKey(hostKey: string | undefined): ConnectConfig {
  if (hostKey === undefined || hostKey === "") return {};
  const parsed = utils.parseKey(hostKey);
  if (parsed instanceof Error) throw new Error(`hostKey: not a public key in authorized_keys form: ${parsed.message}`);
  const expected = parsed.getPublicSSH();
  const algorithms = HOST_KEY_ALGORITHMS[parsed.type];
  if (algorithms === undefined) throw new Error(`hostKey: type ${parsed.type} is not one of ${Object.keys(HOST_KEY_ALGORITHMS).join(", ")}`);
  return {
    algorithms: { serverHostKey: [...algorithms] },
    hostVerifier: (offered: Buffer) => offered.equals(expected),
  };
}
