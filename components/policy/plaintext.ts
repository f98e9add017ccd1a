import type { Policy, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import type { ChannelName } from "../addresses/encryption";
import { plaintext } from "../review/risks";
import { topologiesIn } from "../topology/of-resources";
import type { Topology } from "../topology/topology";
import { configOf } from "./config";
import { Noted } from "./noted";

/** What must be encrypted. */
export interface PlaintextConfig {
  /** Channels that must be protected everywhere, also within one site. @default - only what crosses sites */
  readonly channels?: readonly ChannelName[];
}

const channelNames: readonly ChannelName[] = [
  "administration",
  "swarm control",
  "gossip",
  "overlay data",
  "underlay",
  "raft log",
  "etcd",
  "routes",
  "disks",
];

/** What is wrong with how a cluster's data is protected. */
export function plaintextProblems(topology: Pick<Topology, "cluster" | "hosts" | "encryption">, { channels = [] }: PlaintextConfig): string[] {
  const crossing = plaintext(topology);
  const wanted = topology.encryption.filter((each) => !each.protects && channels.includes(each.channel) && !crossing.includes(each));
  return [
    ...crossing.map(
      ({ channel }) =>
        `The ${channel} of "${topology.cluster}" crosses from site to site in plaintext. Fix: take an overlay that encrypts, or underlay: wireguard().`,
    ),
    ...wanted.map(({ channel, mechanism, note }) => {
      const how = [mechanism, note].filter((text) => text !== undefined).join("; ");
      return `The ${channel} of "${topology.cluster}" must be protected, and is not (${how}). Fix: ${fixes[channel]}, or take it out of "channels" in the configuration of the policy plaintext.`;
    }),
  ];
}

const encrypted = "take underlay: wireguard(), or an overlay that encrypts on every site";
const fixes: Readonly<Record<ChannelName, string>> = {
  administration: "reach the hosts by SSH",
  "swarm control": encrypted,
  gossip: encrypted,
  "overlay data": encrypted,
  underlay: "take underlay: wireguard()",
  "raft log": "set swarm.autolock",
  etcd: encrypted,
  routes: encrypted,
  disks: "take hosts whose provider encrypts their disks",
};

export function plaintextPolicy(): ResourceValidationPolicy & StackValidationPolicy {
  const noted = new Noted();
  const policy = {
    name: "plaintext",
    description: "No data of a swarm crosses from site to site in plaintext, and none anywhere that must be protected.",
    configSchema: {
      properties: {
        channels: {
          type: "array",
          items: { type: "string", enum: [...channelNames] },
          description: "Channels, as the preview names them, that must be protected on one site too.",
        },
      },
    },
  } satisfies Policy;
  return {
    ...policy,
    validateResource: (args) => noted.note(args),
    validateStack: (args, report) => {
      const config = configOf<PlaintextConfig>(policy, args);
      for (const { urn, topology } of topologiesIn(noted.among(args.resources))) {
        for (const message of plaintextProblems(topology, config)) report(message, urn);
      }
    },
  };
}
