import { type Failure, onEach, reasonOf } from "../remote/each";
import { loadHostScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";
import { open, seal } from "./seal";

const script = loadHostScript(__dirname, "memory.sh");
const timeout = 60_000;

/** Where something is remembered, and what opens it. */
export interface MemoryPlace {
  readonly name: string;
  /** Secret; only in Pulumi's state. 256 bits in base64url. */
  readonly key: string;
}

export interface Holder {
  readonly key: string;
  readonly session: Pick<SshSession, "script">;
}

/** Counts up with each time that it is written. */
export interface Remembering {
  readonly generation: number;
}

/** @returns the newest that one of the hosts has and that opens, if there is one. */
export async function recall<Memory extends Remembering>(holders: readonly Holder[], place: MemoryPlace): Promise<Memory | undefined> {
  const read = await onEach(holders, [], async ({ session }) => {
    const { memory } = await session.script<{ readonly memory: string | null }>(script, { NAME: fileName(place) }, { verb: "read", timeout });
    return memory === null ? undefined : open<Memory>(memory, place.key, place.name);
  });
  return [...read.values()].reduce((newest, memory) => (memory && memory.generation >= (newest?.generation ?? 0) ? memory : newest), undefined);
}

/**
 * On all of the hosts.
 *
 * @returns on which of them it could not be written. @throws where that is all of them.
 */
export async function keep(holders: readonly Holder[], place: MemoryPlace, memory: Remembering): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  const values = { NAME: fileName(place), MEMORY: seal(memory, place.key, place.name) };
  const kept = await onEach(holders, failures, ({ session }) => session.script(script, values, { verb: "write", timeout }));
  if (kept.size > 0) return failures;
  const reasons = failures.map(({ host, reason }) => `  - ${host}: ${reason.replace(`${host}: `, "")}`);
  throw new Error(["what is known of the hosts could be kept on none of them, so nothing more is done:", ...reasons].join("\n"));
}

/** Only what opens: what another cluster of the same name remembers stays. */
export async function forget(holders: readonly Holder[], place: MemoryPlace, say: (host: string, line: string) => void): Promise<void> {
  await onEach(holders, [], async ({ key, session }) => {
    try {
      const { memory } = await session.script<{ readonly memory: string | null }>(script, { NAME: fileName(place) }, { verb: "read", timeout });
      if (memory !== null && open(memory, place.key, place.name) === undefined) return;
      await session.script(script, { NAME: fileName(place) }, { verb: "remove", timeout });
    } catch (error) {
      say(key, `warning: ${reasonOf(error)}`);
    }
  });
}

function fileName({ name }: MemoryPlace): string {
  return encodeURIComponent(name).replaceAll("'", "%27");
}
