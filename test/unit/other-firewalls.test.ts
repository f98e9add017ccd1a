import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { judgeOthers, type OtherFirewalls } from "../../components/firewall/others";

const none: OtherFirewalls = { drops: [], ufw: false, firewalld: false, firewalldCloses: false, nftablesEnabled: false, flushes: false, ours: false };

/** What begins each refusal, and each warning; and what they tell to do. */
interface Case {
  readonly host: string;
  readonly seen: Partial<OtherFirewalls>;
  readonly refusals?: readonly RegExp[];
  readonly warnings?: readonly RegExp[];
  readonly runs?: true;
}

const instead =
  /ports of the plan would stay closed: .*this package's firewall closes the host instead.*allow the ports of the plan in it, and set firewall\.enforce to "none"$/;

const cases: readonly Case[] = [
  { host: "without another firewall", seen: {} },
  { host: "with ufw that accepts by default", seen: { ufw: true } },
  {
    host: "with ufw",
    seen: { ufw: true, drops: ["ip filter input", "ip6 filter input"] },
    refusals: [/^ufw is active and drops .* Fix: "ufw disable", or "ufw default allow incoming" to keep its other rules;/],
  },
  {
    host: "with firewalld",
    seen: { firewalld: true, firewalldCloses: true, drops: ["inet firewalld forward", "inet firewalld input"] },
    refusals: [
      /^firewalld is active and drops .* Fix: "systemctl disable --now firewalld" and "systemctl restart docker", or "firewall-cmd --set-default-zone=trusted"/,
    ],
  },
  {
    host: "with firewalld on iptables",
    seen: { firewalld: true, firewalldCloses: true, drops: ["ip filter input"] },
    refusals: [/^firewalld is active/],
  },
  {
    host: "with firewalld that accepts everything in its default zone",
    seen: { firewalld: true, drops: ["inet firewalld forward", "inet firewalld input"] },
  },
  {
    host: "with rules of nftables.service",
    seen: { nftablesEnabled: true, drops: ["inet filter forward", "inet filter input"] },
    refusals: [
      /^nftables\.service loads rules of the host's own \(table inet filter\) and drops .* Fix: take that table out of \/etc\/nftables\.conf, and run "nft delete table inet filter"/,
    ],
  },
  {
    host: "with rules that iptables-persistent loads",
    seen: { drops: ["ip filter input"] },
    refusals: [/^somebody loads rules of the host's own \(table ip filter\) .* Fix: let its chain INPUT accept .*iptables-persistent/],
  },
  {
    host: "with tables of somebody",
    seen: { drops: ["inet mine input", "ip6 other input"] },
    refusals: [
      /^somebody loads .*\(table inet mine, ip6 other\) .* Fix: run "nft delete table inet mine" and "nft delete table ip6 other", and take them out of where they come from/,
    ],
  },
  {
    host: "with two at once, both named",
    seen: { ufw: true, nftablesEnabled: true, drops: ["inet filter input", "ip filter input"] },
    refusals: [/^ufw is active/, /^nftables\.service loads/],
  },
  {
    host: "whose nftables.service flushes everybody's rules",
    seen: { nftablesEnabled: true, flushes: true },
    warnings: [
      /^nftables\.service is enabled, and .*"flush ruleset": .*Docker's rules.*leaves in plaintext, until "systemctl restart docker".* Fix: "systemctl disable nftables"$/,
    ],
  },
  {
    host: "that has run with ufw and this package before",
    seen: { ufw: true, ours: true, drops: ["ip filter input"] },
    warnings: [
      /^ufw is active beside this package's firewall: ports of the plan that it does not allow stay closed\. Fix: allow them in it, or "ufw disable"/,
    ],
  },
  {
    host: "in a swarm that is taken over, with firewalld",
    seen: { firewalld: true, firewalldCloses: true, drops: ["inet firewalld input"] },
    runs: true,
    warnings: [/^firewalld is active beside this package's firewall/],
  },
];

describe("a host with firewalls of its own", () => {
  for (const { host, seen, refusals = [], warnings = [], runs = false } of cases) {
    it(`${refusals.length > 0 ? "is refused" : warnings.length > 0 ? "gets a warning" : "is fine"}: ${host}`, () => {
      const verdict = judgeOthers({ ...none, ...seen }, runs);
      assert.deepEqual([verdict.refusals.length, verdict.warnings.length], [refusals.length, warnings.length], JSON.stringify(verdict, undefined, 1));
      refusals.forEach((expected, index) => {
        assert.match(verdict.refusals[index] ?? "", expected);
        assert.match(verdict.refusals[index] ?? "", instead);
      });
      warnings.forEach((expected, index) => assert.match(verdict.warnings[index] ?? "", expected));
    });
  }
});

/** A table as `nft list ruleset` shows it: its chains by name, each the lines in it. */
function table(name: string, chains: Readonly<Record<string, readonly string[]>>): string {
  const body = Object.entries(chains).map(([chain, lines]) => `\tchain ${chain} {\n${lines.map((line) => `\t\t${line}\n`).join("")}\t}\n`);
  return `table ${name} {\n${body.join("\n")}}\n`;
}

const hook = (which: string, policy: string): string => `type filter hook ${which} priority filter; policy ${policy};`;
const ours = table("inet pulumi_swarm", { input: [hook("input", "drop"), "ct state established,related accept"] });
const docker = table("ip filter", {
  INPUT: [hook("input", "accept")],
  FORWARD: [hook("forward", "drop"), "counter packets 0 bytes 0 jump DOCKER-USER"],
  DOCKER: ['iifname != "docker0" oifname "docker0" counter packets 0 bytes 0 drop'],
});

describe("the look for firewalls beside ours", () => {
  const folder = mkdtempSync(join(tmpdir(), "others-"));
  after(() => rmSync(folder, { recursive: true }));
  const script = readFileSync(join(__dirname, "../../components/firewall/others.sh"), "utf8");

  /** On a host whose programs print this; others are not there. */
  const look = (programs: Readonly<Record<string, string>>): OtherFirewalls => {
    const bin = mkdtempSync(join(folder, "bin-"));
    const quiet = { systemctl: "exit 1", ...programs };
    mkdirSync(join(bin, "systemd/system/sysinit.target.wants"), { recursive: true });
    for (const [name, body] of Object.entries(quiet)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    // Only what POSIX has, so that this machine's own firewalls are not asked.
    const tools = ["awk", "grep", "sed", "sort", "tr", "paste", "test", "cat"].map((name) => `ln -s "$(command -v ${name})" ${bin}/${name}`);
    spawnSync("sh", ["-c", tools.join("\n")]);
    const text = script.replaceAll("/etc/", `${bin}/`).replaceAll("/proc/net/", `${bin}/`);
    const { stdout, stderr, status } = spawnSync("/bin/sh", ["-s"], { input: `set -- look\n${text}`, encoding: "utf8", env: { PATH: bin } });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as OtherFirewalls;
  };
  const drops = (...tables: readonly string[]): readonly string[] => look({ nft: `cat <<'END'\n${tables.join("")}END` }).drops;

  it("leaves out ours and Docker's", () => {
    assert.deepEqual(drops(ours, docker), []);
  });

  it("finds chains whose policy is to drop, before the host and before what it forwards", () => {
    const usual = ["ct state established,related accept", "tcp dport 22 accept"];
    assert.deepEqual(drops(ours, table("inet filter", { input: [hook("input", "drop"), ...usual], forward: [hook("forward", "drop")] }), docker), [
      "inet filter forward",
      "inet filter input",
    ]);
  });

  it("finds those that drop or reject at their end, as firewalld's and those of a cloud's images do", () => {
    const firewalld = table("inet firewalld", {
      filter_INPUT: [
        hook("input", "accept"),
        "ct state { established, related } accept",
        "jump filter_INPUT_ZONES",
        "reject with icmpx admin-prohibited",
      ],
      filter_INPUT_ZONES: ["goto filter_IN_public"],
    });
    const image = table("ip filter", {
      INPUT: [hook("input", "accept"), "tcp dport 22 counter packets 7 bytes 420 accept", 'counter packets 1 bytes 60 xt target "REJECT"'],
      FORWARD: [hook("forward", "accept"), "counter packets 0 bytes 0 reject with icmp host-prohibited"],
    });
    const logging = table("inet mine", { in: [hook("input", "accept"), 'log prefix "dropped: " counter packets 0 bytes 0 drop comment "the rest"'] });
    assert.deepEqual(drops(firewalld, image, logging), ["inet firewalld input", "inet mine input", "ip filter input"]);
  });

  it("leaves out what drops some packets alone, and chains of other hooks", () => {
    const fail2ban = table("inet f2b-table", { "f2b-chain": [hook("input", "accept"), "tcp dport 22 ip saddr @addr-set-sshd reject"] });
    const early = table("inet mine", {
      before: ["type filter hook prerouting priority raw; policy accept;", "ip saddr 192.0.2.1 drop"],
      middle: [hook("input", "accept"), "ct state invalid drop", "accept"],
    });
    assert.deepEqual(drops(fail2ban, early), []);
  });

  it("asks iptables where there is no nft", () => {
    const of = (rules: string): readonly string[] => look({ iptables: `cat <<'END'\n${rules}\nEND` }).drops;
    assert.deepEqual(of("-P INPUT DROP\n-A INPUT -j ufw-before-input"), ["ip filter input"]);
    assert.deepEqual(of("-P INPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -j REJECT --reject-with icmp-host-prohibited"), [
      "ip filter input",
    ]);
    assert.deepEqual(of("-P INPUT ACCEPT\n-A INPUT -s 192.0.2.1/32 -j DROP"), []);
    assert.deepEqual(look({}).drops, []);
  });

  it("says who is active", () => {
    assert.deepEqual(look({}), none);
    const on = look({ systemctl: "exit 0", "firewall-cmd": "echo public" });
    assert.deepEqual([on.firewalld, on.firewalldCloses, on.nftablesEnabled, on.flushes], [true, true, false, false]);
    assert.equal(look({ systemctl: "exit 0", "firewall-cmd": "echo trusted" }).firewalldCloses, false);
    const wanted = "systemd/system/sysinit.target.wants/nftables.service";
    const flushing = look({ systemctl: "exit 0", [wanted]: "", "nftables.conf": "flush ruleset\n\ntable inet filter {\n}" });
    assert.deepEqual([flushing.nftablesEnabled, flushing.flushes], [true, true]);
  });

  it("asks systemd about nobody who is not installed, or whom nothing starts", () => {
    assert.deepEqual(look({ systemctl: "exit 0", nft: "", "nftables.conf": "flush ruleset" }), none);
  });
});
