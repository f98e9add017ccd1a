import assert from "node:assert/strict";
import { capture, interfaceWith, kinds } from "../../tools/lab/capture";
import { eventually, proveByName, testImage } from "../../tools/lab/cluster";
import { docker } from "../../tools/lab/machines";
import { tryPacket } from "../../tools/lab/measure";
import { needTools, networkOf, startIn } from "../../tools/lab/namespace";
import { mirrorOf, needImages } from "../../tools/lab/registry";
import { Sites } from "../../tools/lab/sites";
import { etcdctl } from "./etcd-call";
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

let mirror = "";

function spec(more: object = {}): object {
  return {
    existing: { open: group("a", "a1", "a2"), hidden: group("b", "b1") },
    networks: { web: {} },
    wireguard: {},
    overlay: { flannel: {} },
    programs: { mirror },
    engine: { settings: { "insecure-registries": [mirror] } },
    firewall: { ssh: sites.admins },
    ...more,
  };
}

const on = (name: Name, ...command: readonly string[]): Promise<string> => docker("exec", sites.host(name).machine, ...command);

const sh = (name: Name, script: string): Promise<string> => on(name, "sh", "-euc", script);

async function allAnswer(): Promise<void> {
  await eventually("all of etcd's members answer", 60, () => sh("a2", etcdctl("endpoint health --cluster")));
}

async function containerSubnet(name: Name): Promise<string> {
  const { plan } = await lab.outputs();
  return plan.hosts.find(({ key }) => key === keys[name])?.containerSubnet ?? assert.fail(`the plan gives ${name} no subnet`);
}

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
    mirror = await mirrorOf("flansite-net-a");
    await lab.spec(spec());
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

  it("lets a flanneld that slept past a compaction of etcd learn of a host that came meanwhile", async () => {
    const own = (await containerSubnet("a1")).split(".");
    // A host of nobody's: its subnet is in the group's block, at a place that no host has.
    const subnet = [own[0], own[1], String(Number(own[2]) + 9), "0"].join(".");
    const key = `/coreos.com/network/subnets/${subnet}-24`;
    const lease = {
      PublicIP: sites.onlookerAddress("outsider", "a"),
      BackendType: "vxlan",
      BackendData: { VNI: 1, VtepMAC: "5a:00:00:00:00:99" },
    };
    await sh("a1", "kill -STOP $(pidof flanneld)");
    try {
      // What etcd had sent already lies in the connection: it must end, so that flanneld asks for what is gone.
      for (const name of names) {
        await sh(name, "systemctl restart pulumi-swarm-flannel-etcd");
        await allAnswer();
      }
      await sh("a2", `printf '%s' '${JSON.stringify(lease)}' | (${etcdctl(`put ${key}`)})`);
      await sh("a2", `for n in 1 2 3; do ${etcdctl("put /else mark")}; done`);
      const revision = /"revision":(\d+)/.exec(await sh("a2", etcdctl("get /else -w json")))?.[1] ?? assert.fail("etcd tells no revision");
      await sh("a2", etcdctl(`compact ${revision}`));
    } finally {
      await sh("a1", "kill -CONT $(pidof flanneld)");
    }
    const hasRoute = async (): Promise<boolean> => (await sh("a1", "ip route")).includes(`${subnet}/24 `);
    await eventually("the route to it", 60, async () => ((await hasRoute()) ? true : undefined));
    // 0.28.10 takes its own lease for gone too, and tries for minutes to forget itself before it goes on to what comes next.
    await sh("a1", "systemctl restart pulumi-swarm-flannel");
    await sh("a2", etcdctl(`del ${key}`));
    await eventually("no route to it", 60, async () => ((await hasRoute()) ? undefined : true));
  });

  it("refuses within a limit when etcd has no majority, names who is away, and is whole again when they are back", async () => {
    const away = ["a2", "b1"] as const;
    await lab.spec(spec({ recheck: "no majority", reachableSeconds: 8 }));
    await Promise.all(away.map((name) => docker("pause", sites.host(name).machine)));
    try {
      const began = Date.now();
      const { code, stdout, stderr } = await lab.stack.up();
      assert.notEqual(code, 0);
      // The swarm has lost its majority with them, and says so first where its manager has noticed.
      assert.match(
        stdout + stderr,
        /etcd: no majority of its members answers, and (open-a2, hidden-b1|hidden-b1, open-a2) cannot be reached|The swarm has lost its quorum: open-a1 of 3 hosts is a manager that answers/,
      );
      process.stdout.write(`      refused after ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
    } finally {
      await Promise.all(away.map((name) => docker("unpause", sites.host(name).machine)));
    }
    await eventually("containers meet again", 60, () => pings("a1", "b1"));
    await lab.spec(spec({ recheck: "a majority" }));
    await lab.up();
  });
});
