import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { utils } from "ssh2";
import { hostKeyProblemOf } from "../../components/remote/host-key";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";

/** As ssh-keyscan prints it. */
function made(type: "rsa" | "ec", more: object): string {
  const { privateKey } = generateKeyPairSync(type as "rsa", { modulusLength: 2048, ...more });
  const parsed = utils.parseKey(privateKey.export({ type: type === "rsa" ? "pkcs1" : "sec1", format: "pem" }));
  assert.ok(!(parsed instanceof Error));
  return `${parsed.type} ${parsed.getPublicSSH().toString("base64")}`;
}

describe("a host's public key", () => {
  const right: Readonly<Record<string, string>> = {
    ed25519: key,
    "ed25519 with a comment": `${key} root@rack a`,
    RSA: made("rsa", {}),
    "P-256": made("ec", { namedCurve: "P-256" }),
    "P-384": made("ec", { namedCurve: "P-384" }),
    "P-521": made("ec", { namedCurve: "P-521" }),
  };
  for (const [what, text] of Object.entries(right)) {
    it(`is taken: ${what}`, () => assert.equal(hostKeyProblemOf(text), undefined));
    it(`is refused where its end is cut off: ${what}`, () => {
      const blob = text.split(" ").slice(0, 2).join(" ").replace(/=+$/, "");
      for (const less of [1, 4, 10, 30])
        assert.match(hostKeyProblemOf(blob.slice(0, -less))?.message ?? "", /damaged or cut off/, `${less} letters less`);
    });
  }

  it("is refused with a letter lost in its middle", () => {
    assert.match(hostKeyProblemOf(`${key.slice(0, 40)}${key.slice(41)}`)?.message ?? "", /damaged or cut off/);
  });

  it("is not repeated where it is a private one", () => {
    const problem = hostKeyProblemOf("-----BEGIN OPENSSH PRIVATE KEY-----\nsecret");
    assert.deepEqual(problem, { message: "this is a private key, and the host's public key is needed" });
  });
});
