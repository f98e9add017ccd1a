import { readdirSync, readFileSync } from "node:fs";

/**
 * Does some work, and looks all the while at the arguments of every program of this machine; those of the hosts are among
 * them, since the hosts are containers. @returns what the work did, and all arguments that were seen
 */
export async function argumentsDuring<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seen: string }> {
  const seen = new Set<string>();
  const timer = setInterval(() => lookAtArguments(seen), 100);
  try {
    return { result: await work(), seen: [...seen].join("\n") };
  } finally {
    clearInterval(timer);
  }
}

function lookAtArguments(seen: Set<string>): void {
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      seen.add(readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " "));
    } catch {
      // It has ended in the meantime.
    }
  }
}

/** Which of the secrets stand in which of the places, by the names of both; never what they are. */
export function found(secrets: Readonly<Record<string, string>>, places: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets).flatMap(([secret, value]) => {
    if (value.length < 20) throw new Error(`${secret} is too short to be looked for`);
    return Object.entries(places).flatMap(([place, text]) => (text.includes(value) ? [`${secret} is in ${place}`] : []));
  });
}
