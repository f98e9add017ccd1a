import assert from "node:assert/strict";
import { capture } from "../../tools/lab/capture";
import { eventually, proveByName, testImage } from "../../tools/lab/cluster";
import { docker } from "../../tools/lab/machines";
import { tryPacket } from "../../tools/lab/measure";
import { needTools, networkOfContainer } from "../../tools/lab/namespace";
import { argumentsDuring } from "../../tools/lab/secrets";
import { run } from "../../tools/lab/pulumi";
import { Sites } from "../../tools/lab/sites";
import { assertNoChange, Lab } from "./lab";
import { lookAtAll } from "./looks";

const subnet = "10.222.41.0/24";
const sites = new Sites("calico", { rack: { subnet, hosts: { c1: {}, c2: {}, c3: {}, w1: {} } } });
const lab = new Lab("calico");

/** Host to the name that it has in the cluster. */
const keys = { c1: "control-c1", c2: "control-c2", c3: "control-c3", w1: "edge-w1" } as const;
type Name = keyof typeof keys;
const managers = ["c1", "c2", "c3"] as const;

function group(role: string, ...members: readonly Name[]): object {
  const machines = members.map((name) => [name, { address: sites.host(name).address, hostKey: sites.keys.host.publicKey }]);
  return { role, site: "rack", network: subnet, machines: Object.fromEntries(machines) as object };
}

interface Asked {
  readonly edge?: boolean;
  readonly recheck?: string;
  readonly calico?: object;
}

function spec({ edge = false, recheck, calico = {} }: Asked = {}): object {
  return {
    existing: { control: group("manager", ...managers), ...(edge && { edge: group("worker", "w1") }) },
    networks: { web: {}, store: {} },
    addressSpace: "10.223.0.0/16",
    overlay: { calico },
    firewall: { ssh: sites.admins },
    ...(recheck !== undefined && { recheck }),
  };
}

const on = (name: Name, ...command: readonly string[]): Promise<string> => docker("exec", sites.host(name).machine, ...command);
const sh = (name: Name, command: string): Promise<string> => on(name, "sh", "-c", command);

async function containerSubnet(name: Name): Promise<string> {
  const { plan } = await lab.outputs();
  return plan.hosts.find(({ key }) => key === keys[name])?.containerSubnet ?? assert.fail(`the plan gives ${name} no subnet`);
}

interface Probe {
  readonly name: Name;
  /** Process in the container, on its host. */
  readonly process: string;
  readonly address: string;
}

/** A container that stays on a host, in one of the cluster's networks. */
async function probe(name: Name, network = "web"): Promise<Probe> {
  const container = `probe-${network}`;
  await eventually(`a container on ${name}`, 60, () =>
    sh(
      name,
      `docker rm -f ${container} >/dev/null 2>&1; docker run -d --restart always --name ${container} --network ${network} ${testImage} /bin/busybox sleep 1000000`,
    ),
  );
  return at(name, network);
}

async function at(name: Name, network = "web"): Promise<Probe> {
  const container = `probe-${network}`;
  const process = await on(name, "docker", "inspect", "--format", "{{.State.Pid}}", container);
  const address = await on(name, "docker", "inspect", "--format", `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, container);
  return { name, process, address };
}

const pings = (from: Probe, address: string, ...options: readonly string[]): Promise<string> =>
  on(from.name, "nsenter", "--target", from.process, "--net", "ping", "-q", "-c", "1", "-W", "1", ...options, address);

/** Pings every 20 ms while something is done. */
async function lossWhile(from: Probe, to: Probe, work: () => Promise<unknown>): Promise<{ readonly sent: number; readonly lost: number }> {
  const ping = `echo $$ >/run/pinging; exec nsenter --target ${from.process} --net ping -q -i 0.02 -W 1 ${to.address}`;
  const pinging = run("docker", ["exec", sites.host(from.name).machine, "sh", "-c", ping]);
  await eventually("pings", 10, () => on(from.name, "cat", "/run/pinging"));
  try {
    await work();
    await eventually("an answer after it", 20, () => pings(from, to.address));
  } finally {
    await sh(from.name, "kill -INT $(cat /run/pinging); rm /run/pinging");
  }
  const [, sent = "0", received = "0"] = /(\d+) packets transmitted, (\d+) received/.exec((await pinging).stdout) ?? [];
  assert.ok(Number(sent) > 20, `only ${sent} pings`);
  // What was sent last was on its way when the ping was ended.
  return { sent: Number(sent), lost: Math.max(0, Number(sent) - Number(received) - 1) };
}

const birdc = (name: Name, question: string): Promise<string> => sh(name, `birdc -r -s /run/pulumi-swarm-calico/bird.ctl ${question}`);
const password = (name: Name): Promise<string> => sh(name, `sed -n 's/.*password "\\(.*\\)";/\\1/p' /etc/pulumi-swarm/calico/password.conf`);

function tell(line: string): void {
  process.stdout.write(`      ${line}\n`);
}

async function seconds<T>(work: () => Promise<T>): Promise<{ readonly took: string; readonly result: T }> {
  const began = Date.now();
  const result = await work();
  return { took: ((Date.now() - began) / 1000).toFixed(1), result };
}

/** The life of one cluster, told in order: each test goes on from where the one before it ended. */
describe("a swarm on calico", function () {
  this.timeout(900_000);
  this.bail(true);
  let web: Record<"c1" | "c2" | "c3", Probe>;
  const probes = async (): Promise<void> => {
    const [c1, c2, c3] = await Promise.all(managers.map((name) => at(name)));
    assert.ok(c1 && c2 && c3);
    web = { c1, c2, c3 };
  };

  before(async function () {
    needTools(this, "nsenter", "nmap", "tcpdump", "nft");
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    await sites.build();
    await lab.spec(spec());
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("is made by one up, with no password on a command line, in a log or in the state, and stays as it is", async () => {
    const { took, result: seen } = await seconds(() => argumentsDuring(() => lab.up()));
    tell(`pulumi up of three hosts took ${took} s`);
    const secret = await password("c1");
    assert.match(secret, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(await password("c2"), secret);
    const journals = await Promise.all(managers.map((name) => on(name, "journalctl", "--no-pager", "-o", "verbose")));
    const shown = (await lab.stack.pulumi(["stack", "export", "--show-secrets"])).stdout;
    const { stdout, stderr } = seen.result;
    const places = { output: stdout + stderr, arguments: seen.seen, journals: journals.join("\n"), "state with its secrets": shown };
    assert.match(places.arguments, /bird/, "arguments were seen");
    for (const [where, text] of Object.entries(places)) assert.ok(!text.includes(secret), `the password is in the ${where}`);
    assert.equal(
      await sh("c1", "stat -c '%U:%G %a' /etc/pulumi-swarm/calico/password.conf /run/pulumi-swarm-calico/password.conf"),
      "root:root 600\nroot:bird 640",
    );
    assertNoChange(await lab.up());
    assertNoChange(await lab.up("--refresh"));
  });

  it("lets containers on different hosts talk by name", async () => {
    await lab.withShell(async (shell) => {
      await shell.putTestImage();
      for (const [from, to] of [
        ["c1", "c2"],
        ["c2", "c3"],
        ["c3", "c1"],
      ] as const) {
        assert.equal(await proveByName(shell, keys[from], keys[to], "web"), `hello from ${keys[to]}`);
      }
    });
    const create = "docker service create --detach --quiet --no-resolve-image --mode global --network web --stop-signal KILL --name everywhere";
    await sh("c1", `${create} ${testImage} /bin/busybox sleep 1000000`);
    for (const name of managers) await probe(name);
    await probes();
    await eventually("the service is found by its name, at its tasks", 40, async () => {
      const said = await on("c1", "docker", "exec", "probe-web", "/bin/busybox", "nslookup", "tasks.everywhere");
      return (said.match(/^Address: /gm) ?? []).length === managers.length ? true : undefined;
    });
  });

  it("keeps containers' addresses on the way, and takes no byte of a packet", async () => {
    const mtu = 1500;
    assert.equal((await lab.outputs()).plan.mtu, mtu);
    const { packets } = await capture(await networkOfContainer(sites.host("c2").machine, "probe-web"), "eth0", () => pings(web.c1, web.c2.address), [
      "icmp",
    ]);
    assert.deepEqual(new Set(packets.map(({ from }) => from)), new Set([web.c1.address, web.c2.address]));
    for (const [from, to] of [
      ["c1", "c2"],
      ["c2", "c3"],
      ["c3", "c1"],
    ] as const) {
      const { address } = web[to];
      const tries = [mtu, mtu + 1].map((size) => tryPacket(sites.host(from).machine, "probe-web", address, size));
      assert.deepEqual(await Promise.all(tries), ["passes", "refused"], `${from} ${to}`);
    }
  });

  it("keeps networks apart, on one host and between hosts, and lets all of them out", async () => {
    const [here, there] = [await probe("c1", "store"), await probe("c2", "store")];
    await pings(here, there.address);
    for (const other of [here, there]) await assert.rejects(pings(web.c1, other.address), /1 packets transmitted, 0 received/);
    await pings(here, sites.onlookerAddress("outsider", "rack"));
    const [plain, far] = [await probe("c1", "calico"), await probe("c2", "calico")];
    await pings(plain, far.address);
    await assert.rejects(pings(plain, web.c2.address), /0 received/);
    const bridged = await sh("c1", `docker run --rm ${testImage} /bin/busybox ping -c 1 -W 1 ${web.c1.address} || true`);
    assert.match(bridged, /0 packets received/);
  });

  it("drops what a container sends with an address that is not its own network's, and what others send with one of a host's containers", async () => {
    const store = await at("c1", "store");
    const far = await at("c2", "store");
    const inside = (command: string): Promise<string> => sh("c1", `nsenter --target ${web.c1.process} --net sh -c '${command}'`);
    await assert.rejects(inside(`ip address add ${store.address}/32 dev eth0; ping -c 1 -W 1 -I ${store.address} ${far.address}`), /0 received/);
    await inside(`ip address delete ${store.address}/32 dev eth0`);
    // A neighbour of the hosts that is none of them, with its own address and with one of the host's containers.
    const outsider = (command: string): Promise<string> => docker("exec", sites.onlooker("outsider"), "sh", "-c", command);
    const forged = web.c2.address.replace(/\d+$/, (last) => String(Number(last) + 1));
    await outsider(`ip route replace ${web.c2.address} via ${sites.host("c2").address}; ip address add ${forged}/32 dev lo`);
    const asked = `ping -c 1 -W 1 ${web.c2.address}; ping -c 1 -W 1 -I ${forged} ${web.c2.address}; true`;
    const { packets } = await capture(await networkOfContainer(sites.host("c2").machine, "probe-web"), "eth0", () => outsider(asked), ["icmp"]);
    assert.deepEqual(packets, []);
    await outsider(`ip address delete ${forged}/32 dev lo`);
  });

  it("loses no packet when BIRD is killed", async () => {
    const { sent, lost } = await lossWhile(web.c1, web.c2, async () => {
      for (const name of ["c1", "c2"] as const) {
        const before = await sh(name, "pidof bird");
        await sh(name, "kill -9 $(pidof bird)");
        await eventually(`another BIRD on ${name}`, 30, async () => ((await sh(name, "pidof bird")) === before ? undefined : true));
      }
      await eventually("all sessions", 40, async () =>
        (await birdc("c1", "show protocols")).match(/Established/g)?.length === 2 ? true : undefined,
      );
    });
    tell(`BIRD killed on two hosts: ${lost} of ${sent} pings lost`);
    assert.equal(lost, 0);
  });

  it("opens on each host exactly the ports of the plan", async () => {
    const { planned, found } = await lookAtAll(sites, (await lab.outputs()).plan);
    assert.deepEqual(found, planned);
    for (const [look, { tcp, udp }] of Object.entries(found)) tell(`${look}: tcp ${tcp.join(",")} udp ${udp.join(",")}`);
  });

  it("takes a host in, without the others losing a packet", async () => {
    await lab.spec(spec({ edge: true }));
    const { sent, lost } = await lossWhile(web.c1, web.c2, () => lab.up());
    tell(`a fourth host joined: ${lost} of ${sent} pings lost between two others`);
    assert.equal(lost, 0);
    await lab.withShell(async (shell) => {
      await shell.putTestImage([keys.w1]);
      assert.equal(await proveByName(shell, keys.c1, keys.w1, "web"), `hello from ${keys.w1}`);
    });
    await pings(await probe("w1"), web.c2.address);
  });

  it("goes from sessions between all to two hosts that tell all others, without a packet lost", async () => {
    await lab.spec(spec({ edge: true, calico: { reflectors: [keys.c1, keys.c2] } }));
    const { sent, lost } = await lossWhile(web.c3, await at("w1"), () => lab.up());
    tell(`two reflectors: ${lost} of ${sent} pings lost`);
    assert.equal(lost, 0);
    const said = await birdc("w1", "show protocols");
    assert.deepEqual([...said.matchAll(/^(\S+) +BGP .*Established/gm)].map(([, peer]) => peer).sort(), [keys.c1, keys.c2]);
    assert.match(await on("w1", "ip", "route"), new RegExp(`${await containerSubnet("c3")} via ${sites.host("c3").address} `));
    assertNoChange(await lab.up());
  });

  it("keeps a host with a wrong password out, and says so; the next up gives it the right one", async () => {
    const lost = await containerSubnet("w1");
    await sh("w1", `sed -i 's/password "./password "!/' /etc/pulumi-swarm/calico/password.conf && systemctl restart pulumi-swarm-calico`);
    await eventually("the others have no route to it", 120, async () => ((await on("c1", "ip", "route")).includes(`${lost} `) ? undefined : true));
    assert.doesNotMatch(await birdc("c1", `show protocols "'${keys.w1}'"`), /Established/);
    await lab.spec(spec({ edge: true, calico: { reflectors: [keys.c1, keys.c2] }, recheck: "a wrong password" }));
    await lab.up();
    await pings(web.c1, (await at("w1")).address);
  });

  it("comes up with a host that was turned off and on, at the same addresses", async () => {
    const { sent, lost } = await lossWhile(web.c1, web.c2, async () => {
      const { took } = await seconds(async () => {
        await sites.reboot("c3");
        await eventually("the container on c3 answers", 180, async () => pings(web.c1, (await at("c3")).address));
      });
      tell(`a container of the rebooted host answered ${took} s after the power was cut`);
    });
    tell(`reboot of a third host: ${lost} of ${sent} pings lost between two others`);
    assert.equal(lost, 0);
    await assert.rejects(
      pings(web.c1, (await at("c3", "calico").catch(() => probe("c3", "calico"))).address),
      /0 received/,
      "networks are apart as before",
    );
  });

  it("keeps all of it when Docker restarts", async () => {
    await sh("c2", "systemctl restart docker");
    await sites.ready("c2");
    await probes();
    await eventually("the container answers", 60, () => pings(web.c1, web.c2.address));
    assert.match(await sh("c2", "iptables -S FORWARD"), /PULUMI-SWARM-CALICO/);
  });

  it("lets a host go: the others have no session and no route, and nothing is left on it", async () => {
    const gone = await containerSubnet("w1");
    await sh("c1", "docker service rm everywhere");
    await lab.spec(spec({ calico: { reflectors: [keys.c1, keys.c2] } }));
    await lab.up();
    for (const name of managers) {
      assert.ok(!(await on(name, "ip", "route")).includes(`${gone} `), name);
      assert.ok(!(await birdc(name, "show protocols")).includes(keys.w1), name);
    }
    assert.equal(await left("w1"), "");
  });

  it("leaves nothing on the hosts when another overlay is chosen", async () => {
    for (const name of managers) await sh(name, "docker rm -f $(docker ps -aq --filter name=probe-) >/dev/null 2>&1 || true");
    await lab.spec({ ...spec(), overlay: { native: {} } });
    await lab.up();
    for (const name of managers) assert.equal(await left(name), "");
    await lab.withShell(async (shell) => {
      assert.equal(await proveByName(shell, keys.c1, keys.c2, "web"), `hello from ${keys.c2}`);
    });
  });
});

/** What there is of it on a host, a line for each. */
function left(name: Name): Promise<string> {
  const looks = [
    "ls -d /etc/pulumi-swarm/calico /run/pulumi-swarm-calico /etc/systemd/system/pulumi-swarm-calico* 2>/dev/null",
    "ip -o link show | grep -o ' cal[pb]*-[0-9a-f]*'",
    "ip route | grep -E 'proto bird|unreachable'",
    "nft list tables | grep calico",
    "iptables -S | grep CALICO",
    "pidof bird",
    "docker network ls --filter label=pulumi-swarm.overlay=calico -q",
  ];
  return sh(name, `${looks.join("; ")}; true`);
}
