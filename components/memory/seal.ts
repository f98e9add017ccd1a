import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";

const [nonceBytes, tagBytes] = [12, 16];

/**
 * For keeping where others may read it: AES-256-GCM, and compressed before, so that what many hosts have in common, such as a private
 * key, counts once.
 *
 * @param key 256 bits in base64url.
 * @param name What it is the memory of; under another name it does not open.
 */
export function seal(value: object, key: string, name: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", Buffer.from(key, "base64url"), nonce).setAAD(Buffer.from(name));
  const sealed = Buffer.concat([cipher.update(gzipSync(JSON.stringify(value))), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

/** @returns undefined for what was sealed with another key or name, or was damaged. */
export function open<Value extends object>(text: string, key: string, name: string): Value | undefined {
  try {
    const bytes = Buffer.from(text, "base64");
    const [nonce, tag, sealed] = [
      bytes.subarray(0, nonceBytes),
      bytes.subarray(nonceBytes, nonceBytes + tagBytes),
      bytes.subarray(nonceBytes + tagBytes),
    ];
    const decipher = createDecipheriv("aes-256-gcm", Buffer.from(key, "base64url"), nonce).setAAD(Buffer.from(name)).setAuthTag(tag);
    return JSON.parse(gunzipSync(Buffer.concat([decipher.update(sealed), decipher.final()])).toString()) as Value;
  } catch {
    return undefined;
  }
}
