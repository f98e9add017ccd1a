import { type AddressInfo, connect, createServer, type Server as TcpServer } from "node:net";
import { Server } from "ssh2";
import { deriveSshKey } from "../../components/remote/ssh-key";

const [client, bastion, host] = ["client", "bastion", "host"].map((label) => deriveSshKey("ssh-servers", label));
if (!client || !bastion || !host) throw new Error("no keys");

export const keys = { client, bastion, host };

/** sshd's own: from `start` connections on that have not signed in, a new one is dropped with `rate` percent, and each from `full` on. */
const startups = { start: 10, rate: 30, full: 100 };

/** A round trip, and what sshd itself takes to sign somebody in: by then the next ones are there. */
const signIn = 50;

/** Where a packet to a machine that is down goes. */
export const deadPort = 1;

/** sshd on a bastion, as far as somebody who hops over it can see. Whom it drops is the same in each run. */
export class BastionServer {
  connections = 0;
  dropped = 0;
  forwarded = 0;
  /** Those that had not signed in at the same time, at most. */
  mostStarting = 0;
  private unauthenticated = 0;
  private seed = 1;
  private readonly tcp: TcpServer;
  private readonly open = new Set<{ end(): void }>();
  private readonly ssh = new Server({ hostKeys: [bastion?.privateKey ?? ""] }, (peer) => {
    this.open.add(peer);
    peer.on("authentication", (login) => void setTimeout(() => login.accept(), signIn));
    peer.on("ready", () => {
      this.unauthenticated -= 1;
      peer.on("tcpip", (accept, _refuse, { destIP, destPort }) => {
        if (destPort === deadPort) return;
        this.forwarded += 1;
        const channel = accept();
        const socket = connect(destPort, destIP);
        channel.pipe(socket).pipe(channel);
        socket.on("error", () => channel.close());
        channel.on("error", () => socket.destroy()).on("close", () => socket.destroy());
      });
    });
    peer.on("close", () => this.open.delete(peer));
    peer.on("error", () => {});
  });

  constructor() {
    this.tcp = createServer((socket) => {
      this.connections += 1;
      socket.on("error", () => {});
      if (this.drops()) {
        this.dropped += 1;
        socket.end("Not allowed at this time\r\n");
        return;
      }
      this.unauthenticated += 1;
      this.mostStarting = Math.max(this.mostStarting, this.unauthenticated);
      this.ssh.injectSocket(socket);
    });
  }

  get port(): number {
    return (this.tcp.address() as AddressInfo).port;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.tcp.listen(0, "127.0.0.1", resolve));
  }

  /** As when its machine is started anew: it listens, and all that stood is gone. */
  breakAll(): void {
    for (const peer of this.open) peer.end();
  }

  close(): void {
    this.breakAll();
    this.tcp.close();
  }

  /** sshd.c, should_drop_connection. */
  private drops(): boolean {
    const { start, rate, full } = startups;
    if (this.unauthenticated < start) return false;
    this.seed = (this.seed * 1103515245 + 12345) % 2 ** 31;
    return this.seed / 2 ** 31 < (rate + ((100 - rate) * (this.unauthenticated - start)) / (full - start)) / 100;
  }
}

/** sshd on hosts, all of them behind one port. A script of ours is answered by its verb. */
export class HostServer {
  readonly verbs: string[] = [];
  /** Connections: all, those that have not signed in at the same time, those that stand at the same time, and bytes that came by them. */
  readonly seen = { connections: 0, mostStarting: 0, mostStanding: 0, bytes: 0 };
  private readonly starting = new Set<object>();
  private readonly standing = new Set<object>();
  private readonly ssh = new Server({ hostKeys: [host?.privateKey ?? ""] }, (peer) => {
    this.starting.add(peer);
    this.seen.mostStarting = Math.max(this.seen.mostStarting, this.starting.size);
    peer.on("authentication", (login) => void setTimeout(() => login.accept(), this.signIn));
    peer.on("ready", () => {
      this.starting.delete(peer);
      this.standing.add(peer);
      this.seen.mostStanding = Math.max(this.seen.mostStanding, this.standing.size);
    });
    peer.on("close", () => this.standing.delete(peer));
    peer.on("session", (accept) =>
      accept().on("exec", (run) => {
        const channel = run();
        let said = "";
        channel.on("data", (data: Buffer) => (said += data.toString()));
        channel.on("end", () => {
          const verb = /^set -- '(\w+)'$/m.exec(said)?.[1] ?? "";
          this.verbs.push(verb);
          channel.write(`${JSON.stringify(this.answers[verb] ?? {})}\n`);
          channel.exit(0);
          channel.end();
        });
      }),
    );
    peer.on("error", () => {});
  });
  private readonly tcp = createServer((socket) => {
    this.seen.connections += 1;
    socket.on("data", (data: Buffer) => (this.seen.bytes += data.length));
    this.ssh.injectSocket(socket);
  });

  constructor(
    private readonly answers: Readonly<Record<string, object>> = {},
    /** Milliseconds that it takes to sign somebody in: it is busy, or far away. */
    private readonly signIn = 0,
  ) {}

  get port(): number {
    return (this.tcp.address() as AddressInfo).port;
  }

  /** How many connections stand now. */
  get open(): number {
    return this.standing.size;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.tcp.listen(0, "127.0.0.1", resolve));
  }

  count(verb: string): number {
    return this.verbs.filter((one) => one === verb).length;
  }

  close(): void {
    this.tcp.close();
  }
}
