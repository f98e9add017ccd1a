import { get } from "node:http";

/** What became of the requests. */
export interface Requests {
  readonly asked: number;
  /** Answered by another host than the one that was asked first, as a load balancer's health check would have it. */
  readonly elsewhere: number;
  /** Answered by nobody. */
  readonly lost: number;
}

/** Requests to hosts in turn, one after the other, until it is stopped. One that is not answered goes to the next host. */
export class Load {
  private requests: Requests = { asked: 0, elsewhere: 0, lost: 0 };
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
      const tries = await this.ask(first);
      this.requests = { asked: asked + 1, elsewhere: elsewhere + (tries > 1 ? 1 : 0), lost: lost + (tries === 0 ? 1 : 0) };
      await new Promise((resolve) => setTimeout(resolve, this.every));
    }
  }

  /** @returns how many hosts were asked until one answered, 0 where none did */
  private async ask(first: number): Promise<number> {
    for (let tries = 1; tries <= this.addresses.length; tries++) {
      const address = this.addresses[(first + tries - 1) % this.addresses.length] ?? "";
      if (await answers(address, this.port)) return tries;
    }
    return 0;
  }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host, port, path: "/", timeout: 2_000, agent: false }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode === 200));
      response.on("error", () => resolve(false));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}
