import { AnyCidr, isAnyCidr } from "../addresses/any-cidr";
import { type Choices, nearestName } from "../nearest";
import { show } from "../report";
import { parsePorts } from "./ports";

/* What was probably meant by what cannot be read: the fix of a problem. */

export const protocols: Choices = { what: "a protocol with ports", known: ["tcp", "udp"] };

export const publishing: Choices = {
  what: "a way to publish a port",
  known: ["host", "ingress"],
  others: { "mode=host": "host", "mode=ingress": "ingress", mesh: "ingress", "routing mesh": "ingress" },
};

export const enforcing: Choices = {
  what: '"hosts" or "none"',
  known: ["hosts", "none"],
  others: { true: "hosts", on: "hosts", false: "none", off: "none" },
};

/** Names that ports have in /etc/services. */
const services: Readonly<Record<string, number>> = { http: 80, https: 443, dns: 53, domain: 53, smtp: 25, ssh: 22 };

export function portFix(given: unknown): string {
  const text = String(given).trim();
  const [, published, container] = /^(\d+):(\d+)$/.exec(text) ?? [];
  const [, port, protocol] = /^(\d+(?:-\d+)?)\/(tcp|udp)$/i.exec(text) ?? [];
  const [, first, last] = /^(\d+) *(?:-|\.\.|to) *(\d+)$/.exec(text) ?? [];
  const service = Object.hasOwn(services, text.toLowerCase()) ? services[text.toLowerCase()] : undefined;
  if (service !== undefined) return `write ${service}`;
  if (published !== undefined && container !== undefined)
    return `write ${published}, which is published; ${container} is the container's own business`;
  if (port !== undefined && parsePorts(port)) return `write port: ${/-/.test(port) ? show(port) : port}, protocol: "${protocol?.toLowerCase()}"`;
  if (/^\d+( *, *\d+)+$/.test(text)) return `write it as [${text.split(/ *, */).join(", ")}]`;
  if (first !== undefined && parsePorts(`${last}-${first}`)) return `write "${last}-${first}"`;
  if (first !== undefined && parsePorts(`${first}-${last}`)) return `write "${first}-${last}"`;
  return 'give a whole number from 1 to 65535, or a range such as "30000-30100"';
}

/** A rule has one of them. */
export function isSeveralProtocols(given: unknown): boolean {
  return Array.isArray(given) || (typeof given === "string" && /^(?:both|all|any|tcp *[^a-z]+ *udp|udp *[^a-z]+ *tcp)$/i.test(given));
}

const selectors: Readonly<Record<string, string>> = {
  ...{ worker: "workers", manager: "managers", master: "managers", masters: "managers" },
  ...{ member: "members", all: "members", any: "members", cluster: "members", hosts: "members", nodes: "members" },
};

/** Hosts of the cluster that were probably meant. @param groups Keys of all groups. */
export function selectorMeant(given: unknown, groups: readonly string[]): string | undefined {
  if (typeof given !== "string") return undefined;
  const word = given.trim().toLowerCase();
  if (Object.hasOwn(selectors, word)) return selectors[word];
  if (["members", "managers", "workers"].includes(word)) return word;
  const name = word.replace(/^group\b[\s:=/_-]*/, "");
  const group = groups.includes(name)
    ? name
    : groups.find((key) => name.startsWith(`${key}-`) || (word !== name && nearestName(name, [key]) === key));
  return group === undefined ? undefined : `group ${group}`;
}

const everybody = ["world", "any", "anywhere", "all", "everyone", "everybody", "internet", "public", "*", "0.0.0.0", "::"];

/** @param selects Whether hosts of the cluster and "world" will do, or networks alone. */
export function sourceFix(given: unknown, groups: readonly string[], selects: boolean): string {
  const orElse = selects ? ', "world", "members", "managers", "workers" or "group NAME"' : "";
  const general = `write a network such as "203.0.113.0/24" or "2001:db8::/32"${orElse}`;
  if (typeof given !== "string") return general;
  const word = given.trim().toLowerCase();
  if (everybody.includes(word)) return selects ? 'write "world" for everybody' : 'write "0.0.0.0/0" and "::/0" to let everybody try';
  const hosts = selectorMeant(given, groups);
  if (hosts !== undefined) return selects ? `write "${hosts}"` : `${general}: hosts of the cluster are no networks`;
  const single = AnyCidr.parse(`${word}/${word.includes(":") ? 128 : 32}`);
  if (!word.includes("/") && isAnyCidr(single)) return `for this one address write "${single.toString()}"`;
  const [address = ""] = word.split("/");
  const around = AnyCidr.parse(word);
  const fix = isAnyCidr(around) ? undefined : around.fix;
  const one = AnyCidr.parse(`${address}/32`);
  if (fix !== undefined && /^write "/.test(fix))
    return isAnyCidr(one) && !fix.includes("/32") ? `${fix}, or "${address}/32" for this one address` : fix;
  return general;
}

/** Whether it was meant as a network at all, and not as a word for somebody. */
export function looksLikeNetwork(text: string): boolean {
  return /^[\d./\\\s]*\d[\d./\\\s]*$/.test(text) || /^[0-9a-f]*:[0-9a-f:.]*(?:\/\d*)?$/i.test(text.trim());
}
