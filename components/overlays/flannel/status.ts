import { X509Certificate } from "node:crypto";
import { type Finding, known, type Row, type SeenPart, type StatusPart, upAgain } from "../../health";
import { loadStatusScript } from "../scripts";
import { fewOf } from "../../report";
import { type Apart, apartKind, notApart } from "../routed/apart";
import { certificateLife } from "./etcd/life";
import { parseMembers } from "./etcd/look";
import type { Member } from "./etcd/survey";

/** One host's flannel and etcd, as `status.sh` tells it. */
export interface FlannelState extends Apart {
  readonly flannel: string;
  readonly etcd: string;
  /** flanneld has a subnet for this host. */
  readonly subnet: boolean;
  /** What its member of etcd says of all; null on a host without one. */
  readonly cluster: { readonly members: string; readonly alive: string } | { readonly silent: string } | null;
  /** PEM in base64, by name. */
  readonly certificates: Readonly<Record<string, string>>;
}

type Seen = readonly SeenPart<FlannelState>[];

const day = 24 * 3600 * 1000;

/** flanneld on all hosts, and etcd on the managers, from which it learns of the others. */
export const flannelStatus: StatusPart<FlannelState> = {
  name: "flannel and its etcd",
  key: "flannel",
  script: loadStatusScript(__dirname),
  values: () => ({}),
  kinds: {
    "etcd-quorum": "too few members of flannel's etcd answer: hosts cannot be added or removed, and a host that restarts finds no other",
    "flanneld-stopped": "flanneld does not run on a host, so it learns of no change of the others",
    "etcd-member": "a member of flannel's etcd does not answer; the others are enough",
    "etcd-certificate": "a certificate of flannel's etcd ends soon",
    ...apartKind("flannel"),
  },
  rows: (seen) => {
    const members = membersIn(seen);
    return seen.map((host): Row => {
      const { key, answer } = host;
      if (answer === undefined || typeof answer === "string") return { host: key, says: answer ?? "not seen" };
      const member = members?.find(({ name }) => name === key);
      const etcd = host.role === "manager" ? `, etcd ${member ? (member.alive ? "answers" : "does not answer") : answer.etcd}` : "";
      const end = soonest(answer);
      return { host: key, says: `flanneld ${answer.flannel}${etcd}${end ? `, certificates until ${end.toISOString().slice(0, 10)}` : ""}` };
    });
  },
  findings: (seen, now) => [...etcdFindings(seen), ...stopped(seen), ...ending(seen, now), ...notApart("flannel", seen)],
};

/** By whichever member can tell. */
function membersIn(seen: Seen): readonly Member[] | undefined {
  for (const { answer } of known(seen)) if (answer.cluster && "members" in answer.cluster) return parseMembers(answer.cluster);
  return undefined;
}

function etcdFindings(seen: Seen): Finding[] {
  const holders = known(seen).filter(({ answer }) => answer.cluster !== null);
  const members = membersIn(seen);
  if (holders.length === 0) return [];
  if (!members) {
    const managers = seen.filter(({ role }) => role === "manager");
    const [why] = holders.flatMap(({ answer: { cluster } }) => (cluster && "silent" in cluster ? cluster.silent : []));
    const running = holders.filter(({ answer }) => answer.etcd === "active");
    const away = managers.filter(({ key }) => !running.some((one) => one.key === key)).map(({ key }) => key);
    return [
      {
        kind: "etcd-quorum",
        severity: "broken",
        hosts: managers.map(({ key }) => key),
        text: `flannel's etcd has no majority: it runs on ${running.length} of ${managers.length} managers${away.length > 0 ? `, not on ${fewOf(away)}` : ""}`,
        detail: `${why || "it says nothing"}. Traffic between containers goes on, but hosts cannot be added or removed, and one that restarts finds no other`,
        fix:
          away.length > 0
            ? `run "systemctl start pulumi-swarm-flannel-etcd" on ${fewOf(away)}, or start the machine`
            : "see whether 2380/tcp passes between the managers",
      },
    ];
  }
  return members
    .filter(({ alive, name }) => !alive && name !== "" && seen.some(({ key, answer }) => key === name && answer !== undefined))
    .map(({ name }) => {
      const unit = known(seen).find(({ key }) => key === name)?.answer.etcd ?? "not known";
      const alive = members.filter((one) => one.alive && !one.learner).length;
      return {
        kind: "etcd-member",
        severity: "warning" as const,
        hosts: [name],
        text: `${name}: flannel's etcd does not answer there; ${alive} of ${members.length} members answer, which is enough`,
        detail: `its unit is ${unit}`,
        fix: `run "systemctl start pulumi-swarm-flannel-etcd" on ${name}; "journalctl -u pulumi-swarm-flannel-etcd" there says why it stopped`,
        drift: true as const,
      };
    });
}

function stopped(seen: Seen): Finding[] {
  return known(seen)
    .filter(({ answer }) => answer.flannel !== "active")
    .map(({ key, answer: { flannel } }) => ({
      kind: "flanneld-stopped",
      severity: "broken",
      hosts: [key],
      text: `${key}: flanneld does not run, so this host learns of no change of the others`,
      detail: `its unit is ${flannel}`,
      fix: `run "systemctl restart pulumi-swarm-flannel" on ${key}; "journalctl -u pulumi-swarm-flannel" there says why it stopped; if that fails, ${upAgain}`,
      drift: true,
    }));
}

/** `up` renews them long before, when it is run at all. */
function ending(seen: Seen, now: Date): Finding[] {
  const late = known(seen).flatMap(({ key, answer }) => {
    const end = soonest(answer);
    const left = end ? (end.getTime() - now.getTime()) / day : Infinity;
    return left < certificateLife.renewedFrom / 2 ? [{ key, left }] : [];
  });
  if (late.length === 0) return [];
  const left = Math.min(...late.map((one) => one.left));
  return [
    {
      kind: "etcd-certificate",
      severity: left <= 0 ? "broken" : "warning",
      hosts: late.map(({ key }) => key),
      text: `certificates of flannel's etcd ${left <= 0 ? "have ended" : `end in ${Math.floor(left)} days`} on ${fewOf(late.map(({ key }) => key))}`,
      fix: `${upAgain}: it renews them`,
      drift: true,
    },
  ];
}

function soonest({ certificates }: FlannelState): Date | undefined {
  const ends = Object.values(certificates).flatMap((base64) => endOf(base64) ?? []);
  return ends.length === 0 ? undefined : ends.reduce((one, other) => (other < one ? other : one));
}

function endOf(base64: string): Date | undefined {
  try {
    return new Date(new X509Certificate(Buffer.from(base64, "base64")).validTo);
  } catch {
    return undefined;
  }
}
