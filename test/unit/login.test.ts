import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server as TcpServer } from "node:net";
import { Server, utils } from "ssh2";
import type { Fleet } from "../../components/agents/fleet";
import { renewLogins } from "../../components/agents/phases/login";
import type { Connection } from "../../components/remote/connection";
import type { Failure } from "../../components/remote/each";
import { publicKeyOf } from "../../components/remote/private-key";
import { SshSession } from "../../components/remote/ssh";
import { deriveSshKey, type SshKey } from "../../components/remote/ssh-key";

const [own, former, older, host] = ["own", "former", "older", "host"].map((label) => deriveSshKey("login", label)) as [
  SshKey,
  SshKey,
  SshKey,
  SshKey,
];
const limits = { reachable: 2_000, dial: 5_000, keepAlive: 5_000 };

/** sshd with a list of keys. */
class Door {
  tries: string[] = [];
  connections = 0;
  private readonly tcp: TcpServer;

  constructor(readonly keys: string[]) {
    const ssh = new Server({ hostKeys: [host.privateKey] }, (peer) => {
      peer.on("authentication", (login) => {
        if (login.method !== "publickey") return login.reject(["publickey"]);
        const key = `${login.key.algo} ${login.key.data.toString("base64")}`;
        if (!this.tries.includes(key)) this.tries.push(key);
        if (!this.keys.includes(key)) return login.reject(["publickey"]);
        if (!login.signature || !login.blob) return login.accept();
        const parsed = utils.parseKey(key);
        assert.ok(!(parsed instanceof Error));
        return parsed.verify(login.blob, login.signature) === true ? login.accept() : login.reject();
      });
      peer.on("error", () => {});
    });
    this.tcp = createServer((socket) => {
      this.connections += 1;
      socket.on("error", () => {});
      ssh.injectSocket(socket);
    });
  }

  async connection(more: Partial<Connection> = {}): Promise<Connection> {
    if (!this.tcp.listening) await new Promise<void>((resolve) => this.tcp.listen(0, "127.0.0.1", resolve));
    const { port } = this.tcp.address() as AddressInfo;
    return { host: "127.0.0.1", port, privateKey: own.privateKey, hostKey: host.publicKey, ...more };
  }

  close(): void {
    this.tcp.close();
  }
}

describe("a host that knows another key than the program's", () => {
  const doors: Door[] = [];
  const open = (...keys: readonly SshKey[]): Door => {
    const door = new Door(keys.map(({ publicKey }) => publicKey));
    doors.push(door);
    return door;
  };
  afterEach(() => doors.splice(0).forEach((door) => door.close()));
  const formerKeys = [former.privateKey, older.privateKey];

  it("is logged in to by a former key, on the same connection, and tells so", async () => {
    const door = open(older);
    const session = await SshSession.open("edge-1", await door.connection({ formerKeys }), limits);
    assert.equal(session.formerKey, older.privateKey);
    assert.deepEqual(
      door.tries,
      [own, former, older].map(({ publicKey }) => publicKey),
    );
    assert.equal(door.connections, 1);
    session.close();
  });

  it("is logged in to by the program's own as soon as it knows that", async () => {
    const door = open(former, own);
    const session = await SshSession.open("edge-1", await door.connection({ formerKeys }), limits);
    assert.equal(session.formerKey, undefined);
    assert.deepEqual(door.tries, [own.publicKey]);
    session.close();
  });

  it("is an error with each key's fingerprint where it knows none", async () => {
    const door = open();
    await assert.rejects(
      SshSession.open("edge-1", await door.connection({ formerKeys }), limits),
      /^RemoteError: edge-1: cannot be reached: root@127\.0\.0\.1:\d+ refused the key ssh-ed25519 SHA256:\S+ and the previous key ssh-ed25519 SHA256:\S+ and the previous key ssh-ed25519 SHA256:\S+\. Fix: /,
    );
    assert.equal(door.connections, 1);
  });
});

/** A host with a file of keys, as its script tells of it and sshd reads it, and what was done to it in which order. */
class Keyed {
  readonly done: string[] = [];
  /** Keys that let in though they are not in the file. */
  elsewhere: readonly string[] = [];
  /** What a new connection says, whatever its key. */
  broken = "";
  private readonly came: string | undefined;

  constructor(
    readonly keys: string[],
    readonly connection: Connection,
  ) {
    const letIn = [connection.privateKey ?? "", ...(connection.formerKeys ?? [])].find((key) => keys.includes(publicKeyOf(key) ?? ""));
    this.came = letIn === connection.privateKey ? undefined : letIn;
  }

  get host(): Parameters<typeof renewLogins>[1][number] {
    const session = { formerKey: this.came, script: this.script.bind(this) };
    return { key: "edge-1", session, docker: undefined, host: { connection: this.connection } } as unknown as Parameters<
      typeof renewLogins
    >[1][number];
  }

  readonly fleet = {
    dial: (_key: string, { privateKey = "", formerKeys = [] }: Connection): Promise<{ close(): void }> => {
      assert.deepEqual(formerKeys, [], "a proof is by one key");
      const key = publicKeyOf(privateKey) ?? "";
      const which = key === publicKeyOf(this.connection.privateKey ?? "") ? "own" : "former";
      if (this.broken !== "") return Promise.reject(new Error(this.broken));
      const known = [...this.keys, ...this.elsewhere].includes(key);
      this.done.push(`${which} ${known ? "lets in" : "is refused"}`);
      return known ? Promise.resolve({ close: () => {} }) : Promise.reject(new Error("refused"));
    },
  } as unknown as Fleet;

  private script(_text: string, { NEW = "", BEFORE = "" }: Readonly<Record<string, string>>, { verb }: { readonly verb: string }): Promise<unknown> {
    this.done.push(verb);
    const former = BEFORE.split("\n");
    if (verb === "admit" && !this.keys.includes(NEW)) this.keys.push(NEW);
    if (verb === "dismiss") this.keys.splice(0, this.keys.length, ...this.keys.filter((key) => !former.some((each) => key.endsWith(` ${each}`))));
    const count = this.keys.filter((key) => former.some((each) => key.endsWith(` ${each}`))).length;
    return Promise.resolve({ file: "/root/.ssh/authorized_keys", has: this.keys.includes(NEW), former: count });
  }
}

describe("a key that takes another's place", () => {
  const changing: Connection = { host: "10.0.0.1", hostKey: host.publicKey, privateKey: own.privateKey, formerKeys: [former.privateKey] };
  const renew = async (keyed: Keyed): Promise<{ readonly failures: readonly Failure[]; readonly said: string }> => {
    const failures: Failure[] = [];
    const said: string[] = [];
    await renewLogins(keyed.fleet, [keyed.host], failures, (key, line) => void said.push(`${key}: ${line}`));
    return { failures, said: said.join("\n") };
  };

  it("is put beside it, proven by a connection of its own, and only then the other is taken off", async () => {
    const keyed = new Keyed([former.publicKey], changing);
    const { failures, said } = await renew(keyed);
    assert.deepEqual(failures, []);
    assert.deepEqual(keyed.done, ["look", "admit", "own lets in", "dismiss", "former is refused"]);
    assert.deepEqual(keyed.keys, [own.publicKey]);
    assert.match(said, /edge-1: gets the key ssh-ed25519 SHA256:\S+ for root, in \/root\/\.ssh\/authorized_keys/);
    assert.match(said, /edge-1: is logged in to by the new key alone/);
    assert.doesNotMatch(said, /PRIVATE KEY/);
  });

  it("is not put there twice, and nothing is done where the other is gone", async () => {
    const cutOff = new Keyed([former.publicKey, own.publicKey], changing);
    await renew(cutOff);
    assert.deepEqual(cutOff.done, ["look", "own lets in", "dismiss", "former is refused"]);
    const done = new Keyed([own.publicKey], changing);
    await renew(done);
    assert.deepEqual(done.done, ["look"]);
  });

  it("leaves both where it does not log in, and names the host", async () => {
    const keyed = new Keyed([former.publicKey], changing);
    keyed.broken = "edge-1: cannot be reached: root@10.0.0.1:22 refused the key";
    const { failures } = await renew(keyed);
    assert.deepEqual(
      failures.map(({ host: key, reason }) => [key, reason]),
      [["edge-1", keyed.broken]],
    );
    assert.deepEqual(keyed.done, ["look", "admit"]);
    assert.deepEqual(keyed.keys, [former.publicKey, own.publicKey]);
  });

  it("warns where the other still logs in, since it is kept elsewhere", async () => {
    const keyed = new Keyed([], changing);
    keyed.elsewhere = [former.publicKey];
    const { said } = await renew(Object.assign(keyed, { came: former.privateKey }));
    assert.match(
      said,
      /warning: sshd still lets root in by ssh-ed25519 SHA256:\S+, which is not in \/root\/\.ssh\/authorized_keys: take it off where it is kept/,
    );
  });

  it("is nobody's business where no other is given", async () => {
    const { formerKeys: _none, ...alone } = changing;
    const keyed = new Keyed([own.publicKey], alone);
    assert.deepEqual((await renew(keyed)).said, "");
    assert.deepEqual(keyed.done, []);
  });
});
