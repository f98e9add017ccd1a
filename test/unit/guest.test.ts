import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needKernel } from "../../tools/lab/virtual";

interface Talk {
  readonly closed: boolean;
  request(execute: string, args?: object, options?: { readonly timeout?: number; readonly when?: (answer: unknown) => boolean }): Promise<unknown>;
}

// Plain JavaScript, because the setup runs before anything is compiled.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { Conversation } = require("../../tools/setup/guest.js") as { readonly Conversation: new (file: string, what: string) => Talk };

/** A machine that says what a test wants. */
class Machine {
  readonly folder = mkdtempSync(join(tmpdir(), "guest-"));
  readonly file = join(this.folder, "agent.sock");
  private readonly server: Server;
  private socket: Socket | undefined;

  constructor(answer: (request: { readonly execute: string }, say: (text: string) => void) => void, greeting = "") {
    this.server = createServer((socket) => {
      this.socket = socket;
      socket.write(greeting);
      socket.setEncoding("utf8").on("data", (text: string) => {
        answer(JSON.parse(text) as { execute: string }, (said) => socket.write(said));
      });
    }).listen(this.file);
  }

  async talk(): Promise<Talk> {
    if (!this.server.listening) await once(this.server, "listening");
    return new Conversation(this.file, "v1");
  }

  turnOff(): void {
    this.socket?.destroy();
  }

  end(): void {
    this.turnOff();
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe("a conversation with a virtual machine", () => {
  let machine: Machine | undefined;
  afterEach(() => machine?.end());

  it("puts an answer together that comes in pieces, and takes neither a greeting nor an event for one", async () => {
    machine = new Machine(({ execute }, say) => {
      say('{"event": "RESUME"}\n{"ret');
      setTimeout(() => say(`urn": "${execute} done"}\n`), 20);
    }, '{"QMP": {"version": {}}}\n');
    const talk = await machine.talk();
    assert.equal(await talk.request("cont"), "cont done");
  });

  it("asks one thing after the other", async () => {
    const heard: string[] = [];
    machine = new Machine(({ execute }, say) => {
      heard.push(execute);
      setTimeout(() => {
        heard.push(`${execute} answered`);
        say(`{"return": "${execute}"}\n`);
      }, 20);
    });
    const talk = await machine.talk();
    assert.deepEqual(await Promise.all([talk.request("first"), talk.request("second")]), ["first", "second"]);
    assert.deepEqual(heard, ["first", "first answered", "second", "second answered"]);
  });

  it("skips answers to somebody before, whose line the agent begins with a byte that is no text", async () => {
    machine = new Machine((_request, say) => say('{"return": 1}\n\ufffd{"return": 2}\n'));
    const talk = await machine.talk();
    assert.equal(await talk.request("guest-sync", { id: 2 }, { when: (answer) => answer === 2 }), 2);
  });

  it("fails with what the machine refused, and goes on", async () => {
    machine = new Machine(({ execute }, say) => say(execute === "bad" ? '{"error": {"desc": "no such command"}}\n' : '{"return": {}}\n'));
    const talk = await machine.talk();
    await assert.rejects(talk.request("bad"), /^Error: v1: bad: \{"desc":"no such command"\}$/);
    assert.deepEqual(await talk.request("good"), {});
  });

  it("ends where no answer comes, so that a late one is not taken for the next", async () => {
    machine = new Machine(() => {});
    const talk = await machine.talk();
    await assert.rejects(talk.request("query-status", {}, { timeout: 30 }), /^Error: v1: no answer to query-status within 0.03 s$/);
    assert.ok(talk.closed);
    await assert.rejects(talk.request("query-status"), /^Error: v1: the machine was turned off$/);
  });

  it("fails where the machine is turned off meanwhile", async () => {
    machine = new Machine(() => machine?.turnOff());
    const talk = await machine.talk();
    await assert.rejects(talk.request("quit"), /^Error: v1: the machine was turned off$/);
  });
});

describe("a machine without virtual ones", () => {
  const { CI } = process.env;
  const empty = mkdtempSync(join(tmpdir(), "kernel-"));
  const write = process.stderr.write.bind(process.stderr);
  afterEach(() => {
    process.stderr.write = write;
    if (CI === undefined) delete process.env["CI"];
    else process.env["CI"] = CI;
  });
  after(() => rmSync(empty, { recursive: true }));

  it("leaves the tests on a real kernel out, and says in one line how to get them", () => {
    delete process.env["CI"];
    const told: string[] = [];
    process.stderr.write = (text: string | Uint8Array) => told.push(String(text)) > 0;
    let skipped = false;
    needKernel({ skip: () => void (skipped = true) }, empty);
    assert.ok(skipped);
    assert.deepEqual(told, [
      "    these tests need virtual machines; as root, node tools/setup/index.js kernel makes them of QEMU and Debian's kernel: left out\n",
    ]);
  });

  it("fails there in CI", () => {
    process.env["CI"] = "true";
    assert.throws(
      () => needKernel({ skip: () => {} }, empty),
      /^Error: these tests need virtual machines; as root, node tools\/setup\/index\.js kernel/,
    );
  });
});
