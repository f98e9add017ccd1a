import assert from "node:assert/strict";
import type { SeenPart } from "../../components/health";
import { blamed } from "../../components/health";
import { type FlannelState, flannelStatus } from "../../components/overlays/flannel/status";
import { type RouterState, weaveStatus } from "../../components/overlays/weave/status";
import { type TunnelEnd, wireguardStatus } from "../../components/underlay/wireguard/status";

const now = new Date("2026-11-30T03:00:00Z");

function hosts<Answer>(
  answers: readonly (Answer | string | undefined)[],
  silent: Readonly<Record<number, readonly string[]>> = {},
): SeenPart<Answer>[] {
  return answers.map((answer, index) => ({
    key: `h${index + 1}`,
    role: "manager",
    site: "a",
    address: `10.9.0.${index + 1}`,
    siteAddress: `192.0.2.${index + 1}`,
    silent: silent[index] ?? [],
    ...(answer !== undefined && { answer }),
  }));
}

const kinds = (findings: readonly { readonly kind: string; readonly hosts: readonly string[] }[]): string[] =>
  findings.map(({ kind, hosts: about }) => `${kind} ${about.join(" ")}`);

describe("the tunnel, as status sees it", () => {
  const end = (...peers: readonly (readonly [number, number | null])[]): TunnelEnd => ({
    unit: "active",
    there: true,
    peers: peers.map(([number, handshake]) => ({ address: `10.9.0.${number}`, endpoint: `192.0.2.${number}:51820`, handshake, received: 1 })),
  });

  it("is well where sessions are old but packets pass: hosts that send nothing make none", () => {
    assert.deepEqual(wireguardStatus.findings(hosts([end([2, 4_000]), end([1, 4_000])]), now), []);
    assert.deepEqual(
      wireguardStatus.findings(hosts([end([2, 20]), end([1, 20])], { 0: ["h2"], 1: ["h1"] }), now),
      [],
      "the path is lost, not the session",
    );
  });

  it("puts missing handshakes down to the host that has none with most others", () => {
    const seen = hosts([end([2, 9], [3, null]), end([1, 9], [3, 500]), end([1, null], [2, null])], { 0: ["h3"], 1: ["h3"], 2: ["h1", "h2"] });
    const [finding, ...others] = wireguardStatus.findings(seen, now);
    assert.deepEqual(others, []);
    assert.equal(finding?.text, "h3 has no handshake with h1, h2, so nothing passes between them");
    assert.equal(finding?.detail, "there never was one; h3 calls h1 at 192.0.2.1:51820");
    assert.match(finding?.fix ?? "", /^see whether 51820\/udp passes/);
  });

  it("names an interface that is gone, and a peer that is not known; of a host that was not seen, nothing", () => {
    const gone: TunnelEnd = { unit: "failed", there: false, peers: [] };
    assert.deepEqual(kinds(wireguardStatus.findings(hosts([gone, end([1, 9], [3, 9]), undefined], {}), now)), ["tunnel-down h1"]);
    assert.deepEqual(kinds(wireguardStatus.findings(hosts([end([3, 9]), end([1, 9], [3, 9]), undefined]), now)), ["tunnel-peers h1"]);
  });

  it("says of each host what it has", () => {
    const rows = wireguardStatus.rows(hosts<TunnelEnd>([end([2, 9], [3, null]), "it did not answer", undefined]));
    assert.deepEqual(rows, [
      { host: "h1", says: "1 of 2 peers had a handshake, the oldest 9 s ago" },
      { host: "h2", says: "it did not answer" },
      { host: "h3", says: "not seen" },
    ]);
  });

  it("blames one of a pair alone, the first where both are alike", () => {
    assert.deepEqual(blamed([["a", "b"]]), [{ host: "a", peers: ["b"] }]);
    assert.deepEqual(
      blamed([
        ["a", "c"],
        ["b", "c"],
      ]),
      [{ host: "c", peers: ["a", "b"] }],
    );
  });
});

describe("Weave, as status sees it", () => {
  const router = (name: string, ...connections: readonly string[]): RouterState => ({ unit: "active", name, answers: true, connections });
  const to = (name: string, index: number): string => `-> 10.9.0.${index}:6783 established fastdp ${name}(h${index}) mtu=1376`;

  it("names a router that does not answer, and does not blame the others for it", () => {
    const silent: RouterState = { unit: "failed", name: "", answers: false, connections: [] };
    const seen = hosts([router("aa", to("bb", 2)), router("bb", to("aa", 1)), silent]);
    assert.deepEqual(kinds(weaveStatus.findings(seen, now)), ["weave-router h3"]);
    assert.deepEqual(
      weaveStatus.rows(seen).map(({ says }) => says),
      ["connected to 1 of 2 routers (fastdp)", "connected to 1 of 2 routers (fastdp)", "its router does not answer (its unit is failed)"],
    );
  });

  it("names routers that refuse each other, with the reason", () => {
    const refused = "-> 10.9.0.1:6783 failed Unable to decrypt TCP msg, retry: 2026-11-30 03:00:01";
    const [finding] = weaveStatus.findings(hosts([router("aa"), router("bb", refused)]), now);
    assert.equal(finding?.kind, "weave-connection");
    assert.match(finding?.detail ?? "", /^they have another password than it has/);
  });
});

describe("flannel and its etcd, as status sees them", () => {
  const member = (number: number): string => `id${number}, started, h${number}, https://10.9.0.${number}:2380, https://10.9.0.${number}:2379, false`;
  const answer = (number: number): string => `https://10.9.0.${number}:2379, id${number}, 3.5.35, 20 kB, false, false, 2, 9, 9, `;
  const cluster = (alive: readonly number[]): FlannelState["cluster"] => ({
    members: [1, 2, 3].map(member).join("\n"),
    alive: alive.map(answer).join("\n"),
  });
  const state = (more: Partial<FlannelState>): FlannelState => ({
    flannel: "active",
    etcd: "active",
    subnet: true,
    apart: true,
    cluster: cluster([1, 2, 3]),
    certificates: {},
    ...more,
  });

  it("is well with all members", () => {
    assert.deepEqual(flannelStatus.findings(hosts([state({}), state({}), state({})]), now), []);
  });

  it("names a member that is away while the others are enough; of a host that was not seen, its host is what is said", () => {
    const stopped = state({ etcd: "inactive", cluster: { silent: "context deadline exceeded" } });
    const [finding, ...others] = flannelStatus.findings(
      hosts([state({ cluster: cluster([1, 2]) }), state({ cluster: cluster([1, 2]) }), stopped]),
      now,
    );
    assert.deepEqual(others, []);
    assert.deepEqual(
      [finding?.severity, finding?.text],
      ["warning", "h3: flannel's etcd does not answer there; 2 of 3 members answer, which is enough"],
    );
    assert.deepEqual(flannelStatus.findings(hosts([state({ cluster: cluster([1, 2]) }), state({ cluster: cluster([1, 2]) }), undefined]), now), []);
  });

  it("names a lost majority, and where it does not run", () => {
    const alone = state({ cluster: { silent: "etcdserver: no leader" } });
    const stopped = state({ etcd: "failed", cluster: { silent: "connection refused" } });
    const [finding] = flannelStatus.findings(hosts([alone, stopped, stopped]), now);
    assert.deepEqual([finding?.kind, finding?.severity], ["etcd-quorum", "broken"]);
    assert.equal(finding?.text, "flannel's etcd has no majority: it runs on 1 of 3 managers, not on h2, h3");
    assert.match(finding?.fix ?? "", /systemctl start pulumi-swarm-flannel-etcd" on h2, h3/);
  });

  it("names a flanneld that is stopped", () => {
    assert.deepEqual(kinds(flannelStatus.findings(hosts([state({ flannel: "failed" }), state({})]), now)), ["flanneld-stopped h1"]);
  });
});
