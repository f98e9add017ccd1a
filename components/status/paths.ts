import { pathsToTry } from "../addresses/path-mtu";
import { packetsToSend } from "../gossip/prove";
import { loadScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";
import type { SeenPath } from "./seen";

const script = loadScript(__dirname, "paths.sh");
/** Pings of one host to a few others take one second, and four where nothing comes back. */
const timeout = 30_000;
/** As `paths.sh` has it. */
const sent = 5;

/** A host that packets are sent to. */
export interface PathEnd {
  readonly key: string;
  readonly site: string;
  readonly address: string;
}

/** From each host to all others; of many hosts to a few that together touch every host and every two neighbouring sites. */
export function pathsFrom(hosts: readonly PathEnd[]): ReadonlyMap<string, readonly PathEnd[]> {
  const ends = new Map(hosts.map((host) => [host.key, host]));
  const ring = new Map<string, Set<string>>();
  const add = (from: string, to: string): void => void ring.set(from, (ring.get(from) ?? new Set()).add(to));
  for (const { from, to } of packetsToSend(hosts)) for (const other of to) if (other.key !== from.key) add(from.key, other.key);
  for (const { from, to } of pathsToTry(hosts)) add(from, to);
  return new Map([...ring].map(([from, to]) => [from, [...to].flatMap((key) => ends.get(key) ?? [])]));
}

interface Answer {
  readonly ping: boolean;
  readonly lines: readonly string[];
}

/**
 * @param mtu Largest packet that is planned, in bytes. Undefined where nobody knows it.
 * @returns by key of the other host; or why nothing was sent.
 */
export async function tryPaths(
  session: Pick<SshSession, "script">,
  to: readonly PathEnd[],
  mtu: number | undefined,
): Promise<Readonly<Record<string, SeenPath>> | string> {
  const values = { PEERS: to.map(({ address }) => address).join("\n"), MTU: mtu === undefined ? "" : String(mtu) };
  const { ping, lines } = await session.script<Answer>(script, values, { verb: "ping", timeout });
  if (!ping) return "ping is not there (package iputils-ping)";
  return Object.fromEntries(to.map(({ key, address }) => [key, pathIn(lines, address)]));
}

/** Lines are `ADDRESS answers LOST ROUND-TRIP` and `ADDRESS carries true`. */
export function pathIn(lines: readonly string[], address: string): SeenPath {
  const said = (word: string): readonly string[] =>
    lines
      .map((line) => line.split(" "))
      .find((words) => words[0] === address && words[1] === word)
      ?.slice(2) ?? [];
  const [lost, average = "-"] = said("answers");
  const [carries] = said("carries");
  return {
    sent,
    lost: lost === undefined ? sent : Number(lost),
    ...(average !== "-" && { roundTrip: Number(average) }),
    ...(carries !== undefined && { carriesMtu: carries === "true" }),
  };
}
