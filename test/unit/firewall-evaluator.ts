import assert from "node:assert/strict";
import { AnyCidr, isAnyCidr } from "../../components/addresses/any-cidr";
import { Cidr, isCidr } from "../../components/addresses/cidr";

/** A packet, as the kernel would see it. */
export interface Packet {
  readonly hook: "input" | "forward" | "output";
  readonly source: string;
  readonly protocol: "tcp" | "udp" | "esp" | "icmp";
  /** As it was called; Docker's translation happens in between. */
  readonly port: number;
  readonly arrivesOn?: string;
  readonly leavesOn?: string;
  readonly bridges?: readonly string[];
  readonly translated?: boolean;
  /** Where it goes, as far as a rule asks. */
  readonly target?: string;
  /** Whether it goes to an address of the host on which its own resolver listens. */
  readonly resolver?: boolean;
  /** Whether it belongs to a connection that stands. Otherwise it opens one. */
  readonly established?: boolean;
  /** Whether the way back to its source leaves by another interface than the one on which it came. */
  readonly elsewhere?: boolean;
}

/**
 * What a ruleset's text does with a packet: reads the part of nft's language that ours is written in, independently of the
 * code that writes it, and refuses what it does not know.
 */
export function evaluate(ruleset: string, packet: Packet, uplinks: readonly string[] = ["eth0"]): "accept" | "drop" {
  const chains = readChains(ruleset);
  const run = (name: string): "accept" | "drop" | "return" => {
    for (const line of chains.get(name) ?? assert.fail(`no chain ${name}`)) {
      const verdict = / (accept|drop|jump \S+|goto \S+)$|^(accept|drop|jump \S+|goto \S+)$/.exec(line.replace(/ comment "[^"]*"$/, ""));
      const action = verdict?.[1] ?? verdict?.[2] ?? assert.fail(`no verdict in ${line}`);
      if (
        !matches(
          line
            .replace(/ comment "[^"]*"$/, "")
            .slice(0, -action.length)
            .trim(),
          packet,
          uplinks,
        )
      )
        continue;
      if (action === "accept" || action === "drop") return action;
      const [how, chain] = action.split(" ");
      const result = run(chain ?? "");
      if (result !== "return" || how === "goto") return result;
    }
    return "return";
  };
  const policy = new RegExp(`hook ${packet.hook} priority filter - [45]; policy (accept|drop)`).exec(ruleset)?.[1];
  if (policy === undefined) return "accept";
  const result = run(packet.hook);
  return result === "return" ? (policy as "accept" | "drop") : result;
}

function readChains(ruleset: string): ReadonlyMap<string, readonly string[]> {
  const chains = new Map<string, readonly string[]>();
  for (const [, name, body] of ruleset.matchAll(/^ {2}chain (\w+) \{\n([\s\S]*?)^ {2}\}$/gm)) {
    const lines = (body ?? "").split("\n").map((line) => line.trim());
    chains.set(
      name ?? "",
      lines.filter((line) => !line.startsWith("type filter hook") && line !== ""),
    );
  }
  return chains;
}

function matches(text: string, packet: Packet, uplinks: readonly string[]): boolean {
  let rest = text;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    const found = pattern.exec(rest) ?? undefined;
    if (found) rest = rest.slice(found[0].length).trim();
    return found;
  };
  let all = true;
  while (rest !== "") {
    let found: RegExpExecArray | undefined;
    let holds: boolean;
    if (take(/^ct state established,related/)) holds = packet.established === true;
    else if (take(/^ct state invalid/)) holds = false;
    else if (take(/^fib saddr \. iif oif missing/)) holds = packet.elsewhere === true;
    else if ((found = take(/^ip (saddr|daddr) & (\S+) == (\S+)/))) holds = masked(addressOf(packet, found[1]), found[2]) === number(found[3]);
    else if ((found = take(/^ip saddr != (\S+)/))) holds = !contains(wholeNetwork(found[1] ?? ""), packet.source);
    else if (take(/^ct status & dnat == 0/)) holds = packet.translated !== true;
    else if (take(/^ct status dnat/)) holds = packet.translated === true;
    else if ((found = take(/^ct original proto-dst (\S+)/))) holds = inPorts(found[1], packet.port);
    else if ((found = take(/^meta (iif|oif)kind "bridge"/))) holds = (packet.bridges ?? []).includes(interfaceOf(packet, found[1]));
    else if ((found = take(/^(iif|oif)name != @uplinks/))) holds = !uplinks.includes(interfaceOf(packet, found[1]));
    else if ((found = take(/^(iif|oif)name (!= )?(\{[^}]*\}|"[^"]*")/)))
      holds = elements(found[3]).includes(`"${interfaceOf(packet, found[1])}"`) !== (found[2] !== undefined);
    else if ((found = take(/^meta nfproto ipv(4|6)/))) holds = packet.source.includes(":") === (found[1] === "6");
    else if ((found = take(/^meta l4proto (\w+)/))) holds = packet.protocol === found[1];
    else if ((found = take(/^ip6? saddr (\{[^}]*\}|\S+)/))) holds = elements(found[1]).some((network) => contains(network, packet.source));
    else if ((found = take(/^ip6? daddr @resolvers6?/)))
      holds = packet.resolver === true && packet.source.includes(":") === found[0].startsWith("ip6");
    else if ((found = take(/^ip daddr (\S+)/))) holds = packet.target !== undefined && contains(found[1] ?? "", packet.target);
    else if ((found = take(/^(tcp|udp) dport (\{[^}]*\}|\S+)/)))
      holds = packet.protocol === found[1] && elements(found[2]).some((ports) => inPorts(ports, packet.translated ? 80 : packet.port));
    else if ((found = take(/^(icmp|icmpv6) type echo-request/)))
      holds = packet.protocol === "icmp" && packet.source.includes(":") === (found[1] === "icmpv6");
    else if (take(/^icmp(v6)? type \{[^}]*\}/) ?? take(/^ip6 hoplimit 255/) ?? take(/^udp sport \d+/)) holds = false;
    else return assert.fail(`this is not known: ${rest}`);
    all &&= holds;
  }
  return all;
}

function interfaceOf(packet: Packet, side: string | undefined): string {
  return (side === "iif" ? packet.arrivesOn : packet.leavesOn) ?? "none";
}

/** nft takes an address with a prefix for the network in which it is. */
function wholeNetwork(text: string): string {
  const network = Cidr.around(text);
  return isCidr(network) ? network.toString() : text;
}

function addressOf(packet: Packet, side: string | undefined): string {
  return (side === "saddr" ? packet.source : packet.target) ?? "0.0.0.0";
}

function masked(address: string, mask: string | undefined): bigint {
  return number(address) & number(mask);
}

function number(address: string | undefined): bigint {
  return (address ?? "").split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function elements(set: string | undefined): readonly string[] {
  return (set ?? "").replace(/^\{ | \}$/g, "").split(", ");
}

function inPorts(text: string | undefined, port: number): boolean {
  const [first, last = first] = (text ?? "").split("-").map(Number);
  return port >= Number(first) && port <= Number(last);
}

function contains(network: string, address: string): boolean {
  const parsed = AnyCidr.parse(network.includes("/") ? network : `${network}/${network.includes(":") ? 128 : 32}`);
  return isAnyCidr(parsed) && parsed.contains(AnyCidr.host(address));
}
