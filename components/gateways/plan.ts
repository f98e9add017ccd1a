import type { EncryptionChannel } from "../addresses/encryption";
import { Cidr, isCidr } from "../addresses/cidr";
import type { PlannedHost, Site } from "../hosts/host";
import { nearestName } from "../nearest";
import type { PlannedNetwork } from "../networks/network";
import { planProgram } from "../programs/plan";
import { fewOf, isNot, type Report, show } from "../report";
import type { GatewayArgs } from "./args";
import { gatewayHostLabel, type PlannedGateway } from "./gateway";
import { haproxy } from "./haproxy";
import { hostsOn } from "./hosts";
import { checkTarget } from "./target";

/** What a gateway is planned among. */
export interface GatewayContext {
  readonly hosts: readonly PlannedHost[];
  /** Keys of all groups. */
  readonly groups: readonly string[];
  readonly sites: readonly Site[];
  readonly networks: readonly PlannedNetwork[];
  /** Names of all networks as they were written: a wrong one has no place in the plan, and is told by its own problem. */
  readonly networkNames: readonly string[];
  readonly addressSpace: Cidr;
  readonly encryption: readonly EncryptionChannel[];
  /** Registry in place of the default image's own. */
  readonly mirror: string | undefined;
}

/** More would serve nobody: it is one target, and what counts is that one host may be off. */
const mostReplicas = 2;

/** All gateways, and what is wrong with them. */
export function planGateways(given: Readonly<Record<string, GatewayArgs>>, context: GatewayContext, report: Report): PlannedGateway[] {
  const encryptedBy = encryptionOf(context);
  return Object.entries(given).flatMap(([name, args]): PlannedGateway[] => {
    const path = `gateways.${name}`;
    // Told with the options.
    if (typeof args !== "object" || (args as unknown) === null) return [];
    checkName(path, name, report);
    checkTarget(`${path}.to`, name, args.to, Object.keys(given), context, report);
    const port = checkPort(`${path}.port`, args.port, report);
    const targetPort = args.targetPort === undefined ? port : checkPort(`${path}.targetPort`, args.targetPort, report);
    const hosts = hostsOn(`${path}.on`, args.on, { ...context, sites: context.sites.map(({ key }) => key) }, report);
    checkNetworks(`${path}.networks`, args.networks, context, report);
    checkProtocol(`${path}.protocol`, args.protocol, report);
    return [
      {
        name,
        to: args.to,
        port,
        targetPort,
        on: args.on,
        hosts: hosts.map(({ key }) => key),
        replicas: Math.min(mostReplicas, hosts.length),
        networks: args.networks ?? [],
        image: imageOf(`${path}.program`, args.program, context.mirror, report),
        encryptedBy,
      },
    ];
  });
}

/** Hosts with the labels by which services find those that may run them. */
export function withGatewayLabels(hosts: readonly PlannedHost[], gateways: readonly PlannedGateway[]): PlannedHost[] {
  const labels = new Map<string, Record<string, string>>();
  for (const { name, hosts: keys } of gateways) {
    for (const key of keys) labels.set(key, { ...labels.get(key), [gatewayHostLabel(name)]: "true" });
  }
  return hosts.map((host) => (labels.has(host.key) ? { ...host, labels: { ...host.labels, ...labels.get(host.key) } } : host));
}

/** What works but needs attention. */
export function gatewayWarnings(gateways: readonly PlannedGateway[], { hosts, sites, encryption }: GatewayContext): string[] {
  const bare = encryption.every(({ channel, protects }) => (channel !== "underlay" && channel !== "overlay data") || !protects);
  return gateways.flatMap(({ name, to, hosts: keys, on }) => {
    const runsIn = [...new Set(hosts.filter(({ key }) => keys.includes(key)).map(({ site }) => site))];
    const far = [...new Set(hosts.map(({ site }) => site))].filter((site) => !(runsIn.length === 1 && runsIn[0] === site));
    const address = Cidr.parse(`${to}/32`);
    const home = isCidr(address) ? sites.find(({ network }) => isInside(network, address))?.key : undefined;
    const others = home === undefined ? [] : runsIn.filter((site) => site !== home);
    return [
      ...(bare && far.length > 0
        ? [`gateway ${name}: what containers of ${siteNames(far)} send to it crosses between sites in plaintext. Take wireguard() as the underlay`]
        : []),
      ...(others.length > 0 && runsIn.includes(home ?? "")
        ? [
            `gateway ${name}: ${to} is in the network of site "${home}", and "${on}" has hosts of ${siteNames(others)} too. If these do not reach it, name those of "site ${home}" alone`,
          ]
        : []),
    ];
  });
}

function siteNames(sites: readonly string[]): string {
  return `${sites.length === 1 ? "site" : "sites"} ${fewOf(sites)}`;
}

function isInside(network: string | undefined, address: Cidr): boolean {
  const parsed = network === undefined ? undefined : Cidr.parse(network);
  return parsed !== undefined && isCidr(parsed) && parsed.contains(address);
}

/** Containers look it up as a name of one label. */
function checkName(path: string, name: string, report: Report): void {
  if (name === "localhost") report(path, '"localhost" is each container itself', "choose another name");
  else if (!/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
    report(
      path,
      `"${name}" cannot name a gateway: containers look it up as a host name`,
      "use up to 63 lower-case letters, digits and dashes, a letter first",
    );
  }
}

/** @returns a port, if only for the rest of the plan to go on. */
function checkPort(path: string, given: unknown, report: Report): number {
  if (typeof given === "number" && Number.isInteger(given) && given >= 1 && given <= 65_535) return given;
  const text = typeof given === "string" ? given.trim() : "";
  if (Array.isArray(given) || /^\d+ *[-,] *\d+$/.test(text)) {
    report(path, `${show(given)} are several ports, and a gateway has one`, "make a gateway for each");
  } else {
    const number = /^(\d+)(?:\/tcp)?$/.exec(text)?.[1];
    const meant = number !== undefined && Number(number) >= 1 && Number(number) <= 65_535 ? Number(number) : undefined;
    report(path, isNot(given, "a port"), meant === undefined ? "give a whole number from 1 to 65535" : `write ${meant}`);
  }
  return 1;
}

function checkProtocol(path: string, given: unknown, report: Report): void {
  if (given === undefined || given === "tcp") return;
  if (given === "udp")
    report(path, "a gateway carries TCP only, not UDP", "leave it out if TCP will do; otherwise run a proxy for UDP as a service of your own");
  else report(path, `${show(given)} is not a protocol of gateways, which carry TCP only`, "leave it out");
}

function checkNetworks(path: string, given: unknown, { networks, networkNames }: GatewayContext, report: Report): void {
  // One that is no list is told with the options.
  if (given !== undefined && !Array.isArray(given)) return;
  const names: readonly unknown[] = given ?? [];
  if (names.length === 0) {
    const fix = networkNames.length === 0 ? "give the cluster a network too: networks: { web: {} }" : `name some of ${fewOf(networkNames, 8)}`;
    report(path, given === undefined ? "networks are missing" : "it is empty, so no container could reach it", fix);
    return;
  }
  for (const [index, name] of names.entries()) {
    const at = `${path}[${index}]`;
    if (names.indexOf(name) < index) report(at, `${show(name)} is named twice`, "keep one of them");
    else if (typeof name !== "string" || !networkNames.includes(name)) {
      const meant = typeof name === "string" ? nearestName(name, networkNames) : undefined;
      const known = networkNames.length === 0 ? "the cluster has no networks: add it to networks" : `the networks are ${fewOf(networkNames, 8)}`;
      const question = meant === undefined ? "" : `; did you mean "${meant}"?`;
      report(at, `${show(name)} is not a network of the cluster${question}`, meant === undefined ? known : `write "${meant}"`);
    }
  }
  const own = networks.filter(({ name }) => names.includes(name));
  if (own.length > 0 && own.length === new Set(names).size && own.every(({ internal }) => internal)) {
    const all = own.length === 1 ? `network ${own[0]?.name} is internal` : `networks ${fewOf(own.map(({ name }) => name))} are internal`;
    report(
      path,
      `${all}, so the gateway itself would reach nothing outside`,
      "add a network that is not internal; containers on it reach the gateway too",
    );
  }
}

/** It runs as a service, so that a file on hosts would be of no use. */
function imageOf(path: string, given: GatewayArgs["program"], mirror: string | undefined, report: Report): string {
  for (const key of ["url", "sha256"]) {
    if (typeof given === "object" && (given as object | null) !== null && key in given) {
      report(`${path}.${key}`, "a gateway is a service and runs from an image, not from a file", "give { version }, { image } or { digest }");
      return "";
    }
  }
  const { program, problems } = planProgram(haproxy, given, path, mirror);
  for (const { path: at, message, fix } of problems) report(at, message, fix);
  return program.source.kind === "image" ? program.source.reference : "";
}

/** The overlay's data is what carries it; where the overlay does not encrypt, the underlay may. */
function encryptionOf({ encryption }: Pick<GatewayContext, "encryption">): string {
  const channel = (["overlay data", "underlay"] as const)
    .map((name) => encryption.find((each) => each.channel === name))
    .find((each) => each?.protects === true);
  if (channel) return channel.mechanism;
  const bare = encryption.find((each) => each.channel === "overlay data");
  return bare === undefined || bare.mechanism === "none" ? "nothing" : `${bare.mechanism}${bare.note === undefined ? "" : `; ${bare.note}`}`;
}
