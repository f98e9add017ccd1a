import assert from "node:assert/strict";
import { context, plan, rule, sound } from "./firewall-fixtures";

const ssh = ["203.0.113.0/24"];

describe("the plan of the firewall", () => {
  it("lets in over SSH whom the user names, on the hosts' real SSH ports", () => {
    const { rules, warnings, enforce } = sound({ ssh }, { sshPorts: [2222, 22, 22] });
    assert.deepEqual(
      rules.filter(({ name }) => name === "ssh").map(({ ports, from, to, over }) => ({ ports, from, to, over })),
      [{ ports: ["22", "2222"], from: ssh, to: "members", over: "site" }],
    );
    assert.deepEqual(rules.find(({ name }) => name === "ping")?.from, ["members", ...ssh]);
    assert.deepEqual([warnings, enforce], [[], "hosts"]);
  });

  it("lets a group's own administrators into that group only", () => {
    const groups = [
      { key: "control", role: "manager", adminSources: ["10.213.0.1/32"] },
      { key: "edge", role: "worker", adminSources: ["10.214.0.1/32"] },
    ] as const;
    assert.deepEqual(
      sound({}, { groups })
        .rules.filter(({ ports }) => ports.includes("22"))
        .map(({ name, from, to }) => [name, from, to]),
      [
        ["ssh control", ["10.213.0.1/32"], "group control"],
        ["ssh edge", ["10.214.0.1/32"], "group edge"],
      ],
    );
  });

  for (const args of [undefined, {}, { ssh: [] }]) {
    it(`asks who administers when nobody says: ${JSON.stringify(args)}`, () => {
      const groups = [{ key: "lab", role: "manager", adminSources: ["10.213.0.1/32"] }, ...context.groups] as const;
      assert.deepEqual(plan(args, { groups }).problems, [
        {
          path: "firewall.ssh",
          message: "SSH is open to nobody by default, so the hosts of control, edge, lost could not be reached",
          fix: `name the networks you administer from, this machine's among them: firewall: { ssh: ["203.0.113.0/24"] }`,
        },
      ]);
    });
  }

  it("does not ask who administers when no firewall is put on the hosts, and warns of that", () => {
    const { warnings, enforce } = sound({ enforce: "none" });
    assert.equal(enforce, "none");
    assert.match(warnings.join(), /No firewall is put on the hosts/);
  });

  it("warns of SSH that is open to everybody, in either family", () => {
    assert.match(sound({ ssh: ["0.0.0.0/0"] }).warnings.join(), /SSH is open to everybody \(firewall\.ssh has 0\.0\.0\.0\/0\)/);
    assert.match(sound({ ssh: [...ssh, "::/0"] }).warnings.join(), /firewall\.ssh has ::\/0/);
    assert.deepEqual(sound({ ssh: [...ssh, "2001:db8::/32"] }).warnings, []);
  });

  it("opens what is exposed and allowed, with what was left out filled in", () => {
    const { rules } = sound({
      ssh,
      expose: {
        https: { port: 443, from: ["world"] },
        games: { port: [7000, "7010-7020"], protocol: "udp", from: ["managers"], on: "group edge", publish: "host" },
      },
      allow: { metrics: { port: "9100", from: ["group control"], on: "workers", reason: "for Prometheus" } },
    });
    const found = rules.filter(({ name }) => ["https", "games", "metrics"].includes(name));
    assert.deepEqual(found, [
      {
        name: "https",
        protocol: "tcp",
        ports: ["443"],
        from: ["world"],
        to: "members",
        over: "site",
        answers: "container",
        reason: "exposed by the program, published by the ingress mesh",
      },
      {
        name: "games",
        protocol: "udp",
        ports: ["7000", "7010-7020"],
        from: ["managers"],
        to: "group edge",
        over: "site",
        answers: "container",
        reason: "exposed by the program, published by the host that runs the container",
      },
      {
        name: "metrics",
        protocol: "tcp",
        ports: ["9100"],
        from: ["group control"],
        to: "workers",
        over: "site",
        answers: "host",
        reason: "for Prometheus",
      },
    ]);
  });

  describe("merges by name, so that the user's sources replace those built in:", () => {
    const contributed = [...context.contributed, rule("etcd", "tcp", ["2379"], "managers", "site", { from: ["workers", "10.0.0.0/8"] })];
    for (const [from, wider] of [
      [["workers"], []],
      [["group edge"], []],
      [["10.3.0.0/16"], []],
      [["members"], ["members"]],
      [["group control"], ["group control"]],
      [["10.3.0.0/16", "0.0.0.0/0"], ["0.0.0.0/0"]],
      [["world"], ["world"]],
      [["2001:db8::/32"], ["2001:db8::/32"]],
    ] as const) {
      it(`${from.join(", ")} ${wider.length === 0 ? "narrows silently" : "widens with a warning"}`, () => {
        const { rules, warnings } = sound({ ssh, rules: { etcd: { from } } }, { contributed });
        assert.deepEqual(
          rules.filter(({ name }) => name === "etcd").map((found) => found.from),
          [from],
        );
        const warning = `The rule etcd is wider than built in: it also allows ${wider.join(", ")} (firewall.rules.etcd).`;
        assert.deepEqual(warnings, wider.length === 0 ? [] : [warning]);
      });
    }
  });

  describe("refuses, with the place and the fix,", () => {
    const web = { port: 443, from: ["world"] };
    const cases: readonly (readonly [string, unknown, string, RegExp])[] = [
      ["host bits in a network", { ssh: ["203.0.113.7/24"] }, "firewall.ssh[0]", /bits set beyond its prefix; the network is 203\.0\.113\.0\/24/],
      ["host bits in an IPv6 network", { ssh: ["2001:db8::1/32"] }, "firewall.ssh[0]", /the network is 2001:db8::\/32/],
      [
        "an address without a prefix",
        { ssh: ["203.0.113.7"] },
        "firewall.ssh[0]",
        /not an IPv4 network.*Fix: for this one address write "203\.0\.113\.7\/32"/,
      ],
      ["an IPv6 address without a prefix", { ssh: ["2001:db8::1"] }, "firewall.ssh[0]", /write "2001:db8::1\/128"/],
      ["a word for a network", { ssh: ["office"] }, "firewall.ssh[0]", /"office" is not a network/],
      ["a host selector for SSH", { ssh: ["members"] }, "firewall.ssh[0]", /"members" is not a network.*hosts of the cluster are no networks/],
      ["SSH that is no list", { ssh: "203.0.113.0/24" }, "firewall.ssh", /is not a list of sources/],
      ["port 0", { ssh, expose: { web: { ...web, port: 0 } } }, "firewall.expose.web.port", /^0 is not a port/],
      ["port 65536", { ssh, expose: { web: { ...web, port: 65_536 } } }, "firewall.expose.web.port", /^65536 is not a port/],
      ["half a port", { ssh, expose: { web: { ...web, port: 80.5 } } }, "firewall.expose.web.port", /^80\.5 is not a port/],
      [
        "a range that falls",
        { ssh, expose: { web: { ...web, port: ["90-80"] } } },
        "firewall.expose.web.port[0]",
        /^"90-80" is not a port or a range/,
      ],
      ["no port", { ssh, expose: { web: { from: ["world"] } } }, "firewall.expose.web.port", /^a port or a range is missing/],
      ["an empty list of ports", { ssh, expose: { web: { ...web, port: [] } } }, "firewall.expose.web.port", /no port is given/],
      [
        "SSH's port",
        { ssh, expose: { web: { ...web, port: 22 } } },
        "firewall.expose.web.port",
        /22\/tcp belongs to SSH\. Fix: name who may use it in firewall\.ssh/,
      ],
      ["a range over SSH's port", { ssh, allow: { web: { ...web, port: "20-30" } } }, "firewall.allow.web.port", /20-30\/tcp belongs to SSH/],
      [
        "the port of swarm control",
        { ssh, expose: { web: { ...web, port: 2377 } } },
        "firewall.expose.web.port",
        /belongs to the rule swarm-control/,
      ],
      ["the port of gossip", { ssh, expose: { web: { ...web, port: 7946, protocol: "udp" } } }, "firewall.expose.web.port", /swarm-gossip-udp/],
      [
        "the data port",
        { ssh, expose: { web: { ...web, port: 4789, protocol: "udp" } } },
        "firewall.expose.web.port",
        /4789\/udp belongs to the rule swarm-data/,
      ],
      ["WireGuard's port", { ssh, allow: { web: { ...web, port: 51_820, protocol: "udp" } } }, "firewall.allow.web.port", /the rule wireguard/],
      ["nobody", { ssh, expose: { web: { ...web, from: [] } } }, "firewall.expose.web.from", /it is empty/],
      ["no sources", { ssh, expose: { web: { port: 443 } } }, "firewall.expose.web.from", /^a list of sources is missing/],
      [
        "an unknown group as a source",
        { ssh, expose: { web: { ...web, from: ["group egde"] } } },
        "firewall.expose.web.from[0]",
        /no group "egde"; did you mean "group edge"/,
      ],
      ["an unknown group as a target", { ssh, expose: { web: { ...web, on: "group x" } } }, "firewall.expose.web.on", /no group "x"/],
      ["an unknown selector", { ssh, expose: { web: { ...web, on: "everywhere" } } }, "firewall.expose.web.on", /"everywhere" does not name hosts/],
      [
        "an unknown protocol",
        { ssh, expose: { web: { ...web, protocol: "sctp" } } },
        "firewall.expose.web.protocol",
        /"sctp" is not a protocol with ports/,
      ],
      ["an unknown way to publish", { ssh, expose: { web: { ...web, publish: "both" } } }, "firewall.expose.web.publish", /"both" is not a way/],
      ["a name with capitals", { ssh, expose: { Web: web } }, "firewall.expose.Web", /"Web" cannot name a rule/],
      ["the name of a built-in rule", { ssh, expose: { "swarm-data": web } }, "firewall.expose.swarm-data", /is the name of a built-in rule/],
      ["the name ssh", { ssh, allow: { ssh: web } }, "firewall.allow.ssh", /is the name of a built-in rule\. Fix: use firewall\.ssh/],
      ["the name ping", { ssh, allow: { ping: web } }, "firewall.allow.ping", /is the name of a built-in rule/],
      ["one name for two", { ssh, expose: { web }, allow: { web: { ...web, port: 80 } } }, "firewall.allow.web", /names an exposed port too/],
      [
        "an unknown built-in rule",
        { ssh, rules: { gossip: { from: ["members"] } } },
        "firewall.rules.gossip",
        /no built-in rule.*swarm-control, .*ping/,
      ],
      ["other sources for SSH", { ssh, rules: { ssh: { from: ssh } } }, "firewall.rules.ssh", /already in firewall\.ssh/],
      ["nobody in a built-in rule", { ssh, rules: { ping: { from: [] } } }, "firewall.rules.ping.from", /it is empty/],
      [
        "a network in the tunnel",
        { ssh, rules: { "swarm-data": { from: ["10.0.0.0/8"] } } },
        "firewall.rules.swarm-data.from",
        /cannot be in the tunnel/,
      ],
      ["an unknown way to enforce", { ssh, enforce: "cloud" }, "firewall.enforce", /"cloud" is not "hosts" or "none"/],
      ["entries that are a list", { ssh, expose: [web] }, "firewall.expose", /is not a list of entries by name/],
      ["an entry that is a port", { ssh, expose: { web: 443 } }, "firewall.expose.web", /443 is not an entry/],
      [
        "one port published twice on the same hosts",
        { ssh, expose: { web: { ...web, publish: "host", on: "workers" }, shop: { ...web, port: "440-450", on: "group edge" } } },
        "firewall.expose.shop.port",
        /443\/tcp is exposed by "web" on the same hosts/,
      ],
    ];
    for (const [what, args, path, message] of cases) {
      it(what, () => {
        const { problems } = plan(args);
        assert.deepEqual(
          problems.map((problem) => problem.path),
          [path],
          JSON.stringify(problems),
        );
        assert.match(problems.map((problem) => `${problem.message}. Fix: ${problem.fix}`).join(), message);
      });
    }

    it("a firewall that is none", () => assert.equal(plan("open").problems[0]?.path, "firewall"));

    it("everything at once, never just the first", () => {
      const { problems } = plan({ ssh: ["x"], expose: { A: { port: 0, from: [] } }, rules: { b: { from: [] } } });
      assert.deepEqual(problems.map(({ path }) => path).sort(), [
        "firewall.expose.A",
        "firewall.expose.A.from",
        "firewall.expose.A.port",
        "firewall.rules.b",
        "firewall.ssh[0]",
      ]);
    });
  });

  it("accepts one port twice where the hosts differ, or where the mesh publishes both", () => {
    const entry = { port: 443, from: ["world"] };
    sound({ ssh, expose: { web: { ...entry, publish: "host", on: "managers" }, shop: { ...entry, publish: "host", on: "workers" } } });
    sound({ ssh, expose: { web: entry, shop: { ...entry, from: ["10.0.0.0/8"] } } });
  });
});
