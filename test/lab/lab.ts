import assert from "node:assert/strict";
import { join } from "node:path";
import { ClusterShell } from "../../tools/lab/cluster";
import { type CommandResult, root, run, Stack } from "../../tools/lab/pulumi";
import type { ClusterPlan } from "../../components/cluster/planned";
import type { Connection } from "../../components/remote/connection";

export interface LabOutputs {
  readonly dockerHost: string;
  readonly swarmId: string;
  readonly hostsMade: Readonly<Record<string, { readonly role: string; readonly address: string; readonly nodeId: string; readonly engine: string }>>;
  readonly networksMade: Readonly<Record<string, { readonly id: string; readonly subnet: string }>>;
  readonly connections: Readonly<Record<string, Connection>>;
  /** Empty without `engine.metrics`. */
  readonly prometheus: string;
  readonly plan: ClusterPlan;
}

/** A stack of the tests' program, with hosts on a network of its own. */
export class Lab {
  readonly stack: Stack;

  constructor(readonly name: string) {
    this.stack = new Stack(name, join(root, "test", "lab", "program"));
  }

  async begin(): Promise<void> {
    await this.end();
    await this.stack.init();
  }

  /** Removes the stack and whatever is left of its hosts, in whatever state a test left them. */
  async end(): Promise<void> {
    await this.removeContainers();
    await run("docker", ["network", "rm", ...(await this.networks())]);
    // A run that was killed has left its lock.
    await this.stack.cancel();
    await this.stack.pulumi(["stack", "rm", "--yes", "--force"]);
  }

  private async networks(): Promise<string[]> {
    const { stdout } = await run("docker", ["network", "ls", "-q", "--filter", `name=^${this.name}-`]);
    return stdout.split("\n").filter(Boolean);
  }

  async containers(): Promise<string[]> {
    const { stdout } = await run("docker", ["ps", "-a", "--filter", `name=^${this.name}-`, "--format", "{{.Names}}"]);
    return stdout.split("\n").filter(Boolean);
  }

  private async removeContainers(): Promise<void> {
    const names = await this.containers();
    if (names.length > 0) {
      await run("docker", ["unpause", ...names]);
      await run("docker", ["rm", "-f", "-v", ...names]);
    }
  }

  /** @param privateKey by which its machines of one's own are reached */
  async logInWith(privateKey: string): Promise<void> {
    const { code, stderr } = await this.stack.pulumi(["config", "set", "--secret", "lab:privateKey"], { stdin: privateKey });
    assert.equal(code, 0, stderr);
  }

  async spec(spec: object): Promise<void> {
    await this.stack.setConfig({ "lab:spec": JSON.stringify(spec) });
  }

  async up(...more: readonly string[]): Promise<CommandResult> {
    const result = await this.stack.up({}, ...more);
    assert.equal(result.code, 0, `pulumi up failed:\n${result.stdout}\n${result.stderr}`);
    return result;
  }

  outputs(): Promise<LabOutputs> {
    return this.stack.outputs<LabOutputs>();
  }

  async shell(): Promise<ClusterShell> {
    return new ClusterShell((await this.outputs()).connections);
  }

  async withShell<T>(work: (shell: ClusterShell) => Promise<T>): Promise<T> {
    const shell = await this.shell();
    try {
      return await work(shell);
    } finally {
      shell.close();
    }
  }
}

/** What an update did, from its closing lines. */
export function changes(result: CommandResult): Readonly<Record<string, number>> {
  const summary = /^Resources:\n((?:\s+.*\n?)+)/m.exec(result.stdout)?.[1] ?? "";
  const counts: Record<string, number> = {};
  for (const match of summary.matchAll(/(\d+) (created|updated|deleted|replaced|unchanged|to create|to update|to delete|to replace)/g)) {
    counts[match[2] ?? ""] = Number(match[1]);
  }
  return counts;
}

export function assertNoChange(result: CommandResult): void {
  assert.equal(result.code, 0, result.stdout + result.stderr);
  assert.deepEqual(Object.keys(changes(result)), ["unchanged"], result.stdout);
}
