/** What a verb reads and writes. */
export interface Terminal {
  /** Everything that comes by standard input. */
  input(): Promise<string>;
  /** Whether a person would have to type it. */
  readonly inputIsTty: boolean;
  out(text: string): void;
  /** Whether a person sees it, in colours where there are some. */
  readonly outIsTty: boolean;
  error(text: string): void;
}

/** One thing that `pulumi-swarm` does. A new verb is a file beside this one and its line in `dispatch.ts`. */
export interface Verb {
  /** What it does, in a line for the list of verbs. */
  readonly summary: string;
  /** How it is called, all of its options among it. */
  readonly usage: string;
  /** Its exit code where it was called wrongly. @default 1 */
  readonly unusable?: number;
  /**
   * @returns the exit code.
   * @throws UsageError where it was called otherwise than it can be.
   */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

/** It was called with what it does not know. The message is one line that says what, and how to do it right. */
export class UsageError extends Error {}

/** Of what was called otherwise than it can be, or of what cannot be read. */
export const unusable = 1;

/** As `node:util`'s parseArgs says it, in one line. */
export function asUsage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith("ERR_PARSE_ARGS_")) {
      throw new UsageError((error.message.split(/\. |\n/, 1)[0] ?? error.message).replace(/\.$/, ""));
    }
    throw error;
  }
}
