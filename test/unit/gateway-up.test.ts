import assert from "node:assert/strict";
import type { GatewayResponse, GatewaySpec } from "../../components/gateways/api";
import { gatewayDown, gatewayUp } from "../../components/gateways/reconcile";
import { failure, FakeIo } from "./fake-io";
import { FakeServices } from "./fake-services";

const image = "docker.io/library/haproxy:3.0.11";
const spec: GatewaySpec = { image, config: "listen oracle\n", networks: [{ name: "web", id: "n1" }], replicas: 2 };
const owner = { cluster: "lab", name: "oracle" };

class Setting {
  readonly docker = new FakeServices();
  readonly io = new FakeIo(this.docker);
  /** What the resource was told last. */
  memory: GatewayResponse | undefined;

  async up(want: Partial<GatewaySpec> = {}, cluster = "lab"): Promise<GatewayResponse> {
    this.memory = await gatewayUp(this.docker, { ...owner, cluster }, { ...spec, ...want }, this.memory, this.io);
    return this.memory;
  }

  down(): Promise<void> {
    return gatewayDown(this.docker, owner, this.memory, this.io);
  }

  /** What is left is as it should be, and nothing is beside it. */
  isWhole(text = spec.config, configs = 1): void {
    assert.deepEqual(
      this.docker.services.map(({ Spec }) => Spec.Name),
      ["oracle"],
    );
    assert.equal(this.docker.textOf(this.docker.service("oracle")), text);
    assert.equal(this.docker.configs.length, configs);
  }

  /** @returns what an `up` changed. */
  async changesOf(want: Partial<GatewaySpec> = {}): Promise<readonly string[]> {
    this.docker.changes.length = 0;
    await this.up(want);
    return [...this.docker.changes];
  }
}

describe("gatewayUp", () => {
  let to: Setting;
  beforeEach(() => {
    to = new Setting();
  });

  it("makes a service on the networks, marked as the cluster's, that answers by its tasks alone and has no rights", async () => {
    await to.up();
    to.isWhole();
    const { Labels, TaskTemplate, EndpointSpec, Mode } = to.docker.service("oracle")?.Spec ?? assert.fail();
    assert.deepEqual(Labels, { "pulumi-swarm.cluster": "lab", "pulumi-swarm.gateway": "oracle", "pulumi-swarm.mark": to.memory?.mark });
    assert.deepEqual(
      { Mode, EndpointSpec, Placement: TaskTemplate.Placement, Networks: TaskTemplate.Networks },
      {
        Mode: { Replicated: { Replicas: 2 } },
        EndpointSpec: { Mode: "dnsrr" },
        Placement: { Constraints: ["node.labels.pulumi-swarm.gateway.oracle==true"], MaxReplicas: 1 },
        Networks: [{ Target: "n1" }],
      },
    );
    const { User, ReadOnly, CapabilityDrop, Image } = TaskTemplate.ContainerSpec as Readonly<Record<string, unknown>>;
    assert.deepEqual({ User, ReadOnly, CapabilityDrop, Image }, { User: "99:99", ReadOnly: true, CapabilityDrop: ["ALL"], Image: image });
    assert.ok(to.io.now() >= 1_000, "it waits until a task runs");
  });

  it("changes nothing the second time", async () => {
    const first = await to.up();
    assert.deepEqual(await to.changesOf(), []);
    assert.deepEqual(to.memory, first);
  });

  for (const [what, want, said] of [
    ["another target", { config: "listen other\n" }, "what it reaches"],
    ["another image", { image: "docker.io/library/haproxy:3.2" }, "image"],
    ["another network", { networks: [{ name: "store", id: "n2" }] }, "networks"],
    ["fewer hosts", { replicas: 1 }, "number of tasks"],
  ] as const) {
    it(`brings ${what} to the service in place, once`, async () => {
      const { id } = await to.up();
      const changes = await to.changesOf(want);
      assert.deepEqual(
        changes.filter((change) => change.startsWith("service")),
        ["service updated"],
      );
      assert.deepEqual(to.io.lines, [`changing its ${said}`]);
      assert.equal(to.memory?.id, id);
      assert.deepEqual(await to.changesOf(want), []);
      assert.ok(
        to.docker.tasks.every(
          (task) => task.DesiredState !== "running" || task.Spec.ContainerSpec?.Image === (want as Partial<GatewaySpec>).image || !("image" in want),
        ),
        "an earlier task is meant to run still",
      );
    });
  }

  it("keeps the configuration before for Docker's own rollback, and none that is older", async () => {
    for (const config of ["one", "two", "three", "four"]) await to.up({ config });
    to.isWhole("four", 2);
  });

  it("undoes what somebody changed by hand", async () => {
    await to.up();
    const service = to.docker.services[0] ?? assert.fail();
    service.Spec = { ...service.Spec, Mode: { Replicated: { Replicas: 0 } } };
    assert.deepEqual(await to.changesOf(), ["service updated"]);
  });

  it("tries again where a change meets somebody else's", async () => {
    await to.up();
    to.docker.conflicts = 2;
    await to.up({ replicas: 1 });
    assert.equal(to.docker.service("oracle")?.Spec.Mode.Replicated?.Replicas, 1);
  });

  it("goes on where a run was cut off, at whatever change", async () => {
    for (const cut of [1, 2]) {
      const cutOff = new Setting();
      cutOff.docker.cutAfter = cut;
      assert.match(await failure(cutOff.up()), /broke/);
      await cutOff.up();
      cutOff.isWhole();
      for (const more of [1, 2, 3]) {
        cutOff.docker.changes.length = 0;
        cutOff.docker.cutAfter = more;
        // The last of its changes may come too late to be cut off.
        const config = `text ${cut} ${more}`;
        await cutOff.up({ config }).catch(() => undefined);
        cutOff.docker.cutAfter = Infinity;
        await cutOff.up({ config });
        cutOff.isWhole(config, 2);
      }
    }
  });

  it("leaves a service of that name that is not its own, and says what to do", async () => {
    for (const [labels, whose] of [
      [{}, "is no gateway of this package"],
      [{ "pulumi-swarm.cluster": "lab" }, "is no gateway of this package"],
      [{ "pulumi-swarm.cluster": "other", "pulumi-swarm.gateway": "oracle" }, 'is a gateway of the cluster "other"'],
    ] as const) {
      const taken = new Setting();
      await taken.up();
      const service = taken.docker.services[0] ?? assert.fail();
      service.Spec = { ...service.Spec, Labels: labels };
      taken.docker.changes.length = 0;
      assert.equal(
        await failure(taken.up({ config: "another" })),
        `service oracle is there already and ${whose}; it is left as it is. Fix: name the gateway otherwise, or remove the service (docker service rm oracle), and run again`,
      );
      await taken.down();
      assert.deepEqual(
        taken.docker.changes.filter((change) => change.startsWith("service")),
        [],
      );
    }
  });

  it("is not misled by services whose names begin with its own", async () => {
    await to.docker.post("/services/create", { Name: "oracle-2", Mode: {}, TaskTemplate: {} });
    await to.up();
    assert.equal(to.docker.services.length, 2);
  });

  it("says why no task runs: the host and its error, what was waited for, and what to do", async () => {
    to.docker.broken.set(image, { state: "rejected", says: `No such image: ${image}` });
    assert.equal(
      await failure(to.up()),
      `gateway oracle: no task of it runs 120 s after it was asked for. rack-1: No such image: ${image}. ` +
        `Fix: see that its hosts can pull ${image}, or name another image (programs.mirror, gateways.oracle.program), and run again`,
    );
    assert.ok(to.io.now() >= 120_000 && to.io.now() < 125_000);
    assert.deepEqual(to.io.waits, [`all: gateway oracle to run (No such image: ${image})`]);
    to.docker.broken.clear();
    await to.up();
    to.isWhole();
  });

  it("does not take a program for running that ends a moment after its start", async () => {
    to.docker.broken.set(image, { state: "dies", says: "task: non-zero exit (1)" });
    assert.match(
      await failure(to.up()),
      /rack-1: task: non-zero exit \(1\)\. Fix: "docker service logs oracle" on a manager says why it ended, and run again$/,
    );
  });

  it("says so where none of its hosts takes a task", async () => {
    to.docker.broken.set(image, { state: "pending", says: "no suitable node (scheduling constraints not satisfied on 3 nodes)" });
    assert.match(
      await failure(to.up()),
      /no suitable node \(scheduling constraints not satisfied on 3 nodes\)\. Fix: see that a host of gateways\.oracle\.on is up and not drained, and run again$/,
    );
  });

  it("keeps the earlier version where the new one does not run, says so at once, and tries again", async () => {
    await to.up();
    const other = "docker.io/library/haproxy:none";
    to.docker.broken.set(other, { state: "rejected", says: `No such image: ${other}` });
    const began = to.io.now();
    assert.match(
      await failure(to.up({ image: other, config: "another" })),
      /^gateway oracle: its new tasks do not run, and Docker has put back the earlier version\. rack-1: No such image/,
    );
    assert.ok(to.io.now() - began < 10_000);
    assert.equal(to.docker.service("oracle")?.Spec.TaskTemplate.ContainerSpec?.Image, image);
    assert.equal(to.docker.textOf(to.docker.service("oracle")), spec.config, "its configuration is there still");
    to.docker.broken.clear();
    await to.up({ image: other, config: "another" });
    assert.equal(to.docker.textOf(to.docker.service("oracle")), "another");
  });
});

describe("gatewayDown", () => {
  it("leaves nothing, and is content the second time", async () => {
    const to = new Setting();
    await to.up();
    await to.up({ config: "another" });
    await to.down();
    assert.deepEqual([to.docker.services, to.docker.configs], [[], []]);
    await to.down();
  });

  it("removes what a run that was cut off left", async () => {
    for (const cut of [1, 2]) {
      const to = new Setting();
      to.docker.cutAfter = cut;
      await failure(to.up());
      await to.down();
      assert.deepEqual([to.docker.services, to.docker.configs], [[], []]);
    }
  });

  it("leaves it to the resource that has taken it over, as when one is replaced", async () => {
    const before = new Setting();
    const first = await before.up();
    before.memory = undefined;
    const second = await before.up();
    assert.equal(second.id, first.id);
    assert.notEqual(second.mark, first.mark);
    before.memory = first;
    await before.down();
    before.isWhole();
    assert.deepEqual(before.io.lines.slice(-1), ["was taken over by another run, as when its resource is replaced: left alone"]);
    before.memory = second;
    await before.down();
    assert.deepEqual([before.docker.services, before.docker.configs], [[], []]);
  });
});
