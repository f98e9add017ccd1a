import assert from "node:assert/strict";
import { eventually, testImage } from "../../tools/lab/cluster";
import { askIn, needTools, runIn, startIn } from "../../tools/lab/namespace";
import { run } from "../../tools/lab/pulumi";
import { Sites } from "../../tools/lab/sites";
import { assertNoChange, Lab } from "./lab";
import { lookAt, targetOf } from "./status-lab";
import { fromBird, sortedLines, Tor, torAs } from "./tor";

const subnet = "10.245.51.0/24";
const office = "10.245.52.0/24";
const sites = new Sites("peers", { floor: { subnet, hosts: { c1: {}, w1: {} } }, office: { subnet: office, hosts: {} } });
const lab = new Lab("peers");

const names = ["c1", "w1"] as const;
type Name = (typeof names)[number];
const ports = [5432, 5433] as const;
const password = "tor-and-its-hosts-4711";
/** Of the hosts' BIRD. */
const socket = "/run/pulumi-swarm-calico/bird.ctl";
const tor = new Tor(sites, names);
const policy = { "the office may reach web": { from: [office], to: ["web"], port: ports[0] } };
const peer = { address: tor.address, as: torAs, announce: ["web"], accept: [office], bfd: true };

function spec(peers: object, policies: object = {}, more: object = {}): object {
  const group = (role: string, name: Name): object => {
    const machines = { [name]: { address: sites.host(name).address, hostKey: sites.keys.host.publicKey } };
    return { role, site: "floor", network: subnet, machines };
  };
  return {
    existing: { control: group("manager", "c1"), rack: group("worker", "w1") },
    networks: { web: {}, db: {} },
    overlay: { calico: { peers, ...more } },
    policy: policies,
    firewall: { ssh: sites.admins },
  };
}

const sh = (name: Name, script: string): Promise<string> => sites.on(name, "sh", "-euc", script);
const warningsIn = (text: string): string[] => [...new Set(text.match(/no BGP session of [^\n]*/g))];

const stand = async (): Promise<boolean> => {
  const hosts = await Promise.all(names.map((name) => sh(name, `birdc -r -s ${socket} show protocols | grep -c '^peer:tor .*Established' || true`)));
  return (await tor.standing()).length === names.length && hosts.every((count) => count === "1");
};
/** For good: when the router begins anew, hosts end the first session again, once BFD has noticed that the old one was silent. */
const allStand = (): Promise<boolean> =>
  eventually("both hosts have a session with the router", 90, async () => {
    if (!(await stand())) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 4000));
    return (await stand()) ? true : undefined;
  });

/** What a host has in its kernel from BIRD, as `network via gateway`. */
const routesOf = async (name: Name): Promise<string[]> => sortedLines(await sh(name, fromBird));

async function subnetOf(name: Name): Promise<string> {
  const { plan } = await lab.outputs();
  return plan.hosts.find(({ key }) => key.endsWith(`-${name}`))?.containerSubnet ?? assert.fail(`no subnet of ${name}`);
}
/** A network's part of a host's subnet; here all are within the last number. */
async function sliceOf(name: Name, network: string): Promise<string> {
  const { plan } = await lab.outputs();
  const slice = plan.networks.find((each) => each.name === network)?.slice ?? assert.fail(`no slice of ${network}`);
  return `${(await subnetOf(name)).replace(/\.0\/24$/, "")}${slice.replace(/^0\.0\.0/, "")}`;
}

async function place(): Promise<void> {
  const serve = ["/bin/busybox mkdir -p /www", ...ports.map((port) => `/bin/busybox httpd -p ${port} -h /www`)].join("; ");
  for (const name of names) {
    for (const network of ["web", "db"]) {
      const run = `docker run --detach --init --restart always --name t-${network} --network ${network} ${testImage}`;
      // A worker knows a network when the swarm has told it.
      await eventually(`${network} on ${name}`, 60, () =>
        sh(name, `docker rm -f t-${network} >/dev/null 2>&1 || true; ${run} /bin/busybox sh -c '${serve}; exec /bin/busybox sleep 1000000'`),
      );
    }
  }
}
const addressOf = (name: Name, network: string): Promise<string> =>
  sh(name, `docker inspect --format '{{(index .NetworkSettings.Networks "${network}").IPAddress}}' t-${network}`);

/** Whether somebody in the office gets a connection, through the router. */
async function reaches(address: string, port: number): Promise<boolean> {
  const { code } = await runIn(await sites.network("outsider"), "timeout", ["3", "bash", "-c", `exec 3<>/dev/tcp/${address}/${port}`]);
  return code === 0;
}

/** One cluster, told in order. */
describe("routers outside the cluster", function () {
  this.timeout(240_000);
  this.bail(true);

  before(async function () {
    this.timeout(600_000);
    needTools(this, "nsenter", "nft");
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    const { code, stderr } = await lab.stack.pulumi(["config", "set", "--secret", "lab:routerPassword"], { stdin: password });
    assert.equal(code, 0, stderr);
    await sites.build();
    // No host knows the way to the office but from the router.
    for (const name of names) await sh(name, `ip route delete ${office}; rm -f /etc/systemd/system/sysinit.target.wants/lab-routes.service`);
    await lab.spec(spec({ tor: peer }));
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("are in the preview, with what they are told and what is taken from them, and not their passwords", async () => {
    const { code, stdout, stderr } = await lab.stack.preview("--diff");
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /pulumi-swarm:index:BgpPeer:[^]*accepts +: \[[^]*"10\.245\.52\.0\/24"[^]*announces *: \{\s*web: "0\.0\.0\.\d+\/26 of each host's own \/24 in 10\.97\.0\.0\/17"/,
    );
    assert.match(stdout, /pulumi-swarm:index:FirewallRule: [^]*peers-bgp-tor/);
    assert.ok(!`${stdout}${stderr}`.includes(password));
  });

  it("are named in a warning while they do not answer, and nothing else fails", async () => {
    const { stdout, stderr } = await lab.up();
    const warned = warningsIn(stdout + stderr);
    process.stdout.write(`      ${warned.join("\n      ")}\n`);
    assert.match(warned.join(), new RegExp(`no BGP session of control-c1, rack-w1 with the router tor \\(${tor.address}, AS ${torAs}\\)`));
    assert.ok(!`${stdout}${stderr}`.includes(password));
    const { findings } = await lookAt(await targetOf(lab));
    assert.deepEqual(
      findings.filter(({ kind }) => kind === "bgp-peer").map(({ hosts }) => hosts),
      [["control-c1", "rack-w1"]],
    );
    await lab.withShell((shell) => shell.putTestImage());
    await place();
  });

  it("have no session with a wrong password, and one with each host with the right one", async () => {
    await tor.start("wrong", [office]);
    const began = Date.now();
    while (Date.now() - began < 15_000) assert.deepEqual(await tor.standing(), []);
    await tor.start(password, [office]);
    await allStand();
    assert.deepEqual(
      (await lookAt(await targetOf(lab))).findings.filter(({ kind }) => /^bgp|^calico/.test(kind)),
      [],
    );
  });

  it("know the way to the containers of the networks that are announced, by each host to its own, and of no other", async () => {
    const wanted = await Promise.all(names.map(async (name) => `${await sliceOf(name, "web")} ${sites.host(name).address}`));
    await eventually("the router's routes", 30, async () => ((await tor.routes()).length > 0 ? true : undefined));
    assert.deepEqual(await tor.routes(), wanted.sort());
    process.stdout.write(`      ${wanted.join(", ")}\n`);
  });

  it("let through what a policy opens, and nothing else", async () => {
    const within = await sites.network("outsider");
    for (const name of names)
      await askIn(
        within,
        "ip",
        "route",
        "replace",
        await subnetOf(name),
        "via",
        sites.routerAddress("office", "within"),
        "src",
        sites.onlookerAddress("outsider", "office"),
      );
    for (const name of names) assert.equal(await reaches(await addressOf(name, "web"), ports[0]), false, `${name} without a policy`);
    await lab.spec(spec({ tor: peer }, policy));
    await lab.up();
    for (const name of names) {
      const [web, db] = [await addressOf(name, "web"), await addressOf(name, "db")];
      assert.deepEqual([await reaches(web, ports[0]), await reaches(web, ports[1]), await reaches(db, ports[0])], [true, false, false], name);
    }
    assertNoChange(await lab.up());
  });

  it("draw nothing to themselves: not the cluster's subnets, a container, the hosts' network, or what was not asked for", async () => {
    const before = await Promise.all(names.map(routesOf));
    const web = await addressOf("w1", "web");
    const forged = [
      await subnetOf("w1"),
      await subnetOf("c1"),
      `${web}/32`,
      "10.96.0.0/14",
      "10.97.0.0/17",
      `${sites.host("w1").address}/32`,
      "192.0.2.0/24",
      "0.0.0.0/0",
    ];
    await tor.start(password, [office, ...forged]);
    await eventually("the router tells of them", 30, async () => ((await tor.tells("c1")).includes("192.0.2.0/24") ? true : undefined));
    // As long as hosts may need to hear of it: each looks at the kernel's table again.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    for (const [index, name] of names.entries()) {
      assert.deepEqual(await routesOf(name), before[index], name);
      assert.ok((await routesOf(name)).includes(`${office} ${tor.address}`));
      const heard = await sh(name, `birdc -r -s ${socket} show route protocol "'peer:tor'"`);
      assert.deepEqual(heard.match(/^\d\S+\/\d+/gm), [office], heard);
    }
  });

  it("give a default route where it is asked for, which carries what the host has no other way for", async () => {
    await lab.spec(spec({ tor: { ...peer, accept: "default" } }, policy));
    await lab.up();
    const own = await sh("w1", "ip -4 route show default | grep -v bird");
    await eventually("a default route from the router", 30, async () =>
      (await routesOf("w1")).includes(`default ${tor.address}`) ? true : undefined,
    );
    assert.ok(!(await routesOf("w1")).some((route) => route.startsWith(office)));
    assert.doesNotMatch(await sh("w1", "ip -4 route get 203.0.113.9"), new RegExp(`via ${tor.address} `), "the host's own goes first");
    await sh("w1", "ip -4 route delete default metric 0");
    assert.match(await sh("w1", "ip -4 route get 203.0.113.9"), new RegExp(`via ${tor.address} `));
    assert.equal(await reaches(await addressOf("w1", "web"), ports[0]), true);
    await sh("w1", `ip -4 route add ${own.trim()}`);
    await lab.spec(spec({ tor: peer }, policy));
    await lab.up();
    assert.ok(!(await routesOf("w1")).some((route) => route.startsWith("default")));
  });

  it("hardly lose a connection when a host's BIRD is killed, and have its routes back", async () => {
    const address = await addressOf("w1", "web");
    const asking = await startIn(
      await sites.network("outsider"),
      /ok/,
      "bash",
      "-c",
      `trap "exit 0" INT; while :; do if timeout 1 bash -c 'exec 3<>/dev/tcp/${address}/${ports[0]}' 2>/dev/null; then echo ok; else echo lost; fi; sleep 0.05; done`,
    );
    await sh("w1", "systemctl kill --signal=KILL pulumi-swarm-calico");
    await allStand();
    // The other end keeps what it heard before for 15 seconds, and must have heard it again by then.
    await new Promise((resolve) => setTimeout(resolve, 17_000));
    const heard = await asking.stop();
    const [made, lost] = [heard.match(/ok/g)?.length ?? 0, heard.match(/lost/g)?.length ?? 0];
    process.stdout.write(`      BIRD killed on w1: ${made} connections from the office, ${lost} lost\n`);
    assert.ok(made > 20);
    // Each is given up after a second, before its packet is sent again: one is enough to lose it.
    assert.ok(lost <= 2, `${lost} of ${made + lost}`);
  });

  it("keep their sessions while hosts change the password that these have among themselves, and no packet between hosts is lost", async () => {
    const passwords = (): Promise<string[]> =>
      Promise.all(names.map((name) => sh(name, `sed -n 's/.*password "\\(.*\\)";/\\1/p' /etc/pulumi-swarm/calico/password.conf`)));
    const before = await passwords();
    const pid = await sh("c1", "docker inspect --format '{{.State.Pid}}' t-web");
    const ping = `echo $$ >/run/pinging; exec nsenter -t ${pid} -n ping -q -i 0.02 ${await addressOf("w1", "web")}`;
    const pinging = run("docker", ["exec", sites.host("c1").machine, "sh", "-c", ping]);
    await eventually("pings", 10, () => sh("c1", "cat /run/pinging"));
    const { stdout, stderr } = await (async () => {
      try {
        await lab.spec(spec({ tor: peer }, policy, { rotation: "2026-11" }));
        const done = await lab.up();
        await allStand();
        // BIRD that starts takes nothing out of the kernel before it has heard of all, or waited for 15 seconds.
        await new Promise((resolve) => setTimeout(resolve, 17_000));
        return done;
      } finally {
        await sh("c1", "kill -INT $(cat /run/pinging); rm /run/pinging");
      }
    })();
    const [, sent = "0", received = "0"] = /(\d+) packets transmitted, (\d+) received/.exec((await pinging).stdout) ?? [];
    process.stdout.write(`      another password: ${Number(sent) - Number(received)} of ${sent} packets lost\n`);
    assert.ok(Number(sent) > 500);
    // The last one may be on its way.
    assert.ok(Number(sent) - Number(received) <= 1);
    const after = await passwords();
    assert.equal(new Set(after).size, 1);
    assert.ok(!before.includes(after[0] ?? ""));
    for (const one of [...before, ...after]) assert.ok(one.length === 43 && !`${stdout}${stderr}`.includes(one));
    assertNoChange(await lab.up());
  });

  it("have passwords that are nowhere to be read: not in the state, in logs, in arguments, nor by others than root on hosts", async () => {
    const { stdout } = await lab.stack.pulumi(["stack", "export"]);
    assert.ok(stdout.length > 1000 && !stdout.includes(password));
    for (const name of names) {
      assert.equal(
        await sh(name, "stat -c '%a %U %G' /etc/pulumi-swarm/calico/peers.conf /run/pulumi-swarm-calico/peers.conf | paste -s -d , -"),
        "600 root root,640 root bird",
      );
      assert.match(
        await sh(name, "su -s /bin/sh nobody -c 'cat /etc/pulumi-swarm/calico/peers.conf /run/pulumi-swarm-calico/peers.conf' 2>&1 || true"),
        /Permission denied\n.*Permission denied/,
      );
      assert.equal(await sh(name, `journalctl -q --no-pager | grep -c '${password}' || true`), "0");
      assert.equal(
        await sh(name, `grep -rlF '${password}' /etc /run /tmp /var/lib/pulumi-swarm 2>/dev/null | sort | paste -s -d , -`),
        "/etc/pulumi-swarm/calico/peers.conf,/run/pulumi-swarm-calico/peers.conf",
      );
    }
  });

  it("lose all routes when they are not asked for any more, and leave nothing behind", async () => {
    await lab.spec(spec({}, policy, { rotation: "2026-11" }));
    await lab.up();
    await eventually("the router has no routes", 30, async () => ((await tor.routes()).length === 0 ? true : undefined));
    for (const name of names) {
      assert.ok(!(await routesOf(name)).some((route) => route.startsWith(office)));
      assert.equal(await sh(name, "ls /etc/pulumi-swarm/calico/peers.conf /run/pulumi-swarm-calico/peers.conf 2>/dev/null || true"), "");
      assert.equal(await sh(name, "nft list table inet pulumi_swarm | grep -c 'bgp tor' || true"), "0");
    }
    assertNoChange(await lab.up());
  });
});
