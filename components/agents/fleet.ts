import { DockerApi } from "../remote/docker-api";
import { type Connection, defaultRemoteLimits, type RemoteLimits } from "../remote/connection";
import type { HostLock } from "../remote/lock";
import { SshSession } from "../remote/ssh";
import { Ways } from "../remote/ways";
import { whileWaiting, type WaitingIo } from "../waiting";
import { waiting } from "./run";

/** A host with a session that stands. */
export interface ReachedHost {
  readonly key: string;
  readonly session: SshSession;
  readonly docker: DockerApi;
}

/** The sessions of one run, all closed at its end. */
export class Fleet {
  private readonly reached: ReachedHost[] = [];
  private readonly ways = new Ways();
  private readonly locks = new Map<string, HostLock>();

  constructor(
    private readonly reachableSeconds: number,
    /** Who is told that a host is waited for. @default - who looks at the run */
    private readonly io: WaitingIo = { waiting },
  ) {}

  /** A session that is kept until the end of the run. */
  async reach(key: string, connection: Connection, mostSeconds = this.reachableSeconds): Promise<ReachedHost> {
    const limits = this.limits(mostSeconds);
    const opened = await whileWaiting(this.io, key, "SSH", limits.reachable, (seen) =>
      SshSession.open(key, connection, limits, seen, { ways: this.ways }),
    );
    const session = this.locked(key, opened);
    const host = { key, session, docker: new DockerApi(key, session) };
    this.reached.push(host);
    return host;
  }

  /** One more session, which whoever asks for it closes; `fresh` where not even the way to its bastion may stand already. */
  async dial(key: string, connection: Connection, mostSeconds: number, fresh = false): Promise<SshSession> {
    const limits = this.limits(mostSeconds);
    // Whoever gives it longer than usual knows that the host is slow: to break off in between would gain nothing.
    const patient = { ...limits, dial: Math.max(limits.dial, limits.reachable) };
    return this.locked(key, await SshSession.open(key, connection, patient, () => {}, { ways: this.ways, fresh }));
  }

  /** Another session takes the place of one that is lost, wherever that is used. */
  renew({ session, docker }: ReachedHost, next: SshSession): void {
    session.become(next);
    docker.renew();
  }

  /** Gives a host's lock back, before its machine restarts: the lock is lost then. */
  letGo(key: string): void {
    this.locks.get(key)?.release();
    this.locks.delete(key);
  }

  /** Until the end of the run; a host whose lock is lost is not worked on any more. */
  hold(key: string, lock: HostLock): void {
    this.locks.set(key, lock);
  }

  close(): void {
    for (const lock of this.locks.values()) lock.release();
    for (const { docker, session } of this.reached) {
      docker.close();
      session.close();
    }
    this.ways.close();
  }

  private locked(key: string, session: SshSession): SshSession {
    session.mayWork = () => this.locks.get(key)?.check();
    return session;
  }

  private limits(mostSeconds: number): RemoteLimits {
    return { ...defaultRemoteLimits, reachable: Math.min(mostSeconds, this.reachableSeconds) * 1000 };
  }
}
