import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import type { HostRole, LateHostService, Machine, PlannedHost, Stop } from "../hosts/host";
import type { ServedHost, SwarmService } from "../agents/service";
import type { MembershipArgs } from "../membership/args";
import type { Connection } from "../remote/connection";
import { defaultDrainSeconds, defaultReachableSeconds } from "./request";

export interface ReachableHost {
  readonly key: string;
  readonly role: HostRole;
  readonly connection: pulumi.Input<Connection>;
}

export function reachable({ key, role }: Pick<PlannedHost, "key" | "role">, machine: Machine | undefined): ReachableHost[] {
  return machine === undefined ? [] : [{ key, role, connection: machine.connection }];
}

/** A host of the same run, which may not be made yet. */
const soon = 3_000;

/** For managers whose machines stay to be described, in a run that has just begun. One that is made in it takes longer. */
const described = 30_000;

/**
 * The service of a cluster's hosts for what runs in the middle of an update, in the program's own process. Whatever speaks SSH is
 * loaded only when it is needed.
 */
export class LateService implements LateHostService {
  private made: SwarmService | undefined;
  private readonly told = new Map<string, pulumi.Input<Connection>>();

  /** @param hosts All of the cluster; asked for only when all are described. */
  constructor(
    private readonly args: MembershipArgs,
    private readonly hosts: () => readonly ReachableHost[],
    private readonly parent: pulumi.Resource,
  ) {}

  reachedBy(host: string, connection: pulumi.Input<Connection>): void {
    this.told.set(host, connection);
  }

  next(waiting: readonly string[]): Promise<string | undefined> {
    const hosts = this.hosts();
    return this.service.next(waiting.flatMap((key) => hosts.find((host) => host.key === key) ?? []));
  }

  leave(host: string, stop: Stop): Promise<void> {
    return this.service.leave(host, stop);
  }

  enter(host: string): Promise<void> {
    return this.service.enter(host);
  }

  /**
   * Asks the swarm before machines of managers become other ones, all at once. Those that stay are described meanwhile.
   *
   * @throws where the swarm cannot do without them, or cannot be asked.
   */
  async spare(leaving: readonly string[]): Promise<void> {
    const staying = this.reachable().filter(({ key, role }) => role === "manager" && !leaving.includes(key));
    await Promise.race([Promise.all(staying.map(({ connection }) => valueOf(connection))), sleep(described, undefined, { ref: false })]);
    await this.service.spare(leaving);
  }

  private get service(): SwarmService {
    return (this.made ??= this.load());
  }

  private load(): SwarmService {
    const { reachableSeconds = defaultReachableSeconds, drainSeconds = defaultDrainSeconds } = this.args;
    // An import would be done at once, and the libraries of SSH cost each preview 0.2 s.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { SwarmService } = require("../agents/service") as typeof import("../agents/service");
    const say = (host: string | undefined, line: string): void => void pulumi.log.info(host === undefined ? line : `${host}: ${line}`, this.parent);
    return new SwarmService(() => known(this.reachable()), { reachableSeconds, drainSeconds }, say);
  }

  private reachable(): readonly ReachableHost[] {
    return this.hosts().map((host) => ({ ...host, connection: this.told.get(host.key) ?? host.connection }));
  }
}

/** Those whose connection is known by now: one that is made in the same run is in no swarm yet, and nobody waits for it. */
async function known(hosts: readonly ReachableHost[]): Promise<ServedHost[]> {
  const found = await Promise.all(
    hosts.map(async ({ key, role, connection }) => {
      const value = await Promise.race([valueOf(connection), sleep(soon, undefined, { ref: false })]);
      return value === undefined ? [] : [{ key, role, connection: value }];
    }),
  );
  return found.flat();
}

function valueOf(connection: pulumi.Input<Connection>): Promise<Connection> {
  return new Promise((resolve) => pulumi.output(connection).apply((value) => resolve(value as Connection)));
}
