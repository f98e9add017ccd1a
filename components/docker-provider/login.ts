import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Connection } from "../remote/connection";
import type { DockerProviderArgs } from "./args";
import type { Login } from "./ssh-options";

export type Refuse = (message: string, fix: string) => never;

export const writeIt = 'let it be written: dockerProvider({ writeKeyTo: ".keys/swarm" }), and keep that file out of version control';

/** From where `ssh` takes the key of a host. Where the key is to be written, it is now. */
export function loginTo(key: string, connection: Connection, { keyFile, writeKeyTo }: DockerProviderArgs, refuse: Refuse): Login {
  if (keyFile !== undefined) return { from: "file", path: keyFile };
  if (writeKeyTo !== undefined) return writeKeys(key, connection, writeKeyTo, refuse);
  if (connection.agentSocket !== undefined) return { from: "agent", socket: connection.agentSocket };
  if (process.env["SSH_AUTH_SOCK"] !== undefined) return { from: "agent" };
  return refuse(`there is no agent that could log in to ${key}`, `start ssh-agent, or give keyFile, or ${writeIt}`);
}

function writeKeys(key: string, { privateKey, passphrase, bastion }: Connection, path: string, refuse: Refuse): Login {
  if (privateKey === undefined) return refuse(`${key} is logged in to by an agent, so there is no key to write`, "leave writeKeyTo out");
  if (passphrase !== undefined)
    return refuse(`the private key of ${key} has a passphrase, which ssh could ask nobody for`, "give it to an agent, and leave writeKeyTo out");
  writeKey(path, privateKey);
  if (bastion?.privateKey === undefined || bastion.privateKey === privateKey) return { from: "file", path };
  const hop = `${path}.bastion`;
  writeKey(hop, bastion.privateKey);
  return { from: "file", path, bastion: hop };
}

function writeKey(path: string, privateKey: string): void {
  const file = path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
  // A key without a last line break is no key for ssh.
  const content = `${privateKey.trimEnd()}\n`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // The mode that a file is written with counts for a new one only.
  if (existsSync(file)) chmodSync(file, 0o600);
  if (existsSync(file) && readFileSync(file, "utf8") === content) return;
  writeFileSync(file, content, { mode: 0o600 });
}
