import assert from "node:assert/strict";
import { capture } from "../../tools/lab/capture";
import { eventually, testImage } from "../../tools/lab/cluster";
import { askIn, needTools, type NetworkFile, networkOf, networkOfContainer, startIn } from "../../tools/lab/namespace";
import { run } from "../../tools/lab/pulumi";
import { mirrorOf, needImages } from "../../tools/lab/registry";
import { Sites } from "../../tools/lab/sites";
import { assertNoChange, Lab } from "./lab";
import { lookAt, targetOf } from "./status-lab";

const subnet = "10.232.41.0/24";
const sites = new Sites("policy", { floor: { subnet, hosts: { c1: {}, w1: {} } } });
const lab = new Lab("policy");

const names = ["c1", "w1"] as const;
type Name = (typeof names)[number];
const networks = ["web", "db", "cache"] as const;
type Network = (typeof networks)[number];
const ports = [5432, 5433] as const;
type Overlay = "calico" | "flannel";

interface Policy {
  readonly from: readonly string[];
  readonly to: readonly Network[];
  readonly port: number | readonly number[];
}
type Policies = Readonly<Record<string, Policy>>;

const outsider = `${sites.onlookerAddress("outsider", "floor")}/32`;
const webToDb = { "web may reach db": { from: ["web"], to: ["db"], port: 5432 } } as const;
const first: Policies = {
  ...webToDb,
  "the rack may reach cache": { from: ["group rack"], to: ["cache"], port: 5433 },
  "the outsider may reach web": { from: [outsider], to: ["web"], port: 5432 },
};
const second: Policies = {
  "web may reach db": { from: ["web", "group rack"], to: ["db"], port: [5432, 5433] },
  "cache may reach web and db": { from: ["cache"], to: ["web", "db"], port: 5433 },
};

let mirror = "";

function spec(policy: Policies, overlay: Overlay | "native" = "calico"): object {
  const group = (role: string, name: Name): object => {
    const machines = { [name]: { address: sites.host(name).address, hostKey: sites.keys.host.publicKey } };
    return { role, site: "floor", network: subnet, machines };
  };
  return {
    existing: { control: group("manager", "c1"), rack: group("worker", "w1") },
    networks: { web: {}, db: {}, cache: {} },
    overlay: { [overlay]: {} },
    policy,
    programs: { mirror },
    engine: { settings: { "insecure-registries": [mirror] } },
    firewall: { ssh: sites.admins },
  };
}

const sh = (name: Name, script: string): Promise<string> => sites.on(name, "sh", "-euc", script);

/** A container of each network on each host, which answers on both ports. */
const containerOf = (network: Network): string => `t-${network}`;
async function place(): Promise<void> {
  const serve = ["/bin/busybox mkdir -p /www", ...ports.map((port) => `/bin/busybox httpd -p ${port} -h /www`)].join("; ");
  await Promise.all(
    names.map(async (name) => {
      for (const network of networks) {
        const run = `docker run --detach --init --restart always --name ${containerOf(network)} --network ${network} ${testImage}`;
        // A worker knows a network when the swarm has told it.
        await eventually(`${network} on ${name}`, 60, () =>
          sh(
            name,
            `docker rm -f ${containerOf(network)} >/dev/null 2>&1 || true; ${run} /bin/busybox sh -c '${serve}; exec /bin/busybox sleep 1000000'`,
          ),
        );
      }
    }),
  );
}
const remove = (): Promise<unknown> => Promise.all(names.map((name) => sh(name, `docker rm -f ${networks.map(containerOf).join(" ")} >/dev/null`)));

const addressOf = (name: Name, network: Network): Promise<string> =>
  sh(name, `docker inspect --format '{{(index .NetworkSettings.Networks "${network}").IPAddress}}' ${containerOf(network)}`);

interface Target {
  readonly on: Name;
  readonly network: Network;
  readonly address: string;
}
const targets = (): Promise<Target[]> =>
  Promise.all(names.flatMap((on) => networks.map(async (network) => ({ on, network, address: await addressOf(on, network) }))));

/** Those of many places that take a connection from within a network. */
async function open(from: NetworkFile, places: readonly string[]): Promise<ReadonlySet<string>> {
  const script = 'for at in "$@"; do (timeout 3 bash -c "exec 3<>/dev/tcp/${at%:*}/${at#*:}" 2>/dev/null && echo "$at") & done; wait';
  const said = await askIn(from, "bash", "-c", script, "bash", ...places);
  return new Set(said.split("\n").filter(Boolean));
}

/** Whom a source is, in the words of a policy. */
type Source = { readonly network: Network } | { readonly host: Name; readonly group: string } | { readonly cidr: string };

function isOpen(source: Source, target: Target, port: number, policies: Policies, overlay: Overlay): boolean {
  if ("network" in source && source.network === target.network) return true;
  // A host reaches its own containers without a packet being forwarded; by flannel's VXLAN, those of others too.
  if ("host" in source && (source.host === target.on || overlay === "flannel")) return true;
  const word = "network" in source ? source.network : "host" in source ? `group ${source.group}` : source.cidr;
  return Object.values(policies).some(
    ({ from, to, port: given }) => from.includes(word) && to.includes(target.network) && [given].flat().includes(port),
  );
}

/** Tries all of it, and compares with the policies. */
async function assertMatrix(policies: Policies, overlay: Overlay): Promise<void> {
  const all = await targets();
  await letOthersFindThem();
  const containers = names.flatMap((name) =>
    networks.map(async (network) => ({
      who: `${network} on ${name}`,
      source: { network } as Source,
      from: await networkOfContainer(sites.host(name).machine, containerOf(network)),
    })),
  );
  const others = [
    { who: "the host c1", source: { host: "c1", group: "control" } as Source, from: await networkOf(sites.host("c1").machine) },
    { who: "the host w1", source: { host: "w1", group: "rack" } as Source, from: await networkOf(sites.host("w1").machine) },
    { who: "the outsider", source: { cidr: outsider } as Source, from: await sites.network("outsider") },
    { who: "the admin", source: { cidr: "nobody" } as Source, from: await sites.network("admin") },
  ];
  const places = all.flatMap((target) => ports.map((port) => ({ target, port, at: `${target.address}:${port}` })));
  const seen: string[] = [];
  const wanted: string[] = [];
  await Promise.all(
    [...(await Promise.all(containers)), ...others].map(async ({ who, source, from }) => {
      const found = await open(
        from,
        places.map(({ at }) => at),
      );
      for (const { target, port, at } of places) {
        const line = `${who} > ${target.network} on ${target.on}, ${port}`;
        if (found.has(at)) seen.push(line);
        if (isOpen(source, target, port, policies, overlay)) wanted.push(line);
      }
    }),
  );
  assert.deepEqual(seen.sort(), wanted.sort());
  process.stdout.write(`      ${seen.length} of ${places.length * (containers.length + others.length)} ways are open\n`);
}

/** Those outside find a host's containers by a route of their own. */
async function letOthersFindThem(): Promise<void> {
  const { plan } = await lab.outputs();
  for (const name of names) {
    const range = plan.hosts.find(({ key }) => key.endsWith(`-${name}`))?.containerSubnet ?? assert.fail(`no subnet of ${name}`);
    for (const who of ["outsider", "admin"] as const)
      await askIn(await sites.network(who), "ip", "route", "replace", range, "via", sites.host(name).address);
  }
}

const tablesOf = (name: Name): Promise<string> => sh(name, "nft list tables | grep pulumi_swarm | sort | paste -s -d , -");

/** Whom a policy allows, asks again and again, each time by a new connection, while something is done, and none of it is lost. */
async function withoutLoss(what: string, work: () => Promise<unknown>): Promise<void> {
  const from = await networkOfContainer(sites.host("w1").machine, containerOf("web"));
  const [db, web] = [await addressOf("c1", "db"), await addressOf("c1", "web")];
  const counter = "awk '/^TcpExt/ { if (seen++) print $at; else for (at = 1; $at != \"TCPSynRetrans\"; at++); }' /proc/net/netstat";
  const sentAgain = async (): Promise<number> => Number(await askIn(from, "sh", "-c", counter));
  const before = await sentAgain();
  const connecting = await startIn(
    from,
    /ok/,
    "bash",
    "-c",
    `trap "exit 0" INT; while :; do exec 3<>/dev/tcp/${db}/5432 && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && read -r _ <&3 && echo ok; exec 3>&-; sleep 0.02; done`,
  );
  const pid = await sh("w1", `docker inspect --format '{{.State.Pid}}' ${containerOf("web")}`);
  const ping = `echo $$ >/run/pinging; exec nsenter -t ${pid} -n ping -q -i 0.02 ${web}`;
  const pinging = run("docker", ["exec", sites.host("w1").machine, "sh", "-c", ping]);
  await eventually("pings", 10, () => sh("w1", "cat /run/pinging"));
  const stop = async (): Promise<readonly [string, string]> => {
    const heard = await connecting.stop();
    await sh("w1", "kill -INT $(cat /run/pinging); rm /run/pinging");
    return [heard, (await pinging).stdout];
  };
  // Whatever fails meanwhile: what asks would keep this program from ending.
  await work().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const [heard, said] = await stop();
  const made = [...heard.matchAll(/ok/g)].length;
  const [, sent = "0", received = "0"] = /(\d+) packets transmitted, (\d+) received/.exec(said) ?? [];
  const again = (await sentAgain()) - before;
  process.stdout.write(
    `      ${what}: ${made} connections by a policy, ${again} with a packet lost; ${sent} pings within a network, ${received} answered\n`,
  );
  assert.ok(made > 20 && Number(sent) > 20, "hardly anything was tried");
  assert.equal(again, 0);
  // The last one may be on its way.
  assert.ok(Number(sent) - Number(received) <= 1, said.slice(-300));
}

/** One cluster, told in order. */
describe("policies between networks", function () {
  this.timeout(240_000);
  this.bail(true);

  before(async function () {
    this.timeout(600_000);
    needTools(this, "nsenter", "tcpdump", "nft");
    await needImages(this, "flannel-io/flannel:v0.28.10", "etcd-development/etcd:v3.5.35");
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    await sites.build();
    mirror = await mirrorOf("policy-net-floor");
    await lab.spec(spec(first));
    await lab.up();
    await lab.withShell((shell) => shell.putTestImage());
    await place();
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("let through what they name and nothing else, between networks, hosts and others, on a host and across hosts", () =>
    assertMatrix(first, "calico"));

  it("change nothing when they are asked for again, and are as planned for the status", async () => {
    assertNoChange(await lab.up());
    const { findings } = await lookAt(await targetOf(lab));
    assert.deepEqual(
      findings.filter(({ kind }) => /firewall|apart/.test(kind)),
      [],
    );
  });

  it("drop a forged address of a network that they name", async () => {
    const within = (network: Network): Promise<NetworkFile> => networkOfContainer(sites.host("w1").machine, containerOf(network));
    const [cache, web] = [await within("cache"), await addressOf("w1", "web")];
    const forged = web.replace(/\d+$/, (last) => String(Number(last) + 9));
    const gateway = (await askIn(cache, "ip", "route", "show", "default")).split(" ")[2] ?? "";
    // Who sends to a container of c1, by the address that a source has or takes.
    const sendersTo = async (to: Network, port: number, from: NetworkFile, as?: string): Promise<readonly string[]> => {
      const address = await addressOf("c1", to);
      if (as !== undefined) {
        await askIn(from, "ip", "address", "add", `${as}/32`, "dev", "eth0");
        await askIn(from, "ip", "route", "add", address, "via", gateway, "src", as);
      }
      const target = await networkOfContainer(sites.host("c1").machine, containerOf(to));
      const { packets } = await capture(target, "eth0", () => open(from, [`${address}:${port}`]), ["tcp", "dst", "port", String(port)]);
      if (as !== undefined) {
        await askIn(from, "ip", "route", "delete", address);
        await askIn(from, "ip", "address", "delete", `${as}/32`, "dev", "eth0");
      }
      return [...new Set(packets.map((packet) => packet.from))];
    };
    assert.deepEqual(await sendersTo("db", 5432, await within("web")), [web]);
    assert.deepEqual(await sendersTo("db", 5432, cache, forged), [], "with an address of the network web");
    assert.deepEqual(await sendersTo("web", 5432, cache, sites.onlookerAddress("outsider", "floor")), [], "with the outsider's");
  });

  it("lose no allowed packet while they are edited", async () => {
    await withoutLoss("two edits of the program", async () => {
      await lab.spec(spec(second));
      await lab.up();
      await lab.spec(spec({ ...second, ...first }));
      await lab.up();
    });
    await assertMatrix({ ...second, ...first }, "calico");
    const edits = 20;
    // What an edit does on a host.
    const line = "between ip saddr 10.96.0.0/16 ip daddr 10.96.0.0/16 tcp dport";
    const put = 'sh "$PWD/bridges" up';
    const edit = `cd /etc/pulumi-swarm/calico; cp policy /tmp/policy; for n in $(seq ${edits}); do { cat /tmp/policy; echo "${line} $n accept"; } >policy; ${put}; done; cp /tmp/policy policy; ${put}`;
    await withoutLoss(`${edits} edits on each host`, () => Promise.all(names.map((name) => sh(name, edit))));
    assertNoChange(await lab.up());
  });

  it("close again what is not asked for any more", async () => {
    await lab.spec(spec(second));
    await lab.up();
    await assertMatrix(second, "calico");
  });

  it("stand when a host has started again, before its containers do", async () => {
    await sites.reboot("c1");
    await eventually("containers run again", 60, async () =>
      (await sh("c1", "docker ps -q | wc -l")) === String(networks.length) ? true : undefined,
    );
    const since = (unit: string): Promise<string> => sh("c1", `systemctl show --value -p ActiveEnterTimestampMonotonic ${unit}`);
    const [bridges, docker] = [Number(await since("pulumi-swarm-calico-bridges")), Number(await since("docker"))];
    assert.ok(bridges > 0 && bridges < docker, `${bridges} and ${docker}`);
    await eventually("w1 and c1 meet again", 60, async () => {
      const from = await networkOfContainer(sites.host("w1").machine, containerOf("web"));
      return (await open(from, [`${await addressOf("c1", "db")}:5432`])).size > 0 ? true : undefined;
    });
    await assertMatrix(second, "calico");
  });

  it("are missed by the status where somebody removed the table, and stand again by what it says", async () => {
    await sh("w1", "nft delete table inet pulumi_swarm_calico");
    const target = await targetOf(lab);
    const [found] = (await lookAt(target)).findings.filter(({ kind }) => kind === "calico-apart");
    assert.deepEqual(found?.hosts, ["rack-w1"]);
    await sh("w1", "systemctl restart pulumi-swarm-calico-bridges");
    assert.deepEqual(
      (await lookAt(target)).findings.filter(({ kind }) => kind === "calico-apart"),
      [],
    );
  });

  it("are refused by an overlay that does not route, with the reason, before anything changes", async () => {
    await lab.spec(spec(second, "native"));
    const { code, stdout, stderr } = await lab.stack.preview();
    assert.notEqual(code, 0);
    assert.match(
      stdout + stderr,
      /policy: native\(\) keeps each network in a VXLAN of its own, and no host routes from one to another\. Fix: take calico\(\) or flannel\(\)/,
    );
  });

  it("move to another overlay that routes, and go with the cluster", async () => {
    await remove();
    await lab.spec(spec(first, "flannel"));
    await lab.up();
    for (const name of names) assert.equal(await tablesOf(name), "table inet pulumi_swarm,table inet pulumi_swarm_flannel");
    await place();
    await assertMatrix(first, "flannel");
    assertNoChange(await lab.up());
    await remove();
    const { code, stdout, stderr } = await lab.stack.destroy();
    assert.equal(code, 0, stdout + stderr);
    for (const name of names) assert.equal(await tablesOf(name), "");
  });
});
