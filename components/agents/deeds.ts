/** What is done to a host, as the end of a run counts it. */
export type Deed = "joined" | "left" | MoreDeeds;

/** In the order in which they are told. */
const moreDeeds = [
  "is a manager now",
  "is a worker now",
  "Docker installed",
  "Docker replaced",
  "Docker's settings changed",
  "packages upgraded",
  "reboot done",
  "firewall changed",
  "tunnel changed",
] as const;
type MoreDeeds = (typeof moreDeeds)[number];

/** What a run has done, host by host. */
export class Deeds {
  private readonly hosts = new Map<Deed, Set<string>>();

  did(host: string, deed: Deed): void {
    this.hosts.set(deed, (this.hosts.get(deed) ?? new Set()).add(host));
  }

  of(deed: Deed): ReadonlySet<string> {
    return this.hosts.get(deed) ?? new Set();
  }

  /** What a person is told last of an `up`: only what was seen to be done, and how many hosts are not as asked. */
  describeUp(asked: readonly string[], failed: ReadonlySet<string>, milliseconds: number, areMembers: boolean): string {
    const done = asked.filter((host) => !failed.has(host));
    const joined = done.filter((host) => this.of("joined").has(host)).length;
    const parts = areMembers ? [count(joined, "joined"), count(done.length - joined, "stayed"), count(this.of("left").size, "left")] : [];
    const members = parts.filter((part) => part !== "").join(", ");
    const changes = moreDeeds.flatMap((deed) => {
      const { size } = this.of(deed);
      if (size === 0) return [];
      return deed.startsWith("is a") ? `${size} ${size === 1 ? deed : deed.replace(/^is a (\w+)/, "are $1s")}` : `${deed} on ${size}`;
    });
    const what = [members, changes.join(", ")].filter((part) => part !== "").join("; ");
    return `${ofAll(done.length, asked.length)} as asked${what === "" ? "" : `: ${what}`}; ${durationOf(milliseconds)}`;
  }

  /** Last of a destroy. @param kept Hosts on which something of this package is, or may be, still. */
  describeDown(hosts: readonly string[], kept: ReadonlySet<string>, milliseconds: number): string {
    const done = hosts.filter((host) => !kept.has(host));
    const left = count(this.of("left").size, "left the swarm");
    return `${ofAll(done.length, hosts.length)} released${left === "" ? "" : `: ${left}`}; ${durationOf(milliseconds)}`;
  }
}

function ofAll(some: number, all: number): string {
  const hosts = all === 1 ? "host" : "hosts";
  return some === all ? `${all} ${hosts}` : `${some} of ${all} ${hosts}`;
}

function count(some: number, what: string): string {
  return some === 0 ? "" : `${some} ${what}`;
}

function durationOf(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
