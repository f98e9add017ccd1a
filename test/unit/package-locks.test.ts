import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { etcdScript, type EtcdVerb } from "../../components/overlays/flannel/etcd/scripts";
import { loadInstallingScript, scriptInput } from "../../components/remote/script";

/** What they say, word for word: apt-get 3.0 and dpkg 1.22 of Debian 13, beside a program that holds the lock. */
const refusals = {
  "apt-get's lists": "E: Could not get lock /var/lib/apt/lists/lock. It is held by process PID (sh)\nE: Unable to lock directory /var/lib/apt/lists/",
  "apt-get's archives":
    "E: Could not get lock /var/cache/apt/archives/lock. It is held by process PID (sh)\nE: Unable to lock directory /var/cache/apt/archives/",
  "dpkg's frontend, for apt-get":
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process PID (sh)\n" +
    "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?",
  "dpkg's frontend": "dpkg: error: dpkg frontend lock was locked by another process with pid PID\nNote: removing the lock file is always wrong",
  // Seen of dpkg 1.22 while Debian's unattended-upgrades had it.
  "dpkg's frontend, by a program that it can tell":
    "dpkg: error: dpkg frontend lock was locked by /usr/bin/python3.13 process with pid PID\nNote: removing the lock file is always wrong",
} as const;

describe("a host whose packages somebody else is installing", () => {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-packages-"));
  const scripts = join(folder, "scripts");
  before(() => mkdirSync(scripts));
  after(() => rmSync(folder, { recursive: true }));

  /** A program that refuses as often as it is told, as its turn comes. */
  function program(name: string, refusal: string, times: number, failure = ""): void {
    const counter = join(folder, `${name}.count`);
    rmSync(counter, { force: true });
    const text = [
      "#!/bin/sh",
      `echo "$LC_ALL $*" >>${counter}`,
      `if [ "$(wc -l <${counter})" -le ${times} ]; then cat <<END >&2`,
      refusal.replaceAll("PID", String(process.pid)),
      "END",
      "exit 100; fi",
      failure === "" ? "exit 0" : `echo '${failure}' >&2; exit 100`,
    ];
    writeFileSync(join(folder, name), `${text.join("\n")}\n`);
    chmodSync(join(folder, name), 0o755);
  }

  const calls = (name: string): string[] =>
    readFileSync(join(folder, `${name}.count`), "utf8")
      .trim()
      .split("\n");

  /** Makes one of the scripts install something that is not there. Nobody waits for seconds here. */
  function install(before = ""): { readonly said: string; readonly status: number | null } {
    writeFileSync(join(scripts, "script.sh"), `sleep() { :; }\n${before}\nneed no-such-program thing\necho '{}'\n`);
    const { stderr, status } = spawnSync("sh", ["-s"], {
      input: scriptInput(loadInstallingScript(scripts, "script.sh"), "", {}),
      encoding: "utf8",
      timeout: 30_000,
      env: { PATH: `${folder}:${process.env["PATH"] ?? ""}`, LC_ALL: "de_DE.UTF-8" },
    });
    return { said: stderr, status };
  }

  for (const [lock, refusal] of Object.entries(refusals)) {
    it(`is waited for, and who it is is said once, where the lock is that of ${lock}`, () => {
      const blocked = lock.startsWith("dpkg's frontend") && !lock.endsWith("for apt-get") ? "dpkg" : "apt-get";
      for (const each of ["apt-get", "dpkg"]) program(each, refusal, each === blocked ? 3 : 0);
      const { said, status } = install();
      assert.equal(status, 0, said);
      const name = readFileSync("/proc/self/comm", "utf8").trim();
      const waits = said.split("\n").filter((line) => line.startsWith("waiting"));
      assert.equal(waits.length, 1, said);
      assert.match(
        waits[0] ?? "",
        new RegExp(`^waiting until ${name} \\(process ${process.pid}(, [^)]+)?\\) has installed its packages; 10 minutes at most$`),
      );
      const every = calls(blocked);
      assert.ok(every.length > 3, every.join("\n"));
      assert.ok(
        every.every((call) => call.startsWith("C ")),
        `asked in the language that is understood: ${every.join("\n")}`,
      );
    });
  }

  it("is given up with its name when it never ends", () => {
    program("dpkg", "", 0);
    program("apt-get", refusals["apt-get's lists"], 1_000_000);
    const clock = join(folder, "clock");
    writeFileSync(clock, "0");
    // Each look at the clock is a minute later.
    const { said, status } = install(`date() { seen=$(($(cat ${clock}) + 60)); echo $seen >${clock}; echo $seen; }`);
    assert.equal(status, 1);
    assert.match(
      said.trim().split("\n").at(-1) ?? "",
      /^apt-get update: \S+ \(process \d+.*\) has held the packages' lock for 10 minutes\. Fix: see on the host why it does not end, then run again$/,
    );
    assert.ok(calls("apt-get").length < 15, "and in the end nobody asks any more");
    const again = said.split("\n").filter((line) => line.startsWith("still waiting"));
    assert.match(again[0] ?? "", /^still waiting until \S+ \(process \d+.*\) has installed its packages: 60 of 600 s$/);
    assert.equal(again.length, 9, "and who looks on is told again and again");
  });

  it("has a package that was half unpacked when the power went unpacked again, with nothing taken off for it", () => {
    const broken = "dpkg: error processing package thing (--configure):\n package is in a very bad inconsistent state\n thing";
    program("dpkg", broken, 1);
    program("apt-get", "", 0);
    writeFileSync(join(folder, "dpkg-query"), "#!/bin/sh\nprintf 'ok base-files=13\\nreinstreq thing-data=1.2-3\\n'\n", { mode: 0o755 });
    const { said, status } = install();
    assert.equal(status, 0, said);
    assert.deepEqual(calls("dpkg"), ["C --configure -a", "C --configure -a"]);
    assert.match(calls("apt-get")[0] ?? "", /--reinstall --no-remove .*install thing-data=1\.2-3$/);
    program("dpkg", broken, 1_000_000);
    const again = install();
    assert.equal(again.status, 1);
    assert.match(again.said, /^dpkg --configure -a failed: dpkg: error processing package thing .* very bad inconsistent state {2}thing$/m);
    rmSync(join(folder, "dpkg-query"));
  });

  it("is no reason to wait when the failure is another", () => {
    program("dpkg", "", 0);
    program("apt-get", "", 0, "E: Unable to locate package thing");
    const { said, status } = install();
    assert.equal(status, 1);
    assert.match(said, /^apt-get update failed: E: Unable to locate package thing$/m);
    assert.equal(calls("apt-get").length, 1);
  });

  it("is waited for by what installs packages alone: of etcd's verbs, the one that may need openssl", () => {
    const verbs: readonly EtcdVerb[] = ["request", "certify", "look", "form", "start", "wait", "down", "members", "add", "snapshot", "read", "write"];
    assert.deepEqual(
      verbs.filter((verb) => etcdScript(verb).includes("with_packages()")),
      ["request"],
    );
  });
});
