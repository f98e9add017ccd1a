import assert from "node:assert/strict";
import { eventually, proveByName, testImage } from "../../tools/lab/cluster";
import { docker } from "../../tools/lab/machines";
import { mirrorOf, needImages } from "../../tools/lab/registry";
import { assertNoChange, Lab } from "./lab";

const network = "10.218.0.0/16";
const hosts = ["control-1", "control-2", "control-3"] as const;

/** One cluster that changes its overlay: each test goes on from where the one before it ended. Of each overlay, its own file has the change to native and back. */
describe("a cluster that changes its overlay", function () {
  this.timeout(300_000);
  this.bail(true);
  const lab = new Lab("switch");
  let source = {};

  const choose = (overlay: object, more: object = {}): Promise<void> =>
    lab.spec({ local: { control: { role: "manager", count: 3, network } }, networks: { web: {} }, overlay, ...source, ...more });

  const onHosts = (command: string): Promise<string[]> => lab.withShell((shell) => Promise.all(hosts.map((host) => shell.on(host, command))));

  const created = `docker service create --detach --quiet --no-resolve-image --name stays --endpoint-mode dnsrr --network web ${testImage} /bin/busybox sleep 100000`;

  /** Units, links, plugins, routes and folders of overlays other than Docker's own. */
  const left =
    "ls /etc/systemd/system; ip -o link; ip route; docker plugin ls -q --no-trunc; ls /etc/pulumi-swarm; ls /usr/local/lib/pulumi-swarm 2>&1; docker network ls";

  before(async function () {
    await needImages(this, "weaveworks/weave:2.6.5", "flannel-io/flannel:v0.28.10", "etcd-development/etcd:v3.5.35");
    await lab.begin();
    await choose({ native: {} });
    await lab.up();
    // Its network exists from the first up on.
    const mirror = await mirrorOf("switch-site-10-218-0-0-16");
    source = { programs: { mirror }, engine: { settings: { "insecure-registries": [mirror] } } };
  });
  after(() => lab.end());

  it("is told who uses its networks, and nothing is changed", async () => {
    await lab.withShell(async (shell) => {
      await shell.putTestImage();
      await shell.on("control-1", created);
      await eventually("a container of its own", 30, () =>
        shell.on("control-2", `docker rm -f alone >/dev/null 2>&1; docker run -d --name alone --network web ${testImage} /bin/busybox sleep 100000`),
      );
    });
    const before = await onHosts(left);
    await choose({ weave: {} });
    const result = await lab.stack.up();
    assert.notEqual(result.code, 0);
    assert.match(
      result.stdout + result.stderr,
      /changing the overlay from native to weave would cut off what uses the networks of it; nothing was changed:/,
    );
    assert.match(result.stdout + result.stderr, /network web is used by service stays, container alone on control-2/);
    assert.deepEqual(await onHosts(left), before);
    await lab.withShell(async (shell) => {
      await shell.on("control-1", "docker service rm stays");
      await shell.on("control-2", "docker rm -f alone");
    });
  });

  for (const [from, to, overlay] of [
    ["native", "weave", { weave: {} }],
    ["weave", "flannel", { flannel: {} }],
  ] as const) {
    it(`goes from ${from} to ${to}, and nothing of ${from} is left`, async () => {
      await choose(overlay);
      await lab.up();
      assert.equal(await lab.withShell((shell) => proveByName(shell, "control-1", "control-3", "web")), "hello from control-3");
      assertNoChange(await lab.up());
      for (const [index, found] of (await onHosts(left)).entries()) {
        const other = { weave: /flannel|etcd/, flannel: /weave/ }[to];
        assert.doesNotMatch(found, other, hosts[index]);
      }
    });

    if (to !== "weave") continue;
    it(`is on ${to} for the edit after that, and what uses its networks stays`, async () => {
      const service = (command: string): Promise<string> => lab.withShell((shell) => shell.on("control-1", command));
      await service(created);
      await choose(overlay, { recheck: "with a service on web" });
      await lab.up();
      assert.match(await service("docker service ls"), /stays/);
      await service("docker service rm stays");
    });
  }

  it("is gone without a trace after a destroy", async () => {
    const result = await lab.stack.destroy();
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.deepEqual(await lab.containers(), []);
    assert.doesNotMatch(await docker("network", "ls"), /switch-/);
  });
});
