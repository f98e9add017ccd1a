import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sdkSchema } from "../../tools/release/sdk-schema";

const root = join(__dirname, "..", "..");

describe("the packages of other languages in a release", () => {
  it("are written from the plugin's schema, and say from where a program gets the plugin", () => {
    const text = readFileSync(join(root, "plugin", "schema.json"), "utf8");
    const { pluginDownloadURL, ...rest } = JSON.parse(sdkSchema(text)) as Readonly<Record<string, unknown>>;
    assert.deepEqual(rest, JSON.parse(text));
    assert.equal(pluginDownloadURL, "git://github.com/pulumi-swarm/pulumi-swarm/plugin");
  });
});

describe("the tag of the Go package", () => {
  let folder = "";
  const person = Object.fromEntries(
    ["AUTHOR", "COMMITTER"].flatMap((who) => [
      [`GIT_${who}_NAME`, "test"],
      [`GIT_${who}_EMAIL`, "test@example.org"],
    ]),
  );
  const git = (...args: readonly string[]): string =>
    execFileSync("git", args, { cwd: folder, encoding: "utf8", env: { ...process.env, ...person } }).trim();
  const tag = () =>
    spawnSync(join(root, "tools", "release", "tag-go.sh"), ["0.2.0"], { cwd: folder, encoding: "utf8", env: { ...process.env, ...person } });
  const write = (file: string): void => writeFileSync(join(folder, file), `${file}\n`);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-tag-"));
    git("init", "--quiet", "--initial-branch", "main");
    write("LICENSE");
    writeFileSync(join(folder, ".gitignore"), "sdk/\n");
    git("add", ".");
    git("commit", "--quiet", "-m", "first");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is on a commit after the release's, with the package in it, though git ignores it", () => {
    mkdirSync(join(folder, "sdk", "go", "swarm"), { recursive: true });
    for (const file of ["sdk/go/go.mod", "sdk/go/go.sum", "sdk/go/swarm/cluster.go", "sdk/other"]) write(file);
    assert.equal(tag().stdout, "sdk/go/v0.2.0\n");
    assert.deepEqual(git("ls-tree", "-r", "--name-only", "sdk/go/v0.2.0").split("\n"), [
      ".gitignore",
      "LICENSE",
      "sdk/go/go.mod",
      "sdk/go/go.sum",
      "sdk/go/swarm/cluster.go",
    ]);
    assert.equal(git("rev-parse", "sdk/go/v0.2.0^"), git("rev-parse", "HEAD"));
  });

  it("changes neither the branch nor what is staged", () => {
    mkdirSync(join(folder, "sdk", "go"), { recursive: true });
    write("sdk/go/go.mod");
    const before = git("rev-parse", "HEAD");
    assert.equal(tag().status, 0);
    assert.deepEqual([git("rev-parse", "main"), git("status", "--porcelain"), git("branch", "--show-current")], [before, "", "main"]);
  });

  it("is refused without a package, and says how it is written", () => {
    const { status, stderr } = tag();
    assert.equal(status, 1);
    assert.match(stderr, /There is no sdk\/go\/go\.mod\. Fix: write the package first: pulumi package gen-sdk/);
    assert.equal(git("tag"), "");
  });
});
