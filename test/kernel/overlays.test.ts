import assert from "node:assert/strict";
import { eventually } from "../../tools/lab/cluster";
import { assertNoChange } from "../lab/lab";
import { Pair, pairNames } from "./pair";
import { patience } from "./shop";

/** Emulation makes each number smaller, and costs what encrypts more than what does not: less than this part of the hosts' own network is a failure. */
const least = 0.01;

/** The life of one cluster, told in order, on machines that no other overlay was on. */
function onNewMachines(title: string, images: readonly string[], tell: (pair: Pair) => void): void {
  describe(`${title}, on real kernels`, function () {
    // No bail: it would end the other overlays' tests too.
    this.timeout(600_000);
    const pair = new Pair("vmo", "10.244.65.0/24");

    before(function () {
      return pair.begin(this, ...images);
    });
    after(() => pair.end());

    tell(pair);
  });
}

/** @param wire how large the largest packet is between the hosts, with all that is put around it */
async function carries(pair: Pair, what: string, mtu: number, wire = 1500): Promise<void> {
  await pair.place();
  await pair.talk();
  assert.equal(await pair.exactMtu(mtu), wire);
  const ratio = await pair.throughput(what);
  assert.ok(ratio > least, `${ratio} of the hosts' network`);
}

/** What a router of Weave says of its connection to the other one. */
async function connection(pair: Pair, words: RegExp): Promise<void> {
  for (const name of pairNames) {
    const seen = await eventually(
      `the router of ${name} has a connection that is ${words.source}`,
      120,
      async () => {
        const list = await pair.on(name, "curl -s 127.0.0.1:6784/status/connections");
        if (words.test(list)) return list;
        throw new Error(list);
      },
      patience,
    );
    pair.say(`${name}: ${seen}`);
  }
}

onNewMachines("weave()", ["weaveworks/weave:2.6.5"], (pair) => {
  it("takes the kernel's fast datapath, encrypted by ESP, and carries packets of exactly the planned size", async () => {
    await pair.up({ weave: {} });
    await connection(pair, /established +encrypted +fastdp/);
    assert.match(await pair.on("v1", "ip xfrm state count; ip -o -d link show datapath"), /openvswitch/);
    // What ESP fills up is a multiple of four bytes.
    await carries(pair, "weave, encrypted", 1412, 1496);
    assert.notEqual(await pair.on("v1", "ip xfrm state"), "");
  });

  it("stays as it is", async () => {
    assertNoChange(await pair.lab.up());
  });

  it("takes it without encryption too, and leaves nothing of ESP", async () => {
    await pair.up({ weave: { encrypted: false } });
    await connection(pair, /established +fastdp/);
    assert.equal(await pair.on("v1", "ip xfrm state; ip xfrm policy"), "");
    // Weave sends by itself what the kernel cannot, with 14 bytes more.
    await carries(pair, "weave, not encrypted", 1436, 1486);
  });
});

onNewMachines("flannel()", ["flannel-io/flannel:v0.28.10", "etcd-development/etcd:v3.5.35"], (pair) => {
  it("carries containers by the kernel's VXLAN", async () => {
    await pair.up({ flannel: {} });
    assert.match(await pair.on("v1", "ip route; ip -o -d link show flannel.1"), /dev flannel\.1[\s\S]*vxlan id/);
    await carries(pair, "flannel, vxlan", 1450);
    await pair.meshAnswers();
    assertNoChange(await pair.lab.up());
  });

  it("carries them by routes of hosts with host-gw, in packets of full size", async () => {
    await pair.up({ flannel: { backend: "host-gw" } });
    const { address } = pair.sites.host("v2");
    assert.match(await pair.on("v1", "ip route"), new RegExp(`/24 via ${address.replaceAll(".", "\\.")} `));
    assert.doesNotMatch(await pair.on("v1", "ip -o link"), /flannel\.1/);
    await carries(pair, "flannel, host-gw", 1500);
    await pair.meshAnswers();
  });
});

onNewMachines("calico()", [], (pair) => {
  it("carries containers by routes that hosts tell each other, in packets of full size", async () => {
    await pair.up({ calico: {} });
    const { address } = pair.sites.host("v2");
    assert.match(await pair.on("v1", "ip route"), new RegExp(`/24 via ${address.replaceAll(".", "\\.")} .*proto bird`));
    await carries(pair, "calico", 1500);
    await pair.meshAnswers();
    assertNoChange(await pair.lab.up());
  });
});

onNewMachines("openvswitch()", [], (pair) => {
  it("has the kernel forward, and carries packets of exactly the planned size", async () => {
    const said = await pair.up({ openvswitch: {} });
    assert.doesNotMatch(said, /its kernel has no Open vSwitch/);
    for (const name of pairNames) {
      // Its datapath has the bridge's ports: the tunnel, and those of containers and of the host.
      const seen = await pair.on(name, "ovs-appctl dpctl/show");
      for (const port of ["ovb-", "ovx-"]) assert.match(seen, new RegExp(`^system@ovs-system:[\\s\\S]* port \\d+: ${port}`, "m"));
    }
    await carries(pair, "openvswitch", 1446);
    await pair.meshAnswers();
    assertNoChange(await pair.lab.up());
  });
});

onNewMachines("native()", [], (pair) => {
  it("carries containers by the kernel's VXLAN", async () => {
    await pair.up({ native: {} });
    await carries(pair, "native", 1450);
    await pair.meshAnswers();
  });
});
