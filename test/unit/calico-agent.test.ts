import assert from "node:assert/strict";
import type { OverlayHost, OverlayWork } from "../../components/overlays/agent";
import { calicoAgent } from "../../components/overlays/calico/agent";
import type { CalicoSettings } from "../../components/overlays/calico/args";
import { bgpPassword, labelOf } from "../../components/overlays/calico/password";
import type { ScriptValues } from "../../components/remote/script";

type Session = NonNullable<OverlayHost["session"]>;

/** Hosts that do what their scripts are asked to. */
class FakeHosts {
  readonly calls: string[] = [];
  readonly given = new Map<string, ScriptValues>();
  readonly broken = new Map<string, string>();
  readonly blocked = new Map<string, readonly string[]>();
  readonly silent = new Map<string, readonly object[]>();
  /** BIRD's configuration. */
  readonly configs = new Map<string, string>();
  /** Labels of their passwords, and of those that lie beside them. */
  readonly labels = new Map<string, string>();
  readonly next = new Map<string, string>();
  readonly greeting = new Map<string, readonly object[]>();
  readonly progress: string[] = [];

  constructor(readonly names: readonly string[]) {}

  session(key: string): Session {
    const script = async (text: string, values: ScriptValues, { verb }: { verb: string }): Promise<unknown> => {
      assert.match(text, /^# Calico's networking on one host/m);
      await Promise.resolve();
      this.calls.push(`${key} ${verb}`);
      if (this.broken.get(key) === verb) throw new Error(`${key}: ${verb} failed`);
      if (verb === "look") return { sessions: this.sessions(key), blocked: this.blocked.get(key) ?? [], label: this.labels.get(key) ?? "" };
      if (verb === "greet") return { silent: this.greeting.get(key) ?? [] };
      if (verb === "renew") this.labels.set(key, this.next.get(key) ?? assert.fail("nothing to renew"));
      if (verb === "up") return this.placed(key, values);
      if (verb === "check") return { silent: this.silent.get(key) ?? [] };
      if (verb === "admit") this.given.set(key, values);
      if (verb === "tell") this.configs.set(key, values["CONFIG"] ?? "");
      return { changed: true };
    };
    return { script: script as Session["script"] };
  }

  /** As the script does: another password lies beside the one that there is. */
  private placed(key: string, values: ScriptValues): object {
    this.given.set(key, values);
    this.configs.set(key, values["CONFIG"] ?? "");
    const label = values["LABEL"] === "" ? "first" : (values["LABEL"] ?? "");
    const now = this.labels.get(key) ?? label;
    this.labels.set(key, now);
    if (now === label) this.next.delete(key);
    else this.next.set(key, label);
    return { changed: true, stale: now !== label };
  }

  sessions(key: string): string[] {
    return [...(this.configs.get(key) ?? "").matchAll(/^protocol bgp '(.*)' from/gm)].map(([, peer]) => peer ?? "");
  }

  work(
    more: Partial<CalicoSettings> = {},
    { away = [] as readonly string[], leaving = [] as readonly string[], policed = false } = {},
  ): OverlayWork<CalicoSettings> {
    const host = (key: string): OverlayHost => ({
      key,
      role: "manager",
      group: "all",
      site: "rack",
      address: `172.31.3.${this.names.indexOf(key) + 11}`,
      containerSubnet: `10.96.${this.names.indexOf(key) + 1}.0/24`,
      engine: key === "b" ? "28.5.2+dfsg4" : "26.1.5",
      ...(!away.includes(key) && { session: this.session(key) }),
    });
    return {
      settings: {
        hostPrefix: 24,
        bridge: "calico",
        asNumber: 64512,
        telling: { meshed: true, reflectors: ["a", "b"] },
        bfd: true,
        tunnel: false,
        ...more,
      },
      programs: [],
      hosts: this.names.filter((key) => !leaving.includes(key)).map(host),
      departing: leaving.map(host),
      space: "10.96.0.0/16",
      slices: [
        { name: "web", slice: "0.0.0.64/26" },
        { name: "bridge", slice: "0.0.0.224/27" },
      ],
      ...(policed && { policy: rackMayReachWeb }),
      underlayMtu: 1500,
      mtu: 1500,
      secret: "c2VjcmV0",
      io: { progress: (key, line) => void this.progress.push(`${key ?? "all"}: ${line}`) },
    };
  }
}

const rackMayReachWeb: NonNullable<OverlayWork["policy"]> = {
  hostPrefix: 24,
  policies: [{ name: "all hosts may reach web", from: ["group all"], to: ["web"], protocol: "tcp", ports: ["80"] }],
};

const reflected = { telling: { meshed: false, reflectors: ["a", "b"] } };

describe("calico's agent", () => {
  let fake: FakeHosts;
  beforeEach(() => (fake = new FakeHosts(["a", "b", "c", "d"])));

  it("installs BIRD, looks, brings it up, and has every host ask every other one", async () => {
    assert.deepEqual(await calicoAgent.up(fake.work()), []);
    assert.deepEqual(
      fake.calls.filter((call) => call.startsWith("c ")),
      ["c install", "c look", "c up", "c check"],
    );
    assert.deepEqual(fake.sessions("c"), ["a", "b", "d"]);
  });

  it("gives each host its own subnet, its networks, and what its engine needs", async () => {
    await calicoAgent.up(fake.work({ tunnel: true }));
    const { SPACE, SUBNET, GATEWAY_MODE, NETWORKS, UNDERLAY, MTU } = fake.given.get("d") ?? {};
    assert.deepEqual([SPACE, SUBNET, GATEWAY_MODE, UNDERLAY, MTU], ["10.96.0.0/16", "10.96.4.0/24", "", "pulumi-swarm-wireguard.service", "1500"]);
    assert.match(NETWORKS ?? "", /^swarm web cal-\w+ calp-\w+ calb-\w+ 10\.96\.4\.65\/26 0\.0\.0\.192 0\.0\.0\.64\nplain calico cal-/);
    assert.equal(fake.given.get("b")?.["GATEWAY_MODE"], "nat-unprotected");
  });

  it("hands all hosts the same password apart from all else, and never the cluster's secret", async () => {
    await calicoAgent.up(fake.work());
    for (const { PASSWORD, ...others } of fake.given.values()) {
      assert.equal(PASSWORD, bgpPassword("c2VjcmV0"));
      assert.ok(!JSON.stringify(others).includes(PASSWORD));
      assert.doesNotMatch(JSON.stringify(others), /c2VjcmV0/);
    }
  });

  it("keeps sessions with a host that cannot be reached, which goes on by itself", async () => {
    assert.deepEqual(await calicoAgent.up(fake.work({}, { away: ["d"] })), []);
    assert.deepEqual(fake.sessions("a"), ["b", "c", "d"]);
  });

  it("reports what fails on one host as that host's, and raises the others", async () => {
    fake.broken.set("d", "up");
    assert.deepEqual(await calicoAgent.up(fake.work()), [{ host: "d", reason: "d: up failed" }]);
    assert.ok(fake.given.has("a") && fake.given.has("c"));
  });

  it("says between which hosts containers do not meet, why, and where to look", async () => {
    fake.silent.set("a", [{ key: "d", why: "no route to its containers (BGP: Connect)" }]);
    assert.deepEqual(await calicoAgent.up(fake.work()), [
      {
        host: "a",
        reason:
          "containers on other hosts are not reached within 40 s. d: no route to its containers (BGP: Connect). " +
          "Look whether 179/tcp is open between them, and whether their network carries containers' addresses: they must be neighbours",
      },
    ]);
  });

  it("leaves a host as it is where Docker cannot change its networks, and says what stops it", async () => {
    fake.blocked.set("d", ["calico (used by shop)"]);
    assert.deepEqual(await calicoAgent.up(fake.work()), [
      { host: "d", reason: "these networks of it must be recreated, but are in use: calico (used by shop). Stop what uses them, and run again" },
    ]);
    assert.ok(!fake.given.has("d"));
  });

  it("ends sessions that are not asked for any more only when all hosts have the new ones", async () => {
    await calicoAgent.up(fake.work());
    fake.calls.length = 0;
    assert.deepEqual(await calicoAgent.up(fake.work(reflected)), []);
    assert.deepEqual(
      fake.calls.filter((call) => call.startsWith("c ")),
      ["c install", "c look", "c up", "c check", "c tell", "c check"],
    );
    assert.match(fake.given.get("c")?.["CONFIG"] ?? "", /'d' from host/);
    assert.deepEqual(
      [fake.sessions("a"), fake.sessions("c")],
      [
        ["b", "c", "d"],
        ["a", "b"],
      ],
    );
    fake.calls.length = 0;
    await calicoAgent.up(fake.work(reflected));
    assert.ok(!fake.calls.some((call) => call.endsWith("tell")), fake.calls.join());
  });

  it("leaves them where a host has not", async () => {
    await calicoAgent.up(fake.work());
    fake.broken.set("a", "up");
    assert.equal((await calicoAgent.up(fake.work(reflected))).length, 1);
    assert.deepEqual(fake.sessions("c"), ["a", "b", "d"]);
    assert.match(fake.progress.join("\n"), /hosts keep the sessions that they have/);
  });

  it("keeps a host that leaves in the sessions until it has left, and then has the others forget it before it is cleared", async () => {
    await calicoAgent.up(fake.work());
    await calicoAgent.up(fake.work({}, { leaving: ["d"] }));
    assert.deepEqual(fake.sessions("a"), ["b", "c", "d"]);
    fake.calls.length = 0;
    assert.deepEqual(await calicoAgent.depart(fake.work({}, { leaving: ["d"] })), []);
    assert.deepEqual(fake.sessions("a"), ["b", "c"]);
    assert.equal(fake.calls.at(-1), "d down");
    assert.ok(!fake.calls.slice(0, -1).some((call) => call.startsWith("d ")), fake.calls.join());
  });

  it("tells each host what is let through between networks, and those that stay when others have left", async () => {
    await calicoAgent.up(fake.work());
    assert.equal(fake.given.get("a")?.["POLICY"], "");
    await calicoAgent.up(fake.work({}, { leaving: ["d"], policed: true }));
    const line = (addresses: string): string =>
      `outside ip saddr ${addresses} ip daddr 10.96.0.0/16 ip daddr & 0.0.0.192 == 0.0.0.64 tcp dport 80 accept comment "policy all hosts may reach web"`;
    assert.equal(fake.given.get("a")?.["POLICY"], line("{ 172.31.3.12, 172.31.3.13, 172.31.3.14 }"));
    fake.calls.length = 0;
    await calicoAgent.depart(fake.work({}, { leaving: ["d"], policed: true }));
    assert.equal(fake.given.get("a")?.["POLICY"], line("{ 172.31.3.12, 172.31.3.13 }"));
    assert.deepEqual(
      fake.calls.filter((call) => call.endsWith("admit")),
      ["a admit", "b admit", "c admit"],
    );
  });

  it("is taken off each host, whatever fails on another one", async () => {
    const hosts = ["a", "b"].map((key) => ({ key, session: fake.session(key) }));
    fake.broken.set("b", "down");
    assert.deepEqual(await calicoAgent.down(hosts, { progress: () => {} }), [{ host: "b", reason: "b: down failed" }]);
    assert.deepEqual([...fake.calls].sort(), ["a down", "b down"]);
  });

  describe("changing the hosts' password", () => {
    const rotated = (rotation: string, more: Parameters<FakeHosts["work"]>[1] = {}): OverlayWork<CalicoSettings> => fake.work({ rotation }, more);
    const renewed = (): string[] => fake.calls.filter((call) => call.endsWith(" renew"));
    const all = (label: string): void => assert.deepEqual([...fake.labels.values()], [label, label, label, label]);

    beforeEach(async () => {
      await calicoAgent.up(fake.work());
      all("first");
      fake.calls.length = 0;
    });

    it("starts BIRD anew everywhere at once, when all hosts have the new one beside the old one", async () => {
      assert.deepEqual(await calicoAgent.up(rotated("may")), []);
      all(labelOf("may"));
      const placed = fake.calls.map((call) => call.endsWith(" up")).lastIndexOf(true);
      assert.ok(fake.calls.findIndex((call) => call.endsWith(" renew")) > placed, fake.calls.join());
      assert.equal(renewed().length, 4);
      assert.equal(fake.given.get("a")?.["PASSWORD"], bgpPassword("c2VjcmV0", labelOf("may")));
      fake.calls.length = 0;
      await calicoAgent.up(rotated("may"));
      await calicoAgent.up(fake.work());
      assert.deepEqual(renewed(), [], "taking the text out asks for nothing");
      all(labelOf("may"));
    });

    it("waits for a host that cannot be told", async () => {
      assert.deepEqual(await calicoAgent.up(rotated("may", { away: ["d"] })), []);
      assert.deepEqual(renewed(), []);
      all("first");
      assert.match(fake.progress.join("\n"), /all: hosts keep their password for BGP for now: d cannot be given another one/);
    });

    it("takes the new one back where a host did not take it", async () => {
      fake.broken.set("c", "up");
      await calicoAgent.up(rotated("may"));
      assert.deepEqual([renewed(), [...fake.next]], [[], []]);
      all("first");
      assert.match(fake.progress.join("\n"), /did not take the new one/);
    });

    it("ends a change that was cut off", async () => {
      fake.labels.set("a", labelOf("may"));
      await calicoAgent.up(rotated("may", { away: ["d"] }));
      assert.deepEqual(renewed().sort(), ["b renew", "c renew"]);
    });

    it("names a host that the others do not meet again", async () => {
      fake.greeting.set("b", [
        { name: "c", why: "Connect" },
        { name: "away", why: "Active" },
      ]);
      assert.deepEqual(await calicoAgent.up(rotated("may")), [
        { host: "b", reason: "after a change of the password, there is no BGP session with c (Connect) within 40 s" },
      ]);
    });
  });
});
