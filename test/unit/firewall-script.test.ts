import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const script = readFileSync(join(__dirname, "../../components/firewall/firewall.sh"), "utf8");

/** A function of the script, as it stands there. */
function part(name: string): string {
  return new RegExp(`^${name}\\(\\) \\{.*?(?:^\\}|\\}$)`, "ms").exec(script)?.[0] ?? assert.fail(`no function ${name}`);
}

/** As `ip -o addr show scope global` has them. */
const addresses = [
  "2: eth0    inet 192.168.7.5/24 brd 192.168.7.255 scope global eth0\\       valid_lft forever preferred_lft forever",
  "2: eth0    inet6 2001:db8::5/64 scope global \\       valid_lft forever preferred_lft forever",
  "3: docker0    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0\\       valid_lft forever preferred_lft forever",
];

describe("the host's own resolver", () => {
  const folder = mkdtempSync(join(tmpdir(), "resolver-"));
  after(() => rmSync(folder, { recursive: true }));

  /** What is added to the ruleset, by what resolv.conf says, and systemd-resolved's. */
  const added = (resolvConf: string, ofResolved = ""): string[] => {
    const [own, resolved, rules] = ["resolv.conf", "resolved.conf", "rules"].map((name) => join(folder, name)) as [string, string, string];
    writeFileSync(own, resolvConf);
    writeFileSync(resolved, ofResolved);
    writeFileSync(rules, `${addresses.join("\n")}\n`);
    const functions = ["nameservers", "resolvers", "elements", "ruleset_text"].map(part).join("\n");
    const text = functions.replaceAll("/run/systemd/resolve/resolv.conf", resolved).replaceAll("/etc/resolv.conf", own);
    const stubs = `RULESET=rules; table="inet pulumi_swarm"; ip() { cat '${rules}'; }; uplinks() { echo eth0; }`;
    const { stdout, stderr, status } = spawnSync("sh", ["-s"], { input: `set -eu\n${stubs}\n${text}\nruleset_text\n`, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return stdout.trim().split("\n").slice(1);
  };
  const uplinks = 'add element inet pulumi_swarm uplinks { "eth0" }';

  it("is known where resolv.conf names addresses of the host's own, of both families", () => {
    assert.deepEqual(added("search lan\nnameserver 192.168.7.5\nnameserver 9.9.9.9\n nameserver\t2001:db8::5\n# nameserver 172.17.0.1\n"), [
      uplinks,
      "add element inet pulumi_swarm resolvers { 192.168.7.5 }",
      "add element inet pulumi_swarm resolvers6 { 2001:db8::5 }",
    ]);
  });

  it("is nothing to open where it is elsewhere, on a loopback address, or not named at all", () => {
    for (const text of ["nameserver 192.168.7.1\n", "nameserver 127.0.0.1\nnameserver 192.168.7.50\n", "", "search lan\n"])
      assert.deepEqual(added(text, "nameserver 192.168.7.5\n"), [uplinks]);
  });

  it("is what systemd-resolved asks, where containers get that instead of its own", () => {
    assert.deepEqual(added("nameserver 127.0.0.53\noptions edns0\n", "nameserver 192.168.7.5\n"), [
      uplinks,
      "add element inet pulumi_swarm resolvers { 192.168.7.5 }",
    ]);
  });
});

describe("the time until the old rules come back", () => {
  const until = (took: number): string => {
    const clock = `look_at_clock() { seconds=$((100 + ${took})); }`;
    return spawnSync("sh", ["-s"], {
      input: `set -eu\nLIMIT_SECONDS=15\n${clock}\n${part("limit_since")}\nlimit_since 100\necho "$limit"`,
      encoding: "utf8",
    }).stdout.trim();
  };

  it("grows with what a busy host took so far, and is two minutes at most", () =>
    assert.deepEqual([0, 3, 4, 14, 30, 500].map(until), ["15", "15", "16", "56", "120", "120"]));

  it("is read from a clock that needs no process", () => {
    const { stdout } = spawnSync("sh", ["-s"], { input: `set -eu\n${part("look_at_clock")}\nlook_at_clock\necho "$seconds"`, encoding: "utf8" });
    assert.match(stdout, /^\d+\n$/);
  });
});

describe("confirmed rules", () => {
  const folder = mkdtempSync(join(tmpdir(), "confirmed-"));
  after(() => rmSync(folder, { recursive: true }));

  it("are those of the next boot, also after a power cut, before they count as confirmed", () => {
    const files = ["next", "confirmed", "previous", "refused", "fingerprint"].map((name) => `${name}='${folder}/${name}'`).join("; ");
    const said = ["keep_names", "stop_switch", "install_units"].map((name) => `${name}() { echo "${name} $*"; }`).join("; ");
    const stubs = `${files}; ${said}; sure_fingerprint() { echo sure; }; write_file() { :; }; nft=true`;
    writeFileSync(join(folder, "next"), "rules\n");
    const { stdout, stderr, status } = spawnSync("sh", ["-s"], { input: `set -eu\n${stubs}\n${part("confirm")}\nconfirm\n`, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.equal(readFileSync(join(folder, "confirmed"), "utf8"), "rules\n");
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => line.trim());
    assert.deepEqual(lines, ["stop_switch", `keep_names ${folder}/confirmed`, "install_units", '{"confirmed":true}']);
  });

  const confirming = (more: string, next = true): { readonly status: number | null; readonly stderr: string; readonly asked: readonly string[] } => {
    const own = mkdtempSync(join(folder, "one-"));
    const files = ["next", "confirmed", "previous", "refused", "fingerprint"].map((name) => `${name}='${own}/${name}'`).join("; ");
    const nft = `command() { echo nft; }; nft() { :; }; die() { echo "$*" >&2; exit 1; }; LOG=/dev/null; asked() { echo "$*" >>'${own}/asked'; }`;
    const stubs = `${files}; ${nft}; stop_switch() { asked stop; }; sure_fingerprint() { asked look; }; write_file() { asked write; }; keep_names() { :; }; install_units() { :; }`;
    const functions = `put_back_text() { echo "echo back >>'${own}/asked'"; }\n${["give_back", "confirm"].map(part).join("\n")}`;
    writeFileSync(join(own, "asked"), "");
    if (next) writeFileSync(join(own, "next"), "rules\n");
    const { stderr, status } = spawnSync("sh", ["-s"], { input: `set -eu\n${stubs}\n${more}\n${functions}\nconfirm\n`, encoding: "utf8" });
    return { status, stderr: stderr.trim(), asked: readFileSync(join(own, "asked"), "utf8").trim().split("\n") };
  };

  it("are not taken back any more while a busy host is confirming them: the switch is stopped first", () =>
    assert.deepEqual(confirming(""), { status: 0, stderr: "", asked: ["stop", "look", "write"] }));

  it("are none where the switch has fired", () =>
    assert.deepEqual(confirming("", false), {
      status: 1,
      stderr: "the new firewall rules were not confirmed in time, so the old ones are back",
      asked: ["stop"],
    }));

  for (const [what, fails, asked] of [
    ["loaded again", "sure_fingerprint() { die no; }", ["stop", "back"]],
    ["written down", "write_file() { die no; }", ["stop", "look", "back"]],
  ] as const) {
    it(`give way to the old ones at once where they cannot be ${what}`, () =>
      assert.deepEqual(confirming(fails), { status: 1, stderr: "no", asked }));
  }
});
