import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const guard = join(__dirname, "../../components/firewall/guard.sh");

/**
 * Tells EVENTS as `nft monitor` does; `rules` is what is loaded. To it as to nft 1.1, `destroy` is a word of its own. With a file
 * `flush`, somebody flushes all rules right after the next load.
 */
const nft = `#!/bin/sh
cd "$(dirname "$0")"
echo "$1" >>asked
case "$1" in
  monitor) if [ "$2" = destroy ]; then echo "Error: syntax error, unexpected destroy" >&2; exit 1; fi; . ./events ;;
  -s) [ ! -e rules ] || cat rules ;;
  -f) cp "$2" rules; if [ -e flush ]; then rm flush rules; fi ;;
  list) [ -e rules ] ;;
esac
`;

/** What the guard asked of nft while it was told of the events, a word of shell each, and what is loaded afterwards. */
async function watch(events: string): Promise<{ looks: number; loads: number; rules: string; said: string }> {
  const folder = await mkdtemp(join(tmpdir(), "pulumi-swarm-guard-"));
  try {
    const inFolder = (file: string): string => join(folder, file);
    await copyFile(guard, inFolder("guard"));
    await writeFile(inFolder("nft"), nft, { mode: 0o755 });
    await writeFile(inFolder("firewall.nft"), "ours\n");
    await writeFile(inFolder("rules"), "ours\n");
    await writeFile(inFolder("events"), `exec 2>/dev/null\n${events}\n`);
    // Of what is listed, as the confirming run left it.
    const env = { PATH: `${folder}:${process.env["PATH"] ?? ""}` };
    await promisify(execFile)("sh", ["-c", "nft -s list | sha256sum >firewall.loaded"], { cwd: folder, env });
    await rm(inFolder("asked"));
    const { stdout } = await promisify(execFile)("sh", [inFolder("guard"), "watch"], { env, timeout: 15_000 });
    const asked = (await readFile(inFolder("asked"), "utf8")).split("\n");
    const count = (what: string): number => asked.filter((one) => one === what).length;
    return { looks: count("-s"), loads: count("-f"), rules: await readFile(inFolder("rules"), "utf8"), said: stdout };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const event = "echo 'delete rule inet pulumi_swarm input handle 7'";
const manyEvents = `seq 300 | sed 's/.*/delete rule inet pulumi_swarm input handle &/'`;

describe("the guard of a host's rules", function () {
  this.timeout(20_000);
  // Each mostly waits, so they run beside each other.
  let runs: Record<"burst" | "others" | "removed" | "added" | "flushed" | "newer", ReturnType<typeof watch>>;
  before(() => {
    runs = {
      burst: watch(`sleep 1.5; ${manyEvents}; sleep 1`),
      others: watch("sleep 1.5; echo 'delete rule ip nat DOCKER handle 4'; sleep 1"),
      removed: watch(`sleep 1.5; ${manyEvents}; sleep 0.7; rm rules; ${event}; sleep 1; echo other >rules; ${event}; sleep 1`),
      added: watch("sleep 1.5; echo more >>rules; echo 'add rule inet pulumi_swarm input tcp dport 81 accept'; sleep 1"),
      flushed: watch(`sleep 1.5; touch flush; rm rules; ${event}; ${event}; sleep 1.5; ${event}; sleep 1`),
      newer: watch(`echo other >firewall.loaded; sleep 1.5; ${event}; sleep 1; rm rules; ${event}; sleep 1`),
    };
  });

  it("looks once at what is told in hundreds of lines, and loads nothing where all is there", async () => {
    const { looks, loads, said } = await runs.burst;
    assert.ok(looks <= 3, `it asked nft ${looks} times`);
    assert.deepEqual({ loads, said }, { loads: 0, said: "" });
  });

  it("does not look where somebody else's rules change", async () => {
    assert.equal((await runs.others).looks, 1);
  });

  it("does not take for whole what somebody flushed right after it was loaded, as a restart of nftables.service does", async () => {
    assert.equal((await runs.flushed).rules, "ours\n");
  });

  it("takes for whole what is listed in other words than when it was confirmed, as by a newer nft", async () => {
    const { loads, rules } = await runs.newer;
    assert.equal(rules, "ours\n");
    assert.ok(loads <= 4, `${loads} loads`);
  });

  it("loads rules to which somebody adds one of their own", async () => {
    const { loads, rules } = await runs.added;
    assert.deepEqual({ loads, rules }, { loads: 1, rules: "ours\n" });
  });

  it("loads rules that are taken away, also right after others were", async () => {
    const { loads, rules, said } = await runs.removed;
    assert.equal(loads, 2);
    assert.equal(rules, "ours\n");
    assert.match(said, /^somebody changed or removed the rules of this host: loading them again$/m);
  });
});
