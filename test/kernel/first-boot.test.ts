import assert from "node:assert/strict";
import { userData, loginUser } from "../../components/hosts/cloud/user-data";
import { bootAsCloudImage } from "../../tools/lab/cloud-image";
import { runOn } from "../../tools/lab/machines";
import { Sites } from "../../tools/lab/sites";
import { needKernel } from "../../tools/lab/virtual";
import { assertNoChange, Lab } from "../lab/lab";

/** What `up` is to say that it waits for, in the order in which a machine gets ready. What each ends by is done when it was said. */
const waits = [
  { words: /v1: waiting for SSH: \d+ of 600 s/ },
  { words: /v1: waiting for cloud-init to set the machine up: \d+ of 600 s \(cloud-final\.service\)/, ends: "/run/lab/set-up" },
  {
    words: /v1: waiting until unattended-upgr \(process \d+, apt-daily-upgrade\.service\) has installed its packages; 10 minutes at most/,
    ends: "/run/lab/upgrade",
  },
] as const;

/** What the operator's own user data asks for beside ours: it takes until it is told to end, and until the machine's upgrades are under way. */
const lastsUntil = (...files: readonly string[]): string =>
  `tries=0; until ${files.map((file) => `[ -e ${file} ]`).join(" && ")} || [ "$tries" -ge 540 ]; do sleep 1; tries=$((tries + 1)); done`;

/** The life of one machine, told in order. */
describe("a machine that sets itself up as a cloud's image does, on a real kernel", function () {
  this.timeout(1_200_000);
  this.bail(true);
  const sites = new Sites("vmc", { cloud: { subnet: "10.244.64.0/24", hosts: { v1: { kernel: "own" } } } });
  const lab = new Lab("vmc");
  const { machine, address } = sites.host("v1");

  const on = (script: string): Promise<string> => sites.on("v1", "sh", "-c", script);

  before(async function () {
    needKernel(this);
    await lab.begin();
    await lab.logInWith(sites.keys.client.privateKey);
    await sites.build();
    const data = userData({
      hostname: "v1",
      authorizedKey: sites.keys.client.publicKey,
      hostKey: sites.keys.host,
      commands: [["sh", "-c", lastsUntil("/run/lab/set-up", "/run/lab/upgrading")]],
    });
    await bootAsCloudImage({ machine, network: "vmc-net-cloud", address }, data);
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("is waited for by one up, which says for what: SSH, cloud-init, and the upgrades that hold apt's lock", async () => {
    const machines = { v1: { address, hostKey: sites.keys.host.publicKey, user: loginUser } };
    await lab.spec({
      existing: { control: { role: "manager", site: "cloud", network: sites.subnet("cloud"), machines } },
      networks: { web: {} },
      firewall: { ssh: sites.admins },
      reachableSeconds: 600,
    });
    const began = Date.now();
    const said = new Set<(typeof waits)[number]>();
    const told: Promise<unknown>[] = [];
    const seen = (line: string): void => {
      const [, step] = /local:Command vmc-swarm \S+ \S+ (.*)/.exec(line) ?? [];
      if (step !== undefined) process.stdout.write(`      ${String(Math.round((Date.now() - began) / 1000)).padStart(3)} s  ${step}\n`);
      for (const wait of waits) {
        if (said.has(wait) || !wait.words.test(line)) continue;
        said.add(wait);
        if ("ends" in wait) told.push(runOn(machine, ["sh", "-c", `mkdir -p /run/lab; touch ${wait.ends}`]));
      }
    };
    const { code, stdout, stderr } = await lab.stack.up({ seen });
    await Promise.all(told);
    assert.equal(code, 0, stdout + stderr);
    assert.deepEqual([...said], [...waits]);
  });

  it("has then what was installed behind the lock, and all that set it up is done", async () => {
    assert.match(await on("cloud-init status --long 2>&1; cat /run/cloud-init/result.json"), /status: done[\s\S]*"errors": \[\]/);
    assert.match(await on("dpkg-query -W slow-to-upgrade nftables"), /^nftables\s+\S+\nslow-to-upgrade\s+2$/);
    assert.equal(await on("systemctl --failed --no-legend --plain"), "");
    // Its link and its names are netplan's and systemd-resolved's, with our firewall in place.
    assert.match(
      await on("networkctl status --no-pager $(basename /sys/bus/virtio/drivers/virtio_net/*/net/*)"),
      /\/run\/systemd\/network\/10-netplan-lab\.network/,
    );
    assert.match(await on("readlink /etc/resolv.conf; getent ahostsv4 deb.debian.org"), /stub-resolv\.conf\n\d+\./);
    assert.match(await on("nft list table inet pulumi_swarm"), /policy drop/);
  });

  it("is left as it is by another up", async () => {
    assertNoChange(await lab.up());
  });

  it("comes back from a reboot, and is found as it was left", async () => {
    await sites.reboot("v1");
    assert.match(await on("nft list table inet pulumi_swarm"), /policy drop/);
    assertNoChange(await lab.up("--refresh"));
  });
});
