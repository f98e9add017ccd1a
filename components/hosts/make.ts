import * as pulumi from "@pulumi/pulumi";
import type { FirewallRule } from "../firewall/rule";
import type { Connection } from "../remote/connection";
import { stop } from "../stop";
import { siteRules } from "./cloud-rules";
import { Host } from "./component";
import type { HostContext, HostGroup, LateHostService, Machine, Member, PlannedHost } from "./host";

/** A plan of hosts that are to become machines. */
export interface HostsPlan {
  /** Name of the cluster, the prefix of all resource names. */
  readonly cluster: string;
  readonly groups: Readonly<Record<string, HostGroup>>;
  readonly hosts: readonly PlannedHost[];
  readonly rules: readonly FirewallRule[];
  readonly containersRouted: boolean;
  /** Fails if an address in use would move. */
  readonly checked: pulumi.Output<unknown>;
  readonly service: LateHostService;
  readonly parent: pulumi.Resource;
  /** Looks at all machines. @default - any of them may be another one */
  readonly guard?: (machines: ReadonlyMap<string, Machine>) => Leave;
  /** @returns what is wrong now that a site's network is known, which only its provider could tell; undefined when nothing is. */
  readonly describeLateNetwork: (site: string, network: string) => string | undefined;
}

/** What fails when too many of the machines would be other ones in this run. */
export interface Leave {
  readonly forAll: pulumi.Output<unknown>;
  /** The same as soon as it is known of one manager: the swarm is asked by those whose machines stay. */
  readonly forManager: (host: string) => pulumi.Output<unknown>;
}

export interface MadeHosts {
  /** By host key, as are the components. */
  readonly machines: ReadonlyMap<string, Machine>;
  readonly components: ReadonlyMap<string, Host>;
  /** How to reach each host, by its key. Secret. */
  readonly connections: pulumi.Output<Record<string, Connection>>;
  /** What has to be there before anybody works on the hosts, and to stay until nobody does. */
  readonly admitted: readonly pulumi.Resource[];
  /** Fails when too many of the machines would be other ones in this run. */
  readonly allowed: pulumi.Output<unknown>;
}

/** Every group's provider makes its machines; then, as the addresses of all are there only now, each site's firewall lets them in. */
export function makeHosts(plan: HostsPlan): MadeHosts {
  const { cluster, hosts, parent } = plan;
  const components = new Map(hosts.map((host) => [host.key, new Host(`${cluster}-${host.key}`, host, { parent })]));
  const managers = hosts.filter(({ role }) => role === "manager").map(({ key }) => [key, pulumi.deferredOutput<unknown>()] as const);
  const [allowed, allow] = pulumi.deferredOutput<unknown>();
  const contexts = hostContexts(plan, components, new Map(managers.map(([key, [own]]) => [key, own])), allowed);
  const machines: Map<string, Machine> = new Map(contexts.flatMap(([provider, context]) => [...provider.create(context)]));
  // Each of them waits for this, which looks at all of them.
  const leave = plan.guard?.(machines) ?? anything;
  allow(leave.forAll);
  for (const [key, [, allowOwn]] of managers) allowOwn(leave.forManager(key));
  const members = hosts.flatMap((host): Member[] => {
    const machine = machines.get(host.key);
    return machine ? [{ ...host, ...seenAs(host, machine), address: machine.address }] : [];
  });
  const admitted = contexts.flatMap(([provider, context]) => provider.admit?.({ ...context, members }) ?? []);
  return { machines, components, connections: connectionsOf(machines), admitted, allowed };
}

function connectionsOf(machines: ReadonlyMap<string, Machine>): pulumi.Output<Record<string, Connection>> {
  const connections = Object.fromEntries([...machines].map(([key, { connection }]) => [key, connection]));
  return pulumi.secret(pulumi.all(connections));
}

const anything: Leave = { forAll: pulumi.output(true), forManager: () => pulumi.output(true) };

function hostContexts(
  plan: HostsPlan,
  components: ReadonlyMap<string, Host>,
  allowedManagers: ReadonlyMap<string, pulumi.Output<unknown>>,
  allowed: pulumi.Output<unknown>,
): (readonly [HostGroup, HostContext])[] {
  const { cluster, groups, rules, containersRouted, checked, service, parent } = plan;
  const made = new Map<string, unknown>();
  const shared = <T>(key: string, make: () => T): T => {
    if (!made.has(key)) made.set(key, make());
    return made.get(key) as T;
  };
  return Object.entries(groups).map(([group, provider]) => {
    const { key: site } = provider.site;
    const hosts = plan.hosts
      .filter((host) => host.group === group)
      .map((host) => ({ ...host, parent: components.get(host.key) ?? parent, allowed: allowedManagers.get(host.key) ?? allowed }));
    const networkKnown = (network: pulumi.Input<string>): pulumi.Output<string> =>
      pulumi.output(network).apply((known) => {
        const wrong = plan.describeLateNetwork(site, known);
        return wrong === undefined ? known : stop(wrong, parent);
      });
    const ofSite = siteRules(site, plan.hosts, rules);
    return [provider, { cluster, group, parent, hosts, checked, rules: ofSite, containersRouted, networkKnown, service, shared }];
  });
}

/** With which address a host comes to other sites, as far as anybody can know. */
function seenAs(planned: PlannedHost, machine: Machine): Pick<Member, "seenAs"> {
  if (planned.seenAs !== undefined) return { seenAs: planned.seenAs };
  const address = typeof planned.publicAddress === "string" ? planned.publicAddress : machine.publicAddress;
  return planned.publicAddress === undefined || address === undefined ? {} : { seenAs: address };
}

/** A machine when everything of it is known. */
export interface KnownMachine {
  readonly id: string;
  readonly address: string;
  /** If the plan says that it is assigned. */
  readonly publicAddress?: string;
  readonly connection: Connection;
}

/**
 * A request about all machines, once everything of them is known, and whatever else it waits for. In one step: each output costs the
 * engine's client a millisecond, and there may be a thousand hosts.
 */
export function requestOf<Checked>(
  { machines, connections }: Pick<MadeHosts, "machines" | "connections">,
  also: { readonly secret?: pulumi.Input<string>; readonly since?: pulumi.Input<string>; readonly checked: pulumi.Output<Checked> },
  describe: (known: ReadonlyMap<string, KnownMachine>, secret: string, since: string, checked: pulumi.Unwrap<Checked>) => object,
): pulumi.Output<string> {
  const keys = [...machines.keys()];
  const of = <K extends keyof Machine>(what: K): Machine[K][] => [...machines.values()].map((machine) => machine[what]);
  const [ids, addresses, publicAddresses] = [pulumi.all(of("id")), pulumi.all(of("address")), pulumi.all(of("publicAddress"))];
  const made = pulumi.all([ids, addresses, publicAddresses, connections, also.secret ?? "", also.since ?? "", also.checked]);
  const request = made.apply(([ids, addresses, publicAddresses, connections, secret, since, checked]): string => {
    const known = keys.map((key, index): [string, KnownMachine] => {
      const publicAddress = publicAddresses[index];
      const machine = { id: ids[index] ?? "", address: addresses[index] ?? "", connection: connections[key] as Connection };
      return [key, { ...machine, ...(publicAddress !== undefined && { publicAddress }) }];
    });
    return JSON.stringify(describe(new Map(known), secret, since, checked));
  });
  return pulumi.secret(request);
}
