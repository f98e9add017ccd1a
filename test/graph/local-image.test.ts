import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster } from "../../components";
import * as local from "../../components/hosts/local";
import { withHostImage } from "../../components/hosts/local/image-hook";
import { record, type RecordOptions } from "./harness";

const container = "docker:index/container:Container";

/** Plays Docker's client: it has the image once it was built, or never. */
const fakeDocker = `#!/bin/sh
printf '%s\\n' "$1" >> "$FAKE/calls"
case $1 in
  image) [ -e "$FAKE/image" ] || { echo "Error: No such image: $5" >&2; exit 1; } ;;
  build) sleep 0.2; [ -e "$FAKE/broken" ] && { echo no registry; exit 1; }; : > "$FAKE/image" ;;
esac
`;

describe("local hosts and their image", function () {
  this.timeout(30_000);
  const path = process.env["PATH"];
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-docker-"));
    writeFileSync(join(folder, "docker"), fakeDocker);
    chmodSync(join(folder, "docker"), 0o755);
    Object.assign(process.env, { FAKE: folder, PATH: [folder, path].join(delimiter) });
  });
  afterEach(() => {
    Object.assign(process.env, { PATH: path });
    delete process.env["FAKE"];
    rmSync(folder, { recursive: true, force: true });
  });
  const calls = (): string[] => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");

  /** What an engine calls before it makes each of three hosts, all at once. */
  async function beforeThreeHosts(options: RecordOptions): Promise<PromiseSettledResult<void>[]> {
    let hooks: pulumi.ResourceHook[] = [];
    let results: Promise<PromiseSettledResult<void>[]> = Promise.resolve([]);
    await record(
      () => {
        const made = new Map<string, unknown>();
        const shared = <T>(key: string, make: () => T): T => {
          if (!made.has(key)) made.set(key, make());
          return made.get(key) as T;
        };
        const parent = new pulumi.ComponentResource("test:index:Parent", "lab");
        const of = (): pulumi.ResourceHook => withHostImage({ cluster: "lab", parent, shared }).hooks?.beforeCreate?.[0] as pulumi.ResourceHook;
        hooks = [of(), of(), of()];
        results = Promise.allSettled(hooks.map(async ({ callback }) => callback({} as pulumi.ResourceHookArgs)));
      },
      { hooks: true, ...options },
    );
    assert.equal(new Set(hooks).size, 1, "one hook by one name, for all hosts of a cluster");
    return results;
  }

  it("have a hook before they are made, where an engine calls it and the image is ours, and no resource for it", async () => {
    const hooksOf = async (args: Partial<local.LocalHostsArgs>, options: RecordOptions): Promise<[unknown, readonly string[]]> => {
      const control = local.hosts({ role: "manager", ...args });
      const { resources, error } = await record(() => void new SwarmCluster("lab", { hosts: { control } }), options);
      assert.equal(error, undefined);
      const host = resources.find(({ type }) => type === container);
      return [host?.hooks?.beforeCreate, resources.map(({ type, name }) => `${type} ${name}`)];
    };
    const [none, plain] = await hooksOf({}, {});
    const [ours, withHook] = await hooksOf({}, { hooks: true });
    assert.deepEqual([none, ours], [undefined, ["lab-local image before a host is made"]]);
    assert.deepEqual(withHook, plain);
    assert.deepEqual((await hooksOf({ image: "registry.example/host:1" }, { hooks: true }))[0], undefined, "an image of the user's own");
  });

  it("wait for it together, and it is built once", async () => {
    const results = await beforeThreeHosts({});
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "fulfilled", "fulfilled"],
    );
    assert.deepEqual(calls(), ["image", "build"]);
  });

  it("only ask for it where it is there", async () => {
    writeFileSync(join(folder, "image"), "");
    await beforeThreeHosts({});
    assert.deepEqual(calls(), ["image"]);
  });

  it("build nothing in a preview, and fail none", async () => {
    const results = await beforeThreeHosts({ preview: true });
    assert.ok(results.every(({ status }) => status === "fulfilled"));
    assert.deepEqual(calls(), ["image"]);
  });

  it("are not made where it cannot be made", async () => {
    writeFileSync(join(folder, "broken"), "");
    const results = await beforeThreeHosts({});
    const reasons = results.map((result) => (result.status === "rejected" ? String(result.reason) : "made"));
    assert.deepEqual(new Set(reasons), new Set(["Error: no host is made without its image; the error of the cluster says what is wrong"]));
  });
});
