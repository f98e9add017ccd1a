import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type Channel, type Connection as Peer, Server } from "ssh2";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../../components/remote/connection";
import { DockerApi } from "../../components/remote/docker-api";
import { SshSession } from "../../components/remote/ssh";
import { keys } from "./ssh-servers";

/** What sshd answers who asks for the engine's socket; not asked for it counts too. */
type Sshd = "forwards" | "answers once" | "has nobody there" | "may not";

/** An engine that answers a question and then restarts. Its end of the stream is shut, which sshd tells and waits for the other end. */
function answerOnce(stream: Channel): void {
  stream.once("data", () => {
    stream.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    setTimeout(() => stream.eof(), 20);
  });
}

describe("a stream to a host's engine", () => {
  let sshd: Sshd = "forwards";
  const asked: string[] = [];
  const servers = ["OpenSSH_9.2p1", "AsyncSSH_2.9"].map(
    (ident) =>
      new Server({ hostKeys: [keys.host.privateKey], ident }, (peer: Peer) => {
        peer.on("authentication", (login) => login.accept());
        peer.on("error", () => {});
        if (sshd !== "may not")
          peer.on("openssh.streamlocal", (accept, reject, { socketPath }) => {
            asked.push(socketPath);
            if (sshd === "forwards") accept().end("by sshd");
            else if (sshd === "answers once") answerOnce(accept());
            else reject?.();
          });
        peer.on("session", (accept) =>
          accept().on("exec", (run, _refuse, { command }) => {
            asked.push(command);
            const channel = run();
            channel.end(`by ${command}`);
          }),
        );
      }),
  );

  before(() => Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)))));
  after(() => servers.forEach((server) => server.close()));
  beforeEach(() => asked.splice(0));

  /** What comes by two streams of one session. */
  async function twice(answer: Sshd, more: Pick<Connection, "user" | "sudo"> = {}, server = servers[0]): Promise<string[]> {
    const session = await open(answer, more, server);
    try {
      return [await read(await session.dockerStream()), await read(await session.dockerStream())];
    } finally {
      session.close();
    }
  }

  function open(answer: Sshd, more: Pick<Connection, "user" | "sudo"> = {}, server = servers[0]): Promise<SshSession> {
    sshd = answer;
    const { port } = server?.address() as AddressInfo;
    const login = { host: "127.0.0.1", port, privateKey: keys.client.privateKey, hostKey: keys.host.publicKey, ...more };
    return SshSession.open("edge-1", login);
  }

  async function read(stream: Duplex): Promise<string> {
    let text = "";
    for await (const chunk of stream) text += String(chunk);
    return text;
  }

  it("is opened by sshd, so that no program starts on the host", async () => {
    assert.deepEqual(await twice("forwards"), ["by sshd", "by sshd"]);
    assert.deepEqual(asked, ["/var/run/docker.sock", "/var/run/docker.sock"]);
  });

  it("is not used any more once the engine has ended it, as by a restart", async () => {
    const session = await open("answers once");
    const docker = new DockerApi("edge-1", session);
    try {
      for (let question = 0; question < 3; question++) {
        assert.deepEqual(await docker.get("/info"), {});
        await sleep(100);
      }
      assert.equal(asked.length, 3);
    } finally {
      docker.close();
      session.close();
    }
  });

  it("is opened by Docker's own program where sshd may not, which it is asked once", async () => {
    assert.deepEqual(await twice("may not"), ["by docker system dial-stdio", "by docker system dial-stdio"]);
    assert.deepEqual(asked, ["docker system dial-stdio", "docker system dial-stdio"]);
  });

  it("is opened by Docker's own program where sshd cannot, or nobody listens: it says why, and sshd is not asked again", async () => {
    await twice("has nobody there");
    assert.deepEqual(asked, ["/var/run/docker.sock", "docker system dial-stdio", "docker system dial-stdio"]);
  });

  it("is opened by Docker's own program where the server is no OpenSSH", async () => {
    assert.deepEqual(await twice("forwards", {}, servers[1]), ["by docker system dial-stdio", "by docker system dial-stdio"]);
  });

  it("is opened through sudo by whoever is not root, since the socket would refuse them", async () => {
    assert.deepEqual(await twice("forwards", { user: "admin" }), ["by sudo -n docker system dial-stdio", "by sudo -n docker system dial-stdio"]);
    assert.deepEqual(await twice("forwards", { user: "admin", sudo: false }), ["by sshd", "by sshd"]);
  });
});
