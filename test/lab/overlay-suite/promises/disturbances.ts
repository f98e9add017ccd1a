import assert from "node:assert/strict";
import { docker } from "../../../../tools/lab/machines";
import { eventually } from "../../../../tools/lab/cluster";
import { type Name, type SuiteCluster, worker } from "../cluster";
import { everywhere, isWhole, noAddressTwice } from "../containers";
import type { Daemon } from "../description";
import { assertQuietFor, othersDuring, silenceDuring } from "../silence";

/** What happens to hosts and their programs, after which everything is whole again without any help. */
export function disturbances(cluster: SuiteCluster): void {
  for (const daemon of cluster.overlay.daemons) {
    it(`goes on when ${daemon.program} is killed`, async () => {
      const silence = await silenceDuring(cluster, "c1", "c2", () => kill(cluster, daemon, "c2"));
      assertQuietFor(`${daemon.program} killed on c2: c1 to c2`, silence, daemon.killed);
    });
  }

  it("goes on when Docker is killed on a host, where containers then start again", async () => {
    await othersDuring(cluster, "Docker killed on c3", ["c1", "c2"], async () => {
      await cluster.on("c3", "systemctl kill -s KILL docker.service");
      await cluster.sites.ready("c3");
    });
    await isWhole(cluster, "c3");
  });

  it("is whole again when a host was turned off and on", async () => {
    await othersDuring(cluster, "c3 turned off and on", ["c1", "c2"], () => cluster.sites.reboot("c3"));
    await isWhole(cluster, "c3");
  });

  it("is whole again when a host lost power, and gives no address twice", async () => {
    await othersDuring(cluster, "c2 lost power", ["c3", "c1"], () => cluster.sites.powerCut("c2"));
    await isWhole(cluster, "c2");
    await noAddressTwice(cluster);
  });

  if (cluster.tunnelled) {
    it("comes back by itself when a host's tunnel is made anew, which takes what lies on it away", async () => {
      await cluster.on("c1", "systemctl restart pulumi-swarm-wireguard");
      await everywhere(cluster);
    });
  }

  it("names a host that cannot be reached, and leaves the others at work", async () => {
    await docker("pause", cluster.host(worker).machine);
    try {
      await othersDuring(cluster, "a host was frozen", ["c1", "c2"], async () => {
        const said = await cluster.refused({ reachableSeconds: 5 });
        assert.match(said, new RegExp(`${cluster.key(worker)}: cannot be reached over SSH at \\S+ within 5 s`));
      });
    } finally {
      await docker("unpause", cluster.host(worker).machine);
    }
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
