import { readdirSync, readFileSync } from "node:fs";

/**
 * Ends a process and all that it has started, also what has a group of its own: as when the machine that runs Pulumi loses power. Without
 * that, what works on hosts goes on when the CLI is gone.
 */
export function killTree(pid: number): void {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      // The name in parentheses may have spaces.
      const [, parent] = readFileSync(`/proc/${entry}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      parents.set(Number(entry), Number(parent));
    } catch {
      // It ended in the meantime.
    }
  }
  const tree = [pid];
  for (const one of tree) tree.push(...[...parents].flatMap(([child, parent]) => (parent === one ? [child] : [])));
  for (const one of tree) {
    try {
      process.kill(one, "SIGKILL");
    } catch {
      // Likewise.
    }
  }
}
