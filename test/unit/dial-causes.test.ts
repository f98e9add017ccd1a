import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server as TcpServer, type Socket } from "node:net";
import { Server } from "ssh2";
import type { Connection, RemoteLimits } from "../../components/remote/connection";
import { SshSession } from "../../components/remote/ssh";
import { Ways } from "../../components/remote/ways";
import { BastionServer, keys } from "./ssh-servers";

const limits: RemoteLimits = { reachable: 1_500, dial: 10_000, keepAlive: 5_000 };

/** What the user reads, and how long it took in milliseconds. */
async function failure(connection: Connection, most = limits): Promise<{ readonly said: string; readonly took: number }> {
  const began = Date.now();
  const ways = new Ways();
  const error = await SshSession.open("edge-1", connection, most, () => {}, { ways }).then(
    (session) => session.close(),
    (reason: Error) => reason,
  );
  ways.close();
  return { said: (error?.message ?? assert.fail("a session stands")).replaceAll(/:\d{4,5}\b/g, ":PORT"), took: Date.now() - began };
}

/** An sshd, or what is in its place. Each connection is handed to `serve`, with its number from 1. */
class Listener {
  connections = 0;
  private readonly tcp: TcpServer;
  private readonly open = new Set<Socket>();

  constructor(serve: (socket: Socket, place: number) => void) {
    this.tcp = createServer((socket) => {
      this.open.add(socket);
      socket.on("error", () => {});
      serve(socket, (this.connections += 1));
    });
  }

  async connection(more: Partial<Connection> = {}): Promise<Connection> {
    if (!this.tcp.listening) await new Promise<void>((resolve) => this.tcp.listen(0, "127.0.0.1", resolve));
    const { port } = this.tcp.address() as AddressInfo;
    return { host: "127.0.0.1", port, privateKey: keys.client.privateKey, hostKey: keys.host.publicKey, ...more };
  }

  close(): void {
    for (const socket of this.open) socket.destroy();
    this.tcp.close();
  }
}

/** Lets nobody in. @param before What it does to one who tries, of the server's side of ssh2. */
function refusing(before: (peer: import("ssh2").Connection) => void = () => {}): Listener {
  const ssh = new Server({ hostKeys: [keys.host.privateKey], banner: "System is booting up." }, (peer) => {
    peer.on("authentication", (login) => {
      before(peer);
      login.reject(["publickey"]);
    });
    peer.on("error", () => {});
  });
  return new Listener((socket) => ssh.injectSocket(socket));
}

describe("why a host cannot be reached", () => {
  const listeners: Listener[] = [];
  afterEach(() => listeners.splice(0).forEach((listener) => listener.close()));
  const listen = (made: Listener): Listener => {
    listeners.push(made);
    return made;
  };

  const settled = (said: string, { connections }: Listener, took: number): void => {
    assert.equal(connections, 1, `one try, or sshd shuts out whoever tries again: ${said}`);
    assert.ok(took < 5_000, `at once, and not after ${took} ms`);
  };
  // Longer than a test may take.
  const patient: RemoteLimits = { ...limits, reachable: 60_000 };

  it("is told at once of a key that is refused, with the key's fingerprint", async () => {
    const host = listen(refusing());
    const { said, took } = await failure(await host.connection({ user: "ops" }), patient);
    assert.match(
      said,
      /^edge-1: cannot be reached: ops@127\.0\.0\.1:PORT refused the key ssh-ed25519 SHA256:[A-Za-z0-9+/]{43}\. Fix: add its public key to the authorized_keys of ops there, or correct user or key\.$/,
    );
    settled(said, host, took);
  });

  it("is told at once of a bastion that refuses the key", async () => {
    const host = listen(refusing());
    const { host: address, port, hostKey, privateKey } = await host.connection();
    const bastion = { host: address, hostKey, ...(port !== undefined && { port }), ...(privateKey !== undefined && { privateKey }) };
    const { said, took } = await failure({ host: "192.0.2.1", privateKey: keys.client.privateKey, hostKey: keys.host.publicKey, bastion }, patient);
    assert.match(
      said,
      /^edge-1: cannot be reached: the bastion root@127\.0\.0\.1:PORT refused the key ssh-ed25519 SHA256:\S+\. Fix: add its public key/,
    );
    settled(said, host, took);
  });

  it("is what the host itself said before it closed the connection, as one does that is starting", async () => {
    const { said } = await failure(await listen(refusing((peer) => peer.end())).connection());
    assert.match(said, /it closed the connection before a session stood, and said: System is booting up\.$/);
  });

  it("is told at once of an agent that does not answer", async () => {
    const host = listen(refusing());
    const { privateKey: _key, ...connection } = await host.connection({ agentSocket: "/nowhere/agent.sock" });
    const { said, took } = await failure(connection, patient);
    assert.equal(
      said,
      "edge-1: cannot be reached: the ssh-agent at /nowhere/agent.sock gives none (Failed to connect to agent). Fix: start it, or correct agentSocket.",
    );
    settled(said, host, took);
  });

  it("is told at once of a private key that cannot be read, and nothing of the key is shown", async () => {
    const host = listen(refusing());
    const broken = keys.client.privateKey.split("\n").slice(0, 3).join("\n");
    const { said, took } = await failure(await host.connection({ privateKey: broken }), patient);
    assert.match(said, /^edge-1: cannot be reached: privateKey for root@127\.0\.0\.1:PORT: the private key cannot be read: a part of it is missing/);
    assert.ok(!said.includes(broken.split("\n")[1] ?? "none"), "the key is not shown");
    assert.equal(host.connections, 0, "nobody is dialled");
    assert.ok(took < 5_000, `at once, and not after ${took} ms`);
  });

  it("is what the first try met, and not that the last one had no time left", async () => {
    const host = listen(new Listener((socket, place) => place === 1 && socket.end()));
    const { said } = await failure(await host.connection());
    assert.match(
      said,
      /^edge-1: cannot be reached over SSH at root@127\.0\.0\.1:PORT within 2 s: it closed the connection before the SSH handshake /,
    );
    assert.match(said, /PerSourcePenalties\)\.$/);
    assert.doesNotMatch(said, /no answer|later/);
    assert.ok(host.connections >= 2, "there was another try");
  });

  it("is also what later tries met, where that is something else", async () => {
    const [dead, bastion] = [listen(new Listener((socket) => socket.end())), new BastionServer()];
    await bastion.listen();
    const hop = { host: "127.0.0.1", port: bastion.port, privateKey: keys.client.privateKey, hostKey: keys.bastion.publicKey };
    const connection = { ...(await dead.connection()), bastion: hop };
    setTimeout(() => bastion.close(), 400);
    const { said } = await failure(connection);
    assert.match(said, /: it closed the connection before .*; later: the bastion root@127\.0\.0\.1:PORT cannot be reached: connection refused/);
  });

  it("is silence where there was nothing else in all the time", async () => {
    const host = listen(new Listener(() => {}));
    const { said } = await failure(await host.connection(), { ...limits, reachable: 1_000 });
    assert.match(said, /within 1 s: no answer within 1 s \(TCP may be open: a frozen or overloaded host looks like this\)\.$/);
  });
});
