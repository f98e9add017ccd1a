// @ts-check
// One end of a conversation, to be run inside a host's network:
//
//   node talk.js echo PORT …                          answers until it is ended; prints "ready"
//   node talk.js ask ADDRESS MILLISECONDS PORT …      prints the ports that answered, as JSON
//   node talk.js get ADDRESS MILLISECONDS PORT       prints what an HTTP server says; ends with 1 when no connection comes in time
//   node talk.js knock ADDRESS,… PROTOCOL/PORT …      knocks again and again until it is ended; prints "ready", then what answered, as JSON
"use strict";
const dgram = require("node:dgram");
const net = require("node:net");

/** @param {readonly number[]} ports */
async function echo(ports) {
  for (const port of ports) {
    const socket = dgram.createSocket("udp4");
    socket.on("message", (message, { address, port: back }) => socket.send(message, back, address));
    await new Promise((resolve) => socket.bind(port, () => resolve(undefined)));
  }
  process.stdout.write("ready\n");
}

/** @param {string} address @param {number} limit @param {readonly number[]} ports */
async function ask(address, limit, ports) {
  const answers = await Promise.all(ports.map((port) => answersOn(address, limit, port)));
  process.stdout.write(`${JSON.stringify(ports.filter((_, index) => answers[index]))}\n`);
}

/** @param {string} address @param {number} limit @param {number} port @returns {Promise<boolean>} */
async function answersOn(address, limit, port) {
  const socket = dgram.createSocket("udp4");
  try {
    return await new Promise((resolve) => {
      const again = setInterval(() => socket.send("anyone there?"), 250);
      setTimeout(() => (clearInterval(again), resolve(false)), limit);
      socket.on("message", () => (clearInterval(again), resolve(true)));
      // A refusal is an answer of the host's, not of a service.
      socket.on("error", () => {});
      socket.connect(port, address, () => socket.send("anyone there?"));
    });
  } finally {
    socket.close();
  }
}

/** @param {string} address @param {number} limit @param {number} port */
function get(address, limit, port) {
  const socket = net.connect({ host: address, port, timeout: limit }, () => socket.write("GET / HTTP/1.0\r\n\r\n"));
  socket.pipe(process.stdout);
  socket.on("timeout", () => socket.destroy(new Error(`nothing within ${limit} ms`)));
  socket.on("error", (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}

/**
 * A refusal is an answer too: a firewall that drops is silent.
 * @typedef {{ first: number, last: number, refused: number, open: number }} Answers times in milliseconds since the beginning
 */

/** @param {readonly string[]} addresses @param {readonly string[]} doors */
function knock(addresses, doors) {
  const begun = Date.now();
  /** @type {Record<string, Record<string, Answers>>} */
  const heard = Object.fromEntries(addresses.map((address) => [address, {}]));
  const all = addresses.flatMap((address) => doors.map((door) => ({ address, door, ready: 0 })));
  const again = setInterval(() => {
    for (const each of all.filter(({ ready }) => ready <= Date.now())) {
      const { address, door } = each;
      knockOnce(address, door, (how) => {
        const now = Date.now() - begun;
        const answers = ((heard[address] ??= {})[door] ??= { first: now, last: now, refused: 0, open: 0 });
        answers.last = now;
        answers[how] += 1;
        // An emulated host has other things to do.
        each.ready = Date.now() + 5_000;
      });
    }
  }, 1_000);
  process.on("SIGINT", () => {
    clearInterval(again);
    process.stdout.write(`${JSON.stringify(heard)}\n`, () => process.exit());
  });
  process.stdout.write("ready\n");
}

/** One that boots may take seconds to answer. */
const patience = 10_000;

/** @param {string} address @param {string} door @param {(how: "refused" | "open") => void} answered */
function knockOnce(address, door, answered) {
  const [protocol, port] = door.split("/");
  const failed = (/** @type {NodeJS.ErrnoException} */ { code }) => {
    if (code === "ECONNREFUSED" || code === "ECONNRESET") answered("refused");
  };
  if (protocol === "tcp") {
    const socket = net.connect({ host: address, port: Number(port), timeout: patience });
    socket.on("connect", () => (answered("open"), socket.destroy()));
    socket.on("timeout", () => socket.destroy());
    socket.on("error", failed);
  } else {
    const socket = dgram.createSocket("udp4");
    setTimeout(() => socket.close(), patience);
    socket.on("message", () => answered("open"));
    socket.on("error", failed);
    socket.connect(Number(port), address, () => socket.send("anyone there?"));
  }
}

const [verb, ...rest] = process.argv.slice(2);
const [address = "", ...numbers] = rest;
if (verb === "echo") void echo(rest.map(Number));
else if (verb === "ask") void ask(address, Number(numbers[0]), numbers.slice(1).map(Number)).then(() => process.exit());
else if (verb === "get") get(address, Number(numbers[0]), Number(numbers[1]));
else if (verb === "knock") knock(address.split(","), numbers);
else process.exitCode = 2;
