import assert from "node:assert/strict";
import type { NetworkIo } from "../../components/networks/api";
import type { Waiting } from "../../components/waiting";
import type { FakeDocker } from "./fake-docker";

/** A clock that moves only when somebody sleeps: a wait costs nothing, and its limit is exact. */
export class FakeIo implements NetworkIo {
  readonly lines: string[] = [];
  /** What was waited for, with what was seen last. */
  readonly waits: string[] = [];
  private clock = 0;

  constructor(private readonly docker: Pick<FakeDocker, "passes">) {}

  progress(line: string): void {
    this.lines.push(line);
  }

  waiting(host: string | undefined, what: string): Waiting {
    const place = this.waits.push(`${host ?? "all"}: ${what}`) - 1;
    return { seen: (detail) => (this.waits[place] = `${host ?? "all"}: ${what} (${detail})`), end: () => {} };
  }

  async sleep(milliseconds: number): Promise<void> {
    assert.ok(milliseconds > 0);
    this.clock += milliseconds;
    this.docker.passes(milliseconds);
  }

  now(): number {
    return this.clock;
  }
}

/** What an error says, in full. */
export async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof Error);
    return error.message;
  }
  return assert.fail("it should have failed");
}
