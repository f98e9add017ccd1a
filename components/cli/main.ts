#!/usr/bin/env node
import { dispatch } from "./dispatch";
import type { Terminal } from "./verb";

const terminal: Terminal = {
  input: async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
    return Buffer.concat(chunks).toString("utf8");
  },
  inputIsTty: process.stdin.isTTY,
  outIsTty: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
};

// Not process.exit: what is written to a pipe would be cut off.
void dispatch(process.argv.slice(2), terminal).then((code) => (process.exitCode = code));
