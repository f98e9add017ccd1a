import type { IntentRequest, NodesRequest, SwarmDownRequest, SwarmRequest, SwarmRequestHost, SwarmUpResponse } from "../agents/request";
import { Cidr, isCidr } from "../addresses/cidr";
import type { PublicAddress } from "../hosts/host";
import type { KnownMachine } from "../hosts/make";
import type { SwarmClusterArgs } from "./args";
import { timesPassed } from "../since";
import type { ClusterPlan } from "./planned";

/**
 * Seconds that a host may take to answer. This is enough for a cloud machine's boot, and `up` reports a dead host within two
 * minutes.
 */
export const defaultReachableSeconds = 75;
export const defaultDrainSeconds = 120;

/** Whose request it is. */
export type RequestIdentity = Pick<SwarmRequest, "project" | "stack" | "cluster">;

/** What no plan holds of a request. */
export interface RequestSecrets {
  readonly overlay: string;
  readonly memory: string;
  /** The user's own, for the overlay. @default - none */
  readonly passwords?: Readonly<Record<string, string>>;
  /** Empty, or the day from which on times are counted. */
  readonly since: string;
}

/** What the program that works on all hosts is asked, but for what its intent adds. Pure. */
export function swarmRequest(
  identity: RequestIdentity,
  args: SwarmClusterArgs,
  plan: ClusterPlan,
  machines: ReadonlyMap<string, KnownMachine>,
  secrets: RequestSecrets,
): Omit<SwarmRequest, "intent"> {
  const {
    abandonedSwarm,
    recover,
    forget,
    recheck,
    reachableSeconds = defaultReachableSeconds,
    drainSeconds = defaultDrainSeconds,
  } = args.membership ?? {};
  const { passwords = {} } = secrets;
  return {
    ...identity,
    memoryKey: secrets.memory,
    hosts: plan.hosts.flatMap((host) => {
      const machine = machines.get(host.key);
      return machine ? [requestHost(host, machine)] : [];
    }),
    engine: args.engine ?? {},
    bridges: plan.bridges,
    needs: plan.needs,
    underlayMtu: plan.underlayMtu,
    overlay: {
      kind: plan.overlay,
      mtu: plan.mtu,
      slices: Object.fromEntries(
        plan.networks.flatMap(({ name, slice, configFrom, subnet }) => (configFrom === undefined ? [] : [[name, slice ?? subnet]])),
      ),
      ...(plan.onHosts && {
        onHosts: {
          ...plan.onHosts,
          programs: plan.programs,
          secret: secrets.overlay,
          ...(Object.keys(passwords).length > 0 && { passwords }),
          ...revisit(plan, secrets.since),
        },
      }),
    },
    ...(plan.tunnel && { tunnel: withPrefix(plan.tunnel) }),
    ...(plan.enforced === "hosts" && { firewall: { rules: plan.firewall } }),
    ingress: { subnet: subnetOf(plan, "ingress").toString(), gateway: subnetOf(plan, "ingress").address(1) },
    dockerPool: plan.dockerPool,
    swarm: args.swarm ?? {},
    reachableSeconds,
    drainSeconds,
    ...(args.maintenance && { maintenance: args.maintenance }),
    ...(abandonedSwarm !== undefined && { abandonedSwarm }),
    ...(recover !== undefined && { recover }),
    ...(forget && { forget }),
    ...(args.adopt && { adopt: { swarmId: args.adopt.swarmId, dissolve: args.adopt.dissolve ?? false } }),
    ...(recheck !== undefined && { recheck }),
  };
}

/** Nothing before the first time, so that the request of a new cluster is the same each day. */
function revisit({ revisitDays }: ClusterPlan, since: string): { readonly revisit?: number } {
  const times = revisitDays === undefined || since === "" ? 0 : timesPassed(since, revisitDays);
  return times > 0 ? { revisit: times } : {};
}

/** What takes all of it away again needs of the request. */
export function swarmDownRequest(request: Omit<SwarmRequest, "intent">): SwarmDownRequest & IntentRequest {
  const { project, stack, cluster, memoryKey, hosts, tunnel, reachableSeconds, adopt } = request;
  return {
    project,
    stack,
    cluster,
    memoryKey,
    hosts: hosts.map(({ key, connection }) => ({ key, connection })),
    holders: managersOf(hosts),
    reachableSeconds,
    ...(tunnel && { tunnel }),
    ...(adopt && { adopt }),
  };
}

function managersOf(hosts: readonly SwarmRequestHost[]): string[] {
  return hosts.flatMap(({ key, role }) => (role === "manager" ? [key] : []));
}

/**
 * Whoever tells of the hosts what was found out needs only the managers, and is asked again only when there is something else to tell.
 *
 * @param printed By the swarm's last run.
 */
export function nodesRequest({ cluster, memoryKey, hosts, reachableSeconds }: Omit<SwarmRequest, "intent">, printed: string): NodesRequest {
  const managers = new Set(managersOf(hosts));
  return {
    cluster,
    memoryKey,
    reachableSeconds,
    run: toldBy(printed) ?? printed,
    hosts: hosts.filter(({ key }) => managers.has(key)).map(({ key, connection }) => ({ key, connection })),
  };
}

function toldBy(printed: string): string | undefined {
  try {
    return (JSON.parse(printed) as Partial<SwarmUpResponse>).told;
  } catch {
    // Whoever needs the answer says that it cannot be read.
    return undefined;
  }
}

/** A host as the programs that work on it are told of it. */
export function requestHost(
  { key, role, group, site, provider, labels, address, publicAddress, seenAs, tunnelAddress, containerSubnet }: ClusterPlan["hosts"][number],
  machine: KnownMachine,
): SwarmRequestHost {
  const reachedAt = knownAddress(key, publicAddress, machine);
  return {
    key,
    role,
    group,
    site,
    labels,
    machine: machine.id,
    address: machine.address,
    ...(provider !== "existing" && address !== undefined && { attached: true as const }),
    connection: machine.connection,
    ...(reachedAt !== undefined && { publicAddress: reachedAt }),
    ...(seenAs !== undefined && { seenAs }),
    ...(tunnelAddress !== undefined && { tunnelAddress }),
    ...(containerSubnet !== undefined && { containerSubnet }),
  };
}

/** What the plan only knew to come, the machine tells. */
function knownAddress(key: string, planned: PublicAddress | undefined, { publicAddress }: KnownMachine): string | undefined {
  if (planned === undefined || typeof planned === "string") return planned;
  if (publicAddress === undefined) throw new Error(`${key} was to be given a public address, and its provider does not tell which`);
  return publicAddress;
}

/** The tunnel as those programs are told of it. */
export function withPrefix({ subnet, ...tunnel }: NonNullable<ClusterPlan["tunnel"]>): NonNullable<SwarmRequest["tunnel"]> {
  const network = Cidr.parse(subnet);
  return { ...tunnel, prefix: isCidr(network) ? network.prefix : 32 };
}

function subnetOf({ subnets }: ClusterPlan, owner: string): Cidr {
  const network = Cidr.parse(subnets.find((subnet) => subnet.owner === owner)?.cidr ?? "");
  if (!isCidr(network)) throw new Error(`the plan has no subnet for ${owner}`);
  return network;
}
