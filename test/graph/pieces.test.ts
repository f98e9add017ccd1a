import assert from "node:assert/strict";
import { HostFirewall, WireGuardMesh, type WireGuardMeshArgs } from "../../components";
import type { HostsRequest } from "../../components/agents/request";
import * as existing from "../../components/hosts/existing";
import * as local from "../../components/hosts/local";
import { type Graph, isSecret, readable, record } from "./harness";
import { clientKey, partOfClientKey } from "../unit/client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
const hosts = { rack: existing.hosts({ role: "worker", privateKey: clientKey, machines: { a: { address: "10.20.0.1", hostKey } } }) };
const firewall = { ssh: ["198.51.100.0/24"] };

function requestOf({ resources }: Graph, name: string): HostsRequest {
  const { stdin } = resources.find((resource) => resource.name === name)?.inputs ?? {};
  assert.ok(isSecret(stdin), "the request holds a private key");
  return JSON.parse(stdin.secret as string) as HostsRequest;
}

const shown = ({ resources }: Graph): string[] => resources.map(({ type, name }) => `${type.split(":").at(-1)} ${name}`);
const up = (): object => ({
  outputs: ({ name }: { readonly name: string }) =>
    name.endsWith("-hosts") ? { stdout: JSON.stringify({ publicKeys: { "rack-a": "its public key" } }) } : {},
});

describe("the pieces alone", function () {
  this.timeout(30_000);

  it("show a firewall as its rules, and have one program look after all hosts", async () => {
    const graph = await record(() => new HostFirewall("racks", { hosts, firewall }), up());
    assert.equal(graph.error, undefined);
    assert.deepEqual(shown(graph), [
      "HostFirewall racks",
      "Command racks-hosts",
      "Command racks-hosts-intent",
      "Stash racks-memory-key",
      "FirewallRule racks-ping",
      "Host racks-rack-a",
      "FirewallRule racks-ssh",
    ]);
    const { owner, firewall: kept, tunnel, hosts: asked } = requestOf(graph, "racks-hosts");
    assert.equal(owner, "HostFirewall racks of graph, stack test");
    assert.deepEqual([kept?.rules.map(({ name }) => name), tunnel, asked.map(({ key }) => key)], [["ssh", "ping"], undefined, ["rack-a"]]);
    assert.ok(graph.resources.every(({ inputs }) => !readable(inputs).join().includes(partOfClientKey)));
  });

  it("show a mesh as its addresses and what encrypts it, and leave firewalls alone", async () => {
    let addresses: WireGuardMesh["addresses"] = {};
    const graph = await record(() => ({ addresses } = new WireGuardMesh("office", { hosts })), up());
    assert.equal(graph.error, undefined);
    assert.deepEqual(shown(graph), [
      "WireGuardMesh office",
      "Command office-hosts",
      "Command office-hosts-intent",
      "Stash office-memory-key",
      "Host office-rack-a",
      "SubnetAssignment office-tunnel-rack",
      "Stash office-tunnel-rack",
      "Encryption office-underlay",
    ]);
    const { firewall: kept, tunnel, hosts: asked } = requestOf(graph, "office-hosts");
    assert.deepEqual([kept, tunnel?.port, tunnel?.prefix, asked[0]?.tunnelAddress], [undefined, 51820, 18, addresses["rack-a"]]);
  });

  it("close the hosts of a mesh where they are told to", async () => {
    const graph = await record(() => new WireGuardMesh("office", { hosts, firewall }), up());
    assert.deepEqual(
      requestOf(graph, "office-hosts").firewall?.rules.map(({ name }) => name),
      ["ssh", "wireguard", "mesh-tcp", "mesh-udp", "ping"],
    );
    assert.ok(shown(graph).includes("FirewallRule office-mesh-tcp"));
  });

  it("make the machines of any provider, and leave the last word to a transform", async () => {
    const transform = { command: { environment: { TRACE: "1" } } };
    const graph = await record(() => new HostFirewall("lab", { hosts: { box: local.hosts({ role: "worker" }) }, firewall: {}, transform }), up());
    assert.equal(graph.error, undefined);
    assert.ok(shown(graph).includes("Container lab-box-1"));
    assert.deepEqual(graph.resources.find(({ name }) => name === "lab-hosts")?.inputs["environment"], { TRACE: "1" });
  });

  it("are not begun when something is wrong", async () => {
    const wrong = async (args: WireGuardMeshArgs): Promise<[string, number]> => {
      const { error, resources } = await record(() => new WireGuardMesh("office", args), up());
      return [(error as Error).message, resources.length];
    };
    assert.deepEqual(await wrong({ hosts, subnet: "10.40.0.0/27" }), [
      'The WireGuard mesh "office" cannot be planned: 1 problem.\n' +
        "  - subnet: 10.40.0.0/27 is too small: each group of hosts has a block of it. Fix: take a /26 or larger.",
      0,
    ]);
    const { error } = await record(() => new HostFirewall("racks", { hosts, firewall: {} }), up());
    assert.match((error as Error).message, /^The host firewall "racks" cannot be planned: 1 problem\.\n {2}- firewall\.ssh: /);
  });
});
