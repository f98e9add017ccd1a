import type { EncryptionChannel } from "../../addresses/encryption";
import { containerMtu } from "../../addresses/mtu";
import type { FirewallRule } from "../../firewall/rule";
import { type Problem, show } from "../../report";
import { ingressData } from "../ingress-data";
import type { OverlayContext, OverlayPlan } from "../overlay";
import { plainBetweenSites, plainData } from "../plain-data";
import { isWhole, planSlicing, slicingProblems } from "../routed/slicing";
import type { CalicoArgs, CalicoSettings } from "./args";
import { passwordProblems } from "./peers/passwords";
import { planPeers } from "./peers/plan";
import { bfdPort, bgpPort } from "./ports";
import { chooseTelling, mostMeshed, mostSessions } from "./reflectors";

const usualBridge = "calico";
const usualAs = 64512;

/** What it asks of the plan, and what is wrong in its arguments. Pure. */
export function planCalico(args: CalicoArgs, context: OverlayContext): OverlayPlan {
  const { underlay } = context;
  const slicing = planSlicing(args, usualBridge);
  const settings = settingsOf(args, context);
  return {
    kind: "calico",
    driver: "macvlan",
    containerMtu: (underlayMtu) => containerMtu(underlayMtu, "none"),
    // They are those of the network that each host has for it.
    networkOptions: () => ({}),
    placement: slicing.placement,
    rules: rules(settings, context),
    routedIn: underlay.tunnel ? { interface: underlay.tunnel.interface } : {},
    encryption: encryption(context, settings, Object.keys(args.peers ?? {})),
    needs: { features: ["vxlan", "macvlan"] },
    programs: [],
    settings,
    serves: "routed addresses",
    peers: (placed) => planPeers(args.peers ?? {}, settings, placed),
    problems: [
      ...slicingProblems(args),
      ...asProblems(args),
      ...reflectorProblems(args, settings, context),
      ...plainBetweenSites("calico", context),
      ...rotationProblems(args),
      ...passwordProblems(args.peers),
    ],
    warnings: warnings(context),
  };
}

function settingsOf(args: CalicoArgs, { hosts, underlay }: OverlayContext): CalicoSettings {
  const { hostPrefix, bridge } = planSlicing(args, usualBridge);
  const asked: unknown = args.reflectors;
  return {
    hostPrefix,
    bridge,
    asNumber: isPrivateAs(args.asNumber) ? args.asNumber : usualAs,
    telling: chooseTelling(hosts, Array.isArray(asked) ? (asked as readonly string[]) : undefined),
    bfd: args.bfd !== false,
    tunnel: underlay.over === "tunnel",
    ...(isRotation(args.rotation) && { rotation: args.rotation }),
  };
}

function rules({ bfd, telling: { meshed, reflectors } }: CalicoSettings, { underlay }: OverlayContext): FirewallRule[] {
  const common = { over: underlay.over, answers: "host", from: ["members"], to: "members" } as const;
  const through = meshed ? "each host tells every other one its subnet" : `${reflectors.join(" and ")} tell all others whose subnet is whose`;
  return [
    { ...common, name: "bgp", protocol: "tcp", ports: [String(bgpPort)], reason: `BGP between BIRD on the hosts: ${through}` },
    ...(bfd
      ? [
          {
            ...common,
            name: "bgp-bfd",
            protocol: "udp",
            ports: [String(bfdPort)],
            reason: "BFD: BIRD notices at once that another host is gone",
          } as const,
        ]
      : []),
    ingressData(underlay),
  ];
}

/** @param peers Names of routers outside the cluster, which are never in the tunnel. */
function encryption({ underlay }: OverlayContext, { rotation }: CalicoSettings, peers: readonly string[]): EncryptionChannel[] {
  const told = peers.length === 0 ? "" : `${underlay.encrypted ? "" : "; "}who is between hosts and ${peers.join(", ")} can read what hosts announce`;
  const readable = underlay.encrypted ? told : `whoever is on the site's network can read which subnet is whose${told}`;
  return [
    plainData(underlay),
    {
      channel: "routes",
      mechanism: "BGP with TCP MD5 signatures (RFC 2385): nobody without the password takes part or alters anything; they are readable",
      keyHolder: "one password for all hosts, derived from the cluster's secret in Pulumi's state; readable by root and BIRD on each host",
      rotation: rotation === undefined ? "when overlay.rotation is set" : `the password lasts for rotation "${rotation}"`,
      protects: underlay.encrypted,
      ...(readable !== "" && { note: readable }),
    },
  ];
}

function asProblems({ asNumber }: CalicoArgs): Problem[] {
  if (asNumber === undefined || isPrivateAs(asNumber)) return [];
  return [
    {
      path: "overlay.asNumber",
      message: `${show(asNumber)} is not the number of a private autonomous system`,
      fix: "give a number from 64512 to 65534 or from 4200000000 to 4294967294, or leave it out",
    },
  ];
}

function rotationProblems({ rotation }: CalicoArgs): Problem[] {
  if (rotation === undefined || isRotation(rotation)) return [];
  return [{ path: "overlay.rotation", message: `${show(rotation)} is not a text`, fix: 'write any text, such as "2026-11", or leave it out' }];
}

function isRotation(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isPrivateAs(value: unknown): value is number {
  return isWhole(value, 64512, 65534) || isWhole(value, 4_200_000_000, 4_294_967_294);
}

function reflectorProblems(
  { reflectors: given }: CalicoArgs,
  { telling: { meshed, reflectors } }: CalicoSettings,
  { hosts }: OverlayContext,
): Problem[] {
  const path = "overlay.reflectors";
  const asked: unknown = given;
  if (asked === undefined) {
    if (meshed || reflectors.length > 1) return [];
    return [
      {
        path,
        message: `more than ${mostMeshed} hosts need two that tell the others the routes, and there are not two managers`,
        fix: "name two hosts, or make a second and third manager",
      },
    ];
  }
  if (!Array.isArray(asked))
    return [{ path, message: `${show(asked)} is not a list of hosts`, fix: 'write their keys, such as ["control-1", "control-2"]' }];
  const keys = new Set(hosts.map(({ key }) => key));
  const unknown = asked.flatMap((key: unknown, index): Problem[] => {
    if (typeof key !== "string" || !keys.has(key)) {
      return [{ path: `${path}[${index}]`, message: `there is no host ${show(key)}`, fix: `name one of ${few([...keys])}` }];
    }
    return asked.indexOf(key) === index ? [] : [{ path: `${path}[${index}]`, message: `the host ${show(key)} is named twice`, fix: "name it once" }];
  });
  if (asked.length === 1) {
    return [
      ...unknown,
      { path, message: "with one host that tells the others the routes, all lose them together with it", fix: "name a second one" },
    ];
  }
  if (asked.length === 0 && hosts.length > mostSessions) {
    return [
      {
        path,
        message: `${hosts.length} hosts would each have a session with every other one, and more than ${mostSessions} are too many`,
        fix: "leave it out, or name two hosts",
      },
    ];
  }
  return unknown;
}

function few(keys: readonly string[]): string {
  return keys.length > 5 ? `${keys.slice(0, 5).join(", ")} …` : keys.join(", ");
}

function warnings({ underlay }: OverlayContext): string[] {
  if (underlay.over === "tunnel") return [];
  return ["overlay: calico sends containers' own addresses over the site's network; a cloud drops them unless its check of source addresses is off"];
}
