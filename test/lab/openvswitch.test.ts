import assert from "node:assert/strict";
import { capture } from "../../tools/lab/capture";
import { eventually } from "../../tools/lab/cluster";
import { networkOfContainer } from "../../tools/lab/namespace";
import { overlaySuite } from "./overlay-suite";
import { managers, type Name, type SuiteCluster } from "./overlay-suite/cluster";
import { addressOf, place, reaches, removeContainers, within } from "./overlay-suite/containers";
import { openvswitch } from "./overlay-suite/openvswitch";
import { assertQuietFor, silenceDuring } from "./overlay-suite/silence";

/** What a host has of a network, as its file of networks says. */
const fields = { parent: 2, gate: 4, gateway: 7 } as const;

async function partOf(cluster: SuiteCluster, name: Name, field: keyof typeof fields, network = "web"): Promise<string> {
  return cluster.on(
    name,
    `awk '$1 == "${network}" { sub("/.*", "", $${fields[field]}); print $${fields[field]} }' /etc/pulumi-swarm/openvswitch/networks`,
  );
}

/** Where the hosts are, before any was turned off. */
const gateways = new Map<Name, string>();

function early(cluster: SuiteCluster): void {
  it("warns where the kernel lacks it", async () => {
    const lacks = await cluster.on("c1", "[ -d /sys/module/openvswitch ] || echo lacks");
    assert.equal(/control-a-c1: its kernel has no Open vSwitch/.test(cluster.said), lacks !== "");
    for (const name of managers) gateways.set(name, await partOf(cluster, name, "gateway"));
  });
}

function whole(cluster: SuiteCluster): void {
  it("has its hosts at the addresses that they had before they were turned off, and keeps networks apart by each of them", async () => {
    for (const name of managers) assert.equal(await partOf(cluster, name, "gateway"), gateways.get(name), name);
    const there = await place(cluster, "c2", "store");
    // Straight to another host, which is in both networks.
    await within(cluster, "c1", `ip route add ${there} via ${gateways.get("c2")}`);
    for (const name of ["c1", "c3"] as const) assert.equal(await reaches(cluster, name, there), false, name);
    await within(cluster, "c1", `ip route delete ${there}`);
    await removeContainers(cluster, "c2", "store");
  });

  it("lets no container send as another host's, or speak for the host", async () => {
    const [there, third] = [await addressOf(cluster, "c2"), await addressOf(cluster, "c3")];
    const foreign = third.replace(/\d+$/, (last) => String(Number(last) + 9));
    await within(cluster, "c1", `ip address add ${foreign}/19 dev eth0`);
    const { packets } = await capture(
      await networkOfContainer(cluster.host("c2").machine, "probe-web"),
      "eth0",
      async () => assert.equal(await reaches(cluster, "c1", there, "web", `-I ${foreign}`), false),
      ["arp", "or", "icmp"],
    );
    assert.deepEqual(packets, []);
    await within(cluster, "c1", `ip address del ${foreign}/19 dev eth0`);
    assert.ok(await reaches(cluster, "c1", there));
    for (const name of ["c1", "c2"] as const) {
      // The kernel is at the other end of the containers' link too, and would answer there for all of the host's addresses.
      assert.equal(await cluster.on(name, `cat /proc/sys/net/ipv4/conf/${await partOf(cluster, name, "parent")}/arp_ignore`), "8");
      const gate = await cluster.on(name, `cat /sys/class/net/${await partOf(cluster, name, "gate")}/address`);
      const gateway = await partOf(cluster, name, "gateway");
      assert.ok(await reaches(cluster, "c1", gateway));
      const known = await within(cluster, "c1", `ip neigh show ${gateway}`);
      assert.match(known, new RegExp(`lladdr ${gate} `), `${name} itself answers, and no port of its bridge`);
    }
  });

  it("carries what is for all once to each", async () => {
    const broadcast = await within(cluster, "c1", "ip -4 -o address show dev eth0 | sed 's/.* brd \\([0-9.]*\\) .*/\\1/; t; s/.*/none/'");
    const { subnet } = (await cluster.lab.outputs()).plan.networks.find(({ name }) => name === "web") ?? assert.fail();
    const to = broadcast === "none" ? subnet.replace("192.0/19", "223.255") : broadcast;
    const { packets } = await capture(
      await networkOfContainer(cluster.host("c2").machine, "probe-web"),
      "eth0",
      () => within(cluster, "c1", `sh -c 'ip link set eth0 up; ping -q -b -c 3 -i 0.3 -W 1 ${to} || true'`),
      ["icmp", "and", "ether", "broadcast"],
    );
    assert.equal(packets.length, 3, JSON.stringify(packets));
  });

  it("lets pass what it did before when ovs-vswitchd was killed or restarted", async () => {
    const flows = (): Promise<string> => cluster.on("c1", "ovs-ofctl dump-flows ovs-swarm | sed 's/.*priority/priority/' | sort");
    const before = await flows();
    const store = await place(cluster, "c2", "store");
    for (const command of ["kill -9 $(pidof ovs-vswitchd)", "systemctl restart ovs-vswitchd"]) {
      const silence = await silenceDuring(cluster, "c1", "c2", async () => {
        await cluster.on("c1", command);
        await eventually("its flows are back", 30, async () => ((await flows()) === before ? true : undefined));
      });
      assertQuietFor(`${command}: c1 to c2`, silence, 10);
      assert.equal(await reaches(cluster, "c1", store), false);
    }
    await removeContainers(cluster, "c2", "store");
  });
}

function gone(cluster: SuiteCluster): void {
  it("leaves the program itself on its hosts", async () => {
    for (const name of managers) assert.equal(await cluster.on(name, "systemctl is-active ovs-vswitchd"), "active", name);
  });
}

overlaySuite(openvswitch, { name: "openvswitch", subnets: ["10.224.41.0/24"] }, { early, whole, gone });
