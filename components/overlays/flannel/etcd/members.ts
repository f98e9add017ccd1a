import { planWithoutMajority } from "./lost-majority";
import { type EtcdPlan, EtcdRefusal, type EtcdStep, type EtcdSurvey, type Member, peerUrl, type SeenHost, type WantedMember } from "./survey";

/*
 * Which members etcd has, and how it comes to those that it should have. Pure: what was seen goes in, the steps come out, each of them
 * walked through on paper first. After every step a majority of the members is there; a run that ends between two steps, or in the
 * middle of one, is finished by the next.
 */

/** @throws EtcdRefusal when it cannot be done without losing the majority. */
export function planMembers(wanted: readonly WantedMember[], survey: EtcdSurvey): EtcdPlan {
  return survey.members === undefined ? planWithoutMajority(wanted, survey) : new Walk(wanted, survey, survey.members).plan();
}

/** How many must agree. */
function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
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
