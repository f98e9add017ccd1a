import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchEngine, holdEngine, installEngine, releaseEngine, replaceEngine } from "../../components/engine";
import type { EngineArgs } from "../../components/engine/args";
import { scriptInput } from "../../components/remote/script";

/** What is there after each kind of install. What really becomes of packages is tried in test/lab/upgrade.test.ts. */
const aptGet = String.raw`#!/bin/sh
case "$*" in
  *download*=*--download-only* | *--download-only*) ;;
  *" download "*) [ ! -e "$AT/gone" ] || exit 100; for last; do :; done; : >"${"$"}{last%%=*}_1.deb" ;;
  *.deb*) cp "$AT/old" "$AT/installed"; echo 26.1.5+dfsg1 >"$AT/engine" ;;
  *docker-ce=5:29*) sed s/28.5.2/29.9.9/ "$AT/new" >"$AT/installed"; rm -f "$AT/engine" ;;
  *install*docker*) cp "$AT/new" "$AT/installed"; echo 28.5.2 >"$AT/engine" ;;
esac
`;
const others = {
  "apt-mark": "",
  "apt-cache": `[ "$1" != madison ] || for v in 5:29.9.9-1 5:28.5.2-1 5:26.1.5-1; do echo " $2 | $v | here"; done`,
  dpkg: `[ "$1" != --print-architecture ] || echo amd64`,
  systemctl: "",
  curl: "",
} as const;

const old = ["docker.io=26.1.5+dfsg1-9", "docker-cli=26.1.5+dfsg1-9", "containerd=1.7", "runc=1"];
const next = ["docker-ce=5:28.5.2-1", "docker-ce-cli=5:28.5.2-1", "containerd.io=2"];
const flags = "-o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -qq";
const anyVersion = "install --no-install-recommends --allow-downgrades --allow-change-held-packages";

class Host {
  readonly folder = mkdtempSync(join(tmpdir(), "apt-"));

  constructor(installed: readonly string[]) {
    for (const name of ["bin", "sources", "keyrings"]) mkdirSync(join(this.folder, name));
    const note = `echo "$(basename "$0") $*" >>"$AT/calls"\n`;
    this.program("apt-get", aptGet.replace("\n", `\n${note}`));
    for (const [name, text] of Object.entries(others)) this.program(name, `#!/bin/sh\n${note}${text}\n`);
    this.program("dpkg-query", `#!/bin/sh\nfor last; do :; done\ncase "$*" in *Eflag*) ;; *) grep "^installed $last=" "$AT/installed" ;; esac\n`);
    this.program(
      "docker",
      `#!/bin/sh\n[ -e "$AT/engine" ] || exit 1\ncase "$*" in *'"version"'*) printf '{"version":"%s"}\\n' "$(cat "$AT/engine")" ;; *) cat "$AT/engine" ;; esac\n`,
    );
    this.program("journalctl", "#!/bin/sh\necho 'failed to start daemon: no'\n");
    this.program("sleep", "#!/bin/sh\n");
    this.write("os-release", "ID=debian\nVERSION_CODENAME=trixie\n");
    const list = (packages: readonly string[]): string => packages.map((each) => `installed ${each}\n`).join("");
    for (const [name, packages] of Object.entries({ old, new: next, installed })) this.write(name, list(packages));
    this.write("keyrings/docker.asc", "");
    if (installed.length > 0) this.write("engine", "26.1.5+dfsg1\n");
  }

  private program(name: string, text: string): void {
    writeFileSync(join(this.folder, "bin", name), text, { mode: 0o755 });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  readonly session = {
    script: <Result>(text: string, values: Readonly<Record<string, string>>, { verb }: { readonly verb: string }): Promise<Result> => {
      const own = text
        .replaceAll("/etc/pulumi-swarm", join(this.folder, "etc"))
        // Of this machine, which may have one.
        .replaceAll("command -v dockerd", "false dockerd")
        .replaceAll("/etc/os-release", join(this.folder, "os-release"))
        .replaceAll("/etc/apt/sources.list.d", join(this.folder, "sources"))
        .replaceAll("/etc/apt/keyrings", join(this.folder, "keyrings"))
        .replaceAll("/var/cache/pulumi-swarm", join(this.folder, "cache"));
      const env = { ...process.env, PATH: `${join(this.folder, "bin")}:${process.env["PATH"] ?? ""}`, AT: this.folder };
      const { stdout, stderr, status } = spawnSync("sh", ["-s"], { input: scriptInput(own, verb, values), encoding: "utf8", env });
      return status === 0 ? Promise.resolve(JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Result) : Promise.reject(new Error(stderr.trim()));
    },
  };

  /** Since the last time. */
  calls(): string[] {
    const file = join(this.folder, "calls");
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
    rmSync(file, { force: true });
    return lines.map((line) => line.replaceAll(this.folder, "AT"));
  }

  get marks(): string[] {
    const folder = join(this.folder, "etc");
    return existsSync(folder) ? readdirSync(folder).sort() : [];
  }
}

const quiet = (): void => {};
const from = (version: string): EngineArgs => ({ source: "docker", version, repository: "https://mirror/linux" });
const update = "apt-get -o Dpkg::Use-Pty=0 -qq update";
const settled = "dpkg --configure -a";
const repository = [
  update,
  "apt-get -o Dpkg::Use-Pty=0 -qq install --no-install-recommends ca-certificates curl",
  "curl -fsSL https://mirror/linux/debian/gpg -o AT/keyrings/docker.asc",
  "dpkg --print-architecture",
];
const wanted = "docker-ce=5:28.5.2-1 docker-ce-cli=5:28.5.2-1 containerd.io docker.io- docker-cli- containerd- runc-";

describe("the scripts for Docker's packages, where apt-get installs them", () => {
  let host: Host;
  const session = (): Parameters<typeof installEngine>[0] => host.session as unknown as Parameters<typeof installEngine>[0];
  afterEach(() => rmSync(host.folder, { recursive: true }));

  it("install from Docker's repository, or the system's own", async () => {
    host = new Host([]);
    assert.equal(await installEngine(session(), from("28.5"), quiet), "28.5.2");
    assert.deepEqual(host.calls(), [
      settled,
      ...repository,
      update,
      "apt-cache madison docker-ce",
      "apt-get -o Dpkg::Use-Pty=0 -qq install --no-install-recommends docker-ce=5:28.5.2-1 docker-ce-cli=5:28.5.2-1 containerd.io",
      "systemctl enable --now docker",
    ]);
    assert.equal(
      readFileSync(join(host.folder, "sources", "docker.list"), "utf8"),
      `deb [arch=amd64 signed-by=${host.folder}/keyrings/docker.asc] https://mirror/linux/debian trixie stable\n`,
    );
    rmSync(host.folder, { recursive: true });
    host = new Host([]);
    await installEngine(session(), {}, quiet);
    assert.deepEqual(host.calls().slice(1, -1), [
      update,
      "apt-cache show docker-cli",
      "apt-get -o Dpkg::Use-Pty=0 -qq install --no-install-recommends docker.io docker-cli",
    ]);
  });

  it("get another version and the present one onto the disk, replace it, hold it, and give it back", async () => {
    host = new Host(old);
    assert.equal(await fetchEngine(host.session, from("28.5"), quiet), true);
    assert.deepEqual(host.calls(), [
      settled,
      ...repository,
      update,
      "apt-cache madison docker-ce",
      ...["docker.io=26.1.5+dfsg1-9", "docker-cli=26.1.5+dfsg1-9", "containerd=1.7", "runc=1"].map(
        (each) => `apt-get -qq -o APT::Sandbox::User=root download ${each}`,
      ),
      `apt-get ${flags} ${anyVersion} --download-only ${wanted}`,
    ]);
    assert.equal(await replaceEngine(host.session, from("28.5"), quiet), "28.5.2");
    assert.deepEqual(host.calls(), [
      settled,
      update,
      "apt-cache madison docker-ce",
      `apt-get ${flags} ${anyVersion} ${wanted}`,
      "systemctl reset-failed docker containerd",
      "systemctl enable docker",
      "apt-mark hold docker-ce docker-ce-cli containerd.io",
    ]);
    assert.deepEqual(host.marks, ["engine-held"]);
    await releaseEngine(host.session);
    assert.deepEqual(host.calls(), ["apt-mark unhold docker-ce docker-ce-cli containerd.io"]);
    assert.deepEqual(host.marks, []);
  });

  it("put back what was there where the engine does not start, and take off what is in its way", async () => {
    host = new Host(old);
    await fetchEngine(host.session, from("29"), quiet);
    host.calls();
    await assert.rejects(
      replaceEngine(host.session, from("29"), quiet),
      /with the new version, it does not run \(failed to start daemon: no\)\. Docker 26\.1\.5\+dfsg1 was put back and runs$/,
    );
    const kept = ["containerd", "docker-cli", "docker.io", "runc"].map((name) => `AT/cache/engine/${name}_1.deb`).join(" ");
    assert.ok(host.calls().includes(`apt-get ${flags} ${anyVersion} ${kept} docker-ce- docker-ce-cli- containerd.io-`), "with what was kept of each");
    assert.deepEqual(host.marks, []);
  });

  it("say what state the host is in where there is nothing to put back, and finish that when they are asked again", async () => {
    host = new Host(old);
    host.write("gone", "");
    assert.equal(await fetchEngine(host.session, from("29"), quiet), false);
    await assert.rejects(
      replaceEngine(host.session, from("29"), quiet),
      /The version before, 26\.1\.5\+dfsg1, could not be put back either: its packages are not to be had any more\. Now docker\.service is , with packages docker-ce=5:29\.9\.9-1 /,
    );
    assert.deepEqual(host.marks, ["engine-replacing"]);
    assert.equal(await installEngine(session(), from("28.5"), quiet), "28.5.2");
    assert.deepEqual(host.marks, []);
  });

  it("count as replaced after a cut only once the engine that runs is that of the packages", async () => {
    host = new Host(next);
    mkdirSync(join(host.folder, "etc", "engine-replacing"), { recursive: true });
    const seen = { folders: ["engine-replacing"], apt: true, dnf: false };
    await holdEngine(host.session, from("28.5"), seen);
    assert.deepEqual(host.marks, ["engine-held", "engine-replacing"], "26.1.5 runs on");
    host.write("engine", "28.5.2+dfsg4\n");
    await holdEngine(host.session, from("28.5"), seen);
    assert.deepEqual(host.marks, ["engine-held"]);
  });

  it("refuse a version that is not there, and an engine that came another way", async () => {
    host = new Host(old);
    await assert.rejects(
      fetchEngine(host.session, from("77"), quiet),
      /there is no Docker 77 for debian trixie in the repositories of this host; they have 29\.9\.9, 28\.5\.2, 26\.1\.5$/,
    );
    host.write("installed", "");
    await assert.rejects(fetchEngine(host.session, from("28.5"), quiet), /its Docker was not installed from packages of its system or of Docker/);
  });
});
