import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { utils } from "ssh2";
import { preflight, type Probe } from "../../components/engine/preflight";
import { quote, scriptInput } from "../../components/remote/script";
import { deriveSshKey } from "../../components/remote/ssh-key";

describe("a value for a shell script", () => {
  it("comes out of the shell as it went in, whatever is in it", () => {
    const text = fc.string({ unit: "binary", maxLength: 30 }).filter((value) => !value.includes("\0") && Buffer.from(value).toString() === value);
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 60 }), (values) => {
        const script = values.map((value) => `printf '%s\\0' ${quote(value)}`).join("\n");
        const printed = execFileSync("sh", ["-s"], { input: script }).toString("utf8").split("\0").slice(0, -1);
        assert.deepEqual(printed, values);
      }),
      { numRuns: 25 },
    );
  });

  it("goes in by name, with the verb as the first argument", () => {
    const printed = execFileSync("sh", ["-s"], { input: scriptInput('echo "$1 $KEY"', "up", { KEY: "it's $HOME" }) }).toString();
    assert.equal(printed, "up it's $HOME\n");
  });

  it("is refused when it or its name cannot be held by a shell", () => {
    assert.throws(() => quote("a\0b"), /NUL/);
    assert.throws(() => scriptInput("", "up", { "A B": "x" }), /"A B" is not a name/);
  });
});

describe("a derived SSH key", () => {
  it("is the same every time, another for another label, and read by OpenSSH and by our client", () => {
    const key = deriveSshKey("secret", "host a");
    assert.deepEqual(deriveSshKey("secret", "host a"), key);
    assert.notEqual(deriveSshKey("secret", "host b").publicKey, key.publicKey);
    assert.ok(!(utils.parseKey(key.privateKey) instanceof Error));
    const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-key-"));
    try {
      const file = join(folder, "key");
      writeFileSync(file, key.privateKey);
      chmodSync(file, 0o600);
      assert.equal(execFileSync("ssh-keygen", ["-y", "-f", file]).toString().trim(), key.publicKey);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the preflight of a host", () => {
  const good: Probe = {
    engine: "26.1.5+dfsg1 1.45",
    cli: true,
    swarmNftables: false,
    firewall: null,
    distribution: "debian trixie",
    apt: true,
    dnf: false,
    systemd: true,
    settingUp: "",
    vxlan: true,
    ipvs: true,
    ipsec: null,
    macvlan: null,
    openvswitch: null,
    folders: [],
    addresses: ["192.0.2.7"],
    epoch: 1000,
    freeKilobytes: 9e6,
    hostname: "a",
  };
  const cases: readonly (readonly [string, Partial<Probe>, Parameters<typeof preflight>[1], RegExp | undefined])[] = [
    ["passes a good one", {}, {}, undefined],
    ["passes a version as asked", {}, { version: "26.1" }, undefined],
    ["passes an engine without a version stamp", { engine: "library-import 1.56" }, { version: "29" }, undefined],
    ["passes an older version, to be replaced", {}, { version: "28" }, undefined],
    [
      "refuses a newer version that is not to be replaced",
      {},
      { version: "25" },
      /is 26\.1\.5\+dfsg1 and engine\.version asks for 25, which is older/,
    ],
    ["does not take 26.10 for 26.1", { engine: "26.10.0 1.45" }, { version: "26.1" }, /asks for 26\.1/],
    ["refuses an old engine", { engine: "19.03.5 1.40" }, {}, /19\.03\.5 is too old; 20\.10 or newer/],
    ["refuses a missing engine when it is to be present", { engine: "" }, { source: "present" }, /engine\.source is "present"/],
    ["refuses a missing engine where nothing can install it", { engine: "", apt: false }, {}, /neither apt-get nor dnf/],
    ["refuses a kernel without VXLAN", { vxlan: false }, {}, /VXLAN/],
    ["refuses a full disk", { freeKilobytes: 5_000 }, {}, /only 5 MB are free/],
    ["refuses a clock that is wrong", { epoch: 10_000 }, {}, /clock is 9000 s ahead/],
    ["refuses a machine without systemd", { systemd: false }, {}, /systemd/],
  ];
  for (const [what, probe, engine, expected] of cases) {
    it(what, () => {
      const { refusals } = preflight({ ...good, ...probe }, engine, 1000);
      if (expected) assert.match(refusals.join("; "), expected);
      else assert.deepEqual(refusals, []);
    });
  }
});
