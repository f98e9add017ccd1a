// @ts-check
// Speaks with a virtual machine from outside, whatever its network and its firewall are: with QEMU, and with the guest agent in it.
"use strict";
const net = require("node:net");
const { setTimeout: pause } = require("node:timers/promises");
const { ask } = require("./programs");

/** A socket on which each line of JSON that is sent is answered by one. */
class Conversation {
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();
  #read = "";
  /** @type {((line: Record<string, unknown>) => void) | undefined} */
  #answer;
  /** @type {((error: Error) => void) | undefined} */
  #fail;
  closed = false;

  /** @param {string} file @param {string} what */
  constructor(file, what) {
    this.what = what;
    this.socket = net.connect({ path: file });
    this.socket.setEncoding("utf8").on("data", (text) => this.#took(String(text)));
    this.socket.on("error", (error) => this.close(error));
    this.socket.on("close", () => this.close(new Error("the machine was turned off")));
  }

  /** @param {Error} error */
  close(error) {
    this.closed = true;
    this.socket.destroy();
    this.#fail?.(new Error(`${this.what}: ${error.message}`));
  }

  /** @param {string} text */
  #took(text) {
    const lines = (this.#read + text).split("\n");
    this.#read = lines.pop() ?? "";
    // The agent begins what follows a synchronisation with a byte that is no text.
    for (const line of lines.map((each) => each.replace(/^\ufffd/, "").trim()).filter(Boolean)) {
      /** @type {Record<string, unknown>} */
      const said = JSON.parse(line);
      if (!("event" in said) && !("QMP" in said)) this.#answer?.(said);
    }
  }

  /**
   * @param {string} execute
   * @param {object} [args]
   * @param {{ timeout?: number, when?: (answer: unknown) => boolean }} [options] `when`: which of the answers is the one to this
   * @returns {Promise<any>}
   */
  request(execute, args, { timeout = 20_000, when = () => true } = {}) {
    const next = this.#last.then(() => this.#exchange(execute, args, timeout, when));
    this.#last = next.catch(() => {});
    return next;
  }

  /** @param {string} execute @param {object | undefined} args @param {number} timeout @param {(answer: unknown) => boolean} when */
  async #exchange(execute, args, timeout, when) {
    if (this.closed) throw new Error(`${this.what}: the machine was turned off`);
    this.socket.ref();
    // What is on its way would be taken for the answer to the next.
    const timer = setTimeout(() => this.close(new Error(`no answer to ${execute} within ${timeout / 1000} s`)), timeout);
    try {
      return await new Promise((resolve, reject) => {
        this.#fail = reject;
        this.#answer = (said) => {
          if ("error" in said) reject(new Error(`${this.what}: ${execute}: ${JSON.stringify(said["error"])}`));
          else if (when(said["return"])) resolve(said["return"]);
        };
        this.socket.write(`${JSON.stringify({ execute, ...(args && { arguments: args }) })}\n`);
      });
    } finally {
      clearTimeout(timer);
      this.#answer = undefined;
      this.#fail = undefined;
      // A conversation that waits for its next request keeps no program from ending.
      this.socket.unref();
    }
  }
}

/** @type {Map<string, Promise<Conversation>>} */
const conversations = new Map();

/**
 * @param {string} container
 * @param {"agent" | "monitor"} who
 * @returns {Promise<Conversation>}
 */
async function conversation(container, who) {
  const key = `${container} ${who}`;
  const open = await conversations.get(key)?.catch(() => undefined);
  if (open && !open.closed) return open;
  const next = begin(container, who);
  conversations.set(key, next);
  return next;
}

/** @param {string} container @param {"agent" | "monitor"} who */
async function begin(container, who) {
  const { stdout, stderr } = await ask("docker", ["inspect", "--format", "{{.State.Pid}}", container]);
  if (!/^[1-9]\d*$/.test(stdout)) throw new Error(`${container} does not run: ${stderr}`);
  const begun = new Conversation(`/proc/${stdout}/root/run/${who}.sock`, container);
  if (who === "monitor") await begun.request("qmp_capabilities");
  else {
    // Answers to somebody before may still be on their way.
    const id = Math.floor(Math.random() * 1e9);
    await begun.request("guest-sync", { id }, { timeout: 3_000, when: (answer) => answer === id });
  }
  return begun;
}

/**
 * A command of QEMU's machine protocol.
 * @param {string} container
 * @param {string} execute
 * @param {object} [args]
 * @param {number} [timeout] milliseconds
 */
async function monitor(container, execute, args, timeout = 60_000) {
  return (await conversation(container, "monitor")).request(execute, args, { timeout });
}

/**
 * A command in the machine, as root. Needs neither its network nor its sshd.
 * @param {string} container
 * @param {readonly string[]} command
 * @param {{ stdin?: string, timeout?: number }} [options] milliseconds
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>}
 */
async function exec(container, command, { stdin = "", timeout = 600_000 } = {}) {
  const [path = "", ...arg] = command;
  const agent = await conversation(container, "agent");
  const input = { "input-data": Buffer.from(stdin).toString("base64") };
  /** @type {{ pid: number }} */
  const { pid } = await agent.request("guest-exec", { path, arg, ...input, "capture-output": true });
  const until = Date.now() + timeout;
  for (let wait = 10; ; wait = Math.min(wait * 1.5, 500)) {
    await pause(wait);
    /** @type {{ exited: boolean, exitcode?: number, signal?: number, "out-data"?: string, "err-data"?: string }} */
    const status = await agent.request("guest-exec-status", { pid });
    if (status.exited) {
      const text = (/** @type {string} */ data = "") => Buffer.from(data, "base64").toString();
      return { code: status.exitcode ?? 128 + (status.signal ?? 0), stdout: text(status["out-data"]), stderr: text(status["err-data"]) };
    }
    if (Date.now() > until) throw new Error(`${container}: ${command.join(" ").slice(0, 100)}: not ended within ${timeout / 1000} s`);
  }
}

module.exports = { Conversation, exec, monitor };
