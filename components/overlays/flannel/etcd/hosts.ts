import { type Failure, onEach } from "../../../remote/each";
import type { ScriptValues } from "../../../remote/script";
import type { SshSession } from "../../../remote/ssh";
import type { OverlayIo } from "../../agent";
import type { Look } from "./look";
import type { Certifier } from "./pki";
import { etcdScript, type EtcdVerb } from "./scripts";
import { EtcdRefusal, type WantedMember } from "./survey";

export const scriptTimeout = 3 * 60_000;

export interface EtcdHost {
  readonly key: string;
  /** By which the other hosts reach it. */
  readonly address: string;
  readonly session: Pick<SshSession, "script">;
  /** Folder of the programs; undefined on hosts that leave, where they are where they were. */
  readonly programs?: string;
}

export interface EtcdRequest {
  /** Hosts that are to be its members, in a stable order, whether they can be worked on or not. */
  readonly members: readonly WantedMember[];
  /** All hosts that can be worked on, those that leave included. */
  readonly hosts: readonly EtcdHost[];
  /** Keys of those of them that leave, and get no certificates any more. */
  readonly leaving: readonly string[];
  /** Hosts of the cluster that cannot be worked on. */
  readonly away: readonly string[];
  readonly certifier: Certifier;
  readonly io: OverlayIo;
}

/** The hosts of a run: what is seen and done on each. What fails on one is a failure of that host, and it is left out from then on. */
export class EtcdHosts {
  readonly failures: Failure[] = [];
  protected looks = new Map<string, Look>();
  /** Members that have found their place in this run. */
  protected readonly placed = new Set<string>();
  private readonly rosters = new Map<string, string>();

  constructor(protected readonly request: EtcdRequest) {}

  /** Hosts on which nothing has failed. */
  working(): readonly EtcdHost[] {
    return this.request.hosts.filter(({ key }) => !this.failures.some(({ host }) => host === key));
  }

  async look(): Promise<void> {
    this.looks = await onEach(this.working(), this.failures, async (host) => {
      const look = await this.script<Look>(host, "look", this.settingsOf(host));
      if (look.authority !== "" && look.authority !== this.request.certifier.clients.trimEnd()) throw new Error(foreign);
      return look;
    });
    for (const [key, { roster }] of this.looks) this.rosters.set(key, roster);
  }

  protected isMember(host: EtcdHost): boolean {
    return this.request.members.some(({ key }) => key === host.key);
  }

  protected settingsOf(host: EtcdHost): ScriptValues {
    const member = this.isMember(host);
    return { NAME: member ? host.key : "", ADDRESS: member ? host.address : "", FOLDER: host.programs ?? "" };
  }

  protected these(keys: readonly string[]): EtcdHost[] {
    return this.working().filter(({ key }) => keys.includes(key));
  }

  protected async tell(
    names: readonly string[],
    hosts: readonly EtcdHost[] = this.working().filter(({ key }) => names.includes(key)),
  ): Promise<void> {
    const roster = [...new Set(names)].filter(Boolean).sort().join(" ");
    await onEach(
      hosts.filter(({ key }) => this.rosters.get(key) !== roster),
      this.failures,
      async (host) => {
        await this.script(host, "whole", { ROSTER: roster });
        this.rosters.set(host.key, roster);
      },
    );
  }

  /** By a member that works, as root of etcd. @param except the host that it is about */
  protected async through<Result>(work: (host: EtcdHost) => Promise<Result>, except?: string): Promise<Result> {
    const able = this.working().filter(({ key }) => key !== except && (this.looks.get(key)?.running === true || this.placed.has(key)));
    let last: unknown = new EtcdRefusal("none of its members can be worked on");
    for (const host of able) {
      try {
        return await work(host);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  protected async on(key: string, verb: EtcdVerb, values: ScriptValues = {}, timeout = scriptTimeout): Promise<unknown> {
    const host = this.request.hosts.find((one) => one.key === key);
    if (host === undefined) throw new Error(`${key} cannot be worked on`);
    const result = await this.script(host, verb, { ...this.settingsOf(host), ...values }, timeout);
    if (verb === "wait") this.placed.add(key);
    if (verb === "leave") {
      this.placed.delete(key);
      this.looks.delete(key);
    }
    return result;
  }

  protected addressOf(key: string): string {
    const member = this.request.members.find((one) => one.key === key);
    if (member === undefined) throw new Error(`${key} is to be no member of etcd`);
    return member.address;
  }

  protected script<Result>(host: EtcdHost, verb: EtcdVerb, values: ScriptValues, timeout = scriptTimeout): Promise<Result> {
    const onProgress = (line: string): void => this.request.io.progress(host.key, line);
    return host.session.script<Result>(etcdScript(verb), values, { verb, timeout, onProgress });
  }
}

/** Takes etcd off hosts, with all that it knew there. */
export async function removeEtcd(
  hosts: readonly { readonly key: string; readonly session: Pick<SshSession, "script"> }[],
  failures: Failure[],
  io: OverlayIo,
): Promise<void> {
  await onEach(hosts, failures, ({ key, session }) =>
    session.script(etcdScript("down"), { FOLDER: "" }, { verb: "down", timeout: scriptTimeout, onProgress: (line) => io.progress(key, line) }),
  );
}

const foreign =
  "there is flannel of another cluster on it, or of this one with a secret that is lost: the certificates are of another authority. " +
  "Take it off first, if nothing needs it: systemctl stop 'pulumi-swarm-flannel*'; rm -rf /etc/systemd/system/pulumi-swarm-flannel* /etc/pulumi-swarm/flannel /var/lib/pulumi-swarm/flannel";
