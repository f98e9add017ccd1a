import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kinds } from "../../components/status/findings";
import { json } from "../../components/status/render/json";
import { plain } from "../../components/status/render/plain";
import { exitCodes, failsOn, reportOf } from "../../components/status/report";
import type { Seen } from "../../components/status/seen";
import { derived } from "../status/derived";

const folder = join(__dirname, "..", "status");
const recorded = (name: string): Seen => JSON.parse(readFileSync(join(folder, "seen", `${name}.json`), "utf8")) as Seen;

/** What a person has to read first, by situation. */
const first: Readonly<Record<string, string | undefined>> = {
  healthy: undefined,
  drained: "drained",
  label: "label-differs",
  firewall: "firewall-gone",
  engine: "engine-stopped",
  "no-ssh": "unreachable",
  tunnel: "tunnel-peer",
  "tunnel-and-engine": "engine-stopped",
  "manager-dead": "host-dead",
  quorum: "quorum-lost",
  weave: "weave-connection",
  clock: "clock-off",
  "own-clock": "clock-off",
  disk: "disk-full",
  certificate: "certificate-ending",
  engines: "engines-apart",
  agent: "network-agent",
  locked: "swarm-locked",
  slow: "no-manager",
  nothing: "nothing-answers",
};

const head = "| word | meaning |\n|---|---|\n";

describe("status, as an operator reads it at night", () => {
  const records = readdirSync(join(folder, "seen")).map((file) => file.replace(/\.json$/, ""));
  // A record is better than what was made out of others.
  const made = derived.filter(({ name }) => !records.includes(name)).map(({ name, of, edit }) => [name, edit(recorded(of))] as const);
  const situations: readonly (readonly [string, Seen])[] = [...records.map((name) => [name, recorded(name)] as const), ...made];

  it("has at least twelve broken situations, each with its cause", () => {
    assert.deepEqual(situations.map(([name]) => name).sort(), Object.keys(first).sort());
    assert.ok(Object.values(first).filter((kind) => kind !== undefined).length >= 12);
  });

  for (const [name, seen] of situations) {
    it(`names the cause first: ${name} (test/status/golden/${name}.txt)`, () => {
      const report = reportOf(seen);
      assert.equal(report.findings[0]?.kind, first[name], report.verdict);
      assert.ok(
        report.findings.every(({ kind }) => kind in kinds),
        "each kind has its line in --help",
      );
      const written = plain(report, { color: false });
      const file = join(folder, "golden", `${name}.txt`);
      if (process.env["UPDATE_GOLDEN"]) {
        mkdirSync(join(folder, "golden"), { recursive: true });
        writeFileSync(file, written);
      }
      assert.ok(existsSync(file), `there is no ${file}: UPDATE_GOLDEN=1 writes it`);
      assert.equal(written, readFileSync(file, "utf8"));
    });

    it(`tells programs the same: ${name}`, () => {
      const report = reportOf(seen);
      const told = JSON.parse(json(report)) as { verdict: string; exitCode: number; findings: unknown[]; hosts: unknown[] };
      assert.deepEqual([told.verdict, told.exitCode], [report.verdict, exitCodes[report.state]]);
      assert.deepEqual(told.findings, report.findings);
      assert.equal(told.hosts.length, seen.hosts.length);
    });
  }

  it("has all its words on its page", () => {
    const page = join(folder, "..", "..", "docs", "status.md");
    const rows = Object.entries(kinds).map(([kind, summary]) => `| \`${kind}\` | ${summary} |\n`);
    const text = readFileSync(page, "utf8");
    const wanted = text.replace(
      /(<!-- findings -->\n)[^]*(<!-- \/findings -->)/,
      (_, begin: string, end: string) => begin + head + rows.join("") + end,
    );
    if (process.env["UPDATE_GOLDEN"]) writeFileSync(page, wanted);
    assert.equal(readFileSync(page, "utf8"), wanted, "UPDATE_GOLDEN=1 writes the table");
  });

  it("says nothing of a node that the program itself has drained", () => {
    const seen = recorded("drained");
    const nodes = (seen.swarm?.nodes ?? []).map((node) =>
      node.availability === "drain" ? { ...node, labels: { ...node.labels, "pulumi-swarm.drained": "active" } } : node,
    );
    assert.ok(seen.swarm);
    assert.deepEqual(
      reportOf({ ...seen, swarm: { ...seen.swarm, nodes } }).findings.map(({ kind }) => kind),
      ["reboot-required"],
    );
  });

  it("colours a terminal, and lets nothing that a host wrote move its cursor", () => {
    const seen = recorded("healthy");
    const hostile = { ...seen, hosts: seen.hosts.map((host) => ({ ...host, unreached: "\u001b[2Jgone", key: `${host.key}\u0007` })) };
    const text = plain(reportOf(hostile), { color: true });
    assert.ok(text.includes("\u001b[32;1m") || text.includes("\u001b[33;1m"));
    assert.doesNotMatch(text.replaceAll(/\u001b\[[\d;]*m/g, ""), /[\u0000-\u0009\u000b-\u001f]/);
  });

  it("fits on one screen where all is well", () => {
    const lines = plain(reportOf(recorded("healthy")), { color: false }).split("\n");
    assert.ok(lines.length <= 32 && lines.every((line) => line.length <= 120), `${lines.length} lines`);
  });

  it("fails on what is asked for alone: drift that up would fix, one kind, or a severity", () => {
    const [label, drained, healthy] = ["label", "drained", "healthy"].map((name) => reportOf(recorded(name))) as [
      ReturnType<typeof reportOf>,
      ReturnType<typeof reportOf>,
      ReturnType<typeof reportOf>,
    ];
    assert.deepEqual([failsOn(["drift"], label), failsOn(["drift"], drained), failsOn(["drift"], healthy)], [2, 0, 0]);
    assert.deepEqual([failsOn(["drained"], drained), failsOn(["warning"], drained), failsOn(["broken"], drained)], [2, 2, 0]);
    assert.equal(failsOn(["drift"], reportOf(recorded("no-ssh"))), 3, "of a host that was not looked at nobody knows");
  });
});
