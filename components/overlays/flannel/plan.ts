import type { FirewallRule, HostSelector } from "../../firewall/rule";
import type { EncryptionChannel } from "../../addresses/encryption";
import { containerMtu } from "../../addresses/mtu";
import { planProgram } from "../../programs/plan";
import { type Problem, show } from "../../report";
import type { OverlayContext, OverlayPlan } from "../overlay";
import { plainBetweenSites, plainData } from "../plain-data";
import { ingressData } from "../ingress-data";
import { planSlicing, slicingProblems } from "../routed/slicing";
import { etcdPorts, type FlannelArgs, type FlannelSettings, isEtcdMember, vxlanPort } from "./args";
import { certificateLife } from "./etcd/life";
import { etcdHoles, hasHoles } from "./etcd/versions";

/** Those that this package is tested with. */
const programs = {
  flanneld: { name: "flanneld", version: "v0.28.10", image: "ghcr.io/flannel-io/flannel", files: { flanneld: "/opt/bin/flanneld" } },
  etcd: {
    name: "etcd",
    version: "v3.5.35",
    image: "gcr.io/etcd-development/etcd",
    files: { etcd: "/usr/local/bin/etcd", etcdctl: "/usr/local/bin/etcdctl" },
  },
} as const;

const usualBridge = "flannel";

/** From here on the cost of each write is more than the loss of one more member is worth. */
const mostMembers = 7;

/** What it asks of the plan, and what is wrong in its arguments. Pure. */
export function planFlannel(args: FlannelArgs, context: OverlayContext): OverlayPlan {
  const settings = settingsOf(args, context);
  const { backend } = settings;
  const flanneld = planProgram(programs.flanneld, args.program, "overlay.program", context.mirror);
  const etcd = planProgram(programs.etcd, args.etcd?.program, "overlay.etcd.program", context.mirror);
  const members = context.hosts.filter((host) => isEtcdMember(settings, host)).length;
  return {
    kind: "flannel",
    driver: "macvlan",
    containerMtu: (underlayMtu) => containerMtu(underlayMtu, backend === "vxlan" ? "vxlan" : "none"),
    // They are those of the network that each host has for it.
    networkOptions: () => ({}),
    placement: planSlicing(args, usualBridge).placement,
    rules: rules(settings, context),
    routedIn: backend === "vxlan" ? { interface: "flannel.1" } : {},
    encryption: encryption(settings, context),
    needs: {
      features: ["vxlan", "macvlan"],
    },
    programs: [flanneld.program, etcd.program],
    settings,
    revisitDays: certificateLife.revisited,
    serves: "routed addresses",
    problems: [
      ...argumentProblems(args, context),
      ...underlayProblems(args, context),
      ...memberProblems(args, members),
      ...flanneld.problems,
      ...etcd.problems,
      ...holeProblems(args, etcd.program.version),
    ],
    warnings: [...warnings(settings, members), ...holeWarnings(etcd.program.version)],
  };
}

function settingsOf(args: FlannelArgs, { underlay }: OverlayContext): FlannelSettings {
  const { hostPrefix, bridge } = planSlicing(args, usualBridge);
  return {
    backend: args.backend === "host-gw" ? "host-gw" : "vxlan",
    hostPrefix,
    bridge,
    etcdOn: Array.isArray(args.etcd?.on) ? args.etcd.on : [],
    etcdRotation: typeof args.etcd?.rotation === "string" ? args.etcd.rotation : "",
    tunnel: underlay.over === "tunnel",
  };
}

function rules({ backend, etcdOn }: FlannelSettings, { underlay }: OverlayContext): FirewallRule[] {
  const common = { over: underlay.over, answers: "host", from: ["members"], to: "members" } as const;
  const stores: readonly HostSelector[] = etcdOn.length === 0 ? ["managers"] : etcdOn.map((group): HostSelector => `group ${group}`);
  const data: FirewallRule = {
    ...common,
    name: "overlay-data",
    protocol: "udp",
    ports: [String(vxlanPort)],
    reason: "flannel's VXLAN: containers' packets between hosts",
  };
  const etcd = stores.flatMap((to): FirewallRule[] => {
    const suffix = etcdOn.length === 0 ? "" : ` ${to.slice("group ".length)}`;
    return [
      {
        ...common,
        name: `etcd${suffix}`,
        protocol: "tcp",
        ports: [String(etcdPorts.clients)],
        to,
        reason: "flanneld asks etcd whose subnets are whose",
      },
      {
        ...common,
        name: `etcd-peers${suffix}`,
        protocol: "tcp",
        ports: [String(etcdPorts.peers)],
        from: stores,
        to,
        reason: "etcd's members among themselves",
      },
    ];
  });
  return [...(backend === "vxlan" ? [data] : []), ingressData(underlay), ...etcd];
}

function encryption({ etcdOn }: FlannelSettings, { underlay }: OverlayContext): EncryptionChannel[] {
  return [
    plainData(underlay),
    {
      channel: "etcd",
      mechanism: "TLS 1.3, both sides with certificates (Ed25519); each host may write its own subnet and nothing else",
      keyHolder: `each host has its own keys, made there; the authority's follows from the cluster's secret in Pulumi's state; members: ${etcdOn.join(", ") || "the managers"}`,
      rotation: `by etcd.rotation, and in the last ${certificateLife.renewedFrom} days of ${certificateLife.days} by the update that up has every ${certificateLife.revisited} days`,
      protects: true,
    },
  ];
}

function warnings({ backend }: FlannelSettings, members: number): string[] {
  return [
    ...(members > 0 && members % 2 === 0
      ? [`overlay.etcd: ${members} members tolerate no more failures than ${members - 1}, and are more likely to lose quorum: take an odd number`]
      : []),
    ...(members === 1
      ? ["overlay.etcd: with one member, hosts cannot be added or removed, nor rebooted hosts find their routes, while it is away"]
      : []),
    ...(backend === "host-gw"
      ? [
          "overlay.backend: host-gw sends containers' own addresses over the site's network; a cloud drops them unless its check of source addresses is off",
        ]
      : []),
  ];
}

function argumentProblems(args: FlannelArgs, { hosts }: OverlayContext): Problem[] {
  const problems: Problem[] = [];
  const refuse = (path: string, message: string, fix: string): void => void problems.push({ path: `overlay.${path}`, message, fix });
  const { backend, etcd } = args;
  if (backend !== undefined && backend !== "vxlan" && backend !== "host-gw") {
    refuse(
      "backend",
      `${show(backend)} is not a backend of flannel that this package knows`,
      `write "vxlan" or "host-gw"; for encryption take wireguard() as the underlay`,
    );
  }
  problems.push(...slicingProblems(args));
  const groups = new Set(hosts.map(({ group }) => group));
  const on: unknown = etcd?.on;
  if (on !== undefined && !(Array.isArray(on) && on.length > 0)) {
    refuse("etcd.on", `${show(on)} is not a list of groups`, "name at least one group, or leave it out for all managers");
  } else if (Array.isArray(on)) {
    on.forEach((group, index) => {
      if (!groups.has(group as string)) refuse(`etcd.on[${index}]`, `there is no group ${show(group)}`, `name one of ${[...groups].join(", ")}`);
      else if (on.indexOf(group) !== index) refuse(`etcd.on[${index}]`, `the group ${show(group)} is named twice`, "name it once");
    });
  }
  const rotation: unknown = etcd?.rotation;
  if (rotation !== undefined && (typeof rotation !== "string" || rotation === "")) {
    refuse("etcd.rotation", `${show(rotation)} is not a text`, "give a short text, such as a date");
  }
  return problems;
}

function memberProblems({ etcd }: FlannelArgs, members: number): Problem[] {
  if (members <= mostMembers) return [];
  return [
    {
      path: "overlay.etcd.on",
      message: `${members} members of etcd are too many: each write waits for ${Math.floor(members / 2) + 1} of them`,
      fix: etcd?.on === undefined ? "name a group of 3 or 5 hosts" : "name groups of 3 or 5 hosts in all",
    },
  ];
}

/** Allowed by the version's own name, so that it does not hold for another one. */
function holeProblems({ etcd }: FlannelArgs, version: string): Problem[] {
  const allowed: unknown = etcd?.allowVulnerable;
  const path = "overlay.etcd.allowVulnerable";
  if (allowed !== undefined && allowed !== version) {
    return [{ path, message: `${show(allowed)} is not the version of etcd that hosts are to run, ${version}`, fix: "take it out" }];
  }
  if (allowed !== undefined && !hasHoles(version)) {
    return [{ path, message: `etcd ${version} is not known to be vulnerable`, fix: "take it out" }];
  }
  if (allowed !== undefined || !hasHoles(version)) return [];
  return [
    {
      path: "overlay.etcd.program.version",
      message: `etcd ${version} lets each host read and change more than its own (${etcdHoles.names.join(", ")})`,
      fix: `take ${etcdHoles.fixedIn.join(", ")} or newer, or leave it out; allowVulnerable: "${version}" takes it anyway`,
    },
  ];
}

function holeWarnings(version: string): string[] {
  return hasHoles(version) ? [`overlay.etcd: etcd ${version} lets each host read and change more than its own (${etcdHoles.names.join(", ")})`] : [];
}

function underlayProblems({ backend }: FlannelArgs, context: OverlayContext): Problem[] {
  const { sites, underlay } = context;
  if (backend === "host-gw" && underlay.over === "tunnel") {
    return [
      {
        path: "overlay.backend",
        message: "host-gw hands on packets with containers' addresses, and the encrypted tunnel takes none but those of its hosts",
        fix: `take "vxlan", which goes through the tunnel, or direct() as the underlay of a single site`,
      },
    ];
  }
  if (backend === "host-gw" && sites.length > 1) {
    return [
      {
        path: "overlay.backend",
        message: `host-gw needs every host to be a neighbour of every other, and there are the sites ${sites.join(" and ")}`,
        fix: `take "vxlan" with wireguard() as the underlay, or keep the cluster to one site`,
      },
    ];
  }
  return plainBetweenSites("flannel", context);
}
