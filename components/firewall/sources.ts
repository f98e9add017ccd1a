import { isNot, type Report, show } from "../report";
import { AnyCidr, isAnyCidr } from "../addresses/any-cidr";
import { looksLikeNetwork, selectorMeant, sourceFix } from "./meant";
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
    return this.list(path, given).filter((source, index): source is Source => this.isSource(`${path}[${index}]`, source));
  }

  /** One of them. What cannot be used is reported. */
  isSource(at: string, source: unknown): source is Source {
    if (source === "world") return true;
    if (typeof source === "string" && isHostSelector(source)) return this.isSelector(at, source);
    return this.isNetwork(at, source, true);
  }

  /** Networks only. */
  networks(path: string, given: unknown): readonly string[] {
    return this.list(path, given, "none").filter((network, index): network is string => this.isNetwork(`${path}[${index}]`, network, false));
  }

  /** Without a report: what `networks` has reported already. */
  valid(given: unknown): readonly string[] {
    return Array.isArray(given) ? given.filter((text): text is string => typeof text === "string" && isAnyCidr(AnyCidr.parse(text))) : [];
  }

  selector(path: string, given: unknown): HostSelector {
    if (typeof given === "string" && isHostSelector(given)) return this.isSelector(path, given) ? given : "members";
    // A list of one is easily read; of several, each is a rule.
    const meant = selectorMeant(Array.isArray(given) && given.length === 1 ? given[0] : given, this.keys);
    const message = `${show(given)} does not name hosts of the cluster${meant === undefined ? "" : `; did you mean "${meant}"?`}`;
    this.report(path, message, `write ${meant === undefined ? '"members", "managers", "workers" or "group NAME"' : `"${meant}"`}`);
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
      const one = typeof given === "string" && given !== "" ? given : "203.0.113.0/24";
      this.report(path, isNot(given, "a list of sources"), `write it as ["${one}"]`);
      return [];
    }
    if (given.length === 0 && empty === "refused") this.report(path, "it is empty, so nobody could connect", "name who may, or leave the entry out");
    return given;
  }

  private isSelector(path: string, selector: HostSelector): boolean {
    if (!selector.startsWith("group ") || this.groups.some(({ key }) => selector === `group ${key}`)) return true;
    const meant = selectorMeant(selector, this.keys);
    const fix = meant === undefined ? `the groups are ${this.keys.join(", ") || "none"}` : `write "${meant}"`;
    const message = `there is no group "${selector.slice("group ".length)}"${meant === undefined ? "" : `; did you mean "${meant}"?`}`;
    this.report(path, message, fix);
    return false;
  }

  /** @param selects Whether hosts of the cluster and "world" will do too. */
  private isNetwork(path: string, given: unknown, selects: boolean): boolean {
    const parsed = typeof given === "string" ? AnyCidr.parse(given) : { problem: `${show(given)} is not a network in CIDR form` };
    if (isAnyCidr(parsed)) return true;
    const word = typeof given === "string" && !looksLikeNetwork(given);
    const neither = `${show(given)} is ${selects ? "neither a network nor hosts of the cluster" : "not a network"}`;
    this.report(path, word ? neither : parsed.problem, sourceFix(given, this.keys, selects));
    return false;
  }

  private get keys(): readonly string[] {
    return this.groups.map(({ key }) => key);
  }
}
