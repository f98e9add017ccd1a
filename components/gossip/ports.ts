import { loadHostScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";

export const gossipScript = loadHostScript(__dirname, "gossip.sh");

type Session = Pick<SshSession, "script">;

/** A program that listens on a port of the network agent. */
export interface Holder {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly program: string;
  readonly pid: number;
}

export async function portHolders(session: Session, dataPathPort: number): Promise<readonly Holder[]> {
  const { holders } = await session.script<{ holders: readonly Holder[] }>(
    gossipScript,
    { DATA_PORT: String(dataPathPort) },
    { verb: "ports", timeout: 60_000 },
  );
  return holders;
}

export async function restartEngine(session: Session): Promise<void> {
  await session.script(gossipScript, {}, { verb: "restart", timeout: 4 * 60_000 });
}

function isEngine({ program }: Holder): boolean {
  return program === "dockerd";
}

/** @returns what to tell the user where another program than Docker has one of the ports. */
export function takenBy(holders: readonly Holder[]): string | undefined {
  const others = holders.filter((holder) => !isEngine(holder));
  if (others.length === 0) return undefined;
  const list = others.map(({ protocol, port, program, pid }) => `${port}/${protocol} is taken by ${program} (process ${pid})`);
  return (
    `port ${list.join(", port ")}, and Docker needs it: without it the node is Ready and its overlay networks reach nobody. ` +
    "Fix: stop that program or give it another port, then run again"
  );
}

/**
 * A host that is in no swarm, before it joins one. An engine that left a swarm may have kept the listener of its gossip, and then cannot
 * gossip in the next one: only a restart releases it. Nothing of a swarm runs there.
 *
 * @throws where another program has a port.
 */
export async function freePorts(session: Session, dataPathPort: number, progress: (line: string) => void): Promise<void> {
  const holders = await portHolders(session, dataPathPort);
  const taken = takenBy(holders);
  if (taken !== undefined) throw new Error(taken);
  if (!holders.some(isEngine)) return;
  progress("is in no swarm, and Docker still holds port 7946 of an earlier one: restarting Docker before it joins");
  await restartEngine(session);
}
