import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadInstallingScript, scriptInput, type ScriptValues } from "../../components/remote/script";

const script = loadInstallingScript(join(__dirname, "../../components/firewall"), "firewall.sh");

/** A host whose nft lists what it was given last, and whose systemd notes what it is asked. */
class Host {
  readonly folder = mkdtempSync(join(tmpdir(), "firewall-units-"));
  readonly kept = join(this.folder, "etc");
  readonly units = join(this.folder, "units");
  private readonly log = join(this.folder, "asked");

  /** @param systemctl What it does beside. */
  constructor(systemctl = "") {
    const programs = {
      nft: `case " $* " in *" list "*) cat '${this.folder}/loaded' ;; *" -c "*) ;; *) cat "$2" >'${this.folder}/loaded' ;; esac`,
      ip: "",
      systemctl: `echo "$*" >>'${this.log}'\n${systemctl}\ncase "$*" in "is-active pulumi"*) echo inactive ;; esac`,
      "systemd-run": `echo "systemd-run" >>'${this.log}'`,
    };
    for (const folder of ["bin", "units"]) mkdirSync(join(this.folder, folder));
    for (const [name, text] of Object.entries(programs)) writeFileSync(join(this.folder, "bin", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    writeFileSync(join(this.folder, "loaded"), "");
  }

  /** Puts rules there and confirms them. @returns what systemd was asked, but for the switch. */
  bring(values: ScriptValues): readonly string[] {
    rmSync(this.log, { force: true });
    if (this.run("apply", { LIMIT_SECONDS: "15", ...values }).changed) assert.equal(this.run("confirm", values).confirmed, true);
    const asked = existsSync(this.log) ? readFileSync(this.log, "utf8").trim().split("\n") : [];
    return asked.filter((line) => line !== "systemd-run" && !line.includes("rollback")).map((line) => line.replace(" --no-block", ""));
  }

  private run(verb: string, values: ScriptValues): { readonly changed?: boolean; readonly confirmed?: boolean } {
    const text = script
      .replaceAll("/etc/pulumi-swarm", this.kept)
      .replaceAll("units=/etc/systemd/system", `units='${this.units}'`)
      .replaceAll("/sys/class/net", this.folder);
    const input = `PATH='${this.folder}/bin':$PATH\n${scriptInput(text, verb, values)}`;
    const { stdout, stderr, status } = spawnSync("sh", ["-s"], { input, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { changed?: boolean; confirmed?: boolean };
  }
}

const watch = "pulumi-swarm-firewall-watch.service";
const values = { RULESET: "rules one", SMALLEST: "smallest one", GUARD: "guard one" };

describe("the units of a host's firewall", () => {
  let host: Host;
  beforeEach(() => (host = new Host()));
  afterEach(() => rmSync(host.folder, { recursive: true }));

  it("are started at the first time without a reload of all units, which takes longer than all else", () => {
    assert.deepEqual(host.bring(values), [`restart ${watch}`]);
    for (const unit of ["sysinit.target.wants/pulumi-swarm-firewall.service", `multi-user.target.wants/${watch}`, watch])
      assert.ok(existsSync(join(host.units, unit)), unit);
  });

  it("are left running when only the rules change, and when only those for a boot without them do", () => {
    host.bring(values);
    const isActive = [`is-active --quiet ${watch}`];
    assert.deepEqual(host.bring({ ...values, RULESET: "rules two" }), isActive);
    assert.deepEqual(host.bring({ ...values, RULESET: "rules two" }), isActive);
    assert.deepEqual(host.bring({ ...values, RULESET: "rules two", SMALLEST: "smallest two" }), isActive);
    assert.equal(readFileSync(join(host.kept, "firewall.nft.smallest"), "utf8"), "smallest two\n");
  });

  it("are started anew when their program is another one", () => {
    host.bring(values);
    assert.deepEqual(host.bring({ ...values, GUARD: "guard two" }), [`restart ${watch}`]);
    assert.equal(readFileSync(join(host.kept, "firewall-guard"), "utf8"), "guard two\n");
  });

  it("are read again by systemd when somebody changed one", () => {
    host.bring(values);
    appendFileSync(join(host.units, watch), "# by hand\n");
    assert.deepEqual(host.bring(values), ["daemon-reload", `restart ${watch}`]);
    assert.doesNotMatch(readFileSync(join(host.units, watch), "utf8"), /by hand/);
  });

  it("are linked again when somebody disabled one", () => {
    host.bring(values);
    const link = join(host.units, "sysinit.target.wants/pulumi-swarm-firewall.service");
    rmSync(link);
    host.bring(values);
    assert.ok(existsSync(link));
  });

  it("are started again when they do not run", () => {
    rmSync(host.folder, { recursive: true });
    host = new Host('[ "$1" != is-active ] || exit 3');
    host.bring(values);
    assert.deepEqual(host.bring(values), [`is-active --quiet ${watch}`, `restart ${watch}`]);
  });

  it("are found after a reload by a systemd that only knows the files of its last one", () => {
    rmSync(host.folder, { recursive: true });
    host = new Host('case "$1" in restart) [ -e "$0.reloaded" ] || exit 5 ;; daemon-reload) : >"$0.reloaded" ;; esac');
    assert.deepEqual(host.bring(values), [`restart ${watch}`, "daemon-reload", `restart ${watch}`]);
  });
});
