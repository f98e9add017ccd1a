import assert from "node:assert/strict";
import type { SuiteCluster } from "../cluster";
import { everywhere } from "../containers";

/** A stack whose state is gone, while its swarm runs. */
export function stateLost(cluster: SuiteCluster): void {
  const { lostState } = cluster.overlay;
  const when = lostState ? " and whose user ran what up then says" : "";
  it(`is found again by a stack that lost its state${when}, without an engine or a container that starts anew`, async () => {
    const before = await standing(cluster);
    await cluster.loseState();
    if (lostState) {
      const said = await cluster.refused({});
      const commands = lostState.exec(said)?.[1] ?? assert.fail(said);
      await Promise.all(cluster.members.map((name) => cluster.on(name, commands)));
    }
    await cluster.up();
    assert.deepEqual(await standing(cluster), before);
    await everywhere(cluster);
  });
}

/** What is the same for as long as nothing is made again: nodes, networks, engines, containers. */
async function standing(cluster: SuiteCluster): Promise<readonly string[]> {
  const ofSwarm = "docker node ls -q | sort; docker network ls -q --no-trunc --filter scope=swarm | sort; docker service ls -q | sort";
  const ofHost =
    "systemctl show docker -p ActiveEnterTimestampMonotonic; docker ps -q --no-trunc | xargs docker inspect --format '{{.Id}} {{.State.StartedAt}}' | sort";
  return Promise.all([cluster.on("c1", ofSwarm), ...cluster.members.map((name) => cluster.on(name, ofHost))]);
}
