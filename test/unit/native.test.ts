import assert from "node:assert/strict";
import { native, type NativeArgs } from "../../components/overlays/native";
import type { OverlayContext } from "../../components/overlays/overlay";
import { swarmRules } from "../../components/membership/rules";
import * as site from "../../components/underlay/direct";
import * as mesh from "../../components/underlay/wireguard";

const direct = site.direct().plan({ sites: [], hosts: [] });
const wireguard = mesh.wireguard().plan({ sites: [], hosts: [] });
const one: OverlayContext = { sites: ["rack"], hosts: [], underlay: direct, behindNat: [] };
const two: OverlayContext = { sites: ["rack", "cloud"], hosts: [], underlay: direct, behindNat: ["cloud"] };
const said = (args: NativeArgs | undefined, context: OverlayContext): string[] =>
  native(args)
    .plan(context)
    .problems.map(({ path, message }) => `${path}: ${message}`);

describe("the native overlay", () => {
  it("lets VXLAN through between members, and nothing else", () => {
    const { rules, needs, serves, driver } = native().plan(one);
    assert.deepEqual(
      rules.map(({ reason: _reason, ...rule }) => rule),
      [{ name: "overlay-data", protocol: "udp", ports: ["4789"], from: ["members"], to: "members", over: "site", answers: "host" }],
    );
    assert.deepEqual(needs, { features: ["vxlan"] });
    assert.deepEqual([serves, driver], ["virtual address", "overlay"]);
  });

  it("asks for the port it was given, on the swarm and in the firewall", () => {
    const { rules, needs } = native({ dataPathPort: 7777 }).plan(one);
    assert.deepEqual(rules[0]?.ports, ["7777"]);
    assert.equal(needs.dataPathPort, 7777);
  });

  it("lets ESP through when encrypted, beside the VXLAN of the ingress network", () => {
    const { rules, needs } = native({ encrypted: true }).plan(one);
    assert.deepEqual(
      rules.map(({ protocol, ports, over }) => [protocol, ports, over]),
      [
        ["udp", ["4789"], "site"],
        ["esp", [], "site"],
      ],
    );
    assert.deepEqual(needs.features, ["vxlan", "ipsec"]);
  });

  it("goes by the tunnel where there is one", () => {
    const { rules } = native({ encrypted: true }).plan({ ...two, underlay: wireguard });
    assert.deepEqual(
      rules.map(({ over }) => over),
      ["tunnel", "tunnel"],
    );
  });

  it("has Docker encrypt each network, with an MTU to fit", () => {
    const { networkOptions, containerMtu } = native({ encrypted: true }).plan(one);
    assert.deepEqual(networkOptions(1500), { "com.docker.network.driver.mtu": "1500", encrypted: "" });
    assert.equal(containerMtu(1500), 1424);
    assert.deepEqual(native().plan(one).networkOptions(1440), { "com.docker.network.driver.mtu": "1440" });
    assert.equal(native().plan(one).containerMtu(1440), 1390);
  });

  it("says what protects its data", () => {
    const of = (args: NativeArgs, context: OverlayContext): unknown[] => {
      const { channel, mechanism, protects } = native(args).plan(context).encryption[0] ?? assert.fail("no channel");
      return [channel, mechanism, protects];
    };
    assert.deepEqual(of({}, one), ["overlay data", "none", false]);
    assert.deepEqual(of({}, { ...two, underlay: wireguard }), ["overlay data", "inside the wireguard underlay", true]);
    assert.deepEqual(of({ encrypted: true }, one), ["overlay data", "IPsec ESP, AES-128-GCM", true]);
  });

  it("refuses plaintext between sites", () => {
    assert.deepEqual(said(undefined, two), [
      "overlay: the native overlay would carry container traffic in plaintext between the sites rack and cloud",
    ]);
  });

  it("refuses IPsec through address translation, and allows it where there is none", () => {
    assert.deepEqual(said({ encrypted: true }, two), [
      "overlay.encrypted: IPsec as Docker does it cannot pass the address translation in front of cloud",
    ]);
    assert.deepEqual(said({ encrypted: true }, { ...two, behindNat: [] }), []);
    assert.deepEqual(said({ encrypted: true }, { ...one, behindNat: ["rack"] }), []);
  });

  it("allows encryption inside an encrypted underlay, and says that it is pointless", () => {
    const { problems, warnings } = native({ encrypted: true }).plan({ ...two, underlay: wireguard });
    assert.deepEqual(problems, []);
    assert.match(warnings.join(), /^overlay: the wireguard underlay encrypts already; /);
    assert.deepEqual(native().plan({ ...two, underlay: wireguard }).warnings, []);
  });

  for (const [engineVersion, good] of [
    ["29", '"29.2.1" or newer, such as "29.7"'],
    ["29.2", '"29.2.1" or newer, such as "29.7"'],
    ["25", '"25.0.15" or newer, such as "28.5"'],
    ["25.0", '"25.0.15" or newer, such as "28.5"'],
    // 28.2.2 is refused in every swarm.
    ["28", undefined],
    ["29.1", undefined],
    ["29.2.1", undefined],
    ["29.7", undefined],
    ["28.5", undefined],
    [undefined, undefined],
  ] as const) {
    it(`${good === undefined ? "allows" : "refuses"} engines pinned to ${engineVersion ?? "nothing"}${good === undefined ? "" : ", which may share no encrypted networks, and names good ones"}`, () => {
      const context = { ...one, ...(engineVersion !== undefined && { engineVersion }) };
      const { problems, warnings } = native({ encrypted: true }).plan(context);
      const [problem] = problems;
      assert.deepEqual(
        [problem?.path, problem?.fix, problems.length],
        good === undefined ? [undefined, undefined, 0] : ["engine.version", `write a version that is none of these: ${good}`, 1],
      );
      if (good !== undefined)
        assert.match(
          problem?.message ?? "",
          new RegExp(`^${engineVersion} may be an engine that carries nothing to the others on encrypted .*moby#51798`),
        );
      assert.deepEqual(warnings, []);
      assert.deepEqual(native().plan(context).problems, []);
    });
  }

  for (const [engineVersion, dataPathPort, problem] of [
    ["20.10.23", undefined, "Docker 20.10.23 may send encrypted networks' data in plaintext; 20.10.24 or newer is needed"],
    ["23.0.2", undefined, "Docker 23.0.2 may send encrypted networks' data in plaintext; 23.0.3 or newer is needed"],
    ["20.10.24", undefined, undefined],
    ["20.10", undefined, undefined],
    ["20.10.24", 7777, "Docker 20.10.24 carries nothing on encrypted networks unless the data path port is 4789; 24.0.3 or newer is needed for 7777"],
    ["23.0", 7777, "Docker 23.0 carries nothing on encrypted networks unless the data path port is 4789; 24.0.3 or newer is needed for 7777"],
    ["24.0.2", 7777, "Docker 24.0.2 carries nothing on encrypted networks unless the data path port is 4789; 24.0.3 or newer is needed for 7777"],
    ["24.0.2", 4789, undefined],
    ["24", 7777, undefined],
    ["24.0.3", 7777, undefined],
    ["28.5", 7777, undefined],
  ] as const) {
    it(`${problem === undefined ? "allows" : "refuses"} encryption on port ${dataPathPort ?? 4789} with engines pinned to ${engineVersion}`, () => {
      const args = { encrypted: true, ...(dataPathPort !== undefined && { dataPathPort }) };
      const expected = problem === undefined ? [] : [`engine.version: does not go with native({ encrypted: true }): ${problem}`];
      assert.deepEqual(said(args, { ...one, engineVersion }), expected);
      assert.deepEqual(said({ ...args, encrypted: false }, { ...one, engineVersion }), []);
    });
  }

  for (const [args, problem] of [
    [{ dataPathPort: 80 }, "overlay.dataPathPort: 80 is not a port that Docker takes"],
    [{ dataPathPort: 50_000 }, "overlay.dataPathPort: 50000 is not a port that Docker takes"],
    [{ dataPathPort: "4789" as unknown as number }, 'overlay.dataPathPort: "4789" is not a port that Docker takes'],
    [{ dataPathPort: 7946 }, "overlay.dataPathPort: 7946 is where the members gossip"],
    [{ encrypted: "yes" as unknown as boolean }, 'overlay.encrypted: "yes" is neither true nor false'],
  ] as const) {
    it(`refuses ${JSON.stringify(args)}`, () => assert.deepEqual(said(args, one), [problem]));
  }
});

describe("the swarm's own rules", () => {
  for (const over of ["site", "tunnel"] as const) {
    it(`open control on managers and gossip on all, to members over the ${over}`, () => {
      const rules = swarmRules(over);
      assert.deepEqual(
        rules.map(({ protocol, ports, to }) => [protocol, ports.join(), to]),
        [
          ["tcp", "2377", "managers"],
          ["tcp", "7946", "members"],
          ["udp", "7946", "members"],
        ],
      );
      for (const rule of rules) assert.deepEqual([rule.from, rule.over, rule.answers], [["members"], over, "host"]);
      assert.equal(new Set(rules.map(({ name }) => name)).size, 3);
    });
  }
});
