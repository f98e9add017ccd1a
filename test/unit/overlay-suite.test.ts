import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { planCluster } from "../../components/cluster/plan";
import * as local from "../../components/hosts/local";
import { overlayAgents } from "../../components/overlays/agents";
import { calico } from "../../components/overlays/calico";
import { flannel } from "../../components/overlays/flannel";
import { native } from "../../components/overlays/native";
import { openvswitch } from "../../components/overlays/openvswitch";
import { weave } from "../../components/overlays/weave";
import { partsOf } from "../../components/status/parts";
import { allChanges, overlays, turns } from "../lab/overlay-suite/all";
import { enginesTable } from "../lab/overlay-suite/page";
import { assertQuietFor, measured } from "../lab/overlay-suite/silence";

const log = (numbers: readonly number[]): string =>
  numbers.map((number) => `64 bytes from 10.99.0.2: icmp_seq=${number} ttl=64 time=0.1 ms`).join("\n");
const first = Array.from({ length: 30 }, (_, index) => index + 1);

describe("the suite of overlays", () => {
  it("describes each of them under its own name, with a port that no other has", () => {
    assert.deepEqual(Object.keys(overlays).sort(), Object.keys(overlayAgents).sort());
    for (const [kind, overlay] of Object.entries(overlays)) assert.equal(overlay.kind, kind);
    assert.equal(new Set(Object.values(overlays).map(({ port }) => port)).size, Object.keys(overlays).length);
  });

  it("knows by which word the status finds each program that does not run, and each wrong secret", () => {
    for (const { kind, daemons, secret } of Object.values(overlays)) {
      const words = partsOf({ overlay: kind }).flatMap((part) => Object.keys(part.kinds));
      const said = [...daemons, ...(secret ? [secret.forged] : [])].flatMap(({ finding }) => finding ?? []);
      assert.deepEqual(
        said.filter((word) => !words.includes(word)),
        [],
        kind,
      );
    }
  });

  it("has networks without a way out where the plan takes them, which names these overlays where it does not", () => {
    const chosen = { native, weave, flannel, calico, openvswitch };
    const able = Object.values(overlays).filter(({ internal }) => internal);
    for (const { kind, internal } of Object.values(overlays)) {
      const { problems } = planCluster({
        hosts: { control: local.hosts({ role: "manager", count: 3 }) },
        overlay: chosen[kind](),
        networks: { db: { internal: true } },
      });
      const said = problems.find(({ path }) => path === "networks.db.internal")?.fix;
      if (internal) assert.equal(said, undefined, kind);
      else for (const other of able) assert.ok(said?.includes(`${other.kind}()`), `${kind}: ${said} does not name ${other.kind}()`);
    }
  });

  it("has each of them in turn, once", () => {
    assert.deepEqual(turns.map(({ kind }) => kind).sort(), Object.keys(overlays).sort());
  });

  it("says on its page which Docker it was run on, as its files have it", () => {
    const lab = join(__dirname, "..", "lab");
    const files = readdirSync(lab).filter((name) => name.endsWith(".test.ts"));
    const table = enginesTable(files.map((name) => readFileSync(join(lab, name), "utf8")));
    const page = join(__dirname, "..", "..", "docs", "overlays.md");
    const text = readFileSync(page, "utf8");
    const wanted = text.replace(/(<!-- ran -->\n)[^]*(<!-- \/ran -->)/, (_, begin: string, end: string) => begin + table + end);
    if (process.env["UPDATE_GOLDEN"]) writeFileSync(page, wanted);
    assert.match(wanted, /<!-- \/ran -->/);
    assert.equal(readFileSync(page, "utf8"), wanted, "UPDATE_GOLDEN=1 writes the table");
    assert.match(enginesTable([]), /\| 29 \| [^|]+ \| not run \| not run \| not run \|\n$/, "without files nothing was run");
  });

  it("makes each change from one to another once, each from where the one before it ended", () => {
    for (const kinds of [
      ["a", "b"],
      ["a", "b", "c"],
      ["a", "b", "c", "d", "e"],
    ]) {
      const changes = allChanges(kinds);
      const all = kinds.flatMap((from) => kinds.filter((to) => to !== from).map((to) => `${from} to ${to}`));
      assert.deepEqual(changes.map(([from, to]) => `${from} to ${to}`).sort(), all.sort());
      for (const [index, [, to]] of changes.entries()) assert.equal(to, changes[(index + 1) % changes.length]?.[0]);
    }
  });

  it("counts what was lost between answers, however late they came, and not what was still on its way", () => {
    assert.deepEqual(measured(log([...first, 32, 31, 41, 42])), { sent: 42, lost: 8, longest: 0.16 });
    assert.deepEqual(measured(log(first)), { sent: 30, lost: 0, longest: 0 });
    assert.throws(() => measured(log([1, 2, 3])), /only 3 packets/);
  });

  it("takes a lost packet for a broken promise where none may be lost, and a short silence for none where one is allowed", () => {
    const silence = measured(log([...first, 41]));
    assert.throws(() => assertQuietFor("a test", silence, 0), /10 of 41 packets lost/);
    assert.throws(() => assertQuietFor("a test", silence, 0.1), /silent for 0\.2 s/);
    assertQuietFor("a test", silence, 0.5);
  });
});
