import assert from "node:assert/strict";
import { eventually, testImage } from "../../tools/lab/cluster";
import { Load } from "../../tools/lab/load";
import { docker } from "../../tools/lab/machines";
import { needTools } from "../../tools/lab/namespace";
import { killTree } from "../../tools/lab/process-tree";
import type { CommandResult } from "../../tools/lab/pulumi";
import { Sites } from "../../tools/lab/sites";
import { assertNoChange, Lab } from "./lab";

const names = ["c1", "c2", "c3"] as const;
type Name = (typeof names)[number];

const sites = new Sites("maintenance", { rack: { subnet: "10.229.129.0/24", hosts: Object.fromEntries(names.map((name) => [name, {}])) } });
const lab = new Lab("maintenance");
const port = 8080;

const spec = (maintenance: object, more: object = {}): object => ({
  existing: {
    control: {
      role: "manager",
      site: "rack",
      network: sites.subnet("rack"),
      machines: Object.fromEntries(names.map((name) => [name, { address: sites.host(name).address, hostKey: sites.keys.host.publicKey }])),
    },
  },
  networks: { web: {} },
  firewall: { ssh: sites.admins, expose: { website: { port, from: ["world"], publish: "host" } } },
  maintenance,
  ...more,
});

const machine = (name: Name): string => sites.host(name).machine;
const key = (name: Name): string => `control-${name}`;
const on = (name: Name, command: string): Promise<string> => docker("exec", machine(name), "sh", "-c", command);
const each = <Result>(ask: (name: Name) => Promise<Result>): Promise<Result[]> => Promise.all(names.map(ask));

/** In the lab's repository, and on each host: `lab-thing`, whose upgrades need a reboot, and `lab-held`, which is held. */
const publish = (version: number): string => `
set -eu
repository=/srv/lab
mkdir -p $repository
cd $repository
rm -f *.deb
: >Packages
for name in lab-thing lab-held; do
  rm -rf work
  mkdir -p work/DEBIAN work/etc
  echo "version ${version}" >work/etc/$name.conf
  echo /etc/$name.conf >work/DEBIAN/conffiles
  printf 'Package: %s\\nVersion: ${version}\\nArchitecture: all\\nMaintainer: the lab <lab@example.com>\\nDescription: of the lab\\n' $name >work/DEBIAN/control
  printf '#!/bin/sh\\n[ -z "$2" ] || { touch /run/reboot-required; echo %s >>/run/reboot-required.pkgs; }\\n' $name >work/DEBIAN/postinst
  chmod 0755 work/DEBIAN/postinst
  dpkg-deb --root-owner-group -Zgzip -b work $name.deb >/dev/null
  { cat work/DEBIAN/control; printf 'Filename: ./%s.deb\\nSize: %s\\nSHA256: %s\\n\\n' $name "$(stat -c %s $name.deb)" "$(sha256sum $name.deb | cut -d ' ' -f 1)"; } >>Packages
done
rm -rf work
`;

/** Each start of Docker is noted, with what the firewall was then. */
const noteStarts = `
mkdir -p /etc/systemd/system/docker.service.d
printf '[Service]\\nExecStartPre=/bin/sh -c "nft list table inet pulumi_swarm >/dev/null 2>&1 && echo closed >>/root/starts || echo open >>/root/starts"\\n' \
  >/etc/systemd/system/docker.service.d/lab-starts.conf
systemctl daemon-reload`;

const starts = async (name: Name): Promise<readonly string[]> => (await on(name, "cat /root/starts 2>/dev/null || true")).split("\n").filter(Boolean);
const versions = (name: Name): Promise<string> => on(name, "dpkg-query -W -f '${Package} ${Version}\\n' lab-thing lab-held | sort");

async function nodes(from: Name = "c1"): Promise<Map<string, string>> {
  const list = await on(from, "docker node ls --format '{{.Hostname}} {{.Availability}} {{.Status}} {{.ManagerStatus}}'");
  return new Map(list.split("\n").map((line) => [line.split(" ")[0] ?? "", line.split(" ").slice(1).join(" ").trim()]));
}

async function leader(): Promise<Name> {
  const led = [...(await nodes())].find(([, state]) => state.endsWith("Leader"))?.[0];
  return names.find((name) => machine(name) === led) ?? assert.fail("nobody leads");
}

/** After an election the managers hear from each node anew, which takes seconds. */
async function allServe(): Promise<void> {
  let seen = "";
  const look = async (): Promise<true | undefined> => {
    const states = [...(await nodes())];
    seen = JSON.stringify(states);
    return states.every(([, state]) => state.startsWith("Active Ready")) ? true : undefined;
  };
  await eventually("all nodes serve", 30, look).catch((error: unknown) => assert.fail(`${String(error)}: ${seen}`));
}

/** Hosts as a run took them out of service. */
function walkedBy({ stdout }: Pick<CommandResult, "stdout">): string[] {
  return [...new Set([...stdout.matchAll(/([\w-]+): out of service for /g)].map(([, host = ""]) => host))];
}

describe("packages and reboots of three hosts", function () {
  this.timeout(1_200_000);
  this.bail(true);

  before(async function () {
    needTools(this, "nsenter");
    await Promise.all([lab.begin(), sites.build()]);
    // What a container's reboot ends, Docker starts again.
    await docker("update", "--restart", "on-failure", ...names.map(machine));
    await each(async (name) => {
      await on(name, publish(1));
      await on(name, "rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*; echo 'deb [trusted=yes] file:/srv/lab ./' >/etc/apt/sources.list");
      await on(name, "apt-get -qq update && apt-get -qq install lab-thing lab-held && apt-mark hold lab-held && echo mine >/etc/lab-thing.conf");
      await on(name, publish(2));
      await on(name, noteStarts);
    });
    await lab.logInWith(sites.keys.client.privateKey);
    await lab.spec(spec({ reboot: "2026-11", packages: "2026-11" }));
  });
  after(async () => {
    await lab.end();
    await sites.remove();
  });

  it("are done before hosts join, but for the reboot: the text counts as done", async () => {
    await lab.up();
    assert.deepEqual(
      await each(versions),
      names.map(() => "lab-held 1\nlab-thing 2"),
    );
    assert.deepEqual(await each((name) => on(name, "cat /etc/lab-thing.conf")), ["mine", "mine", "mine"], "a changed file stays");
    assert.deepEqual(
      await each((name) => on(name, "ls /run/reboot-required.pkgs")),
      names.map(() => "/run/reboot-required.pkgs"),
      "none was rebooted",
    );
    assertNoChange(await lab.up());
    await lab.withShell((shell) => shell.putTestImage());
    await on(
      "c1",
      `docker service create --quiet --no-resolve-image --name shop --replicas 2 --replicas-max-per-node 1 --endpoint-mode dnsrr --network web ` +
        `--publish mode=host,published=${port},target=80 ${testImage} ` +
        `/bin/busybox sh -c 'mkdir -p /www && echo open >/www/index.html && exec /bin/busybox httpd -f -p 80 -h /www'`,
    );
  });

  it("are done by a walk: the leader last, each rebooted once since its updates need it, its firewall there before Docker", async () => {
    await each((name) => on(name, publish(3)));
    await each((name) => on(name, "rm -f /root/starts /run/reboot-required*"));
    const led = await leader();
    await lab.spec(spec({ reboot: "if required", packages: "2026-12" }));
    const preview = await lab.stack.preview();
    assert.match(
      preview.stdout,
      /3 of 3 hosts are taken out of service:\s+packages upgraded \("2026-12"\), where there are upgrades, on control-c1, control-c2, control-c3/,
    );
    assert.match(
      preview.stdout,
      /only `up` looks which; it may be each of control-c1, control-c2, control-c3\s+order: control-c1, control-c2, control-c3 one by one/,
    );
    const load = new Load(
      names.map((name) => sites.host(name).address),
      port,
      50,
    );
    const result = await lab.up();
    const requests = await load.stop();
    process.stdout.write(`      ${JSON.stringify(requests)}\n`);
    assert.deepEqual(requests.lost, []);
    assert.match(result.stdout, /out of service for upgrades of 1 package, a reboot if they need one \(1 of 3\)/);
    assert.match(result.stdout, /packages upgraded on 3, reboot done on 3/);
    assert.deepEqual([walkedBy(result).length, walkedBy(result).at(-1)], [3, key(led)]);
    assert.deepEqual(
      await each(versions),
      names.map(() => "lab-held 1\nlab-thing 3"),
    );
    assert.deepEqual(
      await each(starts),
      names.map(() => ["closed"]),
    );
    await allServe();
    assertNoChange(await lab.up());
    await lab.spec(spec({ reboot: "if required", packages: "2026-12" }, { recheck: "another look" }));
    assert.deepEqual(walkedBy(await lab.up()), []);
  });

  it("disturb nobody where there are no upgrades", async () => {
    await lab.spec(spec({ packages: "2027-01" }));
    assert.deepEqual(walkedBy(await lab.up()), []);
    assert.deepEqual(
      await each(starts),
      names.map(() => ["closed"]),
    );
    assert.deepEqual(
      await each((name) => on(name, "cat /etc/pulumi-swarm/maintenance.packages")),
      names.map(() => '"2027-01"'),
    );
  });

  it("go on where a run was cut off: each host is rebooted once", async () => {
    await lab.spec(spec({ reboot: "2027-01" }));
    const led = await leader();
    const walked: string[] = [];
    for (const cut of [/: is drained/, /waiting for it to be back after its reboot/]) {
      let pulumi: number | undefined;
      const killWhen = (output: string): boolean => {
        if (!cut.test(output)) return false;
        if (pulumi !== undefined) killTree(pulumi);
        return true;
      };
      const { stdout, code } = await lab.stack.up({ onStart: (group) => (pulumi = group), killWhen });
      assert.notEqual(code, 0, "it was cut off");
      assert.match(stdout, cut);
      walked.push(...walkedBy({ stdout }));
      await lab.stack.cancel();
    }
    const last = await lab.up();
    walked.push(...walkedBy(last));
    assert.equal(walked.at(-1), key(led), walked.join());
    assert.deepEqual(
      await each(starts),
      names.map(() => ["closed", "closed"]),
    );
    await allServe();
    assertNoChange(await lab.up());
  });

  it("stop at a host that does not come back, which is named, and go on when somebody has started it", async () => {
    const led = await leader();
    const [first, second] = names.filter((name) => name !== led);
    assert.ok(first && second);
    await docker("update", "--restart", "no", machine(second));
    await lab.spec(spec({ reboot: "2027-02", rebootSeconds: 45 }));
    const { stdout, code } = await lab.stack.up();
    assert.notEqual(code, 0);
    assert.deepEqual(walkedBy({ stdout }), [key(first), key(second)]);
    assert.match(
      stdout,
      new RegExp(
        `${key(second)}: rebooted, and is not back after 45 s \\(maintenance\\.rebootSeconds\\): .*The walk stopped here: ${key(led)} is as before`,
      ),
    );
    assert.equal((await starts(led)).length, 2);
    await docker("start", machine(second));
    await docker("update", "--restart", "on-failure", machine(second));
    await sites.ready(second);
    const next = await lab.up();
    assert.deepEqual(walkedBy(next), [key(led)]);
    assert.deepEqual(await each(async (name) => (await starts(name)).length), [3, 3, 3]);
    await allServe();
  });

  it("leave the engines' metrics to the cluster's hosts, and to Prometheus among them by one line", async () => {
    await lab.spec(spec({}, { engine: { metrics: true, logLimits: { maxFile: 2 } } }));
    const result = await lab.up();
    assert.match(result.stdout, /out of service for Docker's settings \(1 of 3\)/);
    const { prometheus } = await lab.outputs();
    const { static_configs: configs } = JSON.parse(prometheus.replace(/^- /, "")) as {
      static_configs: { targets: string[]; labels: { host: string } }[];
    };
    assert.deepEqual(
      configs.map(({ targets, labels }) => [labels.host, ...targets]),
      names.map((name) => [key(name), `${sites.host(name).address}:9323`]),
    );
    const ask = (from: string, target: string): Promise<string> =>
      docker("exec", from, "sh", "-c", `curl -s -m 5 http://${target}/metrics | grep -m 1 ^engine_daemon_engine_info || echo nothing`);
    for (const target of configs.flatMap(({ targets }) => targets)) {
      for (const name of names) assert.match(await ask(machine(name), target), /^engine_daemon_engine_info\{/, `${target} from ${name}`);
      assert.equal(await ask(sites.onlooker("outsider"), target), "nothing", target);
    }
    const logs = await on("c1", "docker info -f '{{.LoggingDriver}}'; cat /etc/docker/daemon.json");
    assert.match(logs, /^json-file\n[^]*"max-size": "10m",\s+"max-file": "2"/);
    assertNoChange(await lab.up());
    await lab.spec(spec({}, { engine: { metrics: false } }));
    await lab.up();
    assert.equal(await ask(machine("c2"), `${sites.host("c1").address}:9323`), "nothing");
    await allServe();
  });

  it("leave nothing on the hosts when the cluster is gone", async () => {
    await on("c1", "docker service rm shop");
    const { code, stdout, stderr } = await lab.stack.pulumi(["destroy", "--yes", "--skip-preview"]);
    assert.equal(code, 0, stdout + stderr);
    assert.deepEqual(await each((name) => on(name, "ls /etc/pulumi-swarm 2>/dev/null || true")), ["", "", ""]);
  });
});
