import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { certificateLife } from "../../components/overlays/flannel/etcd/life";
import {
  authoritiesOf,
  type CertificateName,
  certificatesOf,
  certifier,
  issueCertificate,
  rotationMark,
} from "../../components/overlays/flannel/etcd/pki";

const day = 24 * 3600 * 1000;
const now = new Date("2026-11-24T12:00:00Z");
const holder = { key: "control-1", address: "10.0.0.1" };
const pair = generateKeyPairSync("ed25519");
const publicKey = pair.publicKey.export({ format: "pem", type: "spki" }) as string;
const privateKey = pair.privateKey.export({ format: "pem", type: "pkcs8" }) as string;

function issued(name: CertificateName, secret = "secret", rotation = "", at = now): string {
  const plan = certificatesOf(holder, true).find((one) => one.name === name);
  assert.ok(plan);
  return issueCertificate(plan, publicKey, authoritiesOf(secret), rotation, at);
}

describe("etcd's certificates", () => {
  it("come from authorities that follow from the secret, to the last byte", () => {
    const [one, again, other] = ["secret", "secret", "another"].map((secret) => authoritiesOf(secret).clients.certificate.toString());
    assert.equal(one, again);
    assert.notEqual(one, other);
  });

  it("for members are of another authority than for clients, so that no client gets in as a member", () => {
    const { clients, peers } = authoritiesOf("secret");
    const [host, peer] = [issued("host"), issued("peer")].map((pem) => new X509Certificate(pem));
    assert.deepEqual(
      [host, peer].map((certificate) => [clients, peers].map(({ publicKey: key }) => certificate?.verify(key))),
      [
        [true, false],
        [false, true],
      ],
    );
  });

  it("say whose they are, and for which addresses", () => {
    const server = new X509Certificate(issued("server"));
    assert.equal(server.subject, `OU=${rotationMark("")}\nCN=control-1`);
    assert.equal(server.subjectAltName, "IP Address:10.0.0.1, IP Address:127.0.0.1");
    assert.equal(server.ca, false);
    assert.deepEqual(
      [server.validFrom, server.validTo].map((text) => Date.parse(text) - now.getTime()),
      [-day, certificateLife.days * day],
    );
    assert.match(new X509Certificate(issued("host")).subject, /CN=flanneld-control-1$/);
    assert.match(new X509Certificate(issued("admin")).subject, /CN=root$/);
  });

  it("pass openssl's strict checks", function () {
    const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-pki-"));
    try {
      writeFileSync(join(folder, "ca.pem"), authoritiesOf("secret").peers.certificate.toString());
      writeFileSync(join(folder, "peer.pem"), issued("peer", "secret", "", new Date()));
      const { error, status, stdout, stderr } = spawnSync("openssl", ["verify", "-x509_strict", "-CAfile", "ca.pem", "peer.pem"], {
        cwd: folder,
        encoding: "utf8",
      });
      if (error) this.skip();
      assert.equal(status, 0, stdout + stderr);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("let a client of the same authority in, and no other", async () => {
    const ca = authoritiesOf("secret").clients.certificate.toString();
    const server = createServer({
      key: privateKey,
      cert: issued("server", "secret", "", new Date()),
      ca,
      requestCert: true,
      rejectUnauthorized: true,
    });
    server.on("secureConnection", (socket: TLSSocket) => socket.end("welcome"));
    server.on("tlsClientError", () => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const says = (secret: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect({ port, host: "127.0.0.1", key: privateKey, cert: issued("host", secret, "", new Date()), ca });
        let said = "";
        socket.on("data", (data: Buffer) => (said += data.toString()));
        socket.on("error", () => {});
        socket.on("close", () => resolve(said));
      });
    try {
      assert.equal(await says("secret"), "welcome");
      assert.equal(await says("another"), "");
    } finally {
      server.close();
    }
  });

  it("are made anew when there is a reason, and else kept", () => {
    const due = (pem: string | undefined, rotation = "", at = now, secret = "secret", host = holder): (string | undefined)[] =>
      certifier(secret, rotation, at)
        .due(host, true, pem === undefined ? {} : { server: pem })
        .filter(({ plan }) => plan.name === "server")
        .map(({ reason }) => reason);
    const old = issued("server");
    const almost = new Date(now.getTime() + (certificateLife.days - certificateLife.renewedFrom) * day - day);
    assert.deepEqual(due(old), []);
    assert.deepEqual(due(old, "", almost), []);
    assert.deepEqual(due(old, "", new Date(almost.getTime() + 2 * day)), ["it ends in 364 days"]);
    assert.deepEqual(due(undefined), ["there is none"]);
    assert.deepEqual(due("rubbish"), ["it cannot be read"]);
    assert.deepEqual(due(old, "", now, "another"), ["another authority signed it"]);
    assert.deepEqual(due(old, "", now, "secret", { key: "control-1", address: "10.0.0.2" }), ["it is for another address"]);
    assert.deepEqual(due(old, "", now, "secret", { key: "control-2", address: "10.0.0.1" }), ["it is for control-1"]);
    assert.deepEqual(due(old, "2027"), ["a new one is asked for"]);
    const rotated = issued("server", "secret", "2027");
    assert.deepEqual([due(rotated, "2027"), due(rotated, ""), due(rotated, "2028")], [[], [], ["a new one is asked for"]]);
  });

  it("are one for a host that is no member, and four for one that is", () => {
    assert.deepEqual(
      [false, true].map((member) => certificatesOf(holder, member).map(({ name }) => name)),
      [["host"], ["host", "admin", "server", "peer"]],
    );
  });
});
