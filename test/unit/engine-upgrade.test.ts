import assert from "node:assert/strict";
import { settingsMarks } from "../../components/engine/settings";
import { isVersion, meetingProblem, upgradeOf } from "../../components/engine/upgrade";
import type { Problem } from "../../components/report";
import { checkMaintenance } from "../../components/walk/rules";
import { describeReplacing } from "../../components/walk/describe";

describe("the version of an engine", () => {
  it("is the one asked for where it begins with it, up to a dot or a build's suffix", () => {
    for (const [version, wanted] of [
      ["28.5.2", "28"],
      ["28.5.2", "28.5"],
      ["28.5.2", "28.5.2"],
      ["26.1.5+dfsg1", "26.1.5"],
      ["29.0.0-rc.1", "29.0.0"],
    ] as const)
      assert.ok(isVersion(version, wanted), `${version} is ${wanted}`);
    for (const [version, wanted] of [
      ["28.50.2", "28.5"],
      ["28.5.20", "28.5.2"],
      ["2.5", "28"],
    ] as const)
      assert.ok(!isVersion(version, wanted), `${version} is not ${wanted}`);
  });

  it("is left as it is where none is asked for, or it does not tell its own", () => {
    assert.equal(upgradeOf("28.5.2", {}), undefined);
    assert.equal(upgradeOf("library-import", { version: "29.7" }), undefined);
    assert.deepEqual(upgradeOf("26.1.5+dfsg1", { version: "28.5" }), { from: "26.1.5+dfsg1", to: "28.5" });
  });
});

describe("engines that are replaced one after the other, with encrypted networks", () => {
  const all = (version: string): { key: string; version: string }[] => ["a", "b", "c"].map((key) => ({ key, version }));

  it("are refused a version that carries nothing to those that are still to come, though all would have it in the end", () => {
    const meeting = meetingProblem(all("28.5.2"), all("29.1"));
    assert.equal(meeting?.kind, "refused");
    assert.match(
      meeting?.message ?? "",
      /^engines are replaced one after the other, and Docker 29\.1 carries nothing on encrypted networks to those.*Fix: bring all hosts to 29\.2\.1 or newer/,
    );
  });

  it("are led out of such a version with a warning, for there is no other way", () => {
    assert.equal(meetingProblem(all("29.1.0"), all("29.7"))?.kind, "unavoidable");
    // The rest of a walk that was cut off.
    assert.equal(meetingProblem([...all("29.1.0").slice(1), { key: "a", version: "29.7.1" }], all("29.7"))?.kind, "unavoidable");
  });

  it("have nothing to be said of where all share the form, or nothing is replaced", () => {
    assert.equal(meetingProblem(all("26.1.5"), all("28.5")), undefined);
    assert.equal(meetingProblem(all("28.5.2"), all("29.7")), undefined);
    assert.equal(meetingProblem(all("29.1.0"), all("29.1.0")), undefined);
  });
});

describe("what a preview tells of engines that are to be replaced", () => {
  const host = (key: string, engine: string): { key: string; role: "manager" | "worker"; engine: string } => ({
    key,
    role: key.startsWith("control") ? "manager" : "worker",
    engine,
  });
  const hosts = [
    host("control-1", "28.5.2"),
    host("control-2", "28.5.2"),
    host("control-3", "29.7.1"),
    host("edge-1", "28.5.2"),
    host("edge-2", "27.5.1"),
  ];

  it("is which hosts, from what to what, in which order, and what services notice", () => {
    assert.deepEqual(describeReplacing(hosts, { version: "29.7" }), [
      "Docker is replaced on 4 of 5 hosts:",
      "  28.5.2 to 29.7 on control-1, control-2, edge-1",
      "  27.5.1 to 29.7 on edge-2",
      "  order: edge-1, edge-2 (one worker at once); then control-1, control-2 one by one, and who leads then last",
      "  services: those with several replicas go on, for tasks move before their host's turn; one with a single replica breaks off while it moves, which may be more than once; what can run on one host only stands still during its turn",
    ]);
  });

  it("names who is away together, and what few managers cost", () => {
    const few = [host("control-1", "28.5.2"), ...["1", "2", "3", "4"].map((place) => host(`edge-${place}`, "28.5.2"))];
    const said = describeReplacing(few, { version: "29.7" }, { workersAway: 0.5, drain: false });
    assert.equal(said[2], "  order: edge-1, edge-2 with edge-3, edge-4 (2 workers at once); then control-1");
    assert.match(said[3] ?? "", /^ {2}services: tasks stop with their host's engine/);
    assert.equal(said[4], "  swarm: with 1 manager, nothing of it can be changed while a manager is out of service; services go on");
  });

  it("is nothing where all have the version, none is asked for, or nothing is known", () => {
    assert.deepEqual(describeReplacing(hosts.slice(2, 3), { version: "29" }), []);
    assert.deepEqual(describeReplacing(hosts, {}), []);
    assert.deepEqual(describeReplacing([host("control-1", "")], { version: "29.7" }), []);
  });
});

describe("what a state keeps of Docker's settings", () => {
  const proxies = (password: string): object => ({ "http-proxy": `http://user:${password}@proxy:3128` });

  it("tells of a change whatever the order of their parts, and nothing of the values, which may be secrets", () => {
    const marks = settingsMarks({ proxies: proxies("hunter2"), "log-opts": { "max-size": "10m", "max-file": "3" } });
    assert.match(JSON.stringify(marks), /^\{"proxies":"[0-9a-f]{4}","log-opts":"[0-9a-f]{4}"\}$/);
    assert.equal(settingsMarks({ "log-opts": { "max-file": "3", "max-size": "10m" } })["log-opts"], marks["log-opts"]);
    assert.notEqual(settingsMarks({ proxies: proxies("hunter3") })["proxies"], marks["proxies"]);
  });

  it("leaves out registries, for which no engine starts again", () => {
    assert.deepEqual(settingsMarks({ "registry-mirrors": ["https://mirror"], "insecure-registries": ["registry:5000"] }), {});
  });
});

describe("the options of a walk", () => {
  const problems = (workersAway: unknown, drained?: unknown): string[] => {
    const found: Problem[] = [];
    const given = {
      ...(workersAway !== undefined && { workersAway: workersAway as number }),
      ...(drained !== undefined && { drained: drained as string[] }),
    };
    checkMaintenance(given, ["edge-1", "edge-2"], (path, message, fix) => void found.push({ path, message, fix }));
    return found.map(({ path, message, fix }) => `${path}: ${message} → ${fix}`);
  };

  it("take hosts of the cluster that are to be drained, but not all of them", () => {
    assert.deepEqual(problems(undefined, ["edge-2"]), []);
    assert.deepEqual(problems(undefined, "edge-2"), [
      'maintenance.drained: "edge-2" is not a list of hosts → write such as ["edge-1"], or leave it out',
    ]);
    assert.deepEqual(problems(undefined, ["edge-3"]), [
      'maintenance.drained[0]: "edge-3" is not a host of this cluster → name some of edge-1, edge-2',
    ]);
    assert.deepEqual(problems(undefined, ["edge-1", "edge-2"]), [
      "maintenance.drained: all hosts are drained, so that no task could run anywhere → leave at least one out",
    ]);
  });

  it("take a share of the workers, and say how to write what is none", () => {
    for (const share of [0.01, 0.25, 1, undefined]) assert.deepEqual(problems(share), []);
    assert.deepEqual(problems("25%"), ['maintenance.workersAway: "25%" is no share of the workers → write it as 0.25']);
    assert.deepEqual(problems(10), ["maintenance.workersAway: 10 is no share of the workers → write it as 0.1"]);
    assert.deepEqual(problems(0), [
      "maintenance.workersAway: 0 is no share of the workers → write a number above 0 and up to 1, such as 0.25 for a quarter",
    ]);
  });
});
