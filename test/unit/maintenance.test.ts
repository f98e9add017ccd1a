import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errandsOf, withoutPackages } from "../../components/agents/phases/errands";
import type { Ready } from "../../components/agents/phases/engines";
import {
  beginReboot,
  fetchPackages,
  forgetMaintenance,
  lookAtMaintenance,
  maintenancePart,
  noteMaintenance,
  upgradePackages,
} from "../../components/maintenance";
import { dueMaintenance, type SeenMaintenance } from "../../components/maintenance/due";
import { scriptInput } from "../../components/remote/script";
import type { Problem } from "../../components/report";
import { describeReplacing } from "../../components/walk/describe";
import { checkMaintenance } from "../../components/walk/rules";

const quiet = (): void => {};

/** Runs the script itself, with programs that only note how they are called. */
class Host {
  readonly folder = mkdtempSync(join(tmpdir(), "maintenance-"));
  readonly kept = join(this.folder, "etc");
  readonly run = join(this.folder, "run");
  readonly packages = join(this.folder, "packages");
  readonly boot = join(this.folder, "boot");
  private start = "aaaa";

  constructor(upgrades: readonly string[] = [], broken = "") {
    for (const folder of [this.kept, this.run, this.packages, this.boot]) mkdirSync(folder);
    const note = `echo "$(basename "$0") $*" >>'${this.folder}/calls'`;
    const says = upgrades.map((name) => `echo 'Inst ${name} [1] (2 Debian:13)'`).join("; ");
    this.program("apt-get", `${note}\ncase "$*" in *--simulate*) ${says || ":"} ;; esac\n${broken}`);
    for (const name of ["dpkg", "systemd-run"]) this.program(name, note);
    this.program("systemd-detect-virt", "exit 1");
    this.restart();
  }

  private program(name: string, text: string): void {
    writeFileSync(join(this.folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }

  container(): void {
    this.program("systemd-detect-virt", "exit 0");
  }

  /** The machine starts anew. */
  restart(): void {
    this.start = `${this.start}a`;
    writeFileSync(join(this.folder, "boot_id"), `${this.start}\n`);
    rmSync(join(this.run, "reboot-required"), { force: true });
  }

  readonly script = <Result>(text: string, values: Readonly<Record<string, string>>, { verb }: { readonly verb: string }): Promise<Result> => {
    const own = text
      .replaceAll("/etc/pulumi-swarm", this.kept)
      .replaceAll("/run/reboot-required", `${this.run}/reboot-required`)
      .replaceAll("/proc/sys/kernel/random/boot_id", `${this.folder}/boot_id`)
      .replaceAll("/var/lib/dpkg/info", this.packages)
      .replaceAll("/boot/vmlinuz", `${this.boot}/vmlinuz`);
    const env = { ...process.env, PATH: `${this.folder}:${process.env["PATH"] ?? ""}` };
    const { stdout, stderr, status } = spawnSync("sh", ["-s"], { input: scriptInput(own, verb, values), encoding: "utf8", env });
    if (status !== 0) return Promise.reject(new Error(stderr.trim()));
    return Promise.resolve(JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Result);
  };

  calls(): string[] {
    const file = join(this.folder, "calls");
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    rmSync(file, { force: true });
    return text.split("\n").filter(Boolean);
  }

  kernel(version: string, at: "before the start" | "since" | "removed since"): void {
    const list = join(this.packages, `linux-image-${version}.list`);
    writeFileSync(list, "");
    if (at !== "removed since") writeFileSync(join(this.boot, `vmlinuz-${version}`), "");
    if (at === "before the start") utimesSync(list, 1, 1);
  }
}

describe("the script for a host's packages and reboots", () => {
  let host: Host;
  afterEach(() => rmSync(host.folder, { recursive: true }));

  it("sees nothing on a host to which nothing was done, in the first look too", async () => {
    host = new Host();
    const { boot, ...seen } = await lookAtMaintenance(host);
    assert.match(boot, /^[a-f0-9-]+-\d+$/);
    assert.deepEqual(seen, { rebooted: null, packages: null, required: "" });
    const look = await host.script<SeenMaintenance>(`${maintenancePart.script}\nmaintenance_seen`, {}, { verb: "probe" });
    assert.deepEqual(look, { boot, ...seen });
  });

  it("counts a reboot as done once the machine has restarted, whoever sees it, and not before", async () => {
    host = new Host();
    const text = `it's "December" 2026`;
    for (const time of ["first", "second"]) {
      const before = await beginReboot(host, `${text} ${time}`);
      assert.deepEqual(host.calls(), ["systemd-run --quiet --collect --on-active=2 --timer-property=AccuracySec=100ms systemctl reboot"]);
      const during = await lookAtMaintenance(host);
      assert.deepEqual([during.boot, during.rebooted], [before, null], time);
      host.restart();
      const after = await lookAtMaintenance(host);
      assert.notEqual(after.boot, before);
      assert.equal(after.rebooted, `${text} ${time}`);
    }
    assert.deepEqual(readdirSync(host.kept), ["maintenance.reboot"]);
  });

  it("keeps no text of a reboot that none was given for, and leaves the one before", async () => {
    host = new Host();
    await noteMaintenance(host, { reboot: "2026-11" });
    await beginReboot(host);
    assert.equal((await lookAtMaintenance(host)).rebooted, "2026-11");
  });

  it("gets all upgrades first, and then installs them without a question, a removal, or another's settings", async () => {
    host = new Host(["libc6", "openssl"]);
    for (let times = 0; times < 2; times++) {
      assert.equal(await fetchPackages(host, "2026-12", quiet), 2);
      assert.equal((await lookAtMaintenance(host)).packages, null, "nothing is installed yet");
      const flags = "-o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -qq --with-new-pkgs --no-remove";
      assert.deepEqual(host.calls(), [
        "dpkg --configure -a",
        "apt-get -o Dpkg::Use-Pty=0 -qq update",
        `apt-get ${flags} --simulate upgrade`,
        `apt-get ${flags} --download-only upgrade`,
      ]);
      await upgradePackages(host, "2026-12", quiet);
      assert.deepEqual(host.calls(), ["dpkg --configure -a", `apt-get ${flags} upgrade`]);
      assert.equal((await lookAtMaintenance(host)).packages, "2026-12");
      await forgetMaintenance(host);
    }
  });

  it("counts a host without upgrades as done, and downloads nothing", async () => {
    host = new Host();
    assert.equal(await fetchPackages(host, "2026-12", quiet), 0);
    assert.ok(!host.calls().some((call) => call.includes("--download-only")));
    assert.equal((await lookAtMaintenance(host)).packages, "2026-12");
  });

  it("says what apt-get said where an upgrade fails, and does not count it as done", async () => {
    host = new Host(["openssl"], 'case "$*" in *--simulate*|*update*) ;; *) echo "E: Failed to fetch openssl" >&2; exit 100 ;; esac');
    await assert.rejects(fetchPackages(host, "2026-12", quiet), /^Error: its packages cannot be upgraded: E: Failed to fetch openssl$/);
    await assert.rejects(upgradePackages(host, "2026-12", quiet), /its packages cannot be upgraded: E: Failed to fetch openssl/);
    assert.equal((await lookAtMaintenance(host)).packages, null);
  });

  it("sees that updates need a reboot: by the file that they leave, with the packages' names", async () => {
    host = new Host();
    writeFileSync(join(host.run, "reboot-required"), "*** System restart required ***\n");
    assert.equal((await lookAtMaintenance(host)).required, "updates");
    writeFileSync(join(host.run, "reboot-required.pkgs"), 'linux-image-6.12\nlibc6"; rm\nlibc6"; rm\n');
    assert.equal((await lookAtMaintenance(host)).required, "libc6 rm linux-image-6.12");
  });

  it("sees it by a kernel that was installed after the start, and not by one of before, one that was removed, or a container's", async () => {
    host = new Host();
    host.kernel("6.12.1-amd64", "before the start");
    host.kernel("6.12.0-amd64", "removed since");
    assert.equal((await lookAtMaintenance(host)).required, "");
    host.kernel("6.12.9-amd64", "since");
    const first = await host.script<SeenMaintenance>(`${maintenancePart.script}\nmaintenance_seen`, {}, { verb: "probe" });
    assert.match(first.required, /6\.12\.9-amd64/, "in the first look too, which has none of what other scripts begin with");
    assert.equal((await lookAtMaintenance(host)).required, "linux-image-6.12.9-amd64");
    host.container();
    assert.equal((await lookAtMaintenance(host)).required, "");
  });

  it("forgets all of it, twice too, and takes a damaged file for none", async () => {
    host = new Host();
    await noteMaintenance(host, { reboot: "a", packages: "b" });
    assert.deepEqual(readdirSync(host.kept).sort(), ["maintenance.packages", "maintenance.reboot"]);
    writeFileSync(join(host.kept, "maintenance.packages"), '"b');
    assert.equal((await lookAtMaintenance(host)).packages, null);
    for (let times = 0; times < 2; times++) await forgetMaintenance(host);
    assert.deepEqual(readdirSync(host.kept), []);
  });

  it("is not asked to upgrade where there is neither apt-get nor dnf", async () => {
    host = new Host();
    rmSync(join(host.folder, "apt-get"));
    const only = { PATH: host.folder };
    for (const name of ["sh", "cat", "mktemp", "rm"]) writeFileSync(join(host.folder, name), `#!/bin/sh\nexec /bin/${name} "$@"\n`, { mode: 0o755 });
    const text = await new Promise<string>(
      (resolve) => void fetchPackages({ script: (script) => (resolve(script), Promise.reject(new Error())) }, "", quiet).catch(quiet),
    );
    const { stderr } = spawnSync("/bin/sh", ["-s"], { input: scriptInput(text, "fetch", { TEXT: '"a"' }), encoding: "utf8", env: only });
    assert.match(stderr, /^it has neither apt-get nor dnf, so its packages cannot be upgraded from here: leave maintenance\.packages out\n$/);
  });
});

const fresh: SeenMaintenance = { boot: "b-1", rebooted: null, packages: null, required: "" };

describe("what is due on a host", () => {
  it("is done once for each text", () => {
    const asked = { reboot: "2026-12", packages: "2026-12" };
    assert.deepEqual(dueMaintenance(fresh, asked), { packages: "2026-12", reboot: { kind: "asked", text: "2026-12" } });
    assert.deepEqual(dueMaintenance({ ...fresh, rebooted: "2026-12", packages: "2026-12" }, asked), {});
    assert.deepEqual(dueMaintenance({ ...fresh, rebooted: "2026-12", packages: "2026-11" }, asked), { packages: "2026-12" });
    assert.deepEqual(dueMaintenance({ ...fresh, required: "libc6" }, {}), {}, "nobody asked");
  });

  it("is a reboot where updates need one, or may after those that are still to come", () => {
    const asked = { reboot: "if required" };
    assert.deepEqual(dueMaintenance(fresh, asked), {});
    assert.deepEqual(dueMaintenance({ ...fresh, required: "libc6" }, asked), { reboot: { kind: "required", why: "libc6" } });
    assert.deepEqual(dueMaintenance(fresh, { ...asked, packages: "x" }), { packages: "x", reboot: { kind: "after packages" } });
  });
});

describe("the errands of a host", () => {
  const done: string[] = [];
  let seen = fresh;
  const session = {
    script: (_text: string, _values: object, { verb }: { readonly verb: string }): Promise<unknown> => {
      done.push(verb);
      return Promise.resolve(verb === "look" ? seen : {});
    },
  };
  const docker = { get: () => Promise.resolve({ Version: "26.1.6" }) };
  const turn = (maintenance: Ready["maintenance"], more: Partial<Ready> = {}): Ready =>
    ({ key: "edge-1", session, docker, engine: "26.1.5", ...(maintenance && { maintenance }), ...more }) as unknown as Ready;
  async function run(
    host: Ready,
    maintenance: { readonly reboot?: string; readonly packages?: string },
  ): Promise<{ whats: string[]; learnt: Partial<Ready> }> {
    done.length = 0;
    let learnt: Partial<Ready> = {};
    const reboot = (text: string | undefined): Promise<void> => Promise.resolve(void done.push(`reboot ${text ?? "without a text"}`));
    const errands = errandsOf(
      { host, packages: 3 },
      { request: { engine: {}, maintenance }, learn: (news) => (learnt = { ...learnt, ...news }), reboot },
    );
    for (const errand of errands) await errand.run();
    return { whats: errands.map(({ what }) => what), learnt };
  }

  it("are the packages first and the reboot last, and what was done is learnt with the engine's version", async () => {
    const { whats, learnt } = await run(turn({ due: { packages: "p", reboot: { kind: "asked", text: "r" } }, done: {} }), {
      reboot: "r",
      packages: "p",
    });
    assert.deepEqual(whats, ["upgrades of 3 packages", "a reboot"]);
    assert.deepEqual(done, ["upgrade", "reboot r"]);
    assert.deepEqual(learnt, { maintenance: { due: {}, done: { packages: "p", reboot: "r" } }, engine: "26.1.6" });
  });

  it("have a reboot only where the upgraded packages need one", async () => {
    const host = turn({ due: { packages: "p", reboot: { kind: "after packages" } }, done: { reboot: "old" } });
    for (const required of ["", "libc6"]) {
      seen = { ...fresh, packages: "p", required };
      const { whats, learnt } = await run(host, { reboot: "if required", packages: "p" });
      assert.deepEqual(whats, ["upgrades of 3 packages", "a reboot if they need one"]);
      assert.deepEqual(done, ["upgrade", "look", ...(required === "" ? [] : ["reboot without a text"])]);
      assert.deepEqual(learnt.maintenance?.done, { packages: "p", reboot: "old" });
    }
    assert.deepEqual((await run(turn({ due: { reboot: { kind: "required", why: "libc6" } }, done: {} }), { reboot: "if required" })).whats, [
      "a reboot for libc6",
    ]);
  });

  it("have no packages where there are no upgrades", () => {
    const { maintenance } = withoutPackages(turn({ due: { packages: "p", reboot: { kind: "after packages" } }, done: { reboot: "r" } }));
    assert.deepEqual(maintenance, { due: {}, done: { packages: "p", reboot: "r" } });
    const kept = withoutPackages(turn({ due: { packages: "p", reboot: { kind: "asked", text: "r" } }, done: {} }));
    assert.deepEqual(kept.maintenance, { due: { reboot: { kind: "asked", text: "r" } }, done: { packages: "p" } });
  });
});

describe("the texts of maintenance", () => {
  const problems = (given: object): string[] => {
    const found: Problem[] = [];
    checkMaintenance(given, ["edge-1"], (path, message, fix) => void found.push({ path, message, fix }));
    return found.map(({ path, message, fix }) => `${path}: ${message} → ${fix}`);
  };

  it("are any line, and a word of their own for reboots", () => {
    assert.deepEqual(problems({ reboot: "2026-12", packages: "CVE-2026-1, at last" }), []);
    assert.deepEqual(problems({ reboot: "if required", rebootSeconds: 900 }), []);
  });

  it("are refused where they are none, or look like something else", () => {
    const another = 'write a text, and another one each time, such as "2026-12"';
    for (const [given, said] of [
      [{ reboot: true }, `maintenance.reboot: true is not a text → ${another}, or "if required"`],
      [{ reboot: 2026 }, 'maintenance.reboot: 2026 is not a text → write it as "2026"'],
      [{ packages: true }, `maintenance.packages: true is not a text → ${another}`],
      [{ packages: "" }, `maintenance.packages: "" is not one line of up to 100 characters → ${another}`],
      [{ reboot: "a\nb" }, `maintenance.reboot: "a\\nb" is not one line of up to 100 characters → ${another}, or "if required"`],
      [
        { reboot: "If-Required" },
        'maintenance.reboot: "If-Required" would ask for it once, as any other text does → write "if required", or a text, and another one each time, such as "2026-12"',
      ],
      [{ packages: "if required" }, `maintenance.packages: "if required" would ask for it once, as any other text does → ${another}`],
      [
        { rebootSeconds: 5 },
        "maintenance.rebootSeconds: 5 is not a number of seconds from 30 to 3600 → write a whole number such as 900, or leave it out",
      ],
    ] as const)
      assert.deepEqual(problems(given), [said]);
  });
});

describe("what a preview tells of maintenance", () => {
  const host = (key: string, maintained?: object): Parameters<typeof describeReplacing>[0][number] => ({
    key,
    role: key.startsWith("control") ? "manager" : "worker",
    engine: "28.5.2",
    ...(maintained && { maintained }),
  });
  const hosts = [host("control-1", {}), host("control-2", { reboot: "2026-12" }), host("control-3", {}), host("edge-1", {}), host("edge-2")];
  const services = /^ {2}services: those with several replicas go on/;

  it("is which hosts, in which order, and what services notice; hosts that were done, and those that are to join, are left out", () => {
    const said = describeReplacing(hosts, {}, { reboot: "2026-12", packages: "2026-12" });
    assert.deepEqual(said.slice(0, 4), [
      "4 of 5 hosts are taken out of service:",
      '  packages upgraded ("2026-12"), where there are upgrades, on control-1, control-2, control-3, edge-1',
      '  rebooted ("2026-12"): control-1, control-3, edge-1',
      "  order: edge-1; then control-1, control-2, control-3 one by one, and who leads then last",
    ]);
    assert.match(said[4] ?? "", services);
  });

  it("is one turn for each host, together with another version of Docker", () => {
    const said = describeReplacing(hosts, { version: "29" }, { reboot: "2026-12" });
    assert.deepEqual(said.slice(0, 4), [
      "Docker is replaced on 5 of 5 hosts:",
      "  28.5.2 to 29 on control-1, control-2, control-3, edge-1, edge-2",
      '  rebooted ("2026-12"): control-1, control-3, edge-1',
      "  order: edge-1, edge-2 (one worker at once); then control-1, control-2, control-3 one by one, and who leads then last",
    ]);
  });

  it("is that only up looks, where the hosts themselves say whether", () => {
    const said = describeReplacing(hosts, {}, { reboot: "if required" });
    assert.deepEqual(said.slice(0, 2), [
      "Hosts are rebooted where their updates need it:",
      "  only `up` looks which; it may be each of control-1, control-2, control-3, edge-1",
    ]);
  });

  it("is nothing where all of it was done", () => {
    assert.deepEqual(describeReplacing([host("edge-1", { reboot: "a", packages: "b" })], {}, { reboot: "a", packages: "b" }), []);
  });
});
