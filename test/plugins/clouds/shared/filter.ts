import { docker, unlessGone } from "../../../../tools/plugins/docker/client";
import { runProgram } from "./program";

/** What a cloud's firewall lets pass to one machine. */
export interface MachineRules {
  /** Id of the container that plays it. */
  readonly container: string;
  /** Rules of nft's, in a chain before anything of the machine's own. What none of them names is dropped. */
  readonly rules: readonly string[];
}

/**
 * A cloud's firewall, put before each machine. The table is in the machine's own network, where it filters before anything else
 * does: the kernel follows connections there, as clouds do. It is gone after a reboot until the next change.
 */
export class Filter {
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly table: string,
    private readonly machines: () => readonly MachineRules[],
  ) {}

  /** Several rules change at once: whoever comes while a run waits is part of it. */
  private waiting: Promise<void> | undefined;

  apply(): Promise<void> {
    this.waiting ??= this.last.then(() => {
      this.waiting = undefined;
      this.last = this.applyAll().catch(() => undefined);
      return this.last;
    });
    return this.waiting;
  }

  private async applyAll(): Promise<void> {
    for (const { container, rules } of this.machines()) {
      const machine = await unlessGone(docker().getContainer(container).inspect());
      if (!machine?.State.Running) continue;
      // By the machine's own nft: another version of it may crash on the tables that the machine has made for itself.
      await runProgram("nsenter", ["-t", String(machine.State.Pid), "-n", "-m", "nft", "-f", "-"], this.ruleset(rules));
    }
  }

  private ruleset(rules: readonly string[]): string {
    // Other interfaces are the host's own: its containers', its tunnel's.
    const chain = ['iifname != "eth0" accept', "ct state established,related accept", ...rules, "drop"];
    const content = `chain in {\ntype filter hook prerouting priority -190;\n${chain.join("\n")}\n}\n`;
    return `table ${this.table}\ndelete table ${this.table}\ntable ${this.table} {\n${content}}\n`;
  }
}
