import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applySettings } from "../../components/engine";
import type { ProgramArgs } from "../../components/programs/args";
import { installProgram, pruneProgram } from "../../components/programs/install";
import { planProgram } from "../../components/programs/plan";
import type { HostProgram } from "../../components/programs/program";
import { SshSession } from "../../components/remote/ssh";
import { eventually } from "../../tools/lab/cluster";
import { connectionTo, docker, machineKeys, removeMachines, startMachine } from "../../tools/lab/machines";
import { mirrorOf, needImages, publish } from "../../tools/lab/registry";
import { CutOff } from "./cut-off";

const prefix = "prog-";
const network = `${prefix}net`;
const machine = `${prefix}one`;
const address = "10.232.0.11";
const keys = machineKeys("programs");
const root = "/usr/local/lib/pulumi-swarm";

describe("programs that are put onto a host", function () {
  this.timeout(60_000);
  const files = mkdtempSync(join(tmpdir(), "pulumi-swarm-programs-"));
  let session: SshSession;
  let mirror: string;
  let web: Server;
  let said: string[] = [];

  const on = (command: string): Promise<string> => docker("exec", machine, "sh", "-c", command);
  const local = (name: string): string => join(files, name);
  const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");
  const webUrl = (name: string): string => `http://10.232.0.1:${(web.address() as AddressInfo).port}/${name}`;

  function planned(args?: ProgramArgs, from = mirror): HostProgram {
    const defaults = { name: "pair", version: "v1", image: "ghcr.io/lab/pair", files: { one: "/opt/bin/one", two: "/opt/bin/two" } };
    const { program, problems } = planProgram(defaults, args, "pair", from);
    assert.deepEqual(problems, []);
    return program;
  }

  /** A program of one file. */
  function single(args: ProgramArgs): HostProgram {
    const defaults = { name: "single", version: "v1", image: "ghcr.io/lab/single", files: { one: "/opt/bin/one" } };
    const { program, problems } = planProgram(defaults, args, "single", mirror);
    assert.deepEqual(problems, []);
    return program;
  }

  async function install(program: HostProgram, by: Pick<SshSession, "script"> = session): Promise<{ folder: string; changed: boolean }> {
    said = [];
    return installProgram(by, program, (line) => said.push(line));
  }

  const failure = async (program: HostProgram): Promise<string> => {
    let told = "nothing: it is installed";
    await install(program).catch((error: Error) => (told = error.message));
    return told;
  };

  /** What an installation leaves beside the programs themselves. */
  const leftovers = (): Promise<string> =>
    on(`docker image ls -q; docker ps -aq; find ${root} -name '.*'; find ${root} -mindepth 2 -maxdepth 2 ! -name 'v*' 2>/dev/null; true`);

  before(async function () {
    await needImages(this);
    await removeMachines(prefix);
    await docker("network", "create", "--subnet", "10.232.0.0/24", network);
    await startMachine({ name: machine, network, address, keys });
    mirror = await mirrorOf(network);
    await docker("cp", `${machine}:/usr/bin/busybox`, local("busybox"));
    const busybox = readFileSync(local("busybox"));
    for (const version of ["1", "2"]) writeFileSync(local(`one-${version}`), Buffer.concat([busybox, Buffer.from(version)]));
    const arm = Buffer.from(busybox);
    arm.writeUInt16LE(0xb7, 18);
    writeFileSync(local("arm"), arm);
    writeFileSync(local("text"), "<html>not found</html>\n");
    await docker("cp", "-L", `${machine}:/usr/bin/true`, local("true"));
    writeFileSync(local("lacking"), readFileSync(local("true"), "latin1").replaceAll("libc.so.6", "libq.so.6"), "latin1");
    mkdirSync(local("pair-v3/bin"), { recursive: true });
    for (const name of ["one", "two"]) writeFileSync(local(`pair-v3/bin/${name}`), busybox, { mode: 0o644 });
    writeFileSync(local("pair-v3/README"), "other things\n");
    execFileSync("tar", ["-czf", local("pair.tar.gz"), "-C", files, "pair-v3"]);
    web = createServer((request, response) => {
      try {
        response.end(readFileSync(local(request.url?.slice(1) ?? "")));
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => web.listen(0, "10.232.0.1", resolve));
    for (const version of ["1", "2"]) {
      await publish(`lab/pair:v${version}`, { "/opt/bin/one": local(`one-${version}`), "/opt/bin/two": local("busybox") });
    }
    session = await SshSession.open("one", connectionTo({ address, keys }));
    await eventually("Docker runs", 60, () => on("docker version -f '{{.Server.Version}}'"));
  });
  after(async () => {
    session?.close();
    web?.close();
    rmSync(files, { recursive: true });
    await removeMachines(prefix);
  });

  it("are not pulled from a registry without encryption unless the engine is told so, which is said", async () => {
    assert.match(
      await failure(planned()),
      /^one: the registry of 10\.232\.0\.1:5000\/lab\/pair:v1 has no encryption: add its host and port to engine\.settings/,
    );
    await applySettings(session, JSON.stringify({ "insecure-registries": [mirror] }), () => {});
  });

  it("come out of an image, which leaves nothing else behind", async () => {
    const start = Date.now();
    const { folder, changed } = await install(planned());
    process.stdout.write(`      pulled and installed in ${((Date.now() - start) / 1000).toFixed(1)} s\n`);
    assert.equal(changed, true);
    assert.match(folder, /^\/usr\/local\/lib\/pulumi-swarm\/pair\/v1-[0-9a-f]{10}$/);
    assert.equal(await on(`stat -c '%n %a %U' ${folder} ${folder}/*`), `${folder} 755 root\n${folder}/one 755 root\n${folder}/two 755 root`);
    assert.equal(await on(`sha256sum <${folder}/one`), `${sha256(local("one-1"))}  -`);
    assert.equal(await leftovers(), "");
    assert.deepEqual(said, [`pulling ${mirror}/lab/pair:v1`]);
  });

  it("are there the second time, when neither the registry nor Docker is asked", async () => {
    await on("systemctl stop docker.socket docker");
    const start = Date.now();
    assert.equal((await install(planned())).changed, false);
    process.stdout.write(`      nothing to do: ${Date.now() - start} ms\n`);
    assert.deepEqual(said, []);
    await on("systemctl start docker");
  });

  it("come again when a file of them is gone", async () => {
    const { folder } = await install(planned());
    await on(`rm ${folder}/two`);
    assert.equal((await install(planned())).changed, true);
    assert.equal((await install(planned())).changed, false);
  });

  it("leave an image alone that was there before", async () => {
    await on(`docker pull -q ${mirror}/lab/pair:v2`);
    await install(planned({ version: "v2" }));
    assert.deepEqual(said, []);
    assert.match(await leftovers(), /^[0-9a-f]{12}$/);
    await on(`docker image rm ${mirror}/lab/pair:v2`);
  });

  it("stand beside another version until that is pruned", async () => {
    const [one, two] = [planned(), planned({ version: "v2" })];
    const folders = await Promise.all([one, two].map((program) => installProgram(session, program, () => {})));
    assert.equal((await on(`ls -d ${root}/*/*`)).split("\n").length, 2);
    await pruneProgram(session, "pair", two);
    assert.equal(await on(`ls -d ${root}/*/*`), folders[1]?.folder);
    await pruneProgram(session, "pair", undefined);
    assert.equal(await on(`ls -d ${root} 2>/dev/null || true`), "");
    await pruneProgram(session, "pair", undefined);
  });

  it("are the ones with the pinned digest, whatever their tag means now", async () => {
    const pinned = await publish("lab/single:v1", { "/opt/bin/one": local("one-1") });
    const moved = await publish("lab/single:v1", { "/opt/bin/one": local("one-2") });
    assert.notEqual(pinned, moved);
    const { folder } = await install(single({ digest: pinned }));
    assert.equal(await on(`sha256sum <${folder}/one`), `${sha256(local("one-1"))}  -`);
    assert.equal(await leftovers(), "");
    const nowhere = `sha256:${"0".repeat(64)}`;
    assert.match(
      await failure(single({ digest: nowhere })),
      /^one: there is no image 10\.232\.0\.1:5000\/lab\/single@sha256:0{64}: look for a mistake/,
    );
  });

  it("come from a file of the host, by HTTP, and out of an archive", async () => {
    await docker("cp", local("one-2"), `${machine}:/srv/one`);
    const own = await install(single({ url: "file:///srv/one", sha256: sha256(local("one-2")), version: "own" }));
    const fetched = await install(single({ url: webUrl("one-1"), sha256: sha256(local("one-1")), version: "web" }));
    assert.deepEqual(said, [`fetching ${webUrl("one-1")}`]);
    assert.equal(
      await on(`cd ${root}; sha256sum <${own.folder}/one; sha256sum <${fetched.folder}/one`),
      ["2", "1"].map((n) => `${sha256(local(`one-${n}`))}  -`).join("\n"),
    );
    const archive = planned({ url: webUrl("pair.tar.gz"), sha256: sha256(local("pair.tar.gz")), version: "v3" });
    const { folder } = await install(archive);
    assert.equal(await on(`ls -A ${folder}; bash -c 'exec -a busybox ${folder}/two echo it runs'`), "one\ntwo\nit runs");
    assert.equal((await install(archive)).changed, false);
  });

  it("are refused with both checksums when they are not what was asked for", async () => {
    const told = await failure(single({ url: webUrl("one-1"), sha256: sha256(local("one-2")), version: "web" }));
    assert.equal(
      told,
      `one: ${webUrl("one-1")} is not what was asked for: its SHA-256 is ${sha256(local("one-1"))}, and should be ${sha256(local("one-2"))}. Correct the one that is wrong`,
    );
  });

  it("are refused when this host cannot run them", async () => {
    const of = (name: string): Promise<string> => failure(single({ url: webUrl(name), sha256: sha256(local(name)), version: "web" }));
    assert.match(await of("arm"), /^one: one is for aarch64, and this host is x86_64: take an image or a file for x86_64/);
    assert.match(await of("lacking"), /^one: one does not run here: this host lacks the libraries libq\.so\.6\. Take a build without them/);
    assert.match(await of("text"), /^one: one is not a program: it begins neither as one of Linux nor as a script/);
  });

  it("name what is missing, and what to do", async () => {
    assert.match(
      await failure(planned({ version: "v99" })),
      /^one: there is no image 10\.232\.0\.1:5000\/lab\/pair:v99: look for a mistake in the version/,
    );
    assert.match(await failure(planned({ image: `${mirror}/lab/nothing` })), /^one: there is no image 10\.232\.0\.1:5000\/lab\/nothing:v1: /);
    assert.match(
      await failure(planned({ image: `${mirror}/lab/single` })),
      /^one: 10\.232\.0\.1:5000\/lab\/single:v1 has no \/opt\/bin\/two: is it the right image for pair\?/,
    );
    assert.match(
      await failure(planned({}, "10.232.0.1:5999")),
      /^one: the registry of 10\.232\.0\.1:5999\/lab\/pair:v1 cannot be reached from this host: name one that can be \(programs\.mirror\), or a file/,
    );
    const missing = { sha256: "0".repeat(64), version: "v1" };
    assert.match(await failure(single({ url: webUrl("away"), ...missing })), /away: .*404.*: look for a mistake in the url/);
    assert.match(
      await failure(single({ url: "http://10.232.0.1:1/away", ...missing })),
      /cannot be reached from this host: name a place that can be/,
    );
    assert.match(await failure(single({ url: "file:///srv/away", ...missing })), /^one: there is no file \/srv\/away on this host: put it there/);
    await pruneProgram(session, "single", undefined);
    await pruneProgram(session, "pair", undefined);
    assert.equal(await leftovers(), "");
  });

  it("are the ones that the overlays run, out of the images that setup made", async function () {
    await needImages(this, "flannel-io/flannel:v0.28.10", "flannel-io/flannel:v0.26.7", "etcd-development/etcd:v3.5.35");
    const [bin, etcdFiles] = ["/usr/local/bin", ["etcd", "etcdctl"]];
    const flannel = { name: "flanneld", image: "ghcr.io/flannel-io/flannel", files: { flanneld: "/opt/bin/flanneld" } };
    const etcd = {
      name: "etcd",
      image: "gcr.io/etcd-development/etcd",
      files: Object.fromEntries(etcdFiles.map((name) => [name, `${bin}/${name}`])),
    };
    for (const [defaults, command, version] of [
      [{ ...flannel, version: "v0.28.10" }, "flanneld --version 2>&1", "v0.28.10"],
      [{ ...flannel, version: "v0.26.7" }, "flanneld --version 2>&1", "v0.26.7"],
      [{ ...etcd, version: "v3.5.35" }, "etcd --version | head -n 1", "etcd Version: 3.5.35"],
    ] as const) {
      const start = Date.now();
      const { folder } = await install(planProgram(defaults, undefined, "overlay", mirror).program);
      process.stdout.write(
        `      ${defaults.name} ${defaults.version}: ${((Date.now() - start) / 1000).toFixed(1)} s, ${await on(`du -sm ${folder} | cut -f 1`)} MB\n`,
      );
      assert.equal(await on(`${folder}/${command}`), version);
    }
    await Promise.all(["flanneld", "etcd"].map((name) => pruneProgram(session, name, undefined)));
    assert.equal(await leftovers(), "");
  });

  it("are finished by the next run, wherever one was cut off", async () => {
    let places = 0;
    for (let limit = 2, whole = false; !whole; limit += 7, places += 1) {
      const cutting = new CutOff(session, "install", limit);
      await install(planned(), cutting).catch(() => {});
      whole = !cutting.happened;
      const { folder } = await install(planned());
      assert.equal(
        await on(`sha256sum <${folder}/one; ls -A ${folder} | paste -s`),
        `${sha256(local("one-1"))}  -\none\ttwo`,
        `cut off before command ${limit}`,
      );
      assert.equal(await leftovers(), "", `cut off before command ${limit}`);
      assert.equal((await install(planned())).changed, false);
      await pruneProgram(session, "pair", undefined);
    }
    process.stdout.write(`      cut off in ${places} places\n`);
  });
});
