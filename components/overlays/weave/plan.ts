import { type Problem, show } from "../../report";
import type { FirewallRule } from "../../firewall/rule";
import type { EncryptionChannel } from "../../addresses/encryption";
import { planProgram } from "../../programs/plan";
import { ingressData } from "../ingress-data";
import type { OverlayContext, OverlayPlan } from "../overlay";
import { plainData } from "../plain-data";
import { mostHosts, type WeaveArgs, weaveDriver, weavePort, type WeaveSettings } from "./args";

const router = {
  name: "weave",
  version: "2.6.5",
  image: "docker.io/weaveworks/weave",
  files: { weaver: "/home/weave/weaver" },
};

/**
 * Bytes that are taken from every packet, by the larger of the two ways that it may go, so that a host with the fast datapath and
 * one without have networks alike.
 *
 * Plain: the router's own wrapping is IP 20 + UDP 8 + the router's name 6 + two names and a length 14 + inner Ethernet 14 = 62;
 * VXLAN takes 50. Encrypted: a nonce 8 and a tag 16 more, 86 (router/sleeve.go, and seen: "Effective MTU verified at 1414" of
 * 1500); ESP around VXLAN takes 84 (net/bridge.go), and pads to four bytes. Rounded up to four, so that padding fits in.
 */
const overhead = { plain: 64, encrypted: 88 } as const;

/** What it asks of the plan, and what is wrong in its arguments. Pure. */
export function planWeave(args: WeaveArgs, context: OverlayContext): OverlayPlan {
  const { underlay, mirror } = context;
  const encrypted = args.encrypted ?? !underlay.encrypted;
  const fastDatapath = args.fastDatapath ?? true;
  const { program, problems } = planProgram(router, args.router, "overlay.router", mirror);
  const settings: WeaveSettings = {
    encrypted,
    fastDatapath,
    ...(args.rotation !== undefined && { rotation: args.rotation }),
    trusted: args.trustSites === true ? (context.networks ?? {}) : {},
  };
  return {
    kind: "weave",
    driver: weaveDriver,
    containerMtu: (underlayMtu) => underlayMtu - (encrypted ? overhead.encrypted : overhead.plain),
    // The bridge of each host has the MTU, and what is attached to it takes it from there.
    networkOptions: () => ({}),
    placement: { kind: "subnets" },
    rules: rules(encrypted && fastDatapath, context),
    encryption: [encryption(encrypted, args, context)],
    needs: { features: ["vxlan"] },
    programs: [program],
    settings,
    serves: "DNS round robin",
    noPolicies: "Weave carries packets from container to container, past every firewall of the host, and nothing routes from one network to another",
    problems: [...argumentProblems(args), ...pathProblems(encrypted, context), ...trustProblems(args, encrypted, context), ...problems],
    warnings: warnings(encrypted, args, context),
  };
}

function rules(esp: boolean, { underlay }: OverlayContext): FirewallRule[] {
  const between = { from: ["members"], to: "members", over: underlay.over, answers: "host" } as const;
  return [
    { ...between, name: "overlay-control", protocol: "tcp", ports: [String(weavePort)], reason: "Weave's routers among themselves" },
    {
      ...between,
      name: "overlay-data",
      protocol: "udp",
      ports: [`${weavePort}-${weavePort + 1}`],
      reason: "containers' data between Weave's routers, and between fast datapaths",
    },
    ...(esp
      ? [{ ...between, name: "overlay-data-esp", protocol: "esp", ports: [], reason: "IPsec around the data of Weave's fast datapaths" } as const]
      : []),
    ingressData(underlay),
  ];
}

function encryption(encrypted: boolean, { rotation, trustSites, fastDatapath }: WeaveArgs, { underlay, sites }: OverlayContext): EncryptionChannel {
  if (!encrypted) return plainData(underlay, "whoever is on the site's network can read it, and join the overlay");
  const trusted = trustSites === true;
  return {
    channel: "overlay data",
    mechanism: `NaCl: XSalsa20-Poly1305${fastDatapath === false ? "" : "; where kernels forward, IPsec ESP, AES-256-GCM"}`,
    keyHolder: "one password for all hosts, derived from the cluster's secret in Pulumi's state; readable by root on each host",
    rotation: `a key for each connection of two routers; the password ${rotation === undefined ? "when overlay.rotation is set" : `lasts for rotation "${rotation}"`}`,
    protects: !trusted,
    ...(trusted && { note: `between hosts of one site (${sites.join(", ")}) data is in plaintext, as trustSites asks` }),
  };
}

function argumentProblems(args: WeaveArgs): Problem[] {
  const problems: Problem[] = [];
  const { rotation }: { readonly rotation?: unknown } = args;
  if (rotation !== undefined && (typeof rotation !== "string" || rotation === "")) {
    problems.push({
      path: "overlay.rotation",
      message: `${show(rotation)} is not a text`,
      fix: 'write any text, such as "2026-11", or leave it out',
    });
  }
  return problems;
}

/** What lies between the hosts. */
function pathProblems(encrypted: boolean, { hosts, sites, underlay, behindNat }: OverlayContext): Problem[] {
  const problems: Problem[] = [];
  if (hosts.length > mostHosts) {
    problems.push({
      path: "overlay",
      message: `each of ${hosts.length} routers of Weave would be connected to each other one, and more than ${mostHosts} are not`,
      fix: `take native(), or at most ${mostHosts} hosts`,
    });
  }
  if (underlay.encrypted || sites.length < 2) return problems;
  if (!encrypted) {
    problems.push({
      path: "overlay",
      message: `weave would carry container traffic in plaintext between the sites ${sites.join(" and ")}`,
      fix: "leave encrypted out, or take wireguard() as the underlay",
    });
  }
  if (behindNat.length > 0) {
    problems.push({
      path: "overlay",
      message: `Weave's routers of other sites cannot reach those of ${behindNat.join(" and ")}, which are behind address translation`,
      fix: "take wireguard() as the underlay, or give every host a public address of its own",
    });
  }
  return problems;
}

function trustProblems({ trustSites }: WeaveArgs, encrypted: boolean, { sites, underlay, networks = {} }: OverlayContext): Problem[] {
  if (trustSites !== true) return [];
  const path = "overlay.trustSites";
  if (!encrypted) return [{ path, message: "nothing is encrypted that could be left in plaintext within a site", fix: "leave it out" }];
  if (underlay.over === "tunnel") {
    return [{ path, message: `inside the ${underlay.kind} underlay hosts of one site cannot be told from others`, fix: "leave it out" }];
  }
  const unknown = sites.filter((site) => networks[site] === undefined);
  if (unknown.length === 0) return [];
  return [
    {
      path,
      message: `the network of ${unknown.join(" and ")} is not given, so it is not known whom to trust`,
      fix: "give the hosts' groups their network",
    },
  ];
}

function warnings(encrypted: boolean, { encrypted: asked, trustSites }: WeaveArgs, { underlay, sites }: OverlayContext): string[] {
  return [
    ...(encrypted && underlay.encrypted && asked === true
      ? [`overlay: the ${underlay.kind} underlay encrypts already; encrypting again inside it costs throughput and protects nothing more`]
      : []),
    ...(trustSites === true && sites.length === 1 ? ["overlay: with trustSites and one site, no data of containers is encrypted at all"] : []),
  ];
}
