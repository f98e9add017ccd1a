import assert from "node:assert/strict";
import { SshSession } from "../../components/remote/ssh";
import { eventually } from "../../tools/lab/cluster";
import { docker } from "../../tools/lab/machines";
import { run } from "../../tools/lab/pulumi";
import { Sites } from "../../tools/lab/sites";

export interface MeshSiteHost {
  readonly key: string;
  readonly site: string;
  readonly address: string;
  readonly publicAddress?: string;
}

/**
 * Two hosts at each of two sites that meet only through a router, with a session to each: site a is open to the other, site
 * b is behind address translation and takes no call from outside.
 */
export class TwoSites {
  private readonly sessions = new Map<string, SshSession>();
  private readonly sites: Sites;
  readonly hosts: readonly MeshSiteHost[];

  /** @param second the two networks are 10.second.0.0/24 and 10.second.1.0/24 */
  constructor(name: string, second: number) {
    this.sites = new Sites(name, {
      a: { subnet: `10.${second}.0.0/24`, hosts: { a1: {}, a2: {} } },
      b: { subnet: `10.${second}.1.0/24`, router: "masquerades", hosts: { b1: {}, b2: {} } },
    });
    this.hosts = this.sites.hosts.map(({ name: key, machine: _machine, ...host }) => ({ key, ...host }));
  }

  /** Name of a host's container. */
  container(key: string): string {
    return this.sites.host(key).machine;
  }

  async begin(): Promise<void> {
    await this.sites.build();
    await Promise.all(this.hosts.map(({ key }) => this.connect(key)));
  }

  async end(): Promise<void> {
    for (const session of this.sessions.values()) session.close();
    this.sessions.clear();
    await this.sites.remove();
  }

  session(key: string): SshSession {
    const session = this.sessions.get(key);
    assert.ok(session, `no session to ${key}`);
    return session;
  }

  /** As a machine that lost power: everything starts again from what is on its disk. */
  async restart(key: string): Promise<void> {
    this.sessions.get(key)?.close();
    await docker("restart", "--signal", "KILL", this.container(key));
    await this.connect(key);
  }

  /** @returns standard output; rejects with all that was printed when the command fails. */
  on(key: string, command: string): Promise<string> {
    return docker("exec", this.container(key), "sh", "-c", command);
  }

  private async connect(key: string): Promise<void> {
    this.sessions.set(key, await SshSession.open(key, this.sites.connection(key)));
    await eventually(`${key} has booted`, 60, async () => {
      const { stdout } = await run("docker", ["exec", this.container(key), "systemctl", "is-system-running"]);
      return ["running", "degraded"].includes(stdout.trim()) ? true : undefined;
    });
  }
}
