import { isNot, type Report, show } from "../report";
import { AnyCidr, isAnyCidr } from "../network/any-cidr";
import { isHostSelector, selects } from "./resolve";
import type { HostSelector, Source } from "./rule";

export interface Group {
  readonly key: string;
  readonly role: "manager" | "worker";
}

/** Reads sources and selectors as the user wrote them, and compares them. */
export class Sources {
  constructor(
    private readonly groups: readonly Group[],
    private readonly report: Report,
  ) {}

  /** @returns those that can be used; the others are reported. */
  check(path: string, given: unknown): readonly Source[] {
    return this.list(path, given).filter((source, index): source is Source => {
      const at = `${path}[${index}]`;
      if (source === "world") return true;
      if (typeof source === "string" && isHostSelector(source)) return this.isSelector(at, source);
      return this.isNetwork(at, source, `, "world", "members", "managers", "workers" or "group name"`);
    });
  }

  /** Networks only. */
  networks(path: string, given: unknown): readonly string[] {
    return this.list(path, given, "none").filter((network, index): network is string => this.isNetwork(`${path}[${index}]`, network, ""));
  }

  /** Without a report: what `networks` has reported already. */
  valid(given: unknown): readonly string[] {
    return Array.isArray(given) ? given.filter((text): text is string => typeof text === "string" && isAnyCidr(AnyCidr.parse(text))) : [];
  }

  selector(path: string, given: unknown): HostSelector {
    if (typeof given === "string" && isHostSelector(given)) return this.isSelector(path, given) ? given : "members";
    this.report(path, `${show(given)} does not name hosts of the cluster`, `write "members", "managers", "workers" or "group name"`);
    return "members";
  }

  isHosts(source: Source): boolean {
    return isHostSelector(source);
  }

  contains(outer: Source, inner: Source): boolean {
    if (outer === "world" || outer === inner) return true;
    if (isHostSelector(outer)) return isHostSelector(inner) && this.chosen(inner).every((group) => this.chosen(outer).includes(group));
    if (isHostSelector(inner)) return false;
    const whole = AnyCidr.parse(outer);
    const parts = inner === "world" ? AnyCidr.world : [AnyCidr.parse(inner)];
    return isAnyCidr(whole) && parts.every((part) => isAnyCidr(part) && whole.contains(part));
  }

  /** Whether two selectors have hosts in common. */
  meet(one: HostSelector, other: HostSelector): boolean {
    return this.chosen(one).some((group) => this.chosen(other).includes(group));
  }

  private chosen(selector: HostSelector): readonly Group[] {
    return this.groups.filter(({ key, role }) => selects(selector, { group: key, role }));
  }

  private list(path: string, given: unknown, empty: "refused" | "none" = "refused"): readonly unknown[] {
    if (!Array.isArray(given)) {
      this.report(path, isNot(given, "a list of sources"), `write it as ["203.0.113.0/24"]`);
      return [];
    }
    if (given.length === 0 && empty === "refused") this.report(path, "it is empty, so nobody could connect", "name who may, or leave the entry out");
    return given;
  }

  private isSelector(path: string, selector: HostSelector): boolean {
    if (!selector.startsWith("group ") || this.groups.some(({ key }) => selector === `group ${key}`)) return true;
    this.report(
      path,
      `there is no group "${selector.slice("group ".length)}"`,
      `the groups are ${this.groups.map(({ key }) => key).join(", ") || "none"}`,
    );
    return false;
  }

  private isNetwork(path: string, given: unknown, orElse: string): boolean {
    const parsed = typeof given === "string" ? AnyCidr.parse(given) : { problem: `${show(given)} is not a network in CIDR form` };
    if (isAnyCidr(parsed)) return true;
    this.report(path, parsed.problem, fixOf(given, orElse));
    return false;
  }
}

function fixOf(given: unknown, orElse: string): string {
  if (typeof given === "string" && !given.includes("/")) {
    const single = AnyCidr.parse(`${given}/${given.includes(":") ? 128 : 32}`);
    if (isAnyCidr(single)) return `for this one address write "${single.toString()}"`;
  }
  return `write a network such as "203.0.113.0/24" or "2001:db8::/32"${orElse}`;
}
