import { readdirSync, readFileSync } from "node:fs";
import { eventually } from "../../tools/lab/cluster";

/** The arguments of all processes that ran, of the lab's hosts too, as often as they can be looked at. */
export class ProcessWatch {
  readonly seen = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  begin(): void {
    this.timer = setInterval(() => this.look(), 20);
  }

  end(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        this.seen.add(readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " "));
      } catch {
        // It has ended.
      }
    }
  }
}

export type Loss = Record<string, { readonly sent: number; readonly lost: number }>;

export function pairsOf(keys: readonly string[]): [string, string][] {
  return keys.flatMap((from, index) => keys.slice(index + 1).map((to): [string, string] => [from, to]));
}

export function show(loss: Loss): string {
  return Object.entries(loss)
    .map(([pair, { lost, sent }]) => `${pair} ${lost}/${sent}`)
    .join(", ");
}

/** Hosts with the tunnel addresses 10.99.0.1 and up, in this order. */
interface TunnelHosts {
  readonly hosts: readonly { readonly key: string }[];
  /** Runs a line of shell on one of them. */
  on(key: string, command: string): Promise<string>;
}

/** Pings every 10 ms between the hosts of each pair while something is done, until each has an answer after it. */
export async function lossDuring(sites: TunnelHosts, pairs: readonly (readonly [string, string])[], work: () => Promise<void>): Promise<Loss> {
  const address = (key: string): string => `10.99.0.${sites.hosts.findIndex((host) => host.key === key) + 1}`;
  const answers = async (from: string, to: string): Promise<number[]> => {
    const text = await sites.on(from, `cat /run/pings-${to}`);
    return [...text.matchAll(/icmp_seq=(\d+) ttl/g)].map(([, number]) => Number(number));
  };
  const oneMore = (from: string, to: string, than: number): Promise<true> =>
    eventually(`an answer of ${to} to ${from}`, 30, async () => ((await answers(from, to)).length > than ? true : undefined));
  const running = pairs.map(([from, to]) => {
    // A ping that got no answer to its last question ends as one that failed.
    return sites.on(from, `echo $$ >/run/pinging-${to}; exec ping -i 0.01 ${address(to)} >/run/pings-${to} 2>&1`).catch(() => "");
  });
  await Promise.all(pairs.map(([from, to]) => oneMore(from, to, 0)));
  try {
    await work();
    await Promise.all(pairs.map(async ([from, to]) => oneMore(from, to, (await answers(from, to)).length)));
  } finally {
    await Promise.all(pairs.map(([from, to]) => sites.on(from, `kill -INT $(cat /run/pinging-${to})`)));
    await Promise.all(running);
  }
  const counted = pairs.map(async ([from, to]): Promise<[string, Loss[string]]> => {
    const numbers = await answers(from, to);
    // What was sent after the last answer was on its way when the ping was ended.
    const sent = Math.max(...numbers);
    return [`${from}-${to}`, { sent, lost: sent - new Set(numbers).size }];
  });
  return Object.fromEntries(await Promise.all(counted));
}
