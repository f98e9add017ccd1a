import assert from "node:assert/strict";
import { assertNoChange } from "../lab/lab";
import { lookAtAll } from "../lab/looks";
import { names, published, Shop } from "./shop";

/** The life of one cluster, told in order. */
describe("a swarm on a real kernel", function () {
  this.timeout(600_000);
  this.bail(true);
  const shop = new Shop("vmn", "10.247.0.0/24");
  const { lab, sites } = shop;

  before(function () {
    return shop.begin(this);
  });
  after(() => shop.end());

  it("is made by one up", async () => {
    await shop.spec();
    await lab.up();
  });

  it("gives a service one address for all its tasks, by name from every host", async () => {
    await shop.open();
    const looked = await shop.inTask("v2", "nslookup -type=a shop");
    const virtual = await sites.on("v1", "docker", "service", "inspect", "--format", "{{range .Endpoint.VirtualIPs}}{{.Addr}} {{end}}", "shop");
    const found = [...looked.matchAll(/^Address: (\S+)$/gm)].map(([, address = ""]) => address);
    assert.equal(found.length, 1, looked);
    assert.ok(
      virtual.split(" ").some((each) => each.startsWith(`${found[0]}/`)),
      `${looked} ${virtual}`,
    );
  });

  it("answers on a port of the ingress mesh on every host on which the plan opens it, and on no other", async () => {
    await shop.meshAnswers();
    assert.equal(await shop.answer("v1", published.edge), "nothing");
    for (const name of names) {
      assert.equal(await shop.answer(name, published.nowhere), "nothing", name);
      // On the host itself it is there: what is closed outside is closed by the firewall.
      assert.match(await sites.on(name, "curl", "-s", "-m", "5", `http://${sites.host(name).address}:${published.nowhere}`), /^hello from/);
    }
  });

  it("opens on each host exactly the ports of the plan, with ports of the mesh published", async () => {
    const { planned, found } = await lookAtAll(sites, (await lab.outputs()).plan);
    assert.deepEqual(found, planned);
    for (const [look, { tcp, udp }] of Object.entries(found)) process.stdout.write(`      ${look}: tcp ${tcp.join(",")} udp ${udp.join(",")}\n`);
    assert.ok(found["edge-v2 from an outsider"]?.tcp.includes(String(published.edge)), "the port of the mesh is among them");
  });

  it("shows on the wire what containers say to each other, while nothing encrypts it", async () => {
    const { seen, shown, heard } = await shop.onTheWire();
    assert.ok(heard && shown && seen.includes("udp/4789") && !seen.includes("protocol 50"), seen.join());
    await shop.assertExactMtu("v2", "v3");
  });

  it("shows ESP and nothing of what they say once the overlay is encrypted, and stays as it is", async () => {
    await sites.on("v1", "docker", "service", "rm", "shop");
    await shop.spec({ overlay: { native: { encrypted: true } } });
    await lab.up();
    assertNoChange(await lab.up());
    await shop.open();
    await shop.assertEncrypted();
    await shop.assertExactMtu("v3", "v2");
  });
});
