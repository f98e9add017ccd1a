import { howManyFit, mostBytesOfWarnings } from "./progress";

/** What a run wants a person to know at its end. Pulumi's terminal overwrites what comes before. */
export interface Warned {
  /** Left out where there is nothing to say, so that the state stays as it was. */
  readonly warnings?: {
    /** When the run ended, in milliseconds since 1970, by the clock of the machine on which Pulumi runs. */
    readonly at: number;
    readonly lines: readonly string[];
  };
}

/**
 * Each once, as many as fit, and how many others there were. They go into the state, and come back in an environment variable.
 *
 * @param file Has the others. @default - nothing has them
 */
export function boundedWarnings(lines: readonly string[], file?: string, most = mostBytesOfWarnings): readonly string[] {
  const each = [...new Set(lines)];
  const shown = howManyFit(each, most);
  const more = each.length - shown;
  if (more === 0) return each;
  const where = file === undefined ? `that ${more === 1 ? "does" : "do"} not fit here` : `in ${file}`;
  return [...each.slice(0, shown), `and ${more} more ${more === 1 ? "warning" : "warnings"} ${where}`];
}

export function warningsOf(lines: readonly string[], at: number, file?: string): Warned {
  const bounded = boundedWarnings(lines, file);
  return bounded.length === 0 ? {} : { warnings: { at, lines: bounded } };
}
