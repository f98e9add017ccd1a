import assert from "node:assert/strict";
import { capture, interfaceWith } from "../../tools/lab/capture";
import { eventually, proveByName, testImage } from "../../tools/lab/cluster";
import { docker, startMachine } from "../../tools/lab/machines";
import { tryPacket } from "../../tools/lab/measure";
import { needTools, networkOf, networkOfContainer, startIn } from "../../tools/lab/namespace";
import { mirrorOf, needImages } from "../../tools/lab/registry";
import { argumentsDuring } from "../../tools/lab/secrets";
import { run } from "../../tools/lab/pulumi";
import { Sites } from "../../tools/lab/sites";
import { assertNoChange, Lab } from "./lab";
import { callEtcd, calls, certificateOf } from "./etcd-call";
import { lookAtAll } from "./looks";
import { lookAt, targetOf } from "./status-lab";

const subnet = "10.244.41.0/24";
const sites = new Sites("flannel", {
  rack: { subnet, hosts: { c1: {}, c2: { image: "pulumi-swarm-host:forky" }, c3: {}, w1: { image: "pulumi-swarm-host:bookworm" } } },
});
const lab = new Lab("flannel");

/** Host to the name that it has in the cluster. */
const keys = { c1: "control-c1", c2: "control-c2", c3: "control-c3", w1: "edge-w1" } as const;
type Name = keyof typeof keys;
const managers = ["c1", "c2", "c3"] as const;

/** What version 0.1.0 of this package took, and what this one takes. */
const older = { program: { version: "v0.26.7" }, etcd: { program: { version: "v3.5.16" }, allowVulnerable: "v3.5.16" } };
const versions = { flanneld: "v0.28.10", etcd: "v3.5.35" };
const images = [
  `flannel-io/flannel:${versions.flanneld}`,
  "flannel-io/flannel:v0.26.7",
  `etcd-development/etcd:${versions.etcd}`,
  "etcd-development/etcd:v3.5.16",
];

let mirror = "";

function group(role: string, ...members: readonly Name[]): object {
  const machines = members.map((name) => [name, { address: sites.host(name).address, hostKey: sites.keys.host.publicKey }]);
  return { role, site: "rack", network: subnet, machines: Object.fromEntries(machines) as object };
}

interface Asked {
  readonly edge?: boolean;
  readonly recheck?: string;
  readonly flannel?: object;
  readonly reachableSeconds?: number;
}

function spec({ edge = false, recheck, flannel = {}, reachableSeconds = 60 }: Asked = {}): object {
  return {
    existing: { control: group("manager", ...managers), ...(edge && { edge: group("worker", "w1") }) },
    networks: { web: {}, store: {} },
    overlay: { flannel },
    programs: { mirror },
    engine: { settings: { "insecure-registries": [mirror] } },
    firewall: { ssh: sites.admins },
    ...(recheck !== undefined && { recheck }),
    reachableSeconds,
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

/** It runs from the folder of that version, and there is no other one. */
async function assertRuns(name: Name, program: keyof typeof versions): Promise<void> {
  const folder = `${versions[program].replaceAll(".", "\\.")}-[0-9a-f]{10}`;
  const seen = await sh(name, `readlink /proc/$(pidof ${program})/exe; ls /usr/local/lib/pulumi-swarm/${program}`);
  assert.match(seen, new RegExp(`^/usr/local/lib/pulumi-swarm/${program}/${folder}/${program}\\n${folder}$`));
}

/** Private keys of hosts are nowhere but there, and the cluster's own secret only where the state has it encrypted. */
async function assertHidden(said: { readonly output: string; readonly arguments: string }): Promise<void> {
  const files = "/etc/pulumi-swarm/flannel/*.pem /var/lib/pulumi-swarm/flannel/etcd/tls/*.pem";
  const read = `cat $(grep -l 'PRIVATE KEY' ${files}) | sed -n '/PRIVATE KEY/,/END/p' | grep -v -- -----`;
  const keys = (await Promise.all(managers.map((name) => sh(name, read)))).flatMap((text) => text.split("\n"));
  // One for flanneld, one for root, two for a member of etcd.
  assert.equal(new Set(keys).size, 4 * managers.length);
  const shown = (await lab.stack.pulumi(["stack", "export", "--show-secrets"])).stdout;
  const { deployment } = JSON.parse(shown) as { deployment: { resources: { urn: string; outputs?: { output?: { plaintext?: string } } }[] } };
  const stash = deployment.resources.find(({ urn }) => urn.endsWith("::flannel-overlay-secret"))?.outputs?.output?.plaintext;
  const secret = JSON.parse(stash ?? '""') as string;
  assert.match(secret, /^[A-Za-z0-9_-]{43}$/);
  const journals = await Promise.all(managers.map((name) => on(name, "journalctl", "--no-pager", "-o", "verbose")));
  const places = { ...said, journals: journals.join("\n"), state: await lab.stack.export() };
  assert.match(places.arguments, /flanneld/, "arguments were seen");
  for (const [where, text] of Object.entries({ ...places, "state with its secrets": shown })) {
    for (const key of keys) assert.ok(!text.includes(key), `a private key is in the ${where}`);
  }
  for (const [where, text] of Object.entries(places)) assert.ok(!text.includes(secret), `the cluster's secret is in the ${where}`);
}

function tell(line: string): void {
  process.stdout.write(`      ${line}\n`);
}

async function seconds<T>(work: () => Promise<T>): Promise<{ readonly took: string; readonly result: T }> {
  const began = Date.now();
  const result = await work();
  return { took: ((Date.now() - began) / 1000).toFixed(1), result };
}

/** gRPC's permission denied. */
const denied = 7;

const members = (name: Name): Promise<string> => sh(name, etcdctl("member list | cut -d , -f 3,6 | tr -d ' ' | sort"));
const etcdctl = (command: string): string =>
  `cd /etc/pulumi-swarm/flannel; $(cat etcd/programs)/etcdctl --endpoints=https://127.0.0.1:2379 --cacert=ca.pem --cert=admin.pem --key=admin.pem ${command}`;

/** The life of one cluster, told in order: each test goes on from where the one before it ended. */
describe("a swarm on flannel", function () {
  this.timeout(300_000);
  this.bail(true);
  let web: Record<"c1" | "c2" | "c3", Probe>;
  const probes = async (): Promise<void> => {
    const [c1, c2, c3] = await Promise.all(managers.map((name) => at(name)));
    assert.ok(c1 && c2 && c3);
    web = { c1, c2, c3 };
  };

  before(async function () {
    // Two images may have to be made first.
    this.timeout(600_000);
    needTools(this, "nsenter", "nmap", "tcpdump", "nft");
    await needImages(this, ...images);
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    await sites.build();
    mirror = await mirrorOf("flannel-net-rack");
    await lab.spec(spec({ flannel: older }));
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("is made by one up, with nothing secret on a command line, and stays as it is", async () => {
    const { took, result: seen } = await seconds(() => argumentsDuring(() => lab.up()));
    tell(`pulumi up of three hosts took ${took} s`);
    const { stdout, stderr } = seen.result;
    await assertHidden({ output: stdout + stderr, arguments: seen.seen });
    assertNoChange(await lab.up());
    assertNoChange(await lab.up("--refresh"));
    assert.equal(await members("c1"), managers.map((name) => `${keys[name]},false`).join("\n"));
  });

  it("lets containers on different hosts and engines talk by name", async () => {
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
      const said = await on("c1", "docker", "exec", "probe-web", "/bin/busybox", "nslookup", "everywhere");
      return (said.match(/^Address: /gm) ?? []).length === managers.length ? true : undefined;
    });
  });

  it("keeps containers' addresses on the way, and passes packets of exactly the planned size", async () => {
    const mtu = 1450;
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

  it("gives a host more than its own with an etcd whose holes are known", async () => {
    await sh("c1", etcdctl("put /else mark"));
    const caller = { machine: sites.host("c2").machine, certificate: await certificateOf(sites.host("c2").machine) };
    const { address } = sites.host("c1");
    assert.equal((await callEtcd(caller, address, calls.read("/else"))).code, denied);
    const nested = await callEtcd(caller, address, calls.nestedRead("/else"));
    assert.deepEqual([nested.code, Buffer.from(nested.answer, "hex").includes("mark")], [0, true]);
    assert.equal((await callEtcd(caller, address, calls.nestedWrite("/else"))).code, 0);
    assert.equal(await sh("c1", etcdctl("get /else --print-value-only")), "x");
    assert.equal((await callEtcd(caller, address, calls.compact())).code, 0);
  });

  it("takes newer versions of flanneld and etcd, host by host, without a packet lost", async () => {
    await lab.spec(spec());
    const ids = await members("c1");
    const { sent, lost } = await lossWhile(web.c1, web.c2, () => lab.up());
    tell(`to flanneld ${versions.flanneld} and etcd ${versions.etcd}: ${lost} of ${sent} pings lost`);
    assert.equal(lost, 0);
    for (const name of managers) {
      await assertRuns(name, "flanneld");
      await assertRuns(name, "etcd");
    }
    assert.equal(await members("c1"), ids);
    assert.match(await sh("c1", etcdctl("endpoint status --cluster")), /(.*3\.5\.35.*\n?){3}/);
    assertNoChange(await lab.up());
  });

  it("lets a flanneld that slept past a compaction of etcd learn of a host that came meanwhile", async () => {
    const own = (await containerSubnet("c1")).split(".");
    // A host of nobody's: its subnet is in the group's block, at a place that no host has.
    const subnet = [own[0], own[1], String(Number(own[2]) + 9), "0"].join(".");
    const key = `/coreos.com/network/subnets/${subnet}-24`;
    const lease = { PublicIP: "10.244.41.99", BackendType: "vxlan", BackendData: { VNI: 1, VtepMAC: "5a:00:00:00:00:99" } };
    await sh("c1", "kill -STOP $(pidof flanneld)");
    try {
      // What etcd had sent already lies in the connection: it must end, so that flanneld asks for what is gone.
      for (const name of managers) {
        await sh(name, "systemctl restart pulumi-swarm-flannel-etcd");
        await eventually("all of etcd's members answer", 60, () => sh("c2", etcdctl("endpoint health --cluster")));
      }
      await sh("c2", `printf '%s' '${JSON.stringify(lease)}' | (${etcdctl(`put ${key}`)})`);
      await sh("c2", `for n in 1 2 3; do ${etcdctl("put /else mark")}; done`);
      const revision = /"revision":(\d+)/.exec(await sh("c2", etcdctl("get /else -w json")))?.[1] ?? assert.fail("etcd tells no revision");
      await sh("c2", etcdctl(`compact ${revision}`));
    } finally {
      await sh("c1", "kill -CONT $(pidof flanneld)");
    }
    await eventually("the route to it", 60, async () => ((await on("c1", "ip", "route")).includes(`${subnet}/24 `) ? true : undefined));
    // 0.28.10 takes its own lease for gone too, and tries for minutes to forget itself before it goes on to what comes next.
    await sh("c1", "systemctl restart pulumi-swarm-flannel");
    await sh("c2", etcdctl(`del ${key}`));
    await eventually("no route to it", 60, async () => ((await on("c1", "ip", "route")).includes(`${subnet}/24 `) ? undefined : true));
  });

  it("keeps networks apart, on one host and between hosts, and lets all of them out", async () => {
    const [here, there] = [await probe("c1", "store"), await probe("c2", "store")];
    await pings(here, there.address);
    for (const other of [here, there]) await assert.rejects(pings(web.c1, other.address), /1 packets transmitted, 0 received/);
    await pings(here, sites.onlookerAddress("outsider", "rack"));
    const [plain, far] = [await probe("c1", "flannel"), await probe("c2", "flannel")];
    await pings(plain, far.address);
    await assert.rejects(pings(plain, web.c2.address), /0 received/);
    const bridged = await sh("c1", `docker run --rm ${testImage} /bin/busybox ping -c 1 -W 1 ${web.c1.address} || true`);
    assert.match(bridged, /0 packets received/);
  });

  it("opens on each host exactly the ports of the plan", async () => {
    const { planned, found } = await lookAtAll(sites, (await lab.outputs()).plan);
    assert.deepEqual(found, planned);
    for (const [look, { tcp, udp }] of Object.entries(found)) tell(`${look}: tcp ${tcp.join(",")} udp ${udp.join(",")}`);
  });

  it("listens on hosts' own addresses and on the loopback interface, and nowhere else", async () => {
    for (const name of managers) {
      const sockets = await sh(name, "ss -Hlntup | grep -E 'etcd|flanneld' | awk '{ print $5 }' | sort");
      const { address } = sites.host(name);
      assert.equal(sockets, [`${address}:2379`, `${address}:2380`, "127.0.0.1:2379"].sort().join("\n"));
    }
  });

  it("sends containers' packets in plaintext over the site, as the plan says", async () => {
    const c1 = await networkOf(sites.host("c1").machine);
    const device = await interfaceWith(c1, sites.host("c1").address);
    const watching = await startIn(c1, /listening on/, "tcpdump", "-i", device, "-A", "-l", "udp", "port", "8472");
    await pings(web.c1, web.c2.address, "-p", Buffer.from("flannel-mark").toString("hex"));
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.match((await watching.stop()).replaceAll(/\s/g, ""), /flannel-mark/);
    assert.equal((await lab.outputs()).plan.encryption.find(({ channel }) => channel === "overlay data")?.protects, false);
  });

  it("takes a host with an older engine in, without the others losing a packet", async () => {
    await lab.spec(spec({ edge: true }));
    const { sent, lost } = await lossWhile(web.c1, web.c2, () => lab.up());
    tell(`a fourth host joined: ${lost} of ${sent} pings lost between two others`);
    assert.equal(lost, 0);
    assertNoChange(await lab.up());
    await lab.withShell(async (shell) => {
      await shell.putTestImage([keys.w1]);
      assert.equal(await proveByName(shell, keys.c1, keys.w1, "web"), `hello from ${keys.w1}`);
    });
    const newcomer = await probe("w1");
    await pings(newcomer, web.c2.address);
    await eventually("names resolve there", 40, () => on("w1", "docker", "exec", "probe-web", "/bin/busybox", "nslookup", "everywhere"));
    assert.match(await on("c2", "ip", "route"), new RegExp(`${await containerSubnet("w1")} .*dev flannel.1`));
  });

  it("goes on when flanneld and a member of etcd are killed", async () => {
    const { sent, lost } = await lossWhile(web.c1, web.c2, async () => {
      await sh("c1", "pkill -9 flanneld");
      await sh("c2", "pkill -9 flanneld; pkill -9 etcd");
      for (const name of ["c1", "c2"] as const) {
        await eventually(`flanneld runs again on ${name}`, 30, () => sh(name, "systemctl is-active pulumi-swarm-flannel pulumi-swarm-flannel-etcd"));
      }
    });
    tell(`flanneld killed on two hosts and etcd on one: ${lost} of ${sent} pings lost`);
    assert.equal(lost, 0);
    await sh("c3", "systemctl stop pulumi-swarm-flannel-etcd");
    const { findings } = await lookAt(await targetOf(lab));
    assert.deepEqual(findings.find(({ kind }) => kind === "etcd-member")?.hosts, [keys.c3], "status says so");
    await sh("c3", "systemctl start pulumi-swarm-flannel-etcd");
  });

  it("comes up with a host that was turned off and on, at the same addresses", async () => {
    const before = await containerSubnet("c3");
    const { sent, lost } = await lossWhile(web.c1, web.c2, async () => {
      const { took } = await seconds(async () => {
        await sites.reboot("c3");
        await eventually("the container on c3 answers", 90, async () => pings(web.c1, (await at("c3")).address));
      });
      tell(`a container of the rebooted host answered ${took} s after the power was cut`);
    });
    tell(`reboot of a third host: ${lost} of ${sent} pings lost between two others`);
    assert.equal(lost, 0);
    assert.match(await on("c1", "ip", "route"), new RegExp(`${before} .*dev flannel.1`));
    await eventually("all of etcd's members answer", 60, () => sh("c1", etcdctl("endpoint health --cluster")));
  });

  it("gives another machine the place of one that is lost, in etcd and in the swarm", async () => {
    const { machine, address } = sites.host("c3");
    const old = (await members("c1")).length;
    const { sent, lost } = await lossWhile(web.c1, web.c2, async () => {
      await docker("rm", "-f", "-v", machine);
      await startMachine({ name: machine, network: "flannel-net-rack", address, keys: sites.keys });
      await sites.ready("c3");
      await lab.spec(spec({ edge: true, recheck: "another machine" }));
      const { took } = await seconds(() => lab.up());
      tell(`pulumi up with a replaced member of etcd took ${took} s`);
    });
    tell(`replaced machine: ${lost} of ${sent} pings lost between two others`);
    assert.equal(lost, 0);
    assert.equal((await members("c1")).length, old);
    assert.equal(await members("c3"), managers.map((name) => `${keys[name]},false`).join("\n"));
    await lab.withShell(async (shell) => {
      await shell.putTestImage([keys.c3]);
      assert.equal(await proveByName(shell, keys.c1, keys.c3, "web"), `hello from ${keys.c3}`);
    });
    await probe("c3");
    await probes();
  });

  it("keeps a host with a wrong certificate out, and says so; the next up gives it a right one", async () => {
    const forge = [
      "cd /etc/pulumi-swarm/flannel; openssl genpkey -algorithm ed25519 -out /root/forged.key",
      `openssl req -x509 -new -key /root/forged.key -subj /CN=flanneld-${keys.w1} -days 100 -out /root/forged.pem`,
      "cat /root/forged.key /root/forged.pem >host.pem; systemctl restart --no-block pulumi-swarm-flannel",
    ];
    await sh("w1", forge.join("; "));
    const said = await eventually("flanneld says why it does not start", 60, () =>
      sh("w1", "journalctl -u pulumi-swarm-flannel -o cat | grep 'do not take each other'"),
    );
    tell(said.split("\n").at(-1) ?? "");
    await lab.spec(spec({ edge: true, recheck: "a forged certificate" }));
    await lab.up();
    await eventually("flanneld runs", 30, () => sh("w1", "systemctl is-active pulumi-swarm-flannel"));
  });

  it("lets each host write its own subnet in etcd, and nothing else", async () => {
    const asHost = (command: string): string =>
      `cd /etc/pulumi-swarm/flannel; set -a; . ./flanneld.env; $ETCDCTL --command-timeout=5s ${command} 2>&1 || true`;
    const own = (await containerSubnet("w1")).replace("/", "-");
    const other = (await containerSubnet("c1")).replace("/", "-");
    const root = "/coreos.com/network";
    assert.match(await sh("w1", asHost(`get ${root}/subnets/${other}`)), /PublicIP/);
    for (const command of [`put ${root}/subnets/${other} x`, `put ${root}/config x`, `del ${root}/subnets/${other}`, "get /else", "user list"]) {
      assert.match(await sh("w1", asHost(command)), /permission denied/, command);
    }
    assert.match(await sh("w1", `${asHost(`get ${root}/subnets/${own}`)}`), /PublicIP/);
    // What etcdctl does not ask: see the same calls with the older etcd above.
    const caller = { machine: sites.host("w1").machine, certificate: await certificateOf(sites.host("w1").machine) };
    const { address } = sites.host("c1");
    assert.equal((await callEtcd(caller, address, calls.nestedRead(`${root}/subnets/${other}`))).code, 0);
    for (const call of [calls.nestedRead("/else"), calls.nestedWrite(`${root}/subnets/${other}`), calls.nestedWrite("/else"), calls.compact()]) {
      const { code, message } = await callEtcd(caller, address, call);
      assert.deepEqual([code, message], [denied, "etcdserver: permission denied"]);
    }
    // As docs/overlays.md says: 3.5.35 asks for a certificate (server.go, requireAuthInfo), and for nothing else.
    assert.equal((await callEtcd(caller, address, calls.memberList())).code, 0);
    await sh("c1", etcdctl("del /else"));
  });

  it("refuses within a limit when etcd has no majority, names who is away, and carries on", async () => {
    const away = ["c2", "c3"] as const;
    const [c1, w1] = [web.c1, await probe("w1")];
    await lab.spec(spec({ edge: true, recheck: "no majority", reachableSeconds: 8 }));
    await Promise.all(away.map((name) => docker("pause", sites.host(name).machine)));
    try {
      const { took, result } = await seconds(() => lab.stack.up());
      assert.notEqual(result.code, 0);
      // The swarm has lost its majority with them, and says so first where its manager has noticed.
      assert.match(
        result.stdout + result.stderr,
        /etcd: no majority of its members answers, and control-c2, control-c3 cannot be reached|The swarm has lost its quorum: control-c1 of 4 hosts is a manager that answers/,
      );
      tell(`refused after ${took} s`);
      await pings(c1, w1.address);
    } finally {
      await Promise.all(away.map((name) => docker("unpause", sites.host(name).machine)));
    }
    await eventually("all of etcd's members answer", 60, () => sh("c1", etcdctl("endpoint health --cluster")));
    await lab.spec(spec({ edge: true, recheck: "a majority" }));
    await lab.up();
  });

  it("makes new certificates when asked, with nothing restarted", async () => {
    const before = await sh(
      "c1",
      "systemctl show -p InvocationID --value pulumi-swarm-flannel pulumi-swarm-flannel-etcd; md5sum </etc/pulumi-swarm/flannel/host.pem",
    );
    await lab.spec(spec({ edge: true, flannel: { etcd: { rotation: "2026" } } }));
    await lab.up();
    const after = await sh(
      "c1",
      "systemctl show -p InvocationID --value pulumi-swarm-flannel pulumi-swarm-flannel-etcd; md5sum </etc/pulumi-swarm/flannel/host.pem",
    );
    const [units, file] = [before, after].map((text) => text.split("\n"));
    assert.deepEqual(units?.slice(0, -1), file?.slice(0, -1));
    assert.notEqual(units?.at(-1), file?.at(-1));
    await eventually("all of etcd's members answer", 60, () => sh("c1", etcdctl("endpoint health --cluster")));
    assertNoChange(await lab.up());
  });

  it("changes the backend without a packet lost, and leaves nothing of the old one", async () => {
    const remove = managers.concat().map((name) => sh(name, "docker rm -f probe-flannel >/dev/null 2>&1 || true"));
    await Promise.all(remove);
    const rotation = { etcd: { rotation: "2026" } };
    for (const [backend, mtu, route] of [
      ["host-gw", 1500, /via 10\.244\.41\.\d+ dev eth0/],
      ["vxlan", 1450, /dev flannel\.1/],
    ] as const) {
      await lab.spec(spec({ edge: true, flannel: { backend, ...rotation } }));
      const { sent, lost } = await lossWhile(web.c1, web.c2, () => lab.up());
      tell(`to ${backend}: ${lost} of ${sent} pings lost`);
      // Both ways are open until all hosts go the new one. flanneld replaces a route by host-gw in two steps.
      assert.ok(lost <= 2, `${lost} of ${sent}`);
      const subnetOf = await containerSubnet("c2");
      const routes = (await on("c1", "ip", "route")).split("\n").filter((line) => line.startsWith(subnetOf));
      assert.equal(routes.length, 1);
      assert.match(routes[0] ?? "", route);
      assert.equal((await lab.outputs()).plan.mtu, mtu);
      if (backend === "host-gw") assert.doesNotMatch(await on("c1", "ip", "-o", "link"), /flannel\.1/);
      const [one, other] = [await probe("c1"), await probe("c2")];
      const tries = [mtu, mtu + 1].map((size) => tryPacket(sites.host("c1").machine, "probe-web", other.address, size));
      assert.deepEqual(await Promise.all(tries), ["passes", "refused"]);
      web = { ...web, c1: one, c2: other };
    }
  });

  it("lets a host go: its subnet and user are gone, and all of ours on it", async () => {
    const gone = await containerSubnet("w1");
    await sh("w1", "docker rm -f probe-web");
    const certificate = await certificateOf(sites.host("w1").machine);
    await lab.spec(spec({ flannel: { etcd: { rotation: "2026" } } }));
    const { sent, lost } = await lossWhile(web.c1, web.c2, () => lab.up());
    tell(`a host left: ${lost} of ${sent} pings lost between two others`);
    assert.equal(lost, 0);
    for (const name of managers)
      await eventually(`no route to it on ${name}`, 20, async () => ((await on(name, "ip", "route")).includes(gone) ? undefined : true));
    assert.doesNotMatch(await sh("c1", etcdctl("get --prefix / --keys-only")), new RegExp(gone.replace("/", "-")));
    assert.doesNotMatch(await sh("c1", etcdctl("user list")), /edge/);
    assert.equal(await leftOn("w1"), "");
    // Its certificate holds for years, and is of no use any more.
    const thief = { machine: sites.host("c2").machine, certificate };
    for (const call of [calls.nestedRead("/coreos.com/network/config"), calls.nestedWrite("/else")]) {
      assert.equal((await callEtcd(thief, sites.host("c1").address, call)).code, denied);
    }
  });

  it("leaves nothing on the hosts after a destroy", async () => {
    for (const name of managers) await sh(name, "docker rm -f probe-web probe-store >/dev/null 2>&1 || true");
    await sh("c1", "docker service rm everywhere");
    const result = await lab.stack.destroy();
    assert.equal(result.code, 0, result.stdout + result.stderr);
    for (const name of managers) assert.equal(await leftOn(name), "", name);
  });
});

/** Files, units, interfaces, routes, rules, users and networks of ours. */
function leftOn(name: Name): Promise<string> {
  const looks = [
    "ls -d /etc/pulumi-swarm/flannel /var/lib/pulumi-swarm /usr/local/lib/pulumi-swarm/* /run/pulumi-swarm-flannel 2>/dev/null",
    "ls /etc/systemd/system | grep flannel",
    "ip -o link | grep -E 'fl-|flp-|flannel'",
    "ip route | grep unreachable",
    "iptables-save | grep -i flannel",
    "nft list tables | grep flannel",
    "getent passwd pulumi-swarm-etcd",
    "docker network ls | grep -E 'flannel|pulumi-swarm'",
  ];
  return sh(name, `${looks.map((look) => `{ ${look}; true; }`).join("; ")}`);
}
