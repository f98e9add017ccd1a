import assert from "node:assert/strict";
import { eventually } from "../../../../tools/lab/cluster";
import { docker } from "../../../../tools/lab/machines";
import { lookAt, targetOf } from "../../status-lab";
import { type Name, type SuiteCluster, worker } from "../cluster";
import { areWhole, everywhere, noAddressTwice } from "../containers";
import type { Daemon } from "../description";
import { assertQuietFor, othersDuring, silenceDuring } from "../silence";

/** What happens to hosts and their programs, after which everything is whole again without any help. Two at once, as far as they are apart. */
export function disturbances(cluster: SuiteCluster): void {
  const { daemons, others } = cluster.overlay;
  const programs = daemons.map(({ program }) => program).join(" and ");

  it(`is whole again when a worker was turned off and on${programs && `, and goes on meanwhile though a manager's ${programs} died`}`, async () => {
    const limit = daemons.length > 0 ? Math.max(...daemons.map(({ killed }) => killed)) : others;
    const silence = await silenceDuring(cluster, "c1", "c2", () =>
      Promise.all([cluster.sites.reboot(worker), ...daemons.map((daemon) => kill(cluster, daemon, "c2"))]),
    );
    assertQuietFor(`w1 turned off and on${programs && `, ${programs} killed on c2`}: c1 to c2`, silence, limit);
    await areWhole(cluster, worker);
  });

  if (programs !== "") {
    it(`has a status that names a host without ${programs}`, async () => {
      const units = daemons.map(({ unit }) => `${unit}.service`).join(" ");
      await cluster.on("c3", `systemctl stop ${units}`);
      const { findings } = await lookAt(await targetOf(cluster.lab));
      await cluster.on("c3", `systemctl start ${units}`);
      for (const { finding } of daemons) {
        const hosts = findings.filter(({ kind }) => kind === finding).flatMap((one) => one.hosts);
        assert.deepEqual(hosts, [cluster.key("c3")], finding);
      }
    });
  }

  it("is whole again when a manager lost power and Docker was killed on another, which leaves the swarm no majority for seconds, and gives no address twice", async () => {
    await othersDuring(cluster, "c2 lost power, Docker killed on c3", ["c1", worker], async () => {
      await Promise.all([cluster.sites.powerCut("c2"), cluster.on("c3", "systemctl kill -s KILL docker.service")]);
      await cluster.sites.ready("c3");
    });
    await areWhole(cluster, "c2", "c3");
    await noAddressTwice(cluster);
  });

  tunnelAnew(cluster);

  const rotation = cluster.secret?.rotation;
  const waits = rotation?.waits;
  it(`names a host that cannot be reached, and leaves the others at work${waits ? ", with the secrets that they have" : ""}`, async () => {
    await docker("pause", cluster.host(worker).machine);
    try {
      await othersDuring(cluster, "a host was frozen", ["c1", "c2"], async () => {
        const said = await cluster.refused({ reachableSeconds: 5, ...(waits && cluster.with(rotation.args)) });
        assert.match(said, new RegExp(`${cluster.key(worker)}: cannot be reached over SSH at \\S+ within 5 s`));
        if (waits) assert.match(said, waits);
      });
    } finally {
      await docker("unpause", cluster.host(worker).machine);
    }
  });
}

/** What is far away is lost, and the way there. The swarm keeps its majority. */
export function farAway(cluster: SuiteCluster): void {
  it("is whole again when its farthest host lost power, which others do not notice", async () => {
    await othersDuring(cluster, `${cluster.far} lost power`, ["c1", worker], () => cluster.sites.powerCut(cluster.far));
    await areWhole(cluster, cluster.far);
  });

  tunnelAnew(cluster);
}

function tunnelAnew(cluster: SuiteCluster): void {
  if (!cluster.tunnelled) return;
  it("comes back by itself when a host's tunnel is made anew, which takes what lies on it away", async () => {
    await cluster.on("c1", "systemctl restart pulumi-swarm-wireguard");
    await everywhere(cluster);
  });
}

async function kill(cluster: SuiteCluster, { program, unit }: Daemon, name: Name): Promise<void> {
  const running = (): Promise<string> => cluster.on(name, `systemctl show -p MainPID --value ${unit}.service`);
  const before = await running();
  assert.notEqual(before, "0", `${unit} runs`);
  await cluster.on(name, `systemctl kill -s KILL ${unit}.service`);
  await eventually(`${program} runs again`, 60, async () => {
    const state = await cluster.on(name, `systemctl is-active ${unit}.service || true`);
    return state === "active" && (await running()) !== before ? true : undefined;
  });
}
