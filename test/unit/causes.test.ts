import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FirstLook, probeSettled } from "../../components/engine";
import { daemonSettings } from "../../components/engine/bridges";
import type { Probe } from "../../components/engine/preflight";
import { DockerSilence } from "../../components/remote/docker-api";
import { brokenSession } from "../../components/remote/ssh";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("the cause of a failure on a host", () => {
  it("is named where daemon.json is broken, which Docker notices only at its next start", () => {
    for (const text of ['{"mtu": 1450,}', "[]", '{"mtu": 1450', "live-restore=true"]) {
      assert.throws(
        () => daemonSettings(base64(text)),
        /^Error: its \/etc\/docker\/daemon\.json is no valid JSON, so Docker would not start again with it \(.+\)\. Fix: correct the file or remove it, then run again$/s,
      );
    }
    assert.deepEqual([daemonSettings(""), daemonSettings(base64("\n")), daemonSettings(base64('{"mtu":\n 1450}'))], [{}, {}, { mtu: 1450 }]);
  });

  it("is named where sshd allows one session for each connection", () => {
    assert.match(
      brokenSession("(SSH) Channel open failure: open failed"),
      /sshd opens no further session .*set MaxSessions in its sshd_config to 10/,
    );
    assert.equal(brokenSession("read ECONNRESET"), "the SSH session broke: read ECONNRESET");
  });
});

describe("a look at a host that is still booting", () => {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-boot-"));
  after(() => rmSync(folder, { recursive: true }));

  it("waits until systemd answers", () => {
    const asked = join(folder, "asked");
    const systemctl = [
      "#!/bin/sh",
      `echo "$1" >>${asked}`,
      `[ "$(grep -c . ${asked})" -gt 2 ] || { echo "Failed to connect to system scope bus" >&2; exit 1; }`,
      "echo active",
    ];
    writeFileSync(join(folder, "systemctl"), `${systemctl.join("\n")}\n`);
    chmodSync(join(folder, "systemctl"), 0o755);
    const script = readFileSync(join(__dirname, "..", "..", "components", "engine", "probe.sh"), "utf8");
    const printed = execFileSync("sh", ["-s", "--", "probe"], {
      input: script.replaceAll("/run/systemd/system", folder),
      env: { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` },
      stdio: ["pipe", "pipe", "ignore"],
    });
    assert.equal((JSON.parse(printed.toString().trim().split("\n").at(-1) ?? "") as { systemd: boolean }).systemd, true);
    assert.deepEqual(readFileSync(asked, "utf8").trim().split("\n"), ["is-active", "is-active", "is-active"]);
  });
});

/** A host on which cloud-init is at something at each look, until it is at nothing. */
function setUpBy(...units: readonly string[]): { readonly host: Parameters<typeof probeSettled>[0]; readonly said: string[]; looks: number } {
  const told = {
    said: [] as string[],
    looks: 0,
    host: {
      key: "edge-1",
      session: {
        script: <Result>(): Promise<Result> => {
          const settingUp = units[Math.min(told.looks++, units.length - 1)];
          return Promise.resolve({ settingUp, cli: settingUp === "" } as Result);
        },
      },
      docker: {
        get: <Result>(): Promise<Result> =>
          told.looks >= units.length && units.at(-1) === ""
            ? Promise.resolve({ Version: "26.1.5", ApiVersion: "1.45" } as Result)
            : Promise.reject(new Error("the connection to Docker broke")),
      },
    },
  };
  return told;
}

describe("a first look at a machine that cloud-init is setting up", () => {
  const io = (said: string[]): FirstLook => ({
    progress: (host, line) => void said.push(`${host}: ${line}`),
    waiting: (host, what, limit) => ({
      seen: (detail) => void said.push(`${host}: ${what}, ${limit / 1000} s: ${detail}`),
      end: () => void said.push("end"),
    }),
  });

  it("is taken when cloud-init is done, and so finds the Docker that it installed", async () => {
    const { host, said } = setUpBy("cloud-config.service", "cloud-final.service", "");
    assert.equal((await probeSettled(host, io(said), {}, 0)).engine, "26.1.5 1.45");
    assert.deepEqual(said, [
      "edge-1: cloud-init to set the machine up, 600 s: cloud-config.service",
      "edge-1: cloud-init to set the machine up, 600 s: cloud-final.service",
      "end",
    ]);
  });

  it("is taken at once, and once, on a machine without it", async () => {
    const told = setUpBy("");
    await probeSettled(told.host, io(told.said), {}, 0);
    assert.deepEqual([told.looks, told.said], [1, []]);
  });

  it("does not mind that Docker is silent meanwhile: its socket takes calls from when the machine boots", async () => {
    const told = setUpBy("cloud-final.service", "");
    const { get } = told.host.docker;
    const silent = {
      ...told.host,
      docker: {
        get: <Result>(path: string) => (told.looks < 2 ? Promise.reject(new DockerSilence("edge-1", "Docker did not answer")) : get<Result>(path)),
      },
    };
    assert.equal((await probeSettled(silent, io(told.said), {}, 0)).engine, "26.1.5 1.45");
    assert.deepEqual(told.said, ["edge-1: cloud-init to set the machine up, 600 s: cloud-final.service", "end"]);
  });

  it("fails when Docker is silent and nothing sets the machine up", async () => {
    const { host, said } = setUpBy("");
    const silent = { ...host, docker: { get: () => Promise.reject(new DockerSilence("edge-1", "Docker did not answer")) } };
    await assert.rejects(probeSettled(silent, io(said), {}, 0), /Docker did not answer/);
  });

  it("is taken all the same, with a warning, when cloud-init never ends: it may wait for the swarm itself", async () => {
    const { host, said } = setUpBy("cloud-final.service");
    assert.equal((await probeSettled(host, io(said), {}, 0)).settingUp, "cloud-final.service");
    assert.match(
      said.at(-2) ?? "",
      /^edge-1: warning: cloud-init is not done after 10 minutes \(cloud-final\.service\), and is not waited for any longer; /,
    );
  });

  it("tells the unit that is at work, of all that wait", () => {
    const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-first-boot-"));
    const jobs = ["  90 cloud-init.target  start waiting", " 123 cloud-final.service start running"];
    const systemctl = ["#!/bin/sh", 'case "$1" in', `list-jobs) printf '%s\n' '${jobs.join("' '")}' ;;`, "is-active) echo inactive ;;", "esac"];
    try {
      writeFileSync(join(folder, "systemctl"), `${systemctl.join("\n")}\n`);
      chmodSync(join(folder, "systemctl"), 0o755);
      const script = readFileSync(join(__dirname, "..", "..", "components", "engine", "probe.sh"), "utf8");
      const look = (cloud: string): unknown =>
        JSON.parse(
          execFileSync("sh", ["-s", "--", "probe"], {
            input: script.replaceAll("/run/systemd/system", folder).replaceAll("/run/cloud-init", cloud),
            env: { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` },
            stdio: ["pipe", "pipe", "ignore"],
          }).toString(),
        );
      assert.equal((look(folder) as Probe).settingUp, "cloud-final.service");
      assert.equal((look(join(folder, "nothing")) as Probe).settingUp, "");
      // The engine is not waited for meanwhile: another look follows.
      writeFileSync(join(folder, "systemctl"), `${systemctl.join("\n").replace("echo inactive", `echo activating; echo asked >>${folder}/asked`)}\n`);
      assert.equal((look(folder) as Probe).settingUp, "cloud-final.service");
      assert.equal(readFileSync(join(folder, "asked"), "utf8"), "asked\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
