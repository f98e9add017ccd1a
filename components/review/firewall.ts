import { mergePorts, parsePorts, type PortRange } from "../firewall/ports";
import { openToAnyAddress } from "../firewall/resolve";
import type { FirewallRule } from "../firewall/rule";
import { type ClusterChange, type Finding, joined, list, said, type Text, text, words } from "./findings";
import { isWorldOpen, worldInWords, worldOf } from "../firewall/world";
import { isUnenforced } from "./risks";
import type { Topology, TopologyHost } from "../topology/topology";

/** What is opened and closed, and to whom; what everybody may reach now comes first. */
export function firewallFindings(change: ClusterChange): Finding[] {
  const { before, after } = change;
  // Its rules go with the cluster. What matters is who stays without them.
  if (!after) return unprotectedFindings(change);
  const was = before?.rules ?? [];
  const known = new Map(was.map((rule) => [rule.name, rule]));
  const kept = new Set(after.rules.map(({ name }) => name));
  const opened = after.rules.filter(({ name }) => !known.has(name));
  const anyAddress = new Map(
    after.rules.flatMap((rule) => anyAddressFinding(known.get(rule.name), rule, before, after).map((found) => [rule.name, found])),
  );
  const others = opened.filter(({ name }) => !anyAddress.has(name));
  const inside = others.filter(isInside);
  const outside = others.filter((rule) => !isInside(rule));
  const findings = [
    ...unprotectedFindings(change),
    ...anyAddress.values(),
    ...outside.map((rule) => openedFinding(rule, was)),
    ...after.rules.filter(({ name }) => !anyAddress.has(name)).flatMap((rule) => changedFindings(known.get(rule.name), rule, was)),
    ...insideFindings("added", inside),
    ...was.filter(({ name }) => !kept.has(name)).map(closedFinding),
  ];
  return [...enforcementFindings(before, after), ...findings.filter(({ risk }) => risk), ...findings.filter(({ risk }) => !risk)];
}

/** Hosts that keep running when they, or the whole cluster, are taken out of the program: their firewall is taken off them. */
function unprotectedFindings({ piece, before, after, machines }: ClusterChange): Finding[] {
  if (!before || !isClosedBy(before, piece)) return [];
  const deleted = new Set(machines.filter(({ how }) => how === "removed").map(({ host }) => host));
  const lost = before.hosts.filter((host) => !deleted.has(host.key) && !(after?.hosts ?? []).some((other) => isSame(host, other)));
  if (lost.length === 0) return [];
  const hosts = lost.map(({ key }) => key);
  const how = words(hosts.length === 1 ? "keeps running and loses its firewall" : "keep running and lose their firewall");
  const means = words("every port on which something listens there can be reached, unless another firewall closes it");
  return [{ section: "firewall", kind: "note", subject: hosts.join(", "), risk: "world-open", text: text`${list(hosts)} ${how}: ${means}` }];
}

/** Whether hosts drop traffic that no rule allows. A mesh by itself has rules only where it keeps a firewall too. */
function isClosedBy(topology: Topology, piece: ClusterChange["piece"]): boolean {
  return piece === "WireGuardMesh" ? topology.rules.length > 0 : !isUnenforced(topology);
}

/** A machine may have another name now: then nothing leaves it. */
function isSame(host: TopologyHost, other: TopologyHost): boolean {
  if (host.key === other.key) return true;
  return (
    host.provider === "existing" &&
    other.provider === "existing" &&
    host.site === other.site &&
    host.address !== undefined &&
    host.address === other.address
  );
}

function enforcementFindings(before: ClusterChange["before"], after: NonNullable<ClusterChange["after"]>): Finding[] {
  if (before?.enforced === after.enforced) return [];
  const found = { section: "firewall", kind: "changed", subject: "enforcement" } as const;
  const closed = "only your own firewall closes what no rule allows";
  if (isUnenforced(after)) {
    // A version that did not write it down may have had it so already.
    const isKnown = !before || before.enforced !== undefined;
    const what = before ? `hosts drop nothing any more: ${closed}` : `hosts drop nothing: ${closed}`;
    return [{ ...found, ...(isKnown && { risk: "world-open" as const }), text: words(what) }];
  }
  return before?.enforced === "none" ? [{ ...found, text: words("each host now drops all traffic that no rule allows") }] : [];
}

/** Whether a rule lets in nobody but hosts of the cluster. */
function isInside({ from }: FirewallRule): boolean {
  return from.every((source) => source === "members" || source === "managers" || source === "workers" || source.startsWith("group "));
}

function insideFindings(kind: "added", rules: readonly FirewallRule[]): Finding[] {
  if (rules.length === 0) return [];
  const each = rules.map((rule) => text`${rule.name} (${whatOf(rule)})`);
  return [
    {
      section: "firewall",
      kind,
      subject: rules.map(({ name }) => name).join(", "),
      text: text`opened between hosts of the cluster only: ${joined(each, ", ")}`,
    },
  ];
}

function openedFinding(rule: FirewallRule, was: readonly FirewallRule[]): Finding {
  const finding: Finding = {
    section: "firewall",
    kind: "added",
    subject: rule.name,
    text: text`opened: ${describe(rule)}; rule ${rule.name}, ${said(rule.reason)}`,
  };
  if (!isWorldOpen(rule)) return finding;
  const news = newToTheWorld(rule, was);
  if (!news) return { ...finding, text: text`${finding.text} (everybody could reach it before, by another rule)` };
  return {
    ...finding,
    risk: "world-open",
    text: text`open to ${words(worldInWords(rule.from) ?? "")}: ${describe(rule)}; rule ${rule.name}, ${said(rule.reason)}`,
  };
}

/** A rule for hosts only that lets in everybody on some sites, since nobody knows with which address some of these hosts come there. */
function anyAddressFinding(was: FirewallRule | undefined, rule: FirewallRule, before: Topology | undefined, after: Topology): Finding[] {
  const openBefore = was && isAlike(was, rule) ? openToAnyAddress(was, before?.hosts ?? []).sites : [];
  const { sites, because: hidden } = openToAnyAddress(rule, after.hosts);
  const opened = sites.filter((site) => !openBefore.includes(site));
  if (opened.length === 0) return [];
  // A site is opened by hosts that stand elsewhere.
  const because = hidden.filter((key) => {
    const home = after.hosts.find((host) => host.key === key)?.site;
    return opened.some((site) => site !== home);
  });
  const differences = was ? differencesOf(was, rule) : [];
  const where = text`${rule.to} of ${words(opened.length === 1 ? "site" : "the sites")} ${list(opened)}`;
  const what = text`open to the whole Internet: ${whatOf(rule)} on ${where}; rule ${rule.name}, since the address of ${list(because)} is not known there (behind address translation)`;
  const advice = `. Without a key nobody gets an answer. Fix: give the address of ${because.length === 1 ? "its router" : "their routers"} as natAddress`;
  return [
    {
      section: "firewall",
      kind: was ? "changed" : "added",
      subject: rule.name,
      risk: "world-open",
      text: [...what, ...words(advice), ...differences.flatMap((each): Text => ["; ", ...each])],
    },
  ];
}

function isAlike(one: FirewallRule, other: FirewallRule): boolean {
  return one.protocol === other.protocol && one.ports.join() === other.ports.join();
}

function closedFinding(rule: FirewallRule): Finding {
  return { section: "firewall", kind: "removed", subject: rule.name, text: text`closed: ${describe(rule)}; rule ${rule.name}` };
}

function changedFindings(was: FirewallRule | undefined, rule: FirewallRule, all: readonly FirewallRule[]): Finding[] {
  if (!was) return [];
  const differences = differencesOf(was, rule);
  if (differences.length === 0) return [];
  const found = { section: "firewall", kind: "changed", subject: rule.name } as const;
  const what = joined(differences, "; ");
  const risk = isWorldOpen(rule) && newToTheWorld(rule, all);
  if (risk)
    return [
      {
        ...found,
        risk: "world-open",
        text: text`open to ${words(worldInWords(rule.from) ?? "")} now: ${describe(rule)}; rule ${rule.name}: ${what}`,
      },
    ];
  return [{ ...found, text: text`${rule.name} (${whatOf(rule)}): ${what}` }];
}

function differencesOf(was: FirewallRule, rule: FirewallRule): Text[] {
  return [
    ...changeOf("protocol", [was.protocol], [rule.protocol]),
    ...changeOf("ports", was.ports, rule.ports),
    ...changeOf("from", was.from, rule.from),
    ...changeOf("to", [was.to], [rule.to]),
    ...changeOf("over", [was.over], [rule.over]),
    ...changeOf("who answers", [was.answers], [rule.answers]),
    ...changeOf("an unknown address", [was.unknownAddress ?? "closed"], [rule.unknownAddress ?? "closed"]),
  ];
}

/** What is more and less in a list. */
export function changeOf(what: string, was: readonly string[], will: readonly string[]): Text[] {
  const more = will.filter((each) => !was.includes(each));
  const less = was.filter((each) => !will.includes(each));
  if (more.length === 0 && less.length === 0) return [];
  if (less.length === 0) return [text`${words(what)} also ${list(more)}`];
  if (more.length === 0) return [text`${words(what)} no more ${list(less)}`];
  return [text`${words(what)} ${list(more)} instead of ${list(less)}`];
}

/** `443/tcp on workers from world`. */
function describe(rule: FirewallRule): Text {
  const from = isWorldOpen(rule) ? worldFirst(rule) : rule.from;
  return text`${whatOf(rule)} on ${rule.to} from ${list(from)}${words(rule.over === "tunnel" ? " in the tunnel" : "")}`;
}

function worldFirst({ from }: FirewallRule): readonly string[] {
  const world = worldOf(from);
  return [...world, ...from.filter((source) => !world.includes(source))];
}

function whatOf({ protocol, ports }: FirewallRule): string {
  return ports.length === 0 ? protocol : `${ports.join(", ")}/${protocol}`;
}

/** Whether everybody can reach something by this rule which no rule let everybody reach before. */
export function newToTheWorld(rule: FirewallRule, was: readonly FirewallRule[]): boolean {
  const alike = was.filter((other) => isWorldOpen(other) && other.protocol === rule.protocol && (other.to === "members" || other.to === rule.to));
  // Families count by themselves: what was open to all of IPv4 may be new to all of IPv6.
  const families = (other: FirewallRule): Set<string> =>
    new Set(worldOf(other.from).flatMap((source) => (source === "world" ? ["4", "6"] : [source.includes(":") ? "6" : "4"])));
  return [...families(rule)].some((family) => {
    const before = alike.filter((other) => families(other).has(family));
    if (rule.ports.length === 0) return before.length === 0;
    const open = mergePorts(before.flatMap(({ ports }) => rangesOf(ports)));
    return !rangesOf(rule.ports).every((range) => open.some(({ first, last }) => first <= range.first && range.last <= last));
  });
}

function rangesOf(ports: readonly string[]): PortRange[] {
  return ports.flatMap((port) => parsePorts(port) ?? []);
}
