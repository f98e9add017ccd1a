import assert from "node:assert/strict";
import { compareSwarm, planCluster, type SeenSwarm } from "../../components";
import * as existing from "../../components/hosts/existing";
import { engineRefusals } from "../../components/cluster/compare";
import { describeSwarm } from "../../components/agents/read-swarm";
import { clientKey } from "./client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
const answers: Record<string, unknown> = {
  "/info": { Swarm: { ControlAvailable: true, LocalNodeState: "active", Cluster: { ID: "swarm1" } } },
  "/nodes": [
    {
      ID: "n1",
      Spec: { Role: "manager" },
      Description: { Hostname: "one", Engine: { EngineVersion: "28.2.2" } },
      Status: { State: "ready", Addr: "0.0.0.0" },
      ManagerStatus: { Addr: "10.20.0.1:2377" },
    },
    { ID: "n2", Spec: { Role: "worker" }, Description: { Hostname: "two" }, Status: { State: "down", Addr: "10.20.0.2" } },
    { ID: "n9", Spec: { Role: "worker" }, Description: { Hostname: "zero" }, Status: { State: "ready", Addr: "10.20.0.9" } },
  ],
  "/networks": [
    { Name: "web", Driver: "overlay", Scope: "swarm", IPAM: { Config: [{ Subnet: "10.0.3.0/24" }] } },
    { Name: "bridge", Driver: "bridge", Scope: "local" },
  ],
  "/services": [
    {
      Spec: { Name: "site" },
      Endpoint: {
        Ports: [
          { PublishedPort: 8080, Protocol: "tcp" },
          { PublishedPort: 443, Protocol: "tcp" },
        ],
      },
    },
    { Spec: { Name: "quiet" } },
  ],
};

function seen(): Promise<SeenSwarm> {
  return describeSwarm({ get: <Result>(path: string) => Promise.resolve(answers[path] as Result) });
}

describe("a swarm that is looked at before it is adopted", () => {
  it("is read as its manager tells of it", async () => {
    assert.deepEqual(await seen(), {
      swarmId: "swarm1",
      nodes: [
        { id: "n1", hostname: "one", role: "manager", address: "10.20.0.1", state: "ready", engine: "28.2.2" },
        { id: "n2", hostname: "two", role: "worker", address: "10.20.0.2", state: "down" },
        { id: "n9", hostname: "zero", role: "worker", address: "10.20.0.9", state: "ready" },
      ],
      networks: [{ name: "web", driver: "overlay", subnets: ["10.0.3.0/24"] }],
      services: [
        { name: "site", published: ["8080/tcp", "443/tcp"] },
        { name: "quiet", published: [] },
      ],
    });
  });

  it("is not read by an engine that is no manager", async () => {
    const worker = { get: <Result>() => Promise.resolve({ Swarm: { ControlAvailable: false, LocalNodeState: "active" } } as Result) };
    await assert.rejects(describeSwarm(worker), { message: "its engine is no manager of a swarm (active). Fix: name one that is" });
  });

  it("is refused with engines that are bad for swarms, or that cannot share encrypted networks", () => {
    const hosts = [
      {
        key: "control-a",
        place: "a",
        group: "control",
        role: "manager",
        site: "rack",
        sshPort: 22,
        address: "10.20.0.1",
        provider: "existing",
        labels: {},
      },
    ] as const;
    const node = { id: "", role: "worker", state: "ready" } as const;
    const nodes = [
      { ...node, hostname: "one", address: "10.20.0.1", engine: "29.1.3" },
      { ...node, hostname: "stranger", address: "10.20.0.9", engine: "28.5.2+dfsg4" },
      { ...node, hostname: "silent", address: "10.20.0.8" },
    ];
    const swarm = { swarmId: "swarm1", networks: [], services: [] };
    const refusals = (features: readonly ("vxlan" | "ipsec")[], more: readonly { readonly engine: string }[] = []): readonly string[] =>
      engineRefusals(
        { hosts, needs: { features } },
        { ...swarm, nodes: [...nodes, ...more.map(({ engine }) => ({ ...node, hostname: "bad", address: "10.20.0.7", engine }))] },
      );
    assert.deepEqual(refusals(["vxlan"]), []);
    assert.match(
      refusals(["vxlan", "ipsec"]).join(),
      /^encrypted networks carry nothing between control-a \(Docker 29\.1\.3\) and stranger \(Docker 28\.5\.2\+dfsg4\)/,
    );
    assert.match(refusals(["vxlan"], [{ engine: "28.2.1" }]).join(), /^bad: its Docker 28\.2\.1 loses .* Fix: upgrade it to 28\.3 or newer$/);
  });

  it("is compared with the plan: members, networks, and ports that the firewall would close", async () => {
    const group = (role: "manager" | "worker", machines: Record<string, string>): ReturnType<typeof existing.hosts> =>
      existing.hosts({
        role,
        privateKey: clientKey,
        machines: Object.fromEntries(Object.entries(machines).map(([name, address]) => [name, { address, hostKey }])),
      });
    const { plan, problems } = planCluster({
      hosts: { control: group("manager", { a: "10.20.0.1", b: "10.20.0.2", c: "10.20.0.3" }) },
      firewall: { ssh: ["198.51.100.0/24"], expose: { site: { port: "400-500", from: ["world"] } } },
      networks: { web: { subnet: "10.99.1.0/24" }, api: {} },
    });
    assert.deepEqual(problems, []);
    const api = plan.networks.find(({ name }) => name === "api")?.subnet ?? "";
    const there = await seen();
    const found = compareSwarm(plan, { ...there, networks: [...there.networks, { name: "old", driver: "overlay", subnets: [api] }] });
    assert.deepEqual(found, [
      "control-b is a worker and planned as manager: it would be refused",
      "control-b is a member that the managers see as down",
      "control-c (10.20.0.3) is no member by that address: it would join as manager",
      "zero (worker) would be left alone: not in the program",
      "the network web is there already, as 10.0.3.0/24 and not 10.99.1.0/24",
      `the network api would be made at ${api}, where old is (${api})`,
      "the service site publishes 8080/tcp, which no firewall.expose names: it would be closed",
    ]);
    assert.deepEqual(
      compareSwarm({ ...plan, enforced: "none", networks: [], hosts: plan.hosts.slice(0, 1) }, { ...there, nodes: there.nodes.slice(0, 1) }),
      [],
    );
  });
});
