// A call of etcd as etcdctl does not make it, from a host's own network: node grpc-call.js ADDRESS METHOD HEX <PEM, which holds the
// host's key, its certificate and the authority's. Prints gRPC's status, its message and the answer in hexadecimal.
"use strict";
const fs = require("node:fs");
const http2 = require("node:http2");

const [address = "", method = "", body = ""] = process.argv.slice(2);
const pem = fs.readFileSync(0, "utf8");
const key = /-----BEGIN PRIVATE KEY-----[^]*?-----END PRIVATE KEY-----/.exec(pem)?.[0] ?? "";
const [own = "", ...authorities] = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];

const session = http2.connect(`https://${address}:2379`, { key, cert: own, ca: authorities, checkServerIdentity: () => undefined });
session.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
const message = Buffer.from(body, "hex");
const frame = Buffer.alloc(5);
frame.writeUInt32BE(message.length, 1);
const call = session.request({ ":method": "POST", ":path": method, "content-type": "application/grpc", te: "trailers" });
let status = {};
const parts = [];
call.on("response", (headers) => (status = { ...status, ...headers }));
call.on("trailers", (headers) => (status = { ...status, ...headers }));
call.on("data", (data) => parts.push(data));
call.on("end", () => {
  const answer = Buffer.concat(parts).subarray(5).toString("hex");
  process.stdout.write(`${JSON.stringify({ code: Number(status["grpc-status"]), message: status["grpc-message"] ?? "", answer })}\n`);
  session.close();
});
call.setTimeout(10_000, () => {
  process.stderr.write("no answer within 10 s\n");
  process.exit(1);
});
call.end(Buffer.concat([frame, message]));
