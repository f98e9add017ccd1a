import { createHash, createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign, X509Certificate } from "node:crypto";

/*
 * X.509 certificates as RFC 5280 has them, signed with Ed25519 (RFC 8410), as much of it as our own etcd needs. Signatures of Ed25519
 * do not differ from one time to the next, so that an authority's certificate follows from its key to the last byte, and need not
 * be kept anywhere.
 */

/** What a certificate's key may be used for. */
export type Usage = "server" | "client";

export interface CertificateSpec {
  readonly commonName: string;
  /** Organisational unit. @default - none */
  readonly unit?: string;
  /** The holder's public key, SPKI in DER. */
  readonly publicKey: Buffer;
  readonly usages: readonly Usage[];
  /** IPv4 addresses that it stands for. */
  readonly addresses: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** 8 to 16 bytes, another one for each certificate of an authority. */
  readonly serial: Buffer;
}

export interface Authority {
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
  readonly commonName: string;
  readonly certificate: X509Certificate;
}

/** PKCS #8 header of an Ed25519 private key (RFC 8410, section 7); the 32 bytes of the seed follow it. */
const pkcs8Header = Buffer.from("302e020100300506032b657004220420", "hex");

/** From long before any host's clock to long after: what ends is what an authority signs. */
const authorityLife = { from: new Date("2020-01-01T00:00:00Z"), to: new Date("2120-01-01T00:00:00Z") } as const;

/** An authority that follows from a secret and a label. */
export function deriveAuthority(secret: string, commonName: string): Authority {
  const seed = Buffer.from(hkdfSync("sha256", secret, "", `pulumi-swarm authority ${commonName}`, 32));
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Header, seed]), format: "der", type: "pkcs8" });
  const publicKey = spki(key);
  const fields = tbsCertificate(commonName, {
    commonName,
    publicKey,
    notBefore: authorityLife.from,
    notAfter: authorityLife.to,
    serial: Buffer.from([1]),
    extensions: [
      extension(oids.basicConstraints, true, sequence(boolean(true), integer(Buffer.from([0])))),
      // keyCertSign and cRLSign.
      extension(oids.keyUsage, true, bits(Buffer.from([0x06]), 1)),
      extension(oids.subjectKeyIdentifier, false, tagged(0x04, keyIdentifier(publicKey))),
    ],
  });
  return { key, publicKey: createPublicKey(key), commonName, certificate: signed(fields, key) };
}

export function issue(authority: Authority, spec: CertificateSpec): X509Certificate {
  const purposes = { server: oids.serverAuth, client: oids.clientAuth } as const;
  const names = spec.addresses.map((address) => tagged(0x87, Buffer.from(address.split(".").map(Number))));
  const fields = tbsCertificate(authority.commonName, {
    ...spec,
    extensions: [
      extension(oids.basicConstraints, true, sequence()),
      // digitalSignature.
      extension(oids.keyUsage, true, bits(Buffer.from([0x80]), 7)),
      extension(oids.extendedKeyUsage, false, sequence(...spec.usages.map((usage) => purposes[usage]))),
      extension(oids.authorityKeyIdentifier, false, sequence(tagged(0x80, keyIdentifier(spki(authority.key))))),
      ...(names.length === 0 ? [] : [extension(oids.subjectAltName, false, sequence(...names))]),
    ],
  });
  return signed(fields, authority.key);
}

interface Fields extends Pick<CertificateSpec, "commonName" | "unit" | "publicKey" | "notBefore" | "notAfter" | "serial"> {
  readonly extensions: readonly Buffer[];
}

function tbsCertificate(issuer: string, { commonName, unit, publicKey, notBefore, notAfter, serial, extensions }: Fields): Buffer {
  const version3 = tagged(0xa0, integer(Buffer.from([2])));
  return sequence(
    version3,
    integer(serial),
    sequence(oids.ed25519),
    name(issuer),
    sequence(time(notBefore), time(notAfter)),
    name(commonName, unit),
    publicKey,
    tagged(0xa3, sequence(...extensions)),
  );
}

function signed(fields: Buffer, key: KeyObject): X509Certificate {
  return new X509Certificate(sequence(fields, sequence(oids.ed25519), bits(sign(null, fields, key), 0)));
}

function name(commonName: string, unit?: string): Buffer {
  const attribute = (type: Buffer, text: string): Buffer => tagged(0x31, sequence(type, tagged(0x0c, Buffer.from(text))));
  return sequence(...(unit === undefined ? [] : [attribute(oids.organisationalUnit, unit)]), attribute(oids.commonName, commonName));
}

function spki(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" });
}

/** As RFC 7093 has it: any value will do that is the same for the same key. */
function keyIdentifier(publicKey: Buffer): Buffer {
  return createHash("sha256").update(publicKey).digest().subarray(0, 20);
}

function extension(type: Buffer, critical: boolean, value: Buffer): Buffer {
  return sequence(type, ...(critical ? [boolean(true)] : []), tagged(0x04, value));
}

/* DER, as X.690 has it. */

function tagged(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length: number[] = [];
  for (let rest = body.length; rest > 0; rest >>= 8) length.unshift(rest & 0xff);
  const header = body.length < 0x80 ? [body.length] : [0x80 | length.length, ...length];
  return Buffer.concat([Buffer.from([tag, ...header]), body]);
}

function sequence(...content: readonly Buffer[]): Buffer {
  return tagged(0x30, ...content);
}

/** A positive number: in the shortest form, and with a zero before a set first bit. */
function integer(value: Buffer): Buffer {
  let first = 0;
  while (first < value.length - 1 && value[first] === 0) first += 1;
  const digits = value.subarray(first);
  return tagged(0x02, ...((digits[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : []), digits);
}

function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.from([value ? 0xff : 0]));
}

function bits(value: Buffer, unused: number): Buffer {
  return tagged(0x03, Buffer.from([unused]), value);
}

/** Two digits of the year until 2049, four from then on (RFC 5280, section 4.1.2.5). */
function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tagged(0x06, Buffer.from(bytes));
}

const oids = {
  ed25519: oid("1.3.101.112"),
  commonName: oid("2.5.4.3"),
  organisationalUnit: oid("2.5.4.11"),
  subjectKeyIdentifier: oid("2.5.29.14"),
  authorityKeyIdentifier: oid("2.5.29.35"),
  basicConstraints: oid("2.5.29.19"),
  keyUsage: oid("2.5.29.15"),
  extendedKeyUsage: oid("2.5.29.37"),
  subjectAltName: oid("2.5.29.17"),
  serverAuth: oid("1.3.6.1.5.5.7.3.1"),
  clientAuth: oid("1.3.6.1.5.5.7.3.2"),
} as const;
