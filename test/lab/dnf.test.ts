import assert from "node:assert/strict";
import { fetchEngine, holdEngine, installEngine, probeHost, releaseEngine, replaceEngine } from "../../components/engine";
import type { EngineArgs } from "../../components/engine/args";
import { preflight } from "../../components/engine/preflight";
import { fetchPackages, lookAtMaintenance, upgradePackages } from "../../components/maintenance";
import { DockerApi } from "../../components/remote/docker-api";
import { SshSession } from "../../components/remote/ssh";
import { eventually } from "../../tools/lab/cluster";
import { type DockerRepository, makeDockerRepository } from "../../tools/lab/docker-repository";
import { connectionTo, docker, machineKeys, removeMachines, startMachine } from "../../tools/lab/machines";

const prefix = "dnft-";
const machine = `${prefix}one`;
const keys = machineKeys("dnf");
const address = "10.229.0.11";
const on = (command: string): Promise<string> => docker("exec", machine, "sh", "-c", command);

/**
 * Images of systems with dnf cannot be had everywhere. Debian has the same dnf and rpm, so this host is Debian with them alone: its own apt-get
 * and dpkg are out of sight, and rpm knows nothing but what comes from the lab's repository.
 */
const asRocky = `set -eu
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends dnf rpm dnf-plugins-core curl >/dev/null 2>&1
  DEBIAN_FRONTEND=noninteractive apt-get -qq purge docker.io docker-cli containerd runc >/dev/null 2>&1
  rm -rf /var/lib/docker/* /etc/dnf/plugins/local.conf /etc/dnf/plugins/expired-pgp-keys.conf /usr/lib/python3/dist-packages/dnf-plugins/local.py
  printf '[main]\\ngpgcheck=1\\ninstallonly_limit=3\\nclean_requirements_on_remove=True\\nbest=True\\nskip_if_unavailable=False\\n' >/etc/dnf/dnf.conf
  mkdir -p /opt/debian /etc/yum.repos.d
  mv /usr/bin/apt* /usr/bin/dpkg* /opt/debian/
  rm -f /etc/os-release
  printf 'NAME="Rocky Linux"\\nID="rocky"\\nVERSION_ID="9.4"\\n' >/etc/os-release
  rpm -i --nosignature /srv/docker/centos/9/*/stable/lab-base-1-*.rpm`;

describe("Docker where dnf installs it", function () {
  this.timeout(600_000);
  this.bail(true);
  let repository: DockerRepository;
  let session: SshSession;
  let api: DockerApi;
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const engine = (version: string): EngineArgs => ({ source: "docker", version, repository: repository.url });
  const packages = (): Promise<string> => on("rpm -qa --qf '%{NAME}=%{VERSION}\\n' 'docker*' 'containerd*' | sort | paste -s -d ' ' -");
  /** Debian's engines tell more than the package's version. */
  const running = async (): Promise<string> => (await on("docker version -f '{{.Server.Version}}'")).replace(/\+.*/, "");
  const look = (): ReturnType<typeof probeHost> => probeHost({ session, docker: api });

  before(async () => {
    await removeMachines(prefix);
    await docker("network", "create", "--subnet", "10.229.0.0/24", `${prefix}net`);
    [repository] = await Promise.all([
      makeDockerRepository("dnft-docker", "dnf"),
      startMachine({ name: machine, network: `${prefix}net`, address, keys }),
    ]);
    await repository.copyTo(machine);
    await eventually("it has booted", 60, () => on("docker version"));
    await on(asRocky);
    session = await SshSession.open("one", connectionTo({ address, keys }));
    api = new DockerApi("one", session);
  });
  after(async () => {
    api.close();
    session.close();
    await removeMachines(prefix);
    await repository.remove();
  });

  it("is seen to be such a system, which has no Docker of its own", async () => {
    const { apt, dnf, distribution } = await look();
    assert.deepEqual({ apt, dnf, distribution }, { apt: false, dnf: true, distribution: "rocky 9.4" });
    const { refusals } = preflight(await look(), {}, Date.now() / 1000);
    assert.match(refusals.join("\n"), /this system \(rocky 9\.4\) has no package of Docker of its own: use engine\.source "docker"/);
    assert.deepEqual(preflight(await look(), engine("26.1"), Date.now() / 1000).refusals, []);
  });

  it("comes from Docker's repository in the version asked for, runs, starts at boot, and is held", async () => {
    assert.match(await installEngine(session, engine("26.1"), say), /^26\.1\.5/);
    assert.match(await packages(), /^containerd\.io=\S+ docker-ce-cli=26\.1\.5 docker-ce=26\.1\.5$/);
    assert.equal(await on("systemctl is-enabled docker"), "enabled");
    await holdEngine(session, engine("26.1"), await look());
    assert.match(await on("dnf -q versionlock list"), /docker-ce-3:26\.1\.5/);
    await on("dnf -q -y upgrade 'docker*' 'containerd*'");
    assert.equal(await running(), "26.1.5", "28.5.2 waits there");
  });

  it("says which versions there are where there is no such one", async () => {
    await assert.rejects(
      fetchEngine(session, engine("25"), say),
      /there is no Docker 25 for rocky 9\.4 in the repositories of this host; they have 29\.9\.9, 28\.5\.2, 26\.1\.5/,
    );
  });

  it("is replaced though it is held, and held again; what else runs dnf is waited for", async () => {
    assert.equal(await fetchEngine(session, engine("28.5"), say), true, "the present packages are kept");
    assert.equal(await running(), "26.1.5");
    assert.match(await on("dnf -q versionlock list"), /docker-ce-3:26\.1\.5/, "held between getting and replacing");
    // As another dnf would have it.
    await on("sleep 300 >/dev/null 2>&1 & printf %s $! >/var/lib/dnf/rpmdb_lock.pid");
    const replaced = replaceEngine(session, engine("28.5"), say);
    await eventually("it waits", 60, () =>
      Promise.resolve(said.find((line) => /^waiting until sleep \(process .* has installed its packages/.test(line))),
    );
    await on("kill $(cat /var/lib/dnf/rpmdb_lock.pid)");
    assert.match(await replaced, /^28\.5\.2/);
    assert.match(await packages(), /^containerd\.io=2\S+ docker-ce-cli=28\.5\.2 docker-ce=28\.5\.2$/);
    const list = await on("dnf -q versionlock list");
    assert.match(list, /docker-ce-3:28\.5\.2/);
    assert.doesNotMatch(list, /26\.1\.5/);
  });

  it("is what it was where the new one does not start", async () => {
    await fetchEngine(session, engine("29.9"), say);
    await assert.rejects(
      replaceEngine(session, engine("29.9"), say),
      /its Docker was not replaced: with the new version, it does not run \(failed to start daemon: this engine never starts\)\. Docker 28\.5\.2\S* was put back and runs/,
    );
    assert.match(await packages(), /^containerd\.io=2\S+ docker-ce-cli=28\.5\.2 docker-ce=28\.5\.2$/);
    assert.equal(await running(), "28.5.2");
    assert.match(await on("dnf -q versionlock list"), /docker-ce-3:28\.5\.2/);
  });

  it("is finished where dnf was killed while a package's script ran, and nothing is there twice", async () => {
    await fetchEngine(session, engine("29.9"), say);
    const cut = replaceEngine(session, engine("29.9"), say).catch(() => "cut off");
    await on(
      "until pgrep -f '[s]leep 5' >/dev/null; do sleep 0.05; done; pkill -9 -f '[s]h -s'; pkill -9 -f '[d]nf -q'; pkill -9 -f '[s]leep 5'; true",
    );
    await cut;
    assert.match(await packages(), /docker-ce=28\.5\.2 docker-ce=29\.9\.9/, "there twice");
    // As the next run does before it comes to the walk.
    await holdEngine(session, engine("29.9"), await look());
    await assert.rejects(replaceEngine(session, engine("29.9"), say), /Docker 28\.5\.2\S* was put back and runs/);
    assert.match(await packages(), /^containerd\.io=2\S+ docker-ce-cli=28\.5\.2 docker-ce=28\.5\.2$/);
    assert.equal(await on("dnf -q check"), "");
    assert.equal(await running(), "28.5.2");
  });

  it("stays as it is when all packages are upgraded, until it is given back", async () => {
    assert.equal(await fetchPackages(session, "2026-12", say), 1);
    assert.equal(await on("cat /etc/lab-base"), "1");
    await upgradePackages(session, "2026-12", say);
    assert.equal(await on("cat /etc/lab-base"), "2");
    assert.equal(await running(), "28.5.2");
    assert.equal((await lookAtMaintenance(session)).packages, "2026-12");
    assert.equal(await fetchPackages(session, "2027-01", say), 0);
    await releaseEngine(session);
    assert.equal(await on("dnf -q versionlock list"), "");
  });
});
