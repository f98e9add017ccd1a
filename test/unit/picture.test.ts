import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { extentOf, type Box } from "../../components/picture/layout";
import { mermaid } from "../../components/picture/mermaid";
import { type Page, pageOf } from "../../components/picture/page";
import { type Scene, sceneOf } from "../../components/picture/scene";
import { nothingOf } from "../../components/topology/topology";
import { svg } from "../../components/picture/svg";
import type { Topology } from "../../components/topology/topology";
import { demo, edit, hybrid, named, sixty, ways } from "./clusters-to-draw";
import { textsIn, wellFormed } from "./xml";

/** Pictures that pages show are those that are checked. */
const pages = join(__dirname, "..", "..", "docs", "pictures");
const golden = join(__dirname, "golden", "pictures");
const edited = edit();
const drawn: Readonly<Record<string, readonly [after: Topology, before?: Topology]>> = {
  demo: [demo()],
  hybrid: [edited.before],
  sixty: [sixty()],
  edit: [edited.after, edited.before],
  ways: [ways(true), ways()],
};
/** Planned once: tests of one file share it. */
const [demoCluster, hybridCluster] = [drawn["demo"]?.[0], drawn["hybrid"]?.[0]] as [Topology, Topology];
/** Names that want to be something else: markup, a script, the end of a label, a directive, a line, another direction. */
const malicious = [
  "</text><script>alert(1)</script>",
  'a"] --> b["<img src=x onerror=1>',
  "%%{init: {'theme': 'x'}}%%",
  "```\nend\n# heading",
  "\u202Egnp.exe\u0000\uFFFE\uD800",
  "&lt;#quot;",
  "x".repeat(300),
  "名前".repeat(60),
  "🐳".repeat(40),
];

function assertFits({ boxes, texts, width, height }: Page): void {
  const all = [...boxes.flatMap((box) => box.texts.map((text) => ({ text, within: box }))), ...texts.map((text) => ({ text, within: undefined }))];
  const extents = all.map(({ text, within }) => ({ text: text.text, within, ...extentOf(text) })).sort((a, b) => a.y - b.y);
  for (const { text, within, x, y, width: long, height: high } of extents) {
    const frame = within ?? { x: 0, y: 0, width, height };
    assert.ok(x >= frame.x && x + long <= frame.x + frame.width && y >= frame.y && y + high <= frame.y + frame.height, `"${text}" leaves its box`);
  }
  extents.forEach((one, index) => {
    for (const other of extents.slice(index + 1)) {
      if (other.y >= one.y + one.height) break;
      assert.ok(one.x >= other.x + other.width || other.x >= one.x + one.width, `"${one.text}" lies on "${other.text}"`);
    }
  });
  for (const box of boxes) assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= width + 0.01 && box.y + box.height <= height, "a box is cut");
}

/** Two boxes lie side by side, or one within the other. */
function assertNested(boxes: readonly Box[]): void {
  const inside = (a: Box, b: Box): boolean => a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width + 0.01 && a.y + a.height <= b.y + b.height;
  const apart = (a: Box, b: Box): boolean =>
    a.x + a.width <= b.x + 0.01 || b.x + b.width <= a.x + 0.01 || a.y + a.height <= b.y || b.y + b.height <= a.y;
  boxes.forEach((one, index) => {
    for (const other of boxes.slice(index + 1)) assert.ok(apart(one, other) || inside(one, other) || inside(other, one), "two boxes cross");
  });
}

function shown({ boxes }: Page, ...kinds: readonly string[]): string[] {
  return boxes.flatMap(({ piece }) => (piece && kinds.includes(piece.kind) ? [piece.id] : [])).sort();
}

describe("a picture of a cluster", () => {
  for (const [name, [after, before]] of Object.entries(drawn)) {
    const page = pageOf(sceneOf(after, before));

    for (const [form, draw] of Object.entries({ svg, mmd: mermaid })) {
      it(`is for ${name} the ${form} that was looked at`, () => {
        const file = form === "svg" && !["sixty", "ways"].includes(name) ? join(pages, `cluster-${name}.svg`) : join(golden, `${name}.${form}`);
        const text = draw(after, before);
        if (process.env["UPDATE_GOLDEN"] !== undefined) {
          mkdirSync(golden, { recursive: true });
          writeFileSync(file, text);
        }
        assert.equal(text, readFileSync(file, "utf8"), `look at it, then UPDATE_GOLDEN=1 writes ${file}`);
      });
    }

    it(`has for ${name} no text on another, none that leaves its box, and no box that crosses one`, () => {
      assertFits(page);
      assertNested(page.boxes);
    });

    it(`names for ${name} each host, network, rule, way and channel once`, () => {
      const keys = (of: (topology: Topology) => readonly string[]): string[] => [...new Set([...of(after), ...(before ? of(before) : [])])].sort();
      assert.deepEqual(
        shown(page, "manager", "worker"),
        keys(({ hosts }) => hosts.map(({ key }) => key)),
      );
      assert.deepEqual(
        shown(page, "network", "internal"),
        keys(({ networks }) => networks.map((network) => network.name)),
      );
      assert.deepEqual(
        shown(page, "opening", "world", "rule"),
        keys(({ rules, policies, gateways, peers, trunks }) => [
          ...rules.map((rule) => rule.name),
          ...policies.map((policy) => `policy ${policy.name}`),
          ...gateways.map((gateway) => `gateway ${gateway.name}`),
          ...peers.map((peer) => `router ${peer.name}`),
          ...trunks.map((trunk) => `trunk ${trunk.name}`),
        ]),
      );
      const channels = page.boxes.filter(({ look, piece }) => look[0] !== "band" && (piece?.kind === "protected" || piece?.kind === "bare"));
      assert.deepEqual(
        channels.map(({ piece }) => piece?.id).sort(),
        keys(({ encryption }) => encryption.map(({ channel }) => channel)),
      );
    });
  }

  it("is well-formed XML without scripts, and says itself what it is", () => {
    for (const [after, before] of Object.values(drawn)) {
      const text = svg(after, before);
      wellFormed(text);
      assert.doesNotMatch(text, /<script|<foreignObject|href|url\(|@import|\son\w+=/);
      assert.match(text, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="[-0-9. ]+" role="img" aria-labelledby="title desc">/);
      assert.match(text, /prefers-color-scheme: dark/);
    }
  });

  it("shows names that want to be markup as names, cut where they are too long, and whole to who points at them", () => {
    const evil = named(malicious);
    const text = svg(evil, demoCluster);
    wellFormed(text);
    assertFits(pageOf(sceneOf(evil, demoCluster)));
    assert.ok(!text.includes("<script>") && !text.includes("\u202E") && !text.includes("\u0000") && !text.includes("\uD800"));
    const texts = textsIn(text);
    assert.ok(
      texts.some((each) => /^\+ &lt;\/text&gt;&lt;script.*…$/.test(each)),
      texts.join("\n"),
    );
    assert.ok(texts.every((each) => [...each].length < 200));
    assert.ok(text.includes(`<title>${"x".repeat(300)}: `));
  });

  it("marks what an edit adds, changes and takes away, and only that", () => {
    const { boxes } = pageOf(sceneOf(edited.after, edited.before));
    const marked = boxes.flatMap(({ piece, look }) => (piece && piece.change !== "same" ? [`${piece.change} ${piece.id} ${look.at(-1)}`] : []));
    assert.deepEqual(marked.sort(), [
      "changed ping changed",
      "changed raft log changed",
      "changed ssh changed",
      "gone db gone",
      "gone edge-hetzner-2 gone",
      "new edge-aws-3 new",
      "new postgres new",
      "new queue new",
    ]);
    const tip = boxes.find(({ piece }) => piece?.id === "ssh")?.tip;
    assert.match(
      tip ?? "",
      /^ssh: 22\/tcp on all hosts from 203\.0\.113\.0\/24, 198\.51\.100\.0\/24.* \(was: ssh: 22\/tcp on all hosts from 203\.0\.113\.0\/24, /,
    );
  });

  it("has room for whatever number of hosts, sites and networks, and whatever they are called", () => {
    const name = fc.string({ minLength: 1, maxLength: 40 });
    const [host, network] = [demoCluster.hosts[0], demoCluster.networks[0]] as [Topology["hosts"][number], Topology["networks"][number]];
    const hosts = fc.array(fc.record({ name, manager: fc.boolean(), site: fc.integer({ min: 1, max: 6 }) }), { maxLength: 40 });
    const clusters = fc.record({ hosts, networks: fc.array(name, { maxLength: 9 }) }).map((cluster): Topology => ({
      ...demoCluster,
      hosts: cluster.hosts.map((each) => ({ ...host, key: each.name, role: each.manager ? "manager" : "worker", site: `site ${each.site}` })),
      networks: cluster.networks.map((each) => ({ ...network, name: each })),
    }));
    fc.assert(
      fc.property(clusters, clusters, (before, after) => {
        const page = pageOf(sceneOf(after, before));
        assertFits(page);
        assertNested(page.boxes);
      }),
      { numRuns: 10 },
    );
  });

  it("says that nothing changes where nothing does", () => {
    const texts = pageOf(sceneOf(demoCluster, demoCluster)).boxes.flatMap((box) => box.texts.map(({ text }) => text));
    assert.ok(texts.includes("nothing of this changes"));
    assert.ok(!texts.some((text) => /^[+~−] /.test(text)));
  });

  it("shows a cluster that comes or goes as a whole", () => {
    const nothing = nothingOf(demoCluster);
    for (const [change, says, scene] of [
      ["new", "all of it is new", sceneOf(demoCluster, nothing)],
      ["gone", "all of it goes", sceneOf(nothing, demoCluster)],
    ] as const) {
      assertFits(pageOf(scene));
      assert.equal(scene.facts, `3 managers · quorum 2 of 3 · 1 site · addresses 10.96.0.0/14 · ${says}`);
      assert.ok(pageOf(scene).boxes.every(({ piece }) => piece === undefined || piece.change === change));
    }
    assert.equal(svg(nothing).match(/<rect/g)?.length, 1, "nothing is a page alone");
    assert.match(mermaid(nothing), /^flowchart TB\n/);
  });

  it("shows hosts without an overlay, such as those of a firewall alone", () => {
    const { overlay: _overlay, ...rest } = demoCluster;
    const alone: Topology = { ...rest, overlay: "none", mtu: 0, addressSpace: "", networks: [], encryption: [] };
    const scene = sceneOf(alone);
    assert.equal(scene.overlay, undefined);
    assert.equal(scene.title, 'Hosts of "demo"');
    assert.equal(scene.facts, "3 managers · quorum 2 of 3 · 1 site");
    assertFits(pageOf(scene));
    assert.doesNotMatch(mermaid(alone), /overlay\[|kept/);
  });
});

describe("what a picture says", () => {
  const openings = (topology: Topology): string[] => sceneOf(topology).openings.map(({ kind, name, says }) => `${kind}: ${name}: ${says}`);
  const withRule = (from: readonly string[], more: object = {}): Topology => {
    const topology = demoCluster;
    return { ...topology, rules: topology.rules.flatMap((rule) => (rule.name === "ping" ? [{ ...rule, from, ...more }] : [])) };
  };

  it("is the world, however it is written", () => {
    for (const world of [["world"], ["0.0.0.0/0"], ["::/0"], ["0.0.0.0/1", "128.0.0.0/1"]])
      assert.deepEqual(openings(withRule(["members", ...world])), ["world: icmp ping: from the world"]);
  });

  it("is one address without the length of its prefix, and how many more there are", () => {
    assert.deepEqual(openings(withRule(["198.51.100.7/32", "members"])), ["opening: icmp ping: from 198.51.100.7"]);
    assert.deepEqual(openings(withRule(["198.51.100.0/24", "192.0.2.0/24", "2001:db8::1/128"], { to: "workers" })), [
      "opening: icmp ping: workers from 198.51.100.0/24 and 2 more",
    ]);
    assert.deepEqual(openings(withRule(["members"])), []);
  });

  it("is that a tunnel is open to addresses that nobody knows, where there may be such", () => {
    const topology = hybridCluster;
    assert.deepEqual(
      openings(topology).filter((text) => text.includes("wireguard")),
      [],
    );
    const hidden = { ...topology, hosts: topology.hosts.map(({ publicAddress: _address, ...host }) => host) };
    assert.deepEqual(
      openings(hidden).filter((text) => text.includes("wireguard")),
      ["opening: 51820/udp wireguard: from members, wherever they are"],
    );
  });

  it("is whether anything is dropped at all", () => {
    const { enforced: _enforced, ...unknown } = demoCluster;
    assert.equal(sceneOf(demoCluster).closed, "Every host drops all else.");
    assert.equal(
      sceneOf({ ...demoCluster, enforced: "none" }).closed,
      "The hosts themselves drop nothing: all else is as your own firewall lets it.",
    );
    assert.equal(sceneOf(unknown).closed, "");
  });

  it("is that an address is not known before its machine is made, or is a secret", () => {
    const [first] = demoCluster.hosts;
    const says = (address: unknown): string | undefined =>
      sceneOf({ ...demoCluster, hosts: [{ ...first, address } as Topology["hosts"][number]] }).sites[0]?.roles[0]?.hosts[0]?.says;
    assert.equal(says(undefined), "address known only when made");
    assert.equal(says("04da6b54-80e4-46f7-96ec-b56ff0331ba9"), "known only when made");
    assert.equal(says({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "x" }), "[secret]");
  });

  it("is that data is protected from now on, or no longer", () => {
    const { before, after } = edited;
    const raft = (scene: Scene): string | undefined => scene.channels.find(({ id }) => id === "raft log")?.says;
    assert.equal(raft(sceneOf(after, before)), "now protected");
    assert.equal(raft(sceneOf(before, after)), "no longer protected");
  });
});

describe("a diagram of a cluster", () => {
  it("shows many hosts of a group as one, and those that an edit touches as they are", () => {
    const [before, more] = [drawn["sixty"]?.[0], sixty(58)];
    const lines = mermaid(more, before)
      .split("\n")
      .filter((line) => line.includes("host_"));
    assert.deepEqual(
      lines.map((line) => line.trim()),
      [
        'host_control_1["control-1<br/>manager · 10.213.138.1"]:::manager',
        'host_control_2["control-2<br/>manager · 10.213.138.2"]:::manager',
        'host_control_3["control-3<br/>manager · 10.213.138.3"]:::manager',
        'host_edge_all["edge 1–57<br/>57 workers"]:::worker',
        'host_edge_58["+ edge-58<br/>worker · 10.213.15.58"]:::new',
      ],
    );
  });

  it("names the places of hosts that have no numbers, and gaps in those that have", () => {
    const of = (places: readonly (string | number)[]): string => {
      const [first] = demoCluster.hosts;
      const hosts = places.map((place) => ({ ...first, key: `rack-${place}`, group: "rack" }) as Topology["hosts"][number]);
      return /host_rack_all\["([^<]*)/.exec(mermaid({ ...demoCluster, hosts }))?.[1] ?? "";
    };
    assert.equal(of([1, 2, 3, 5, 7, 8, 9, 10, 11]), "rack 1–3, 5, 7–11");
    assert.equal(of([1, 2, 3, 4, 5, 6, 7, "a", "b"]), "rack 1–7, a, b");
  });

  it("writes names that want to be markup by their signs' numbers", () => {
    const text = mermaid(named(malicious));
    for (const line of text.split("\n").filter((each) => each.includes('["'))) {
      assert.match(line, /^ +(subgraph )?\w+\["[^"<>`%{}]*(<br\/>[^"<>`%{}]*)?"\](:::\w+)?$/);
    }
    assert.ok(!text.includes("```") && !text.includes("%%"));
    const ids = [...text.matchAll(/^ +(?:subgraph )?(\w+)\["/gm)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length, "two things have one identifier");
  });

  it("changes in no other line when a host comes", () => {
    const lines = (topology: Topology): string[] => mermaid(topology).split("\n");
    const [before, after] = [lines(hybridCluster), lines(hybrid({ awsWorkers: 3 }))];
    assert.deepEqual(
      before.filter((line) => !after.includes(line)),
      ["  accDescr: 3 managers · quorum 2 of 3 · 4 workers · 3 sites · addresses 10.96.0.0/14"],
    );
    assert.equal(after.length, before.length + 1);
  });
});
