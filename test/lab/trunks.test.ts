import assert from "node:assert/strict";
import { Cidr, isCidr } from "../../components/addresses/cidr";
import { capture } from "../../tools/lab/capture";
import { eventually, testImage } from "../../tools/lab/cluster";
import { needTools, networkOfContainer } from "../../tools/lab/namespace";
import { Sites } from "../../tools/lab/sites";
import { assertNoChange, Lab } from "./lab";
import { lookAt, targetOf } from "./status-lab";
import { TrunkSwitch } from "./trunk-switch";

const subnet = "10.245.61.0/24";
const sites = new Sites("trunks", { floor: { subnet, hosts: { c1: {}, w1: {}, sw: {} } } });
const lab = new Lab("trunks");
const users = new TrunkSwitch("trunks-sw");

const names = ["c1", "w1"] as const;
type Name = (typeof names)[number];
type Network = "web" | "db";
/** On the switch: `inner` is in the internal network, `stranger` on a VLAN that is nobody's. */
const machines = [
  { name: "outer", vlan: 120 },
  { name: "second", vlan: 120 },
  { name: "inner", vlan: 130 },
  { name: "stranger", vlan: 140 },
] as const;
const rack = { interface: "eth1", vlan: 120, network: "web", on: "rack-w1" };
const inside = { ...rack, vlan: 130, network: "db" };

function spec(trunks: object): object {
  const group = (role: string, name: Name): object => {
    const machine = { [name]: { address: sites.host(name).address, hostKey: sites.keys.host.publicKey } };
    return { role, site: "floor", network: subnet, machines: machine };
  };
  return {
    existing: { control: group("manager", "c1"), rack: group("worker", "w1") },
    networks: { web: {}, db: { internal: true } },
    overlay: { openvswitch: { trunks } },
    firewall: { ssh: sites.admins },
  };
}

const sh = (name: Name, script: string): Promise<string> => sites.on(name, "sh", "-euc", script);

/** What may be left of it on a host: bridges, ports, flows, rules. */
const traces = (name: Name): Promise<string> =>
  sh(
    name,
    "ovs-vsctl list-br; ovs-vsctl list-ports ovs-swarm | sort; ovs-ofctl dump-flows ovs-swarm | sed 's/.*priority/priority/' | sort; " +
      "nft list table inet pulumi_swarm_openvswitch; ls /sys/class/net | grep -v '^veth'; cat /etc/pulumi-swarm/openvswitch/trunks",
  );

async function place(): Promise<void> {
  for (const name of names) {
    for (const network of ["web", "db"]) {
      const run = `docker run --detach --init --restart always --name t-${network} --network ${network} ${testImage}`;
      // A worker knows a network when the swarm has told it.
      await eventually(`${network} on ${name}`, 60, () =>
        sh(
          name,
          `docker rm -f t-${network} >/dev/null 2>&1 || true; ${run} /bin/busybox sh -c '/bin/busybox mkdir -p /www; /bin/busybox httpd -p 80 -h /www; exec /bin/busybox sleep 1000000'`,
        ),
      );
    }
  }
}
/** Docker gives a container up when no manager answers within 20 seconds of its start, as where the machine is busy. */
async function areBack(name: Name): Promise<void> {
  for (const network of ["web", "db"]) {
    const state = await eventually(`Docker has decided on t-${network}`, 60, async () => {
      const found = await sh(name, `docker inspect --format '{{.State.Status}} {{.State.Error}}' t-${network}`);
      return /^(running|exited)/.test(found) ? found.trim() : undefined;
    });
    if (state !== "running") process.stdout.write(`      t-${network} of ${name} is started by hand: ${state}\n`);
    // Until a manager has told it of the network, the engine says that there is none.
    const start = (): Promise<true | undefined> =>
      sh(name, `docker start t-${network}`).then(
        () => true as const,
        () => undefined,
      );
    if (state !== "running") await eventually(`t-${network} starts`, 60, start);
  }
}
const addressOf = (name: Name, network: Network): Promise<string> =>
  sh(name, `docker inspect --format '{{(index .NetworkSettings.Networks "${network}").IPAddress}}' t-${network}`);
const within = (name: Name, network: Network, command: string): Promise<string> =>
  sh(name, `nsenter -t "$(docker inspect --format '{{.State.Pid}}' t-${network})" -n ${command}`);
async function answers(name: Name, network: Network, address: string, options = ""): Promise<boolean> {
  const said = await within(name, network, `ping -n -q -c 3 -i 0.2 -W 1 ${options} ${address} 2>&1 || true`);
  return / received/.test(said) && !/ 0 received|rror|too long/.test(said);
}

async function planned(name: "rack" | "inside"): Promise<{ readonly range: Cidr; readonly prefix: string; readonly mtu: number }> {
  const { plan } = await lab.outputs();
  const trunk = plan.trunks.find((each) => each.name === name) ?? assert.fail(`no trunk ${name}`);
  const range = Cidr.parse(trunk.addresses);
  assert.ok(isCidr(range));
  return { range, prefix: trunk.subnet.replace(/.*\//, ""), mtu: trunk.mtu };
}
const numbered = async (name: "rack" | "inside", number: number): Promise<string> => (await planned(name)).range.address(number);

async function giveAddresses(): Promise<void> {
  for (const [name, trunk, number] of [
    ["outer", "rack", 1],
    ["second", "rack", 2],
    ["inner", "inside", 1],
    ["stranger", "rack", 3],
  ] as const) {
    const { range, prefix, mtu } = await planned(trunk);
    await users.address(name, mtu, `${range.address(number)}/${prefix}`);
  }
}

/** From the machine to containers on both hosts, and back. */
async function meet(machine: "outer" | "inner", network: Network): Promise<void> {
  const own = await numbered(network === "web" ? "rack" : "inside", 1);
  for (const name of names) {
    const there = await addressOf(name, network);
    // As long as a machine may keep what it knows of a container that is somewhere else now.
    await eventually(`${machine} reaches ${network} on ${name}`, 90, async () => ((await users.reaches(machine, there)) ? true : undefined));
    assert.ok(await answers(name, network, own), `${network} on ${name} reaches ${machine}`);
  }
}

/** One cluster, told in order. */
describe("machines on a VLAN of the user's switch", function () {
  this.timeout(300_000);
  this.bail(true);
  let without: readonly string[] = [];

  before(async function () {
    this.timeout(600_000);
    needTools(this, "nsenter", "tcpdump");
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    await sites.build();
    await users.start(machines);
    for (const name of names) await users.plug(sites.host(name).machine, "eth1", `cable-${name}`);
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("are refused at an interface that the host has an address on, or does not have, before anything is changed on that host", async () => {
    await lab.spec(spec({ rack: { ...rack, interface: "eth0" }, inside: { ...inside, interface: "eth9" } }));
    const { code, stdout, stderr } = await lab.stack.up();
    assert.notEqual(code, 0);
    const said = stdout + stderr;
    assert.match(
      said,
      /rack-w1: [^\n]*the interface eth0 of the trunk rack has the address 10\.245\.61\.\d+\/24 of this host, by which other hosts reach it/,
    );
    assert.equal(await sh("w1", "ls /etc/pulumi-swarm/openvswitch 2>/dev/null || true"), "");
    // The same look, with eth9 first.
    await lab.spec(spec({ rack: { ...rack, interface: "eth9" } }));
    const other = await lab.stack.up();
    assert.match(other.stdout + other.stderr, /this host has no interface eth9, which the trunk rack is to use\. Fix: [^\n]*it has: eth0 eth1/);
  });

  it("are nowhere at first", async () => {
    await lab.spec(spec({}));
    await lab.up();
    without = await Promise.all(names.map(traces));
    await lab.withShell((shell) => shell.putTestImage());
    await place();
  });

  it("are in the preview, with the addresses that they may have, and the MTU", async () => {
    await lab.spec(spec({ rack, inside }));
    const { code, stdout, stderr } = await lab.stack.preview("--diff");
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /pulumi-swarm:index:VlanTrunk:[^]*addresses *: "10\.\d+\.\d+\.\d+\/26"[^]*interface *: "eth1"[^]*mtu *: 1446[^]*vlan *: 120/,
    );
  });

  it("reach containers on both hosts, and these reach them, by ping and TCP, and a second up changes nothing", async () => {
    await lab.spec(spec({ rack, inside }));
    await lab.up();
    await giveAddresses();
    await meet("outer", "web");
    for (const name of names) {
      const there = await addressOf(name, "web");
      assert.match(
        await users.in("outer", `timeout 5 bash -c 'exec 3<>/dev/tcp/${there}/80; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; head -n 1 <&3'`),
        /^HTTP\/1/,
      );
    }
    assert.ok(await users.reaches("outer", await numbered("rack", 2)), "machines reach each other on their switch");
    const traced = await traces("w1");
    assertNoChange(await lab.up());
    assert.equal(await traces("w1"), traced);
  });

  it("take part in an internal network too, beside the other one at the same interface", () => meet("inner", "db"));

  it("have packets of the planned size, and none larger", async () => {
    const { mtu } = await planned("rack");
    const there = await addressOf("c1", "web");
    assert.ok(await users.reaches("outer", there, `-M do -s ${mtu - 28}`));
    assert.ok(await answers("c1", "web", await numbered("rack", 1), `-M do -s ${mtu - 28}`));
    // As one that was set up without a look at the preview.
    await users.in("outer", "ip link set eth0 mtu 1500");
    assert.equal(await users.reaches("outer", there, `-M do -s ${mtu - 27}`), false);
    await users.in("outer", `ip link set eth0 mtu ${mtu}`);
  });

  it("reach nothing from another VLAN, also with an address of the right one", async () => {
    for (const name of names) assert.equal(await users.reaches("stranger", await addressOf(name, "web")), false, name);
    // The same addresses on the VLAN of the internal network.
    const { range, prefix, mtu } = await planned("rack");
    await users.address("inner", mtu, `${range.address(4)}/${prefix}`);
    for (const name of names) assert.equal(await users.reaches("inner", await addressOf(name, "web")), false, name);
    await giveAddresses();
    assert.ok(await users.reaches("inner", await addressOf("c1", "db")));
  });

  it("cannot send with an address of containers or hosts, nor anything but IPv4 and ARP", async () => {
    const { prefix, mtu } = await planned("rack");
    const [there, stolen] = [await addressOf("w1", "web"), (await addressOf("c1", "web")).replace(/\d+$/, (last) => String(Number(last) + 9))];
    const { packets } = await capture(
      await networkOfContainer(sites.host("w1").machine, "t-web"),
      "eth0",
      async () => {
        await users.address("outer", mtu, `${stolen}/${prefix}`);
        assert.equal(await users.reaches("outer", there), false);
        await users.in("outer", "ping -6 -c 2 -W 1 ff02::1%eth0 || true");
      },
      ["arp", "or", "icmp", "or", "ip6"],
    );
    assert.deepEqual(packets, []);
    await giveAddresses();
    await meet("outer", "web");
  });

  it("reach no other network, and nothing else through a host", async () => {
    for (const name of names) {
      const gateway = await sh(name, 'awk \'$1 == "web" { sub("/.*", "", $7); print $7 }\' /etc/pulumi-swarm/openvswitch/networks');
      assert.ok(await users.reaches("outer", gateway), "a host is in the network itself");
      for (const aim of [await addressOf(name, "db"), sites.onlookerAddress("outsider", "floor")]) {
        await users.in("outer", `ip route replace ${aim} via ${gateway}`);
        assert.equal(await users.reaches("outer", aim), false, `${aim} by ${name}`);
        await users.in("outer", `ip route delete ${aim}`);
      }
      const outsider = sites.onlookerAddress("outsider", "floor");
      assert.ok(await answers(name, "web", outsider), "containers have their way out");
    }
  });

  it("meet containers again when ovs-vswitchd was killed, and when the host was rebooted and the interface comes late", async () => {
    await sh("w1", "kill -9 $(pidof ovs-vswitchd)");
    await meet("outer", "web");
    await sites.reboot("w1");
    assert.ok(await answers("c1", "web", await addressOf("c1", "web")));
    await areBack("w1");
    const there = await addressOf("w1", "web");
    await eventually("containers meet without the machines", 60, async () => ((await answers("c1", "web", there)) ? true : undefined));
    const found = async (): Promise<string[]> => {
      const { findings } = await lookAt(await targetOf(lab));
      return findings.flatMap(({ kind, text }) => (kind === "openvswitch-trunk" ? [text] : []));
    };
    assert.deepEqual(
      (await found()).map((text) => text.replace(/,.*/, "")),
      ["rack", "inside"].map((name) => `rack-w1: the interface eth1 of the trunk ${name} is not there`),
    );
    await users.plug(sites.host("w1").machine, "eth1", "cable-w1");
    await sh("w1", "ip link set eth1 up");
    await meet("outer", "web");
    await meet("inner", "db");
    assert.deepEqual(await found(), []);
  });

  it("are carried by another host when that is asked for, and no frame goes round while both do", async () => {
    const carriers = "/etc/pulumi-swarm/openvswitch/trunks";
    const file = await sh("w1", `cat ${carriers}`);
    // As after a change of the carrier while the old one was away.
    await lab.spec(spec({ rack: { ...rack, on: "group control" }, inside: { ...inside, on: "control-c1" } }));
    await lab.up();
    await meet("outer", "web");
    assert.equal(await sh("w1", "ovs-vsctl list-br"), "ovs-swarm");
    const now = await sh("w1", `cat ${carriers}`);
    const put = (text: string): Promise<string> => sh("w1", `printf '%s\\n' '${text}' >${carriers}; sh /etc/pulumi-swarm/openvswitch/bridge up`);
    await put(file);
    const { packets } = await capture(
      await networkOfContainer(sites.host("w1").machine, "t-web"),
      "eth0",
      () => users.in("outer", `ping -q -b -c 3 -i 0.3 -W 1 -I eth0 255.255.255.255 || true`),
      ["icmp", "and", "ether", "broadcast"],
    );
    process.stdout.write(`      with two carriers, 3 broadcasts came ${packets.length} times\n`);
    assert.ok(packets.length >= 3 && packets.length <= 6, JSON.stringify(packets));
    await put(now);
    await meet("outer", "web");
  });

  it("leave nothing behind when they are not asked for any more", async () => {
    await lab.spec(spec({}));
    await lab.up();
    for (const [index, name] of names.entries()) assert.equal(await traces(name), without[index], name);
    assert.equal(await users.reaches("outer", await addressOf("c1", "web")), false);
    for (const name of names) assert.ok(await answers(name, "web", await addressOf("c1", "web")));
    assertNoChange(await lab.up());
  });

  it("leave nothing behind when the cluster goes", async () => {
    await lab.spec(spec({ rack }));
    await lab.up();
    await meet("outer", "web");
    for (const name of names) await sh(name, "docker rm -f t-web t-db >/dev/null");
    const { code, stdout, stderr } = await lab.stack.destroy();
    assert.equal(code, 0, stdout + stderr);
    for (const name of names)
      assert.equal(await sh(name, "ovs-vsctl list-br; ls -d /etc/pulumi-swarm/openvswitch /sys/class/net/ov* 2>/dev/null || true"), "", name);
    assert.equal(await sh("w1", "ls -d /sys/class/net/eth1"), "/sys/class/net/eth1");
  });
});
