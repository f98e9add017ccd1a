import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claim, disown, ownedByOthers, type OwnedPart, type OwnerNames, ownersPart, refuseOthers, type SeenOwners } from "../../components/owner";
import { loadHostScript, scriptInput } from "../../components/remote/script";

const components = join(__dirname, "../../components");

/** No file may grow beyond some blocks, and so each write ends as on a full disk. */
const full = (blocks: number): string => `trap "" XFSZ; ulimit -f ${blocks}\n`;

describe("a file that is written on a host", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "full-disk-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(text: string, before = "", shell = "sh"): { readonly said: string; readonly status: number | null } {
    const prelude = readFileSync(join(components, "remote", "prelude.sh"), "utf8");
    // Where set -e is off, as in conditions, too.
    const script = `${prelude}\n${before}if write_file "$FILE" 0640 "$TEXT" && true; then echo written; fi`;
    const { stdout, stderr, status } = spawnSync(shell, ["-s"], {
      input: scriptInput(script, "", { FILE: join(folder, "file"), TEXT: text }),
      encoding: "utf8",
    });
    return { said: `${stdout}${stderr}`, status };
  }

  for (const shell of ["dash", "bash"]) {
    it(`has its text and its mode (${shell})`, function () {
      if (spawnSync(shell, ["-c", ":"]).error) this.skip();
      assert.deepEqual(write("one\ntwo", "", shell), { said: "written\n", status: 0 });
      assert.equal(readFileSync(join(folder, "file"), "utf8"), "one\ntwo\n");
      assert.equal(statSync(join(folder, "file")).mode & 0o777, 0o640);
      assert.deepEqual(readdirSync(folder), ["file"]);
    });

    for (const blocks of [0, 1]) {
      it(`is the old one where the disk is full after ${blocks} blocks, and the host's own reason is told (${shell})`, function () {
        if (spawnSync(shell, ["-c", ":"]).error) this.skip();
        write("old", "", shell);
        const { said, status } = write("new".repeat(2000), full(blocks), shell);
        assert.equal(status, 1);
        assert.equal(said, `${folder}/file cannot be written, so it is as it was: File too large\n`);
        assert.equal(readFileSync(join(folder, "file"), "utf8"), "old\n");
        assert.deepEqual(readdirSync(folder), ["file"]);
      });
    }
  }

  it("is there after a power cut: its text is on the disk before it has its name, and its name before the run goes on", () => {
    const log = join(folder, "log");
    mkdirSync(join(folder, "bin"));
    for (const name of ["sync", "mv"]) {
      const words = `#!/bin/sh\necho "${name} $*" >>'${log}'\nexec /bin/${name} "$@"\n`;
      writeFileSync(join(folder, "bin", name), words, { mode: 0o755 });
    }
    assert.equal(write("new", `PATH='${folder}/bin':$PATH\n`).status, 0);
    const file = join(folder, "file");
    assert.deepEqual(readFileSync(log, "utf8").trim().split("\n"), [`sync ${file}.new`, `mv -f ${file}.new ${file}`, `sync ${folder}`]);
  });

  it("has its name in its own folder on the disk where it is named without one", () => {
    const prelude = readFileSync(join(components, "remote", "prelude.sh"), "utf8");
    const script = `${prelude}\nsync() { echo "sync $*"; }\ncd "$FOLDER"\nwrite_file file 0600 text\n`;
    const { stdout } = spawnSync("sh", ["-s"], { input: scriptInput(script, "", { FOLDER: folder }), encoding: "utf8" });
    assert.equal(stdout, "sync .\n");
    assert.equal(readFileSync(join(folder, "file"), "utf8"), "text\n");
  });

  it("names a folder that is not there", () => {
    rmSync(folder, { recursive: true });
    assert.match(write("new").said, /file cannot be written, so it is as it was: .*(nonexistent|No such file)/);
    mkdirSync(folder);
  });

  it("is written by one function in all scripts, whatever outlives the run", () => {
    const scripts = readdirSync(components, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".sh"));
    const shared = scripts
      .filter((file) => !/^(remote|firewall.guard|network)/.test(file))
      .flatMap((file) => {
        const text = readFileSync(join(components, file), "utf8").split("\n");
        return text.flatMap((line, index) =>
          />>?\s*"?(\$\{?(folder|base|own|units?|unit_file|state|docker_file)\b|\/etc\/)/.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
        );
      });
    const passing = [/networks\.kept/, /\$folder\/added/];
    assert.deepEqual(
      shared.filter((line) => !passing.some((pattern) => pattern.test(line))),
      [],
    );
  });
});

/** Runs the script itself, in a folder of the test's own. */
class Host {
  readonly folder = mkdtempSync(join(tmpdir(), "owner-"));
  readonly kept = join(this.folder, "etc");
  full = false;

  script<Result>(text: string, values: Readonly<Record<string, string>>, { verb }: { readonly verb?: string }): Promise<Result> {
    const input = `${this.full ? full(0) : ""}${scriptInput(text.replaceAll("/etc/pulumi-swarm", this.kept), verb ?? "", values)}`;
    const { stdout, stderr, status } = spawnSync("sh", ["-s"], { input, encoding: "utf8" });
    if (status !== 0) return Promise.reject(new Error(stderr.trim()));
    return Promise.resolve(JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Result);
  }

  /** As a run of version 0.1.0 left it. */
  leave(part: string, text: string, ...others: readonly string[]): void {
    mkdirSync(this.kept, { recursive: true });
    writeFileSync(join(this.kept, `owner.${part}`), text);
    for (const other of others) writeFileSync(join(this.kept, other), "");
  }
}

/** What the first look at a host sees of its owners. */
async function look(host: Host, parts: readonly OwnedPart[], owner: OwnerNames): Promise<SeenOwners> {
  const { functions, script, values } = ownersPart(parts, owner);
  const prints = functions.map((name) => `"${name}":'"$(${name})"'`).join(",");
  return host.script<SeenOwners>(`${script}\necho '{${prints}}'`, values, { verb: "probe" });
}

async function refuseOwned(host: Host, parts: readonly OwnedPart[], owner: OwnerNames): Promise<void> {
  refuseOthers((await look(host, parts, owner)).owners, owner);
}

describe("the owner's file", () => {
  let host: Host;
  beforeEach(() => (host = new Host()));
  afterEach(() => rmSync(host.folder, { recursive: true }));

  it("is not there after a disk was full, and the next run takes the host", async () => {
    host.full = true;
    await assert.rejects(claim(host, ["firewall"], ["SwarmCluster prod"]), /owner\.firewall cannot be written, so it is as it was: File too large$/);
    assert.deepEqual(readdirSync(host.kept), []);
    host.full = false;
    await refuseOwned(host, ["firewall"], ["SwarmCluster prod"]);
    await claim(host, ["firewall"], ["SwarmCluster prod"]);
    assert.equal(readFileSync(join(host.kept, "owner.firewall"), "utf8"), '"SwarmCluster prod"\n');
  });

  for (const text of ["", '"Swarm', '"SwarmCluster prod']) {
    it(`is made whole where it was left as ${text || "nothing"}, which can only be this owner's`, async () => {
      host.leave("firewall", text);
      await refuseOwned(host, ["firewall"], ["SwarmCluster prod"]);
      await claim(host, ["firewall"], ["SwarmCluster prod"]);
      assert.equal(readFileSync(join(host.kept, "owner.firewall"), "utf8"), '"SwarmCluster prod"\n');
      await disown(host, ["firewall"], ["SwarmCluster prod"]);
      assert.deepEqual(readdirSync(host.folder), []);
    });
  }

  for (const [text, ...others] of [['"WireGuardMesh off'], ["", "firewall.nft"]] as const) {
    it(`is named, and what to do, where it says ${text || "nothing of a firewall that is there"}`, async () => {
      host.leave("firewall", text, ...others);
      const said = {
        message:
          "its file /etc/pulumi-swarm/owner.firewall is empty or cut off, so it does not say who keeps the host's firewall. " +
          "Fix: where no other stack does, remove /etc/pulumi-swarm/owner.firewall there and run again",
      };
      await assert.rejects(refuseOwned(host, ["firewall"], ["SwarmCluster prod"]), said);
      await assert.rejects(claim(host, ["firewall"], ["SwarmCluster prod"]), said);
      await assert.rejects(ownedByOthers(host, ["firewall"], ["SwarmCluster prod"]), said);
      assert.equal(readFileSync(join(host.kept, "owner.firewall"), "utf8"), text);
    });
  }

  it("is read by the script that the hosts are given", () => assert.match(loadHostScript(join(components, "owner"), "owner.sh"), /write_file/));
});
