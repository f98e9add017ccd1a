import { text } from "node:stream/consumers";
import { note, startedAt, traced, writeTrace } from "../trace";
import { type Failure, onEach } from "../remote/each";
import type { Counting, Waiting } from "../waiting";
import { type Deed, Deeds } from "./deeds";
import { logByEngine } from "./engine-log";
import { Pace } from "./pace";
import { describeFailures, type FailedHost, Progress } from "./progress";
import { boundedWarnings, warningsOf } from "./warnings";

const began = Date.now();
const shown = new Progress((line) => process.stderr.write(line));
const pace = new Pace((line) => shown.say(undefined, line));
const deeds = new Deeds();

/** Progress for a person, on standard error; Pulumi shows it beside the resource while the run lasts. Warnings are kept for its end. */
export function progress(host: string | undefined, line: string): void {
  shown.say(host, line);
}

/** A wait that a person is told of where it lasts: see {@link Pace}. */
export function waiting(host: string | undefined, what: string, limit: number): Waiting {
  return pace.wait(host, what, limit);
}

export function counting(done: string, hosts: readonly string[]): Counting {
  return pace.count(done, hosts);
}

/** Something was done to a host, for the last line. */
export function did(host: string, deed: Deed): void {
  deeds.did(host, deed);
}

/**
 * A phase: the same on all hosts at once, as {@link onEach} does it. It is announced, and counted where it lasts.
 *
 * @param doing What is done, without its hosts, as "preparing Docker on".
 * @param done What is true of a host then, as "Docker ready".
 */
export async function phase<Item extends { readonly key: string }, Result>(
  doing: string,
  done: string,
  items: readonly Item[],
  failures: Failure[],
  work: (item: Item) => Promise<Result>,
): Promise<Map<string, Result>> {
  if (items.length === 0) return new Map();
  announce(doing, items.length);
  const count = counting(
    done,
    items.map(({ key }) => key),
  );
  try {
    const each = async (item: Item): Promise<Result> => {
      let well = false;
      try {
        const result = await work(item);
        well = true;
        return result;
      } finally {
        count.ended(item.key, well);
      }
    };
    return await traced("phase", doing, undefined, () => onEach(items, failures, each));
  } finally {
    count.end();
  }
}

/** @param doing Without its hosts, as "looking at". */
export function announce(doing: string, hosts: number): void {
  progress(undefined, `${doing} ${hosts} ${hosts === 1 ? "host" : "hosts"}`);
}

/** The last line of an `up`. @param areMembers Whether they are members of a swarm. */
export function tellUp(hosts: readonly { readonly key: string }[], failures: readonly FailedHost[], areMembers: boolean): void {
  const failed = new Set(failures.map(({ host }) => host));
  const keys = hosts.map(({ key }) => key);
  progress(undefined, deeds.describeUp(keys, failed, Date.now() - began, areMembers));
}

/** The last line of what undoes it. */
export function tellDown(hosts: readonly { readonly key: string }[], failures: readonly FailedHost[]): void {
  const kept = new Set(failures.map(({ host }) => host));
  const keys = hosts.map(({ key }) => key);
  progress(undefined, deeds.describeDown(keys, kept, Date.now() - began));
}

type Work<Request, Previous> = (request: Request, previous: Previous | undefined) => Promise<object>;

/**
 * Runs one of our programs: the request comes by standard input, what the resource printed last time by the
 * environment, the response goes out as one line of JSON, with the warnings in it. An error is a message for the user, never a stack.
 */
export async function runAgent<Request, Previous>(work: Work<Request, Previous>): Promise<void> {
  await run(work, async (response) => ({ ...response, ...warningsOf(shown.warnings, Date.now(), shown.rest) }));
}

/**
 * The same for a program that undoes something. Nobody reads its response: its resource is gone then, and at a destroy the user's program does
 * not run. So the engine itself is told its warnings; where it cannot be, they are the last lines on standard error.
 *
 * @param whose What they are about, as "SwarmCluster prod": the engine shows them under the stack.
 */
export async function runUndoing<Request, Previous>(work: Work<Request, Previous>, whose: (request: Request) => string): Promise<void> {
  let owner = "";
  await run<Request, Previous>(
    (request, previous) => {
      owner = whose(request);
      return work(request, previous);
    },
    async (response) => {
      const lines = boundedWarnings(shown.warnings, shown.rest).map((line) => `${owner}: ${line}`);
      if (!(await logByEngine(lines))) process.stderr.write(warningBlock(lines));
      return response;
    },
  );
}

async function run<Request, Previous>(work: Work<Request, Previous>, settle: (response: object) => Promise<object>): Promise<void> {
  try {
    note("phase", "load", undefined, startedAt);
    const request = parse<Request>(await text(process.stdin), "what this program was asked");
    const previous = process.env["PULUMI_COMMAND_STDOUT"];
    const response = await work(request, previous ? parse<Previous>(previous, "what Pulumi's state has of the last run") : undefined);
    const answer = await settle(response);
    endTrace();
    process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0));
  } catch (error) {
    // Pulumi logs each line on standard error while a run goes on, and repeats in its error what came by either way.
    await sleep(20);
    endTrace();
    const said = error instanceof Error ? error.message : String(error);
    process.stdout.write(`${warningBlock(boundedWarnings(shown.warnings, shown.rest))}${said}\n`, () => process.exit(1));
  }
}

function warningBlock(lines: readonly string[]): string {
  return lines.map((line) => `warning: ${line}\n`).join("");
}

function parse<Value>(json: string, what: string): Value {
  try {
    return JSON.parse(json) as Value;
  } catch {
    throw new Error(
      `${what} is cut off: ${Buffer.byteLength(json)} bytes that are no JSON. Nothing was changed. Fix: see that no disk of this machine is full, and run again`,
    );
  }
}

/** Several things went wrong on several hosts of those that were asked for: one message, a line each. */
export function reportFailures(hosts: readonly { readonly key: string }[], failures: readonly FailedHost[]): void {
  if (failures.length === 0) return;
  throw new Error(
    describeFailures(
      hosts.map(({ key }) => key),
      failures,
    ),
  );
}

export function sleep(milliseconds: number): Promise<void> {
  return traced("pause", "wait", undefined, () => new Promise((resolve) => setTimeout(resolve, milliseconds)));
}

function endTrace(): void {
  note("program", "run", undefined, startedAt);
  writeTrace();
}
