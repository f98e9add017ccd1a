import assert from "node:assert/strict";
import { engineChanges } from "../../components/engine/bridges";
import { checkOwnSettings, ownSettings } from "../../components/engine/own";
import { prometheusJob } from "../../components/engine/metrics";
import { planCluster, wireguard } from "../../components";
import { clientKey } from "./client-key";
import * as existing from "../../components/hosts/existing";
import type { Problem } from "../../components/report";

describe("options of the engine that stand for keys of daemon.json", () => {
  it("are what Docker calls them, with their defaults, as texts where Docker takes nothing else", () => {
    assert.deepEqual(ownSettings({}), {});
    assert.deepEqual(ownSettings({ registryMirrors: ["https://mirror.example.com"] }), { "registry-mirrors": ["https://mirror.example.com"] });
    assert.deepEqual(ownSettings({ logLimits: {} }), { "log-driver": "json-file", "log-opts": { "max-size": "10m", "max-file": "3" } });
    assert.deepEqual(ownSettings({ logLimits: { maxSize: "1g", maxFile: 1 }, settings: { "log-driver": "local", debug: true } }), {
      "log-driver": "local",
      "log-opts": { "max-size": "1g", "max-file": "1" },
      debug: true,
    });
  });

  it("change a member's mirrors at once, and its logs in its turn", () => {
    const state = { daemon: {}, unapplied: false, swarm: "active", gwbridge: null, tablesWithoutRules: [] };
    const { reload, settings } = engineChanges(state, ownSettings({ registryMirrors: ["https://mirror.example.com"], logLimits: {} }));
    assert.deepEqual(Object.keys(JSON.parse(reload ?? "") as object), ["registry-mirrors"]);
    assert.deepEqual(Object.keys(JSON.parse(settings ?? "") as object).sort(), ["log-driver", "log-opts", "registry-mirrors"]);
    const again = engineChanges(
      { ...state, daemon: JSON.parse(settings ?? "") as Record<string, unknown> },
      ownSettings({ registryMirrors: ["https://mirror.example.com"], logLimits: {} }),
    );
    assert.deepEqual([again.reload, again.settings], [undefined, undefined]);
  });

  it("are refused where Docker would refuse them, or where they are said twice", () => {
    const problems = (given: object): string[] => {
      const found: Problem[] = [];
      checkOwnSettings(given, (path, message, fix) => void found.push({ path, message, fix }));
      return found.map(({ path, message, fix }) => `${path}: ${message} → ${fix}`);
    };
    assert.deepEqual(
      problems({ registryMirrors: ["https://mirror.example.com", "http://10.0.0.5:5000/"], logLimits: { maxSize: "500k", maxFile: 1 } }),
      [],
    );
    for (const [given, said] of [
      [
        { registryMirrors: ["mirror.example.com"] },
        'engine.registryMirrors[0]: "mirror.example.com" is not the address of a registry → write it such as "https://mirror.example.com"',
      ],
      [
        { registryMirrors: ["https://mirror.example.com/v2"] },
        'engine.registryMirrors[0]: "https://mirror.example.com/v2" has more than a host and a port, which Docker refuses → write it as "https://mirror.example.com"',
      ],
      [
        { registryMirrors: ["https://me:word@mirror.example.com"] },
        "engine.registryMirrors[0]: a mirror's address has a name or a password, which Docker refuses → leave them out",
      ],
      [
        { registryMirrors: [], settings: { "registry-mirrors": [] } },
        "engine.registryMirrors: engine.settings has registry-mirrors too → say it in one of both places",
      ],
      [
        { metrics: true, settings: { "metrics-addr": "0.0.0.0:9323" } },
        "engine.metrics: engine.settings has metrics-addr too → say it in one of both places",
      ],
      [{ logLimits: { maxSize: 10 } }, 'engine.logLimits.maxSize: 10 is not a size → write it with its unit, such as "10m"'],
      [{ logLimits: { maxSize: "10MB" } }, 'engine.logLimits.maxSize: "10MB" is not a size → write a number with k, m or g, such as "10m"'],
      [{ logLimits: { maxFile: "3" } }, 'engine.logLimits.maxFile: "3" is not a number of files → write a whole number such as 3'],
      [
        { logLimits: {}, settings: { "log-driver": "journald" } },
        'engine.logLimits: the log driver "journald" of engine.settings has no such limits → leave one of them out',
      ],
    ] as const)
      assert.deepEqual(problems(given), [said]);
  });
});

describe("Docker's own metrics", () => {
  const direct = { address: "10.0.0.1" };
  const tunnelled = { ...direct, tunnelAddress: "10.97.0.1" };
  const hosts = {
    control: existing.hosts({
      role: "manager",
      privateKey: clientKey,
      machines: { a: { address: "192.0.2.10", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGnMPeZHXDDtpMcFyDLDWDHSADwIqzyMMyqZyXRS5ihH" } },
    }),
  };
  const ssh = ["203.0.113.0/24"];

  it("are told at the host's address on the underlay, and turned off only where they are on", () => {
    assert.deepEqual(ownSettings({ metrics: true }, direct), { "metrics-addr": "10.0.0.1:9323" });
    assert.deepEqual(ownSettings({ metrics: true }, tunnelled), { "metrics-addr": "10.97.0.1:9323" });
    assert.deepEqual(ownSettings({ metrics: false }, direct), {});
    assert.deepEqual(ownSettings({ metrics: false }, direct, { "metrics-addr": "10.0.0.1:9323" }), { "metrics-addr": "" });
    assert.deepEqual(ownSettings({}, direct, { "metrics-addr": "10.0.0.1:9323" }), {}, "nobody asked");
  });

  it("are open to the cluster's hosts by a rule of their own, in the tunnel where there is one, and to the sources that are named", () => {
    const rule = (args: object): unknown => {
      const { plan, problems } = planCluster({ hosts, firewall: { ssh }, ...args });
      assert.deepEqual(problems, []);
      const found = plan.firewall.find(({ name }) => name === "metrics");
      return found && [found.protocol, found.ports, found.from, found.to, found.over];
    };
    assert.equal(rule({}), undefined);
    assert.deepEqual(rule({ engine: { metrics: true } }), ["tcp", ["9323"], ["members"], "members", "site"]);
    assert.deepEqual(rule({ engine: { metrics: true }, underlay: wireguard() }), ["tcp", ["9323"], ["members"], "members", "tunnel"]);
    const named = { engine: { metrics: true }, firewall: { ssh, rules: { metrics: { from: ["members", "203.0.113.7/32"] } } } };
    assert.deepEqual(rule(named), ["tcp", ["9323"], ["members", "203.0.113.7/32"], "members", "site"]);
    const outside = planCluster({ hosts, underlay: wireguard(), ...named });
    assert.deepEqual(
      outside.problems.map(({ path, message }) => `${path}: ${message}`),
      ["firewall.rules.metrics.from: 203.0.113.7/32 cannot be in the tunnel, which this rule is for"],
    );
  });

  it("are found by Prometheus by one line", () => {
    const line = prometheusJob({ metrics: true }, "prod", [{ key: "control-a", ...tunnelled }]);
    assert.ok(!line.includes("\n"));
    assert.deepEqual(JSON.parse(line.replace(/^- /, "")), {
      job_name: "docker-prod",
      static_configs: [{ targets: ["10.97.0.1:9323"], labels: { cluster: "prod", host: "control-a" } }],
    });
    assert.equal(prometheusJob({}, "prod", [{ key: "control-a", ...direct }]), "");
  });
});
