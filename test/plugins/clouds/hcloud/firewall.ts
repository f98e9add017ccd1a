import { behaviour } from "../../../../components/hosts/hetzner/behaviour";
import { number, records, requiredText, text, texts, textTable } from "../../../../tools/plugins/shared/properties";
import type { Props } from "../../../../tools/plugins/shared/values";
import { parseAnyCidr } from "./sources";
import type { MachineRules } from "../shared/filter";
import type { Kind } from "../shared/kept";
import { cidr } from "../shared/outside";
import type { Store, Stored } from "../shared/store";
import { checkLabels, checkName, newId, selects } from "./names";

const token = "hcloud:index/firewall:Firewall";
const { quotas } = behaviour[token];
const most = { rules: quotas.rules.most, sources: quotas.sources.most, firewalls: quotas.beforeServer.most, description: quotas.description.most };

/** Rules before the public side of the servers that a selector names. */
export function firewall(store: Store): Kind {
  const check = (inputs: Props, own?: string): void => {
    checkName(token, inputs, store, own);
    checkLabels(inputs);
    const rules = records(inputs, "rules") ?? [];
    if (rules.length > most.rules) throw new Error(`invalid input in field 'rules' (invalid_input): ${rules.length} of at most ${most.rules}`);
    rules.forEach(checkRule);
    for (const server of store.all("hcloud:index/server:Server")) checkNumber(store, server, { id: own ?? "", properties: inputs });
  };
  return {
    id: newId,
    named: true,
    create(_id, inputs) {
      check(inputs);
      return { outputs: {} };
    },
    update(before, inputs) {
      check(inputs, before.id);
      return {};
    },
  };
}

function checkRule(rule: Props, index: number): void {
  const refuse = (why: string): never => {
    throw new Error(`invalid input in field 'rules' (invalid_input): [${index}] ${why}`);
  };
  const [protocol, port] = [text(rule, "protocol") ?? "", text(rule, "port")];
  if (text(rule, "direction") !== "in") refuse(`direction ${text(rule, "direction")} is left out of this stand-in plugin`);
  if (!["tcp", "udp", "icmp", "esp", "gre"].includes(protocol)) refuse(`unknown protocol ${protocol}`);
  if (["tcp", "udp"].includes(protocol) !== (port !== undefined)) refuse(`${protocol} with port ${port}`);
  if (port !== undefined && !isPort(port)) refuse(`port ${port}`);
  const sources = texts(rule, "sourceIps") ?? [];
  if (sources.length === 0 || sources.length > most.sources) refuse(`${sources.length} source_ips, of 1 to ${most.sources}`);
  for (const source of sources) if (parseAnyCidr(source) === undefined) refuse(`${source} is not a network in CIDR form`);
  if ((text(rule, "description") ?? "").length > most.description) refuse(`description is longer than ${most.description} characters`);
}

function isPort(port: string): boolean {
  if (port === "any") return true;
  const [first = 0, last = first] = port.split("-").map(Number);
  return /^\d+(-\d+)?$/.test(port) && first >= 1 && first <= last && last <= 65_535;
}

/** A server takes five firewalls. @param more one that is about to be there */
export function checkNumber(store: Store, server: Pick<Stored, "id" | "properties">, more?: Pick<Stored, "id" | "properties">): void {
  const standing = store.all(token).filter(({ id }) => id !== more?.id);
  const before = [...standing, ...(more ? [more] : [])].filter((one) => isBefore(one.properties, server));
  if (before.length > most.firewalls)
    throw new Error(`server ${server.id} would have ${before.length} firewalls of at most ${most.firewalls} (conflict)`);
}

function isBefore(firewallInputs: Props, server: Pick<Stored, "id" | "properties">): boolean {
  const labels = textTable(server.properties, "labels") ?? {};
  return (records(firewallInputs, "applyTos") ?? []).some((to) => {
    const selector = text(to, "labelSelector");
    return selector === undefined ? number(to, "server") === Number(server.id) : selects(selector, labels);
  });
}

/** What passes to each server: from within its network everything, since Hetzner filters the public side only. */
export function firewallRules(store: Store): readonly MachineRules[] {
  return store.all("hcloud:index/server:Server").flatMap((server): MachineRules[] => {
    const container = server.played?.["container"];
    // It is being made.
    if (container === undefined) return [];
    const firewalls = store.all(token).filter(({ properties }) => isBefore(properties, server));
    if (firewalls.length === 0) return [{ container, rules: ["accept"] }];
    const range = cidr(requiredText(store.get(server.played?.["network"] ?? "", "network").properties, "ipRange"));
    // The first address is this machine: what comes from it comes by the public address.
    const within = `ip saddr ${range} ip saddr != ${range.address(1)} accept`;
    return [{ container, rules: [within, ...firewalls.flatMap(({ properties }) => (records(properties, "rules") ?? []).flatMap(passing))] }];
  });
}

function passing(rule: Props): string[] {
  return (texts(rule, "sourceIps") ?? []).map((source) => {
    const family = parseAnyCidr(source) === 6 ? "ip6" : "ip";
    return `${family} saddr ${source} ${what(rule, family)} accept`;
  });
}

function what(rule: Props, family: "ip" | "ip6"): string {
  const [protocol, port] = [requiredText(rule, "protocol"), text(rule, "port")];
  if (protocol === "icmp") return `meta l4proto ${family === "ip" ? "icmp" : "icmpv6"}`;
  return port === undefined || port === "any" ? `meta l4proto ${protocol}` : `${protocol} dport ${port}`;
}
