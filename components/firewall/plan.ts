import { type Report, show } from "../report";
import { noneOf } from "../nearest";
import type { AllowArgs, ExposeArgs, FirewallArgs } from "./args";
import { changeBuiltIn } from "./built-in";
import { checkProtocol, givenPorts } from "./given";
import { enforcing, publishing } from "./meant";
import { parsePorts, portsOverlap, readableRules, showPorts } from "./ports";
import type { FirewallRule, HostSelector } from "./rule";
import { type Group, Sources } from "./sources";
import { unlikely } from "./unlikely";
import { worldInWords, worldOf } from "./world";

export interface FirewallContext {
  readonly groups: readonly FirewallGroup[];
  /** Ports on which the hosts' SSH servers listen. @default [22] */
  readonly sshPorts?: readonly number[];
  /** What swarm, underlay and overlay need. */
  readonly contributed: readonly FirewallRule[];
  /** Rules for whole protocols at once, such as all that comes by a tunnel: they take no port from what is exposed. @default - none */
  readonly sweeping?: readonly FirewallRule[];
  /** Whether the ports of a swarm are kept for it. @default true */
  readonly swarm?: boolean;
}

export interface FirewallGroup extends Group {
  /** Networks from which the group's hosts are administered, where its provider knows. @default - not known */
  readonly adminSources?: readonly string[];
}

export interface FirewallPlan {
  /** All that is let through, built in and asked for. */
  readonly rules: readonly FirewallRule[];
  /** Sentences for the summary: what is allowed, though it may not be meant. */
  readonly warnings: readonly string[];
  readonly enforce: "hosts" | "none";
}

/** The swarm's own ports, also on the day when nothing contributes them. */
const swarmPorts = { tcp: ["2377", "7946"], udp: ["4789", "7946"] } as const;

/** Lower-case words; built-in names with a space can thus never clash with a user's. */
const namePattern = /^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$/;

/** Works out all rules of the cluster from what the user wrote and what the cluster's parts need. Reports all that is wrong. */
export function planFirewall(args: FirewallArgs | undefined, context: FirewallContext, report: Report): FirewallPlan {
  const given = checkShape(args, report);
  const warnings: string[] = [];
  const sources = new Sources(context.groups, report);
  const enforce = planEnforce(given, report, warnings);
  const builtIn = readableRules([...planSsh(given, context, enforce, sources, report, warnings), ...context.contributed]);
  const ping = planPing(given, context, sources);
  const sweeping = context.sweeping ?? [];
  const changed = changeBuiltIn(given.rules ?? {}, [...builtIn, ...sweeping, ping], sources, report, warnings);
  const opened = new Opened([...builtIn, ping], context, sources, report);
  for (const [name, entry] of Object.entries(given.expose ?? {})) opened.expose(name, entry);
  for (const [name, entry] of Object.entries(given.allow ?? {})) opened.allow(name, entry);
  opened.checkHostPorts();
  warnings.push(...unlikely(opened.rules, context.groups));
  return { rules: [...changed, ...opened.rules], warnings, enforce };
}

/** A program without types may give anything; what cannot be read is reported and left out. */
function checkShape(args: FirewallArgs | undefined, report: Report): FirewallArgs {
  if (args === undefined) return {};
  if (!isRecord(args)) {
    report("firewall", `${show(args)} is not a description of a firewall`, `write it as { ssh: ["203.0.113.0/24"] }`);
    return {};
  }
  const shaped: Record<string, unknown> = { ...args };
  for (const name of ["expose", "allow", "rules"] as const) {
    const entries: unknown = args[name];
    if (entries === undefined) continue;
    if (!isRecord(entries)) report(`firewall.${name}`, `${show(entries)} is not a list of entries by name`, `write it as { name: { … } }`);
    shaped[name] = isRecord(entries)
      ? Object.fromEntries(
          Object.entries(entries).filter(([key, entry]) => {
            if (!isRecord(entry)) report(`firewall.${name}.${key}`, `${show(entry)} is not an entry`, "write it as { from: [ … ], … }");
            return isRecord(entry);
          }),
        )
      : {};
  }
  return shaped;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.getPrototypeOf(value) === Object.prototype;
}

function planEnforce({ enforce }: FirewallArgs, report: Report, warnings: string[]): "hosts" | "none" {
  if (enforce === "none") {
    warnings.push("No firewall is put on the hosts (firewall.enforce is none): your own firewall must drop all traffic that no rule here allows.");
    return "none";
  }
  if (enforce !== undefined && enforce !== "hosts") report("firewall.enforce", ...noneOf(enforce, enforcing));
  return "hosts";
}

/** A rule for all hosts from what the user wrote, and one per group whose provider knows its administrators. */
function planSsh(
  given: FirewallArgs,
  context: FirewallContext,
  enforce: "hosts" | "none",
  sources: Sources,
  report: Report,
  warnings: string[],
): readonly FirewallRule[] {
  const closed = context.groups.filter(({ adminSources }) => (adminSources ?? []).length === 0);
  if (enforce === "hosts" && closed.length > 0 && (given.ssh === undefined || (Array.isArray(given.ssh) && given.ssh.length === 0))) {
    report(
      "firewall.ssh",
      `SSH is open to nobody by default, so the hosts of ${closed.map(({ key }) => key).join(", ")} could not be reached`,
      `name the networks you administer from, this machine's among them: firewall: { ssh: ["203.0.113.0/24"] }`,
    );
  }
  const admins = given.ssh === undefined ? [] : sources.networks("firewall.ssh", given.ssh);
  const world = worldInWords(admins);
  if (world !== undefined) {
    const whom = world === "the whole Internet" ? "everybody" : world;
    warnings.push(`SSH is open to ${whom} (firewall.ssh has ${worldOf(admins).join(" and ")}): anyone who has a key gets in, and anybody may try.`);
  }
  const rule = (name: string, from: readonly string[], to: HostSelector, whose: string): FirewallRule => ({
    name,
    protocol: "tcp",
    ports: [...new Set(context.sshPorts ?? [22])].sort((one, other) => one - other).map(String),
    from,
    to,
    over: "site",
    answers: "host",
    reason: `SSH for ${whose}`,
  });
  return [
    ...(admins.length > 0 ? [rule("ssh", admins, "members", "those who administer the hosts")] : []),
    ...context.groups.flatMap(({ key, adminSources = [] }) =>
      adminSources.length === 0 ? [] : [rule(`ssh ${key}`, adminSources, `group ${key}`, `those who administer ${key}, as its provider says`)],
    ),
  ];
}

/** Everybody who may log in may also ask whether the host is there. */
function planPing(given: FirewallArgs, context: FirewallContext, sources: Sources): FirewallRule {
  const admins = [...sources.valid(given.ssh), ...context.groups.flatMap(({ adminSources = [] }) => adminSources)];
  return {
    name: "ping",
    protocol: "icmp",
    ports: [],
    from: ["members", ...new Set(admins)],
    to: "members",
    over: "site",
    answers: "host",
    reason: "to see whether a host is there, and how large a packet may be",
  };
}

/** What the user opens, entry by entry. */
class Opened {
  readonly rules: FirewallRule[] = [];
  private readonly published = new Map<string, "host" | "ingress">();
  private readonly sweeping: ReadonlySet<string>;
  private readonly kept: readonly Pick<FirewallRule, "name" | "protocol" | "ports">[];

  constructor(
    private readonly builtIn: readonly FirewallRule[],
    context: FirewallContext,
    private readonly sources: Sources,
    private readonly report: Report,
  ) {
    this.sweeping = new Set(context.sweeping?.map(({ name }) => name));
    this.kept = [
      { name: "ssh", protocol: "tcp", ports: (context.sshPorts ?? [22]).map(String) },
      ...builtIn,
      ...(context.swarm === false ? [] : (["tcp", "udp"] as const)).map((protocol) => ({
        name: "the swarm's own",
        protocol,
        ports: swarmPorts[protocol],
      })),
    ];
  }

  expose(name: string, entry: ExposeArgs): void {
    const path = `firewall.expose.${name}`;
    const publish = entry.publish ?? "ingress";
    if (publish !== "host" && publish !== "ingress") {
      this.report(`${path}.publish`, ...noneOf(publish, publishing));
    }
    this.published.set(name, publish);
    const how = publish === "host" ? "the host that runs the container" : "the ingress mesh";
    this.open(path, name, entry, "container", `exposed by the program, published by ${how}`);
  }

  allow(name: string, entry: AllowArgs): void {
    this.open(`firewall.allow.${name}`, name, entry, "host", entry.reason ?? "allowed by the program, for a service of the host itself");
  }

  private open(path: string, name: string, entry: ExposeArgs | AllowArgs, answers: "host" | "container", reason: string): void {
    this.checkName(path, name);
    const protocol = entry.protocol ?? "tcp";
    checkProtocol(`${path}.protocol`, protocol, this.report);
    const ports = this.checkPorts(`${path}.port`, entry.port, protocol);
    const from = this.sources.check(`${path}.from`, entry.from);
    const to = this.sources.selector(`${path}.on`, entry.on ?? "members");
    this.rules.push({ name, protocol, ports, from, to, over: "site", answers, reason });
  }

  private checkName(path: string, name: string): void {
    if (!namePattern.test(name)) {
      const fix = "choose a name such as web: up to 50 lower-case letters, digits and dashes, a letter first";
      this.report(path, `"${name}" cannot name a rule`, fix);
    } else if (name === "ssh" || this.builtIn.some((rule) => rule.name === name) || this.sweeping.has(name)) {
      this.report(path, `"${name}" is the name of a built-in rule`, name === "ssh" ? "use firewall.ssh, or another name" : "choose another name");
    } else if (this.rules.some((rule) => rule.name === name)) {
      this.report(path, `"${name}" names an exposed port too`, "choose another name for one of them");
    }
  }

  private checkPorts(path: string, given: unknown, protocol: string): readonly string[] {
    return givenPorts(path, given, this.report).map(({ at, range }) => {
      const taken = this.kept.find(
        (rule) => rule.protocol === protocol && rule.ports.map(parsePorts).some((kept) => kept !== undefined && portsOverlap(kept, range)),
      );
      if (taken) {
        const whose = taken.name === "ssh" ? "SSH" : `the rule ${taken.name}`.replace("the rule the swarm's own", "the swarm itself");
        const fix = taken.name.startsWith("ssh")
          ? "name who may use it in firewall.ssh"
          : "choose another port; built-in rules are changed in firewall.rules";
        this.report(at, `${showPorts(range)}/${protocol} belongs to ${whose}`, fix);
      }
      return showPorts(range);
    });
  }

  /** A port can be published on one host once; the mesh and a host-mode container exclude each other. */
  checkHostPorts(): void {
    const exposed = this.rules.filter(({ name }) => this.published.has(name));
    exposed.forEach((rule, index) => {
      for (const other of exposed.slice(0, index)) {
        const byHost = [rule, other].some(({ name }) => this.published.get(name) === "host");
        const ports = rule.ports.flatMap((port) => other.ports.filter((taken) => overlap(port, taken)));
        if (byHost && rule.protocol === other.protocol && ports.length > 0 && this.sources.meet(rule.to, other.to)) {
          this.report(
            `firewall.expose.${rule.name}.port`,
            `${ports.join(", ")}/${rule.protocol} is exposed by "${other.name}" on the same hosts, and only one container of a host can publish it`,
            "use another port or other hosts, or put the sources of both into one entry",
          );
        }
      }
    });
  }
}

function overlap(one: string, other: string): boolean {
  const [first, second] = [parsePorts(one), parsePorts(other)];
  return first !== undefined && second !== undefined && portsOverlap(first, second);
}
