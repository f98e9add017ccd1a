import type { Rule } from "../finding";
import { duration, names } from "../words";

/** Seconds. */
const [noticeable, harmful] = [2, 300];

/** Certificates begin and end by a host's clock, and WireGuard refuses a handshake that is older than the last one. */
export const clockOff: Rule = {
  kind: "clock-off",
  summary: `a host's clock is more than ${noticeable} s off (warning), or more than ${duration(harmful)} (broken)`,
  find: ({ looked }) => {
    const middle = median(looked.map(({ system }) => system.clock));
    // Where most hosts agree with each other and not with this machine, it is this machine's clock.
    const own = looked.length > 2 && Math.abs(middle) > noticeable ? middle : 0;
    const off = looked.map((host) => ({ host, by: host.system.clock - own })).filter(({ by }) => Math.abs(by) > noticeable);
    return [
      ...off.map(({ host: { key }, by }) => ({
        severity: Math.abs(by) > harmful ? ("broken" as const) : ("warning" as const),
        hosts: [key],
        text: `${key}: its clock is ${duration(by)} ${by > 0 ? "ahead" : "behind"}; certificates and WireGuard's handshakes depend on it`,
        fix: `set the clock of ${key} by the network: "timedatectl set-ntp true", and see "timedatectl timesync-status" or "chronyc tracking" there`,
      })),
      ...(own === 0
        ? []
        : [
            {
              severity: "warning" as const,
              hosts: [],
              text: `the clock of this machine is ${duration(own)} ${own > 0 ? "behind" : "ahead of"} those of ${names(looked)}, which agree with each other`,
              fix: "set the clock of this machine by the network",
            },
          ]),
    ];
  },
};

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
