import assert from "node:assert/strict";
import { makeAnew, networksToMakeAnew, refuseInUse } from "../../components/networks/switch";
import type { DockerApi } from "../../components/remote/docker-api";
import { FakeDocker } from "./fake-docker";
import { failure, FakeIo } from "./fake-io";

const native = { kind: "native", networks: { web: "", db: "" } };
const flannel = { kind: "flannel", networks: { web: "0.0.0.64/26", db: "0.0.0.0/26" } };
const change = { from: "native", to: "weave" };

/** As much of a host as is asked, with a fake engine. */
function host(key: string, docker: FakeDocker): { readonly key: string; readonly docker: DockerApi } {
  return { key, docker: docker as unknown as DockerApi };
}

function worker(docker: FakeDocker): FakeDocker {
  docker.isManager = false;
  return docker;
}

describe("the networks that an edit of the overlay makes anew", () => {
  const cases: readonly (readonly [string, ...Parameters<typeof networksToMakeAnew>, readonly string[]])[] = [
    ["none when nothing changes", flannel, flannel, []],
    ["none when one with its own subnet is added or goes", native, { kind: "native", networks: { web: "", shop: "" } }, []],
    ["all when the overlay is another", native, { kind: "weave", networks: { web: "" } }, ["db", "web"]],
    ["those whose slice moves", flannel, { kind: "flannel", networks: { ...flannel.networks, web: "0.0.0.128/26" } }, ["web"]],
    ["those whose slice goes", flannel, { kind: "flannel", networks: { db: "0.0.0.0/26" } }, ["web"]],
    ["none that is new", { kind: "flannel", networks: {} }, flannel, []],
  ];
  for (const [what, before, now, names] of cases) it(`are ${what}`, () => assert.deepEqual(networksToMakeAnew(before, now), names));
});

describe("a change of the overlay", () => {
  it("is refused while services or containers of any host use the networks, with all of them and what to do", async () => {
    const [manager, other] = [new FakeDocker(), worker(new FakeDocker())];
    const web = manager.add({ Name: "web" });
    const db = manager.add({ Name: "db" });
    manager.services.push({ Name: "shop", uses: web.Id, where: "task" });
    other.containers.push({ name: "alone", uses: web.Id }, { name: "of-a-service", uses: db.Id, service: "s1" });
    const said = await failure(refuseInUse(["db", "web"], change, [host("edge-1", other), host("control-1", manager)]));
    assert.match(said, /^changing the overlay from native to weave would cut off what uses the networks of it; nothing was changed:$/m);
    assert.match(said, /^ {2}- network web is used by service shop, container alone on edge-1$/m);
    assert.match(said, /Stop these .*, run again, and start them anew; or make a second cluster/);
    assert.doesNotMatch(said, /network db/);
    assert.equal(manager.changes + other.changes, 0);
  });

  it("says so otherwise when the overlay stays and only places move", async () => {
    const docker = new FakeDocker();
    docker.services.push({ Name: "shop", uses: docker.add({ Name: "web" }).Id, where: "spec" });
    const said = await failure(refuseInUse(["web"], { from: "flannel", to: "flannel" }, [host("control-1", docker)]));
    assert.match(said, /^changing where networks lie in hosts' subnets would cut off/);
  });

  it("goes on when nobody uses them: they are removed, by a manager, before the hosts change", async () => {
    const docker = new FakeDocker();
    docker.add({ Name: "web" });
    docker.add({ Name: "other" });
    docker.removalTakes = 1_000;
    const io = new FakeIo(docker);
    const hosts = [host("edge-1", worker(new FakeDocker())), host("control-1", docker)];
    await refuseInUse(["web", "gone"], change, hosts);
    await makeAnew(["web", "gone"], hosts, io);
    assert.deepEqual(
      docker.networks.map(({ Name }) => Name),
      ["other"],
    );
    assert.match(io.lines.join("\n"), /^network web: nothing uses it; it goes/);
  });

  it("asks nobody where there is no manager yet", async () => {
    await refuseInUse(["web"], change, [host("edge-1", worker(new FakeDocker()))]);
  });
});
