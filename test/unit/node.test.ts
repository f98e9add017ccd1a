import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HostFirewall, SwarmCluster } from "../../components";
import * as existing from "../../components/hosts/existing";
import { nodeProblems } from "../../components/node/on-path";
import { isSupportedNode, supportedNodes } from "../../components/node/version";
import { clientKey } from "./client-key";

// What npm itself compares versions with, out of its own folder of dependencies or ours.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { satisfies } = require("semver") as { satisfies: (version: string, range: string) => boolean };

const root = join(__dirname, "../..");
const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { engines: { node: string } };

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
const rack = existing.hosts({ role: "manager", privateKey: clientKey, machines: { a: { address: "192.0.2.10", hostKey } } });

describe("versions of Node", () => {
  it("are those that package.json asks npm for", () => {
    assert.equal(supportedNodes, engines.node);
    for (const [version, runs] of [
      ["18.20.8", false],
      ["20.18.3", false],
      ["20.19.0", true],
      ["20.20.2", true],
      ["21.7.3", false],
      ["22.0.0", false],
      ["22.11.0", false],
      ["22.12.0", true],
      ["23.0.0", true],
      ["24.22.3", true],
      ["26.12.1", true],
      ["100.0.0", true],
    ] as const) {
      assert.equal(satisfies(version, engines.node), runs, `npm: ${version}`);
      assert.equal(isSupportedNode(`v${version}`), runs, `ours: ${version}`);
    }
  });

  it("are looked at first by each program that Pulumi runs against hosts", () => {
    const agents = join(root, "components", "agents");
    const programs = readdirSync(agents).filter(
      (file) => file.endsWith(".ts") && /^void run(?:Agent|Undoing)\(/m.test(readFileSync(join(agents, file), "utf8")),
    );
    assert.equal(programs.length, 10);
    for (const file of programs) assert.match(readFileSync(join(agents, file), "utf8"), /^import "\.\.\/node\/this";\n/, file);
  });
});

describe("the node that does the work on hosts", () => {
  const path = process.env["PATH"];
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-node-"));
  });
  afterEach(() => {
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true, force: true });
  });

  /** The first `node` on PATH is a script. */
  function withNode(script: string): void {
    const file = join(folder, "node");
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    process.env["PATH"] = `${folder}:${path}`;
  }
  const problems = (): string[] => nodeProblems([]).map(({ path: where, message, fix }) => `${where}: ${message}. Fix: ${fix}`);

  it("may be the one that runs the program", () => {
    assert.deepEqual(problems(), []);
  });

  it("may be another that is new enough", () => {
    withNode("echo v22.12.0 /opt/node/bin/node");
    assert.deepEqual(problems(), []);
  });

  it("is refused where it is too old, with its place and that of the other", () => {
    withNode("echo v22.11.0 /opt/node/bin/node");
    assert.deepEqual(problems(), [
      "node: the first node on PATH is v22.11.0 (/opt/node/bin/node), and it does the work on hosts, which needs ^20.19 || >=22.12; " +
        `the program itself runs on ${process.version} (${process.execPath}). ` +
        "Fix: install a newer Node, such as 24, and put it first on the PATH of the shell that runs pulumi",
    ]);
  });

  it("is refused where there is none", () => {
    process.env["PATH"] = folder;
    assert.deepEqual(problems(), [
      "node: there is no node on PATH, and it does the work on hosts. Fix: install a newer Node, such as 24, and put it on PATH",
    ]);
  });

  it("is refused where a version manager has none for this folder", () => {
    withNode("echo 'No version is set for command node' >&2; exit 126");
    assert.deepEqual(problems(), [
      `node: ${folder}/node does the work on hosts, and cannot say its version: No version is set for command node. ` +
        'Fix: make "node --version" work in the folder of the program',
    ]);
  });

  it("is the user's own choice where a transform takes another interpreter", () => {
    withNode("echo v21.7.3 /opt/node/bin/node");
    assert.deepEqual(nodeProblems([undefined, { interpreter: ["/opt/other/bin/node"] }]), []);
    assert.equal(nodeProblems([undefined, { environment: { A: "b" } }]).length, 1);
  });

  it("is named among all that is wrong with a cluster", () => {
    withNode("echo v21.7.3 /opt/node/bin/node");
    assert.throws(
      () => new SwarmCluster("old", { addressSpace: "10.96.0.0", firewall: { ssh: ["192.0.2.1/32"] }, hosts: { rack } }),
      /cluster "old" cannot be planned: 2 problems\.\n {2}- addressSpace: .*\n {2}- node: the first node on PATH is v21\.7\.3 \(\/opt\/node\/bin\/node\)/,
    );
  });

  it("is named by the pieces too", () => {
    withNode("echo v20.18.3 /opt/node/bin/node");
    assert.throws(
      () => new HostFirewall("old", { firewall: { ssh: ["192.0.2.1/32"] }, hosts: { rack } }),
      /host firewall "old" cannot be planned: 1 problem\.\n {2}- node: the first node on PATH is v20\.18\.3/,
    );
  });
});
