import assert from "node:assert/strict";
import { eventually, testImage } from "../../tools/lab/cluster";
import { needTools } from "../../tools/lab/namespace";
import { get } from "../../tools/lab/scan";
import { Sites } from "../../tools/lab/sites";
import { needKernel } from "../../tools/lab/virtual";
import { assertNoChange, Lab } from "../lab/lab";
import { lookAtAll } from "../lab/looks";

const sites = new Sites("vmn", {
  rack: { subnet: "10.231.0.0/24", hosts: { v1: { kernel: "own" }, v2: { kernel: "own" }, v3: { kernel: "own" } } },
});
const lab = new Lab("vmn");
const names = ["v1", "v2", "v3"] as const;
/** Ports that a service publishes in the ingress mesh: open on two hosts, and on none. */
const published = { edge: 8090, nowhere: 8092 } as const;

function group(...members: readonly string[]): object {
  const machines = members.map((name) => [name, { address: sites.host(name).address, hostKey: sites.keys.host.publicKey }]);
  return { role: "manager", site: "rack", network: sites.subnet("rack"), machines: Object.fromEntries(machines) as object };
}

function spec(more: object = {}): object {
  return {
    existing: { control: group("v1"), edge: group("v2", "v3") },
    networks: { web: {} },
    firewall: { ssh: sites.admins, expose: { shop: { port: published.edge, from: ["world"], on: "group edge" } } },
    ...more,
  };
}

/** What comes back on a port of a host, for somebody in the site. */
const answer = async (name: string, port: number): Promise<string> =>
  /hello from \S+/.exec((await get(await sites.network("outsider"), sites.host(name).address, port)) ?? "")?.[0] ?? "nothing";

/** What a container on a host hears from a service that it calls by name. Debian's static busybox crashes in wget, so HTTP is spoken by hand. */
function hear(name: string, service: string, times: number): Promise<string> {
  const once = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${service} 80 | grep hello`;
  return sites.on(
    name,
    "docker",
    "run",
    "--rm",
    "--network",
    "web",
    testImage,
    "/bin/busybox",
    "sh",
    "-c",
    `for i in $(seq ${times}); do ${once}; done`,
  );
}

describe("a swarm on a real kernel", function () {
  this.timeout(600_000);
  this.bail(true);

  before(async function () {
    needKernel(this);
    needTools(this, "nsenter", "nmap", "nft");
    await lab.begin();
    const set = await lab.stack.pulumi(["config", "set", "--secret", "lab:privateKey"], { stdin: sites.keys.client.privateKey });
    assert.equal(set.code, 0, set.stderr);
    await sites.build();
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("is made by one up, and stays as it is", async () => {
    await lab.spec(spec());
    await lab.up();
    assertNoChange(await lab.up());
  });

  it("gives a service one address for all its tasks, by name from every host", async () => {
    await sites.on(
      "v1",
      ..."docker service create --detach --quiet --no-resolve-image --name shop --mode global --network web --stop-signal KILL".split(" "),
      ...Object.values(published).flatMap((port) => ["--publish", `published=${port},target=80`]),
      ...["--env", "HOST={{.Node.Hostname}}", testImage, "/bin/busybox", "sh", "-c"],
      "mkdir -p /www && echo hello from $HOST > /www/index.html && exec /bin/busybox httpd -f -p 80 -h /www",
    );
    const all = names.map((name) => `hello from ${sites.host(name).machine}`);
    for (const name of names) {
      const heard = await eventually(`all tasks answer ${name}`, 120, async () => {
        const lines = (await hear(name, "shop", 6)).split("\n");
        if (all.every((line) => lines.includes(line))) return lines;
        throw new Error(lines.join());
      });
      assert.equal(heard.length, 6, "none was lost");
    }
    const looked = await sites.on("v2", "docker", "run", "--rm", "--network", "web", testImage, "/bin/busybox", "nslookup", "-type=a", "shop");
    const virtual = await sites.on("v1", "docker", "service", "inspect", "--format", "{{range .Endpoint.VirtualIPs}}{{.Addr}} {{end}}", "shop");
    const found = [...looked.matchAll(/^Address: (\S+)$/gm)].map(([, address = ""]) => address);
    assert.equal(found.length, 1, looked);
    assert.ok(
      virtual.split(" ").some((each) => each.startsWith(`${found[0]}/`)),
      `${looked} ${virtual}`,
    );
  });

  it("answers on a port of the ingress mesh on every host on which the plan opens it, and on no other", async () => {
    for (const name of ["v2", "v3"])
      await eventually(`${name} answers`, 60, async () => ((await answer(name, published.edge)) !== "nothing" ? true : undefined));
    assert.equal(await answer("v1", published.edge), "nothing");
    for (const name of names) {
      assert.equal(await answer(name, published.nowhere), "nothing", name);
      // On the host itself it is there: what is closed outside is closed by the firewall.
      assert.match(await sites.on(name, "curl", "-s", "-m", "5", `http://${sites.host(name).address}:${published.nowhere}`), /^hello from/);
    }
  });

  it("opens on each host exactly the ports of the plan, with ports of the mesh published", async () => {
    const { planned, found } = await lookAtAll(sites, (await lab.outputs()).plan);
    assert.deepEqual(found, planned);
    for (const [look, { tcp, udp }] of Object.entries(found)) process.stdout.write(`      ${look}: tcp ${tcp.join(",")} udp ${udp.join(",")}\n`);
    assert.ok(found["edge-v2 from an outsider"]?.tcp.includes(String(published.edge)), "the port of the mesh is among them");
  });
});
