import { randomUUID } from "node:crypto";
import { onEach, reasonOf } from "../../../remote/each";
import { type CertifiedHost, certifyHost } from "./certify";
import { type EtcdHost, EtcdHosts, scriptTimeout } from "./hosts";
import { type EtcdChange, type EtcdContent, parseMembers, seenHost } from "./look";
import { planMembers } from "./members";
import { describeStep } from "./steps";
import { type EtcdPlan, EtcdRefusal, type EtcdStep, type EtcdSurvey, type Member, peerUrl } from "./survey";

/** How long a member may take to have its place. Elections take about a second; a slow disk takes longer. */
const placeSeconds = 40;

/** What is given to members that run but have no majority, as after a start of several hosts at once. */
const electionSeconds = 10;

/** Of which one is always there: planned, done, looked at again. */
const mostRounds = 6;

/** Brings etcd to the members that it should have, and every host to its certificates. */
export class EtcdRun extends EtcdHosts {
  private members: readonly Member[] | undefined;

  /** @returns whether anything was changed. */
  async up(): Promise<boolean> {
    await this.look();
    this.refuseWithoutMembers();
    const issued = await this.certify();
    return (await this.reconcile()) || issued;
  }

  /** The plan could only say that nobody is there, and not why. */
  private refuseWithoutMembers(): void {
    const members = this.request.members.map(({ key }) => key);
    const [first] = this.failures.filter(({ host }) => members.includes(host));
    if (!first || this.working().some(({ key }) => members.includes(key))) return;
    throw new EtcdRefusal(`none of its hosts can be worked on (${members.join(", ")}): ${first.reason}`);
  }

  async content(): Promise<EtcdContent> {
    return this.through((host) => this.script<EtcdContent>(host, "read", {}));
  }

  async change({ enableAuth, dropUsers, addUsers, dropKeys, put }: EtcdChange): Promise<void> {
    const values = {
      ENABLE_AUTH: String(enableAuth),
      DROP_USERS: dropUsers.join("\n"),
      ADD_USERS: addUsers.map(({ name, key }) => `${name} ${key}`).join("\n"),
      DROP_KEYS: dropKeys.join("\n"),
      PUT: put.map(({ key, value }) => `${key} ${value}`).join("\n"),
    };
    await this.through((host) => this.script(host, "write", values));
  }

  private async certify(): Promise<boolean> {
    const { certifier, leaving, io } = this.request;
    const staying = this.working().filter(({ key }) => !leaving.includes(key));
    const issued = await onEach(staying, this.failures, (host) => {
      const certified: CertifiedHost = {
        key: host.key,
        address: host.address,
        isMember: this.isMember(host),
        has: this.looks.get(host.key)?.certificates ?? {},
        script: (verb, values, timeout) => this.script(host, verb, values, timeout),
        progress: (line) => io.progress(host.key, line),
      };
      return certifyHost(certified, certifier);
    });
    return [...issued.values()].some(Boolean);
  }

  private async reconcile(): Promise<boolean> {
    let changed = false;
    for (let round = 0; round < mostRounds; round += 1) {
      if (round > 0) await this.look();
      const plan = await this.plan();
      for (const step of plan.steps) {
        changed = true;
        if (!(await this.attempt(step))) break;
      }
      if (plan.steps.length === 0) {
        this.failures.push(...plan.waiting.map(({ key, reason }) => ({ host: key, reason })));
        await this.remember();
        return changed;
      }
    }
    throw new EtcdRefusal(
      `its members are not what they should be after ${mostRounds} rounds; run again, and look at journalctl -u pulumi-swarm-flannel-etcd`,
    );
  }

  private async plan(): Promise<EtcdPlan> {
    this.members = await this.askMembers();
    return planMembers(this.request.members, this.survey());
  }

  private survey(): EtcdSurvey {
    const seen = this.working().flatMap(({ key }) => {
      const look = this.looks.get(key);
      return look === undefined ? [] : [seenHost(key, look)];
    });
    const failed = this.failures.map(({ host }) => host).filter((key) => !this.request.leaving.includes(key));
    return { hosts: seen, away: [...new Set([...this.request.away, ...failed])], ...(this.members && { members: this.members }) };
  }

  /** By the first member that has a majority behind it. One that has just started may not have found the others yet. */
  private async askMembers(): Promise<readonly Member[] | undefined> {
    const withData = this.working().filter(({ key }) => this.looks.get(key)?.data);
    const running = withData.filter(({ key }) => this.looks.get(key)?.running);
    const asked = await this.askOne(running);
    if (asked !== undefined || running.length === 0 || running.length < withData.length) return asked;
    await onEach(running, [], (host) => this.script(host, "wait", { WAIT: String(electionSeconds) }));
    return this.askOne(running);
  }

  private async askOne(hosts: readonly EtcdHost[]): Promise<readonly Member[] | undefined> {
    for (const host of hosts) {
      const said = await this.script<{ members: string; alive: string }>(host, "members", {}).catch(() => undefined);
      if (said !== undefined) return parseMembers(said);
    }
    return undefined;
  }

  /** @returns whether it was done; what failed is a failure of the step's host. */
  private async attempt(step: EtcdStep): Promise<boolean> {
    const before = this.failures.length;
    this.request.io.progress("key" in step ? step.key : undefined, `etcd: ${describeStep(step)}`);
    try {
      await this.take(step);
    } catch (error) {
      if (!("key" in step) || error instanceof EtcdRefusal) throw error;
      this.failures.push({ host: step.key, reason: reasonOf(error) });
    }
    return this.failures.length === before;
  }

  private async take(step: EtcdStep): Promise<void> {
    switch (step.kind) {
      case "form":
        return this.form(step.keys);
      case "wake":
        await onEach(this.these(step.keys), this.failures, ({ key }) => this.on(key, "start"));
        return;
      case "start":
      case "restart":
        await this.on(step.key, "start");
        return this.waitFor(step.key);
      case "snapshot":
        await this.on(step.key, "snapshot");
        return;
      case "recover":
        await this.on(step.key, "recover");
        return this.waitFor(step.key);
      case "strike off":
        return this.through((host) => this.script(host, "remove", { MEMBER: step.id }));
      case "join":
        return this.join(step.key, step.id);
      case "promote":
        return this.promote(step.key, step.id);
      case "readdress":
        await this.through((host) => this.script(host, "readdress", { MEMBER: step.id, URL: peerUrl(this.addressOf(step.key)) }));
        await this.on(step.key, "start");
        return this.waitFor(step.key);
      case "remove":
        await this.through((host) => this.script(host, "remove", { MEMBER: step.id }), step.key);
        return this.leave(step.key);
      case "wipe":
        return this.leave(step.key);
      default:
        return step satisfies never;
    }
  }

  private async form(keys: readonly string[]): Promise<void> {
    const initial = keys.map((key) => `${key}=${peerUrl(this.addressOf(key))}`).join(",");
    const token = randomUUID();
    await onEach(this.these(keys), this.failures, (host) => this.script(host, "form", { ...this.settingsOf(host), INITIAL: initial, TOKEN: token }));
    await onEach(this.these(keys), this.failures, ({ key }) => this.waitFor(key));
  }

  private async join(key: string, known: string | undefined): Promise<void> {
    if (known !== undefined) await this.through((host) => this.script(host, "remove", { MEMBER: known }));
    const values = { MEMBER: key, URL: peerUrl(this.addressOf(key)) };
    const { id, initial } = await this.through((host) => this.script<{ id: string; initial: string }>(host, "add", values), key);
    try {
      await this.on(key, "join", { INITIAL: initial });
      await this.waitFor(key);
      await this.promote(key, id);
    } catch (error) {
      // One that never came would keep etcd from taking another.
      await this.through((host) => this.script(host, "remove", { MEMBER: id }), key).catch(() => {});
      throw error;
    }
  }

  private async promote(key: string, id: string): Promise<void> {
    // Before it has a voice: from then on a majority may need it.
    await this.tell([...(this.members ?? []).map(({ name }) => name), ...this.placed, key]);
    await this.through((host) => this.script(host, "promote", { MEMBER: id }), key);
  }

  private async leave(key: string): Promise<void> {
    if (this.working().some((host) => host.key === key)) await this.on(key, "leave");
  }

  private async waitFor(key: string): Promise<void> {
    await this.on(key, "wait", { WAIT: String(placeSeconds) }, scriptTimeout);
  }

  /** So that it is known who they were when no majority is left. */
  private async remember(): Promise<void> {
    const staying = this.working().filter(({ key }) => !this.request.leaving.includes(key));
    await this.tell(
      (this.members ?? []).map(({ name }) => name),
      staying,
    );
  }
}
