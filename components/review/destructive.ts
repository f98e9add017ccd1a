import { machineTypes, nameIn } from "../topology/of-resources";
import { type ClusterChange, type Finding, list, type Text, text, words } from "./findings";

/** Resources whose deletion takes something away that does not come back by the next `up`, in the order of what is worst. */
const lasting: Readonly<Record<string, string>> = {
  ...Object.fromEntries(machineTypes.map((type) => [type, "machine, with its disk"])),
  "aws:ebs/volume:Volume": "volume",
  "hcloud:index/volume:Volume": "volume",
  "docker:index/volume:Volume": "volume",
  "aws:ec2/eip:Eip": "public address",
  "hcloud:index/primaryIp:PrimaryIp": "public address",
  "aws:ec2/networkInterface:NetworkInterface": "network interface, with its address",
  "aws:ec2/vpc:Vpc": "network of the site",
  "aws:ec2/subnet:Subnet": "subnet of the site",
  "hcloud:index/network:Network": "network of the site",
  "hcloud:index/networkSubnet:NetworkSubnet": "subnet of the site",
  "docker:index/network:Network": "network of the site",
  "hcloud:index/sshKey:SshKey": "SSH key",
  "pulumi-swarm:index:OverlayNetwork": "overlay network",
};

/** What is deleted, or deleted and made anew. */
export function destructiveFindings(change: ClusterChange): Finding[] {
  const { cluster, steps, after, before } = change;
  const kinds = new Map<string, Map<string, "deleted" | "replaced">>();
  for (const { op, urn, type } of steps) {
    const kind = lasting[type];
    const how = /replace/.test(op) ? "replaced" : op === "delete" ? "deleted" : undefined;
    if (kind === undefined || how === undefined) continue;
    const names = kinds.get(kind) ?? new Map<string, "deleted" | "replaced">();
    kinds.set(kind, names.set(own(cluster, urn), how));
  }
  const order = [...new Set(Object.values(lasting))].filter((kind) => kinds.has(kind));
  return [
    ...refused(change),
    ...(before && !after ? [finding(cluster, words(itself(change)))] : []),
    ...order.flatMap((kind) => ofKind(kind, kinds.get(kind) ?? new Map<string, "deleted" | "replaced">())),
  ];
}

/** What would fail in the middle: the cloud deletes no machine that is protected, and the provider does not take the protection off. */
function refused({ machines }: ClusterChange): Finding[] {
  return machines.flatMap(({ host, how, protectedBy }): Finding[] => {
    if (protectedBy === undefined || (how !== "removed" && how !== "replaced")) return [];
    const what = text`the cloud refuses to delete the machine of ${host} (${protectedBy}), and the update fails: take the protection off by an update of its own first`;
    return [{ section: "destructive", kind: "note", subject: host, text: what }];
  });
}

function itself({ piece, livesOn }: ClusterChange): string {
  if (piece === "HostFirewall") return "the firewall of the hosts";
  if (piece === "WireGuardMesh") return "the tunnel between the hosts";
  if (livesOn)
    return "the cluster as a resource only: the swarm was adopted and lives on, with its services, secrets and configs. Nothing manages it any more";
  return "the cluster itself: the swarm is dissolved, with its services, secrets and configs";
}

function ofKind(kind: string, names: ReadonlyMap<string, "deleted" | "replaced">): Finding[] {
  const of = (how: "deleted" | "replaced"): string[] =>
    [...names]
      .filter(([, each]) => each === how)
      .map(([name]) => name)
      .sort(inOrder);
  const [gone, anew] = [of("deleted"), of("replaced")];
  return [
    ...(gone.length === 0 ? [] : [finding(gone.join(", "), text`${words(kind)}: ${list(gone)}`)]),
    ...(anew.length === 0 ? [] : [finding(anew.join(", "), text`${words(kind)}: ${list(anew)}, replaced`)]),
  ];
}

function finding(subject: string, what: Text): Finding {
  return { section: "destructive", kind: "removed", subject, text: what };
}

function inOrder(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}

function own(cluster: string, urn: string): string {
  const name = nameIn(urn);
  return name.startsWith(`${cluster}-`) ? name.slice(cluster.length + 1) : name;
}
