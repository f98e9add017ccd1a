import { show } from "../report";
import type { HostDescription } from "./host";
import type { Problem } from "../report";

/** The common part of every provider's arguments for a group whose hosts are numbered. */
export interface NumberedHosts {
  /**
   * How many hosts: numbers 1 to `count`.
   * @default 1
   */
  readonly count?: number;
  /** The hosts' numbers instead of a count, so that you can remove one from the middle: `[1, 3]`. @default - 1 to `count` */
  readonly numbers?: readonly number[];
}

const mostHosts = 1000;

export function numberedHosts(args: NumberedHosts): { readonly hosts: readonly HostDescription[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const whole = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= mostHosts;
  if (args.count !== undefined && args.numbers !== undefined) {
    problems.push({ path: "count", message: "count and numbers are both given", fix: "keep one of them" });
  } else if (args.count !== undefined && !whole(args.count)) {
    problems.push({
      path: "count",
      message: `${show(args.count)} is not a number of hosts`,
      fix: `give a whole number from 1 to ${mostHosts}`,
    });
    return { hosts: [], problems };
  }
  if (args.numbers !== undefined && (!Array.isArray(args.numbers) || args.numbers.length === 0)) {
    problems.push({
      path: "numbers",
      message: `${show(args.numbers)} is not a list of hosts' numbers`,
      fix: "give a list such as [1, 3], or take the group out",
    });
    return { hosts: [], problems };
  }
  const numbers = args.numbers ?? Array.from({ length: args.count ?? 1 }, (_, index) => index + 1);
  numbers.forEach((number, index) => {
    if (!whole(number)) {
      problems.push({
        path: `numbers[${index}]`,
        message: `${show(number)} is not a host's number`,
        fix: `give whole numbers from 1 to ${mostHosts}`,
      });
    } else if (numbers.indexOf(number) !== index) {
      problems.push({ path: `numbers[${index}]`, message: `host ${number} is named twice`, fix: "name each number once" });
    }
  });
  return { hosts: [...new Set(numbers)].map((number) => ({ place: String(number) })), problems };
}
