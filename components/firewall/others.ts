import { loadScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";

const script = loadScript(__dirname, "others.sh");

/** What `others.sh` saw of firewalls beside this package's on a host. */
export interface OtherFirewalls {
  /** Chains that drop whatever comes to their end: family, table and hook, such as `inet filter input`. */
  readonly drops: readonly string[];
  readonly ufw: boolean;
  readonly firewalld: boolean;
  /** Whether it has a zone by default that does not accept everything. */
  readonly firewalldCloses: boolean;
  /** `nftables.service` loads `/etc/nftables.conf` at boot. */
  readonly nftablesEnabled: boolean;
  /** That file takes away the rules of everybody else. */
  readonly flushes: boolean;
  /** The rules of this package are there already, from an earlier run. */
  readonly ours: boolean;
}

/** Has a first look print {@link OtherFirewalls}. */
export const othersPart = { functions: ["other_firewalls"], script } as const;

/** Looks for them on a host, before anything is changed on it. */
export function lookForOthers(session: SshSession): Promise<OtherFirewalls> {
  return session.script<OtherFirewalls>(script, {}, { verb: "look", timeout: 90_000 });
}

export interface OthersVerdict {
  /** Why nothing may be changed on this host. */
  readonly refusals: readonly string[];
  /** What a person should know of it, but may leave as it is. */
  readonly warnings: readonly string[];
}

/** One firewall beside ours. */
interface Other {
  /** With its verb. */
  readonly what: string;
  /** How to make it let everything pass. */
  readonly fix: string;
}

/**
 * A packet passes if each of a host's firewalls accepts it, so another one that drops what its own rules do not allow keeps ports of the
 * plan closed, and the swarm's own. Nobody can tell from its rules alone whether it allows them all: so a host is refused on which this
 * package is new. One that runs with both already is left so.
 *
 * @param runs Whether the host is one that runs with both: a member of a swarm that is taken over.
 */
export function judgeOthers(seen: OtherFirewalls, runs: boolean): OthersVerdict {
  const others = othersThatDrop(seen);
  const both = runs || seen.ours;
  const flushing = seen.flushes ? [flushes] : [];
  if (both) return { refusals: [], warnings: [...others.map(besideOurs), ...flushing] };
  return { refusals: others.map(inPlaceOfOurs), warnings: flushing };
}

function inPlaceOfOurs({ what, fix }: Other): string {
  return (
    `${what} and drops what its own rules do not allow, so ports of the plan would stay closed: a packet has to pass all firewalls of a host. ` +
    `Fix: ${fix}; this package's firewall closes the host instead, from the next \`up\` on. ` +
    'Or keep it, allow the ports of the plan in it, and set firewall.enforce to "none"'
  );
}

function besideOurs({ what, fix }: Other): string {
  return `${what} beside this package's firewall: ports of the plan that it does not allow stay closed. Fix: allow them in it, or ${fix}`;
}

const flushes =
  'nftables.service is enabled, and its /etc/nftables.conf has "flush ruleset": each restart, reload and stop of it also removes Docker\'s rules. ' +
  "Published ports and the containers' way out then fail, and what containers send on encrypted networks leaves in plaintext, " +
  'until "systemctl restart docker"; ' +
  'this package\'s rules come back by themselves. Fix: "systemctl disable nftables"';

/** By who keeps them. */
function othersThatDrop({ drops, ufw, firewalld, firewalldCloses, nftablesEnabled }: OtherFirewalls): Other[] {
  const tables = [...new Set(drops.map((chain) => chain.split(" ").slice(0, 2).join(" ")))];
  const byFirewalld = (table: string): boolean => firewalld && (table.endsWith(" firewalld") || (!ufw && isIptables(table)));
  const byUfw = (table: string): boolean => ufw && isIptables(table);
  const rest = tables.filter((table) => !byFirewalld(table) && !byUfw(table));
  return [
    ...(tables.some(byFirewalld) && firewalldCloses ? [firewalldOn] : []),
    ...(tables.some(byUfw) ? [ufwOn] : []),
    ...(rest.length > 0 ? [nftablesEnabled && !rest.every(isIptables) ? loadedByService(rest) : ofSomebody(rest)] : []),
  ];
}

/** Those that iptables keeps, by either of its backends. */
function isIptables(table: string): boolean {
  return table === "ip filter" || table === "ip6 filter";
}

const ufwOn: Other = { what: "ufw is active", fix: '"ufw disable", or "ufw default allow incoming" to keep its other rules' };

const firewalldOn: Other = {
  what: "firewalld is active",
  fix: '"systemctl disable --now firewalld" and "systemctl restart docker", or "firewall-cmd --set-default-zone=trusted" to keep its other rules',
};

function loadedByService(tables: readonly string[]): Other {
  return {
    what: `nftables.service loads rules of the host's own (table ${tables.join(", ")})`,
    fix: `take ${tables.length === 1 ? "that table" : "those tables"} out of /etc/nftables.conf, and run ${deletions(tables)}`,
  };
}

function ofSomebody(tables: readonly string[]): Other {
  return {
    what: `somebody loads rules of the host's own (table ${tables.join(", ")})`,
    fix: tables.every(isIptables)
      ? 'let its chain INPUT accept ("iptables -P INPUT ACCEPT", without a last rule that drops), also where it comes from (iptables-persistent, a unit, the image)'
      : `run ${deletions(tables)}, and take ${tables.length === 1 ? "it" : "them"} out of where ${tables.length === 1 ? "it comes" : "they come"} from`,
  };
}

function deletions(tables: readonly string[]): string {
  return tables.map((table) => `"nft delete table ${table}"`).join(" and ");
}
