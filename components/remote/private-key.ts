import { createHash } from "node:crypto";
import type { ParsedKey } from "ssh2";

/** What is wrong with a private key or its passphrase. It repeats no word of either. */
export interface KeyProblem {
  /** Which of the two is to be corrected. */
  readonly of: "privateKey" | "passphrase";
  /** What is wrong. */
  readonly message: string;
  /** What to do. */
  readonly fix: string;
}

/** Both keep the line breaks, which an argument of a command does not. */
const asItIs = 'store the whole file with "pulumi config set --secret sshKey <FILE", or read it with readFileSync(FILE, "utf8")';

/** Mistakes that the first line tells, in the order in which they are looked for. */
const mistakes: readonly (readonly [RegExp, string, string])[] = [
  [/^$/, "the private key is empty", asItIs],
  [
    /^(?:ssh-|ecdsa-sha2-|sk-)\S+ +AAAA|^-{4,5} ?BEGIN (?:SSH2 |RSA |EC )?PUBLIC KEY/,
    "this is a public key, and the private key is needed",
    'give the text of the file that has the same name without ".pub"',
  ],
  [/^PuTTY-User-Key-File-/, "this is a private key in PuTTY's form", 'convert it with "puttygen FILE -O private-openssh -o NEW"'],
  [
    /^-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----/,
    "this is a private key in PKCS #8 form, and OpenSSH's form is needed",
    'convert it with "ssh-keygen -p -f FILE"; of @pulumi/tls take privateKeyOpenssh',
  ],
  // "-----BEGIN" in base64.
  [/^LS0tLS1CRUdJT/, "this is a private key in base64", 'decode it: Buffer.from(text, "base64").toString()'],
  [/^(?:[~./\\][^\n]*|[A-Za-z]:\\[^\n]*|[\w.-]+)$/, "this is the path of a file, and the private key itself is needed", asItIs],
  [/^(?!-----BEGIN )/, "this is not a private key, which begins with a line such as -----BEGIN OPENSSH PRIVATE KEY-----", asItIs],
  [/^[^\n]*$|\\n/, "the line breaks of the private key are lost", asItIs],
];

/**
 * Whether a text is a private key that can log in over SSH.
 *
 * @returns undefined where it is one.
 */
export function privateKeyProblem(text: string, passphrase?: string): KeyProblem | undefined {
  const key = text.trim();
  const parsed = looksLikeKey(key) ? parse(key, passphrase) : new Error();
  if (!(parsed instanceof Error)) return undefined;
  for (const [pattern, message, fix] of mistakes) if (pattern.test(key)) return { of: "privateKey", message, fix };
  return whyNotParsed(parsed.message);
}

/** Only then it is worth the 50 ms that it takes to load what reads keys. */
function looksLikeKey(key: string): boolean {
  return /^(?:-----BEGIN |PuTTY-)/.test(key);
}

function whyNotParsed(reason: string): KeyProblem {
  if (/no passphrase given/.test(reason)) {
    return { of: "passphrase", message: "the private key is encrypted, and its passphrase is missing", fix: "give passphrase, or agentSocket" };
  }
  if (/bad passphrase\?/i.test(reason)) {
    return { of: "passphrase", message: "the passphrase does not open the private key", fix: "correct the passphrase, or the key" };
  }
  const [, type] = /Unsupported OpenSSH private key type: ([a-z0-9@.-]+)$/.exec(reason) ?? [];
  if (type !== undefined)
    return { of: "privateKey", message: `a private key of type ${type} cannot be given as a text`, fix: "give agentSocket, or an ed25519 key" };
  return { of: "privateKey", message: "the private key cannot be read: a part of it is missing, or its lines are indented", fix: asItIs };
}

function parse(key: string, passphrase: string | undefined): ParsedKey | Error {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { utils } = require("ssh2") as typeof import("ssh2");
  const parsed = utils.parseKey(key, passphrase);
  return parsed instanceof Error || parsed.getPrivatePEM() !== null ? parsed : new Error();
}

/** Its public half, type and key in authorized_keys form. @returns undefined where the key cannot be read. */
export function publicKeyOf(privateKey: string, passphrase?: string): string | undefined {
  const key = parse(privateKey, passphrase);
  return key instanceof Error ? undefined : `${key.type} ${key.getPublicSSH().toString("base64")}`;
}

/** Of its public half, as `ssh-keygen -l` says it. @returns undefined where the key cannot be read. */
export function fingerprintOf(privateKey: string, passphrase?: string): string | undefined {
  const key = parse(privateKey, passphrase);
  if (key instanceof Error) return undefined;
  return `${key.type} SHA256:${createHash("sha256").update(key.getPublicSSH()).digest("base64").replace(/=+$/, "")}`;
}
