import assert from "node:assert/strict";
import { flannelAgent } from "../../components/overlays/flannel/agent";
import type { FlannelSettings } from "../../components/overlays/flannel/args";
import { flannelConfig } from "../../components/overlays/flannel/content";
import type { OverlayHost, OverlayWork } from "../../components/overlays/agent";
import type { ScriptValues } from "../../components/remote/script";
import { failure } from "./fake-io";

type Session = NonNullable<OverlayHost["session"]>;

/** Hosts that do what their scripts are asked to, and an etcd that holds what it is told. */
class FakeHosts {
  readonly calls: string[] = [];
  readonly given = new Map<string, ScriptValues>();
  readonly broken = new Map<string, string>();
  /** What a host was given last time. */
  readonly subnets = new Map<string, string>();
  readonly blocked = new Map<string, readonly string[]>();
  readonly asked = new Map<string, readonly string[]>();
  readonly silent = new Map<string, readonly string[]>();
  /** Hosts whose flanneld is behind with its routes until it is restarted. */
  readonly behind = new Set<string>();
  /** What each was told of routes. */
  readonly followed = new Map<string, string>();
  readonly progress: string[] = [];
  keys: Record<string, string> = {};
  users: Record<string, string> = {};
  auth = false;
  private formed = false;

  constructor(readonly names: readonly string[]) {}

  session(key: string): Session {
    const script = async (text: string, values: ScriptValues, { verb }: { verb: string }): Promise<unknown> => {
      const part = /^# flannel on one host/m.test(text) ? "flannel" : /^# What scripts for etcd on a host/m.test(text) ? "etcd" : "programs";
      await Promise.resolve();
      this.calls.push(`${key} ${part} ${verb}`);
      if (this.broken.get(key) === `${part} ${verb}`) throw new Error(`${key}: ${part} ${verb} failed`);
      if (part === "flannel") return this.flannel(key, verb, values);
      return part === "etcd" ? this.etcd(key, verb, values) : { changed: true };
    };
    return { script: script as Session["script"] };
  }

  private isMember(key: string): boolean {
    return this.formed && this.names.indexOf(key) < 3;
  }

  private flannel(key: string, verb: string, values: ScriptValues): unknown {
    if (verb === "up") {
      this.given.set(key, values);
      this.subnets.set(key, values["SUBNET"] ?? "");
    }
    if (verb === "look") return { subnet: this.subnets.get(key) ?? "", blocked: this.blocked.get(key) ?? [] };
    if (verb === "check") this.asked.set(key, (values["ADDRESSES"] ?? "").split(" "));
    if (verb === "check") return { silent: this.silent.get(key) ?? [] };
    if (verb === "follow") {
      this.followed.set(key, `gone: ${values["GONE"]}; ways: ${values["WAYS"]}`);
      const restarted = this.behind.delete(key);
      if (restarted) this.silent.clear();
      return { restarted };
    }
    return { changed: true };
  }

  private etcd(key: string, verb: string, values: ScriptValues): unknown {
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    switch (verb) {
      case "look":
        return {
          data: this.isMember(key),
          running: this.isMember(key),
          status: "",
          id: "",
          formed: this.formed,
          roster: "",
          current: true,
          authority: "",
          certificates: {},
        };
      case "request":
        return { keys: {} };
      case "form":
        this.formed = true;
        return {};
      case "members":
        return {
          members: this.names
            .slice(0, 3)
            .map((name) => `id-${name}, started, ${name}, https://${name}:2380, , false`)
            .join("\n"),
          alive: this.names.map((name) => `x, id-${name}, `).join("\n"),
        };
      case "read":
        return {
          keys: { kvs: Object.entries(this.keys).map(([key, value]) => ({ key: base64(key), value: base64(value) })) },
          auth: this.auth,
          users: this.users,
        };
      case "write":
        this.auth ||= values["ENABLE_AUTH"] === "true";
        for (const line of (values["PUT"] ?? "").split("\n").filter(Boolean)) this.keys[line.split(" ")[0] ?? ""] = line.slice(line.indexOf(" ") + 1);
        for (const key of (values["DROP_KEYS"] ?? "").split("\n")) delete this.keys[key];
        for (const name of (values["DROP_USERS"] ?? "").split("\n")) delete this.users[name];
        return {};
      default:
        return {};
    }
  }

  work(
    more: Partial<OverlayWork<FlannelSettings>> & { readonly away?: readonly string[]; readonly leaving?: readonly string[] } = {},
  ): OverlayWork<FlannelSettings> {
    const { away = [], leaving = [], ...rest } = more;
    const host = (key: string): OverlayHost => ({
      key,
      role: this.names.indexOf(key) < 3 ? "manager" : "worker",
      group: "all",
      site: "rack",
      // As the fake members' URLs have it.
      address: key,
      containerSubnet: `10.96.${this.names.indexOf(key) + 1}.0/24`,
      engine: key === "b" ? "28.5.2+dfsg4" : "26.1.5",
      ...(!away.includes(key) && { session: this.session(key) }),
    });
    return {
      settings: { backend: "vxlan", hostPrefix: 24, bridge: "flannel", etcdOn: [], etcdRotation: "", tunnel: false },
      programs: ["flanneld", "etcd"].map((name) => ({
        name,
        version: "1",
        source: { kind: "image", reference: `r/${name}:1`, files: { [name]: "/x" } },
      })),
      hosts: this.names.filter((key) => !leaving.includes(key)).map(host),
      departing: leaving.map(host),
      space: "10.96.0.0/15",
      slices: [
        { name: "web", slice: "0.0.0.64/26" },
        { name: "bridge", slice: "0.0.0.224/27" },
      ],
      underlayMtu: 1500,
      mtu: 1450,
      secret: "secret",
      io: { progress: (key, line) => void this.progress.push(`${key ?? "all"}: ${line}`) },
      ...rest,
    };
  }
}

describe("flannel's agent", () => {
  let fake: FakeHosts;
  beforeEach(() => (fake = new FakeHosts(["a", "b", "c", "d"])));
  const order = (...patterns: readonly RegExp[]): void => {
    const places = patterns.map((pattern) => fake.calls.findIndex((call) => pattern.test(call)));
    assert.deepEqual(
      places,
      [...places].sort((one, other) => one - other),
      fake.calls.join("\n"),
    );
    assert.ok(!places.includes(-1), fake.calls.join("\n"));
  };

  it("forms etcd on the managers, tells it whose subnets are whose, and then starts flanneld", async () => {
    assert.deepEqual(await flannelAgent.up(fake.work()), []);
    order(
      /a programs install/,
      /a etcd certify/,
      /a etcd form/,
      /etcd write/,
      /a flannel up/,
      /a flannel settle/,
      /a flannel check/,
      /a programs prune/,
    );
    assert.ok(!fake.calls.includes("d etcd form"));
    assert.deepEqual(Object.keys(fake.keys).sort(), [
      "/coreos.com/network/config",
      ...[1, 2, 3, 4].map((n) => `/coreos.com/network/subnets/10.96.${n}.0-24`),
    ]);
    assert.equal(fake.auth, true);
  });

  it("gives each host its own subnet, the way to etcd, and what its engine needs", async () => {
    await flannelAgent.up(fake.work());
    const { SUBNET, FIRST, ENDPOINTS, GATEWAY_MODE, NETWORKS, UNDERLAY } = fake.given.get("d") ?? {};
    assert.deepEqual([SUBNET, FIRST, GATEWAY_MODE, UNDERLAY], ["10.96.4.0/24", "10.96.4.1/24", "", ""]);
    assert.equal(ENDPOINTS, "https://a:2379,https://b:2379,https://c:2379");
    assert.match(NETWORKS ?? "", /^swarm web .* 10\.96\.4\.65\/26 .*\nplain flannel .* 10\.96\.4\.225\/27 /);
    assert.equal(fake.given.get("b")?.["GATEWAY_MODE"], "nat-unprotected");
  });

  it("hands nothing secret to a host but what is its own", async () => {
    await flannelAgent.up(fake.work());
    for (const values of fake.given.values()) assert.doesNotMatch(JSON.stringify(values), /secret|PRIVATE/);
  });

  it("goes on without a host that cannot be reached, whose place in etcd is kept", async () => {
    assert.deepEqual(await flannelAgent.up(fake.work({ away: ["d"] })), []);
    assert.ok("/coreos.com/network/subnets/10.96.4.0-24" in fake.keys);
  });

  it("reports what fails on one host as that host's, and raises the others", async () => {
    fake.broken.set("d", "flannel up");
    assert.deepEqual(await flannelAgent.up(fake.work()), [{ host: "d", reason: "d: flannel up failed" }]);
    assert.ok(fake.given.has("a") && fake.given.has("c"));
  });

  it("says between which hosts containers do not meet, and what must be open", async () => {
    fake.silent.set("a", ["10.96.4.65"]);
    const failures = await flannelAgent.up(fake.work());
    assert.deepEqual(failures, [
      { host: "a", reason: "containers on d do not answer within 20 s: look whether 8472/udp is open between them in both directions" },
    ]);
  });

  it("asks some of more than a hundred hosts, and each of them, whether containers meet", async () => {
    const names = Array.from({ length: 120 }, (_, index) => `h${String(index).padStart(3, "0")}`);
    fake = new FakeHosts(names);
    assert.deepEqual(await flannelAgent.up(fake.work()), []);
    const asked = names.map((key) => fake.asked.get(key) ?? []);
    assert.deepEqual([...new Set(asked.map((addresses) => addresses.length))], [7]);
    assert.equal(new Set(asked.flat()).size, names.length);
  });

  it("stops flanneld on a host whose subnet becomes another one, before that is given away", async () => {
    await flannelAgent.up(fake.work());
    fake.calls.length = 0;
    fake.subnets.set("a", "10.96.9.0/24");
    await flannelAgent.up(fake.work());
    assert.deepEqual(
      fake.calls.filter((call) => call.endsWith("pause")),
      ["a flannel pause"],
    );
    fake.keys = {};
    fake.calls.length = 0;
    fake.subnets.set("a", "10.96.9.0/24");
    await flannelAgent.up(fake.work());
    order(/a flannel pause/, /etcd write/, /a flannel up/);
  });

  it("leaves a host as it is where Docker cannot change its networks, and says what stops it", async () => {
    fake.blocked.set("d", ["flannel (used by shop)"]);
    const failures = await flannelAgent.up(fake.work());
    assert.deepEqual(failures, [
      { host: "d", reason: "these networks of it must be recreated, but are in use: flannel (used by shop). Stop what uses them, and run again" },
    ]);
    assert.ok(!fake.given.has("d"));
  });

  it("does not begin what concerns all hosts while a network of one of them is in the way", async () => {
    await flannelAgent.up(fake.work());
    fake.blocked.set("d", ["flannel (used by shop)"]);
    fake.calls.length = 0;
    const settings = { ...fake.work().settings, backend: "host-gw" } as const;
    const message = await failure(flannelAgent.up(fake.work({ settings, mtu: 1500 })));
    assert.equal(
      message,
      "flannel cannot change for all hosts while these networks are in use, which would have to be recreated; nothing was changed:\n  - d: flannel (used by shop)",
    );
    assert.equal(fake.keys["/coreos.com/network/config"], flannelConfig("10.96.0.0/15", 24, "vxlan", 1500));
    assert.ok(!fake.calls.some((call) => / (up|pause|write)$/.test(call)), fake.calls.join("\n"));
  });

  it("stops flanneld on a host that leaves before the others forget it, and clears it to the last", async () => {
    await flannelAgent.up(fake.work());
    fake.users = { root: "", "flanneld-d": "x", "flanneld-a": "x" };
    fake.calls.length = 0;
    assert.deepEqual(await flannelAgent.depart(fake.work({ leaving: ["d"] })), []);
    order(/d flannel down/, /etcd write/, /d etcd down/, /d programs prune/, /d flannel forget/);
    assert.ok(!("/coreos.com/network/subnets/10.96.4.0-24" in fake.keys));
    assert.deepEqual(Object.keys(fake.users), ["root", "flanneld-a"]);
  });

  it("has the others' flanneld let go of the routes to a host that left, once etcd holds nothing of it", async () => {
    await flannelAgent.up(fake.work());
    fake.calls.length = 0;
    await flannelAgent.depart(fake.work({ leaving: ["d"] }));
    order(/etcd write/, /a flannel follow/, /d flannel forget/);
    const told = "gone: 10.96.4.0/24; ways: ";
    assert.deepEqual(Object.fromEntries(fake.followed), { a: told, b: told, c: told });
  });

  it("restarts a flanneld that is behind with its routes, and asks again, before it calls hosts apart", async () => {
    fake.silent.set("a", ["10.96.3.65"]);
    fake.behind.add("c");
    assert.deepEqual(await flannelAgent.up(fake.work()), []);
    assert.deepEqual(Object.fromEntries(fake.followed), { a: "gone: ; ways: 10.96.3.0/24", c: "gone: ; ways: 10.96.1.0/24" });
    assert.equal(fake.calls.filter((call) => call === "a flannel check").length, 2);
  });

  it("forgets a host that leaves and cannot be reached", async () => {
    await flannelAgent.up(fake.work());
    await flannelAgent.depart(fake.work({ leaving: ["d"], away: ["d"] }));
    assert.ok(!("/coreos.com/network/subnets/10.96.4.0-24" in fake.keys));
  });

  it("is taken off hosts with the mark last, which stays where something could not be removed", async () => {
    const hosts = ["a", "b"].map((key) => ({ key, session: fake.session(key) }));
    fake.broken.set("b", "flannel down");
    const failures = await flannelAgent.down(hosts, { progress: () => {} });
    assert.deepEqual(failures, [{ host: "b", reason: "b: flannel down failed" }]);
    assert.deepEqual(
      fake.calls.filter((call) => call.startsWith("a ")),
      ["a flannel down", "a etcd down", "a programs prune", "a programs prune", "a flannel forget"],
    );
    assert.deepEqual(
      fake.calls.filter((call) => call.startsWith("b ")),
      ["b flannel down"],
    );
  });
});
