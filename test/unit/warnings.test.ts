import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import * as pulumi from "@pulumi/pulumi";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { type LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { answerOf, freshWarnings, logWarnings } from "../../components/agents/answer";
import { engineAddress, logByEngine } from "../../components/agents/engine-log";
import { checkSwarm } from "../../components/agents/phases/members";
import { listFailures, Progress } from "../../components/agents/progress";
import type { SwarmRequest } from "../../components/agents/request";
import { type Warned, warningsOf } from "../../components/agents/warnings";
import { namesOf } from "../../components/membership/names";

/** An engine, as far as a plugin logs with it. */
async function engine(): Promise<{
  readonly address: string;
  readonly logged: { readonly severity: number; readonly message: string; readonly passing: boolean }[];
  close(): void;
}> {
  const logged: { severity: number; message: string; passing: boolean }[] = [];
  const server = new Server();
  server.addService(EngineService, {
    log: (call: { readonly request: LogRequest }, done: (error: null, answer: Empty) => void) => {
      const { request } = call;
      logged.push({ severity: request.getSeverity(), message: request.getMessage(), passing: request.getEphemeral() });
      done(null, new Empty());
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  return { address: `127.0.0.1:${port}`, logged, close: () => server.forceShutdown() };
}

const root = join(__dirname, "..", "..");

/** One of our programs, whose work is `work`, in a process of its own. */
function agent(work: string, stdin: string, previous = ""): { readonly stdout: string; readonly stderr: string; readonly status: number | null } {
  const code = `require("ts-node/register"); const { runAgent, progress } = require("./components/agents/run"); void runAgent(async (request, previous) => { ${work} });`;
  return spawnSync(process.execPath, ["-e", code], {
    cwd: root,
    input: stdin,
    encoding: "utf8",
    env: { ...process.env, PULUMI_COMMAND_STDOUT: previous },
  });
}

describe("the warnings of a run", () => {
  it("come back in its answer, each once, and not between its lines, which a terminal overwrites", () => {
    const warn = 'progress("edge-1", "warning: no IPVS"); progress("edge-1", "joins"); progress(undefined, "warning: no IPVS");';
    const began = Date.now();
    const { stdout, stderr, status } = agent(`${warn} progress("edge-1", "warning: no IPVS"); return { swarmId: "s1" };`, "{}");
    assert.equal(status, 0, stderr);
    const { warnings, ...answer } = JSON.parse(stdout) as Warned;
    assert.deepEqual([answer, warnings?.lines], [{ swarmId: "s1" }, ["edge-1: no IPVS", "no IPVS"]]);
    assert.ok((warnings?.at ?? 0) >= began && (warnings?.at ?? 0) <= Date.now());
    assert.equal(stderr, "edge-1: joins\n");
  });

  it("leave the answer as it was where there are none", () => {
    assert.equal(agent('progress("edge-1", "joins"); return { swarmId: "s1" };', "{}").stdout, '{"swarmId":"s1"}\n');
  });

  it("are bounded in the state, whatever the number of hosts", () => {
    const lines = Array.from({ length: 1000 }, (_, place) => `edge-${place + 1}: somebody set its availability to "drain"`);
    const kept = warningsOf(lines, 1).warnings?.lines ?? [];
    assert.ok(Buffer.byteLength(JSON.stringify(kept)) < 3_000);
    assert.equal(kept.length - 1 + Number(/^and (\d+) more warnings/.exec(kept.at(-1) ?? "")?.[1]), 1000);
    assert.deepEqual(warningsOf(["one", "one"], 5), { warnings: { at: 5, lines: ["one"] } });
  });

  it("are told by the program in the `up` in which they arose, and not again while they are in the state", async () => {
    const { warn } = pulumi.log;
    const log = pulumi.log as { warn: typeof warn };
    const told: string[] = [];
    log.warn = (message) => Promise.resolve(void told.push(message));
    try {
      const resource = undefined as unknown as pulumi.Resource;
      const old = JSON.stringify({ swarmId: "s1", ...warningsOf(["old"], Date.now() - 1) });
      logWarnings(pulumi.output(old), resource);
      logWarnings(
        pulumi.output(new Promise<string>((resolve) => setTimeout(() => resolve(JSON.stringify(warningsOf(["new"], Date.now()))), 20))),
        resource,
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.deepEqual(told, ["new"]);
    } finally {
      log.warn = warn;
    }
  });

  it("are none in an answer of an earlier version, and in one that cannot be read", () => {
    assert.deepEqual(
      ['{"swarmId":"s1","generation":1}', "", '{"swarm', undefined].map((stdout) => freshWarnings(stdout, 0)),
      [[], [], [], []],
    );
  });
});

describe("the warnings of what undoes something", () => {
  const undo = (parent: readonly string[]): { readonly stdout: string; readonly stderr: string } => {
    const code =
      'require("ts-node/register"); const { runUndoing, progress } = require("./components/agents/run"); ' +
      'void runUndoing(async () => { progress("edge-1", "warning: not reached"); progress("edge-2", "has left the swarm"); progress("edge-1", "warning: not reached"); return {}; }, () => "SwarmCluster prod");';
    // As the plugin does: the program is its child, and the engine's address its last argument.
    const plugin = `const { spawnSync } = require("node:child_process"); const { stdout, stderr } = spawnSync(process.execPath, ["-e", process.argv[1]], { input: "{}", encoding: "utf8" }); console.log(JSON.stringify({ stdout, stderr }));`;
    const { stdout } = spawnSync(process.execPath, ["-e", plugin, code, ...parent], { cwd: root, encoding: "utf8" });
    return JSON.parse(stdout) as { stdout: string; stderr: string };
  };

  it("are logged with the engine, which shows them at the end, each once and no passing status", async () => {
    const fake = await engine();
    try {
      assert.equal(await logByEngine(["SwarmCluster prod: edge-1: not reached"], fake.address), true);
      assert.deepEqual(fake.logged, [{ severity: LogSeverity.WARNING, message: "SwarmCluster prod: edge-1: not reached", passing: false }]);
    } finally {
      fake.close();
    }
  });

  it("are the last lines, in one block, where no engine takes them", () => {
    for (const parent of [[], ["127.0.0.1:1"]])
      assert.deepEqual(undo(parent), { stdout: "{}\n", stderr: "edge-2: has left the swarm\nwarning: SwarmCluster prod: edge-1: not reached\n" });
  }).timeout(120_000);

  it("go to the address that the engine gave to the plugin, on this machine alone", () => {
    assert.equal(engineAddress(["/home/me/pulumi-resource-command", "-v=9", "127.0.0.1:41234"]), "127.0.0.1:41234");
    assert.equal(engineAddress(["node", "main.js", "[::1]:7"]), "[::1]:7");
    assert.equal(engineAddress(["ssh", "192.0.2.1:22", "127.0.0.1"]), undefined);
  });
});

describe("a run that fails", () => {
  it("says its warnings right before why it failed, and not between its lines", () => {
    const { stdout, stderr } = agent('progress("edge-1", "warning: no IPVS"); progress("edge-1", "joins"); throw new Error("edge-1: broken");', "{}");
    assert.deepEqual([stdout, stderr], ["warning: edge-1: no IPVS\nedge-1: broken\n", "edge-1: joins\n"]);
  });

  it("says why by one way only, and Pulumi repeats it in its error", () => {
    const { stdout, stderr, status } = agent('progress(undefined, "reaching 1 host"); throw new Error("edge-1: broken");', "{}");
    assert.deepEqual([stdout, stderr, status], ["edge-1: broken\n", "reaching 1 host\n", 1]);
  });

  it("says that what it was told is cut off, and not what a parser thinks of that", () => {
    const cut = "is cut off: 9 bytes that are no JSON. Nothing was changed. Fix: see that no disk of this machine is full, and run again\n";
    assert.equal(agent("return {};", '{"hosts":').stdout, `what this program was asked ${cut}`);
    assert.equal(agent("return {};", "{}", '{"hosts":').stdout, `what Pulumi's state has of the last run ${cut}`);
  });

  it("names each host and each reason once", () => {
    const broken = { host: "edge-1", reason: "edge-1: the SSH session broke" };
    assert.deepEqual(listFailures([broken, broken, { host: "edge-2", reason: "broken" }]), [
      "  - edge-1: the SSH session broke",
      "  - edge-2: broken",
    ]);
  });

  it("names a manager once in the list of what to mend", async () => {
    const failures = [{ host: "control-1", reason: "control-1: cannot be reached: see control-1: its console" }];
    const request = { hosts: [{ key: "control-1", role: "manager", address: "10.0.0.1" }], intent: {}, needs: {}, swarm: {} };
    await assert.rejects(checkSwarm(request as unknown as SwarmRequest, undefined, [], [], failures), (error: Error) => {
      assert.equal(error.message.match(/^ {2}- control-1: /gm)?.length, 1, error.message);
      return true;
    });
    const node = { hostname: "c2", labels: { "pulumi-swarm.host": "control-2" } };
    assert.deepEqual(namesOf([node, { hostname: "c3", labels: {} }, node]), ["control-2", "c3"]);
  });

  it("goes on where the disk of this machine has no room for what there is more to tell", () => {
    let said = "";
    const full = (): never => {
      throw Object.assign(new Error("ENOSPC: no space left on device, mkdtemp"), { code: "ENOSPC" });
    };
    const progress = new Progress((text) => (said += text), full);
    for (let place = 0; place < 60; place += 1) progress.say(`edge-${place}`, "joins");
    assert.match(said, /^there is more to tell than fits here, and the rest is lost: the disk of this machine with \S+ is full$/m);
    assert.equal(said.split("\n").length - 1, 41);
  });
});

describe("an answer in Pulumi's state", () => {
  it("that is cut off or empty is named, with what to do", () => {
    assert.throws(
      () => answerOf("", "swarm-up"),
      /^Error: The answer of swarm-up in Pulumi's state is empty: a disk may have been full while it ran, .*\. Fix: see that there is room, set membership\.recheck/,
    );
    assert.throws(() => answerOf('{"swarm', "nodes"), /The answer of nodes in Pulumi's state is cut off, or is not its own/);
  });
});
