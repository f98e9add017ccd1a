import assert from "node:assert/strict";
import type { OverlayHost, OverlayWork } from "../../components/overlays/agent";
import { openvswitchAgent } from "../../components/overlays/openvswitch/agent";
import type { OpenvswitchSettings } from "../../components/overlays/openvswitch/args";
import type { ScriptValues } from "../../components/remote/script";

type Session = NonNullable<OverlayHost["session"]>;

/** Hosts that do what their scripts are asked to. */
class FakeHosts {
  readonly calls: string[] = [];
  readonly given = new Map<string, ScriptValues>();
  readonly broken = new Map<string, string>();
  readonly asked = new Map<string, readonly string[]>();
  readonly silent = new Map<string, readonly string[]>();
  readonly progress: string[] = [];
  datapath = "system";

  constructor(readonly names: readonly string[]) {}

  session(key: string): Session {
    const script = async (_text: string, values: ScriptValues, { verb }: { verb: string }): Promise<unknown> => {
      await Promise.resolve();
      this.calls.push(`${key} ${verb}`);
      if (this.broken.get(key) === verb) throw new Error(`${key}: ${verb} failed`);
      if (verb === "up") this.given.set(key, values);
      if (verb === "up") return { datapath: this.datapath };
      if (verb === "check") this.asked.set(key, (values["ADDRESSES"] ?? "").split(" "));
      return verb === "check" ? { silent: this.silent.get(key) ?? [] } : { changed: true };
    };
    return { script: script as Session["script"] };
  }

  work(
    more: Partial<OverlayWork<OpenvswitchSettings>> & { readonly away?: readonly string[]; readonly leaving?: readonly string[] } = {},
  ): OverlayWork<OpenvswitchSettings> {
    const { away = [], leaving = [], ...rest } = more;
    const host = (key: string): OverlayHost => ({
      key,
      role: "manager",
      group: "all",
      site: "rack",
      address: `192.168.0.${this.names.indexOf(key) + 1}`,
      containerSubnet: `10.97.${this.names.indexOf(key) + 1}.0/24`,
      engine: "26.1.5",
      ...(!away.includes(key) && { session: this.session(key) }),
    });
    return {
      settings: { tunnel: false },
      programs: [],
      hosts: this.names.filter((key) => !leaving.includes(key)).map(host),
      departing: leaving.map(host),
      space: "10.98.0.0/15",
      slices: [],
      ranges: {
        places: "10.97.0.0/17",
        networks: [
          { name: "db", subnet: "10.98.32.0/19", internal: true },
          { name: "web", subnet: "10.98.192.0/19", internal: false },
        ],
      },
      underlayMtu: 1500,
      mtu: 1446,
      secret: "secret",
      io: { progress: (key, line) => void this.progress.push(`${key ?? "all"}: ${line}`) },
      ...rest,
    };
  }

  /** Other ends of a host's tunnels. */
  peers(key: string): string[] {
    return (this.given.get(key)?.["TUNNELS"] ?? "").split("\n").map((line) => line.split(" ")[2] ?? "");
  }
}

describe("Open vSwitch's agent", () => {
  let fake: FakeHosts;
  beforeEach(() => (fake = new FakeHosts(["a", "b", "c", "d"])));

  it("raises the bridge of each host, with tunnels to all others, and asks whether they meet", async () => {
    assert.deepEqual(await openvswitchAgent.up(fake.work()), []);
    assert.deepEqual(fake.peers("b"), ["192.168.0.1", "192.168.0.3", "192.168.0.4"]);
    assert.deepEqual(fake.asked.get("d"), ["10.98.192.65", "10.98.192.129", "10.98.192.193"]);
    const { ADDRESS, PORT, MTU, NETWORKS } = fake.given.get("a") ?? {};
    assert.deepEqual([ADDRESS, PORT, MTU, NETWORKS?.split("\n").length], ["192.168.0.1", "4790", "1446", 2]);
  });

  it("has tunnels by the encrypted tunnel's addresses where there is one", async () => {
    const work = fake.work();
    const hosts = work.hosts.map((host, index) => ({ ...host, tunnelAddress: `10.97.200.${index + 1}` }));
    await openvswitchAgent.up({ ...work, hosts });
    assert.equal(fake.given.get("a")?.["ADDRESS"], "10.97.200.1");
    assert.deepEqual(fake.peers("a"), ["10.97.200.2", "10.97.200.3", "10.97.200.4"]);
  });

  it("keeps the tunnels of a host that leaves until it has left, and then takes it off", async () => {
    assert.deepEqual(await openvswitchAgent.up(fake.work({ leaving: ["d"] })), []);
    assert.deepEqual(fake.peers("a"), ["192.168.0.2", "192.168.0.3", "192.168.0.4"]);
    assert.ok(!fake.calls.includes("d up"));
    fake.calls.length = 0;
    assert.deepEqual(await openvswitchAgent.depart(fake.work({ leaving: ["d"] })), []);
    assert.deepEqual(fake.peers("a"), ["192.168.0.2", "192.168.0.3"]);
    assert.deepEqual([...fake.calls].sort(), ["a up", "b up", "c up", "d down"]);
  });

  it("gives a new host the place of one that leaves, and no two tunnels of one number", async () => {
    const work = fake.work({ leaving: ["d"] });
    const hosts = work.hosts.map((host) => (host.key === "c" ? { ...host, containerSubnet: "10.97.4.0/24" } : host));
    await openvswitchAgent.up({ ...work, hosts });
    assert.deepEqual(fake.peers("a"), ["192.168.0.2", "192.168.0.3"]);
    assert.deepEqual(fake.peers("c"), ["192.168.0.1", "192.168.0.2"]);
  });

  it("has hosts that carry a VLAN take it after all others have let go, and tells all of them whose it is", async () => {
    const trunks = { place: "10.97.99.0/24", all: [{ name: "rack", interface: "eth1", vlan: 120, network: "web", on: "b" }] };
    assert.deepEqual(await openvswitchAgent.up(fake.work({ settings: { tunnel: false, trunks } })), []);
    assert.equal(fake.calls.filter((call) => call.endsWith(" up")).at(-1), "b up");
    assert.match(fake.given.get("b")?.["TRUNKS"] ?? "", /^rack eth1 ovt-\w+ 120 ovq-\w+ ovr-\w+ \d+ 10\.98\.216\.192\/26 b$/);
    assert.match(fake.given.get("a")?.["TRUNKS"] ?? "", /^rack - .* b$/);
    await openvswitchAgent.up(fake.work());
    assert.equal(fake.given.get("b")?.["TRUNKS"], "");
  });

  it("goes on without a host that cannot be reached, which stays a peer", async () => {
    assert.deepEqual(await openvswitchAgent.up(fake.work({ away: ["d"] })), []);
    assert.ok(fake.peers("a").includes("192.168.0.4"));
    assert.equal(fake.asked.get("a")?.length, 2);
  });

  it("reports what fails on one host as that host's, and raises the others", async () => {
    fake.broken.set("d", "up");
    assert.deepEqual(await openvswitchAgent.up(fake.work()), [{ host: "d", reason: "d: up failed" }]);
    assert.ok(fake.given.has("a") && fake.given.has("c"));
    assert.equal(fake.asked.get("a")?.length, 2);
  });

  it("says between which hosts packets do not pass, and what must be open", async () => {
    fake.silent.set("a", ["10.98.192.193"]);
    assert.deepEqual(await openvswitchAgent.up(fake.work()), [
      { host: "a", reason: "Open vSwitch on c does not answer within 20 s: look whether 4790/udp is open between them in both directions" },
    ]);
  });

  it("asks nothing where no network has a way out that the hosts' firewall knows", async () => {
    const ranges = { places: "10.97.0.0/17", networks: [{ name: "web", subnet: "192.168.128.0/19", internal: false }] };
    assert.deepEqual(await openvswitchAgent.up(fake.work({ ranges })), []);
    assert.equal(fake.asked.size, 0);
  });

  it("warns of each host whose kernel has no Open vSwitch", async () => {
    fake.datapath = "netdev";
    await openvswitchAgent.up(fake.work({ away: ["b", "c", "d"] }));
    assert.match(
      fake.progress.join("\n"),
      /^a: warning: its kernel has no Open vSwitch \(module openvswitch\), so a program forwards .* Fix: boot a kernel/,
    );
  });

  it("takes all of it off hosts, and says so where there was something", async () => {
    const hosts = fake.work().hosts.map(({ key }) => ({ key, session: fake.session(key) }));
    fake.broken.set("b", "down");
    assert.deepEqual(await openvswitchAgent.down(hosts, fake.work().io), [{ host: "b", reason: "b: down failed" }]);
    assert.deepEqual(fake.progress.sort()[0], "a: Open vSwitch's bridge is off this host; its program stays");
  });
});
