import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import * as pulumi from "@pulumi/pulumi";
import { SwarmCluster } from "../../components";
import * as existing from "../../components/hosts/existing";
import { clientKey } from "../unit/client-key";
import { type Graph, isSecret, record } from "./harness";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";

function racks(role: "manager" | "worker", count: number, network: number): ReturnType<typeof existing.hosts> {
  const machines = Object.fromEntries(
    Array.from({ length: count }, (_, place) => [`h${place}`, { address: `10.${network}.${Math.floor(place / 250)}.${(place % 250) + 1}`, hostKey }]),
  );
  return existing.hosts({ role, site: "rack", privateKey: pulumi.secret(clientKey), machines });
}

class Empty extends pulumi.ComponentResource {
  constructor(name: string, inputs: pulumi.Inputs, opts: pulumi.ComponentResourceOptions = {}) {
    super("test:index:Empty", name, inputs, opts);
    this.registerOutputs({});
  }
}

interface Program extends Graph {
  /** How many were made: what a program of Pulumi's works at, in a number that is the same in each run. */
  readonly promises: number;
}

async function promisesOf(program: () => unknown): Promise<Program> {
  let promises = 0;
  const hook = createHook({ init: (_id, type) => void (type === "PROMISE" && promises++) }).enable();
  try {
    const graph = await record(program);
    assert.equal(graph.error, undefined);
    return { ...graph, promises };
  } finally {
    hook.disable();
  }
}

const args = (hosts: number): ConstructorParameters<typeof SwarmCluster>[1] => ({
  firewall: { ssh: ["203.0.113.0/24"] },
  hosts: { control: racks("manager", 3, 70), edge: racks("worker", hosts - 3, 71) },
});

describe("a thousand hosts on paper", function () {
  this.timeout(60_000);
  const sizes = [10, 100, 1000];
  const programs: Program[] = [];
  before(async () => {
    for (const size of sizes) programs.push(await promisesOf(() => new SwarmCluster("lab", args(size))));
  });

  /** Of what is more than in the program before, by host. */
  const perHost = (of: (program: Program) => number): number[] =>
    programs.slice(1).map((program, index) => (of(program) - of(programs[index] ?? program)) / ((sizes[index + 1] ?? 0) - (sizes[index] ?? 0)));

  it("are one resource for each host, and as many others as for ten", () => {
    assert.deepEqual(
      perHost(({ resources }) => resources.length),
      [1, 1],
    );
  });

  it("cost the program less than twice what as many empty components do, and no host costs more where there are more of them", async () => {
    const inputs = { group: "edge", provider: "existing", role: "worker", site: "rack", labels: {}, sshPort: 22, address: "10.71.0.1" };
    const empty = async (count: number): Promise<number> => {
      const { promises } = await promisesOf(() => {
        const parent = new Empty("parent", {});
        for (let index = 0; index < count; index++) new Empty(`empty-${index}`, inputs, { parent });
      });
      return promises;
    };
    const floor = ((await empty(200)) - (await empty(100))) / 100;
    const [few = 0, many = 0] = perHost(({ promises }) => promises);
    process.stdout.write(`      ${Math.round(many)} promises for each host, ${Math.round(floor)} for an empty component\n`);
    assert.ok(many < 2 * floor, `${many} against ${floor}`);
    assert.ok(many < 1.01 * few, `${many} against ${few}`);
  });

  it("are asked of the programs on hosts in less than a megabyte and a half, and no host takes more where there are more of them", () => {
    const bytes = ({ resources }: Program): number =>
      resources.reduce((sum, { inputs: { stdin } }) => sum + (isSecret(stdin) && typeof stdin.secret === "string" ? stdin.secret.length : 0), 0);
    const [few = 0, many = 0] = perHost(bytes);
    assert.ok(bytes(programs.at(-1) ?? assert.fail()) < 1_500_000);
    // An address has some digits more.
    assert.ok(many < few + 10, `${many} against ${few}`);
  });
});
