import assert from "node:assert/strict";
import { ingressUp, placeIngress } from "../../components/networks/ingress";
import { FakeDocker, type FakeNode } from "./fake-docker";
import { failure, FakeIo } from "./fake-io";

const plan = { subnet: "10.96.2.0/24", gateway: "10.96.2.1", mtu: 1440 };

function setUp(present: "by the swarm" | "as planned" | "missing", name = "ingress") {
  const docker = new FakeDocker();
  const io = new FakeIo(docker);
  docker.add({ Name: "web" });
  if (present === "by the swarm") {
    docker.add({ Name: name, Ingress: true, Attachable: false, IPAM: { Config: [{ Subnet: "10.0.0.0/24", Gateway: "10.0.0.1" }] } });
  }
  if (present === "as planned") {
    docker.add({
      Name: name,
      Ingress: true,
      IPAM: { Config: [{ Subnet: plan.subnet, Gateway: plan.gateway }] },
      Options: { "com.docker.network.driver.mtu": "1440", "com.docker.network.driver.overlay.vxlanid_list": "4096" },
    });
  }
  return { docker, io, up: () => ingressUp(docker, plan, io) };
}

const asPlanned = {
  Name: "ingress",
  Driver: "overlay",
  Ingress: true,
  IPAM: { Driver: "default", Config: [{ Subnet: "10.96.2.0/24", Gateway: "10.96.2.1" }] },
  Options: { "com.docker.network.driver.mtu": "1440" },
};

describe("ingressUp", () => {
  it("does nothing to an ingress network that is as planned", async () => {
    const { docker, io, up } = setUp("as planned");
    await up();
    assert.equal(docker.changes, 0);
    assert.deepEqual(io.lines, []);
  });

  it("makes the one that the swarm made anew, once it is gone, and leaves other networks", async () => {
    const { docker, io, up } = setUp("by the swarm");
    docker.removalTakes = 3_000;
    await up();
    assert.deepEqual(docker.created, [asPlanned]);
    assert.deepEqual(docker.networks.map(({ Name }) => Name).sort(), ["ingress", "web"]);
    assert.deepEqual(io.lines, [
      "recreating the ingress network (subnet 10.0.0.0/24 to 10.96.2.0/24; gateway 10.0.0.1 to 10.96.2.1; MTU 1500 to 1440)",
    ]);
    docker.changes = 0;
    await up();
    assert.equal(docker.changes, 0, "and is content with the new one");
  });

  it("tells when no node can get the old one any more, before its own engine has let it go", async () => {
    const { docker, io } = setUp("by the swarm");
    docker.removalTakes = 3_000;
    const began = io.now();
    let told: number | undefined;
    assert.equal(await placeIngress(docker, plan, io, () => (told ??= io.now() - began)), true);
    assert.equal(told, 0);
    assert.ok(io.now() - began >= 3_000);
    let again = false;
    assert.equal(await placeIngress(docker, plan, io, () => (again = true)), false);
    assert.equal(again, false, "where it is as planned, there is nothing to wait for");
  });

  it("waits for an engine that was still making the old one when the swarm removed it", async () => {
    const { docker, up } = setUp("by the swarm");
    docker.comesBackFor = 3_000;
    await up();
    assert.deepEqual(docker.created, [asPlanned]);
    assert.deepEqual(docker.networks.map(({ Name }) => Name).sort(), ["ingress", "web"]);
  });

  it("has every node attached to the new one, which Docker does only when a node joins or changes, and leaves their labels", async () => {
    for (const nodeConflicts of [0, 2]) {
      const { docker, up } = setUp("by the swarm");
      const nodes = ["a", "b", "c"].map((ID): FakeNode => ({ ID, version: 7, Spec: { Role: "worker", Labels: { mine: ID } }, tooQuick: ID === "b" }));
      docker.nodes.push(...nodes);
      Object.assign(docker, { nodeConflicts });
      await up();
      const made = docker.networks.find(({ Ingress }) => Ingress)?.Id;
      assert.deepEqual(
        nodes.map(({ ingress, Spec }) => [ingress, Spec]),
        ["a", "b", "c"].map((ID) => [made, { Role: "worker", Labels: { mine: ID } }]),
      );
    }
  });

  it("finds one that has another name", async () => {
    const { docker, up } = setUp("by the swarm", "mesh");
    await up();
    assert.deepEqual(docker.networks.map(({ Name }) => Name).sort(), ["ingress", "web"]);
  });

  it("makes one where a run was cut off after the removal", async () => {
    const { docker, io, up } = setUp("missing");
    await up();
    assert.deepEqual(docker.created, [asPlanned]);
    assert.deepEqual(io.lines, ["making the ingress network, which is missing (10.96.2.0/24, MTU 1440)"]);
  });

  it("looks again when it turns out to be there though a manager without a leader did not list it", async () => {
    const asIs = setUp("as planned");
    asIs.docker.overlooked = 1;
    await asIs.up();
    assert.equal(asIs.docker.changes, 0);
    const other = setUp("by the swarm");
    other.docker.overlooked = 1;
    await other.up();
    assert.deepEqual(other.docker.created, [asPlanned]);
    assert.match(other.io.lines.join(), /which is missing .*,recreating the ingress network /);
  });

  it("says what Docker says when it is overlooked twice", async () => {
    const { docker, up } = setUp("as planned");
    const get = docker.get.bind(docker);
    let looks = 0;
    docker.get = (path) => (path === "/networks" && looks++ < 2 ? Promise.resolve([] as never) : get(path));
    assert.match(await failure(up()), /network with name ingress already exists/);
  });

  it("refuses while ports are published by it, names the services and what to do, and leaves it", async () => {
    const { docker, up } = setUp("by the swarm");
    docker.services.push(
      { Name: "shop", uses: "web", where: "task", publishes: ["host", "ingress"] },
      { Name: "agent", uses: "web", where: "task", publishes: ["host"] },
      { Name: "worker", uses: "web", where: "task" },
      { Name: "blog", uses: "web", where: "task", publishes: ["ingress"] },
    );
    assert.equal(
      await failure(up()),
      "the ingress network cannot be changed (subnet 10.0.0.0/24 to 10.96.2.0/24; gateway 10.0.0.1 to 10.96.2.1; MTU 1500 to 1440) " +
        "while ports are published by it by service shop, service blog; it is left as it was. " +
        'Publish their ports by the host (docker service update --publish-rm …, then --publish-add mode=host,…), or remove them, run again, and put them back; or keep it where it is by pins: { ingress: "10.0.0.0/24" }',
    );
    assert.equal(docker.changes, 0);
  });

  it("is not held up by services that publish by the host or not at all", async () => {
    const { docker, up } = setUp("by the swarm");
    docker.services.push({ Name: "agent", uses: "web", where: "task", publishes: ["host"] }, { Name: "worker", uses: "web", where: "task" });
    await up();
    assert.equal(docker.created.length, 1);
  });

  it("waits until tasks of removed services have stopped: under one, the old network would stay", async () => {
    const { docker, io, up } = setUp("by the swarm");
    const old = docker.find("ingress")?.Id ?? "";
    docker.tasks.push(
      { uses: old, state: "running", stopsWithin: 12_000 },
      { uses: old, state: "shutdown", stopsWithin: Infinity },
      { uses: "another", state: "running", stopsWithin: Infinity },
    );
    await up();
    assert.ok(io.now() >= 12_000);
    assert.equal(io.waits[0], "all: tasks that published by the ingress network to stop (1 left)");
    assert.equal(io.lines.length, 1);
    assert.equal(docker.created.length, 1);
  });

  it("leaves the old network when such tasks do not stop, and says what to look at", async () => {
    const { docker, up } = setUp("by the swarm");
    docker.tasks.push({ uses: docker.find("ingress")?.Id ?? "", state: "running", stopsWithin: Infinity });
    assert.equal(
      await failure(up()),
      "the ingress network cannot be recreated: tasks that published by it (1) have not stopped within 60 s; it is left as it was. " +
        "Run again when they have (docker service ps, docker ps)",
    );
    assert.equal(docker.changes, 0);
  });

  it("says nothing of services that publish by an ingress network that is as planned", async () => {
    const { docker, up } = setUp("as planned");
    docker.services.push({ Name: "shop", uses: "web", where: "task", publishes: ["ingress"] });
    await up();
    assert.equal(docker.changes, 0);
  });
});
