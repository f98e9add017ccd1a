import { howManyFit } from "./progress";

/** What a run wants a person to know at its end. Pulumi's terminal overwrites what comes before. */
export interface Warned {
  /** Left out where there is nothing to say, so that the state stays as it was. */
  readonly warnings?: {
    /** When the run ended, in milliseconds since 1970, by the clock of the machine on which Pulumi runs. */
    readonly at: number;
    readonly lines: readonly string[];
  };
}

/** Bytes of warnings in the state, and in what comes back in an environment variable. */
const mostBytes = 2_000;

/** Each once, as many as fit, and how many others there were. */
export function warningsOf(lines: readonly string[], at: number, most = mostBytes): Warned {
  const each = [...new Set(lines)];
  if (each.length === 0) return {};
  const shown = howManyFit(each, most);
  const more = each.length - shown;
  const rest = more === 0 ? [] : [`and ${more} more ${more === 1 ? "warning" : "warnings"} that ${more === 1 ? "does" : "do"} not fit here`];
  return { warnings: { at, lines: [...each.slice(0, shown), ...rest] } };
}
