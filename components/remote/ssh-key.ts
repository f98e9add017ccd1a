import { createHmac, createPrivateKey, createPublicKey } from "node:crypto";

export interface SshKey {
  /** OpenSSH's own form: sshd before 9.6 reads ed25519 keys in no other. */
  readonly privateKey: string;
  /** authorized_keys form. */
  readonly publicKey: string;
}

/** PKCS #8 header of an ed25519 private key (RFC 8410, section 7); the 32 bytes of the seed follow it. */
const pkcs8Header = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * An ed25519 key that follows from a secret and a label, always the same to the last byte. Libraries write random
 * padding into the file, and a file that changes on every run would replace the machine that it is put on.
 */
export function deriveSshKey(secret: string, label: string): SshKey {
  const seed = createHmac("sha256", secret).update(label).digest();
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Header, seed]), format: "der", type: "pkcs8" });
  const publicBytes = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  const publicBlob = Buffer.concat([field("ssh-ed25519"), field(publicBytes)]);
  return { privateKey: openSshFile(seed, publicBytes, publicBlob), publicKey: `ssh-ed25519 ${publicBlob.toString("base64")}` };
}

/** OpenSSH's PROTOCOL.key, without encryption. */
function openSshFile(seed: Buffer, publicBytes: Buffer, publicBlob: Buffer): string {
  const check = Buffer.alloc(8);
  const unpadded = Buffer.concat([check, publicBlob, field(Buffer.concat([seed, publicBytes])), field("")]);
  const padding = Buffer.from(Array.from({ length: (8 - (unpadded.length % 8)) % 8 }, (_, index) => index + 1));
  const count = Buffer.from([0, 0, 0, 1]);
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"),
    field("none"),
    field(""),
    count,
    field(publicBlob),
    field(Buffer.concat([unpadded, padding])),
  ]);
  const lines = file.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}

function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
