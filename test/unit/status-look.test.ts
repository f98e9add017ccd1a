import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aheadOf, digestOf, lookAtSystem } from "../../components/status/look";
import { askEngine, askManagers } from "../../components/status/engine";
import { pathIn, pathsFrom } from "../../components/status/paths";
import { scriptInput } from "../../components/remote/script";

const status = join(__dirname, "..", "..", "components", "status");

describe("a look at one host", () => {
  it("counts as off only what the time of asking does not explain", () => {
    assert.equal(aheadOf(105, 100, 106), 0);
    assert.equal(aheadOf(110, 100, 106), 4);
    assert.equal(aheadOf(60.5, 100, 106), -39.5);
  });

  it("runs on this machine without writing anything, and tells what is there", function () {
    if (process.platform !== "linux") this.skip();
    const script = readFileSync(join(status, "look.sh"), "utf8");
    const folder = mkdtempSync(join(tmpdir(), "look-"));
    const {
      stdout,
      stderr,
      status: code,
    } = spawnSync("sh", ["-s"], { input: scriptInput(script, "look", {}), encoding: "utf8", env: { ...process.env, TMPDIR: folder } });
    assert.equal(code, 0, stderr);
    const told = JSON.parse(stdout) as { kernel: string; disks: { usedPercent: number }[]; time: number };
    assert.ok(told.kernel !== "" && (told.disks[0]?.usedPercent ?? -1) >= 0 && Math.abs(told.time - Date.now() / 1000) < 60, stdout);
    assert.deepEqual(spawnSync("ls", ["-A", folder], { encoding: "utf8" }).stdout, "");
  });

  it("compares the confirmed rules with the plan's without the sets that only the host can fill", () => {
    const ruleset = "table inet pulumi_swarm\nadd rule x";
    const file = join(mkdtempSync(join(tmpdir(), "rules-")), "firewall.nft");
    writeFileSync(file, `${ruleset}\nadd element inet pulumi_swarm uplinks { "eth0" }\n`);
    const { stdout } = spawnSync("sh", ["-c", `grep -v "^add element inet pulumi_swarm " "$1" | sha256sum | cut -d ' ' -f 1`, "sh", file], {
      encoding: "utf8",
    });
    assert.equal(stdout.trim(), digestOf(`${ruleset}\n`));
  });

  it("keeps of daemon.json the names of keys alone, and says when it cannot be read", async () => {
    const told = (daemon: string): object => ({
      daemon: Buffer.from(daemon).toString("base64"),
      certificate: "",
      tablesWithoutRules: [],
      firewall: { state: "none", digest: "" },
      time: Date.now() / 1000,
    });
    const session = (daemon: string) => ({ script: <Result>() => Promise.resolve(told(daemon) as Result) });
    const bridges = {
      docker0: { subnet: "10.96.0.0/24", gateway: "10.96.0.1/24" },
      gwbridge: { subnet: "10.96.1.0/24", gateway: "10.96.1.1" },
      mtu: 1500,
    };
    const request = { hosts: [], bridges, engine: { settings: { proxies: { "http-proxy": "http://user:SECRET@proxy" } } } } as never;
    const seen = await lookAtSystem(session('{"mtu":1500,"bip":"10.96.0.1/24","proxies":{"http-proxy":"http://user:OTHER@proxy"}}'), "a", request);
    assert.deepEqual(seen.settings, ["proxies"]);
    assert.doesNotMatch(JSON.stringify(seen), /SECRET|OTHER/);
    assert.match((await lookAtSystem(session("{"), "a", request)).damagedSettings ?? "", /daemon\.json is no valid JSON/);
  });
});

describe("what engines and managers are asked", () => {
  const info = {
    Swarm: {
      NodeID: "n1",
      NodeAddr: "10.0.0.1",
      LocalNodeState: "active",
      ControlAvailable: true,
      Error: "",
      RemoteManagers: [],
      Cluster: { ID: "c" },
    },
  };
  const answers: Readonly<Record<string, unknown>> = {
    "/info": info,
    "/version": { Version: "26.1.5" },
    "/networks": [{ Id: "i", Name: "ingress", Ingress: true, Scope: "swarm", Driver: "overlay" }],
    "/networks/i": { Id: "i", Scope: "swarm", Containers: { "ingress-sbox": {} }, Peers: [{ IP: "10.0.0.1" }] },
    "/nodes": [
      {
        ID: "n1",
        Version: { Index: 1 },
        Spec: { Role: "manager", Availability: "active", Labels: {} },
        Description: { Hostname: "a", Engine: { EngineVersion: "26.1.5" } },
        Status: { State: "ready", Addr: "10.0.0.1" },
        ManagerStatus: { Leader: true, Reachability: "reachable", Addr: "10.0.0.1:2377" },
      },
    ],
    "/swarm": {
      Version: { Index: 1 },
      Spec: { CAConfig: { NodeCertExpiry: 7776000000000000 } },
      RootRotationInProgress: false,
      JoinTokens: { Manager: "SWMTKN-1-SECRET", Worker: "SWMTKN-1-SECRET" },
    },
    "/services": [{ Spec: { Name: "web" }, Endpoint: { Ports: [] } }],
    "/services?status=true": [{ Spec: { Name: "web" }, ServiceStatus: { RunningTasks: 1, DesiredTasks: 3 } }],
  };
  const asked: string[] = [];
  const docker = {
    get: <Result>(path: string): Promise<Result> => {
      asked.push(path);
      return path in answers
        ? Promise.resolve(answers[path] as Result)
        : Promise.reject(new Error(`a: Docker did not answer GET ${path} within 12 s`));
    },
  };

  it("are read, and nothing secret of them is kept", async () => {
    const engine = await askEngine("a", docker);
    assert.deepEqual(engine, {
      version: "26.1.5",
      state: "active",
      nodeId: "n1",
      address: "10.0.0.1",
      controlAvailable: true,
      error: "",
      gossip: { attached: true, peers: ["10.0.0.1"] },
    });
    const swarm = await askManagers("a", docker);
    assert.deepEqual(swarm.services, [{ name: "web", published: [], running: 1, wanted: 3 }]);
    assert.equal(swarm.certificateHours, 2160);
    assert.doesNotMatch(JSON.stringify(swarm), /SWMTKN/);
  });

  it("are no reason to fail where they do not answer: it is said without the host's name, which stands before it", async () => {
    assert.deepEqual(await askEngine("a", { get: () => Promise.reject(new Error("a: Docker did not answer GET /info within 12 s")) }), {
      silent: "Docker did not answer GET /info within 12 s",
    });
  });
});

describe("the paths that are tried", () => {
  it("are all of few hosts, and a few of many that touch each host", () => {
    const hosts = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ key: `h${index}`, site: `s${index % 3}`, address: `10.0.0.${index}` }));
    const few = pathsFrom(hosts(4));
    assert.deepEqual(
      [...few.values()].map((to) => to.length),
      [3, 3, 3, 3],
    );
    const many = pathsFrom(hosts(100));
    assert.equal(many.size, 100);
    assert.ok(Math.max(...[...many.values()].map((to) => to.length)) <= 5);
    for (const [from, to] of many) assert.ok(!to.some(({ key }) => key === from));
  });

  it("are read from what ping says", () => {
    const lines = ["10.0.0.1 answers 0 0.312", "10.0.0.1 carries true", "10.0.0.10 answers 5 -", "10.0.0.10 carries false"];
    assert.deepEqual(pathIn(lines, "10.0.0.1"), { sent: 5, lost: 0, roundTrip: 0.312, carriesMtu: true });
    assert.deepEqual(pathIn(lines, "10.0.0.10"), { sent: 5, lost: 5, carriesMtu: false });
    assert.deepEqual(pathIn([], "10.0.0.2"), { sent: 5, lost: 5 });
  });
});
