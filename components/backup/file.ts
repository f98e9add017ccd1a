import { gunzipSync, gzipSync } from "node:zlib";
import type { Gwbridge } from "../engine/bridges";

/*
 * The file of a backup: JSON, compressed, in the format of age (age-encryption.org/v1), which its own programs open too.
 */

/** All that a backup holds. Secret as a whole. */
export interface Backup {
  /** Of this format. */
  readonly version: 1;
  /** When it was taken, in ISO 8601. */
  readonly taken: string;
  readonly swarmId: string;
  /** How often the swarm had been formed anew. */
  readonly recovered: number;
  /** Those that its manager remembers, as the names of their files end. */
  readonly clusters: readonly string[];
  /** Of the manager whose state it is. */
  readonly manager: {
    readonly key: string;
    readonly nodeId: string;
    /** In the swarm. */
    readonly address: string;
    readonly engine: string;
    /** A swarm makes it anywhere, and nobody moves that of a member. */
    readonly gwbridge?: Gwbridge;
  };
  /** `address:port` of all managers. */
  readonly managers: readonly string[];
  /** Host names of all nodes by their ids. */
  readonly nodes: Readonly<Record<string, string>>;
  /** Opens the state where the swarm was locked. */
  readonly unlockKey?: string;
  /** The manager's state and what it remembers: a compressed tar in base64. */
  readonly archive: string;
}

/** Who can open it: one passphrase, or recipients by their public keys (`age1…`). */
export type Lock = { readonly passphrase: string } | { readonly recipients: readonly string[] };

/** What opens it: the passphrase, or secret keys (`AGE-SECRET-KEY-1…`). */
export type Key = { readonly passphrase: string } | { readonly identities: readonly string[] };

/** The message is for the user. */
export class UnreadableBackup extends Error {}

/** @param workFactor What it costs to try a passphrase, as the power of two that scrypt takes. @default - age's own, 18: seconds */
export async function lockBackup(backup: Backup, lock: Lock, workFactor?: number): Promise<Uint8Array> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  if (workFactor !== undefined) encrypter.setScryptWorkFactor(workFactor);
  if ("passphrase" in lock) encrypter.setPassphrase(lock.passphrase);
  else for (const recipient of lock.recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(gzipSync(JSON.stringify(backup)));
}

/** @throws UnreadableBackup */
export async function openBackup(file: Uint8Array, key: Key): Promise<Backup> {
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  if ("passphrase" in key) decrypter.addPassphrase(key.passphrase);
  else for (const identity of key.identities) decrypter.addIdentity(identity);
  let opened: Uint8Array;
  try {
    opened = await decrypter.decrypt(file);
  } catch (error) {
    throw new UnreadableBackup(
      `it does not open: ${error instanceof Error ? error.message : String(error)}. Fix: give the file that backup wrote, and the passphrase or the key that it was encrypted for`,
    );
  }
  try {
    const backup = JSON.parse(gunzipSync(opened).toString("utf8")) as Partial<Backup>;
    if (backup.version === 1 && backup.archive !== undefined) return backup as Backup;
  } catch {
    // Said below.
  }
  throw new UnreadableBackup(
    "it opens, but it is no backup that this version knows. Fix: give the file that backup wrote, or use the version that wrote it",
  );
}

/** @returns why a text is no recipient, or undefined */
export async function recipientProblem(recipient: string): Promise<string | undefined> {
  const { Encrypter } = await import("age-encryption");
  try {
    new Encrypter().addRecipient(recipient);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
