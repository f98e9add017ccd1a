import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { bridgesPart, probeHost, type ProbePart, type SeenBridges } from "../../components/engine";
import { type OtherFirewalls, othersPart } from "../../components/firewall/others";
import { ownersPart, type SeenOwners } from "../../components/owner";
import { DockerApiError, DockerSilence } from "../../components/remote/docker-api";
import { scriptInput, type ScriptValues } from "../../components/remote/script";

/** This machine, whose commands are counted, and an engine that says what it is told to. */
class Host {
  commands = 0;
  readonly asked: string[] = [];

  constructor(private readonly engine: (path: string, commands: number) => unknown = () => ({ Version: "26.1.5", ApiVersion: "1.45" })) {}

  readonly session = {
    script: <Result>(text: string, values: ScriptValues, { verb }: { readonly verb: string }): Promise<Result> => {
      this.commands += 1;
      const { stdout, stderr, status } = spawnSync("sh", ["-s"], { input: scriptInput(text, verb, values), encoding: "utf8" });
      if (status !== 0) return Promise.reject(new Error(stderr));
      return Promise.resolve(JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Result);
    },
  };
  readonly docker = {
    get: async <Result>(path: string): Promise<Result> => {
      this.asked.push(path);
      // As soon as the script has ended, where it has.
      await new Promise(setImmediate);
      return Promise.resolve(this.engine(path, this.commands) as Result);
    },
  };
}

const broke = new Error("the connection to Docker broke");

describe("the first look at a host", function () {
  this.timeout(60_000);

  it("is one command, whatever else it sees beside the machine", async () => {
    const host = new Host();
    const parts = [ownersPart(["firewall", "overlay"], ["SwarmCluster it's one"]), bridgesPart, othersPart];
    const { also, addresses } = await probeHost<SeenOwners & { bridges_seen: SeenBridges; other_firewalls: OtherFirewalls }>(host, { parts });
    assert.equal(host.commands, 1);
    assert.ok(addresses.includes("127.0.0.1"));
    assert.deepEqual(Object.keys(also).sort(), ["bridges_seen", "claimed", "other_firewalls", "owners"]);
    assert.deepEqual([also.owners, also.claimed], [{ firewall: null, overlay: null }, []]);
    assert.deepEqual([typeof also.bridges_seen.daemon, also.bridges_seen.unapplied, also.other_firewalls.ours], ["string", false, false]);
  });

  it("fails where a part of it does", async () => {
    const part: ProbePart = { functions: ["broken"], script: 'broken() { echo "no such thing" >&2; false; }' };
    await assert.rejects(probeHost(new Host(), { parts: [part] }), /no such thing/);
  });

  it("asks the engine beside the script, and no program of Docker's", async () => {
    const host = new Host();
    const { engine, firewall } = await probeHost(host);
    assert.deepEqual([engine, firewall, host.asked], ["26.1.5 1.45", null, ["/version"]]);
  });

  it("asks an engine of 29 or newer, or one without a version, what it keeps its rules with", async () => {
    for (const Version of ["29.0.1", "library-import"]) {
      const host = new Host((path) => (path === "/info" ? { FirewallBackend: { Driver: "nftables" } } : { Version, ApiVersion: "1.52" }));
      assert.deepEqual((await probeHost(host)).firewall, { backend: "nftables", swarm: false });
    }
    const untold = new Host((path) => (path === "/info" ? {} : { Version: "29.0.1", ApiVersion: "1.52" }));
    assert.deepEqual((await probeHost(untold)).firewall, { backend: "", swarm: false });
  });

  it("asks once more where the engine was just starting, for which the script waits", async () => {
    const host = new Host(() => {
      if (host.asked.length === 1) throw broke;
      return { Version: "26.1.5", ApiVersion: "1.45" };
    });
    const session = {
      script: async <Result>(...args: Parameters<Host["session"]["script"]>) => ({ ...(await host.session.script<Result>(...args)), cli: true }),
    };
    assert.equal((await probeHost({ session, docker: host.docker })).engine, "26.1.5 1.45");
    assert.deepEqual(host.asked, ["/version", "/version"]);
  });

  it("finds no engine where none answers, or it answers with an error", async () => {
    const failing = [broke, new DockerApiError("one", 503, "starting", "GET /version")];
    for (const error of failing) {
      const host = new Host(() => {
        throw error;
      });
      assert.deepEqual(await probeHost(host).then(({ engine, firewall }) => [engine, firewall]), ["", null]);
    }
  });

  it("does not take an engine that hangs for none: another one would be installed", async () => {
    const host = new Host(() => {
      throw new DockerSilence("one", "Docker did not answer GET /version within 60 s");
    });
    await assert.rejects(probeHost(host), /one: Docker did not answer/);
  });
});
