import { AnyCidr, isAnyCidr } from "../addresses/any-cidr";
import { checkProtocol, givenPorts } from "../firewall/given";
import { looksLikeNetwork, sourceFix } from "../firewall/meant";
import { showPorts } from "../firewall/ports";
import { isHostSelector, selects } from "../firewall/resolve";
import type { HostSelector, Source } from "../firewall/rule";
import { type Group, Sources } from "../firewall/sources";
import { nearestName } from "../nearest";
import { isNot, type Report, show } from "../report";
import type { NetworkPolicyArgs } from "./args";
import { isOutside, type NetworkPolicy } from "./policy";

export interface PolicyContext {
  /** Names of the cluster's networks. */
  readonly networks: readonly string[];
  readonly groups: readonly Group[];
  /** Why the overlay cannot open one network to another. @default - it can */
  readonly refused?: string | undefined;
}

/** What is let through between networks, from what the user wrote. Reports all that is wrong. */
export function planPolicies(
  given: Readonly<Record<string, NetworkPolicyArgs>>,
  context: PolicyContext,
  report: Report,
): { readonly policies: readonly NetworkPolicy[]; readonly warnings: readonly string[] } {
  const entries = Object.entries(given);
  if (entries.length === 0) return { policies: [], warnings: [] };
  if (context.refused !== undefined) {
    report("policy", context.refused, "take calico() or flannel() as the overlay, or put containers that talk to each other on one network");
  }
  const reader = new PolicyReader(context, report);
  const policies = entries.map(([name, args]) => reader.read(name, args));
  return { policies, warnings: policies.flatMap((policy) => nobodyWarnings(policy, context.groups)) };
}

/** A resource's and a comment's name are made of it. */
const longestName = 80;

class PolicyReader {
  private readonly sources: Sources;

  constructor(
    private readonly context: PolicyContext,
    private readonly report: Report,
  ) {
    this.sources = new Sources(context.groups, report);
  }

  read(name: string, args: NetworkPolicyArgs): NetworkPolicy {
    const path = `policy.${name}`;
    if (!/[a-z0-9]/i.test(name) || name.length > longestName) {
      this.report(path, `${show(name)} cannot name a policy`, `choose a name such as "web may reach db", of at most ${longestName} letters`);
    }
    const protocol = args.protocol ?? "tcp";
    checkProtocol(`${path}.protocol`, protocol, this.report);
    const ports = givenPorts(`${path}.port`, args.port, this.report).map(({ range }) => showPorts(range));
    const to = this.named(`${path}.to`, args.to, "network", (at, network) => this.isTarget(at, network));
    const from = this.named(`${path}.from`, args.from, "source", (at, source) => this.isSource(at, source));
    this.refuseSame(path, from, to);
    return { name, from, to, protocol, ports };
  }

  /** Those of a list that can be used, each once. */
  private named(path: string, given: unknown, what: "network" | "source", isUsable: (at: string, each: unknown) => boolean): readonly string[] {
    if (!Array.isArray(given)) {
      const one = typeof given === "string" && given !== "" ? given : (this.context.networks[0] ?? "web");
      this.report(path, isNot(given, `a list of ${what}s`), `write it as ["${one}"]`);
      return [];
    }
    if (given.length === 0) this.report(path, `it names no ${what}`, "name at least one, or leave the policy out");
    return given.filter((each, index): each is string => {
      const at = `${path}[${index}]`;
      if (given.indexOf(each) !== index) {
        this.report(at, `${show(each)} is named twice`, "name it once");
        return false;
      }
      return isUsable(at, each);
    });
  }

  private isTarget(at: string, given: unknown): boolean {
    if (this.isNetwork(given)) return true;
    if (given === "world" || (typeof given === "string" && (isHostSelector(given) || looksLikeNetwork(given)))) {
      const what = `${show(given)} is not a network of the cluster, and a policy opens those alone`;
      this.report(at, what, `${this.known()}; ports of hosts are opened in firewall.expose and firewall.allow`);
    } else this.unknown(at, given);
    return false;
  }

  private isSource(at: string, given: unknown): boolean {
    if (this.isNetwork(given)) {
      if (!isOutside(given)) return true;
      this.report(at, `${show(given)} is a network of the cluster, and also means hosts or everybody`, "give the network another name");
      return false;
    }
    // Whatever is meant as something else than a network's name is told by those who read sources.
    const { networks, groups } = this.context;
    const keys = groups.map(({ key }) => key);
    const isWord = typeof given === "string" && given !== "world" && !isHostSelector(given) && !looksLikeNetwork(given);
    const near = isWord ? nearestName(given, networks) : undefined;
    if (isWord && (near !== undefined || !sourceFix(given, keys, true).startsWith('write "'))) {
      this.unknown(at, given);
      return false;
    }
    if (!this.sources.isSource(at, given)) return false;
    const cidr = AnyCidr.parse(given);
    if (!isAnyCidr(cidr) || cidr.version === 4) return true;
    this.report(at, `${show(given)} is an IPv6 network, and containers of the cluster's networks have IPv4 addresses alone`, "name an IPv4 network");
    return false;
  }

  private isNetwork(given: unknown): given is string {
    return typeof given === "string" && this.context.networks.includes(given);
  }

  private unknown(at: string, given: unknown): void {
    const near = typeof given === "string" ? nearestName(given, this.context.networks) : undefined;
    const message = `there is no network ${show(given)}${near === undefined ? "" : `; did you mean "${near}"?`}`;
    this.report(at, message, near === undefined ? this.known() : `write "${near}"`);
  }

  private known(): string {
    const { networks } = this.context;
    return networks.length === 0 ? "make a network first, in networks" : `the networks are ${networks.join(", ")}`;
  }

  private refuseSame(path: string, from: readonly Source[], to: readonly string[]): void {
    for (const both of from.filter((source) => to.includes(source))) {
      this.report(path, `"${both}" is in from and in to: containers of a network reach each other without a policy`, "take it out of one of them");
    }
  }
}

/** What a policy allows, though nobody is there whom it is for. */
function nobodyWarnings({ name, from }: NetworkPolicy, groups: readonly Group[]): string[] {
  const isEmpty = (selector: HostSelector): boolean => !groups.some(({ key, role }) => selects(selector, { group: key, role }));
  const nobody = from.filter((source) => isHostSelector(source) && isEmpty(source));
  return nobody.length === 0 || groups.length === 0 ? [] : [`policy.${name}: it is open to ${nobody.join(" and ")}, and the cluster has none`];
}
