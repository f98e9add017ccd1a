import assert from "node:assert/strict";
import type { NetworkResponse, NetworkSpec } from "../../components/networks/api";
import { networkDown, networkUp } from "../../components/networks/reconcile";
import { DockerApiError } from "../../components/remote/docker-api";
import { FakeDocker } from "./fake-docker";
import { failure, FakeIo } from "./fake-io";

const spec: NetworkSpec = {
  driver: "overlay",
  subnet: "10.99.246.0/24",
  gateway: "10.99.246.1",
  internal: false,
  attachable: true,
  labels: { team: "shop" },
  options: { "com.docker.network.driver.mtu": "1500" },
};

function setUp(): {
  readonly docker: FakeDocker;
  readonly io: FakeIo;
  readonly up: (want?: Partial<NetworkSpec>, cluster?: string) => Promise<string>;
  /** What the resource was told last. */
  readonly memory: () => NetworkResponse | undefined;
} {
  const docker = new FakeDocker();
  const io = new FakeIo(docker);
  let memory: NetworkResponse | undefined;
  const up = async (want: Partial<NetworkSpec> = {}, cluster = "lab"): Promise<string> => {
    memory = await networkUp(docker, cluster, "web", { ...spec, ...want }, memory, io);
    return memory.id;
  };
  return { docker, io, up, memory: () => memory };
}

describe("networkUp", () => {
  it("makes a network as asked, marked as the cluster's", async () => {
    const { docker, up } = setUp();
    const id = await up();
    assert.deepEqual(docker.created, [
      {
        Name: "web",
        Driver: "overlay",
        Internal: false,
        Attachable: true,
        IPAM: { Driver: "default", Config: [{ Subnet: "10.99.246.0/24", Gateway: "10.99.246.1" }] },
        Options: { "com.docker.network.driver.mtu": "1500" },
        Labels: { team: "shop", "pulumi-swarm.cluster": "lab" },
      },
    ]);
    assert.equal(docker.find("web")?.Id, id);
  });

  it("does nothing to a network that is as asked, though Docker added options of its own", async () => {
    const { docker, up } = setUp();
    const id = await up();
    docker.changes = 0;
    assert.equal(await up(), id);
    assert.equal(docker.changes, 0);
  });

  it("is not misled by networks whose names contain the name", async () => {
    const { docker, up } = setUp();
    docker.add({ Name: "web-2" });
    docker.add({ Name: "my-web" });
    await up();
    assert.equal(docker.created.length, 1);
  });

  it("refuses a network that somebody made by hand, and leaves it", async () => {
    const { docker, up } = setUp();
    docker.add({ Name: "web" });
    assert.equal(
      await failure(up()),
      "network web is there already and belongs to nobody this package knows. Name yours otherwise, or remove it: docker network rm web",
    );
    assert.equal(docker.changes, 0);
  });

  it("refuses a network of another cluster, even one just as asked", async () => {
    const { docker, up } = setUp();
    await up({}, "shop");
    docker.changes = 0;
    assert.match(await failure(up()), /^network web is there already and belongs to the cluster "shop"\./);
    assert.equal(docker.changes, 0);
  });

  for (const [what, want, difference] of [
    ["subnet", { subnet: "10.99.7.0/24", gateway: "10.99.7.1" }, "subnet 10.99.246.0/24 to 10.99.7.0/24; gateway 10.99.246.1 to 10.99.7.1"],
    ["driver", { driver: "weave" }, "driver overlay to weave"],
    ["internal", { internal: true }, "internal false to true"],
    ["attachable", { attachable: false }, "attachable true to false"],
    [
      "MTU",
      { options: { "com.docker.network.driver.mtu": "1400" } },
      'options {"com.docker.network.driver.mtu":"1500"} to {"com.docker.network.driver.mtu":"1400"}',
    ],
    ["labels", { labels: {} }, 'labels {"team":"shop"} to {}'],
  ] as const) {
    it(`makes an unused network anew for another ${what}, once the old one is gone`, async () => {
      const { docker, io, up } = setUp();
      docker.removalTakes = 3_000;
      const old = await up();
      const id = await up(want);
      assert.notEqual(id, old);
      assert.equal(docker.find("web")?.Id, id);
      assert.equal(docker.networks.length, 1);
      assert.deepEqual(io.lines, [`nothing uses it: recreating it (${difference})`]);
      assert.ok(io.now() >= 3_000, "it waits until the old one is gone");
      docker.changes = 0;
      assert.equal(await up(want), id, "and is content with the new one");
      assert.equal(docker.changes, 0);
    });
  }

  it("refuses to change a network in use, names all users, and leaves it as it was", async () => {
    const { docker, up } = setUp();
    const id = await up();
    docker.services.push(
      { Name: "shop", uses: id, where: "task" },
      { Name: "old-style", uses: "web", where: "spec" },
      { Name: "other", uses: "elsewhere", where: "task" },
    );
    docker.containers.push({ name: "debug", uses: id }, { name: "shop.1.abc", uses: id, service: "s1" });
    docker.changes = 0;
    assert.equal(
      await failure(up({ internal: true })),
      "network web cannot be changed (internal false to true) while it is used by service shop, service old-style, container debug; it is left as it was. " +
        "Add a network under another name, move them to it, then remove this one; or stop them and run again",
    );
    assert.equal(docker.changes, 0);
    assert.equal(docker.find("web")?.Id, id);
  });

  const gateway = { Name: "oracle", where: "task", labels: { "pulumi-swarm.cluster": "lab", "pulumi-swarm.gateway": "oracle" } } as const;

  it("removes the cluster's own gateways first, which their resources make again, and no service beside one", async () => {
    const { docker, io, up } = setUp();
    const id = await up();
    docker.services.push({ ...gateway, uses: id });
    await up();
    assert.equal(docker.services.length, 1, "a network that stays as it is disturbs no gateway");
    docker.services.push({ Name: "shop", uses: id, where: "task" });
    assert.match(await failure(up({ internal: true })), /while it is used by service shop; it is left as it was/);
    assert.equal(docker.services.length, 2);
    docker.services.pop();
    const anew = await up({ internal: true });
    assert.notEqual(anew, id);
    assert.deepEqual(docker.services, []);
    assert.deepEqual(io.lines, [
      "nothing uses it: recreating it (internal false to true)",
      "the gateway oracle is removed first, and recreated if the plan has it",
    ]);
  });

  it("says which gateways are missing where the network had to be made again as it was", async () => {
    const { docker, up } = setUp();
    docker.services.push({ ...gateway, uses: await up() });
    docker.refuseCreate = { times: 1, reason: "invalid pool request" };
    assert.match(
      await failure(up({ internal: true })),
      /It was made again as it was, without the gateway oracle: another membership\.recheck makes it again$/,
    );
  });

  it("goes with a gateway that a run left on it which was cut off", async () => {
    const { docker, io, up, memory } = setUp();
    docker.services.push({ ...gateway, uses: await up() });
    await networkDown(docker, "lab", "web", memory(), io);
    assert.deepEqual([docker.networks, docker.services], [[], []]);
  });

  it("waits for tasks that were just removed to let go", async () => {
    const { docker, up } = setUp();
    await up();
    docker.heldFor = 5_000;
    await up({ internal: true });
    assert.equal(docker.find("web")?.Internal, true);
  });

  it("waits out an engine that still knows the name of what it just removed", async () => {
    const { docker, up } = setUp();
    docker.refuseCreate = { times: 3, reason: "network with name web already exists" };
    const id = await up();
    assert.equal(docker.find("web")?.Id, id);
  });

  it("looks again when it turns out to be there though a manager without a leader did not list it", async () => {
    const { docker, io, up } = setUp();
    const id = await up();
    [docker.changes, docker.overlooked] = [0, 1];
    assert.equal(await up(), id);
    assert.deepEqual([docker.changes, io.now()], [0, 0]);
  });

  it("passes on at once what Docker says when it will not make the network", async () => {
    const { docker, io, up } = setUp();
    docker.refuseCreate = { times: 1, reason: "could not find plugin weave in v1 plugin registry" };
    assert.match(await failure(up({ driver: "weave" })), /could not find plugin weave/);
    assert.equal(io.now(), 0);
  });

  it("makes the old network again where Docker refuses the new one, for an edit that is taken back is no change to Pulumi", async () => {
    const { docker, io, up, memory } = setUp();
    await up();
    const before = docker.created[0];
    docker.refuseCreate = { times: 1, reason: "invalid pool request: Pool overlaps with other one on this address space" };
    assert.equal(
      await failure(up({ subnet: "10.99.7.0/24", gateway: "10.99.7.1" })),
      "network web cannot be made with subnet 10.99.246.0/24 to 10.99.7.0/24; gateway 10.99.246.1 to 10.99.7.1: " +
        "control-1: Docker refused POST /networks/create: invalid pool request: Pool overlaps with other one on this address space. It was made again as it was",
    );
    assert.deepEqual(docker.created, [before, before]);
    await networkDown(docker, "lab", "web", memory(), io);
    assert.deepEqual([docker.networks, docker.labels], [[], { theirs: "kept" }], "and its resource, which knows nothing of that, still has it");
  });

  it("makes one from hosts' own again, too, and has it after the next edit", async () => {
    const { docker, io, up, memory } = setUp();
    await up({ configFrom: "pulumi-swarm-web", subnet: "10.99.0.0/16" });
    const before = docker.created[0];
    docker.refuseCreate = { times: 1, reason: "invalid pool request" };
    assert.match(await failure(up()), /It was made again as it was$/);
    assert.deepEqual(docker.created[1], before);
    await up();
    await networkDown(docker, "lab", "web", memory(), io);
    assert.deepEqual([docker.networks, docker.labels], [[], { theirs: "kept" }]);
  });

  it("waits for a leader between the removal and the new network", async () => {
    const { docker, up } = setUp();
    await up();
    docker.refuseCreate = { times: 5, reason: "rpc error: code = Unknown desc = The swarm does not have a leader." };
    await up({ internal: true });
    assert.equal(docker.find("web")?.Internal, true);
  });

  it("says that there is no network, and what to do, where neither the new nor the old one can be made", async () => {
    const { docker, up } = setUp();
    await up();
    docker.refuseCreate = { times: Infinity, reason: "no more disk" };
    assert.equal(
      await failure(up({ internal: true })),
      "network web cannot be made with internal false to true: control-1: Docker refused POST /networks/create: no more disk. " +
        "It is gone, as it could not be made again as it was either: control-1: Docker refused POST /networks/create: no more disk. " +
        "Fix the cause and run again; if you take the edit back, change membership.recheck too, or Pulumi sees no change",
    );
  });

  it("says so, too, when only this engine still has the old network", async () => {
    const { docker, up } = setUp();
    await up();
    docker.refuseDelete = new DockerApiError("control-1", 500, "network web not found", "DELETE");
    assert.match(await failure(up({ internal: true })), /^network web is still there 20 s after its removal\..*: restart Docker there$/);
  });

  it("says that the old network is still there when Docker does not get rid of it", async () => {
    const { docker, up } = setUp();
    await up();
    docker.removalTakes = 60_000;
    assert.equal(
      await failure(up({ internal: true })),
      "network web is still there 20 s after its removal. Run again; if it stays, this manager's engine holds on to " +
        "a network that the swarm no longer has: restart Docker there",
    );
  });
});

describe("networkDown", () => {
  it("removes the cluster's network and returns when it is gone", async () => {
    const { docker, io, up } = setUp();
    docker.removalTakes = 2_000;
    await up();
    await networkDown(docker, "lab", "web", undefined, io);
    assert.deepEqual(docker.networks, []);
  });

  it("leaves one that is used where the swarm lives on, says who uses it, and removes it once nobody does", async () => {
    const { docker, io, up } = setUp();
    docker.services.push({ Name: "shop", uses: await up(), where: "task" });
    docker.changes = 0;
    await networkDown(docker, "lab", "web", undefined, io, true);
    assert.deepEqual([docker.changes, docker.networks.length], [0, 1]);
    assert.equal(io.lines.at(-1), "warning: it stays in the swarm, which lives on: it is used by service shop");
    docker.services.pop();
    await networkDown(docker, "lab", "web", undefined, io, true);
    assert.deepEqual(docker.networks, []);
  });

  it("does nothing when it is gone already", async () => {
    const { docker, io } = setUp();
    await networkDown(docker, "lab", "web", undefined, io);
    assert.equal(docker.changes, 0);
  });

  it("does nothing to a network that is not the cluster's", async () => {
    const { docker, io, up } = setUp();
    docker.add({ Name: "web" });
    await networkDown(docker, "lab", "web", undefined, io);
    docker.networks.length = 0;
    await up({}, "shop");
    docker.changes = 0;
    await networkDown(docker, "lab", "web", undefined, io);
    assert.equal(docker.changes, 0);
    assert.ok(docker.find("web"));
  });

  it("is content when another run removed it in between", async () => {
    const { docker, io, up } = setUp();
    await up();
    docker.goneBeforeDelete = true;
    await networkDown(docker, "lab", "web", undefined, io);
  });

  it("says who uses a network that Docker will not remove, after waiting for them to let go", async () => {
    const { docker, io, up } = setUp();
    docker.services.push({ Name: "shop", uses: await up(), where: "task" });
    docker.heldFor = Infinity;
    assert.equal(
      await failure(networkDown(docker, "lab", "web", undefined, io)),
      `network web cannot be removed: network ${docker.find("web")?.Id} is in use by task t1. It is used by service shop; remove these first`,
    );
    assert.ok(io.now() >= 20_000);
  });

  it("says where to look when no user can be seen from the manager", async () => {
    const { docker, io, up } = setUp();
    await up();
    docker.heldFor = Infinity;
    assert.match(await failure(networkDown(docker, "lab", "web", undefined, io)), /Look for containers on the other hosts that are attached to it$/);
  });

  it("says which host holds a network by a task that is no service's, as a container leaves that went while no manager answered", async () => {
    const { docker, io, up } = setUp();
    await up();
    docker.heldFor = Infinity;
    docker.heldOn = "edge-2";
    assert.equal(
      await failure(networkDown(docker, "lab", "web", undefined, io)),
      `network web cannot be removed: network ${docker.find("web")?.Id} is in use by task t1. The swarm's managers have that task for a container of the host edge-2 (running). ` +
        "Look for one there that is attached to the network; if there is none, the managers do not know yet that it went",
    );
  });

  it("does not wait when Docker refuses for another reason", async () => {
    const { docker, io, up } = setUp();
    await up();
    docker.refuseDelete = new DockerApiError("control-1", 500, "The swarm does not have a leader", "DELETE");
    assert.match(
      await failure(networkDown(docker, "lab", "web", undefined, io)),
      /^network web cannot be removed: The swarm does not have a leader\./,
    );
    assert.equal(io.now(), 0);
  });

  it("passes on a broken connection as it is", async () => {
    const { docker, io, up } = setUp();
    await up();
    docker.refuseDelete = new Error("control-1: the connection to Docker broke");
    assert.equal(await failure(networkDown(docker, "lab", "web", undefined, io)), "control-1: the connection to Docker broke");
  });
});

/** Pulumi makes the new resource, which remembers nothing, and then deletes the old one. */
describe("a network whose resource is replaced", () => {
  const again = (docker: FakeDocker, io: FakeIo, previous?: NetworkResponse): Promise<NetworkResponse> =>
    networkUp(docker, "lab", "web", spec, previous, io);

  it("stays where it was removed by hand, so that the new resource made it and nobody took it over", async () => {
    const { docker, io, up, memory } = setUp();
    await up();
    docker.networks.length = 0;
    const { id } = await again(docker, io);
    await networkDown(docker, "lab", "web", memory(), io);
    assert.equal(docker.find("web")?.Id, id);
    assert.match(io.lines.join(), /was taken over by another run, as when its resource is replaced: left alone/);
    await networkDown(docker, "lab", "web", { id }, io);
    assert.deepEqual(docker.networks, [], "its own resource removes it");
  });

  it("stays, as the old resource sees that another one took it over", async () => {
    const { docker, io, up, memory } = setUp();
    const id = await up();
    const taken = await again(docker, io);
    assert.equal(taken.id, id);
    await networkDown(docker, "lab", "web", memory(), io);
    assert.equal(docker.find("web")?.Id, id);
    assert.match(io.lines.at(-1) ?? "", /was taken over by another run/);
    docker.changes = 0;
    assert.deepEqual(await again(docker, io, taken), taken, "and the new one has nothing left to do");
    assert.equal(docker.changes, 0);
  });

  it("is removed by the resource that took it over last, down to the mark of that", async () => {
    const { docker, io, up } = setUp();
    await up();
    const second = await again(docker, io);
    const third = await again(docker, io);
    await networkDown(docker, "lab", "web", second, io);
    assert.ok(docker.find("web"));
    await networkDown(docker, "lab", "web", third, io);
    assert.deepEqual(docker.networks, []);
    assert.deepEqual(docker.labels, { theirs: "kept" });
  });

  it("goes back to the old resource when the replacement was cut off before Pulumi knew of it", async () => {
    const { docker, io, up, memory } = setUp();
    await up();
    await again(docker, io);
    await up();
    await networkDown(docker, "lab", "web", memory(), io);
    assert.deepEqual(docker.networks, []);
  });

  it("is marked though the swarm changes at the same time", async () => {
    const { docker, io, up, memory } = setUp();
    await up();
    docker.swarmConflicts = 3;
    await again(docker, io);
    await networkDown(docker, "lab", "web", memory(), io);
    assert.ok(docker.find("web"));
  });

  it("needs no mark where it is made and removed by one and the same", async () => {
    const { docker, io, up, memory } = setUp();
    await up();
    await up({ internal: true });
    assert.deepEqual(docker.labels, { theirs: "kept" });
    await networkDown(docker, "lab", "web", memory(), io);
    assert.deepEqual(docker.networks, []);
  });
});

describe("a network whose addresses each host keeps", () => {
  const { subnet: _subnet, gateway: _gateway, ...rest } = spec;
  const sliced: NetworkSpec = { ...rest, subnet: "10.97.0.0/17", driver: "macvlan", labels: {}, options: {}, configFrom: "pulumi-swarm-web" };

  it("is made from the hosts' own, without subnet, options or labels, which Docker refuses there", async () => {
    const { docker, io } = setUp();
    await networkUp(docker, "lab", "web", sliced, undefined, io);
    assert.deepEqual(docker.created, [
      { Name: "web", Driver: "macvlan", Internal: false, Attachable: true, Scope: "swarm", ConfigFrom: { Network: "pulumi-swarm-web" } },
    ]);
    docker.changes = 0;
    await networkUp(docker, "lab", "web", sliced, undefined, io);
    assert.equal(docker.changes, 1, "only the mark of who has it now");
  });

  it("is made anew when it had a subnet of its own, and the other way round", async () => {
    const { docker, io, up } = setUp();
    await up();
    await networkUp(docker, "lab", "web", sliced, undefined, io);
    assert.match(io.lines.join("\n"), /recreating it \(driver overlay to macvlan; source of addresses none to pulumi-swarm-web\)/);
    await up();
    assert.equal(docker.find("web")?.Driver, "overlay");
    assert.equal(docker.networks.length, 1);
  });

  it("is removed as ours, though nothing but the name of the hosts' network tells it", async () => {
    const { docker, io } = setUp();
    const memory = await networkUp(docker, "lab", "web", sliced, undefined, io);
    docker.add({ Name: "db", ConfigFrom: { Network: "theirs" } });
    await networkDown(docker, "lab", "web", memory, io);
    await networkDown(docker, "lab", "db", undefined, io);
    assert.deepEqual(
      docker.networks.map(({ Name }) => Name),
      ["db"],
    );
  });
});
