import assert from "node:assert/strict";
import { type Asked, lookAtHosts, refuseMixedEngines } from "../../components/agents/phases/look";
import type { SwarmRequest } from "../../components/agents/request";
import type { Failure } from "../../components/remote/each";
import { planCluster } from "../../components";
import { backendProblem, backendWarning, engineRows, mixProblem, shortIndex, swarmProblem, unstamped } from "../../components/engine/known";
import { within } from "../../components/engine/version";
import * as existing from "../../components/hosts/existing";
import { clientKey } from "./client-key";

const engines = (versions: readonly string[]): { readonly key: string; readonly version: string }[] =>
  versions.map((version, index) => ({ key: `host-${index + 1}`, version }));
const mixes = (...versions: readonly string[]): boolean => mixProblem(engines(versions)) !== undefined;

describe("what is known of engines", () => {
  it("places every kind of version text, and says nothing of one without numbers", () => {
    const placed = (version: string): string | undefined => within(version, shortIndex.ranges);
    assert.deepEqual(
      ["25.0.12", "25.0.13", "25.0.14", "25.0.15", "28.2.2", "28.3.0", "29.0.0", "29.1.3", "29.2.0", "29.2.1", "29.10.0"].map(placed),
      ["none", "all", "all", "none", "all", "none", "all", "all", "all", "none", "none"],
    );
    assert.deepEqual(["29.0.0-rc.1", "26.1.5+dfsg1", "28.5.2+dfsg4", "29.1.3~debian"].map(placed), ["all", "none", "none", "all"]);
    assert.deepEqual(["29", "29.0", "29.2", "25.0", "28", "27"].map(placed), ["some", "all", "some", "some", "some", "none"]);
    assert.deepEqual(["library-import", "", "dev", "2f3a1bc", "v29.1.0", "29x"].map(placed), [
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("refuses those that are bad for swarms, and no others", () => {
    assert.deepEqual(
      ["28.1.1", "28.2.0", "28.2.1+dfsg1", "28.2.2", "28.2", "28.3.0", "28", "28.20.0", "library-import"].map(
        (version) => swarmProblem(version) !== undefined,
      ),
      [false, true, true, true, true, false, false, false, false],
    );
  });

  it("finds each pair of engines that cannot share encrypted networks", () => {
    const short = ["25.0.13", "25.0.14", "29.0.0-rc.1", "29.0.0", "29.1.3", "29.2.0"];
    const others = ["20.10.24+dfsg1", "24.0.9", "25.0.12", "25.0.15", "26.1.5+dfsg1", "27.5.1", "28.5.2+dfsg4", "29.2.1", "29.7.2"];
    for (const one of short) for (const other of others) assert.ok(mixes(one, other) && mixes(other, one), `${one} and ${other}`);
    for (const same of [short, others]) assert.ok(!mixes(...same), same.join());
    assert.ok(!mixes("29.1.3", "library-import"), "nothing is said of one without a version");
    assert.deepEqual(
      unstamped(engines(["29.1.3", "library-import", ""])).map(({ key }) => key),
      ["host-2"],
    );
  });

  it("names hosts, versions, sources and the way out, before anything is changed", () => {
    const ipsec = { needs: { features: ["vxlan", "ipsec"] } } as const;
    const mixed = engines(["29.1.3", "29.1.3", "28.5.2+dfsg4", "26.1.5+dfsg1"]);
    assert.throws(() => refuseMixedEngines(ipsec, mixed, "Nothing was changed"), {
      message:
        "encrypted networks carry nothing between host-1, host-2 (Docker 29.1.3) and host-3 (Docker 28.5.2+dfsg4), host-4 (Docker 26.1.5+dfsg1), " +
        "though every node is Ready: the first 2 derive the index (SPI) of encrypted packets in another way " +
        "(moby#51798, moby#51672, fixed by moby#51951 and moby#51963). Nothing was changed. " +
        "Fix: bring all hosts to 29.2.1 or newer (25.0.15 or newer on the 25.0 branch), or leave encrypted out",
    });
    refuseMixedEngines({ needs: { features: ["vxlan"] } }, mixed, "Nothing was changed");
    const many = [...Array.from({ length: 200 }, (_, index) => ({ key: `edge-${index + 1}`, version: "29.1.3" })), { key: "old", version: "27.5.1" }];
    assert.match(mixProblem(many)?.message ?? "", /between edge-1, .*, edge-10 and 190 more \(Docker 29\.1\.3\) and old \(Docker 27\.5\.1\)/);
  });

  it("stops a run that has only looked at its hosts, where they cannot be mixed", async () => {
    const verbs: string[] = [];
    const host = (key: string, engine: string): Asked => {
      const probe = {
        cli: true,
        swarmNftables: false,
        distribution: "debian trixie",
        apt: true,
        dnf: false,
        systemd: true,
        settingUp: "",
        vxlan: true,
        ipvs: true,
        ipsec: { esp: true, xtBpf: true, xtU32: false },
        macvlan: null,
        folders: [],
        addresses: [],
        also: { owners: {}, claimed: [], bridges_seen: { daemon: "", unapplied: false, tablesWithoutRules: [] } },
        epoch: Date.now() / 1000,
        freeKilobytes: 20_000_000,
        hostname: key,
      };
      const script = (_script: unknown, _values: unknown, { verb }: { readonly verb: string }): Promise<unknown> => {
        verbs.push(verb);
        return Promise.resolve(verb === "probe" ? probe : {});
      };
      const docker = { get: () => Promise.resolve({ Version: engine, ApiVersion: "1.50" }) };
      return { key, session: { script }, docker, host: { key } } as unknown as Asked;
    };
    const looked = async (
      encrypted: boolean,
      ...versions: readonly string[]
    ): Promise<{ readonly keys: readonly string[]; readonly failures: Failure[] }> => {
      verbs.length = 0;
      const request = { engine: {}, needs: { features: encrypted ? ["vxlan", "ipsec"] : ["vxlan"] } } as unknown as SwarmRequest;
      const failures: Failure[] = [];
      const hosts = versions.map((version, index) => host(`host-${index + 1}`, version));
      return { keys: (await lookAtHosts(hosts, request, ["prod"], failures)).map(({ key }) => key), failures };
    };
    await assert.rejects(
      looked(true, "28.5.2+dfsg4", "29.1.3"),
      /between host-2 \(Docker 29\.1\.3\) and host-1 .*the first one derives .* Nothing was changed\. Fix: bring all hosts to 29\.2\.1/,
    );
    assert.deepEqual(verbs, ["probe", "probe"]);
    assert.deepEqual((await looked(false, "28.5.2+dfsg4", "29.1.3")).keys, ["host-1", "host-2"]);
    assert.deepEqual((await looked(true, "28.5.2+dfsg4", "library-import")).keys, ["host-1", "host-2"]);
    const bad = await looked(true, "28.5.2", "28.2.2");
    assert.deepEqual(
      [bad.keys, bad.failures.map(({ host: key, reason }) => `${key}: ${reason}`)],
      [
        ["host-1"],
        [
          "host-2: its Docker 28.2.2 loses containers' packets between the hosts of a swarm (moby#50129, moby#49908, moby#50232): upgrade it to 28.3 or newer",
        ],
      ],
    );
  });

  it("judges the firewall's backend by version", () => {
    const nftables = { "firewall-backend": "nftables" };
    const allowed = { ...nftables, features: { "swarm-nftables": true } };
    const said = (settings: Record<string, unknown>, version?: string): string => backendProblem(settings, version)?.message ?? "";
    for (const version of ["20.10.24+dfsg1", "28.5.2", "28"]) {
      for (const settings of [nftables, allowed, { "firewall-backend": "iptables" }])
        assert.match(said(settings, version), /does not know the setting/);
    }
    for (const version of ["29.0.0", "29.5.9", "29.5"]) assert.match(said(allowed, version), /before Docker 29\.6\.0/);
    for (const version of ["29.6.0", "29.7.2", "30", "29", "library-import", undefined]) {
      assert.match(said(nftables, version), /does not work in a swarm: the engine would not start$/);
      assert.equal(said(allowed, version), "");
      assert.equal(said({ "firewall-backend": "iptables" }, version), "");
    }
    for (const features of [null, "swarm-nftables", { "swarm-nftables": "yes" }, ["swarm-nftables"]])
      assert.notEqual(said({ ...nftables, features }), "");
    assert.equal(said({}, "28"), "");
    assert.match(backendWarning(allowed) ?? "", /no virtual addresses and no ingress mesh.*ip_forward.*DOCKER-USER/);
    assert.equal(backendWarning(nftables), undefined);
  });

  it("warns in the plan where the backend is an experiment", () => {
    const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
    const machines = { a: { address: "10.20.0.1", hostKey } };
    const settings = { "firewall-backend": "nftables", features: { "swarm-nftables": true } };
    const { plan, problems } = planCluster({
      hosts: { control: existing.hosts({ role: "manager", privateKey: clientKey, machines }) },
      firewall: { ssh: ["198.51.100.0/24"] },
      engine: { settings },
    });
    assert.deepEqual(problems, []);
    assert.match(plan.warnings.join("\n"), /^engine\.settings: firewall-backend nftables in a swarm is an experiment/m);
  });

  it("has a source for each row of the page's table", () => {
    assert.ok(engineRows.length >= 5);
    for (const row of engineRows) {
      assert.equal(row.length, 4);
      assert.match(row[3] ?? "", /moby#\d+|seen on/);
    }
  });
});
