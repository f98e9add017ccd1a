import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { WeaveArgs } from "../../components/overlays/weave";
import { capture, interfaceWith, kinds } from "../../tools/lab/capture";
import { eventually, proveByName, testImage } from "../../tools/lab/cluster";
import { docker } from "../../tools/lab/machines";
import { tryPacket } from "../../tools/lab/measure";
import { needTools, networkOf, startIn } from "../../tools/lab/namespace";
import type { CommandResult } from "../../tools/lab/pulumi";
import { mirrorOf, needImages } from "../../tools/lab/registry";
import { get, notOfScans } from "../../tools/lab/scan";
import { argumentsDuring } from "../../tools/lab/secrets";
import { Sites } from "../../tools/lab/sites";
import { assertNoChange, Lab } from "./lab";
import { lookAtAll } from "./looks";
import { lookAt, targetOf } from "./status-lab";

const sites = new Sites("weave", {
  a: {
    subnet: "10.244.31.0/24",
    hosts: {
      w1: {},
      w2: { image: "pulumi-swarm-host:forky" },
      w3: {},
      w4: { image: "pulumi-swarm-host:bookworm" },
    },
  },
});
const lab = new Lab("weave");

/** Host to the name that it has in the cluster. */
const keys = { w1: "control-w1", w2: "work-w2", w3: "work-w3", w4: "work-w4" } as const;
type Name = keyof typeof keys;

const folder = "/etc/pulumi-swarm/weave";
const unit = "pulumi-swarm-weave.service";
const plugin = "pulumi-swarm-weave:latest";
const website = 8080;
let mirror = "";
/** The router's image by its digest: the same program, which has another name on the hosts. */
let pinned = {};

interface Spec {
  readonly workers?: readonly Name[];
  /** Null for the native overlay. */
  readonly weave?: WeaveArgs | null;
  readonly recheck?: string;
  readonly reachableSeconds?: number;
}

function spec({ workers = ["w2", "w3"], weave = {}, recheck, reachableSeconds }: Spec = {}): object {
  const group = (role: string, ...names: readonly Name[]): object => ({
    role,
    site: "a",
    network: sites.subnet("a"),
    machines: Object.fromEntries(names.map((name) => [name, { address: sites.host(name).address, hostKey: sites.keys.host.publicKey }])) as object,
  });
  return {
    existing: { control: group("manager", "w1"), work: group("worker", ...workers) },
    networks: { web: {}, closed: { internal: true } },
    overlay: weave ? { weave } : { native: {} },
    ...(recheck !== undefined && { recheck }),
    ...(reachableSeconds !== undefined && { reachableSeconds }),
    programs: { mirror },
    engine: { settings: { "insecure-registries": [mirror] } },
    firewall: { ssh: sites.admins, expose: { website: { port: website, from: ["world"], publish: "host" } } },
  };
}

const on = (name: Name, ...command: readonly string[]): Promise<string> => docker("exec", sites.host(name).machine, ...command);
const shellOn = (name: Name, script: string): Promise<string> => on(name, "sh", "-euc", script);

async function upWith(more: Spec): Promise<CommandResult> {
  await lab.spec(spec(more));
  return lab.up();
}

/** @returns what a failing up said. */
async function refused(more: Spec): Promise<string> {
  await lab.spec(spec(more));
  const { code, stdout, stderr } = await lab.stack.up();
  assert.notEqual(code, 0, `up went well: ${stdout}`);
  return stdout + stderr;
}

/** A container of no service on the cluster's network, and its address there. */
async function startContainer(name: Name, container: string, ...options: readonly string[]): Promise<string> {
  await on(
    name,
    "docker",
    "run",
    "--detach",
    "--init",
    "--name",
    container,
    "--network",
    "web",
    ...options,
    testImage,
    "/bin/busybox",
    "sleep",
    "1000000",
  );
  return addressOf(name, container);
}

function addressOf(name: Name, container: string): Promise<string> {
  return on(name, "docker", "inspect", "--format", "{{.NetworkSettings.Networks.web.IPAddress}}", container);
}

async function pings(name: Name, container: string, target: string): Promise<boolean> {
  const said = await shellOn(name, `docker exec ${container} /bin/busybox ping -c 1 -W 2 ${target} 2>&1 || true`);
  return said.includes(" 0% packet loss");
}

/** A task of the service answers whoever asks on the host's own port. */
async function serves(name: Name): Promise<void> {
  await eventually(`the service answers on ${name}`, 60, async () =>
    (await get(await sites.network("outsider"), sites.host(name).address, website))?.includes("everywhere") ? true : undefined,
  );
}

/** What one router has for connections that carry data: the hosts' keys. */
async function connected(name: Name): Promise<string[]> {
  const list = await shellOn(name, "curl -s 127.0.0.1:6784/status/connections");
  return [...list.matchAll(/ established .*\(([a-z0-9-]+)\)/g)].map(([, key]) => key ?? "").sort();
}

/** As the others list it. */
async function routerName(name: Name): Promise<string> {
  const status = await shellOn(name, "curl -s 127.0.0.1:6784/status");
  return / Name: (\S+)\(/.exec(status)?.[1] ?? assert.fail(status);
}

async function meets(name: Name, ...others: readonly Name[]): Promise<void> {
  await eventually(`the router of ${name} is connected`, 40, async () => {
    const found = await connected(name);
    if (others.every((other) => found.includes(keys[other]))) return true;
    throw new Error(found.join(", "));
  });
}

/**
 * Pings from one container to another, twenty times a second, while some work is done.
 * @returns for how long no answer came, at the worst; in seconds
 */
async function longestGap(from: Name, container: string, address: string, work: () => Promise<unknown>): Promise<number> {
  const pid = await on(from, "docker", "inspect", "--format", "{{.State.Pid}}", container);
  const ping = `echo $$ >/run/lab-ping.pid; exec nsenter --target ${pid} --net ping -n -i 0.05 ${address} >/run/lab-ping 2>&1`;
  await docker("exec", "--detach", sites.host(from).machine, "sh", "-c", ping);
  await sleep(1_000);
  await work();
  await eventually("answers come again", 60, async () => ((await pings(from, container, address)) ? true : undefined));
  await sleep(500);
  await shellOn(from, "kill -INT $(cat /run/lab-ping.pid); sleep 0.2");
  const numbers = [...(await on(from, "cat", "/run/lab-ping")).matchAll(/icmp_seq=(\d+) /g)].map(([, number]) => Number(number));
  assert.ok(numbers.length > 15, "answers came");
  return Math.max(...numbers.slice(1).map((number, index) => number - (numbers[index] ?? 0) - 1)) * 0.05;
}

/** Whether a text that one container sends to another is seen on the wire between the hosts. */
async function seenOnTheWire(marker: string): Promise<boolean> {
  const machine = await networkOf(sites.host("w1").machine);
  const device = await interfaceWith(machine, sites.host("w1").address);
  const file = join(mkdtempSync(join(tmpdir(), "pulumi-swarm-marker-")), "packets");
  try {
    const watching = await startIn(
      machine,
      /listening on/,
      "tcpdump",
      "-i",
      device,
      "-w",
      file,
      "-U",
      "--immediate-mode",
      "-Z",
      "root",
      "not",
      "port",
      "22",
    );
    await Promise.all([
      shellOn("w2", `docker exec two /bin/busybox timeout 10 /bin/busybox nc -l -p 7777 >/run/lab-marker`),
      eventually("the text is sent", 8, () => shellOn("w1", `docker exec one /bin/busybox sh -c 'echo ${marker} | /bin/busybox nc -w 2 two 7777'`)),
    ]);
    await watching.stop();
    assert.equal(await on("w2", "cat", "/run/lab-marker"), marker);
    return readFileSync(file).includes(marker);
  } finally {
    rmSync(join(file, ".."), { recursive: true });
  }
}

const say = (line: string): void => void process.stdout.write(`      ${line}\n`);

/** The life of one cluster, told in order: each test goes on from where the one before it ended. */
describe("a swarm on the Weave overlay, with engines 26.1, 28.5 and, later, 20.10", function () {
  this.timeout(300_000);
  this.bail(true);

  before(async function () {
    // Two images may have to be made first.
    this.timeout(600_000);
    needTools(this, "nsenter", "nmap", "tcpdump", "nft");
    await needImages(this, "weaveworks/weave:2.6.5");
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    await sites.build();
    mirror = await mirrorOf("weave-net-a");
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("is made by one up, after which containers of different hosts talk by name", async () => {
    await upWith({});
    const answered = await lab.withShell((shell) => proveByName(shell, keys.w1, keys.w3, "web"));
    assert.equal(answered, `hello from ${keys.w3}`);
    const networks = await on(
      "w1",
      "docker",
      "network",
      "inspect",
      "--format",
      "{{.Driver}} {{.Scope}} {{range .IPAM.Config}}{{.Subnet}}{{end}}",
      "web",
    );
    assert.equal(networks, `${plugin} swarm ${(await lab.outputs()).networksMade["web"]?.subnet ?? ""}`);
  });

  it("stays as it is when nothing is asked for, also after a refresh", async () => {
    assertNoChange(await lab.up());
    assertNoChange(await lab.up("--refresh"));
  });

  it("carries packets of exactly the planned size with the address of the container that sent them, and refuses one byte more", async () => {
    const { mtu } = (await lab.outputs()).plan;
    assert.equal(mtu, 1412);
    await lab.withShell((shell) => shell.putTestImage());
    const [one, two, three] = [
      await startContainer("w1", "one", "--network-alias", "one"),
      await startContainer("w2", "two", "--network-alias", "two"),
      await startContainer("w3", "three", "--network-alias", "three"),
    ];
    for (const [from, container, to] of [
      ["w1", "one", two],
      ["w2", "two", three],
      ["w3", "three", one],
    ] as const) {
      await eventually(`${container} reaches ${to}`, 20, async () => ((await pings(from, container, to)) ? true : undefined));
      const tries: Promise<string>[] = [mtu, mtu + 1].map((size) => tryPacket(sites.host(from).machine, container, to, size));
      assert.deepEqual(await Promise.all(tries), ["passes", "refused"], `${container} to ${to}`);
    }
    const listen = shellOn("w3", "docker exec three /bin/busybox timeout 10 /bin/busybox nc -l -p 7000 -e /bin/busybox netstat -tn");
    const told = await eventually("three tells who calls", 10, () => shellOn("w1", "docker exec one /bin/busybox nc -w 3 three 7000"));
    assert.match(told, new RegExp(`${three}:7000 +\\S*${one}:\\d+ `));
    await listen;
  });

  it("has services found by the addresses of their tasks, and published on each host's own port", async () => {
    const serve = "mkdir -p /www && echo everywhere > /www/index.html && exec /bin/busybox httpd -f -p 8080 -h /www";
    const options = "--detach --quiet --no-resolve-image --name everywhere --mode global --endpoint-mode dnsrr --network web --stop-signal KILL";
    const publish = `mode=host,published=${website},target=8080`;
    await on("w1", "docker", "service", "create", ...options.split(" "), "--publish", publish, testImage, "/bin/busybox", "sh", "-c", serve);
    await Promise.all((["w1", "w2", "w3"] as const).map(serves));
    await eventually("the service's name leads to all its tasks", 60, async () => {
      const found = await shellOn("w1", "docker exec one /bin/busybox nslookup everywhere 2>/dev/null || true");
      return (found.match(/^Address: 10\./gm) ?? []).length === 3 ? true : undefined;
    });
  });

  it("keeps a network that is internal off everything else", async () => {
    const run = "docker run --rm --network closed";
    const networks = await shellOn("w1", `${run} ${testImage} /bin/busybox ip -o -4 address`);
    assert.equal((networks.match(/ inet /g) ?? []).length, 2, networks);
    assert.equal(await shellOn("w1", `${run} ${testImage} /bin/busybox ip route | grep -c default || true`), "0");
  });

  it("opens on each host exactly the ports of the plan, and its routers listen on nothing else", async () => {
    const { planned, found } = await lookAtAll(sites, (await lab.outputs()).plan);
    assert.deepEqual(found, planned);
    for (const [look, { tcp, udp }] of Object.entries(found)) say(`${look}: tcp ${tcp.join(",")} udp ${udp.join(",")}`);
    for (const name of ["w1", "w2", "w3"] as const) {
      const listening = await shellOn(name, "ss -Hltunp | grep weaver | awk '{ print $1, $5 }' | sort");
      const { address } = sites.host(name);
      assert.deepEqual(listening.split("\n"), [`tcp ${address}:6783`, "tcp 127.0.0.1:6784", `udp ${address}:6783`]);
    }
  });

  it("shows nothing of what containers say on the wire, but that routers talk", async () => {
    assert.equal(await seenOnTheWire("MARKER-OF-THE-FIRST-DAY"), false);
    const machine = await networkOf(sites.host("w1").machine);
    const { packets } = await capture(machine, await interfaceWith(machine, sites.host("w1").address), () => pings("w1", "one", "two"), [
      `not port 22 and ${notOfScans}`,
    ]);
    const seen = kinds(packets, ["arp", "ndp", "udp/6783", "tcp/6783", "tcp/2377", "tcp/7946", "udp/7946"]);
    say(`on the wire: ${[...seen].map(([kind, count]) => `${count} ${kind}`).join(", ")}`);
    assert.deepEqual(
      [...seen.keys()].filter((kind) => !["arp", "ndp", "udp/6783", "tcp/6783", "tcp/2377", "tcp/7946", "udp/7946"].includes(kind)),
      [],
    );
  });

  it("takes another password by a rotation, which is seen nowhere but on the hosts", async () => {
    const password = (name: Name): Promise<string> => on(name, "cat", `${folder}/password`);
    const before = await password("w1");
    const two = await addressOf("w2", "two");
    await lab.spec(spec({ weave: { rotation: "second" } }));
    let seen = "";
    let result: CommandResult | undefined;
    const gap = await longestGap("w1", "one", two, async () => {
      ({ result, seen } = await argumentsDuring(() => lab.stack.up({}, "--diff")));
    });
    assert.equal(result?.code, 0, `${result?.stdout}${result?.stderr}`);
    say(`no answer for ${gap.toFixed(2)} s while the password was changed`);
    assert.ok(gap < 6, `no answer for ${gap} s`);
    const passwords = [before, ...(await Promise.all((["w1", "w2", "w3"] as const).map(password)))];
    assert.equal(new Set(passwords).size, 2, "all hosts have the same one, and another than before");
    const places = {
      state: (await lab.stack.pulumi(["stack", "export", "--show-secrets"])).stdout,
      outputs: (await lab.stack.pulumi(["stack", "output", "--json", "--show-secrets"])).stdout,
      output: `${result?.stdout}${result?.stderr}`,
      arguments: seen,
      plugin: await on("w1", "docker", "plugin", "inspect", plugin),
      unit: await on("w1", "systemctl", "show", unit),
      journal: await on("w1", "journalctl", "--no-pager", "-o", "verbose", "-u", unit),
    };
    assert.match(places.arguments, /--plugin-v2/, "the routers' arguments were seen");
    for (const secret of new Set(passwords)) {
      assert.match(secret, /^[A-Za-z0-9_-]{43}$/);
      for (const [where, text] of Object.entries(places)) assert.ok(!text.includes(secret), `a password is in the ${where}`);
    }
    assert.equal(await shellOn("w1", `stat -c '%a %U' ${folder} ${folder}/password | tr '\\n' ' '`), "700 root 600 root");
  });

  it("carries on when a router is restarted or killed, and whatever the router remembers", async () => {
    const [one, two] = [await addressOf("w1", "one"), await addressOf("w2", "two")];
    const named = await routerName("w2");
    const restart = await longestGap("w1", "one", two, () => on("w2", "systemctl", "restart", unit));
    const kill = await longestGap("w1", "one", two, () => on("w2", "systemctl", "kill", "-s", "KILL", unit));
    const others = await longestGap("w2", "two", one, () => on("w3", "systemctl", "restart", unit));
    say(`no answer for ${restart.toFixed(2)} s at a restart, ${kill.toFixed(2)} s at a kill, ${others.toFixed(2)} s between two others`);
    assert.ok(restart < 4 && kill < 6 && others < 0.5, `${restart}, ${kill}, ${others}`);
    assert.equal(await routerName("w2"), named, "its bridge stands");
    // The sentinel would make the router call those of its database, which is empty.
    await shellOn("w3", `systemctl stop ${unit}; rm -f /var/lib/pulumi-swarm/weave/*; touch /restart.sentinel; systemctl start ${unit}`);
    await meets("w3", "w1", "w2");
    assert.ok(await shellOn("w3", "rm /restart.sentinel; test ! -e /run/pulumi-swarm-weave/nothing && echo fine"));
  });

  it("gives tasks their network again when Docker started before the router", async () => {
    await shellOn("w3", `systemctl stop docker.socket docker ${unit}; systemctl start docker`);
    assert.equal(await on("w3", "docker", "plugin", "inspect", "--format", "{{.Enabled}}", plugin), "false", "Docker gave the plugin up");
    await on("w3", "systemctl", "start", unit);
    assert.equal(await on("w3", "docker", "plugin", "inspect", "--format", "{{.Enabled}}", plugin), "true", "the router brought it back");
    await serves("w3");
    const tried = await on("w1", "docker", "service", "ps", "--format", "{{.CurrentState}} {{.Error}}", "everywhere");
    assert.doesNotMatch(tried, /Rejected/);
    // By hand: the next up makes good what nothing else does.
    await on("w3", "docker", "plugin", "disable", "-f", plugin);
    await upWith({ weave: { rotation: "second" }, recheck: "after a plugin was disabled" });
    assert.equal(await on("w3", "docker", "plugin", "inspect", "--format", "{{.Enabled}}", plugin), "true");
  });

  it("is whole again when a worker or the manager was turned off and on, and gives no address twice", async () => {
    await on("w3", "docker", "rm", "-f", "three");
    await startContainer("w3", "three", "--network-alias", "three", "--restart", "always");
    for (const name of ["w3", "w1"] as const) {
      const named = await routerName(name);
      await sites.reboot(name);
      await meets(name, ...(["w1", "w2", "w3"] as const).filter((other) => other !== name));
      assert.notEqual(await routerName(name), named, "the others may hold the one before for connected");
      await eventually(`a task runs on ${name}`, 90, async () => {
        const tasks = await on("w1", "docker", "service", "ps", "--filter", "desired-state=running", "--format", "{{.CurrentState}}", "everywhere");
        if ((tasks.match(/^Running/gm) ?? []).length === 3) return true;
        throw new Error(tasks);
      });
    }
    await on("w1", "docker", "start", "one");
    // What Docker does of its own accord, or a person when it does not.
    const state = await eventually("three is there again", 60, async () => {
      const found = await on("w3", "docker", "inspect", "--format", "{{.State.Status}} {{.State.Error}}", "three");
      if (found.startsWith("running") || found.startsWith("exited")) return found;
      throw new Error(found);
    });
    say(`a container of no service, --restart always, after the reboot of its host: ${state}`);
    if (!state.startsWith("running")) {
      await on("w3", "docker", "rm", "-f", "three");
      await startContainer("w3", "three", "--network-alias", "three");
    }
    const format = "{{with .NetworkSettings.Networks.web}}{{.IPAddress}}{{end}}";
    const addresses = (
      await Promise.all((["w1", "w2", "w3"] as const).map((name) => shellOn(name, `docker ps -q | xargs docker inspect --format '${format}'`)))
    )
      .flatMap((text) => text.split("\n"))
      .filter(Boolean);
    assert.equal(addresses.length, 6, addresses.join(" "));
    assert.deepEqual([...new Set(addresses)], addresses, "no address twice");
    const three = await addressOf("w3", "three");
    await eventually("one reaches three", 10, async () => ((await pings("w1", "one", three)) ? true : undefined));
  });

  it("keeps a host with another password out, and says which it is", async () => {
    const dropIn = `/etc/systemd/system/${unit}.d/wrong.conf`;
    // The router finds another file there than the one that up writes.
    const wrong = `echo wrong >/root/wrong; mkdir -p ${dropIn.replace("/wrong.conf", "")}; printf '[Service]\\nBindReadOnlyPaths=/root/wrong:${folder}/password\\n' >${dropIn}`;
    await shellOn("w3", `${wrong}; systemctl daemon-reload; systemctl restart ${unit}`);
    await eventually("the routers refuse w3", 20, async () => ((await connected("w1")).includes(keys.w3) ? undefined : true));
    assert.equal(await pings("w1", "one", await addressOf("w3", "three")), false);
    assert.equal(await pings("w1", "one", await addressOf("w2", "two")), true, "the others are not disturbed");
    const { findings } = await lookAt(await targetOf(lab));
    assert.deepEqual(findings.find(({ kind }) => kind === "weave-connection")?.hosts, [keys.w3], "status says so too");
    const said = await refused({ weave: { rotation: "second" }, recheck: "with a wrong password" });
    assert.match(said, /work-w3: Weave's router is not connected to those of control-w1, work-w2 after 20 s: they have another password than it has/);
    await shellOn("w3", `rm ${dropIn}; systemctl daemon-reload`);
    await upWith({ weave: { rotation: "second" }, recheck: "with the right password" });
    await eventually("one reaches three", 30, async () => ((await pings("w1", "one", await addressOf("w3", "three"))) ? true : undefined));
  });

  it("says why a router does not start, in the router's own words", async () => {
    await shellOn(
      "w3",
      `systemctl stop ${unit}; systemd-run --quiet --unit=lab-thief systemd-socket-activate --accept --listen=${sites.host("w3").address}:6783 /bin/cat`,
    );
    const said = await refused({ weave: { rotation: "second" }, recheck: "with a port taken" });
    assert.match(said, /work-w3: .*Weave's router does not start: .*address already in use/);
    await shellOn("w3", "systemctl stop lab-thief");
    await upWith({ weave: { rotation: "second" }, recheck: "with the port free" });
    await meets("w3", "w1", "w2");
  });

  it("waits with a rotation for a host that cannot be reached", async () => {
    await docker("pause", sites.host("w3").machine);
    const said = await refused({ weave: { rotation: "third" }, reachableSeconds: 5 });
    assert.match(said, /the routers keep their password for now: work-w3 cannot be told of another one/);
    assert.equal(await pings("w1", "one", await addressOf("w2", "two")), true);
    await docker("unpause", sites.host("w3").machine);
    const before = await on("w1", "cat", `${folder}/label`);
    await upWith({ weave: { rotation: "third" } });
    const labels = await Promise.all(
      (["w1", "w2", "w3"] as const).map((name) => on(name, "cat", `${folder}/label`, "/run/pulumi-swarm-weave/started")),
    );
    assert.equal(new Set(labels.map((text) => text.split("\n")[0])).size, 1);
    assert.notEqual(labels[0]?.split("\n")[0], before);
    await meets("w3", "w1", "w2");
  });

  it("takes another host in, and another program one host after the other, without the others noticing", async () => {
    const two = await addressOf("w2", "two");
    const gap = await longestGap("w1", "one", two, () => upWith({ weave: { rotation: "third" }, workers: ["w2", "w3", "w4"] }));
    say(`no answer between two others for ${gap.toFixed(2)} s while a host was added`);
    assert.ok(gap < 0.5, String(gap));
    await lab.withShell((shell) => shell.putTestImage([keys.w4]));
    const four = await startContainer("w4", "four", "--network-alias", "four");
    await eventually("one reaches four", 30, async () => ((await pings("w1", "one", four)) ? true : undefined));
    assert.equal(await tryPacket(sites.host("w4").machine, "four", await addressOf("w1", "one"), 1412), "passes");
    assert.match(await on("w4", "docker", "version", "--format", "{{.Server.Version}}"), /^20\.10\./);
    const manifest = "application/vnd.docker.distribution.manifest.v2+json";
    const image = await fetch("http://127.0.0.1:5000/v2/weaveworks/weave/manifests/2.6.5", { headers: { accept: manifest } });
    pinned = { rotation: "third", router: { digest: image.headers.get("docker-content-digest") ?? "" } };
    const upgrade = await longestGap("w4", "four", two, () => upWith({ weave: pinned, workers: ["w2", "w3", "w4"] }));
    say(`no answer for ${upgrade.toFixed(2)} s while all routers were replaced, one after the other`);
    assert.ok(upgrade < 6, String(upgrade));
    const programs = await on("w2", "sh", "-c", "ls /usr/local/lib/pulumi-swarm/weave | wc -l");
    assert.equal(programs, "1", "the old one is gone");
  });

  it("lets a host go, of which nothing is left anywhere", async () => {
    await on("w3", "docker", "rm", "-f", "three");
    const two = await addressOf("w2", "two");
    const gap = await longestGap("w1", "one", two, () => upWith({ weave: pinned, workers: ["w2", "w4"] }));
    say(`no answer between two others for ${gap.toFixed(2)} s while a host was taken out`);
    assert.ok(gap < 0.5, String(gap));
    await assertGone("w3");
    for (const name of ["w1", "w2", "w4"] as const) {
      const known = await shellOn(name, `cat ${folder}/peers; curl -s 127.0.0.1:6784/status/targets; curl -s 127.0.0.1:6784/status/connections`);
      assert.ok(!known.includes(sites.host("w3").address), `${name} still calls it: ${known}`);
    }
  });

  it("talks in plaintext where it is told to, and then the wire shows it", async () => {
    await upWith({ weave: { ...pinned, encrypted: false }, workers: ["w2", "w4"] });
    assert.equal(await seenOnTheWire("MARKER-OF-THE-LAST-DAY"), true);
  });

  it("gives way to another overlay only when nobody uses its networks, and comes back", async () => {
    const workers = ["w2", "w4"] as const;
    await lab.spec(spec({ weave: null, workers }));
    const preview = await lab.stack.pulumi(["preview", "--diff", "--non-interactive"]);
    assert.equal(preview.code, 0, preview.stderr);
    assert.match(preview.stdout, /6783/);
    assert.match(preview.stdout, /4789/);
    const said = await refused({ weave: null, workers });
    assert.match(said, /changing the overlay from weave to native would cut off what uses the networks of it; nothing was changed/);
    assert.match(said, /network web is used by service everywhere, /);
    assert.equal(await pings("w1", "one", "two"), true);
    await on("w1", "docker", "service", "rm", "everywhere");
    await Promise.all([on("w1", "docker", "rm", "-f", "one"), on("w2", "docker", "rm", "-f", "two"), on("w4", "docker", "rm", "-f", "four")]);
    await upWith({ weave: null, workers });
    for (const name of ["w1", ...workers] as const) await assertGone(name);
    assert.equal(await lab.withShell((shell) => proveByName(shell, keys.w1, keys.w4, "web")), `hello from ${keys.w4}`);
    const start = Date.now();
    await upWith({ weave: {}, workers });
    assert.equal(await lab.withShell((shell) => proveByName(shell, keys.w1, keys.w4, "web")), `hello from ${keys.w4}`);
    say(`native to weave, up and the first answer by name: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  });

  it("leaves nothing behind when it is destroyed", async () => {
    const { code, stdout, stderr } = await lab.stack.destroy();
    assert.equal(code, 0, stdout + stderr);
    for (const name of ["w1", "w2", "w4"] as const) {
      await assertGone(name);
      assert.equal(await shellOn(name, "ls -d /etc/pulumi-swarm 2>/dev/null || true"), "");
    }
  });
});

async function assertGone(name: Name): Promise<void> {
  const look = [
    `ls -d ${folder} /var/lib/pulumi-swarm /usr/local/lib/pulumi-swarm/weave /run/pulumi-swarm-weave /etc/systemd/system/${unit} 2>/dev/null || true`,
    "ip -o link | grep -E 'weave|vethw' || true",
    "iptables-save | grep -i weave || true",
    "docker plugin ls --format '{{.Name}}'",
    "pgrep -a weaver || true",
  ];
  assert.equal(await shellOn(name, look.join("\n")), "", `left on ${name}`);
}
