import { askIn, type NetworkFile, startIn } from "./namespace";
import { askOn } from "./machines";

export interface Throughput {
  readonly bitsPerSecond: number;
  /** Bytes that arrived, second by second. */
  readonly intervals: readonly number[];
}

interface IperfReport {
  readonly error?: string;
  readonly intervals: readonly { readonly sum: { readonly bytes: number } }[];
  readonly end: { readonly sum_received?: { readonly bits_per_second: number } };
}

/** One TCP connection, held for some seconds. @param called address and port that lead to the server's port */
export async function throughput(
  client: NetworkFile,
  server: NetworkFile,
  called: { readonly address: string; readonly port: number; readonly serverPort?: number },
  seconds: number,
): Promise<Throughput> {
  const serverPort = String(called.serverPort ?? called.port);
  const listening = await startIn(server, /Server listening/, "iperf3", "--server", "--one-off", "--forceflush", "--port", serverPort);
  try {
    const options = ["--client", called.address, "--port", String(called.port), "--time", String(seconds), "--json", "--connect-timeout", "5000"];
    const report = JSON.parse(await askIn(client, "iperf3", ...options)) as IperfReport;
    if (report.error !== undefined || !report.end.sum_received) throw new Error(`iperf3: ${report.error ?? "no result"}`);
    return { bitsPerSecond: report.end.sum_received.bits_per_second, intervals: report.intervals.map(({ sum }) => sum.bytes) };
  } finally {
    await listening.stop();
  }
}

/** Ping of a machine's own container, or of the machine where no container is named. */
async function pingFrom(machine: string, container: string | undefined, ...args: readonly string[]): Promise<string> {
  if (container === undefined) return askOn(machine, "ping", ...args);
  const pid = await askOn(machine, "docker", "inspect", "--format", "{{.State.Pid}}", container);
  return askOn(machine, "nsenter", "--target", pid, "--net", "ping", ...args);
}

/** Mean time of an answer in milliseconds. */
export async function roundTrip(machine: string, container: string | undefined, address: string, count = 200): Promise<number> {
  const said = await pingFrom(machine, container, "-q", "-i", "0.01", "-c", String(count), address);
  const mean = /= [\d.]+\/([\d.]+)\//.exec(said)?.[1];
  if (mean === undefined) throw new Error(`no answer from ${address}: ${said}`);
  return Number(mean);
}

/**
 * Sends one packet of this size that must not be cut up.
 * @returns whether it was answered, or did not fit into the sender's own interface, or was lost on the way
 */
export async function tryPacket(
  machine: string,
  container: string | undefined,
  address: string,
  size: number,
): Promise<"passes" | "refused" | "lost"> {
  // Less the headers of IP and ICMP.
  const args = ["-M", "do", "-s", String(size - 28), "-c", "1", "-W", "3", address];
  try {
    await pingFrom(machine, container, ...args);
    return "passes";
  } catch (error) {
    return /message too long|Frag needed/i.test((error as Error).message) ? "refused" : "lost";
  }
}
