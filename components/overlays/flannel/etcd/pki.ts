import { createHash, createPublicKey, randomBytes, X509Certificate } from "node:crypto";
import { certificateLife } from "./life";
import { type Authority, deriveAuthority, issue, type Usage } from "./x509";

/**
 * What a host shows certificates for. Each is one file with its private key, which was made on the host and never leaves it.
 *   host    flanneld, as a client of etcd
 *   admin   what is done to etcd on one of its hosts, as the user root
 *   server  etcd, towards its clients
 *   peer    etcd, towards its other members
 */
export type CertificateName = "host" | "admin" | "server" | "peer";

/** Whom a certificate is for. */
export interface Holder {
  readonly key: string;
  /** By which the other hosts reach it. */
  readonly address: string;
}

export interface CertificatePlan {
  readonly name: CertificateName;
  readonly commonName: string;
  readonly authority: "clients" | "peers";
  readonly usages: readonly Usage[];
  readonly addresses: readonly string[];
}

/** Who makes certificates. */
export interface Certifier {
  /** Certificates of the authorities, PEM. */
  readonly clients: string;
  readonly peers: string;
  /** What a host has to be given. @param has PEM of what it has */
  due(holder: Holder, isMember: boolean, has: Partial<Record<CertificateName, string>>): readonly DueCertificate[];
  /** @param publicKey PEM @returns PEM */
  issue(plan: CertificatePlan, publicKey: string): string;
}

export interface DueCertificate {
  readonly plan: CertificatePlan;
  readonly reason: string;
}

export interface Authorities {
  readonly clients: Authority;
  /** Of its own, so that no client's certificate opens the port of the members. */
  readonly peers: Authority;
}

const day = 24 * 3600 * 1000;
/** Hosts' clocks may be behind. */
const clockSkew = day;

/** @param rotation Every other text makes new certificates; empty asks for nothing. */
export function certifier(secret: string, rotation: string, now = new Date()): Certifier {
  const authorities = authoritiesOf(secret);
  return {
    clients: authorities.clients.certificate.toString(),
    peers: authorities.peers.certificate.toString(),
    due: (holder, isMember, has) =>
      certificatesOf(holder, isMember).flatMap((plan) => {
        const reason = whyRenewed(plan, has[plan.name], authorities, rotation, now);
        return reason === undefined ? [] : [{ plan, reason }];
      }),
    issue: (plan, publicKey) => issueCertificate(plan, publicKey, authorities, rotation, now),
  };
}

export function authoritiesOf(secret: string): Authorities {
  return { clients: deriveAuthority(secret, "etcd clients"), peers: deriveAuthority(secret, "etcd peers") };
}

/** etcd's name for a host's flanneld. */
export function clientName(key: string): string {
  return `flanneld-${key}`;
}

export function certificatesOf({ key, address }: Holder, isMember: boolean): CertificatePlan[] {
  const plans: CertificatePlan[] = [{ name: "host", commonName: clientName(key), authority: "clients", usages: ["client"], addresses: [] }];
  if (!isMember) return plans;
  const addresses = [address, "127.0.0.1"];
  return [
    ...plans,
    { name: "admin", commonName: "root", authority: "clients", usages: ["client"], addresses: [] },
    { name: "server", commonName: key, authority: "clients", usages: ["server"], addresses },
    { name: "peer", commonName: key, authority: "peers", usages: ["server", "client"], addresses },
  ];
}

/** A text of any length as what certificates carry of it. */
export function rotationMark(rotation: string): string {
  return createHash("sha256").update(rotation).digest("hex").slice(0, 16);
}

/** Why a host's certificate has to be made anew; undefined where it may stay. @param pem what the host has, if anything */
export function whyRenewed(
  plan: CertificatePlan,
  pem: string | undefined,
  authorities: Authorities,
  rotation: string,
  now: Date,
): string | undefined {
  if (pem === undefined) return "there is none";
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return "it cannot be read";
  }
  const authority = authorities[plan.authority];
  if (!certificate.verify(authority.publicKey)) return "another authority signed it";
  const subject = subjectOf(certificate);
  if (subject.commonName !== plan.commonName) return `it is for ${subject.commonName}`;
  if (plan.addresses.some((address) => certificate.checkIP(address) === undefined)) return "it is for another address";
  // Taking the option out asks for nothing.
  if (rotation !== "" && subject.unit !== rotationMark(rotation)) return "a new one is asked for";
  const left = (Date.parse(certificate.validTo) - now.getTime()) / day;
  return left < certificateLife.renewedFrom ? `it ends in ${Math.floor(left)} days` : undefined;
}

/** @param publicKey PEM */
export function issueCertificate(plan: CertificatePlan, publicKey: string, authorities: Authorities, rotation: string, now: Date): string {
  return issue(authorities[plan.authority], {
    commonName: plan.commonName,
    unit: rotationMark(rotation),
    publicKey: createPublicKey(publicKey).export({ format: "der", type: "spki" }),
    usages: plan.usages,
    addresses: plan.addresses,
    notBefore: new Date(now.getTime() - clockSkew),
    notAfter: new Date(now.getTime() + certificateLife.days * day),
    // The first bit is zero, as a serial number is positive.
    serial: Buffer.concat([Buffer.from([0x40]), randomBytes(15)]),
  }).toString();
}

function subjectOf(certificate: X509Certificate): { readonly commonName: string; readonly unit: string } {
  const field = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(certificate.subject)?.[1] ?? "";
  return { commonName: field("CN"), unit: field("OU") };
}
