import { type Problem, show } from "../../report";
import { prefixProblem } from "../../engine/known";
import { defaultDataPathPort, engineEncryptionProblem } from "../../engine/needs";
import type { FirewallRule } from "../../firewall/rule";
import type { EncryptionChannel } from "../../addresses/encryption";
import { containerMtu } from "../../addresses/mtu";
import type { OverlayContext, OverlayPlan } from "../overlay";
import { plainData } from "../plain-data";
import type { NativeArgs } from "./args";

/** What it asks of the plan, and what is wrong in its arguments. Pure. */
export function planNative(args: NativeArgs, context: OverlayContext): OverlayPlan {
  const encrypted = args.encrypted === true;
  const port = args.dataPathPort ?? defaultDataPathPort;
  return {
    kind: "native",
    driver: "overlay",
    containerMtu: (underlayMtu) => containerMtu(underlayMtu, encrypted ? "encrypted vxlan" : "vxlan"),
    // Docker takes the underlay's MTU here and subtracts what it adds itself.
    placement: { kind: "subnets" },
    networkOptions: (underlayMtu) => ({ "com.docker.network.driver.mtu": String(underlayMtu), ...(encrypted && { encrypted: "" }) }),
    rules: rules(encrypted, port, context),
    encryption: [encryption(encrypted, context)],
    needs: { features: encrypted ? ["vxlan", "ipsec"] : ["vxlan"], ...(args.dataPathPort !== undefined && { dataPathPort: port }) },
    programs: [],
    serves: "virtual address",
    noPolicies: "native() keeps each network in a VXLAN of its own, and no host routes from one to another",
    problems: [...argumentProblems(args), ...(encrypted ? encryptionProblems(port, context) : plaintextProblems(context))],
    warnings: encrypted ? encryptionWarnings(context) : [],
  };
}

function encryptionWarnings({ underlay }: OverlayContext): string[] {
  if (!underlay.encrypted) return [];
  return [`overlay: the ${underlay.kind} underlay encrypts already; encrypting again inside it costs throughput and protects nothing more`];
}

function rules(encrypted: boolean, port: number, { underlay }: OverlayContext): FirewallRule[] {
  const between = { from: ["members"], to: "members", over: underlay.over, answers: "host" } as const;
  const data: FirewallRule = {
    ...between,
    name: "overlay-data",
    protocol: "udp",
    ports: [String(port)],
    // Networks made by hand need not be encrypted, and the ingress network is not.
    reason: "VXLAN of the native overlay and of the ingress network",
  };
  if (!encrypted) return [data];
  return [data, { ...between, name: "overlay-data-esp", protocol: "esp", ports: [], reason: "IPsec around the VXLAN of encrypted networks" }];
}

function encryption(encrypted: boolean, { underlay }: OverlayContext): EncryptionChannel {
  if (encrypted) {
    return {
      channel: "overlay data",
      mechanism: "IPsec ESP, AES-128-GCM",
      keyHolder: "the swarm's managers, who give them to all members",
      rotation: "every 12 hours, by the swarm",
      protects: true,
      note: "the ingress network is not encrypted; more than 2^32 packets between two hosts within 12 hours are lost (moby issue 52005)",
    };
  }
  return plainData(underlay);
}

function argumentProblems({ dataPathPort }: NativeArgs): Problem[] {
  const problems: Problem[] = [];
  if (dataPathPort !== undefined && !(Number.isInteger(dataPathPort) && dataPathPort >= 1024 && dataPathPort <= 49_151)) {
    problems.push({
      path: "overlay.dataPathPort",
      message: `${show(dataPathPort)} is not a port that Docker takes`,
      fix: "give one from 1024 to 49151",
    });
  }
  if (dataPathPort === 7946) {
    problems.push({ path: "overlay.dataPathPort", message: "7946 is where the members gossip", fix: "choose another port" });
  }
  return problems;
}

function encryptionProblems(port: number, { underlay, sites, behindNat, engineVersion }: OverlayContext): Problem[] {
  const problems: Problem[] = [];
  const hidden = underlay.encrypted || sites.length < 2 ? [] : behindNat;
  if (hidden.length > 0) {
    problems.push({
      path: "overlay.encrypted",
      message: `IPsec as Docker does it cannot pass the address translation in front of ${hidden.join(" and ")}`,
      fix: "leave encrypted out and take wireguard() as the underlay, or give every host a public address of its own",
    });
  }
  const problem = engineVersion === undefined ? undefined : engineEncryptionProblem(engineVersion, port);
  if (problem !== undefined) {
    problems.push({
      path: "engine.version",
      message: `does not go with native({ encrypted: true }): ${problem}`,
      fix: "ask for a newer engine",
    });
  }
  // A pin to one side of the change keeps all hosts on it, and without a pin each host is looked at before anything is changed.
  const split = engineVersion === undefined ? undefined : prefixProblem(engineVersion);
  if (split !== undefined) problems.push({ path: "engine.version", ...split });
  return problems;
}

function plaintextProblems({ sites, underlay }: OverlayContext): Problem[] {
  if (sites.length < 2 || underlay.encrypted) return [];
  return [
    {
      path: "overlay",
      message: `the native overlay would carry container traffic in plaintext between the sites ${sites.join(" and ")}`,
      fix: "take wireguard() as the underlay, or native({ encrypted: true }) where no address translation is in between",
    },
  ];
}
