import assert from "node:assert/strict";
import { proveByName } from "../../tools/lab/cluster";
import { docker } from "../../tools/lab/machines";
import { needTools } from "../../tools/lab/namespace";
import { Sites } from "../../tools/lab/sites";
import { assertNoChange, Lab } from "./lab";
import { lookAtAll } from "./looks";

/** Release of Debian to the Docker that it brings. */
const engines = { bookworm: "20.10", trixie: "26.1", forky: "28.5" } as const;
type Release = keyof typeof engines;
const releases = Object.keys(engines) as Release[];

const image = (release: Release): string => `pulumi-swarm-host:${release}`;
const key = (release: Release): string => `any-${release}`;

const sites = new Sites("mixed", {
  rack: { subnet: "10.244.11.0/24", hosts: Object.fromEntries(releases.map((release) => [release, { image: image(release) }])) },
});
const lab = new Lab("mixed");

const machines = Object.fromEntries(
  releases.map((release) => [release, { address: sites.host(release).address, hostKey: sites.keys.host.publicKey }]),
);
const spec = {
  existing: { any: { role: "manager", site: "rack", network: sites.subnet("rack"), machines } },
  networks: { web: {} },
  wireguard: {},
  firewall: { ssh: sites.admins, expose: { website: { port: 8080, from: ["world"], publish: "host" } } },
};

const on = (release: Release, ...command: readonly string[]): Promise<string> => docker("exec", sites.host(release).machine, ...command);

describe("hosts of three releases of Debian in one swarm", function () {
  // Two images may have to be made first.
  this.timeout(600_000);
  this.bail(true);

  before(async function () {
    needTools(this, "nsenter", "nmap", "nft");
    await lab.begin();
    const set = await lab.stack.pulumi(["config", "set", "--secret", "lab:privateKey"], { stdin: sites.keys.client.privateKey });
    assert.equal(set.code, 0, set.stderr);
    await sites.build();
    await lab.spec(spec);
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("are brought together by one up, each with its own engine, and stay as they are", async () => {
    await lab.up();
    const { hostsMade } = await lab.outputs();
    for (const release of releases) assert.ok(hostsMade[key(release)]?.engine.startsWith(engines[release]), `${release} runs ${engines[release]}`);
    assertNoChange(await lab.up());
  });

  it("let containers of any release reach those of any other by name", async () => {
    await lab.withShell(async (shell) => {
      for (const [from, to] of releases.flatMap((one) => releases.filter((other) => other !== one).map((other) => [one, other] as const))) {
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
      const other = releases.find((each) => each !== release) ?? release;
      const name = await lab.withShell((shell) => proveByName(shell, key(release), key(other), "web"));
      assert.equal(name, `hello from ${key(other)}`);
    }
  });
});
