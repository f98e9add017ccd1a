import { randomUUID } from "node:crypto";
import { DockerSwarmApi } from "../membership/docker-swarm-api";
import type { NetworkIo, NetworkResponse } from "./api";
import type { EngineApi } from "../remote/engine-api";

/**
 * Who has a network, where it is not the resource that made it. Pulumi replaces a resource by making the new one, which
 * finds the network there and takes it as it is, and only then deleting the old one, which must not remove it.
 *
 * Labels of a network cannot be changed, so the mark of who took it over is a label of the swarm. `deleteBeforeReplace`
 * would not do: the network would go, or refuse to go while services use it, and what depends on it would be replaced too.
 */
export class NetworkOwner {
  private readonly label: string;
  private readonly swarm: DockerSwarmApi;

  constructor(
    api: EngineApi,
    name: string,
    private readonly io: NetworkIo,
  ) {
    this.label = `pulumi-swarm.network.${name}`;
    this.swarm = new DockerSwarmApi("manager", api);
  }

  /**
   * @param mine What the last run of this resource was told here.
   * @param found The network was there already.
   * @param remembered This resource has run before.
   * @returns the mark to remember, if there is one.
   */
  async take(mine: string | undefined, found: boolean, remembered: boolean): Promise<string | undefined> {
    const written = await this.mark();
    // Made by this resource, and nobody has taken it since.
    if (written === undefined && (remembered || !found)) return undefined;
    if (written !== undefined && written === mine) return mine;
    const mark = mine ?? randomUUID();
    await this.write(mark);
    return mark;
  }

  /**
   * Whether the network is another resource's. One that was removed by hand was made anew by whoever replaced this resource, and has
   * no mark: then its id tells.
   *
   * @param mine What the last run of this resource returned.
   */
  async isAnother(mine: NetworkResponse | undefined, id: string): Promise<boolean> {
    const written = await this.mark();
    if (written !== undefined) return written !== mine?.owner && written !== mine?.id;
    return mine !== undefined && mine.id !== id;
  }

  /**
   * Where a run that fails made the network again as it was: whoever has it remembers only the id that it had.
   *
   * @param id Before it was removed.
   */
  async keepFor(id: string): Promise<void> {
    if ((await this.mark()) === undefined) await this.write(id);
  }

  async forget(): Promise<void> {
    if ((await this.mark()) !== undefined) await this.write(undefined);
  }

  private async mark(): Promise<string | undefined> {
    return (await this.swarm.settings()).labels[this.label];
  }

  /** The networks of a cluster are worked on side by side, and each change of the swarm may meet another. */
  private async write(mark: string | undefined): Promise<void> {
    const until = this.io.now() + 20_000;
    for (;;) {
      try {
        return await this.swarm.updateSwarm((await this.swarm.settings()).version, { labels: { [this.label]: mark } });
      } catch (error) {
        if (!(error instanceof Error && /out of sequence/.test(error.message)) || this.io.now() > until) throw error;
        await this.io.sleep(200);
      }
    }
  }
}
