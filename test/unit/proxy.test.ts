import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { Server } from "ssh2";
import type { Connection } from "../../components/remote/connection";
import { proxyWords } from "../../components/remote/proxy";
import { SshSession } from "../../components/remote/ssh";
import { deriveSshKey } from "../../components/remote/ssh-key";

const [client, host, other] = ["client", "host", "other"].map((label) => deriveSshKey("proxy", label));
assert.ok(client && host && other);

/** Carries its standard input and output to a port of this machine, as `nc` does. */
const relay = "const s=require('net').connect(+process.argv[1],'127.0.0.1');process.stdin.pipe(s).pipe(process.stdout)";

/** One dial, and no second one. */
const once = { reachable: 1, dial: 5_000, keepAlive: 5_000 };

function connection(proxyCommand: readonly string[], more: Partial<Connection> = {}): Connection {
  return { host: "i-0abc", user: "swarm", privateKey: client?.privateKey ?? "", hostKey: host?.publicKey ?? "", proxyCommand, ...more };
}

/** @returns what the user reads. */
async function failure(proxyCommand: readonly string[], limits = once): Promise<string> {
  const error = await SshSession.open("control-1", connection(proxyCommand), limits).then(
    (session) => session.close(),
    (reason: Error) => reason,
  );
  return error?.message ?? assert.fail("a session stands");
}

describe("a program that carries the connection to a host", () => {
  let ended = 0;
  const server = new Server({ hostKeys: [host.privateKey] }, (peer) => {
    peer.on("authentication", (login) => login.accept());
    peer.on("session", (accept) =>
      accept().on("exec", (run, _refuse, { command }) => {
        const channel = run();
        channel.write(`ran ${command}`);
        channel.exit(0);
        channel.end();
      }),
    );
    peer.on("close", () => (ended += 1));
    peer.on("error", () => {});
  });
  let port = 0;

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => server.close());

  it("is the way of the whole session, and ends with it", async () => {
    const session = await SshSession.open("control-1", connection([process.execPath, "-e", relay, "%p"], { port }));
    const result = await session.run("uname", { timeout: 5_000 });
    assert.deepEqual(result, { code: 0, stdout: "ran uname", stderr: "" });
    const before = ended;
    session.close();
    while (ended === before) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it("is not trusted more than a network: the host's key is pinned all the same", async () => {
    const wrong = connection([process.execPath, "-e", relay, "%p"], { port, hostKey: other.publicKey });
    await assert.rejects(
      SshSession.open("control-1", wrong),
      /^RemoteError: control-1: swarm@i-0abc:\d+ through the program \S+ presented another host key than the one pinned/,
    );
  });

  it("is given host, port and user, word by word", () => {
    const words = proxyWords(["ssh", "-W", "[%h]:%p", "%r@jump", "100%%h", "a b"], { host: "192.0.2.1", port: 2222, user: "ops" });
    assert.deepEqual(words, ["ssh", "-W", "[192.0.2.1]:2222", "ops@jump", "100%h", "a b"]);
    assert.deepEqual(proxyWords(["nc", "%h", "%p", "%r"], { host: "$&" }), ["nc", "$&", "22", "root"]);
  });

  it("that ends too early is quoted, with the exit code", async () => {
    const said = "printf 'starting\\n\\nAn error occurred (TargetNotConnected): %%s is not connected.\\n' %h >&2; exit 254";
    assert.equal(
      await failure(["sh", "-c", said]),
      "control-1: cannot be reached over SSH at swarm@i-0abc:22 through the program sh within 0 s: " +
        "the program sh ended with exit code 254: An error occurred (TargetNotConnected): i-0abc is not connected.",
    );
    assert.match(await failure(["sh", "-c", "kill -9 $$"]), /: the program sh ended by SIGKILL: it said nothing\.$/);
  });

  it("that says something else than SSH is found out", async () => {
    assert.match(await failure(["echo", "Please sign in."]), /cannot be reached over SSH at swarm@i-0abc:22 through the program echo/);
  });

  // Ten seconds of dialling again would be longer than a unit test may take.
  const patient = { ...once, reachable: 10_000 };

  it("that is missing, or misses a part, ends it at once and says what to install", async () => {
    const nowhere = "/nowhere/bin/aws";
    assert.equal(
      await failure([nowhere, "ssm"], patient),
      `control-1: cannot be reached: the program ${nowhere} is not installed. Fix: install the AWS CLI and its Session Manager plugin.`,
    );
    assert.equal(
      await failure(["no-such-program"], patient),
      "control-1: cannot be reached: the program no-such-program is not installed. Fix: install it, or correct proxyCommand.",
    );
    assert.match(await failure(["/"], patient), /^control-1: cannot be reached: the program \/ cannot be started: .*EACCES\.$/);
    assert.equal(
      await failure(["sh", "-c", "echo 'SessionManagerPlugin is not found. Please refer to SessionManager Documentation' >&2; exit 255"], patient),
      "control-1: cannot be reached: the program sh has no Session Manager plugin. Fix: install the plugin beside the AWS CLI.",
    );
  });
});
