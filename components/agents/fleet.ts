import { DockerApi } from "../remote/docker-api";
import { type Connection, defaultRemoteLimits } from "../remote/connection";
import { SshSession } from "../remote/ssh";
import { progress } from "./run";

/** A host with a session that stands. */
export interface ReachedHost {
  readonly key: string;
  readonly session: SshSession;
  readonly docker: DockerApi;
}

/** The sessions of one run, all closed at its end. */
export class Fleet {
  private readonly reached: ReachedHost[] = [];

  constructor(
    private readonly reachableSeconds: number,
    private readonly say: typeof progress = progress,
  ) {}

  /** A session that is kept until the end of the run. */
  async reach(key: string, connection: Connection, mostSeconds = this.reachableSeconds): Promise<ReachedHost> {
    let said = "";
    const session = await this.dial(key, connection, mostSeconds, (reason) => {
      if (reason !== said) this.say(key, `waiting for SSH: ${reason}`);
      said = reason;
    });
    const host = { key, session, docker: new DockerApi(key, session) };
    this.reached.push(host);
    return host;
  }

  /** One more session, which whoever asks for it closes. */
  dial(key: string, connection: Connection, mostSeconds: number, onRetry: (reason: string) => void = () => {}): Promise<SshSession> {
    return SshSession.open(key, connection, { ...defaultRemoteLimits, reachable: Math.min(mostSeconds, this.reachableSeconds) * 1000 }, onRetry);
  }

  close(): void {
    for (const { docker, session } of this.reached) {
      docker.close();
      session.close();
    }
  }
}
