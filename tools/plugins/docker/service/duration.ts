const NANOSECONDS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** As Go's time.ParseDuration, in nanoseconds; what it cannot read is 0, as the real provider takes it. */
export function nanoseconds(text: string): number {
  return [...text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, amount = "0", unit = "s"]) => sum + Number.parseFloat(amount) * (NANOSECONDS[unit] ?? 0),
    0,
  );
}

/** As Go's Duration.String. */
export function goDuration(nanos: number): string {
  if (nanos === 0) return "0s";
  if (nanos < 1e3) return `${nanos}ns`;
  if (nanos < 1e6) return `${nanos / 1e3}µs`;
  if (nanos < 1e9) return `${nanos / 1e6}ms`;
  const [hours, minutes, seconds] = [Math.floor(nanos / 3600e9), Math.floor(nanos / 60e9) % 60, (nanos % 60e9) / 1e9];
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`;
}

/** The same without the zeros at its end: resource_docker_service_structures.go, shortDur. A program that says "90s" reads "1m30s". */
export function shortDuration(nanos: number): string {
  return goDuration(nanos).replace(/m0s$/, "m").replace(/h0m$/, "h");
}
