import assert from "node:assert/strict";
import { proveByName, eventually, testImage } from "../../tools/lab/cluster";
import { capture, interfaceWith, kinds, type Packet } from "../../tools/lab/capture";
import { throughput, tryPacket } from "../../tools/lab/measure";
import { needTools, type NetworkFile, networkOf, networkOfContainer } from "../../tools/lab/namespace";
import { echoUdp, get, probeUdp } from "../../tools/lab/scan";
import { argumentsDuring } from "../../tools/lab/secrets";
import { Sites } from "../../tools/lab/sites";
import { SshSession } from "../../components/remote/ssh";
import { assertNoChange, Lab } from "./lab";
import { lookAtAll } from "./looks";

const sites = new Sites("site", {
  a: { subnet: "10.244.1.0/24", hosts: { a1: {}, a2: {} } },
  b: { subnet: "10.244.2.0/24", router: "masquerades", hosts: { b1: {}, b2: {} } },
});
const lab = new Lab("site");

/** Host to the name that it has in the cluster. */
const keys = { a1: "open-a1", a2: "open-a2", b1: "hidden-b1", b2: "edge-b2" } as const;
type Name = keyof typeof keys;
const names = Object.keys(keys) as Name[];

const outsiders = ["a", "b"].map((site) => `${sites.onlookerAddress("outsider", site)}/32`);
/** What the service publishes on each host: for everybody, for the outsider, for nobody, and for the outsider a second time. */
const published = { world: 8080, outsider: 8081, nobody: 8082, load: 8083, ingress: 8090 } as const;
const loadPort = 5201;
const names8053 = { container: 53, published: 8053 } as const;

function group(role: string, site: string, ...members: readonly Name[]): object {
  const machines = members.map((name) => {
    const { address, publicAddress } = sites.host(name);
    return [name, { address, hostKey: sites.keys.host.publicKey, ...(publicAddress !== undefined && { publicAddress }) }];
  });
  return { role, site, network: sites.subnet(site), machines: Object.fromEntries(machines) as object };
}

function spec(more: { ssh?: readonly string[]; rotation?: string; autolock?: boolean; recheck?: string } = {}): object {
  return {
    existing: {
      open: group("manager", "a", "a1", "a2"),
      hidden: group("manager", "b", "b1"),
      edge: group("worker", "b", "b2"),
    },
    networks: { web: {} },
    wireguard: { ...(more.rotation !== undefined && { rotation: more.rotation }) },
    ...(more.autolock !== undefined && { swarm: { autolock: more.autolock } }),
    ...(more.recheck !== undefined && { recheck: more.recheck }),
    firewall: {
      ssh: more.ssh ?? sites.admins,
      expose: {
        website: { port: published.world, from: ["world"], publish: "host" },
        shop: { port: published.outsider, from: outsiders, publish: "host" },
        load: { port: published.load, from: outsiders, publish: "host" },
        names: { port: names8053.published, protocol: "udp", from: outsiders, publish: "host" },
        mesh: { port: published.ingress, from: ["world"] },
      },
      allow: { metrics: { port: "9100-9110", from: ["managers"], on: "workers" } },
    },
  };
}

const on = (name: Name, ...command: readonly string[]): Promise<string> => sites.on(name, ...command);

/** The container of the service that runs on a host. */
async function task(name: Name): Promise<{ id: string; address: string; network: NetworkFile }> {
  const id = await on(name, "docker", "ps", "-q", "--filter", "label=com.docker.swarm.service.name=everywhere");
  assert.match(id, /^[0-9a-f]{12}$/, `one task on ${name}`);
  const address = await on(name, "docker", "inspect", "--format", "{{.NetworkSettings.Networks.web.IPAddress}}", id);
  return { id, address, network: await networkOfContainer(sites.host(name).machine, id) };
}

async function answersHttp(name: Name): Promise<void> {
  await eventually(`the service answers on ${name}`, 60, async () =>
    (await get(await sites.network("outsider"), sites.host(name).address, published.world))?.includes("everywhere") ? true : undefined,
  );
}

/** One task on each host, with all the published ports. */
async function startService(): Promise<void> {
  await lab.withShell((shell) => shell.putTestImage());
  // Each its own port in the container: of two for one, Docker would publish the last.
  const web = [published.world, published.outsider, published.nobody];
  const publish = [
    ...web.map((port) => `published=${port},target=${port}`),
    `published=${published.load},target=${loadPort}`,
    `published=${names8053.published},target=${names8053.container},protocol=udp`,
  ];
  const httpd = web.map((port) => `/bin/busybox httpd -p ${port} -h /www`).join(" && ");
  const serve = `mkdir -p /www && echo everywhere > /www/index.html && ${httpd} && exec sleep 1000000`;
  const options =
    "service create --detach --quiet --no-resolve-image --name everywhere --mode global --endpoint-mode dnsrr --network web --stop-signal KILL".split(
      " ",
    );
  const flags = publish.flatMap((port) => ["--publish", `mode=host,${port}`]);
  await on("a1", "docker", ...options, ...flags, testImage, "/bin/busybox", "sh", "-c", serve);
  await Promise.all(names.map(answersHttp));
}

/** Everything that a host which was turned off and on must do again without help. */
async function assertAtWork(name: Name): Promise<void> {
  const leader = name === "a1" ? "a2" : "a1";
  await eventually("all hosts are ready", 90, async () => {
    const states = await on(leader, "docker", "node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.ManagerStatus}}");
    if ((states.match(/^\S+ Ready\b/gm) ?? []).length === names.length) return true;
    throw new Error(states);
  });
  assert.match(await on(name, "nft", "list", "table", "inet", "pulumi_swarm"), /hook input/);
  const { plan } = await lab.outputs();
  for (const { key, tunnelAddress = "" } of plan.hosts.filter((host) => host.key !== keys[name])) {
    await eventually(`${name} reaches ${key} by the tunnel`, 40, () => on(name, "ping", "-c", "1", "-W", "2", tunnelAddress));
  }
  await answersHttp(name);
}

/**
 * All that passes between the sites while some work is done. A name that no network of the cluster knows, Docker asks of the
 * machine's own resolver, which the hidden hosts happen to reach by the same link: that alone is left out.
 */
async function onTheLink<T>(work: () => Promise<T>): Promise<{ readonly packets: readonly Packet[]; readonly result: T }> {
  const router = await networkOf(sites.routerMachine("b"));
  const device = await interfaceWith(router, sites.routerAddress("b", "link"));
  const between = (end: string): string => `(${["a", "b"].map((site) => `${end} net ${sites.subnet(site)}`).join(" or ")})`;
  return capture(router, device, work, [`not udp port 53 or (${between("src")} and ${between("dst")})`]);
}

/** The life of one cluster, told in order: each test goes on from where the one before it ended. */
describe("a swarm of two sites, one of them hidden behind its router", function () {
  this.timeout(300_000);
  this.bail(true);

  before(async function () {
    needTools(this, "nsenter", "nmap", "tcpdump", "iperf3", "nft");
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    await sites.build();
    await lab.spec(spec());
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("is made by one up, in which all hosts are members by their tunnel addresses, and stays as it is", async () => {
    await lab.up();
    const { plan } = await lab.outputs();
    const planned = Object.fromEntries(plan.hosts.map(({ place, tunnelAddress }) => [place, `active ${tunnelAddress}`]));
    const members = names.map(async (name) => [name, await on(name, "docker", "info", "--format", "{{.Swarm.LocalNodeState}} {{.Swarm.NodeAddr}}")]);
    assert.deepEqual(Object.fromEntries((await Promise.all(members)) as [string, string][]), planned);
    assertNoChange(await lab.up());
  });

  it("lets services of both sites talk by name, of which the link between the sites shows nothing", async () => {
    await startService();
    const { packets, result } = await onTheLink(() =>
      lab.withShell(async (shell) => [await proveByName(shell, keys.a1, keys.b2, "web"), await proveByName(shell, keys.b1, keys.a2, "web")]),
    );
    assert.deepEqual(result, [`hello from ${keys.b2}`, `hello from ${keys.a2}`]);
    const seen = kinds(packets, ["arp", "ndp", "tcp/22", "udp/51820"]);
    process.stdout.write(`      on the link: ${[...seen].map(([kind, count]) => `${count} ${kind}`).join(", ")}\n`);
    assert.deepEqual(
      [...seen.keys()].filter((kind) => !["arp", "ndp", "tcp/22"].includes(kind)),
      ["udp/51820"],
    );
    assert.ok((seen.get("udp/51820") ?? 0) > 20, "the tunnel was used");
  });

  it("carries packets of exactly the planned size in one piece, and refuses one byte more", async () => {
    const { mtu } = (await lab.outputs()).plan;
    const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => ({ from, to })));
    const tasks = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await task(name)] as const)));
    const { packets, result } = await onTheLink(async () => {
      const tries = pairs.flatMap((pair) => [mtu, mtu + 1].map((size) => ({ ...pair, size })));
      return Promise.all(
        tries.map(
          async ({ from, to, size }) =>
            `${from} ${to} ${size} ${await tryPacket(sites.host(from).machine, tasks[from]?.id, tasks[to]?.address ?? "", size)}`,
        ),
      );
    });
    assert.deepEqual(
      result,
      pairs.flatMap(({ from, to }) => [`${from} ${to} ${mtu} passes`, `${from} ${to} ${mtu + 1} refused`]),
    );
    assert.equal(packets.filter(({ fragment }) => fragment).length, 0);
    // Larger ones are several in a row, which the kernel hands to the router as one.
    assert.ok(
      packets.some(({ size }) => size === 1500),
      "the largest packets fill the link",
    );
  });

  it("opens on each host exactly the ports of the plan, to outsiders, admins and members, over site and tunnel", async () => {
    const { planned, found } = await lookAtAll(sites, (await lab.outputs()).plan);
    assert.deepEqual(found, planned);
    for (const [look, { tcp, udp }] of Object.entries(found)) process.stdout.write(`      ${look}: tcp ${tcp.join(",")} udp ${udp.join(",")}\n`);
  });

  it("lets nobody to a published port that is not exposed, and only those that are named to one that is", async () => {
    const { outsider, admin } = { outsider: await sites.network("outsider"), admin: await sites.network("admin") };
    const checkHost = async (name: Name): Promise<void> => {
      const { address, machine } = sites.host(name);
      const reached = async (from: NetworkFile): Promise<object> =>
        Object.fromEntries(
          await Promise.all(
            (["world", "outsider", "nobody"] as const).map(async (port) => [port, (await get(from, address, published[port])) !== undefined]),
          ),
        ) as object;
      assert.deepEqual(await reached(outsider), { world: true, outsider: true, nobody: false }, name);
      assert.deepEqual(await reached(admin), { world: true, outsider: false, nobody: false }, name);
      // On the host itself it is there: what is closed outside is closed by the firewall.
      assert.match((await get(await networkOf(machine), address, published.nobody)) ?? "", /everywhere/);
      const echo = await echoUdp((await task(name)).network, names8053.container);
      assert.deepEqual(await probeUdp(outsider, address, names8053.published), [names8053.published]);
      assert.deepEqual(await probeUdp(admin, address, names8053.published), []);
      await echo.stop();
    };
    await Promise.all(names.map(checkHost));
  });

  it("lets those that are named to a port that the ingress mesh publishes", async function () {
    // Docker balances the mesh by IPVS.
    const ipvs = await on("a1", "sh", "-c", "test -d /proc/sys/net/ipv4/vs && echo yes || echo no");
    if (ipvs === "no") {
      process.stdout.write("      this machine's kernel has no IPVS, without which Docker has no ingress mesh: left out\n");
      this.skip();
    }
    await on(
      "a1",
      "docker",
      "service",
      "update",
      "--quiet",
      "--detach",
      "--publish-add",
      `published=${published.ingress},target=${published.world}`,
      "everywhere",
    );
    await eventually("the mesh answers", 60, async () => get(await sites.network("outsider"), sites.host("b2").address, published.ingress));
  });

  it("loses no connection when the firewall is loaded twenty times", async () => {
    const [one, two, far] = [await task("a1"), await task("a2"), await task("b1")];
    const outsider = await sites.network("outsider");
    const overlay = throughput(far.network, one.network, { address: one.address, port: loadPort }, 20);
    const throughDocker = throughput(outsider, two.network, { address: sites.host("a2").address, port: published.load, serverPort: loadPort }, 20);
    let ended = false;
    void Promise.allSettled([overlay, throughDocker]).then(() => (ended = true));
    const reload = "for round in $(seq 20); do nft -f /etc/pulumi-swarm/firewall.nft; sleep 0.3; done";
    await Promise.all(names.map((name) => on(name, "sh", "-euc", reload)));
    assert.equal(ended, false, "the connections were held all the while");
    for (const { bitsPerSecond, intervals } of await Promise.all([overlay, throughDocker])) {
      process.stdout.write(`      held at ${(bitsPerSecond / 1e6).toFixed(0)} Mbit/s\n`);
      assert.ok(intervals.length >= 12);
    }
  });

  it("comes back by itself from rules that lock its operator out, and says so", async () => {
    await lab.spec(spec({ ssh: ["203.0.113.0/24"] }));
    const result = await lab.stack.up();
    assert.notEqual(result.code, 0);
    assert.match(
      result.stdout + result.stderr,
      /open-a1: with the new firewall rules no new SSH connection came within 15 s, so the old rules are back/,
    );
    for (const name of names) {
      const session = await SshSession.open(keys[name], sites.connection(name), { reachable: 5_000, dial: 3_000, keepAlive: 5_000 });
      session.close();
    }
    await lab.spec(spec());
    await lab.up();
  });

  it("takes other keys for the tunnel, none of which is seen anywhere but on its host", async () => {
    const privateKeys = async (): Promise<string[]> =>
      (await Promise.all(names.map((name) => on(name, "sh", "-c", "cat /etc/pulumi-swarm/wireguard/private.key*")))).flatMap((text) =>
        text.split("\n"),
      );
    const before = await privateKeys();
    await lab.spec(spec({ rotation: "second" }));
    const { result, seen } = await argumentsDuring(() => lab.stack.up({}, "--diff"));
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const secrets = [...new Set([...before, ...(await privateKeys())])];
    assert.equal(secrets.length, 2 * names.length, "each host has another key than before");
    const places = {
      state: (await lab.stack.pulumi(["stack", "export", "--show-secrets"])).stdout,
      outputs: (await lab.stack.pulumi(["stack", "output", "--json", "--show-secrets"])).stdout,
      output: result.stdout + result.stderr,
      arguments: seen,
      journals: (await Promise.all(names.map((name) => on(name, "journalctl", "--no-pager", "-o", "verbose")))).join("\n"),
    };
    assert.match(places.state, /BEGIN OPENSSH PRIVATE KEY/, "the state is shown with its secrets");
    assert.match(places.arguments, /swarm-up/, "arguments were seen");
    for (const secret of secrets) {
      assert.match(secret, /^[A-Za-z0-9+/]{43}=$/);
      for (const [where, text] of Object.entries(places)) assert.ok(!text.includes(secret), `a private key is in the ${where}`);
    }
  });

  for (const name of names) {
    it(`is whole again when ${name} was turned off and on`, async () => {
      await sites.reboot(name);
      await assertAtWork(name);
    });
  }

  it("is unlocked by the next up when its managers' keys are locked", async () => {
    await lab.spec(spec({ rotation: "second", autolock: true }));
    await lab.up();
    await sites.reboot("b1");
    await eventually("b1 is locked", 60, async () =>
      (await on("b1", "docker", "info", "--format", "{{.Swarm.LocalNodeState}}")) === "locked" ? true : undefined,
    );
    await lab.spec(spec({ rotation: "second", autolock: true, recheck: "after the reboot" }));
    await lab.up();
    await assertAtWork("b1");
  });

  it("leaves neither tunnel nor firewall behind when it is destroyed", async () => {
    await on("a1", "docker", "service", "rm", "everywhere");
    const result = await lab.stack.destroy();
    assert.equal(result.code, 0, result.stdout + result.stderr);
    for (const name of names) {
      const left = "nft list tables; ip -o link show swarm0 2>/dev/null || true; ls -d /etc/pulumi-swarm 2>/dev/null || true";
      assert.doesNotMatch(await on(name, "sh", "-c", left), /pulumi|swarm0/);
    }
  });
});
