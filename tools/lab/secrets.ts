import { run } from "./pulumi";

/**
 * Does some work, and looks all the while at the arguments of every program of this machine; those of the hosts are among
 * them, since the hosts are containers. @returns what the work did, and all arguments that were seen
 */
export async function argumentsDuring<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seen: string }> {
  let seen = "";
  let watching = true;
  const watch = (async () => {
    while (watching) {
      seen += (await run("sh", ["-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"])).stdout;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  try {
    return { result: await work(), seen };
  } finally {
    watching = false;
    await watch;
  }
}
