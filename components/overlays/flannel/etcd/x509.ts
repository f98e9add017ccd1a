import { createHash, createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign, X509Certificate } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";

/*
 * X.509 certificates signed with Ed25519 (RFC 8410). Its signatures do not differ from one time to the next, so that an authority's
 * certificate follows from its key to the last byte, and need not be kept anywhere.
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
  const publicKey = createPublicKey(key);
  const certificate = signed(key, commonName, {
    commonName,
    publicKey: spki(publicKey),
    notBefore: authorityLife.from,
    notAfter: authorityLife.to,
    serial: Buffer.from([1]),
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), "critical"),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), "critical"),
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(spki(publicKey)))),
    ],
  });
  return { key, publicKey, commonName, certificate };
}

export function issue({ key, publicKey, commonName }: Authority, spec: CertificateSpec): X509Certificate {
  const purposes = { server: id_kp_serverAuth, client: id_kp_clientAuth } as const;
  const names = spec.addresses.map((iPAddress) => new GeneralName({ iPAddress }));
  return signed(key, commonName, {
    ...spec,
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints(), "critical"),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), "critical"),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage(spec.usages.map((usage) => purposes[usage]))),
      extension(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(spki(publicKey))) })),
      ...(names.length === 0 ? [] : [extension(id_ce_subjectAltName, new SubjectAlternativeName(names))]),
    ],
  });
}

interface Fields extends Pick<CertificateSpec, "commonName" | "unit" | "publicKey" | "notBefore" | "notAfter" | "serial"> {
  readonly extensions: Extension[];
}

const ed25519 = new AlgorithmIdentifier({ algorithm: "1.3.101.112" });

function signed(key: KeyObject, issuer: string, fields: Fields): X509Certificate {
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: arrayBuffer(positive(fields.serial)),
    signature: ed25519,
    issuer: name(issuer),
    validity: new Validity({ notBefore: fields.notBefore, notAfter: fields.notAfter }),
    subject: name(fields.commonName, fields.unit),
    subjectPublicKeyInfo: AsnConvert.parse(fields.publicKey, SubjectPublicKeyInfo),
    extensions: new Extensions(fields.extensions),
  });
  const signature = sign(null, Buffer.from(AsnConvert.serialize(tbsCertificate)), key);
  const certificate = new Certificate({ tbsCertificate, signatureAlgorithm: ed25519, signatureValue: arrayBuffer(signature) });
  return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate)));
}

/** In the shortest form, and with a zero before a set first bit, or it would be a negative number. */
function positive(serial: Buffer): Buffer {
  const first = serial.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.from([0]) : serial.subarray(first);
  return (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits;
}

function name(commonName: string, unit?: string): Name {
  const part = (type: string, utf8String: string): RelativeDistinguishedName =>
    new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String }) })]);
  return new Name([...(unit === undefined ? [] : [part("2.5.4.11", unit)]), part("2.5.4.3", commonName)]);
}

function spki(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" });
}

/** As RFC 7093 has it: any value will do that is the same for the same key. */
function keyIdentifier(publicKey: Buffer): ArrayBuffer {
  return arrayBuffer(createHash("sha256").update(publicKey).digest().subarray(0, 20));
}

function extension(extnID: string, value: object, critical?: "critical"): Extension {
  return new Extension({ extnID, critical: critical !== undefined, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function arrayBuffer(bytes: Buffer): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
