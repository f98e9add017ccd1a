import { appendFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/*
 * Pulumi keeps what a run writes to standard error, and gives it back to the next run and to the deletion in one environment
 * variable, which Linux limits to 128 KiB (MAX_ARG_STRLEN). So it is bounded, whatever the number of hosts.
 */

/** Bytes of progress; as many again are left for what a failed run says at its end. */
const mostBytes = 48_000;
/** Whose steps are told one by one. The others are counted. */
const hostsTold = 40;
/** Bytes of warnings that are told at the end, by whatever way. */
export const mostBytesOfWarnings = 2_000;
/** How a warning begins. */
const warning = "warning:";

/** What a person sees of a run, and what goes into a file because there are too many hosts to tell it of. */
export class Progress {
  private readonly warned = new Set<string>();
  private readonly told = new Set<string>();
  private bytes = 0;
  private warnedBytes = 0;
  private file: string | undefined;
  private noFile = false;

  constructor(
    private readonly write: (text: string) => void,
    private readonly makeFile: () => string = () => join(mkdtempSync(join(tmpdir(), "pulumi-swarm-")), "progress.log"),
  ) {}

  say(host: string | undefined, line: string): void {
    const whose = host === undefined ? "" : `${host}: `;
    const text = `${whose}${line}\n`;
    if (line.startsWith(warning)) this.warn(`${whose}${line.slice(warning.length).trim()}`);
    else if (this.isTold(host) && this.bytes + Buffer.byteLength(text) <= mostBytes) this.put(text);
    else this.keep(text);
  }

  /** Each once, without the word itself, in the order in which they arose. They are for the end of a run. */
  get warnings(): readonly string[] {
    return [...this.warned];
  }

  /** Where there is more to read than was told. @default - all was told */
  get rest(): string | undefined {
    return this.noFile ? undefined : this.file;
  }

  /** Between the steps of a run it would be overwritten, or be told twice. */
  private warn(text: string): void {
    if (this.warned.has(text)) return;
    this.warned.add(text);
    this.warnedBytes += Buffer.byteLength(text);
    if (this.warnedBytes > mostBytesOfWarnings) this.keep(`${warning} ${text}\n`);
  }

  private isTold(host: string | undefined): boolean {
    if (host === undefined || this.told.has(host)) return true;
    if (this.told.size >= hostsTold) return false;
    this.told.add(host);
    return true;
  }

  /** What is told is no reason to stop a run. */
  private keep(text: string): void {
    if (this.noFile) return;
    try {
      if (this.file === undefined) {
        this.file = this.makeFile();
        this.put(`there is more to tell than fits here: the rest is in ${this.file}\n`);
      }
      appendFileSync(this.file, text, { mode: 0o600 });
    } catch (error) {
      this.noFile = true;
      this.put(`there is more to tell than fits here, and the rest is lost: ${whyNoFile(error)}\n`);
    }
  }

  private put(text: string): void {
    this.bytes += Buffer.byteLength(text);
    this.write(text);
  }
}

function whyNoFile(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" ? `the disk of this machine with ${tmpdir()} is full` : message;
}

export interface FailedHost {
  readonly host: string;
  readonly reason: string;
}

/** What is wrong, to stand after the host's name and before another sentence. */
export function plainReason({ host, reason }: FailedHost): string {
  return (reason.startsWith(`${host}: `) ? reason.slice(host.length + 2) : reason).replace(/\.$/, "");
}

/** Bytes of the list of all that failed. */
const mostBytesOfFailures = 40_000;

/** How many texts, from the first one on, are no more than so many bytes together. */
export function howManyFit(texts: readonly string[], bytes: number): number {
  let left = bytes;
  const first = texts.findIndex((text) => (left -= Buffer.byteLength(text)) < 0);
  return first < 0 ? texts.length : first;
}

/** A line each; where that is too much, the first ones with their reasons, and the names of all others. */
export function listFailures(failures: readonly FailedHost[], most = mostBytesOfFailures): string[] {
  // Several steps may fail on one host for one reason.
  const byLine = new Map(failures.map(({ host, reason }) => [`  - ${reason.startsWith(`${host}: `) ? reason : `${host}: ${reason}`}`, host]));
  const lines = [...byLine.keys()];
  const ended = lines.map((line) => `${line}\n`);
  if (howManyFit(ended, most) === lines.length) return lines;
  const shown = howManyFit(ended, most / 2);
  const names = [...new Set([...byLine.values()].slice(shown))].join(", ");
  const cut = Buffer.from(names)
    .subarray(0, most / 2)
    .toString();
  return [...lines.slice(0, shown), `  - and ${lines.length - shown} more: ${cut}${cut.length < names.length ? " …" : ""}`];
}

/** What a run says at its end of hosts that are not as asked. */
export function describeFailures(hosts: readonly string[], failures: readonly FailedHost[]): string {
  const failed = new Set(failures.map(({ host }) => host));
  const known = hosts.filter((key) => failed.has(key)).length;
  const others = hosts.length - known;
  const count = failed.size === 1 ? `1 ${known === 1 ? "host is" : "thing is"}` : `${failed.size} ${known === failed.size ? "hosts" : "things"} are`;
  const rest =
    others === 0
      ? `that is all of the ${hosts.length}`
      : known === 0
        ? "the hosts themselves are done"
        : others === 1
          ? "the other host is done"
          : "the other hosts are done";
  return [
    `${count} not as asked; ${hosts.length === 1 && others === 0 ? "it is the only one" : rest}. Fix this and run again:`,
    ...listFailures(failures),
  ].join("\n");
}
