import assert from "node:assert/strict";
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster, type SwarmClusterArgs, wireguard } from "../../components";
import * as hetzner from "../../components/hosts/hetzner";
import { type Graph, isSecret, readable, record, unknown } from "./harness";
import {
  hostKey,
  locations,
  control,
  three,
  server,
  primaryIp,
  firewall,
  placementGroup,
  stash,
  idOf,
  answers,
  imageOf,
  graphOf,
  find,
  ofType,
  isHcloud,
  requestOf,
  inputsOf,
} from "./hetzner-graph";
import { clientKey } from "../unit/client-key";

describe("the graph of three managers on Hetzner", function () {
  this.timeout(30_000);
  let graph: Graph;
  before(async () => {
    graph = await graphOf(three);
  });

  it("has exactly these resources of Hetzner, under these parents", () => {
    const names = graph.resources.filter(isHcloud).map(({ type, name, parent }) => `${parent} > ${name} (${type.split(":").at(-1)})`);
    assert.deepEqual(names.sort(), [
      "lab > lab-hetzner-eu-central (Network)",
      "lab > lab-hetzner-eu-central (NetworkSubnet)",
      "lab > lab-hetzner-eu-central (SshKey)",
      "lab > lab-hetzner-eu-central-closed (Firewall)",
      "lab > lab-hetzner-eu-central-control-fsn1-1 (PlacementGroup)",
      "lab > lab-hetzner-eu-central-control-hel1-1 (PlacementGroup)",
      "lab > lab-hetzner-eu-central-control-nbg1-1 (PlacementGroup)",
      "lab > lab-hetzner-eu-central-members (Firewall)",
      ...locations.flatMap((location, index) => [
        `lab-control-${index + 1} > lab-control-${index + 1} (Server)`,
        `lab-control-${index + 1} > lab-control-${index + 1}-${location} (PrimaryIp)`,
      ]),
    ]);
  });

  it("puts each host into its location, at the address that the plan shows, in the one subnet", () => {
    const subnet = find(graph, "hcloud:index/networkSubnet:NetworkSubnet", "lab-hetzner-eu-central");
    const network = find(graph, "hcloud:index/network:Network", "lab-hetzner-eu-central");
    assert.equal(network.inputs["ipRange"], "10.72.0.0/16");
    const networkId = idOf(network.type, network.name);
    assert.deepEqual(subnet.inputs, { networkId, type: "cloud", networkZone: "eu-central", ipRange: "10.72.0.0/16" });
    for (const [n, location] of locations.entries()) {
      const name = `lab-control-${n + 1}`;
      const shown = find(graph, "pulumi-swarm:index:Host", name).inputs;
      const { networks, location: place, name: hostname } = find(graph, server, name).inputs;
      const subnetId = String(idOf(subnet.type, subnet.name));
      assert.deepEqual([networks, place, hostname], [[{ subnetId, ip: shown["address"], aliasIps: [] }], location, name]);
      assert.deepEqual([shown["zone"], shown["publicAddress"]], [location, { assigned: "when the host is made" }]);
      assert.equal(requestOf(graph).hosts[n]?.address, shown["address"]);
    }
  });

  it("gives each server its own address of the location, which outlives it, and no IPv6", () => {
    for (const [n, location] of locations.entries()) {
      const { inputs, name } = find(graph, primaryIp, `lab-control-${n + 1}-${location}`);
      const { labels: _, ...shown } = inputs;
      assert.deepEqual(shown, { name, type: "ipv4", autoDelete: false, location });
      const { publicNets } = find(graph, server, `lab-control-${n + 1}`).inputs;
      assert.deepEqual(publicNets, [{ ipv4Enabled: true, ipv4: idOf(primaryIp, name), ipv6Enabled: false }]);
    }
  });

  it("tells the hosts of each other's public addresses, and is reached by them", () => {
    const found = requestOf(graph).hosts.map(({ key, machine, publicAddress, connection }) => [
      key,
      machine,
      publicAddress,
      connection.host,
      connection.user,
    ]);
    assert.deepEqual(
      found,
      [1, 2, 3].map((n) => [`control-${n}`, String(idOf(server, `lab-control-${n}`)), `198.51.100.${n}`, `198.51.100.${n}`, "swarm"]),
    );
  });

  it("has no private key in anything that can be read, nothing secret in labels, and only the host's own key in its user data", () => {
    for (const { name, inputs } of graph.resources) for (const text of readable(inputs)) assert.doesNotMatch(text, /PRIVATE KEY/, name);
    for (const { name, inputs } of graph.resources.filter(isHcloud)) {
      assert.deepEqual(readable(inputs["labels"]), Object.values(inputs["labels"] ?? {}), name);
    }
    for (const { name, inputs } of ofType(graph, server)) {
      const userData = inputs["userData"];
      assert.ok(isSecret(userData), name);
      const { connection } = requestOf(graph).hosts.find(({ key }) => `lab-${key}` === name) ?? assert.fail(name);
      const text = String(userData.secret);
      assert.ok(text.startsWith("#cloud-config\n") && text.includes(connection.hostKey), name);
      assert.equal(text.split("BEGIN OPENSSH PRIVATE KEY").length, 2, "one private key");
      assert.ok(!text.includes(JSON.stringify(connection.privateKey).slice(1, -1)), "it is not the one that logs in");
      const { publicKey } = find(graph, "hcloud:index/sshKey:SshKey", "lab-hetzner-eu-central").inputs;
      assert.ok(text.includes(String(publicKey)), "and who logs in has the key that Hetzner is told");
    }
  });

  it("protects nobody, so that all can be deleted, keeps disks' size, and spares root a password by mail", () => {
    for (const { inputs } of ofType(graph, server)) {
      const { deleteProtection, rebuildProtection, keepDisk, shutdownBeforeDeletion, ignoreRemoteFirewallIds, serverType, sshKeys } = inputs;
      assert.deepEqual([deleteProtection, rebuildProtection], [undefined, undefined]);
      assert.deepEqual([keepDisk, shutdownBeforeDeletion, ignoreRemoteFirewallIds], Array(3).fill(true));
      assert.deepEqual([serverType, sshKeys], ["cx23", [String(idOf("hcloud:index/sshKey:SshKey", "lab-hetzner-eu-central"))]]);
    }
  });

  it("makes a server anew only after the old one is gone, and never for another form of what counts at the first boot", () => {
    for (const { deleteBeforeReplace, ignoreChanges, replacementTrigger } of ofType(graph, server))
      assert.deepEqual([deleteBeforeReplace, ignoreChanges, replacementTrigger], [true, ["userData", "sshKeys"], "first"]);
  });

  it("lets nothing in to a server before the firewall of all stands, works on hosts only when they can be reached", () => {
    const closed = `lab-hetzner-eu-central-closed (${firewall})`;
    const { inputs } = find(graph, firewall, "lab-hetzner-eu-central-closed");
    assert.deepEqual(inputs["rules"], []);
    for (const { name, dependsOn } of ofType(graph, server)) assert.ok(dependsOn.includes(closed), name);
    const { dependsOn } = find(graph, "command:local:Command", "lab-swarm");
    assert.ok(dependsOn.includes(`lab-hetzner-eu-central-members (${firewall})`));
  });

  it("has at most six resources for each host, and the same for each one more", async () => {
    const count = async (workers: number): Promise<number> =>
      (await graphOf({ hosts: { control, edge: hetzner.hosts({ role: "worker", count: workers }) } })).resources.length;
    const [three, four, nine] = [await count(3), await count(4), await count(9)];
    assert.ok(four - three <= 6, `${four - three} resources for one host`);
    assert.equal(nine - four, 5 * (four - three));
  });

  it("is made by the provider that is given, and carries the labels", async () => {
    const labelled = await record(() => {
      const provider = new hcloud.Provider("mine", { token: "token" });
      const group = hetzner.hosts({ role: "manager", provider, hcloudLabels: { team: "swarm", "example.com/cost": pulumi.output("42") } });
      return new SwarmCluster("lab", { hosts: { control: group }, firewall: { ssh: ["203.0.113.0/24"] } });
    }, answers);
    assert.equal(labelled.error, undefined);
    const made = labelled.resources.filter((resource) => isHcloud(resource));
    assert.ok(made.length > 6);
    const ours = { "pulumi-swarm/cluster": "lab", "pulumi-swarm/site": "hetzner-eu-central", team: "swarm", "example.com/cost": "42" };
    for (const { name, type, inputs, provider } of made) {
      assert.equal(provider, "mine", name);
      if (type.endsWith(":NetworkSubnet")) continue;
      const expected = type === server ? { ...ours, "pulumi-swarm/role": "manager", "pulumi-swarm/group": "control" } : ours;
      assert.deepEqual({ ...(inputs["labels"] as object) }, expected, `${type} ${name}`);
    }
  });

  it("is shown in full by the first preview, when nothing is made yet", async () => {
    const preview = await graphOf(three, { preview: true });
    const names = ({ resources }: Graph): string[] => resources.map(({ type, name }) => `${type} ${name}`);
    assert.deepEqual(names(preview), names(graph));
    for (const type of ["pulumi-swarm:index:Host", firewall, placementGroup, "hcloud:index/network:Network"]) {
      for (const { name, inputs } of ofType(graph, type)) assert.deepEqual(find(preview, type, name).inputs, inputs, name);
    }
    for (const { name, inputs } of ofType(graph, server)) {
      const shown = find(preview, server, name).inputs;
      for (const what of ["name", "location", "serverType", "labels", "keepDisk", "deleteProtection"])
        assert.deepEqual(shown[what], inputs[what], what);
      const [network] = shown["networks"] as Record<string, unknown>[];
      assert.equal(network?.["ip"], (inputs["networks"] as Record<string, unknown>[])[0]?.["ip"]);
    }
    assert.equal(find(preview, "command:local:Command", "lab-swarm").inputs["stdin"], unknown);
  });
});

describe("the options of Hetzner's hosts", function () {
  this.timeout(30_000);

  it("choose the newest image of a release for the type's processor", async () => {
    const image = async (args: Partial<hetzner.HetznerHostsArgs>): Promise<unknown> => (await inputsOf(args))["image"];
    const newest = (name: string, withArchitecture: string): string => String(imageOf({ mostRecent: true, name, withArchitecture }));
    assert.equal(await image({}), newest("debian-13", "x86"));
    assert.equal(await image({ serverType: "cax11" }), newest("debian-13", "arm"));
    assert.equal(await image({ image: "debian-12", serverType: "ccx13" }), newest("debian-12", "x86"));
    assert.equal(await image({ image: "ubuntu-24.04", serverType: "cpx22" }), newest("ubuntu-24.04", "x86"));
    assert.equal(await image({ image: { id: pulumi.output("114690387") } }), "114690387");
  });

  it("protect what is asked for, and say the place and the size", async () => {
    const open = await inputsOf({ protect: false, location: "ash", serverType: "cpx21" });
    assert.deepEqual(
      [open["deleteProtection"], open["rebuildProtection"], open["location"], open["serverType"]],
      [undefined, undefined, "ash", "cpx21"],
    );
    const edge = (args: Partial<hetzner.HetznerHostsArgs>): SwarmClusterArgs => ({
      hosts: { control, edge: hetzner.hosts({ role: "worker", ...args }) },
    });
    const protection = async (args: Partial<hetzner.HetznerHostsArgs>): Promise<unknown> =>
      find(await graphOf(edge(args)), server, "lab-edge-1").inputs["deleteProtection"];
    assert.deepEqual([await protection({}), await protection({ protect: true })], [undefined, true]);
    // It would be switched off, and then not be deleted.
    assert.deepEqual([(await inputsOf({ protect: true }))["shutdownBeforeDeletion"], open["shutdownBeforeDeletion"]], [false, true]);
  });

  it("change one host of a group alone", async () => {
    const group = hetzner.hosts({ role: "manager", count: 3, each: { 2: { serverType: "cx33" }, 3: { renew: "2026-11" } } });
    const graph = await graphOf({ hosts: { control: group } });
    assert.deepEqual(
      ofType(graph, server).map(({ inputs, replacementTrigger }) => [inputs["serverType"], replacementTrigger]),
      [
        ["cx23", "first"],
        ["cx33", "first"],
        ["cx23", "2026-11"],
      ],
    );
    const memories = [2, 3].map((n) => find(graph, stash, `lab-control-${n}-made`));
    assert.deepEqual(
      memories.map(({ replacementTrigger, aliases }) => [replacementTrigger, aliases]),
      [
        ["first", undefined],
        // The name that it had in 0.1.0, so that its state is taken over.
        ["2026-11", ["lab-control-3-made-2026-11"]],
      ],
      "another memory, so another image",
    );
  });

  it("hop over a bastion", async () => {
    const bastion = { address: "203.0.113.9", hostKey, privateKey: clientKey, user: "jump" };
    const [first] = requestOf(await graphOf({ hosts: { control: hetzner.hosts({ role: "manager", bastion }) } })).hosts;
    assert.deepEqual(first?.connection.bastion, { host: "203.0.113.9", hostKey, user: "jump", port: 22, privateKey: clientKey });
  });

  it("leave the last word to transforms, for every resource", async () => {
    const labels = { last: "word" };
    const transform: Required<hetzner.HetznerTransform> = {
      network: { labels },
      subnet: { networkZone: "another" },
      sshKey: { labels },
      firewall: { labels },
      placementGroup: (args) => ({ ...args, labels }),
      primaryIp: { labels },
      server: { labels },
    };
    const graph = await graphOf({ hosts: { control: hetzner.hosts({ role: "manager", transform }) } });
    for (const { name, type, inputs } of graph.resources.filter(isHcloud)) {
      if (type.endsWith(":NetworkSubnet")) assert.equal(inputs["networkZone"], "another");
      else assert.deepEqual({ ...(inputs["labels"] as object) }, labels, `${type} ${name}`);
    }
  });

  it("make one network for all groups of a network zone, and another for another site, each with a key of its own", async () => {
    const edge = hetzner.hosts({ role: "worker", location: "hel1" });
    const far = hetzner.hosts({ role: "worker", location: "ash", serverType: "cpx21", network: "10.73.0.0/16" });
    const again = hetzner.hosts({ role: "worker", site: "second", network: "10.74.0.0/16" });
    const graph = await graphOf({ hosts: { control, edge, far, again }, underlay: wireguard() });
    const networks = ofType(graph, "hcloud:index/networkSubnet:NetworkSubnet").map(({ name, inputs }) => [
      name,
      inputs["networkZone"],
      inputs["ipRange"],
    ]);
    assert.deepEqual(networks, [
      ["lab-hetzner-eu-central", "eu-central", "10.72.0.0/16"],
      ["lab-hetzner-us-east", "us-east", "10.73.0.0/16"],
      ["lab-second", "eu-central", "10.74.0.0/16"],
    ]);
    const keys = ofType(graph, "hcloud:index/sshKey:SshKey").map(({ inputs }) => inputs["publicKey"]);
    assert.deepEqual([keys.length, new Set(keys).size], [3, 3]);
    assert.equal(graph.resources.filter(({ name }) => name === "lab-hetzner-keys").length, 1);
  });

  it("place a group's hosts on different machines in tens, so that no host moves another", async () => {
    const edge = (numbers: readonly number[]): SwarmClusterArgs => ({
      hosts: { control, edge: hetzner.hosts({ role: "worker", numbers, locations: ["fsn1", "hel1"] }) },
    });
    const placesOf = (graph: Graph): Readonly<Record<string, string>> => {
      const names = new Map(ofType(graph, placementGroup).map(({ name, type }) => [idOf(type, name), name]));
      return Object.fromEntries(ofType(graph, server).map(({ name, inputs }) => [name, names.get(Number(inputs["placementGroupId"])) ?? "none"]));
    };
    const all = placesOf(await graphOf(edge(Array.from({ length: 25 }, (_, index) => index + 1))));
    const sizes = new Map<string, number>();
    for (const place of Object.values(all)) sizes.set(place, (sizes.get(place) ?? 0) + 1);
    assert.ok(Math.max(...sizes.values()) <= 10);
    assert.equal(all["lab-edge-12"], "lab-hetzner-eu-central-edge-hel1-2");
    for (const [name, place] of Object.entries(placesOf(await graphOf(edge([3, 12, 25]))))) assert.equal(place, all[name], name);
  });
});
