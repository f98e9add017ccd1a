import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forget, type Holder, keep, recall } from "../../components/memory";
import { open, seal } from "../../components/memory/seal";
import { scriptInput } from "../../components/remote/script";

const key = randomBytes(32).toString("base64url");
const place = { name: "prod", key };

/** Runs the script itself, in a folder of the test's own. */
class Host implements Holder {
  readonly folder = mkdtempSync(join(tmpdir(), "memory-"));
  readonly kept = join(this.folder, "etc");
  readonly session = {
    script: <Result>(text: string, values: Readonly<Record<string, string>>, { verb }: { readonly verb: string }): Promise<Result> => {
      const input = scriptInput(text.replaceAll("/etc/pulumi-swarm", this.kept), verb, values);
      const { stdout, stderr, status } = spawnSync("sh", ["-s"], { input, encoding: "utf8" });
      if (status !== 0) return Promise.reject(new Error(`${this.key}: ${stderr.trim()}`));
      return Promise.resolve(JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Result);
    },
  };

  constructor(readonly key: string) {}
}

const thousand = Object.fromEntries(
  Array.from({ length: 1000 }, (_, place) => [
    `edge-${place + 1}`,
    {
      address: `10.0.${place >> 8}.${place & 255}`,
      nodeId: randomBytes(15).toString("hex").slice(0, 25),
      publicKey: randomBytes(32).toString("base64"),
      connection: {
        host: `10.0.${place >> 8}.${place & 255}`,
        hostKey: `ssh-ed25519 ${randomBytes(51).toString("base64")}`,
        privateKey: key.repeat(60),
      },
    },
  ]),
);

describe("what is remembered of hosts on a few of them", () => {
  let hosts: Host[];
  beforeEach(() => (hosts = ["control-1", "control-2", "control-3"].map((name) => new Host(name))));
  afterEach(() => hosts.forEach(({ folder }) => rmSync(folder, { recursive: true })));

  it("comes back as it was, for a thousand hosts, and can be read by nobody without the key", async () => {
    const memory = { generation: 1, hosts: thousand };
    assert.deepEqual(await keep(hosts, place, memory), []);
    assert.deepEqual(await recall(hosts, place), memory);
    assert.equal(await recall(hosts, { ...place, key: randomBytes(32).toString("base64url") }), undefined);
    for (const { kept } of hosts) {
      const file = join(kept, "memory.prod");
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.ok(statSync(file).size < 400_000, "a key that all hosts share counts once");
      assert.ok(!readFileSync(file, "utf8").includes("edge-1"));
      assert.deepEqual(readdirSync(kept), ["memory.prod"]);
    }
  });

  it("is the newest that any of them has, whatever the others have", async () => {
    const [first, second, third] = hosts as [Host, Host, Host];
    await keep([first, second], place, { generation: 1 });
    await keep([second], place, { generation: 2 });
    writeFileSync(join(first.kept, "memory.prod"), 'not sealed at all"}');
    assert.deepEqual(await recall([third, first, second], place), { generation: 2 });
    assert.equal(await recall([third, first], place), undefined);
  });

  it("is gone without a trace when it is forgotten, also the second time", async () => {
    await keep(hosts, place, { generation: 1 });
    for (let time = 0; time < 2; time++) await forget(hosts, place, assert.fail);
    for (const { folder } of hosts) assert.deepEqual(readdirSync(folder), []);
  });

  it("stays where it is of another cluster of the same name, which has another key", async () => {
    await keep(hosts, place, { generation: 1 });
    await forget(hosts, { ...place, key: randomBytes(32).toString("base64url") }, () => assert.fail());
    assert.deepEqual(await recall(hosts, place), { generation: 1 });
  });

  it("ends the run where it can be kept on none of them, before anything is changed, and names the rest otherwise", async () => {
    const [first, ...others] = hosts as [Host, ...Host[]];
    writeFileSync(first.kept, "no folder");
    await assert.rejects(
      keep([first], place, { generation: 1 }),
      /^Error: what is known of the hosts could be kept on none of them, so nothing more is done:\n {2}- control-1: /,
    );
    assert.deepEqual(
      (await keep(hosts, place, { generation: 1 })).map(({ host }) => host),
      ["control-1"],
    );
    assert.deepEqual(await recall(others, place), { generation: 1 });
  });

  it("does not open under another name, nor when a bit of it was changed", () => {
    const sealed = seal({ generation: 1 }, key, "prod");
    assert.deepEqual(open(sealed, key, "prod"), { generation: 1 });
    assert.equal(open(sealed, key, "dev"), undefined);
    const bytes = Buffer.from(sealed, "base64");
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    assert.equal(open(bytes.toString("base64"), key, "prod"), undefined);
  });
});
