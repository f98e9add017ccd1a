import assert from "node:assert/strict";
import { capture, interfaceWith, kinds } from "../../tools/lab/capture";
import { eventually, proveByName, testImage } from "../../tools/lab/cluster";
import { docker } from "../../tools/lab/machines";
import { tryPacket } from "../../tools/lab/measure";
import { needTools, networkOf, startIn } from "../../tools/lab/namespace";
import { mirrorOf, needImages } from "../../tools/lab/registry";
import { Sites } from "../../tools/lab/sites";
import { assertNoChange, Lab } from "./lab";

const sites = new Sites("flansite", {
  a: { subnet: "10.244.42.0/24", hosts: { a1: {}, a2: {} } },
  b: { subnet: "10.244.43.0/24", router: "masquerades", hosts: { b1: {} } },
});
const lab = new Lab("flansite");
const keys = { a1: "open-a1", a2: "open-a2", b1: "hidden-b1" } as const;
type Name = keyof typeof keys;
const names = Object.keys(keys) as Name[];
const mark = "flannel-mark";

function group(site: string, ...members: readonly Name[]): object {
  const machines = members.map((name) => {
    const { address, publicAddress } = sites.host(name);
    return [name, { address, hostKey: sites.keys.host.publicKey, ...(publicAddress !== undefined && { publicAddress }) }];
  });
  return { role: "manager", site, network: sites.subnet(site), machines: Object.fromEntries(machines) as object };
}

const on = (name: Name, ...command: readonly string[]): Promise<string> => docker("exec", sites.host(name).machine, ...command);

async function pings(from: Name, to: Name): Promise<string> {
  const address = await on(to, "docker", "inspect", "--format", "{{.NetworkSettings.Networks.web.IPAddress}}", "probe");
  const process = await on(from, "docker", "inspect", "--format", "{{.State.Pid}}", "probe");
  const pattern = Buffer.from(mark).toString("hex");
  return on(from, "nsenter", "--target", process, "--net", "ping", "-q", "-c", "2", "-i", "0.2", "-W", "1", "-p", pattern, address);
}

describe("flannel inside the encrypted tunnel of two sites", function () {
  this.timeout(300_000);
  this.bail(true);

  before(async function () {
    needTools(this, "nsenter", "tcpdump", "nft");
    await needImages(this, "flannel-io/flannel:v0.28.10", "etcd-development/etcd:v3.5.35");
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    await sites.build();
    const mirror = await mirrorOf("flansite-net-a");
    await lab.spec({
      existing: { open: group("a", "a1", "a2"), hidden: group("b", "b1") },
      networks: { web: {} },
      wireguard: {},
      overlay: { flannel: {} },
      programs: { mirror },
      engine: { settings: { "insecure-registries": [mirror] } },
      firewall: { ssh: sites.admins },
    });
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("is made by one up, and stays as it is", async () => {
    await lab.up();
    assertNoChange(await lab.up());
    const { plan } = await lab.outputs();
    assert.equal(plan.mtu, 1390);
    assert.equal(plan.encryption.find(({ channel }) => channel === "overlay data")?.protects, true);
  });

  it("lets containers of both sites talk by name, in packets of exactly the planned size", async () => {
    await lab.withShell(async (shell) => {
      await shell.putTestImage();
      assert.equal(await proveByName(shell, keys.a1, keys.b1, "web"), `hello from ${keys.b1}`);
      assert.equal(await proveByName(shell, keys.b1, keys.a2, "web"), `hello from ${keys.a2}`);
    });
    for (const name of names)
      await on(name, "docker", "run", "-d", "--name", "probe", "--network", "web", testImage, "/bin/busybox", "sleep", "1000000");
    const address = await on("b1", "docker", "inspect", "--format", "{{.NetworkSettings.Networks.web.IPAddress}}", "probe");
    const sizes = [1390, 1391].map((size) => tryPacket(sites.host("a1").machine, "probe", address, size));
    assert.deepEqual(await Promise.all(sizes), ["passes", "refused"]);
  });

  it("shows nothing of containers or etcd on the way: a mark sent between them is in the tunnel only", async () => {
    const router = await networkOf(sites.routerMachine("b"));
    const device = await interfaceWith(router, sites.routerAddress("b", "link"));
    const watching = await startIn(router, /listening on/, "tcpdump", "-i", device, "-A", "-l", "-s", "0", "not", "udp", "port", "53");
    const { packets } = await capture(router, device, async () => pings("a1", "b1"), ["not", "udp", "port", "53"]);
    assert.doesNotMatch((await watching.stop()).replaceAll(/\s/g, ""), new RegExp(mark));
    const seen = [...kinds(packets, ["arp", "ndp", "tcp/22", "udp/51820"]).keys()].filter((kind) => !["arp", "ndp", "tcp/22"].includes(kind));
    assert.deepEqual(seen, ["udp/51820"]);
    // The control: inside the tunnel it can be read.
    const a1 = await networkOf(sites.host("a1").machine);
    const inside = await startIn(a1, /listening on/, "tcpdump", "-i", "swarm0", "-A", "-l", "-s", "0");
    await pings("a1", "b1");
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.match((await inside.stop()).replaceAll(/\s/g, ""), new RegExp(mark));
  });

  it("comes back by itself when a host's tunnel is made anew, which takes VXLAN's device away", async () => {
    const began = Date.now();
    await on("a1", "systemctl", "restart", "pulumi-swarm-wireguard");
    await eventually("containers meet again", 60, () => pings("a1", "b1"));
    await eventually("and in the other direction", 60, () => pings("b1", "a1"));
    process.stdout.write(`      containers met again ${((Date.now() - began) / 1000).toFixed(1)} s after the tunnel was made anew\n`);
  });
});
