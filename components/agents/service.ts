import type { HostRole, HostService, Stop } from "../hosts/host";
import { type Aside, type AsideWork, comeBack, mustDoWithout, stepAside } from "../membership/aside";
import { Control } from "../membership/control";
import { DockerSwarmApi } from "../membership/docker-swarm-api";
import type { SwarmApi } from "../membership/swarm-api";
import { defaultLimits, hostLabel, type MembershipLimits } from "../membership/types";
import type { Connection } from "../remote/connection";
import { reasonOf } from "../remote/each";
import { loadHostScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";
import { Fleet } from "./fleet";
import { sleep } from "./run";
import { nextAlone, type WalkHost } from "../walk/plan";
import { Services } from "../walk/services";
import type { Waiting } from "../waiting";

export interface ServedHost {
  readonly key: string;
  readonly role: HostRole;
  readonly connection: Connection;
}

export interface ServiceLimits {
  readonly reachableSeconds: number;
  readonly drainSeconds: number;
}

/** For a manager to answer that is there. One that is not must not hold the others up for as long as a boot takes. */
const managerSeconds = 15;

/** Takes hosts of a swarm out of service and back, over SSH, by the managers that answer. */
export class SwarmService implements Omit<HostService, "next"> {
  private readonly away = new Map<string, Aside>();
  private readonly quieted = new Set<string>();
  private readonly services = new Services();

  constructor(
    private readonly hosts: () => Promise<readonly ServedHost[]>,
    private readonly seconds: ServiceLimits,
    private readonly say: (host: string | undefined, line: string) => void,
    /** The key of the manager that leads. */
    private readonly leader: () => Promise<string | undefined> = () => this.askLeader(),
  ) {}

  /** @returns whose turn it is by the rules of a walk; who leads is asked only where that decides. */
  async next(waiting: readonly WalkHost[]): Promise<string | undefined> {
    const first = nextAlone(waiting, undefined);
    if (first?.role !== "manager" || waiting.length === 1) return first?.key;
    return nextAlone(waiting, await this.leader().catch(() => undefined))?.key;
  }

  leave(host: string, stop: Stop): Promise<void> {
    return this.withFleet(async (fleet, hosts) => {
      const { control, reasons, outside } = await this.managers(fleet, hosts);
      if (control === undefined) this.withoutManagers(host, hosts, reasons, outside);
      else {
        const work = this.work(control);
        await this.services.whole(work);
        const aside = await stepAside(host, work);
        if (aside) this.away.set(host, aside);
      }
      if (stop === "powered off") await this.quiet(fleet, host, hosts);
    });
  }

  enter(host: string): Promise<void> {
    return this.withFleet(async (fleet, hosts) => {
      const own = hosts.find(({ key }) => key === host);
      const aside = this.away.get(host);
      if (!own) return;
      if (!aside) return this.wakeAlone(fleet, own);
      const { control = this.control() } = await this.managers(
        fleet,
        hosts.filter(({ key }) => key !== host),
      );
      const reach = async (): Promise<SwarmApi> => {
        const { docker, session } = await fleet.reach(host, own.connection, this.seconds.reachableSeconds);
        await this.wake(host, session);
        return new DockerSwarmApi(host, docker);
      };
      await comeBack(host, aside, reach, this.work(control));
      this.away.delete(host);
    });
  }

  /**
   * Asks the swarm before machines of managers are deleted, all at once, and others made in their places.
   *
   * @throws where their majority would be lost, or nobody can tell.
   */
  spare(leaving: readonly string[]): Promise<void> {
    return this.withFleet(async (fleet, hosts) => {
      const { control, reasons, outside } = await this.managers(fleet, hosts);
      if (control) return mustDoWithout(leaving, await control.nodes());
      // A swarm that was never formed has nothing to lose, where also those say so that are to go.
      const managers = hosts.filter(({ role }) => role === "manager").map(({ key }) => key);
      if (outside === managers.length && leaving.every((key) => managers.includes(key))) return;
      throw new Error(
        ["none of the managers can be asked whether the swarm can do without:", ...reasons.map((reason) => `  - ${reason}`)].join("\n"),
      );
    });
  }

  /** A machine that cannot be reached may be what the change is for: it is not held up by that. */
  private async quiet(fleet: Fleet, host: string, hosts: readonly ServedHost[]): Promise<void> {
    const own = hosts.find(({ key }) => key === host);
    if (!own) return;
    try {
      const { session } = await fleet.reach(host, own.connection, managerSeconds);
      await power(session, "quiet", (line) => this.say(host, line));
      this.quieted.add(host);
    } catch (error) {
      this.say(host, `warning: its engine could not be stopped before its power is cut: ${reasonOf(error)}`);
    }
  }

  /** Its power may not have been cut after all. While a machine still boots, its units start by themselves. */
  private async wake(host: string, session: SshSession): Promise<void> {
    if (this.quieted.delete(host)) await power(session, "wake").catch(() => undefined);
  }

  /** A host that was in no swarm. */
  private async wakeAlone(fleet: Fleet, { key, connection }: ServedHost): Promise<void> {
    if (!this.quieted.has(key)) return;
    const { session } = await fleet.reach(key, connection, this.seconds.reachableSeconds);
    await this.wake(key, session);
  }

  private askLeader(): Promise<string | undefined> {
    return this.withFleet(async (fleet, hosts) => {
      const { control } = await this.managers(fleet, hosts);
      const nodes = await control?.nodes();
      return nodes?.find(({ leader }) => leader)?.labels[hostLabel];
    });
  }

  private async withFleet<Result>(work: (fleet: Fleet, hosts: readonly ServedHost[]) => Promise<Result>): Promise<Result> {
    const fleet = new Fleet(this.seconds.reachableSeconds, {
      waiting: (host, what) => sayOnce((line) => this.say(host, `waiting for ${what}: ${line}`)),
    });
    try {
      return await work(fleet, await this.hosts());
    } finally {
      fleet.close();
    }
  }

  /** All are asked at once, so that dead ones cost no waiting but the longest. */
  private async managers(
    fleet: Fleet,
    hosts: readonly ServedHost[],
  ): Promise<{ readonly control?: Control; readonly reasons: readonly string[]; readonly outside: number }> {
    const control = this.control();
    const reasons: string[] = [];
    let [taking, outside] = [0, 0];
    const asked = hosts
      .filter(({ role }) => role === "manager")
      .map(async ({ key, connection }) => {
        try {
          const { docker } = await fleet.reach(key, connection, managerSeconds);
          const api = new DockerSwarmApi(key, docker);
          const { state, nodeId, controlAvailable, error } = await api.local();
          if (controlAvailable) {
            control.add(nodeId, api);
            taking += 1;
          } else {
            if (state === "inactive") outside += 1;
            reasons.push(`${key}: its engine is no manager now (${error || state})`);
          }
        } catch (error) {
          reasons.push(reasonOf(error));
        }
      });
    await Promise.all(asked);
    return { ...(taking > 0 && { control }), reasons, outside };
  }

  /** A swarm that was never formed has nothing to lose, and a sole manager that is dead is no longer asked. */
  private withoutManagers(host: string, hosts: readonly ServedHost[], reasons: readonly string[], outside: number): void {
    const managers = hosts.filter(({ role }) => role === "manager");
    if (managers.length > 0 && outside === managers.length) return;
    if (managers.length === 1 && managers[0]?.key === host) {
      this.say(host, `warning: the only manager cannot be asked, and is stopped as it is: ${reasons.join("; ")}`);
      return;
    }
    throw new Error(
      [
        "none of the managers can be asked to move its tasks:",
        ...reasons.map((reason) => `  - ${reason}`),
        'Fix: see that they answer over SSH and run again; or change the machine at its provider\'s console and run "pulumi refresh"',
      ].join("\n"),
    );
  }

  private control(): Control {
    return new Control({ sleep, now: Date.now }, this.limits());
  }

  private limits(): MembershipLimits {
    return { ...defaultLimits, drain: this.seconds.drainSeconds * 1000 };
  }

  private work(control: Control): AsideWork {
    return { control, io: { progress: this.say, sleep, now: Date.now }, limits: this.limits() };
  }
}

/** For a log that keeps every line: what was seen, and not how long it takes. */
function sayOnce(say: (line: string) => void): Waiting {
  let said = "";
  return {
    seen: (detail) => {
      if (detail !== said) say(detail);
      said = detail;
    },
    end: () => {},
  };
}

const powerScript = loadHostScript(__dirname, "power.sh");

/** Stopping containers takes as long as they take to end, ten seconds each at most and all at once. */
const powerSeconds = 90;

async function power(session: SshSession, verb: "quiet" | "wake", onProgress: (line: string) => void = () => {}): Promise<void> {
  await session.script<object>(powerScript, {}, { verb, timeout: powerSeconds * 1000, onProgress });
}
