import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { SshSession } from "../../components/remote/ssh";
import { HostServer, keys } from "./ssh-servers";

/** Passes on what a host and this process say, until the host vanishes: then nothing is passed on or confirmed any more. */
class Wire {
  private readonly sockets: Socket[] = [];
  private readonly server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: this.to, host: "127.0.0.1" });
    this.sockets.push(near, far);
    for (const socket of [near, far]) socket.on("error", () => {});
    near.pipe(far, { end: false });
    far.pipe(near, { end: false });
  });

  constructor(private readonly to: number) {}

  listen(): Promise<number> {
    return new Promise((resolve) => this.server.listen(0, "127.0.0.1", () => resolve((this.server.address() as AddressInfo).port)));
  }

  vanish(): void {
    for (const socket of this.sockets) socket.unpipe().pause();
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

/** Of this whole process. */
const openSockets = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;

async function until(what: string, milliseconds: number, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + milliseconds; !holds(); await new Promise((resolve) => setTimeout(resolve, 50)))
    assert.ok(Date.now() < end, `${what}, after ${milliseconds / 1000} s`);
}

describe("a session that is closed", function () {
  this.timeout(60_000);

  for (const vanishes of [false, true]) {
    it(`leaves no socket behind${vanishes ? ", also where its host vanished" : ""}`, async () => {
      const host = new HostServer();
      await host.listen();
      const wire = new Wire(host.port);
      const port = await wire.listen();
      try {
        const connection = { host: "127.0.0.1", port, privateKey: keys.client.privateKey, hostKey: keys.host.publicKey };
        const before = openSockets();
        const session = await SshSession.open("one", connection);
        // Ours, and both ends of the wire's two.
        assert.equal(openSockets(), before + 4);
        if (vanishes) wire.vanish();
        session.close();
        const others = vanishes ? 3 : 0;
        if (!vanishes) wire.close();
        await until(`${openSockets() - before} sockets are open`, 30_000, () => openSockets() <= before + others);
      } finally {
        wire.close();
        host.close();
      }
    });
  }
});
