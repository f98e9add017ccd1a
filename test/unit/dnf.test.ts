import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchEngine, holdEngine, installEngine, releaseEngine, replaceEngine } from "../../components/engine";
import type { EngineArgs } from "../../components/engine/args";
import { sourceProblem } from "../../components/engine/source";
import { fetchPackages, lookAtMaintenance, upgradePackages } from "../../components/maintenance";
import { scriptInput } from "../../components/remote/script";

/**
 * dnf and rpm over three lists, as unkind as dnf 4.23 with rpm 4.20 and dnf 5's source are: seen where test/lab/dnf.test.ts runs them. A locked
 * version is the only one to be found; a lock that is there already is not changed; a script that fails fails nothing; what the repository has no
 * more is left out of a reinstall without a failure; a cut leaves both versions.
 */
const dnf = String.raw`#!/bin/sh
at=$(dirname "$0")
echo "dnf $*" >>"$at/calls"
[ "$LC_ALL" = C ] || case " $* " in *" repoquery "*) ;; *) echo "in another language"; exit 9 ;; esac
if [ -s "$at/busy" ]; then
  cat "$at/refusal"
  sed -i 1d "$at/busy"
  exit 200
fi
if [ -e "$at/unreachable" ]; then
  case $* in *--disablerepo=*) ;; *) echo "Error: Failed to download metadata for repo 'docker-ce-stable': Cannot download repomd.xml"; exit 1 ;; esac
fi
only="" quiet=false download=false folder=""
for word; do
  case $word in
    -q) quiet=true ;;
    --downloadonly) download=true ;;
    --setopt=destdir=*) folder=${"$"}{word#*destdir=} ;;
    -*) ;;
    *) only="$only $word" ;;
  esac
done
set -- $only
verb=$1
shift
locked() { sed -n "s/^$1-[0-9]*:\(.*\)\.\*/\1/p" "$at/locks"; }
# The newest that is allowed, or the version that is named.
found() {
  while read -r name version; do
    case $1 in "$name" | "$name-$version") ;; *) continue ;; esac
    lock=$(locked "$name")
    if [ -z "$lock" ] || [ "$lock" = "$version" ]; then echo "$name $version"; fi
  done <"$at/available" | sort -V | tail -n 1
}
put() {
  sed -i "/^$1 /d" "$at/installed"
  echo "$1 $2" >>"$at/installed"
  [ "$1" != docker-ce ] || echo "$2" >"$at/engine"
  if [ -e "$at/broken" ]; then : >"$at/unreachable"; fi
}
case $verb in
  makecache) ;;
  repoquery) shift; sed -n "s/^$1 \(.*\)/3:\1\n/p" "$at/available" ;;
  versionlock)
    [ ! -e "$at/no-versionlock" ] || { echo "No such command: versionlock. Please use /usr/bin/dnf --help"; exit 1; }
    what=$1
    shift
    case $what in
      list) cat "$at/locks" ;;
      delete) for name; do sed -i "/^$name-[0-9]/d" "$at/locks"; done ;;
      add) for name; do grep -q "^$name-[0-9]" "$at/locks" || sed -n "s/^$name \(.*\)/$name-3:\1.*/p" "$at/installed" >>"$at/locks"; done ;;
    esac ;;
  install | upgrade)
    if [ "$verb" = upgrade ]; then
      set --
      while read -r name version; do
        new=$(found "$name")
        if [ "$new" != "$name $version" ]; then set -- "$@" "$name"; fi
      done <"$at/installed"
      $quiet || printf 'Transaction Summary\n===\nUpgrade  %s Packages\n' $#
    fi
    for package; do
      case $package in
        "dnf-command(versionlock)") rm "$at/no-versionlock" ; continue ;;
        *.rpm) file=$(basename "$package" .rpm); set -- "${"$"}{file%-*-*}" "${"$"}{file#"${"$"}{file%-*-*}-"}" ;;
        *) set -- $(found "$package") ;;
      esac
      [ $# -eq 2 ] || { echo "Error: Unable to find a match: $package"; exit 1; }
      $download || put "$1" "$2"
    done ;;
  reinstall)
    mkdir -p "$folder"
    for package; do
      while read -r name version; do if [ "$package" = "$name-$version" ]; then : >"$folder/$package.rpm"; fi; done <"$at/available"
    done ;;
esac
`;

const rpm = String.raw`#!/bin/sh
at=$(dirname "$0")
echo "rpm $*" >>"$at/calls"
case "$*" in
  -e*) for last; do :; done; while read -r name version; do [ "$name-$version.x86_64" = "$last" ] || echo "$name $version"; done <"$at/installed" >"$at/left"; mv "$at/left" "$at/installed" ;;
  -qa*) awk '{ printf "%s.x86_64 %s %s %s-%s.x86_64\n", $1, NR, $1, $1, $2 }' "$at/installed" ;;
  *whatprovides*) cat "$at/kernels" ;;
  -q*) for last; do :; done; grep -q "^$last " "$at/installed" || { echo "package $last is not installed"; exit 1; }; awk -v name="$last" '$1 == name { printf "%s %s=%s\n", NR, $1, $2 }' "$at/installed" ;;
esac
`;

class Host {
  readonly folder = mkdtempSync(join(tmpdir(), "dnf-"));
  readonly etc = join(this.folder, "etc");

  constructor(id = "rocky", release = "9.4") {
    mkdirSync(this.etc);
    for (const name of ["dnf", "rpm"]) this.program(name, name === "dnf" ? dnf : rpm);
    this.program(
      "docker",
      `#!/bin/sh\n[ -e '${this.folder}/engine' ] || exit 1\nv=$(cat '${this.folder}/engine'); v=\${v%-*}\n[ ! -e '${this.folder}/broken' ] || [ "$v" != 29.9.9 ] || exit 1\ncase "$*" in *version\\"*) printf '{"version":"%s"}\\n' "$v" ;; *) echo "$v" ;; esac\n`,
    );
    this.program("systemctl", `#!/bin/sh\necho "systemctl $*" >>'${this.folder}/calls'\n`);
    this.program("journalctl", "#!/bin/sh\necho 'failed to start daemon: no'\n");
    this.program("sleep", "#!/bin/sh\n");
    this.program("systemd-detect-virt", "#!/bin/sh\nexit 1\n");
    // Of this machine, without apt-get.
    for (const name of "sh cat sed grep sort tail head tr paste cut awk dirname basename mkdir mv rm rmdir mktemp date timeout install chmod chown sync find wc env stat ls cmp".split(
      " ",
    ))
      symlinkSync(spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim(), join(this.folder, name));
    this.write("os-release", `ID=${id}\nVERSION_ID="${release}"\n`);
    this.write(
      "available",
      ["26.1.5", "28.5.1", "28.5.2", "29.9.9"]
        .flatMap((v) => [`docker-ce ${v}-1.el9`, `docker-ce-cli ${v}-1.el9`])
        .concat("containerd.io 1.7.1-1.el9", "containerd.io 2.1.0-1.el9", "bash 5-1", "bash 5-2", "kernel-core 6-1", "kernel-core 6-2")
        .join("\n") + "\n",
    );
    for (const name of ["installed", "locks", "busy", "kernels"]) this.write(name, "");
  }

  private program(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text, { mode: 0o755 });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  read(name: string): string {
    return existsSync(join(this.folder, name)) ? readFileSync(join(this.folder, name), "utf8") : "";
  }

  readonly said: string[] = [];
  readonly session = {
    script: <Result>(text: string, values: Readonly<Record<string, string>>, { verb }: { readonly verb: string }): Promise<Result> => {
      const own = text
        .replaceAll("/etc/pulumi-swarm", this.etc)
        .replaceAll("/etc/os-release", join(this.folder, "os-release"))
        .replaceAll("/etc/yum.repos.d", this.folder)
        .replaceAll("/var/cache/pulumi-swarm", join(this.folder, "cache"));
      const { stdout, stderr, status } = spawnSync("/bin/sh", ["-s"], {
        input: scriptInput(own, verb, values),
        encoding: "utf8",
        env: { PATH: this.folder },
      });
      this.said.push(stderr);
      return status === 0 ? Promise.resolve(JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Result) : Promise.reject(new Error(stderr.trim()));
    },
  };

  get installed(): string[] {
    return this.read("installed").split("\n").filter(Boolean).sort();
  }
}

const quiet = (): void => {};
const from = (version: string): EngineArgs => ({ source: "docker", version, repository: "https://mirror/linux" });
const old = ["containerd.io 1.7.1-1.el9", "docker-ce 26.1.5-1.el9", "docker-ce-cli 26.1.5-1.el9"];
const next = ["containerd.io 2.1.0-1.el9", "docker-ce 28.5.2-1.el9", "docker-ce-cli 28.5.2-1.el9"];

describe("the scripts for Docker's packages, where dnf installs them", () => {
  let host: Host;
  const session = (): Parameters<typeof installEngine>[0] => host.session as unknown as Parameters<typeof installEngine>[0];
  const withOld = (): void => {
    host = new Host();
    host.write("installed", `${old.join("\n")}\n`);
    host.write("engine", "26.1.5-1.el9");
  };
  afterEach(() => rmSync(host.folder, { recursive: true }));

  it("install the version that is asked for, from the folder that Docker has for the system, by its main release", async () => {
    host = new Host();
    assert.equal(await installEngine(session(), from("28.5"), quiet), "28.5.2");
    assert.deepEqual(host.installed, next);
    assert.match(
      host.read("docker-ce.repo"),
      /^baseurl=https:\/\/mirror\/linux\/centos\/9\/\$basearch\/stable\nenabled=1\ngpgcheck=1\ngpgkey=https:\/\/mirror\/linux\/centos\/gpg$/m,
    );
    assert.match(host.read("calls"), /^systemctl enable --now docker$/m);
  });

  it("take Fedora's folder, and on Amazon Linux and Fedora the system's own package", async () => {
    host = new Host("fedora", "42");
    await installEngine(session(), from("28"), quiet);
    assert.match(host.read("docker-ce.repo"), /linux\/fedora\/42\/\$basearch/);
    for (const [id, release, name] of [
      ["amzn", "2023", "docker"],
      ["fedora", "42", "moby-engine"],
    ] as const) {
      rmSync(host.folder, { recursive: true });
      host = new Host(id, release);
      host.write("available", `${name} 25.0.8-1\n`);
      await installEngine(session(), {}, quiet).catch(quiet);
      assert.deepEqual(host.installed, [`${name} 25.0.8-1`]);
    }
  });

  it("replace an engine that is held, whose packages are held again then in the version that is there", async () => {
    withOld();
    await holdEngine(host.session, from("26.1"), { folders: [], apt: false, dnf: true });
    assert.match(host.read("locks"), /^docker-ce-3:26\.1\.5-1\.el9\.\*$/m);
    assert.equal(await fetchEngine(host.session, from("28.5"), quiet), true);
    assert.match(host.read("locks"), /^docker-ce-3:26\.1\.5-1\.el9\.\*$/m, "between getting and replacing too");
    assert.deepEqual(host.installed, old);
    assert.equal(await replaceEngine(host.session, from("28.5"), quiet), "28.5.2");
    assert.deepEqual(host.installed, next);
    assert.deepEqual(
      host.read("locks").split("\n").filter(Boolean).sort(),
      next.map((line) => `${line.replace(" ", "-3:")}.*`),
    );
    await releaseEngine(host.session);
    assert.equal(host.read("locks"), "");
  });

  it("put back what was there, to the version of each package, where the engine does not start", async () => {
    withOld();
    host.write("broken", "");
    await fetchEngine(host.session, from("29.9"), quiet);
    await assert.rejects(
      replaceEngine(host.session, from("29.9"), quiet),
      /with the new version, it does not run \(failed to start daemon: no\)\. Docker 26\.1\.5 was put back and runs/,
    );
    assert.deepEqual(host.installed, old);
  });

  it("say that the present packages cannot be kept where the repository has one of them no more", async () => {
    withOld();
    host.write("available", host.read("available").replace("docker-ce-cli 26.1.5-1.el9\n", ""));
    assert.equal(await fetchEngine(host.session, from("28.5"), quiet), false);
  });

  it("take off what a cut left there twice, but no kernel, and finish", async () => {
    withOld();
    host.write(
      "installed",
      `${host.read("installed")}kernel-core 6-1\nkernel-core 6-2\nother-kernel 1-1\nother-kernel 2-1\ngpg-pubkey 1-1\ngpg-pubkey 2-1\n`,
    );
    host.write("kernels", "other-kernel ");
    await fetchEngine(host.session, from("28.5"), quiet);
    mkdirSync(join(host.etc, "engine-replacing"));
    writeFileSync(join(host.etc, "engine-replacing", "before"), "26.1.5\n");
    host.write("installed", `${host.read("installed")}docker-ce 28.5.2-1.el9\n`);
    assert.equal(await replaceEngine(host.session, from("28.5"), quiet), "28.5.2");
    assert.deepEqual(
      host.installed.filter((line) => /^(docker|containerd)/.test(line)),
      next,
    );
    assert.equal(host.installed.length, next.length + 6);
    assert.match(host.read("calls"), /^rpm -e --nodeps --noscripts docker-ce-26\.1\.5-1\.el9\.x86_64$/m);
  });

  it("count as replaced after a cut only once the engine that runs is that of the packages", async () => {
    withOld();
    const mark = join(host.etc, "engine-replacing");
    mkdirSync(mark);
    host.write("installed", `${next.join("\n")}\n`);
    const seen = { folders: ["engine-replacing"], apt: false, dnf: true };
    await holdEngine(host.session, from("28.5"), seen);
    assert.ok(existsSync(mark), "26.1.5 runs on");
    host.write("engine", "28.5.2-1.el9");
    await holdEngine(host.session, from("28.5"), seen);
    assert.ok(!existsSync(mark));
  });

  for (const [which, refusal] of [
    ["dnf 4", `RPMDB already locked by ${process.pid}\n  The application with PID ${process.pid} is: dnf`],
    ["dnf 5", "Failed to obtain rpm transaction lock. Another transaction is in progress."],
    ["rpm", "error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Resource temporarily unavailable)"],
  ] as const) {
    it(`wait for others in the words of ${which}`, async () => {
      withOld();
      host.write("refusal", `${refusal}\n`);
      host.write("busy", "1\n2\n3\n");
      await fetchEngine(host.session, from("28.5"), quiet);
      const waits = host.said.join("").match(/^waiting until .*$/gm) ?? [];
      assert.equal(waits.length, 1, host.said.join(""));
      assert.match(waits[0] ?? "", /^waiting until .+ has installed its packages; 10 minutes at most$/);
    });
  }

  it("install dnf's versionlock where it is not there, and ask for no question, nor what is only recommended", async () => {
    withOld();
    host.write("no-versionlock", "");
    await holdEngine(host.session, from("26.1"), { folders: [], apt: false, dnf: true });
    assert.match(host.read("calls"), /^dnf -q -y --setopt=exit_on_lock=True --setopt=install_weak_deps=False install dnf-command\(versionlock\)$/m);
    assert.match(host.read("locks"), /^docker-ce-3:26/m);
  });

  it("say what dnf said where there is no such version, or it fails", async () => {
    withOld();
    await assert.rejects(
      fetchEngine(host.session, from("25"), quiet),
      /there is no Docker 25 for rocky 9\.4 in the repositories of this host; they have 29\.9\.9, 28\.5\.2, 28\.5\.1, 26\.1\.5$/,
    );
    host.write("available", "docker-ce 28.5.2-1.el9\n");
    await assert.rejects(
      fetchEngine(host.session, from("28.5"), quiet),
      /Docker 28\.5 cannot be got: Error: Unable to find a match: docker-ce-cli-28\.5\.2-1\.el9$/,
    );
  });

  it("upgrade all packages but those that are held, once for each text", async () => {
    withOld();
    host.write("installed", `${host.read("installed")}bash 5-1\n`);
    await holdEngine(host.session, from("26.1"), { folders: [], apt: false, dnf: true });
    assert.equal(await fetchPackages(host.session, "2026-12", quiet), 1);
    assert.ok(host.installed.includes("bash 5-1"));
    await upgradePackages(host.session, "2026-12", quiet);
    assert.deepEqual(host.installed, ["bash 5-2", ...old]);
    assert.equal((await lookAtMaintenance(host.session)).packages, "2026-12");
    assert.equal(await fetchPackages(host.session, "2027-01", quiet), 0);
  });

  it("see that a kernel waits for a reboot by when it was installed", async () => {
    withOld();
    host.write("kernels", "1 kernel-core-6-1\n9999999999 kernel-core-6-2\n");
    assert.equal((await lookAtMaintenance(host.session)).required, "kernel-core-6-2");
    host.write("kernels", "no package provides kernel\n");
    assert.equal((await lookAtMaintenance(host.session)).required, "");
  });
});

describe("where Docker comes from", () => {
  const problem = (distribution: string, source: "docker" | "distribution", dnf = true): string | undefined => {
    const found = sourceProblem({ source }, { apt: false, dnf, distribution });
    return found && `${found.problem} → ${found.fix ?? "none"}`;
  };

  it("is told by the system, and another source named where there is one", () => {
    for (const system of ["rocky 9.4", "rhel 10.0", "almalinux 9.6", "centos 10", "fedora 42"]) assert.equal(problem(system, "docker"), undefined);
    for (const system of ["amzn 2023", "fedora 42"]) assert.equal(problem(system, "distribution"), undefined);
    assert.equal(problem("rhel 9.4", "distribution"), 'this system (rhel 9.4) has no package of Docker of its own → use engine.source "docker"');
    assert.equal(problem("amzn 2023", "docker"), 'Docker has no repository for this system (amzn 2023) → use engine.source "distribution"');
    assert.equal(problem("mageia 9", "docker"), "how this system (mageia 9) gets Docker is not known here → none");
    assert.equal(problem("alpine 3.22", "docker", false), "this system (alpine 3.22) has neither apt-get nor dnf to install it with → none");
  });
});
