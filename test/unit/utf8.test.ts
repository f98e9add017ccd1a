import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { Server, type ServerChannel } from "ssh2";
import { SshSession } from "../../components/remote/ssh";
import { utf8, utf8Lines } from "../../components/remote/text";
import { keys } from "./ssh-servers";

const text = fc.string({ unit: "binary", maxLength: 40 }).filter((value) => Buffer.from(value).toString() === value);

/** The bytes of a text, cut at some places. */
function cut(value: string, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(value);
  const ends = [...new Set([0, ...places.map((place) => place % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return ends.slice(1).map((end, index) => bytes.subarray(ends[index], end));
}

describe("text that comes in pieces", () => {
  it("is the same however its bytes are cut, as a whole and by lines", () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat()), (value, places) => {
        const [seen, lines]: [string[], string[]] = [[], []];
        const [whole, byLine] = [utf8((piece) => seen.push(piece)), utf8Lines((line) => lines.push(line))];
        for (const piece of cut(`${value}\n`, places)) for (const read of [whole, byLine]) read(piece);
        assert.equal(seen.join(""), `${value}\n`);
        assert.deepEqual(
          lines,
          value.split("\n").filter((line) => line.trim() !== ""),
        );
      }),
    );
  });
});

describe("a session with a host", () => {
  /** What the host does with a command. */
  let answer: (command: string, channel: ServerChannel) => void = () => {};
  const server = new Server({ hostKeys: [keys.host.privateKey] }, (peer) => {
    peer.on("authentication", (login) => login.accept());
    peer.on("session", (accept) =>
      accept().on("exec", (run, _refuse, { command }) => {
        const channel = run();
        channel.on("data", () => {}).on("end", () => answer(command, channel));
      }),
    );
    peer.on("error", () => {});
  });
  let session: SshSession;

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    session = await SshSession.open("edge-1", { host: "127.0.0.1", port, privateKey: keys.client.privateKey, hostKey: keys.host.publicKey });
  });
  after(() => {
    session.close();
    server.close();
  });

  const end = (channel: ServerChannel): void => {
    channel.exit(0);
    channel.end();
  };

  it("puts a character together that came in two packets", async () => {
    const bytes = Buffer.from("Müller: läuft\n");
    answer = (_command, channel) => {
      channel.write(bytes.subarray(0, 2));
      channel.stderr.write(bytes.subarray(0, 10));
      setTimeout(() => {
        channel.write(bytes.subarray(2));
        channel.stderr.write(bytes.subarray(10));
        end(channel);
      }, 50);
    };
    const said: string[] = [];
    const { stdout, stderr } = await session.run("uname", { timeout: 5_000, onStderr: (line) => said.push(line) });
    assert.deepEqual([stdout, stderr, said], ["Müller: läuft\n", "Müller: läuft\n", ["Müller: läuft"]]);
  });

  it("says that a disk of the host is full where that is why a script has no answer", async () => {
    let full = "/var\n";
    answer = (command, channel) => {
      if (/df -Pk/.test(command)) channel.write(full);
      else channel.write('{"memory": "ab');
      end(channel);
    };
    const ask = session.script("", {}, { verb: "read", timeout: 5_000 });
    await assert.rejects(ask, (error: Error) => {
      assert.equal(
        error.message,
        'edge-1: a script of this package answers with {"memory": "ab, which is no JSON: its disk with /var is full. Fix: make room there, then run again',
      );
      return true;
    });
    full = "";
    await assert.rejects(session.script("", {}, { verb: "read", timeout: 5_000 }), /which is no JSON: a file there may be damaged$/);
  });

  it("ends with what a script said where it gave up by itself, and with the exit code where it did not", async () => {
    const fail = async (code: number, said: string): Promise<string> => {
      answer = (_command, channel) => {
        channel.stderr.write(said);
        channel.exit(code);
        channel.end();
      };
      return session.script("", {}, { verb: "replace", timeout: 5_000 }).then(
        () => "no failure",
        (error: unknown) => (error as Error).message,
      );
    };
    assert.equal(await fail(1, "getting it\nDocker 28.5.2 was put back and runs\n"), "edge-1: Docker 28.5.2 was put back and runs");
    assert.equal(await fail(137, "getting it\n"), "edge-1: getting it (exit code 137)");
    assert.equal(await fail(1, ""), "edge-1: no message (exit code 1)");
  });
});
