import assert from "node:assert/strict";
import { eventually, testImage } from "../../tools/lab/cluster";
import { docker } from "../../tools/lab/machines";
import { needTools } from "../../tools/lab/namespace";
import { mirrorOf, needImages } from "../../tools/lab/registry";
import { Sites } from "../../tools/lab/sites";
import { assertNoChange, Lab } from "./lab";

/** What is to be reached is in the rack, whose router lets nobody in: hosts of the open site have no way to it. */
const sites = new Sites("gateways", {
  open: { subnet: "10.233.128.0/24", hosts: { c1: {}, c2: {} } },
  rack: { subnet: "10.233.129.0/24", router: "masquerades", hosts: { r1: {}, r2: {} } },
});
const lab = new Lab("gateways");
const outside = { address: sites.onlookerAddress("outsider", "rack"), port: 1521, says: "hello from outside" } as const;
type Name = "c1" | "c2" | "r1" | "r2";
const rack = ["r1", "r2"] as const;

const oracle = { to: outside.address, port: 99, targetPort: outside.port, on: "group rack", networks: ["web"] };
let mirror = "";

function group(role: string, site: string, ...members: readonly Name[]): object {
  const machines = members.map((name) => {
    const { address, publicAddress } = sites.host(name);
    return [name, { address, hostKey: sites.keys.host.publicKey, ...(publicAddress !== undefined && { publicAddress }) }];
  });
  return { role, site, network: sites.subnet(site), machines: Object.fromEntries(machines) as object };
}

function spec(more: object = {}): object {
  return {
    existing: { control: group("manager", "open", "c1"), work: group("worker", "open", "c2"), rack: group("worker", "rack", ...rack) },
    networks: { web: {}, store: {} },
    gateways: { oracle },
    wireguard: {},
    programs: { mirror },
    engine: { settings: { "insecure-registries": [mirror] } },
    firewall: { ssh: sites.admins },
    ...more,
  };
}

const sh = (name: Name, script: string): Promise<string> => docker("exec", sites.host(name).machine, "sh", "-c", script);

/** What a container of a network hears at an address. Empty where nobody answers. */
function ask(from: Name, network: string, address: string, port: number): Promise<string> {
  const asks = `/bin/busybox timeout 5 /bin/busybox sh -c ": | nc -w 3 ${address} ${port}" || true`;
  return sh(from, `docker run --rm --network ${network} ${testImage} /bin/busybox sh -c '${asks}' 2>/dev/null`);
}

/** Waits for an answer: a container that has just been made may not know the others yet. */
async function reachable(from: Name, network = "web", address = "oracle"): Promise<void> {
  await eventually(`an answer of ${address} to ${from}, on ${network}`, 60, async () => {
    assert.equal(await ask(from, network, address, oracle.port), outside.says);
    return true;
  });
}

/** Addresses of the gateway's tasks on its first network, by the hosts that run them. With some overlays only the hosts know them. */
async function tasks(): Promise<Readonly<Record<string, string>>> {
  const running = "docker ps --quiet --filter label=com.docker.swarm.service.name=oracle";
  const found = await Promise.all(
    rack.map(async (name) => {
      const said = await sh(name, `${running} | xargs -r docker inspect --format '{{json .NetworkSettings.Networks}}'`);
      if (said === "") return [];
      const { web } = JSON.parse(said.split("\n")[0] ?? "{}") as Record<string, { IPAddress: string; IPAMConfig?: { IPv4Address?: string } | null }>;
      return [[name, web?.IPAddress || web?.IPAMConfig?.IPv4Address || ""] as const];
    }),
  );
  return Object.fromEntries(found.flat());
}

/** Waits until two hosts run it. @returns the addresses of the tasks */
function twoTasks(): Promise<Readonly<Record<string, string>>> {
  return eventually("a task with an address on each of two hosts", 120, async () => {
    const found = await tasks();
    assert.match(Object.entries(found).join(" "), /^r1,10\.\S+ r2,10\.\S+$/);
    return found;
  });
}

/** What of gateways is left in the swarm. */
async function left(): Promise<string> {
  const labels = "docker node ls --quiet | xargs docker node inspect --format '{{json .Spec.Labels}}' | grep -o 'pulumi-swarm.gateway[^\"]*' || true";
  return sh("c1", `docker service ls --quiet; docker config ls --quiet; ${labels}`);
}

/** The life of one cluster, told in order. */
describe("a gateway to what only some hosts reach", function () {
  this.timeout(300_000);
  this.bail(true);

  before(async function () {
    needTools(this, "nsenter", "nft");
    await needImages(this, "library/haproxy:3.0.11", "flannel-io/flannel:v0.28.10", "etcd-development/etcd:v3.5.35");
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    await sites.build();
    mirror = await mirrorOf("gateways-net-open");
    await docker("exec", "--detach", sites.onlooker("outsider"), "busybox", "nc", "-ll", "-p", `${outside.port}`, "-e", "/bin/echo", outside.says);
    await lab.spec(spec());
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("is made by the first up, and stays as it is", async () => {
    await lab.up();
    assertNoChange(await lab.up());
    await lab.withShell((shell) => shell.putTestImage());
    await twoTasks();
  });

  it("is reached by name from containers of its network on hosts that have no way to it", async () => {
    assert.equal(await ask("c2", "web", outside.address, outside.port), "", "without the gateway");
    for (const name of ["c1", "c2", "r1"] as const) await reachable(name);
  });

  it("is not reached from containers of another network, by name or by address", async () => {
    assert.equal(await ask("c2", "store", "oracle", oracle.port), "");
    const addresses = Object.values(await twoTasks());
    for (const address of addresses) {
      await reachable("c2", "web", address);
      assert.equal(await ask("c2", "store", address, oracle.port), "");
    }
  });

  it("serves by the other host while one is off, and by both again later", async () => {
    await docker("kill", sites.host("r1").machine);
    const off = Date.now();
    await eventually("five answers in a row", 90, async () => {
      for (let time = 0; time < 5; time += 1) assert.equal(await ask("c2", "web", "oracle", oracle.port), outside.says);
      return true;
    });
    process.stdout.write(`      one host off: each call is answered again after ${Math.round((Date.now() - off) / 1000)} s\n`);
    await docker("start", sites.host("r1").machine);
    await sites.ready("r1");
    await twoTasks();
  });

  it("is opened to one more network, and its own is made anew beneath it, by one edit", async () => {
    const edited = spec({
      networks: { web: { labels: { team: "shop" } }, store: {} },
      gateways: { oracle: { ...oracle, networks: ["web", "store"] } },
    });
    await lab.spec(edited);
    await lab.up();
    assertNoChange(await lab.up());
    for (const network of ["web", "store"]) await reachable("c2", network);
  });

  it("moves to another overlay with its networks", async () => {
    await lab.spec(spec({ overlay: { flannel: {} } }));
    await lab.up();
    assertNoChange(await lab.up());
    for (const name of ["c2", "r2"] as const) await reachable(name);
    assert.equal(await ask("c2", "store", "oracle", oracle.port), "");
    const addresses = Object.values(await twoTasks());
    for (const address of addresses) assert.equal(await ask("c2", "store", address, oracle.port), "", address);
  });

  it("leaves nothing when it is taken out of the program", async () => {
    assert.notEqual(await left(), "");
    await lab.spec(spec({ overlay: { flannel: {} }, gateways: {} }));
    await lab.up();
    assertNoChange(await lab.up());
    assert.equal(await left(), "");
  });
});
