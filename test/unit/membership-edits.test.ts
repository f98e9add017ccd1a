import assert from "node:assert/strict";
import fc from "fast-check";
import { type Roles, SimulatedProgram, SimulatedSwarm } from "./simulated-swarm";

type Edit =
  | { readonly kind: "add"; readonly role: "manager" | "worker" }
  | { readonly kind: "remove" | "turn" | "replace" | "replaceLive" | "kill"; readonly which: number };

const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), role: fc.constantFrom("manager" as const, "worker" as const) }),
  fc.record({
    kind: fc.constantFrom("remove" as const, "turn" as const, "replace" as const, "replaceLive" as const, "kill" as const),
    which: fc.nat(20),
  }),
);

interface Step {
  readonly edits: readonly Edit[];
  readonly cutAfter: number | undefined;
}

const steps: fc.Arbitrary<Step> = fc.record({
  edits: fc.array(edits, { minLength: 1, maxLength: 3 }),
  cutAfter: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
});

class Editor {
  private next = 10;

  constructor(private readonly program: SimulatedProgram) {}

  apply(edit: Edit): void {
    const { program } = this;
    if (edit.kind === "add") {
      program.roles = { ...program.roles, [`host-${this.next++}`]: edit.role };
      return;
    }
    const keys = Object.keys(program.roles).sort();
    const key = keys[edit.which % keys.length];
    if (key === undefined) return;
    this.change(edit.kind, key);
  }

  private change(kind: Exclude<Edit["kind"], "add">, key: string): void {
    const { program } = this;
    const { [key]: role, ...rest } = program.roles;
    switch (kind) {
      case "remove":
        // A dead machine that is removed is never brought back.
        if (hasManager(rest) && (this.isManager(key) || this.leavesManager(key))) program.roles = rest;
        return;
      case "turn": {
        const turned: Roles = { ...rest, [key]: role === "manager" ? "worker" : "manager" };
        if (hasManager(turned)) program.roles = turned;
        return;
      }
      case "replace":
        if (this.maySpare(key) && this.leavesManager(key)) program.swarm.replace(key);
        return;
      case "replaceLive":
        if (this.maySpare(key) && this.leavesManager(key)) program.swarm.replace(key, `${key}-old-${this.next++}`);
        return;
      case "kill":
        if (this.maySpare(key)) program.swarm.kill(key);
        return;
      default:
        throw new Error(kind satisfies never);
    }
  }

  /** The program has no way to machines that were replaced: where they are the only managers, nobody can ask the swarm any more. */
  private leavesManager(key: string): boolean {
    const reached = [...Object.keys(this.program.roles), ...Object.keys(this.program.memory?.nodes ?? {})];
    return reached.some((other) => other !== key && this.isManager(other));
  }

  private isManager(key: string): boolean {
    const machine = this.program.swarm.machines.get(key);
    return machine?.up === true && machine.manager && this.program.swarm.memberOf(machine) !== undefined;
  }

  /** A minority only. */
  private maySpare(key: string): boolean {
    const { swarm } = this.program;
    const machine = swarm.machines.get(key);
    if (!machine?.up) return false;
    const member = swarm.memberOf(machine);
    if (!member || !machine.raft) return true;
    machine.up = false;
    const spare = swarm.hasQuorum(machine.raft);
    machine.up = true;
    return spare;
  }
}

function hasManager(roles: Roles): boolean {
  return Object.values(roles).includes("manager");
}

describe("any sequence of edits, deaths and interruptions", () => {
  it("ends in the swarm that is asked for, never loses the quorum, and leaves nothing to do", async function () {
    this.timeout(30_000);
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 5 }), async (story) => {
        const program = new SimulatedProgram(new SimulatedSwarm(), {
          "host-1": "manager",
          "host-2": "manager",
          "host-3": "manager",
          "host-4": "worker",
        });
        await program.run();
        const editor = new Editor(program);
        const swarmId = program.memory?.swarmId;
        for (const { edits: wanted, cutAfter } of story) {
          for (const edit of wanted) editor.apply(edit);
          for (const key of Object.keys(program.roles)) program.swarm.provision(key);
          if (cutAfter !== undefined) await program.run(cutAfter);
          await program.run();
          // Dead machines come back, as their owner is told to bring them.
          for (const key of Object.keys(program.roles)) if (!program.swarm.machine(key).up) program.swarm.revive(key);
          await program.swarm.clock.sleep(60_000);
          const { error, result } = await program.run();
          assert.equal(error, undefined);
          assert.deepEqual(result?.failures, []);
          assert.deepEqual(program.differences(), []);
          assert.deepEqual(program.swarm.violations, []);
          assert.equal(program.memory?.swarmId, swarmId);
          assert.deepEqual((await program.run()).calls.mutations, []);
        }
      }),
      { numRuns: 150 },
    );
  });
});
