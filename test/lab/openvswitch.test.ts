import assert from "node:assert/strict";
import { capture, interfaceWith } from "../../tools/lab/capture";
import { eventually, proveByName, testImage } from "../../tools/lab/cluster";
import { docker } from "../../tools/lab/machines";
import { throughput, tryPacket } from "../../tools/lab/measure";
import { needTools, networkOf, networkOfContainer, startIn } from "../../tools/lab/namespace";
import { run } from "../../tools/lab/pulumi";
import { Sites } from "../../tools/lab/sites";
import { assertNoChange, Lab } from "./lab";
import { lookAtAll } from "./looks";

const subnet = "10.224.41.0/24";
const sites = new Sites("openvswitch", {
  rack: { subnet, hosts: { c1: {}, c2: { image: "pulumi-swarm-host:forky" }, c3: {}, w1: { image: "pulumi-swarm-host:bookworm" } } },
});
const lab = new Lab("openvswitch");

/** Host to the name that it has in the cluster. */
const keys = { c1: "control-c1", c2: "control-c2", c3: "control-c3", w1: "edge-w1" } as const;
type Name = keyof typeof keys;
const managers = ["c1", "c2", "c3"] as const;

interface Asked {
  readonly edge?: boolean;
  readonly networks?: object;
}

function group(role: string, ...members: readonly Name[]): object {
  const machines = members.map((name) => [name, { address: sites.host(name).address, hostKey: sites.keys.host.publicKey }]);
  return { role, site: "rack", network: subnet, machines: Object.fromEntries(machines) as object };
}

function spec({ edge = false, networks = {} }: Asked = {}): object {
  return {
    existing: { control: group("manager", ...managers), ...(edge && { edge: group("worker", "w1") }) },
    networks: { web: {}, store: {}, closed: { internal: true }, ...networks },
    overlay: { openvswitch: {} },
    firewall: { ssh: sites.admins },
    reachableSeconds: 60,
  };
}

const on = (name: Name, ...command: readonly string[]): Promise<string> => docker("exec", sites.host(name).machine, ...command);
const sh = (name: Name, command: string): Promise<string> => on(name, "sh", "-c", command);

interface Probe {
  readonly name: Name;
  readonly network: string;
  readonly address: string;
}

const containerIn = (network: string): string => `probe-${network}`;

/** A container that stays on a host, in one of the cluster's networks, and may do with its interface what it likes. */
async function probe(name: Name, network = "web"): Promise<Probe> {
  const options = `--detach --init --restart always --cap-add NET_ADMIN --name ${containerIn(network)} --network ${network}`;
  await eventually(`a container on ${name}`, 60, () =>
    sh(name, `docker rm -f ${containerIn(network)} >/dev/null 2>&1; docker run ${options} ${testImage} /bin/busybox sleep 1000000`),
  );
  return at(name, network);
}

async function at(name: Name, network = "web"): Promise<Probe> {
  const address = await on(
    name,
    "docker",
    "inspect",
    "--format",
    `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`,
    containerIn(network),
  );
  return { name, network, address };
}

/** A host's own programs in a container's network. */
const within = ({ name, network }: Probe, command: string): Promise<string> =>
  sh(name, `nsenter -t "$(docker inspect --format '{{.State.Pid}}' ${containerIn(network)})" -n ${command}`);

async function reaches(from: Probe, address: string, ...options: readonly string[]): Promise<boolean> {
  const said = await within(from, `ping -n -q -c 3 -i 0.2 -W 1 ${options.join(" ")} ${address} 2>&1 || true`);
  return !said.includes("Network is unreachable") && (/, (\d+) received/.exec(said)?.[1] ?? assert.fail(said)) !== "0";
}

/** Pings every 20 ms while something is done. */
async function lossWhile(from: Probe, to: Probe, work: () => Promise<unknown>): Promise<{ readonly sent: number; readonly lost: number }> {
  const pid = await on(from.name, "docker", "inspect", "--format", "{{.State.Pid}}", containerIn(from.network));
  const ping = `echo $$ >/run/pinging; exec nsenter --target ${pid} --net ping -q -i 0.02 -W 1 ${to.address}`;
  const pinging = run("docker", ["exec", sites.host(from.name).machine, "sh", "-c", ping]);
  await eventually("pings", 10, () => on(from.name, "cat", "/run/pinging"));
  try {
    await work();
    await eventually("an answer after it", 30, async () => ((await reaches(from, to.address)) ? true : undefined));
  } finally {
    await sh(from.name, "kill -INT $(cat /run/pinging); rm /run/pinging");
  }
  const [, sent = "0", received = "0"] = /(\d+) packets transmitted, (\d+) received/.exec((await pinging).stdout) ?? [];
  assert.ok(Number(sent) > 20, `only ${sent} pings`);
  // What was sent last was on its way when the ping was ended.
  return { sent: Number(sent), lost: Math.max(0, Number(sent) - Number(received) - 1) };
}

function tell(line: string): void {
  process.stdout.write(`      ${line}\n`);
}

const link = (end: "ovp" | "ovb" | "ovg" | "ovh", name: Name, network: string): Promise<string> =>
  sh(name, `awk '$1 == "${network}" { print $${{ ovp: 2, ovb: 3, ovg: 4, ovh: 5 }[end]} }' /etc/pulumi-swarm/openvswitch/networks`);
const gateway = (name: Name, network = "web"): Promise<string> =>
  sh(name, `awk '$1 == "${network}" { sub("/.*", "", $7); print $7 }' /etc/pulumi-swarm/openvswitch/networks`);

/** The life of one cluster, told in order: each test goes on from where the one before it ended. */
describe("a swarm on Open vSwitch", function () {
  this.timeout(900_000);
  this.bail(true);
  let web: Record<"c1" | "c2" | "c3", Probe>;

  before(async function () {
    // Two images may have to be made first.
    this.timeout(900_000);
    needTools(this, "nsenter", "nmap", "tcpdump", "nft", "iperf3");
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    await sites.build();
    await lab.spec(spec());
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("is made by one up, which warns where the kernel lacks it, and stays as it is", async () => {
    const { stdout, stderr } = await lab.up();
    const lacks = await sh("c1", "[ -d /sys/module/openvswitch ] || echo lacks");
    assert.equal(/control-c1: its kernel has no Open vSwitch/.test(stdout + stderr), lacks !== "");
    assertNoChange(await lab.up());
  });

  it("lets containers on different hosts and engines talk by name, each from its own address", async () => {
    await lab.withShell(async (shell) => {
      await shell.putTestImage();
      assert.equal(await proveByName(shell, keys.c1, keys.c2, "web"), `hello from ${keys.c2}`);
      assert.equal(await proveByName(shell, keys.c2, keys.c3, "closed"), `hello from ${keys.c3}`);
    });
    const create = "docker service create --detach --quiet --no-resolve-image --mode global --network web --stop-signal KILL --name everywhere";
    await sh("c1", `${create} ${testImage} /bin/busybox sleep 1000000`);
    const [c1, c2, c3] = await Promise.all(managers.map((name) => probe(name)));
    assert.ok(c1 && c2 && c3);
    web = { c1, c2, c3 };
    await eventually("the service is found by its tasks", 60, async () => {
      const said = await on("c1", "docker", "exec", "probe-web", "/bin/busybox", "nslookup", "tasks.everywhere");
      return new Set(said.match(/^Address: .*/gm)).size === managers.length ? true : undefined;
    });
    const { packets } = await capture(
      await networkOfContainer(sites.host("c2").machine, "probe-web"),
      "eth0",
      () => within(c1, `ping -q -c 1 -W 2 ${c2.address}`),
      ["icmp"],
    );
    assert.deepEqual(new Set(packets.map(({ from }) => from)), new Set([c1.address, c2.address]));
  });

  it("passes packets of exactly the planned size, and TCP between containers", async () => {
    const mtu = 1446;
    assert.equal((await lab.outputs()).plan.mtu, mtu);
    for (const [from, to] of [
      ["c1", "c2"],
      ["c2", "c3"],
      ["c3", "c1"],
    ] as const) {
      const tries = [mtu, mtu + 1].map((size) => tryPacket(sites.host(from).machine, "probe-web", web[to].address, size));
      assert.deepEqual(await Promise.all(tries), ["passes", "refused"], `${from} ${to}`);
    }
    const [from, to] = await Promise.all((["c1", "c2"] as const).map((name) => networkOfContainer(sites.host(name).machine, "probe-web")));
    assert.ok(from !== undefined && to !== undefined);
    // Without the checksums and sizes that a network card sees to, nothing of a connection passes but its first packets.
    const { bitsPerSecond } = await throughput(from, to, { address: web.c2.address, port: 5201 }, 2);
    tell(`${(bitsPerSecond / 1e9).toFixed(2)} Gbit/s between two containers`);
    assert.ok(bitsPerSecond > 1e7);
  });

  it("keeps networks apart, also by the hosts that route for them, and lets all out that are not internal", async () => {
    const [here, there, closed, far] = await Promise.all([probe("c1", "store"), probe("c2", "store"), probe("c1", "closed"), probe("c2", "closed")]);
    assert.ok(await reaches(here, there.address));
    assert.ok(await reaches(closed, far.address));
    const outside = sites.onlookerAddress("outsider", "rack");
    // Docker drops all that it does not know where it turned routing on itself.
    await sh("c1", "iptables -P FORWARD DROP");
    for (const one of [here, web.c1]) assert.ok(await reaches(one, outside), `${one.network} gets out`);
    await sh("c1", "iptables -P FORWARD ACCEPT");
    assert.equal(await reaches(closed, outside), false);
    for (const other of [here, there, closed, far]) assert.equal(await reaches(web.c1, other.address), false, `${other.network} on ${other.name}`);
    // Straight to another host, which is in both networks.
    await within(web.c1, `ip route add ${there.address} via ${await gateway("c2")}`);
    assert.equal(await reaches(web.c1, there.address), false);
    const plain = await sh(
      "c1",
      `docker run -d --name plain ${testImage} /bin/busybox sleep 1000; docker inspect -f '{{.NetworkSettings.IPAddress}}' plain`,
    );
    assert.equal(await reaches(web.c1, plain.split("\n").at(-1) ?? ""), false, "a container of the default bridge");
    assert.match(await sh("c1", `docker exec plain /bin/busybox ping -c 1 -W 1 ${web.c1.address} || true; docker rm -f plain`), /0 packets received/);
    const [outsider, way] = [sites.onlooker("outsider"), sites.host("c1").address];
    await docker("exec", outsider, "ip", "route", "replace", web.c1.address, "via", way);
    assert.match(await docker("exec", outsider, "sh", "-c", `ping -q -c 2 -W 1 ${web.c1.address} || true`), / 0 received/);
  });

  it("lets no container send as another host's, or speak for the host", async () => {
    const { c1, c2, c3 } = web;
    const foreign = `${c3.address.split(".").slice(0, 3).join(".")}.${Number(c3.address.split(".")[3]) + 9}`;
    await within(c1, `ip address add ${foreign}/19 dev eth0`);
    const { packets } = await capture(
      await networkOfContainer(sites.host("c2").machine, "probe-web"),
      "eth0",
      async () => assert.equal(await reaches(c1, c2.address, "-I", foreign), false),
      ["arp", "or", "icmp"],
    );
    assert.deepEqual(packets, []);
    await within(c1, `ip address del ${foreign}/19 dev eth0`);
    assert.ok(await reaches(c1, c2.address));
    for (const name of ["c1", "c2"] as const) {
      // The kernel is at the other end of the containers' link too, and would answer there for all of the host's addresses.
      assert.equal(await sh(name, `cat /proc/sys/net/ipv4/conf/${await link("ovp", name, "web")}/arp_ignore`), "8");
      const gate = await sh(name, `cat /sys/class/net/${await link("ovg", name, "web")}/address`);
      assert.ok(await reaches(c1, await gateway(name)));
      assert.match(
        await within(c1, `ip neigh show ${await gateway(name)}`),
        new RegExp(`lladdr ${gate} `),
        `${name} itself answers, and no port of its bridge`,
      );
    }
  });

  it("carries what is for all once to each", async () => {
    const broadcast = await within(web.c1, "ip -4 -o address show dev eth0 | sed 's/.* brd \\([0-9.]*\\) .*/\\1/; t; s/.*/none/'");
    const { subnet: range } = (await lab.outputs()).plan.networks.find(({ name }) => name === "web") ?? assert.fail();
    const to = broadcast === "none" ? range.replace("192.0/19", "223.255") : broadcast;
    const { packets } = await capture(
      await networkOfContainer(sites.host("c2").machine, "probe-web"),
      "eth0",
      () => within(web.c1, `sh -c 'ip link set eth0 up; ping -q -b -c 3 -i 0.3 -W 1 ${to} || true'`),
      ["icmp", "and", "ether", "broadcast"],
    );
    assert.equal(packets.length, 3, JSON.stringify(packets));
  });

  it("opens on each host exactly the ports of the plan", async () => {
    const { planned, found } = await lookAtAll(sites, (await lab.outputs()).plan);
    assert.deepEqual(found, planned);
    assert.deepEqual(found["control-c1 from control-c2 over the site"]?.udp, ["4789-4790", "7946"]);
  });

  it("sends containers' packets in plaintext over the site, as the plan says", async () => {
    const c1 = await networkOf(sites.host("c1").machine);
    const device = await interfaceWith(c1, sites.host("c1").address);
    const watching = await startIn(c1, /listening on/, "tcpdump", "-i", device, "-A", "-l", "udp", "port", "4790");
    await within(web.c1, `ping -q -c 3 -W 1 -p ${Buffer.from("ovs-mark-16-byte").toString("hex")} ${web.c2.address}`);
    const said = async (): Promise<string> => (await watching.stop()).replaceAll(/\s/g, "");
    assert.match(await said(), /ovs-mark/);
    assert.equal((await lab.outputs()).plan.encryption.find(({ channel }) => channel === "overlay data")?.protects, false);
  });

  it("takes a host with an older engine in, without the others losing a packet", async () => {
    await lab.spec(spec({ edge: true }));
    const { sent, lost } = await lossWhile(web.c1, web.c2, () => lab.up());
    tell(`a fourth host joined: ${lost} of ${sent} pings lost between two others`);
    assert.equal(lost, 0);
    await lab.withShell(async (shell) => {
      await shell.putTestImage([keys.w1]);
      assert.equal(await proveByName(shell, keys.c1, keys.w1, "web"), `hello from ${keys.w1}`);
    });
    const [newcomer, closed] = [await probe("w1"), await probe("w1", "closed")];
    assert.ok(await reaches(newcomer, web.c2.address));
    assert.ok(await reaches(closed, (await at("c2", "closed")).address));
    assert.equal(await within(closed, "ip route show default"), "", "its engine knows internal networks too");
    assert.ok(await reaches(newcomer, sites.onlookerAddress("outsider", "rack")));
  });

  it("is silent once, for some seconds at most, when ovs-vswitchd is killed or restarted, and then lets pass what it did before", async () => {
    for (const command of ["kill -9 $(pidof ovs-vswitchd)", "systemctl restart ovs-vswitchd"]) {
      const before = await sh("c1", "ovs-ofctl dump-flows ovs-swarm | sed 's/.*priority/priority/' | sort");
      const { sent, lost } = await lossWhile(web.c1, web.c2, async () => {
        await sh("c1", command);
        await eventually("its flows are back", 30, async () => {
          const after = await sh("c1", "ovs-ofctl dump-flows ovs-swarm | sed 's/.*priority/priority/' | sort");
          return after === before ? true : undefined;
        });
      });
      tell(`${command}: ${(lost * 0.02).toFixed(1)} s of silence (${lost} of ${sent} pings)`);
      assert.ok(lost * 0.02 < 10);
      assert.equal(await reaches(web.c1, (await at("c2", "store")).address), false);
    }
    await lossWhile(web.c1, web.c2, () => sh("c3", "systemctl restart docker"));
    await eventually("a container of c3 answers", 60, async () => ((await reaches(web.c1, (await at("c3")).address)) ? true : undefined));
  });

  it("comes up with a host that was turned off and on, at the same addresses", async () => {
    const before = await gateway("c3");
    const { sent, lost } = await lossWhile(web.c1, web.c2, async () => {
      await sites.reboot("c3");
      await eventually("the container on c3 answers", 120, async () => ((await reaches(web.c1, (await at("c3")).address)) ? true : undefined));
    });
    tell(`reboot of a third host: ${lost} of ${sent} pings lost between two others`);
    assert.equal(lost, 0);
    assert.equal(await gateway("c3"), before);
    assert.ok(await reaches(await at("c3"), sites.onlookerAddress("outsider", "rack")));
    assert.equal(await reaches(await at("c3"), (await at("c1", "store")).address), false);
    await eventually("names resolve there", 60, () => on("c3", "docker", "exec", "probe-web", "/bin/busybox", "nslookup", "tasks.everywhere"));
  });

  it("adds and removes a network while others carry on", async () => {
    await lab.spec(spec({ edge: true, networks: { more: {} } }));
    const { lost } = await lossWhile(web.c1, web.c2, () => lab.up());
    assert.ok(await reaches(await probe("c1", "more"), (await probe("c2", "more")).address));
    for (const name of ["c1", "c2"] as const) await sh(name, "docker rm -f probe-more");
    await lab.spec(spec({ edge: true }));
    const removed = await lossWhile(web.c1, web.c2, async () => {
      await lab.up();
      // The host's part of it goes with the next run, when the swarm has it no more.
      await lab.spec({ ...spec({ edge: true }), recheck: "after a network" });
      await lab.up();
    });
    assert.deepEqual([lost, removed.lost], [0, 0]);
    assert.equal(await sh("c1", "docker network ls --format '{{.Name}}' | grep more || true"), "");
    assert.equal((await sh("c1", "ls -d /sys/class/net/ovb-*")).split("\n").length, 3);
  });

  it("lets a host go: its tunnels are gone, and all of ours on it", async () => {
    await sh("w1", "docker rm -f probe-web probe-closed");
    await lab.spec(spec());
    const { sent, lost } = await lossWhile(web.c1, web.c2, () => lab.up());
    tell(`a host left: ${lost} of ${sent} pings lost between two others`);
    assert.equal(lost, 0);
    for (const name of managers) assert.equal((await sh(name, "ls -d /sys/class/net/ovx-*")).split("\n").length, 2);
    assert.equal(await leftOn("w1"), "");
  });

  it("leaves nothing on the hosts after a destroy but the program", async () => {
    for (const name of managers) await sh(name, "docker rm -f probe-web probe-store probe-closed >/dev/null 2>&1 || true");
    await sh("c1", "docker service rm everywhere");
    const result = await lab.stack.destroy();
    assert.equal(result.code, 0, result.stdout + result.stderr);
    for (const name of managers) assert.equal(await leftOn(name), "", name);
    assert.equal(await sh("c1", "systemctl is-active ovs-vswitchd"), "active");
  });
});

/** Files, units, bridges, interfaces, rules and networks of ours. */
function leftOn(name: Name): Promise<string> {
  const looks = [
    "ls -d /etc/pulumi-swarm/openvswitch /etc/systemd/system/ovs-vswitchd.service.d 2>/dev/null",
    "ls /etc/systemd/system | grep pulumi-swarm-openvswitch",
    "ip -o link | grep -E 'ov[pbghx]-|ovs-swarm'",
    "ovs-vsctl list-br; ovs-vsctl get Open_vSwitch . other_config | grep tso",
    "iptables-save | grep -iE 'openvswitch|ovg'",
    "nft list tables | grep openvswitch",
    "docker network ls | grep -E 'openvswitch|pulumi-swarm'",
  ];
  return sh(name, `${looks.map((look) => `{ ${look}; true; }`).join("; ")}`);
}
