import { Cidr, isCidr } from "../../addresses/cidr";
import { vxlanPort } from "./args";
import type { EtcdChange, EtcdContent } from "./etcd/look";
import { clientName } from "./etcd/pki";

/** A host, as etcd knows it. */
export interface Subscriber {
  readonly key: string;
  /** By which the other hosts reach it. */
  readonly address: string;
  /** The subnet of its containers. */
  readonly subnet: string;
  /** It can be worked on: what it holds may become another's. */
  readonly reached: boolean;
}

export interface ContentPlan {
  readonly change: EtcdChange;
  /** Whether there is anything to change. */
  readonly due: boolean;
  /** Hosts that cannot have their subnet, and why. */
  readonly conflicts: readonly { readonly key: string; readonly reason: string }[];
  /** For the person who looks on. */
  readonly notes: readonly string[];
}

const root = "/coreos.com/network";
export const configKey = `${root}/config`;
const leases = `${root}/subnets/`;

export function leaseKey(subnet: string): string {
  return `${leases}${subnet.replace("/", "-")}`;
}

/** flannel's own configuration: the networks are told apart by the plan, so it is let give any subnet of the space. */
export function flannelConfig(space: string, hostPrefix: number, backend: "vxlan" | "host-gw", underlayMtu: number): string {
  const network = Cidr.parse(space);
  if (!isCidr(network)) throw new Error(network.problem);
  const last = network.subnet(hostPrefix, network.count(hostPrefix) - 1);
  return JSON.stringify({
    Network: space,
    SubnetLen: hostPrefix,
    SubnetMin: network.address(0),
    SubnetMax: last.address(0),
    // Without a type flannel takes the backend "udp".
    Backend: backend === "vxlan" ? { Type: "vxlan", VNI: 1, Port: vxlanPort, MTU: underlayMtu } : { Type: "host-gw" },
  });
}

/** What is to become of what is in etcd. Pure. */
export function planContent(content: EtcdContent, config: string, hosts: readonly Subscriber[]): ContentPlan {
  const kept = new Map((content.keys.kvs ?? []).map(({ key, value }) => [text(key), text(value)]));
  const holders = new Map([...kept].filter(([key]) => key.startsWith(leases)).map(([key, value]) => [key, publicAddress(value)]));
  const byAddress = new Map(hosts.map((host) => [host.address, host]));
  // A host that cannot be told of another subnet keeps the one that it has.
  const stuck = new Map(
    hosts.flatMap((host): [string, string][] => {
      if (host.reached) return [];
      const held = [...holders].find(([, address]) => address === host.address)?.[0];
      return held === undefined || held === leaseKey(host.subnet) ? [] : [[host.key, held]];
    }),
  );
  const keyOf = (host: Subscriber): string => stuck.get(host.key) ?? leaseKey(host.subnet);
  const conflicts: { key: string; reason: string }[] = [];
  const put: { key: string; value: string }[] = kept.get(configKey) === config ? [] : [{ key: configKey, value: config }];
  const notes: string[] = [];
  for (const host of hosts) {
    const key = keyOf(host);
    const holder = holders.get(key);
    if (holder === host.address) continue;
    const other = holder === undefined ? undefined : byAddress.get(holder);
    if (other !== undefined && !other.reached) {
      conflicts.push({
        key: host.key,
        reason: `its subnet ${host.subnet} is held by ${other.key}, which cannot be reached and may use it: start ${other.key}, or pin another block for one of them`,
      });
      continue;
    }
    if (holder !== undefined) notes.push(`${host.subnet} goes from ${other?.key ?? `${holder}, which is no host of this cluster`} to ${host.key}`);
    put.push({ key, value: JSON.stringify({ PublicIP: host.address }) });
  }
  const wantedKeys = new Set(hosts.map(keyOf));
  const refused = new Set(conflicts.map(({ key }) => key));
  const addUsers = hosts
    .filter((host) => !refused.has(host.key) && normal(content.users[clientName(host.key)]) !== userText(clientName(host.key), keyOf(host)))
    .map((host) => ({ name: clientName(host.key), key: keyOf(host) }));
  const names = new Set(hosts.map(({ key }) => clientName(key)));
  const change: EtcdChange = {
    enableAuth: !content.auth,
    dropUsers: Object.keys(content.users).filter((name) => name !== "root" && !names.has(name)),
    addUsers,
    dropKeys: [...holders.keys()].filter((key) => !wantedKeys.has(key)),
    put,
  };
  return { change, due: isDue(change), conflicts, notes };
}

/** What is left of hosts that are gone, and of nobody else. */
export function planForgetting(
  content: EtcdContent,
  gone: readonly Omit<Subscriber, "reached">[],
  staying: readonly Omit<Subscriber, "reached">[],
): EtcdChange {
  const names = new Set(gone.map(({ key }) => clientName(key)));
  const theirs = new Set(gone.flatMap(({ subnet, address }) => [leaseKey(subnet), address]));
  const kept = new Set(staying.map(({ subnet }) => leaseKey(subnet)));
  const leased = (content.keys.kvs ?? []).map(({ key, value }) => ({ key: text(key), holder: publicAddress(text(value)) }));
  return {
    enableAuth: false,
    dropUsers: Object.keys(content.users).filter((name) => names.has(name)),
    addUsers: [],
    dropKeys: leased
      .filter(({ key, holder }) => key.startsWith(leases) && (theirs.has(key) || theirs.has(holder)) && !kept.has(key))
      .map(({ key }) => key),
    put: [],
  };
}

export function isDue({ enableAuth, dropUsers, addUsers, dropKeys, put }: EtcdChange): boolean {
  return enableAuth || [dropUsers, addUsers, dropKeys, put].some((list) => list.length > 0);
}

/** What a key holds. */
export function valueOf(content: EtcdContent, key: string): string | undefined {
  const found = (content.keys.kvs ?? []).find((one) => text(one.key) === key);
  return found && text(found.value);
}

function text(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}

function publicAddress(value: string): string {
  try {
    return (JSON.parse(value) as { PublicIP?: string }).PublicIP ?? "";
  } catch {
    return "";
  }
}

/** What `etcdctl user get --detail` says of a user that `etcd/content.sh` made. */
function userText(name: string, key: string): string {
  const prefix = `${root}/`;
  const read = `[${prefix}, ${root}0) (prefix ${prefix})`;
  return normal([`User: ${name}`, `Role ${name}`, "KV Read:", read, key, "KV Write:", key].join("\n"));
}

function normal(said: string | undefined): string {
  return (said ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .join("\n");
}
