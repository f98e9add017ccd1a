import assert from "node:assert/strict";
import { eventually, proveByName } from "../../tools/lab/cluster";
import { docker, makeHostImages } from "../../tools/lab/machines";
import { run } from "../../tools/lab/pulumi";
import { needTools } from "../../tools/lab/namespace";
import { Sites } from "../../tools/lab/sites";
import { assertNoChange, Lab } from "./lab";
import { lookAtAll } from "./looks";
import { engines, type Release } from "./overlay-suite/releases";

const releases = Object.keys(engines) as Release[];
/** The oldest and the newest among them. */
const managers = ["bookworm", "trixie", "forky-29"] as const;
/** Its engine is upgraded in place. */
const worker = "forky";

const image = (release: Release): string => `pulumi-swarm-host:${release}`;
const key = (release: Release): string => (release === worker ? `more-${release}` : `any-${release}`);

const sites = new Sites("mixed", {
  rack: { subnet: "10.244.11.0/24", hosts: Object.fromEntries(releases.map((release) => [release, { image: image(release) }])) },
});
const lab = new Lab("mixed");

function group(role: string, ...members: readonly Release[]): object {
  const machines = members.map((release) => [release, { address: sites.host(release).address, hostKey: sites.keys.host.publicKey }]);
  return { role, site: "rack", network: sites.subnet("rack"), machines: Object.fromEntries(machines) as object };
}

const spec = (networks: readonly string[], recheck?: string): object => ({
  existing: { any: group("manager", ...managers), more: group("worker", worker) },
  networks: Object.fromEntries(networks.map((network) => [network, {}])),
  wireguard: {},
  firewall: { ssh: sites.admins, expose: { website: { port: 8080, from: ["world"], publish: "host" } } },
  ...(recheck !== undefined && { recheck }),
});

const on = (release: Release, ...command: readonly string[]): Promise<string> => docker("exec", sites.host(release).machine, ...command);

/** Restarts whoever leads until it is this one. */
async function haveLead(release: Release): Promise<void> {
  await eventually(`${release} leads`, 180, async () => {
    const state = await on(release, "docker", "node", "ls", "--format", "{{.Hostname}} {{.ManagerStatus}}");
    const leader = managers.find((each) => state.includes(`${sites.host(each).machine} Leader`));
    if (leader === release) return true;
    if (leader !== undefined) await on(leader, "systemctl", "restart", "docker");
    return undefined;
  });
}

/** Docker's programs of one host's image onto another host, as a package would bring them. */
async function upgrade(host: Release, to: Release): Promise<void> {
  const files = ["/usr/sbin/dockerd", "/usr/sbin/docker-proxy", "/usr/bin/containerd", "/usr/bin/containerd-shim-runc-v2"];
  const { machine } = sites.host(host);
  await on(host, "systemctl", "stop", "docker.socket", "docker.service", "containerd.service");
  for (const file of files) {
    const copied = await run("sh", ["-c", `docker cp ${sites.host(to).machine}:${file} - | docker cp - ${machine}:${file.replace(/[^/]*$/, "")}`]);
    assert.equal(copied.code, 0, copied.stderr);
  }
  await on(host, "systemctl", "start", "containerd.service", "docker.service");
}

describe("hosts of four engines in one swarm", function () {
  // Three images may have to be made first, and the newest engine is built from its source for a quarter of an hour.
  this.timeout(3_600_000);
  this.bail(true);

  before(async function () {
    needTools(this, "nsenter", "nmap", "nft");
    await makeHostImages(...releases.map(image));
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    await sites.build();
    await lab.spec(spec(["web"]));
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("are brought together by one up, each with its own engine, and stay as they are", async () => {
    await lab.up();
    const { hostsMade } = await lab.outputs();
    for (const release of releases)
      assert.ok(hostsMade[key(release)]?.engine.startsWith(`${engines[release]}.`), `${release} runs ${engines[release]}`);
    assertNoChange(await lab.up());
  });

  it("let containers of any release reach those of any other by name", async () => {
    await lab.withShell(async (shell) => {
      for (const [from, to] of managers.flatMap((one) => releases.filter((other) => other !== one).map((other) => [one, other] as const))) {
        assert.equal(await proveByName(shell, key(from), key(to), "web"), `hello from ${key(to)}`);
      }
    });
  });

  it("open exactly the ports of the plan", async () => {
    const { planned, found } = await lookAtAll(sites, (await lab.outputs()).plan);
    assert.deepEqual(found, planned);
  });

  it("have firewall and tunnel again after they were turned off and on", async () => {
    for (const release of releases) {
      await sites.reboot(release);
      assert.match(await on(release, "nft", "list", "table", "inet", "pulumi_swarm"), /hook input/);
      const other = managers.find((each) => each !== release) ?? release;
      const name = await lab.withShell((shell) => proveByName(shell, key(other), key(release), "web"));
      assert.equal(name, `hello from ${key(release)}`);
    }
  });

  it("get a network by whoever leads, the newest beside the oldest and the oldest beside the newest", async () => {
    const networks = ["web"];
    for (const leader of ["forky-29", "bookworm"] as const) {
      await haveLead(leader);
      networks.push(`by-${networks.length}`);
      await lab.spec(spec(networks));
      await lab.up();
      const network = `by-${networks.length - 1}`;
      await lab.withShell(async (shell) => {
        assert.equal(await proveByName(shell, key("bookworm"), key("forky-29"), network), `hello from ${key("forky-29")}`);
        assert.equal(await proveByName(shell, key("forky-29"), key(worker), "web"), `hello from ${key(worker)}`);
      });
    }
    await lab.spec(spec(["web"]));
    await lab.up();
  });

  it("keep a host whose engine is upgraded in place to the newest", async () => {
    await upgrade(worker, "forky-29");
    await lab.spec(spec(["web"], "upgraded"));
    await lab.up();
    assert.match((await lab.outputs()).hostsMade[key(worker)]?.engine ?? "", /^29\./);
    assert.equal(await lab.withShell((shell) => proveByName(shell, key("bookworm"), key(worker), "web")), `hello from ${key(worker)}`);
    assertNoChange(await lab.up());
  });
});
