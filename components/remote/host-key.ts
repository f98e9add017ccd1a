/** What is wrong with a host's public key, and what to do; without a fix where the right key has to be fetched. */
export interface HostKeyProblem {
  readonly message: string;
  readonly fix?: string;
}

/** How many fields follow the type in a key's blob (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4). */
const fields: Readonly<Record<string, number>> = {
  "ssh-ed25519": 1,
  "ecdsa-sha2-nistp256": 2,
  "ecdsa-sha2-nistp384": 2,
  "ecdsa-sha2-nistp521": 2,
  "ssh-rsa": 2,
};

const form = /^(\S+) (AAAA[A-Za-z0-9+/]+=*)(?: .*)?$/;
const notAKey = "is not a public host key in authorized_keys form";

/** Mistakes that the text itself tells. */
const mistakes: readonly (readonly [RegExp, string])[] = [
  [/^$/, "no host key is pinned"],
  [/PRIVATE KEY-----|^PuTTY-User-Key-File/, "this is a private key, and the host's public key is needed"],
  [/^(?:SHA256|MD5):/, "this is a key's fingerprint, and the key itself is needed"],
  [/^[~./\\]\S*$/, "this is the path of a file, and the key itself is needed"],
];

/**
 * Whether a text is the public key of an SSH server, whole and of the type that it says: a key that is cut off would only be found when the
 * host is dialled, as one that does not fit.
 *
 * @returns undefined where it is one.
 */
export function hostKeyProblemOf(text: string): HostKeyProblem | undefined {
  for (const [pattern, message] of mistakes) if (pattern.test(text.trim())) return { message };
  if (text.endsWith("\n") && form.test(text.trimEnd()))
    return { message: "there is a line break after the host key", fix: "add .trim() to what reads it" };
  const [, type, blob] = form.exec(text) ?? [];
  if (type === undefined || blob === undefined) return lostType(text) ?? withHost(text) ?? { message: `${shown(text)} ${notAKey}` };
  const said = typeIn(blob);
  if (!(type in fields)) return { message: said === type ? `${type} is not a type of key that is checked here` : `${shown(text)} ${notAKey}` };
  if (said !== undefined && said !== type)
    return { message: `the host key is of type ${said}, and ${type} stands before it`, fix: `write "${said} ${blob}"` };
  return isWhole(blob, type) ? undefined : { message: "the host key is damaged or cut off" };
}

function lostType(text: string): HostKeyProblem | undefined {
  const said = /^AAAA[A-Za-z0-9+/]+=*$/.test(text) ? typeIn(text) : undefined;
  return said === undefined ? undefined : { message: "the type before the host key is missing", fix: `write "${said} ${text}"` };
}

/** As ssh-keyscan prints it, and known_hosts has it. */
function withHost(text: string): HostKeyProblem | undefined {
  const [, host, key] = /^(\S+) (\S+ AAAA\S+)(?: .*)?$/.exec(text) ?? [];
  return key === undefined ? undefined : { message: `"${host}" stands before the host key`, fix: `write "${key}"` };
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

/** Those that are whole; a rest that is shorter than it says is none. */
function fieldsOf(blob: string): { readonly read: readonly Buffer[]; readonly rest: number } {
  const bytes = Buffer.from(blob, "base64");
  const read: Buffer[] = [];
  let at = 0;
  while (at + 4 <= bytes.length && at + 4 + bytes.readUInt32BE(at) <= bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at);
    read.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return { read, rest: bytes.length - at };
}

function typeIn(blob: string): string | undefined {
  const type = fieldsOf(blob).read[0]?.toString("latin1");
  return type !== undefined && type in fields ? type : undefined;
}

function isWhole(blob: string, type: string): boolean {
  const { read, rest } = fieldsOf(blob);
  return rest === 0 && read.length === 1 + (fields[type] ?? 0) && (type !== "ssh-ed25519" || read[1]?.length === 32);
}
