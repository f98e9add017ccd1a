import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { type SwarmClusterArgs, wireguard } from "../../components";
import { type OpenPorts, openPorts } from "../../components/firewall/open";
import { mergePorts, rulePorts, showPorts } from "../../components/firewall/ports";
import * as awsHosts from "../../components/hosts/aws";
import { type Birth, birthProblem } from "../../components/hosts/cloud/memory";
import * as existing from "../../components/hosts/existing";
import * as hetzner from "../../components/hosts/hetzner";
import { words } from "../../components/hosts/hetzner/memory";
import { AnyCidr, isAnyCidr } from "../../components/addresses/any-cidr";
import type { Graph, Registered } from "./harness";
import { hostKey, locations, control, three, server, firewall, answers, imageOf, graphOf, find, ofType, isHcloud, requestOf } from "./hetzner-graph";

describe("what a host on Hetzner was made as", function () {
  this.timeout(30_000);
  const born = (zone: string): Birth => ({ image: "7", zone, architecture: "x86" });

  it("stays, whatever images have come since, and is another one when the host is made anew", async () => {
    const group = hetzner.hosts({ role: "manager", count: 3, locations, each: { 3: { renew: "1" } } });
    const graph = await graphOf(
      { hosts: { control: group } },
      {
        outputs: (one) => ({
          ...answers.outputs?.(one),
          ...(/-[12]-made$/.test(one.name) && { output: born(one.name.includes("1") ? "fsn1" : "nbg1") }),
        }),
      },
    );
    const newest = String(imageOf({ mostRecent: true, name: "debian-13", withArchitecture: "x86" }));
    assert.deepEqual(
      ofType(graph, server).map(({ inputs }) => inputs["image"]),
      ["7", "7", newest],
    );
  });

  it("says what keeps it, where a list of locations or a type would change it without a word", () => {
    const host = { key: "control-2", place: "2" };
    assert.equal(birthProblem(words, host, born("nbg1"), { zone: "nbg1", architecture: "x86" }), undefined);
    assert.equal(
      birthProblem(words, host, born("nbg1"), { zone: "hel1", architecture: "x86" }),
      "control-2 stands in location nbg1, and locations would put it into hel1. Nothing was changed. Fix: write locations so that it stays, one name for each host in the order of their numbers, " +
        'or replace its machine, with another public address and an empty disk, by each: { 2: { renew: "any new text" } }.',
    );
    assert.equal(
      birthProblem(words, host, born("nbg1"), { zone: "nbg1", architecture: "arm" }),
      "control-2 was made for x86, and its server type is for arm. Nothing was changed. Fix: take a type for x86, " +
        'or replace its machine, with an empty disk, by each: { 2: { renew: "any new text" } }.',
    );
  });
});

describe("what is remembered of managers and of machines that are protected", function () {
  this.timeout(30_000);
  const rack = existing.hosts({ role: "manager", agentSocket: "/run/agent", machines: { a: { address: "192.168.7.1", hostKey } } });
  const memories = async (hosts: SwarmClusterArgs["hosts"]): Promise<Record<string, Record<string, unknown>>[]> => {
    const graph = await graphOf({ hosts, underlay: wireguard() });
    return ["lab-members", "lab-managers"].map((name) => {
      const { managers, protected: shielded } = find(graph, "pulumi:index:Stash", name).inputs["input"] as Record<string, object | undefined>;
      return { managers: { ...managers }, protected: { ...shielded } };
    });
  };

  it("is every manager, also those on machines of one's own, of which nothing is compared", async () => {
    for (const { managers } of await memories({ control: hetzner.hosts({ role: "manager", count: 2 }), rack })) {
      assert.deepEqual(Object.keys(managers ?? {}), ["control-1", "control-2", "rack-a"]);
      assert.deepEqual([managers?.["rack-a"], Object.keys(managers?.["control-1"] ?? {})], [{}, ["location", "renew"]]);
    }
  });

  it("is every host that Hetzner would refuse to delete, and no other one", async () => {
    const edge = hetzner.hosts({ role: "worker", count: 2, protect: true });
    for (const { protected: shielded } of await memories({ control: hetzner.hosts({ role: "manager", count: 3 }), edge })) {
      assert.deepEqual(Object.keys(shielded ?? {}), ["edge-1", "edge-2"]);
    }
    for (const { protected: shielded } of await memories({ control: hetzner.hosts({ role: "manager", count: 3 }) })) assert.deepEqual(shielded, {});
  });
});

describe("a private network of the user's at Hetzner", function () {
  this.timeout(30_000);
  const inNetwork = (privateNetwork: hetzner.HetznerNetwork): SwarmClusterArgs => ({
    hosts: { control: hetzner.hosts({ role: "manager", count: 3, privateNetwork }) },
  });
  const networksOf = (graph: Graph): unknown[] => ofType(graph, server).flatMap(({ inputs }) => inputs["networks"]);

  it("gets nothing but servers, at planned addresses", async () => {
    const graph = await graphOf(inNetwork({ id: "4711", cidr: "10.20.0.0/16" }));
    const types = new Set(graph.resources.filter(isHcloud).map(({ type }) => type.split(":").at(-1)));
    assert.deepEqual([...types].sort(), ["Firewall", "PlacementGroup", "PrimaryIp", "Server", "SshKey"]);
    const addresses = requestOf(graph).hosts.map(({ address }) => address);
    assert.ok(addresses.every((address) => address.startsWith("10.20.")));
    assert.deepEqual(
      networksOf(graph),
      addresses.map((ip) => ({ networkId: 4711, ip, aliasIps: [] })),
    );
  });

  it("whose range is known only later has Hetzner choose addresses, which the hosts are then told", async () => {
    const graph = await graphOf(
      inNetwork({ id: pulumi.output("4711"), cidr: pulumi.output("10.20.0.0/16"), subnetId: pulumi.output("4711-10.20.0.0/16") }),
    );
    assert.deepEqual(networksOf(graph), Array(3).fill({ subnetId: "4711-10.20.0.0/16", aliasIps: [] }));
    assert.deepEqual(
      requestOf(graph).hosts.map(({ address }) => address),
      ["10.72.9.9", "10.72.9.9", "10.72.9.9"],
    );
  });
});

describe("Hetzner's hosts and hosts of other sites", function () {
  this.timeout(30_000);
  const far = awsHosts.hosts({ role: "worker", region: "eu-west-1", image: { id: "ami-1" } });
  const rack = (machine: Partial<existing.ExistingMachine>): SwarmClusterArgs["hosts"][string] =>
    existing.hosts({ role: "worker", agentSocket: "/run/agent", machines: { "1": { address: "192.168.7.1", hostKey, ...machine } } });

  it("let each other in by the address with which they come, and need no rule for hosts of their own site", async () => {
    const graph = await graphOf({ hosts: { control, far, rack: rack({ publicAddress: "192.0.2.7" }) }, underlay: wireguard() });
    const rules = find(graph, firewall, "lab-hetzner-eu-central-members").inputs["rules"] as Record<string, unknown>[];
    const wireguardRule = rules.find(({ description }) => String(description).startsWith("wireguard:"));
    assert.deepEqual([wireguardRule?.["port"], wireguardRule?.["sourceIps"]], ["51820", ["192.0.2.7/32", "198.51.102.1/32"]]);
    const there = ofType(graph, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").filter(({ name }) => /wireguard.*control/.test(name));
    assert.deepEqual(
      there.map(({ inputs }) => inputs["cidrIpv4"]),
      [1, 2, 3].map((n) => `198.51.100.${n}/32`),
    );
  });

  it("are reached from the Internet, by Hetzner's firewalls alone, at exactly the ports that the list of rules has", async () => {
    const rules = {
      ssh: ["203.0.113.0/24", "2001:DB8::/32"],
      expose: {
        https: { port: 443, from: ["world"], on: "group edge" },
        metrics: { port: [9100, "9200-9210"], from: ["managers", "198.18.0.0/15"], on: "workers" },
        syslog: { port: 514, protocol: "udp", from: ["group edge", "group far"], on: "managers" },
      },
    } as const;
    const edge = hetzner.hosts({ role: "worker", count: 2 });
    const cases: SwarmClusterArgs[] = [
      { hosts: { control, edge }, firewall: { ...rules, expose: { https: rules.expose.https, metrics: rules.expose.metrics } } },
      { hosts: { control, edge, far, rack: rack({ publicAddress: "192.0.2.7" }) }, underlay: wireguard(), firewall: rules },
      { hosts: { control, edge, far, rack: rack({}) }, underlay: wireguard(), firewall: rules },
    ];
    for (const args of cases) {
      const graph = await graphOf(args);
      const { hosts, firewall: { rules: planned = [] } = {} } = requestOf(graph);
      const outsiders = ["203.0.113.5", "2001:db8::5", "198.18.0.9", "8.8.8.8", "2001:4860::1", "192.0.2.7"];
      for (const target of hosts.filter(({ site }) => site.startsWith("hetzner"))) {
        const others = hosts.filter(({ site }) => site !== target.site).map(({ publicAddress }) => publicAddress ?? "192.0.2.99");
        for (const address of [...outsiders, ...others]) {
          const expected = openPorts(planned, target, { address, arrivesOn: "site" }, hosts);
          assert.deepEqual(openByFirewalls(graph, target.key, address), expected, `${target.key} from ${address}`);
        }
      }
    }
  }).timeout(60_000);

  it("stand behind no more firewalls than the five that Hetzner takes", async () => {
    const expose = { a: { port: 1, from: ["world"], on: "managers" }, b: { port: 2, from: ["world"], on: "group control" } } as const;
    const graph = await graphOf({ ...three, firewall: { ssh: ["203.0.113.0/24"], expose } });
    assert.deepEqual(
      firewallsOf(graph, "control-1").map(({ name }) => name.replace("lab-hetzner-eu-central-", "")),
      ["closed", "group-control", "managers", "members"],
    );
  });
});

/** Firewalls whose selector finds a host. */
function firewallsOf(graph: Graph, host: string): readonly Registered[] {
  const labels = find(graph, server, `lab-${host}`).inputs["labels"] as Readonly<Record<string, string>>;
  const finds = (selector: string): boolean => selector.split(",").every((one) => labels[one.split("=")[0] ?? ""] === one.split("=")[1]);
  return ofType(graph, firewall).filter(({ inputs }) => (inputs["applyTos"] as { labelSelector: string }[]).some((one) => finds(one.labelSelector)));
}

/** Ports that the firewalls of a host let somebody from the Internet reach, read back from the resources. */
function openByFirewalls(graph: Graph, host: string, address: string): OpenPorts {
  const caller = AnyCidr.host(address);
  const rules = firewallsOf(graph, host).flatMap(({ inputs }) => inputs["rules"] as Readonly<Record<string, unknown>>[]);
  const letsIn = ({ sourceIps }: Readonly<Record<string, unknown>>): boolean =>
    (sourceIps as string[]).some((cidr) => {
      const network = AnyCidr.parse(cidr);
      return isAnyCidr(network) && network.contains(caller);
    });
  const ports = (protocol: string): readonly string[] => {
    const open = rules.filter((rule) => rule["direction"] === "in" && rule["protocol"] === protocol && letsIn(rule));
    return mergePorts(rulePorts(open.map((rule) => String(rule["port"])))).map(showPorts);
  };
  return { tcp: ports("tcp"), udp: ports("udp") };
}
