import assert from "node:assert/strict";
import { SshSession } from "../../components/remote/ssh";
import { runOn } from "../../tools/lab/machines";
import { lookAtAll } from "../lab/looks";
import { names, published, Shop } from "./shop";

/** As pages on nftables have it for a server: who is not expected is dropped. */
const usualRules = `#!/usr/sbin/nft -f
flush ruleset
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		iif "lo" accept
		meta l4proto { icmp, ipv6-icmp } accept
		tcp dport 22 accept
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
	}
}
`;

/** What of it is the flush alone, as Debian ships it but for empty chains. */
const emptyRules = "#!/usr/sbin/nft -f\nflush ruleset\n";

const apt = "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends";

/** Each host's own firewall: who keeps it, how it came to be there, what its keeper does when told how to go on, and how it is loaded again. */
const firewalls = {
  v1: {
    said: /nftables\.service loads rules of the host's own \(table inet filter\) and drops what its own rules do not allow/,
    fix: '"nft delete table inet filter"',
    install: `cat >/etc/nftables.conf; systemctl -q enable nftables.service; systemctl restart nftables.service docker.service`,
    obey: "cat >/etc/nftables.conf; nft delete table inet filter",
    reload: "systemctl restart nftables.service",
  },
  v2: {
    said: /firewalld is active and drops what its own rules do not allow/,
    fix: '"firewall-cmd --set-default-zone=trusted"',
    install: `cat >/dev/null; ${apt} firewalld; systemctl -q enable --now firewalld.service; firewall-cmd -q --state; systemctl restart docker.service`,
    obey: "cat >/dev/null; firewall-cmd -q --set-default-zone=trusted",
    reload: "firewall-cmd -q --reload",
  },
  v3: {
    said: /ufw is active and drops what its own rules do not allow/,
    fix: '"ufw default allow incoming"',
    install: `cat >/dev/null; ${apt} ufw; ufw allow 22/tcp; ufw --force enable`,
    obey: "cat >/dev/null; ufw default allow incoming",
    reload: "ufw reload",
  },
} as const;

/** The life of one cluster on hosts that had firewalls of their own, told in order. */
describe("hosts with a firewall of their own, on a real kernel", function () {
  this.timeout(1_200_000);
  this.bail(true);
  const shop = new Shop("vmf", "10.244.61.0/24");
  const { lab, sites } = shop;

  const on = async (name: string, script: string, stdin = ""): Promise<string> => {
    const { code, stdout, stderr } = await runOn(sites.host(name).machine, ["sh", "-euc", script], { stdin });
    assert.equal(code, 0, `${name}: ${script}: ${stderr}${stdout}`);
    return stdout.trim();
  };

  /** The operator gets in by a connection of their own. */
  const assertAllLogIn = async (): Promise<void> => {
    for (const name of names) {
      const session = await SshSession.open(name, sites.connection(name));
      session.close();
    }
  };

  const assertAsPlanned = async (): Promise<void> => {
    const { planned, found } = await lookAtAll(sites, (await lab.outputs()).plan);
    assert.deepEqual(found, planned);
    for (const [look, { tcp, udp }] of Object.entries(found)) process.stdout.write(`      ${look}: tcp ${tcp.join(",")} udp ${udp.join(",")}\n`);
  };

  before(async function () {
    await shop.begin(this);
    const began = Date.now();
    await Promise.all(["v2", "v3"].map((name) => on(name, "apt-get update -qq")));
    await Promise.all(names.map((name) => on(name, firewalls[name].install, usualRules)));
    process.stdout.write(`    firewalls installed in ${Math.round((Date.now() - began) / 1000)} s\n`);
  });
  after(() => shop.end());

  it("are refused at the first look, each with what keeps ports closed there and how to go on, and are left as they were", async () => {
    await shop.spec({ overlay: { native: { encrypted: true } } });
    const { code, stdout } = await lab.stack.up();
    assert.notEqual(code, 0);
    for (const name of names) {
      const line = stdout.split("\n").find((each) => firewalls[name].said.test(each)) ?? assert.fail(`${name}: ${stdout}`);
      assert.ok(line.includes(firewalls[name].fix), line);
      process.stdout.write(`      ${line.trim()}\n`);
      assert.equal(await on(name, "nft list table inet pulumi_swarm >/dev/null 2>&1 || echo none"), "none");
      assert.equal(await on(name, "docker info --format '{{.Swarm.LocalNodeState}}'"), "inactive");
    }
    await assertAllLogIn();
  });

  it("have ports as planned once their firewalls let everything pass, and ours says what passes", async () => {
    for (const name of names) await on(name, firewalls[name].obey, emptyRules);
    const { stdout } = await lab.up();
    assert.match(stdout, /warning: .*nftables\.service is enabled, and its \/etc\/nftables\.conf has "flush ruleset"/);
    await shop.open();
    await shop.meshAnswers();
    await assertAsPlanned();
    await shop.assertEncrypted();
  });

  it("have them still when those are loaded again, and nobody is locked out", async () => {
    for (const name of names) {
      await on(name, firewalls[name].reload);
      const { seen, shown, heard } = await shop.onTheWire(name, name === "v3" ? "v2" : "v3");
      // nftables.service took Docker's marks away with its rules, by which the kernel knows what to encrypt; `up` warns about it.
      if (name !== "v1") assert.ok(heard && !shown && seen.includes("protocol 50") && !seen.includes("udp/4789"), `${name}: ${seen.join()}`);
      process.stdout.write(`      ${name}: ${firewalls[name].reload}: ${await shop.answer(name, published.edge)} on the mesh's port; `);
      process.stdout.write(`on the wire to another: ${seen.join(", ")}, ${shown ? "readable" : "not readable"}, ${heard ? "heard" : "not heard"}\n`);
    }
    await assertAllLogIn();
    await assertAsPlanned();
    await shop.meshAnswers();
  });

  it("get a warning when one of them closes again, beside what no longer works, and are well when it is told to open", async () => {
    await on("v3", "ufw default deny incoming");
    await shop.spec({ overlay: { native: { encrypted: true } }, recheck: "closed" });
    const { code, stdout } = await lab.stack.up();
    assert.notEqual(code, 0);
    assert.match(stdout, /warning: edge-v3: ufw is active beside this package's firewall: ports of the plan that it does not allow stay closed/);
    assert.match(stdout, /warning: control-v1: Docker's own rules are gone \(table nat and filter\)/);
    assert.match(stdout, /edge-v3: no packet of the overlay comes back/);
    await assertAllLogIn();
    await on("v3", firewalls.v3.obey);
    await on("v1", "systemctl restart docker.service");
    await shop.spec({ overlay: { native: { encrypted: true } }, recheck: "open" });
    assert.doesNotMatch((await lab.up()).stdout, /ufw is active/);
  });
});
