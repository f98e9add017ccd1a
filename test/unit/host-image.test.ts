import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { dispatch } from "../../components/cli/dispatch";
import { ensureHostImage, hasHostImage, hostImage, ImageProblem, makeHostImage } from "../../components/hosts/local/image";

const root = dirname(dirname(__dirname));

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { variants } = require("../../tools/setup/host-image.js") as { variants: Record<string, { suite: string; packages: readonly string[] }> };

/** Plays Docker's client: it has the image once it was built, and notes what it was asked and what lay in the build's folder. */
const fakeDocker = `#!/bin/sh
printf '%s\\n' "$*" >> "$FAKE/calls"
if [ -e "$FAKE/down" ]; then
  echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2
  exit 1
fi
case $1 in
  image)
    [ -e "$FAKE/image" ] && { echo sha256:0; exit 0; }
    echo "Error response from daemon: No such image: $5" >&2
    exit 1 ;;
  build)
    for folder in "$@"; do :; done
    (cd "$folder" && find . -type f -exec ls -l {} + | awk '{ print $1, $NF }' | sort -k 2) > "$FAKE/files"
    echo 'Step 1/9 : ARG SUITE=trixie'
    if [ -e "$FAKE/broken" ]; then echo 'failed to resolve reference "docker.io/library/debian:trixie-slim"' >&2; exit 1; fi
    sleep 0.1
    : > "$FAKE/image" ;;
esac
`;

describe("the image of local hosts", function () {
  this.timeout(30_000);
  let folder = "";
  let env: NodeJS.ProcessEnv = {};
  let told: string[] = [];
  const progress = (line: string): void => void told.push(line);
  const calls = (): string[] => (existsSync(join(folder, "calls")) ? readFileSync(join(folder, "calls"), "utf8").trim().split("\n") : []);
  const builds = (): string[] => calls().filter((call) => call.startsWith("build "));
  const make = (name: string): void => writeFileSync(join(folder, name), "");

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-docker-"));
    writeFileSync(join(folder, "docker"), fakeDocker);
    chmodSync(join(folder, "docker"), 0o755);
    env = { ...process.env, FAKE: folder, PATH: [folder, process.env["PATH"]].join(delimiter) };
    told = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is left as it is where Docker has it", async () => {
    make("image");
    await ensureHostImage({ progress, env });
    assert.deepEqual(calls(), [`image inspect --format {{.Id}} ${hostImage}`]);
    assert.deepEqual(told, []);
  });

  it("is built where it is missing, with the packages that setup puts into it, and says so", async () => {
    assert.equal(await hasHostImage({ env }), false);
    await ensureHostImage({ progress, env });
    assert.equal(await hasHostImage({ env }), true);
    const [build = "", ...others] = builds();
    assert.deepEqual(others, []);
    const { suite, packages } = variants["trixie"] ?? { suite: "", packages: [] };
    const expected = `build --tag ${hostImage} --build-arg SUITE=${suite} --build-arg PACKAGES=${packages.join(" ")} --build-arg RECIPE=pulumi-swarm `;
    assert.equal(build.slice(0, expected.length), expected);
    assert.deepEqual(told, [
      "making the image pulumi-swarm-host:trixie from debian:trixie-slim and Debian's packages, about a minute",
      "Step 1/9 : ARG SUITE=trixie",
      "the image pulumi-swarm-host:trixie is made",
    ]);
    assert.equal(existsSync(build.split(" ").at(-1) ?? ""), false, "the build's folder is gone");
  });

  it("is built of all that lies in tools/image, readable, and executable where it must be, however it was installed", async () => {
    const umask = process.umask(0o077);
    try {
      await makeHostImage({ progress, env });
    } finally {
      process.umask(umask);
    }
    assert.deepEqual(readFileSync(join(folder, "files"), "utf8").trim().split("\n"), [
      "-rw-r--r-- ./Dockerfile",
      "-rw-r--r-- ./rootfs/etc/containerd/config.toml",
      "-rw-r--r-- ./rootfs/etc/ssh/sshd_config.d/pulumi-swarm.conf",
      "-rwxr-xr-x ./rootfs/usr/local/sbin/boot-machine",
      "-rw-r--r-- ./slim.sh",
    ]);
  });

  it("says what it lacks: Docker, an engine that answers, or a registry and a mirror", async () => {
    const problem = async (): Promise<string> => {
      const error: unknown = await ensureHostImage({ progress, env }).then(
        () => assert.fail(),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof ImageProblem);
      return error.message;
    };
    make("broken");
    assert.equal(
      await problem(),
      'The image pulumi-swarm-host:trixie could not be made. Docker said last:\nStep 1/9 : ARG SUITE=trixie\nfailed to resolve reference "docker.io/library/debian:trixie-slim"\n' +
        "Fix: it needs debian:trixie-slim from Docker Hub and packages from deb.debian.org; where this machine reaches neither, make it on another one with npx pulumi-swarm image, " +
        "and bring it here with docker save pulumi-swarm-host:trixie and docker load",
    );
    make("down");
    assert.equal(
      await problem(),
      "Docker could not be asked for the image pulumi-swarm-host:trixie: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running? " +
        "Fix: start Docker, or let DOCKER_HOST name an engine that you may use",
    );
    env = { PATH: join(folder, "nowhere") };
    assert.equal(
      await problem(),
      "docker cannot be run (spawn docker ENOENT), so the image pulumi-swarm-host:trixie can neither be found nor made. Fix: install Docker with its client, and put docker on the PATH",
    );
  });

  it("is shipped: everything that it is made of is in the package", () => {
    const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] };
    for (const needed of ["tools/image", "tools/host-packages.json"]) assert.ok(files.includes(needed), needed);
  });

  describe("by npx pulumi-swarm image", () => {
    const saved = { ...process.env };
    beforeEach(() => Object.assign(process.env, { FAKE: folder, PATH: env["PATH"] }));
    afterEach(() => {
      process.env["PATH"] = saved["PATH"];
      delete process.env["FAKE"];
    });
    const run = async (...args: string[]): Promise<{ code: number; out: string; error: string }> => {
      let [out, error] = ["", ""];
      const code = await dispatch(["image", ...args], {
        input: () => Promise.resolve(""),
        inputIsTty: false,
        outIsTty: false,
        out: (text) => void (out += text),
        error: (text) => void (error += text),
      });
      return { code, out, error };
    };

    it("is made once, and made again where that is asked for", async () => {
      assert.deepEqual(await run().then(({ code, out }) => [code, out]), [0, `${hostImage}\n`]);
      assert.deepEqual(await run(), { code: 0, out: `${hostImage}\n`, error: "" });
      assert.equal(builds().length, 1);
      assert.equal((await run("--anew")).code, 0);
      assert.equal(builds().length, 2);
    });

    it("ends with 1 where it cannot be made, or is called wrongly", async () => {
      make("broken");
      const { code, out, error } = await run();
      assert.deepEqual([code, out], [1, ""]);
      assert.match(error, /^pulumi-swarm image: The image pulumi-swarm-host:trixie could not be made/m);
      assert.match((await run("trixie")).error, /^pulumi-swarm image: it takes no "trixie": there is one image only\.\n\nUsage: pulumi-swarm image/);
      assert.equal((await run("--new")).code, 1);
    });
  });
});
