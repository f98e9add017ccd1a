import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ClusterShell, type LocalStackOutputs } from "../../tools/lab/cluster";
import { makeHostImages } from "../../tools/lab/machines";
import { type CommandResult, root, Stack } from "../../tools/lab/pulumi";
import { forget, type standIn } from "../plugins/clouds/install";

type StandIn = ReturnType<typeof standIn>;

/** A result that must be no failure. */
export function good(result: CommandResult): CommandResult {
  assert.equal(result.code, 0, result.stdout + result.stderr);
  return result;
}

/** A stack whose hosts are of stand-ins for clouds, in accounts of its own. */
export class CloudLab {
  readonly stack: Stack;

  /** @param env what its programs meet beside the stand-ins' own */
  constructor(
    private readonly name: string,
    private readonly clouds: readonly StandIn[],
    private readonly folder = root,
    env: NodeJS.ProcessEnv = {},
  ) {
    this.stack = new Stack(name, folder, Object.assign({}, ...clouds.map((cloud) => cloud.env), env) as NodeJS.ProcessEnv);
  }

  async begin(): Promise<void> {
    await this.end();
    await makeHostImages("pulumi-swarm-host:trixie-cloud");
    await this.stack.init();
  }

  /** Removes all that is left of it, in whatever state a test left it. */
  async end(): Promise<void> {
    await Promise.all(this.clouds.map(({ account }) => forget(account)));
    await this.stack.cancel();
    await this.stack.pulumi(["stack", "rm", "--yes", "--force"]);
    rmSync(join(this.folder, `Pulumi.${this.name}.yaml`), { force: true });
  }

  /** Works on its hosts, over SSH as the stack's outputs say. */
  async withShell<T>(task: (shell: ClusterShell) => Promise<T>): Promise<T> {
    const shell = new ClusterShell((await this.stack.outputs<LocalStackOutputs>()).connections);
    return task(shell).finally(() => shell.close());
  }
}
