/*
 * Which members etcd has, and how it comes to those that it should have. Pure: what was seen goes in, the steps come out, each of them
 * walked through on paper first. After every step a majority of the members is there; a run that ends between two steps, or in the
 * middle of one, is finished by the next.
 */

/** A host that is to be a member. */
export interface WantedMember {
  readonly key: string;
  /** By which the other members reach it. */
  readonly address: string;
}

/** What is on a host that was looked at, whether it is to be a member or not. */
export interface SeenHost {
  readonly key: string;
  /** There are data of a member. */
  readonly data: boolean;
  readonly running: boolean;
  /** Of the member whose data they are; undefined where it never said so. */
  readonly memberId?: string;
  /** A cluster has stood of which this host's member was part. */
  readonly formed: boolean;
  /** Its settings and its program are those that it should have. */
  readonly current: boolean;
  /** How far its data reach. */
  readonly index: number;
  /** Hosts of all members, when it was last seen that all were there. Every host is told, so that a lost etcd is not taken for none. */
  readonly roster: readonly string[];
}

/** A member as the majority has it. */
export interface Member {
  readonly id: string;
  /** Its host's key; empty where it was never started. */
  readonly name: string;
  readonly peerUrl: string;
  /** Takes no part in decisions yet. */
  readonly learner: boolean;
  /** It answers. */
  readonly alive: boolean;
}

export interface EtcdSurvey {
  readonly hosts: readonly SeenHost[];
  /** Hosts of the cluster, without those that leave it, that cannot be looked at or on which something has failed. */
  readonly away: readonly string[];
  /** Undefined where no majority answers. */
  readonly members?: readonly Member[];
}

export type EtcdStep =
  /** The first members, all at once. */
  | { readonly kind: "form"; readonly keys: readonly string[] }
  /** Members that are not running; whether they are a majority is not known before they do. */
  | { readonly kind: "wake"; readonly keys: readonly string[] }
  /** A member that is not running. */
  | { readonly kind: "start"; readonly key: string }
  | { readonly kind: "snapshot"; readonly key: string }
  /** The last one with data goes on alone. */
  | { readonly kind: "recover"; readonly key: string; readonly lost: readonly string[] }
  /** A member that will not come back. */
  | { readonly kind: "strike off"; readonly id: string; readonly key: string }
  /** @param id where the others know it already, and it never started */
  | { readonly kind: "join"; readonly key: string; readonly id?: string }
  | { readonly kind: "promote"; readonly key: string; readonly id: string }
  | { readonly kind: "readdress"; readonly key: string; readonly id: string }
  /** Other settings, or another version. */
  | { readonly kind: "restart"; readonly key: string }
  /** A member that works, on a host that is not to be one. */
  | { readonly kind: "remove"; readonly id: string; readonly key: string }
  /** What a member has left on a host that is not to be one. */
  | { readonly kind: "wipe"; readonly key: string };

export interface EtcdPlan {
  readonly steps: readonly EtcdStep[];
  /** When the steps are done, more can be seen than now: it has to be looked and planned again. */
  readonly more: boolean;
  /** What has to wait, and for whom. */
  readonly waiting: readonly { readonly key: string; readonly reason: string }[];
}

/** Says what is wrong and what to do. Thrown before anything is changed. */
export class EtcdRefusal extends Error {
  constructor(message: string) {
    super(`etcd: ${message}`);
    this.name = "EtcdRefusal";
  }
}

export function peerUrl(address: string): string {
  return `https://${address}:2380`;
}

/** @throws EtcdRefusal when it cannot be done without losing the majority. */
export function planMembers(wanted: readonly WantedMember[], survey: EtcdSurvey): EtcdPlan {
  return survey.members === undefined ? planWithoutMajority(wanted, survey) : new Walk(wanted, survey, survey.members).plan();
}

/** How many must agree. */
function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

function planWithoutMajority(wanted: readonly WantedMember[], { hosts, away }: EtcdSurvey): EtcdPlan {
  const only = (step: EtcdStep | undefined): EtcdPlan => ({ steps: step ? [step] : [], more: true, waiting: [] });
  const survivors = hosts.filter(({ data, formed }) => data && formed);
  if (survivors.length === 0) {
    const reached = wanted.filter(({ key }) => hosts.some((host) => host.key === key)).map(({ key }) => key);
    const stoodOnce = hosts.some(({ formed, roster }) => formed || roster.length > 0);
    const missing = wanted.map(({ key }) => key).filter((key) => away.includes(key));
    if (reached.length === 0) throw new EtcdRefusal(`none of its hosts can be worked on (${missing.join(", ")})`);
    if (stoodOnce && missing.length > 0) throw noMajority(missing, missing);
    // What is in it follows from the plan, so that one whose machines are all gone can be made anew.
    return only({ kind: "form", keys: reached });
  }
  const stopped = survivors.filter(({ running }) => !running);
  if (stopped.length > 0) return only({ kind: "wake", keys: stopped.map(({ key }) => key) });
  const roster = new Set(survivors.flatMap(({ roster: keys }) => keys));
  if (roster.size === 0) for (const { key } of [...wanted, ...survivors]) roster.add(key);
  const absent = [...roster].filter((key) => away.includes(key));
  if (absent.length > 0) throw noMajority(absent, [...roster]);
  const best = survivors.reduce((one, other) => (other.index > one.index ? other : one));
  const lost = [...roster].filter((key) => !survivors.some((host) => host.key === key));
  // All with data answer, and are no majority: those that would make it one are gone for good.
  if (lost.length === 0)
    throw new EtcdRefusal(`its members run on ${[...roster].join(", ")}, but do not find each other: look whether 2380/tcp is open between them`);
  return {
    steps: [
      { kind: "snapshot", key: best.key },
      { kind: "recover", key: best.key, lost },
    ],
    more: true,
    waiting: [],
  };
}

function noMajority(absent: readonly string[], all: readonly string[]): EtcdRefusal {
  return new EtcdRefusal(
    `no majority of its members answers, and ${absent.join(", ")} cannot be reached (members: ${all.join(", ")}). Nothing is changed and nothing is lost: ` +
      `traffic between containers goes on, but hosts cannot be added or removed. Start ${absent.join(" or ")} and run again; ` +
      `if that machine is gone permanently, remove the host from the program or replace its machine`,
  );
}

/** The changes on paper, one after the other. */
class Walk {
  private readonly steps: EtcdStep[] = [];
  private readonly waiting: { readonly key: string; readonly reason: string }[] = [];
  private members: Member[];
  private readonly wantedKeys: ReadonlySet<string>;

  constructor(
    private readonly wanted: readonly WantedMember[],
    private readonly survey: EtcdSurvey,
    members: readonly Member[],
  ) {
    this.members = [...members];
    this.wantedKeys = new Set(wanted.map(({ key }) => key));
  }

  plan(): EtcdPlan {
    this.start();
    this.strikeOff();
    this.join();
    this.readdress();
    this.restart();
    this.remove();
    this.wipe();
    const risky = this.steps.some(({ kind }) => kind === "strike off" || kind === "remove" || kind === "restart" || kind === "readdress");
    const keeper = this.survey.hosts.find((host) => this.survey.members?.some(({ id, alive }) => alive && id === host.memberId));
    const before: EtcdStep[] = risky && keeper ? [{ kind: "snapshot", key: keeper.key }] : [];
    return { steps: [...before, ...this.steps], more: this.steps.some(({ kind }) => kind === "start"), waiting: this.waiting };
  }

  /** Where the majority counts on members that are there and only do not run. */
  private start(): void {
    for (const host of this.survey.hosts) {
      const member = this.memberOn(host);
      if (member === undefined || host.running) continue;
      this.steps.push({ kind: "start", key: host.key });
      this.change(member, { alive: true });
    }
  }

  /** Each dead member makes a majority harder to reach, so these go before others come. */
  private strikeOff(): void {
    for (const member of this.members.filter((one) => this.isLost(one))) {
      this.steps.push({ kind: "strike off", id: member.id, key: this.keyOf(member) });
      this.members = this.members.filter((one) => one !== member);
    }
  }

  private isLost(member: Member): boolean {
    if (this.hostOf(member) !== undefined && !(member.learner && !this.wantedKeys.has(member.name))) return false;
    if (this.waitsForStart(member) !== undefined) return false;
    const key = this.keyOf(member);
    // Without a voice nobody misses it, and etcd takes one such at a time.
    if (!this.wantedKeys.has(key)) return !member.alive || member.learner;
    if (member.alive) return false;
    // Its host is there, and holds another member's data or none. One that is away will come back, unless it never had a voice.
    return this.survey.hosts.some((seen) => seen.key === key) || member.learner;
  }

  /** One after the other: etcd has one learner at a time. */
  private join(): void {
    const begun = (key: string): boolean => this.members.some((one) => one.learner && (one.name === key || this.waitsForStart(one) === key));
    const inOrder = [...this.wanted.filter(({ key }) => begun(key)), ...this.wanted.filter(({ key }) => !begun(key))];
    for (const { key, address } of inOrder) {
      const host = this.survey.hosts.find((seen) => seen.key === key);
      if (host === undefined) continue;
      const member = this.memberOn(host);
      if (member !== undefined) {
        if (member.learner) {
          this.steps.push({ kind: "promote", key, id: member.id });
          this.change(member, { learner: false, alive: true });
        }
        continue;
      }
      const added = this.members.find((one) => this.waitsForStart(one) === key);
      this.steps.push({ kind: "join", key, ...(added && { id: added.id }) });
      if (added) this.change(added, { name: key, learner: false, alive: true });
      else this.members.push({ id: `joined ${key}`, name: key, peerUrl: peerUrl(address), learner: false, alive: true });
    }
  }

  private readdress(): void {
    for (const { key, address } of this.wanted) {
      const host = this.survey.hosts.find((seen) => seen.key === key);
      const member = host && this.memberOn(host);
      if (member === undefined || member.peerUrl === peerUrl(address)) continue;
      this.steps.push({ kind: "readdress", key, id: member.id });
      this.change(member, { peerUrl: peerUrl(address) });
    }
  }

  /** One after the other, and only while the others are a majority without it; one or two members are none without the other. */
  private restart(): void {
    for (const { key } of this.wanted) {
      const host = this.survey.hosts.find((seen) => seen.key === key);
      if (host === undefined || host.current || this.memberOn(host) === undefined) continue;
      if (this.steps.some((step) => "key" in step && step.key === key && (step.kind === "start" || step.kind === "readdress"))) continue;
      const { total, alive } = this.voters();
      if (total > 2 && alive - 1 < majority(total)) {
        const reason = `its etcd keeps its old settings until ${this.deadKeys().join(", ")} answers: without both there would be no majority. Run again then`;
        this.waiting.push({ key, reason });
      } else {
        this.steps.push({ kind: "restart", key });
      }
    }
  }

  private remove(): void {
    for (const member of this.members.filter((one) => this.isToGo(one))) {
      const key = this.keyOf(member);
      this.members = this.members.filter((one) => one !== member);
      const { total, alive } = this.voters();
      if (total === 0)
        throw new EtcdRefusal(`none of the hosts that are to be its members can be worked on (${this.survey.away.join(", ")}); nothing is changed`);
      if (alive < majority(total)) {
        throw new EtcdRefusal(
          `without ${key}, ${alive} of ${total} members would be left, which is no majority, as ${this.deadKeys().join(", ")} cannot be reached. ` +
            `Nothing is changed. Start ${this.deadKeys().join(" or ")}, or take that host out as well, and run again`,
        );
      }
      this.steps.push({ kind: "remove", id: member.id, key });
    }
  }

  /** Works, but its host is not to be a member, or is another machine by now. */
  private isToGo(member: Member): boolean {
    if (!member.alive) return false;
    if (!this.wantedKeys.has(this.keyOf(member))) return true;
    const replaced = this.survey.hosts.some(({ key }) => key === member.name) && this.hostOf(member) === undefined;
    return replaced && this.survey.members?.includes(member) === true;
  }

  private wipe(): void {
    for (const host of this.survey.hosts) {
      if (this.wantedKeys.has(host.key) || !host.data) continue;
      if (this.steps.some((step) => step.kind === "remove" && step.key === host.key)) continue;
      this.steps.push({ kind: "wipe", key: host.key });
    }
  }

  private voters(): { readonly total: number; readonly alive: number } {
    const voters = this.members.filter(({ learner }) => !learner);
    return { total: voters.length, alive: voters.filter(({ alive }) => alive).length };
  }

  private deadKeys(): string[] {
    return this.members.filter(({ alive, learner }) => !alive && !learner).map((member) => this.keyOf(member));
  }

  /** The member whose data the host holds. */
  private memberOn(host: SeenHost): Member | undefined {
    if (!host.data) return undefined;
    // One that was cut off before it said who it is.
    if (host.memberId === undefined) return this.members.find(({ name }) => name === host.key);
    return this.members.find(({ id }) => id === host.memberId);
  }

  private hostOf(member: Member): SeenHost | undefined {
    return this.survey.hosts.find((host) => this.memberOn(host) === member);
  }

  /** The host that was told to the others, but did not come to start. */
  private waitsForStart(member: Member): string | undefined {
    if (member.name !== "" || !member.learner) return undefined;
    const wanted = this.wanted.find(({ address }) => peerUrl(address) === member.peerUrl);
    return wanted && this.survey.hosts.some(({ key }) => key === wanted.key) ? wanted.key : undefined;
  }

  private keyOf({ name, peerUrl: url }: Member): string {
    return name || (this.wanted.find(({ address }) => peerUrl(address) === url)?.key ?? url);
  }

  private change(member: Member, to: Partial<Member>): void {
    this.members = this.members.map((one) => (one === member ? { ...one, ...to } : one));
  }
}
