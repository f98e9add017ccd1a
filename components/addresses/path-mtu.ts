import { type Failure, onEach } from "../remote/each";
import { loadScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";

const script = loadScript(__dirname, "path-mtu.sh");

/** A path that is tried: from one host to the address on which another one is reached over the underlay. */
export interface MtuPath {
  readonly from: string;
  readonly to: string;
  readonly address: string;
}

/**
 * A few paths that together touch every host and every two neighbouring sites: each host to the next one of its site, and the first of
 * each site to the first of the next. Their number grows with the hosts, not with the pairs of them.
 */
export function pathsToTry(hosts: readonly { readonly key: string; readonly site: string; readonly address: string }[]): MtuPath[] {
  const sites = [...new Set(hosts.map(({ site }) => site))].map((site) => hosts.filter((host) => host.site === site));
  const first = sites.flatMap(([host]) => host ?? []);
  return [...sites, first].flatMap((ring) =>
    ring.flatMap(({ key }, index) => {
      const next = ring[(index + 1) % ring.length];
      return next && next.key !== key ? [{ from: key, to: next.key, address: next.address }] : [];
    }),
  );
}

export interface PathMtuCheck {
  /** Paths that are too narrow: what was found, and what to do. */
  readonly failures: readonly { readonly host: string; readonly reason: string }[];
  /** What could not be tried, and why. */
  readonly notes: readonly string[];
}

interface Answer {
  readonly ping: boolean;
  readonly passed: Readonly<Record<string, number>>;
}

/**
 * Tries on the hosts what was planned by arithmetic: packets of exactly the underlay's MTU must pass, unfragmented. Many hosts at
 * once; a healthy host costs one command. A narrow path would otherwise let small packets through and swallow large ones without a word.
 *
 * @param sessions By host key. Paths from hosts that are not in it are left out.
 * @param mtu The underlay's, in bytes.
 */
export async function checkPathMtu(
  paths: readonly MtuPath[],
  mtu: number,
  sessions: ReadonlyMap<string, Pick<SshSession, "script">>,
): Promise<PathMtuCheck> {
  const failures: { host: string; reason: string }[] = [];
  const notes: string[] = [];
  const withoutPing: string[] = [];
  const refused: Failure[] = [];
  const hosts = [...sessions].map(([key, session]) => ({ key, session }));
  await onEach(hosts, refused, async ({ key: host, session }) => {
    const own = paths.filter(({ from }) => from === host);
    if (own.length === 0) return;
    const values = { MTU: String(mtu), PEERS: own.map(({ address }) => address).join("\n") };
    // A search on a narrow path that also loses packets takes a minute at most.
    const { ping, passed } = await session.script<Answer>(script, values, { verb: "check", timeout: 120_000 });
    if (!ping) withoutPing.push(host);
    for (const { to, address } of ping ? own : []) {
      const size = passed[address] ?? 0;
      if (size === 0) notes.push(`the MTU from ${host} to ${to} (${address}) cannot be checked: no ping is answered there`);
      else if (size < mtu) failures.push({ host, reason: narrow(to, address, size, mtu) });
    }
  });
  for (const { reason } of refused) notes.push(`the MTU cannot be checked: ${reason}`);
  if (withoutPing.length > 0) notes.push(`the MTU from ${withoutPing.sort().join(", ")} cannot be checked: ping is not there (package iputils-ping)`);
  return { failures: failures.sort((a, b) => (a.host < b.host ? -1 : 1)), notes: notes.sort() };
}

function narrow(to: string, address: string, size: number, mtu: number): string {
  return (
    `packets of ${mtu} bytes do not pass to ${to} (${address}), the largest that does has ${size}: larger ones would be lost without a word. ` +
    `Lower the mtu of the site by ${mtu - size}, or raise it on the link`
  );
}
