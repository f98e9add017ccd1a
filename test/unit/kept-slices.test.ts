import assert from "node:assert/strict";
import * as fc from "fast-check";
import { Cidr } from "../../components/addresses/cidr";
import type { SwarmClusterArgs } from "../../components/cluster/args";
import { keepSlices } from "../../components/cluster/kept-slices";
import { planCluster } from "../../components/cluster/plan";
import type { Planned } from "../../components/cluster/planned";
import * as local from "../../components/hosts/local";
import type { NetworkArgs } from "../../components/networks/args";
import { calico } from "../../components/overlays/calico";
import { flannel } from "../../components/overlays/flannel";

const hosts = { control: local.hosts({ role: "manager" }) };
const template = Cidr.parse("0.0.0.0/24") as Cidr;
const own = Cidr.parse("0.0.0.224/27") as Cidr;

type Networks = Readonly<Record<string, NetworkArgs>>;

/** As the state holds it: a slice that is there stays remembered, one of a network that is gone is forgotten. */
type State = ReadonlyMap<string, string>;

const argsOf = (networks: Networks, more: Partial<SwarmClusterArgs> = {}): SwarmClusterArgs => ({ hosts, overlay: flannel(), networks, ...more });

function placesOf({ plan }: Planned): Map<string, string> {
  return new Map(plan.networks.flatMap(({ name, slice }) => (slice === undefined ? [] : [[name, slice]])));
}

/** What an `up` of these networks does: refuses, or leaves a state behind. */
function up(state: State, args: SwarmClusterArgs): Planned & { readonly state: State } {
  const planned = planCluster(args);
  if (planned.problems.length > 0) return { ...planned, state };
  const known = Object.fromEntries([...state].filter(([name]) => name in (args.networks ?? {})).map(([name, slice]) => [`slice ${name}`, slice]));
  const kept = keepSlices(args, planned.plan, known);
  return { ...kept, state: kept.problems.length > 0 ? state : placesOf(kept) };
}

function hasRoom(prefix: number, state: State): boolean {
  const used = [own, ...[...state.values()].map((slice) => Cidr.parse(slice) as Cidr)];
  return Array.from({ length: template.count(prefix) }, (_, place) => template.subnet(prefix, place)).some(
    (free) => !used.some((block) => block.overlaps(free)),
  );
}

const said = ({ problems }: Pick<Planned, "problems">): string[] => problems.map(({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}.`);

describe("networks of an overlay that routes, as they come and go", () => {
  const names = fc.constantFrom(...Array.from({ length: 14 }, (_, index) => `net${index}`), "web", "db", "cache", "queue");
  const step = fc.record({ name: names, prefix: fc.constantFrom(undefined, undefined, 26, 27, 28, 29) });

  for (const [kind, overlay] of Object.entries({ flannel: flannel(), calico: calico() })) {
    it(`neither collide nor move while there is room, and else one line says so: ${kind}`, () => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 3, maxLength: 14 }), (steps) => {
          let networks: Networks = {};
          let state: State = new Map();
          for (const { name, prefix } of steps) {
            if (name in networks) {
              const { [name]: _gone, ...rest } = networks;
              networks = rest;
              const { state: left, ...less } = up(state, argsOf(networks, { overlay }));
              assert.deepEqual(said(less), [], `without ${name}`);
              for (const [network, slice] of left) assert.equal(slice, state.get(network), `${network} moved when ${name} went`);
              state = left;
              continue;
            }
            const more = { ...networks, [name]: prefix === undefined ? {} : { prefix } };
            const tried = up(state, argsOf(more, { overlay }));
            if (!hasRoom(prefix ?? 26, state)) {
              assert.equal(said(tried).length, 1, said(tried).join("\n"));
              assert.match(said(tried)[0] ?? "", /^networks: each host's subnet, a \/24, has no slice left for/);
              continue;
            }
            assert.deepEqual(said(tried), [], `with ${name}`);
            for (const [network, slice] of state) assert.equal(tried.state.get(network), slice, `${network} moved when ${name} came`);
            const blocks = [own, ...[...tried.state.values()].map((slice) => Cidr.parse(slice) as Cidr)].sort((one, other) => one.compare(other));
            blocks.slice(1).forEach((block, index) => assert.ok(!blocks[index]?.overlaps(block), `${block} overlaps ${blocks[index]}`));
            [networks, state] = [more, tried.state];
          }
        }),
        { numRuns: 60 },
      );
    });
  }

  /** Found by trying: both names fall on one slice. */
  const first = argsOf({ net6: {} });
  const both = argsOf({ net6: {}, net0: {} });

  it("puts a new network beside the one that has its place by name, and says nothing of it", () => {
    const alone = placesOf(planCluster(argsOf({ net0: {} }))).get("net0");
    const { state } = up(new Map(), first);
    assert.equal(state.get("net6"), alone);
    const after = up(state, both);
    assert.deepEqual(said(after), []);
    assert.equal(after.state.get("net6"), alone);
    assert.notEqual(after.state.get("net0"), alone);
    assert.deepEqual(up(after.state, argsOf({ net0: {} })).state, new Map([["net0", after.state.get("net0")]]));
    assert.ok(after.plan.subnets.every(({ pinned }) => !pinned));
  });

  it("says in one line how many fit, and what makes room, where there is none left", () => {
    const four = Object.fromEntries(["web", "db", "cache", "queue"].map((name) => [name, {}]));
    const tried = up(new Map(), argsOf(four));
    assert.deepEqual(said(tried), [
      "networks: each host's subnet, a /24, has no slice left for web: it holds 3 of a /26 beside the host's own network, and there are 4 networks. " +
        "Fix: give web prefix: 27, or in a new cluster set the overlay's hostPrefix: 23, which has room for all, or remove a network.",
    ]);
    // As it says.
    assert.deepEqual(said(up(new Map(), argsOf({ ...four, web: { prefix: 27 } }))), []);
    assert.deepEqual(said(up(new Map(), argsOf(four, { overlay: flannel({ hostPrefix: 23 }) }))), []);
  });

  it("says the same of what those that stay leave", () => {
    const { state } = up(new Map(), argsOf({ web: { prefix: 28 }, db: {} }));
    const moved = new Map([...state, ["web", "0.0.0.64/28"] as const, ["db", "0.0.0.128/26"] as const]);
    const tried = up(moved, argsOf({ web: { prefix: 28 }, db: {}, big: { prefix: 25 } }));
    assert.deepEqual(
      said(tried).map((line) => line.slice(0, line.indexOf(", or"))),
      [
        "networks: each host's subnet, a /24, has no slice left for big: it holds 1 of a /25 beside the host's own network, and there are 3 networks. " +
          "Fix: give big prefix: 26",
      ],
    );
  });

  it("refuses a pin on a network that stays, unless that one may move", () => {
    const { state } = up(new Map(), first);
    const slice = state.get("net6") ?? "";
    const networks = { net6: {}, other: { subnet: slice } };
    assert.deepEqual(said(up(state, argsOf(networks))), [
      `networks.other.subnet: ${slice} is in use by network net6. Fix: choose another one or leave it out, or let the other move by renumber: ["slice net6"].`,
    ]);
    const allowed = up(state, argsOf(networks, { renumber: ["slice net6"] }));
    assert.deepEqual(said(allowed), []);
    assert.notEqual(allowed.state.get("net6"), slice);
  });

  it("says where a network fits that an interrupted run remembers at another one's place", () => {
    const slice = up(new Map(), first).state.get("net6") ?? "";
    const torn = new Map([
      ["net6", slice],
      ["net0", slice],
    ]);
    const [line = "", ...more] = said(up(torn, both));
    assert.deepEqual(more, []);
    const [, free = ""] = /^networks\.net0\.subnet: \S+ is remembered for it, and network net6 has it\. Fix: set it to "(\S+)"\.$/.exec(line) ?? [];
    const mended = up(torn, argsOf({ net6: {}, net0: { subnet: free } }));
    assert.deepEqual(said(mended), []);
    assert.deepEqual(
      mended.state,
      new Map([
        ["net6", slice],
        ["net0", free],
      ]),
    );
  });

  it("refuses a network of each host's own in the place of one that stays, unless that one may move", () => {
    const without = { overlay: flannel({ bridge: false }) };
    const state = new Map([["web", "0.0.0.192/26"]]);
    assert.deepEqual(up(state, argsOf({ web: {} }, without)).state, state);
    assert.deepEqual(said(up(state, argsOf({ web: {} }))), [
      "overlay.bridge: each host's own network would have 0.0.0.224/27 of its subnet, and network web has 0.0.0.192/26 there. " +
        'Fix: set it to false, or let the network move by renumber: ["slice web"].',
    ]);
    assert.deepEqual(said(up(state, argsOf({ web: {} }, { renumber: ["slice web"] }))), []);
  });

  it("takes a slice that a smaller subnet of hosts does not have for one that moves", () => {
    const smaller = { overlay: flannel({ hostPrefix: 25, slicePrefix: 26 }) };
    const moved = up(new Map([["web", "0.0.0.128/26"]]), argsOf({ web: {} }, smaller));
    assert.deepEqual(said(moved), []);
    assert.equal(moved.state.get("web"), "0.0.0.0/26");
  });
});
