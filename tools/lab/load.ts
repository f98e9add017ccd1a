import { get } from "node:http";

/** What became of the requests. */
export interface Requests {
  readonly asked: number;
  /** Answered by another host than the one that was asked first, as a load balancer's health check would have it. */
  readonly elsewhere: number;
  /** Answered by nobody: when it was asked, and what each host did instead. */
  readonly lost: readonly string[];
}

/** Requests to hosts in turn, one after the other, until it is stopped. One that is not answered goes to the next host. */
export class Load {
  private requests: Requests = { asked: 0, elsewhere: 0, lost: [] };
  private stopped = false;
  private readonly ended: Promise<void>;

  /** @param every Milliseconds between two requests. */
  constructor(
    private readonly addresses: readonly string[],
    private readonly port: number,
    private readonly every: number,
  ) {
    this.ended = this.run();
  }

  get soFar(): Requests {
    return this.requests;
  }

  async stop(): Promise<Requests> {
    this.stopped = true;
    await this.ended;
    return this.requests;
  }

  private async run(): Promise<void> {
    for (let first = 0; !this.stopped; first++) {
      const { asked, elsewhere, lost } = this.requests;
      const refusals = await this.ask(first);
      const none = refusals.length === this.addresses.length;
      this.requests = {
        asked: asked + 1,
        elsewhere: elsewhere + (refusals.length > 0 && !none ? 1 : 0),
        lost: none ? [...lost, `${new Date().toISOString()}: ${refusals.join(", ")}`] : lost,
      };
      await new Promise((resolve) => setTimeout(resolve, this.every));
    }
  }

  /** @returns what the hosts did that were asked before one answered. */
  private async ask(first: number): Promise<readonly string[]> {
    const refusals: string[] = [];
    for (const index of this.addresses.keys()) {
      const address = this.addresses[(first + index) % this.addresses.length] ?? "";
      const began = Date.now();
      const refusal = await refusalOf(address, this.port);
      if (refusal === undefined) break;
      refusals.push(`${address} ${refusal} after ${Date.now() - began} ms`);
    }
    return refusals;
  }
}

/** Longest silence of a host, in milliseconds, before the next one is asked. */
const patience = 2_000;

function refusalOf(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get({ host, port, path: "/", timeout: patience, agent: false }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode === 200 ? undefined : `answers ${response.statusCode}`));
      response.on("error", ({ message }) => resolve(message));
    });
    request.on("timeout", () => request.destroy(new Error("is silent")));
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
