import assert from "node:assert/strict";
import { removeIfAnswered, withManager } from "../../components/agents/network";
import type { NetworkRequest } from "../../components/agents/request";
import { networkDown } from "../../components/networks/reconcile";
import { DockerApiError } from "../../components/remote/docker-api";
import { deriveSshKey } from "../../components/remote/ssh-key";
import { FakeDocker } from "./fake-docker";

const { privateKey, publicKey: hostKey } = deriveSshKey("a secret of this test", "host");

/** Nothing listens there. */
const dead: NetworkRequest = {
  cluster: "lab",
  name: "web",
  spec: { driver: "overlay", subnet: "10.96.8.0/24", gateway: "10.96.8.1", internal: false, attachable: true, options: {}, labels: {} },
  managers: ["control-1", "control-2"].map((key) => ({ key, connection: { host: "127.0.0.1", port: 1, privateKey, hostKey } })),
  reachableSeconds: 0.1,
};

describe("the removal of a network where nobody can do it", () => {
  async function removed(remove: () => Promise<void>): Promise<string[]> {
    const said: string[] = [];
    await removeIfAnswered({ what: "network web", command: "docker network rm web" }, remove, (line) => said.push(line));
    return said;
  }

  it("warns, names each manager and why, and succeeds, so that the machines behind it can go", async () => {
    const said = await removed(() => withManager("network web", dead, () => Promise.reject(new Error("never asked"))));
    assert.equal(said.length, 1);
    assert.match(
      said[0] ?? "",
      /^warning: network web was not removed, because no manager can do it\. It goes with the swarm; if the swarm lives on, run "docker network rm web" on a manager/,
    );
    for (const key of ["control-1", "control-2"]) assert.match(said[0] ?? "", new RegExp(`- ${key}: cannot be reached over SSH`));
    assert.doesNotMatch(said[0] ?? "", /PRIVATE KEY/);
  });

  it("does so too where a manager answers that has no leader", async () => {
    const docker = new FakeDocker();
    docker.add({ Name: "web", Labels: { "pulumi-swarm.cluster": "lab" } });
    docker.refuseDelete = new DockerApiError("control-1", 500, "The swarm does not have a leader.", "DELETE /networks/n1");
    const io = { progress: () => undefined, sleep: () => Promise.resolve(), now: () => 0 };
    assert.match((await removed(() => networkDown(docker, "lab", "web", undefined, io)))[0] ?? "", /no manager can do it.*does not have a leader/);
  });

  it("fails where something uses the network", async () => {
    await assert.rejects(
      removed(() => Promise.reject(new Error("network web is used by service shop"))),
      /used by service shop/,
    );
  });
});
