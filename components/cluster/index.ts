import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { agentCommand } from "../agents/program";
import type { SwarmResponse } from "../agents/request";
import { dockerUrl, makeDockerProvider } from "../docker-provider";
import type { DockerProviderArgs } from "../docker-provider/args";
import type { HostContext, HostGroup, HostRole, LateHostService, Machine, Member, PlannedHost } from "../hosts/host";
import { Host } from "../hosts/component";
import { OverlayNetwork } from "../networks";
import type { Connection } from "../remote/connection";
import { stop } from "../report";
import type { SwarmClusterArgs } from "./args";
import { siteRules } from "./cloud-rules";
import { ClusterNode } from "./node";
import { describeLateNetwork } from "./late-network";
import { crossesBare } from "./on-hosts";
import { operatorOverlaps } from "./operator";
import { type ClusterPlan, describeProblems, planCluster } from "./plan";
import { defaultReachableSeconds, type KnownMachine, swarmRequest } from "./request";
import { showPlan } from "./resources";
import { LateService, reachable } from "./service";
import { summarize } from "./summary";
import { rememberedSecret } from "../secret";
import { transformed } from "../transform";

/** A host of the cluster as it came to be. */
export interface ClusterHost {
  readonly role: HostRole;
  readonly site: string;
  readonly address: string;
  /** Docker's id of the node. */
  readonly nodeId: string;
  /** Version of its engine. */
  readonly engine: string;
}

/** An overlay network of the cluster as it came to be. */
export interface ClusterNetwork {
  readonly id: string;
  readonly subnet: string;
  readonly internal: boolean;
}

/**
 * A Docker Swarm over hosts of any kind.
 *
 * All of it is planned first; what is wrong is reported at preview, all at once. Then the machines are made, and one
 * program looks at all hosts together and brings them to what was asked: engine, membership, roles.
 *
 * @example
 * const swarm = new SwarmCluster("lab", {
 *   hosts: { control: local.hosts({ role: "manager", count: 3 }) },
 *   networks: { web: {} },
 * });
 * export const dockerHost = swarm.dockerHost;
 */
export class SwarmCluster extends pulumi.ComponentResource {
  /** Everything that was decided before anything was touched. */
  readonly plan: ClusterPlan;
  /** The plan as text: hosts, quorum, what is open to whom, what is encrypted by what, subnets, MTU. Shown in the preview. */
  readonly summary: string;
  /** For `DOCKER_HOST` and `docker context create`: the first manager, over SSH. */
  readonly dockerHost: pulumi.Output<string>;
  /** Docker's id of the swarm; it stays while the cluster lives, whichever hosts come and go. */
  readonly swarmId: pulumi.Output<string>;
  readonly hosts: pulumi.Output<Record<string, ClusterHost>>;
  /** Each host by its key, such as `nodes["edge-1"]`: its plan, its outputs, and the resource to depend on. */
  readonly nodes: Readonly<Record<string, ClusterNode>>;
  readonly networks: pulumi.Output<Record<string, ClusterNetwork>>;
  /** How each host is reached over SSH. Secret. */
  readonly connections: pulumi.Output<Record<string, Connection>>;
  private readonly components = new Map<string, Host>();
  private readonly cluster: string;
  private readonly machines: ReadonlyMap<string, Machine>;
  /** What makes the cluster one that can be worked with. */
  private readonly ready: readonly pulumi.Resource[];
  private readonly dockerProviders = new Map<string, pulumi.ProviderResource>();

  constructor(name: string, args: SwarmClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const { plan, problems } = planCluster(args);
    // RunError is shown without a stack: it is the user's program that is to be mended, not ours.
    if (problems.length > 0) throw new pulumi.RunError(describeProblems(name, problems));
    const { addressSpace, overlay, underlay, mtu, quorum } = plan;
    super("pulumi-swarm:index:SwarmCluster", name, { addressSpace, overlay, underlay, mtu, quorum: quorum.says }, opts);
    this.cluster = name;
    this.plan = plan;
    this.summary = summarize(name, plan);
    if (pulumi.runtime.isDryRun()) void pulumi.log.info(this.summary, this);
    for (const warning of operatorOverlaps(plan)) void pulumi.log.warn(warning, this);

    const checked = showPlan(name, plan, args, this);
    const { machines, admitted } = this.createHosts(name, args, checked);
    const swarm = this.createSwarm(name, args, machines, admitted, checked);
    const networks = this.createNetworks(name, args, machines, swarm);
    this.machines = machines;
    this.ready = [swarm, ...networks];

    // It holds the unlock key: single fields are made readable, never the whole.
    const response = swarm.stdout.apply((stdout) => JSON.parse(stdout) as SwarmResponse);
    this.swarmId = pulumi.unsecret(response.apply(({ swarmId }) => swarmId));
    this.hosts = pulumi.unsecret(
      response.apply(({ hosts }) =>
        Object.fromEntries(
          plan.hosts.map(({ key, role, site, address }) => [
            key,
            { role, site, address: hosts[key]?.address ?? address ?? "", nodeId: hosts[key]?.nodeId ?? "", engine: hosts[key]?.engine ?? "" },
          ]),
        ),
      ),
    );
    this.nodes = this.describeNodes(machines);
    this.networks = pulumi
      .all(networks.map(({ networkId }) => networkId))
      .apply((ids) =>
        Object.fromEntries(plan.networks.map(({ name: network, subnet, internal }, index) => [network, { id: ids[index] ?? "", subnet, internal }])),
      );
    const first = plan.hosts.find(({ role }) => role === "manager");
    this.dockerHost = pulumi.unsecret(pulumi.output(machines.get(first?.key ?? "")?.connection)).apply((connection) => dockerUrl(connection));
    this.connections = pulumi.secret(
      pulumi.all(Object.fromEntries([...machines].map(([key, { connection }]) => [key, connection]))) as pulumi.Output<Record<string, Connection>>,
    );
    this.registerOutputs({ dockerHost: this.dockerHost, swarmId: this.swarmId, hosts: this.hosts, networks: this.networks });
  }

  /**
   * A provider for the services, networks, secrets and configs of `@pulumi/docker` on this swarm, by a manager over SSH with its key
   * pinned. They wait until the cluster is there, and go before it does. Asked again for the same manager, it is the same one.
   * `@pulumi/docker` is loaded only here; a program that does not call this need not have it.
   *
   * @throws RunError where it is not installed, or `ssh` could not log in.
   * @example
   * const provider = swarm.dockerProvider({ keyFile: "~/.ssh/id_ed25519" });
   * new docker.Service("web", { taskSpec: { containerSpec: { image: "nginx" } } }, { provider });
   */
  dockerProvider(args: DockerProviderArgs = {}): pulumi.ProviderResource {
    const key = args.host ?? "";
    const made = this.dockerProviders.get(key);
    if (made) return made;
    const connections = new Map([...this.machines].map(([host, { connection }]) => [host, connection]));
    const provider = makeDockerProvider(args, { cluster: this.cluster, hosts: this.plan.hosts, connections, dependsOn: this.ready, parent: this });
    this.dockerProviders.set(key, provider);
    return provider;
  }

  private createHosts(
    cluster: string,
    args: SwarmClusterArgs,
    checked: pulumi.Output<unknown>,
  ): { readonly machines: Map<string, Machine>; readonly admitted: readonly pulumi.Resource[] } {
    const service = new LateService(args.membership ?? {}, () => this.plan.hosts.flatMap((host) => reachable(host, machines.get(host.key))), this);
    const contexts = this.hostContexts(cluster, args, checked, service);
    const machines: Map<string, Machine> = new Map(contexts.flatMap(([provider, context]) => [...provider.create(context)]));
    const members = this.plan.hosts.flatMap((host): Member[] => {
      const machine = machines.get(host.key);
      return machine ? [{ ...host, ...seenAs(host, machine), address: machine.address }] : [];
    });
    // Addresses of all hosts are there only now, and a firewall names hosts of other groups.
    const admitted = contexts.flatMap(([provider, context]) => provider.admit?.({ ...context, members }) ?? []);
    return { machines, admitted };
  }

  private hostContexts(
    cluster: string,
    args: SwarmClusterArgs,
    checked: pulumi.Output<unknown>,
    service: LateHostService,
  ): (readonly [HostGroup, HostContext])[] {
    const made = new Map<string, unknown>();
    const shared = <T>(key: string, make: () => T): T => {
      if (!made.has(key)) made.set(key, make());
      return made.get(key) as T;
    };
    const { routedIn } = this.plan.onHosts ?? {};
    return Object.entries(args.hosts).map(([group, provider]) => {
      const { key: site } = provider.site;
      const hosts = this.plan.hosts.filter((host) => host.group === group).map((host) => ({ ...host, parent: this.component(cluster, host) }));
      const networkKnown = (network: pulumi.Input<string>): pulumi.Output<string> =>
        pulumi.output(network).apply((known) => {
          const wrong = describeLateNetwork(cluster, args, site, known);
          return wrong === undefined ? known : stop(wrong, this);
        });
      const rules = siteRules(site, this.plan.hosts, this.plan.firewall);
      const containersRouted = crossesBare(routedIn);
      return [provider, { cluster, group, parent: this, hosts, checked, rules, containersRouted, networkKnown, service, shared }];
    });
  }

  private component(cluster: string, host: PlannedHost): Host {
    const component = new Host(`${cluster}-${host.key}`, host, { parent: this });
    this.components.set(host.key, component);
    return component;
  }

  private describeNodes(machines: ReadonlyMap<string, Machine>): Record<string, ClusterNode> {
    const nodes = this.plan.hosts.flatMap((host): [string, ClusterNode][] => {
      const [machine, component] = [machines.get(host.key), this.components.get(host.key)];
      return machine && component ? [[host.key, new ClusterNode(host, component, machine, this.hosts)]] : [];
    });
    return Object.fromEntries(nodes);
  }

  private createSwarm(
    name: string,
    args: SwarmClusterArgs,
    machines: ReadonlyMap<string, Machine>,
    admitted: readonly pulumi.Resource[],
    checked: pulumi.Output<unknown>,
  ): local.Command {
    const keys = [...machines.keys()];
    const of = <K extends keyof Machine>(what: K): Machine[K][] => [...machines.values()].map((machine) => machine[what]);
    const overlaySecret = this.plan.onHosts ? rememberedSecret(`${name}-overlay-secret`, this) : "";
    const [ids, addresses, publicAddresses] = [pulumi.all(of("id")), pulumi.all(of("address")), pulumi.all(of("publicAddress"))];
    const made = pulumi.all([ids, addresses, publicAddresses, pulumi.all(of("connection")), overlaySecret, checked]);
    const request = made.apply(([ids, addresses, publicAddresses, connections, secret]): string => {
      const known = keys.map((key, index): [string, KnownMachine] => {
        const publicAddress = publicAddresses[index];
        const machine = { id: ids[index] ?? "", address: addresses[index] ?? "", connection: connections[index] as Connection };
        return [key, { ...machine, ...(publicAddress !== undefined && { publicAddress }) }];
      });
      return JSON.stringify(swarmRequest(name, args, this.plan, new Map(known), secret));
    });
    const command = agentCommand("swarm-up", "swarm-down", pulumi.secret(request));
    return new local.Command(`${name}-swarm`, transformed(args.transform?.swarm, command), {
      parent: this,
      dependsOn: [...admitted],
      additionalSecretOutputs: ["stdout"],
    });
  }

  private createNetworks(name: string, args: SwarmClusterArgs, machines: ReadonlyMap<string, Machine>, swarm: local.Command): OverlayNetwork[] {
    const managers = pulumi.all(
      this.plan.hosts
        .filter(({ role }) => role === "manager")
        .map(({ key }) => pulumi.output(machines.get(key)?.connection).apply((connection) => ({ key, connection: connection as Connection }))),
    );
    return this.plan.networks.map(
      (network) =>
        new OverlayNetwork(
          `${name}-${network.name}`,
          {
            cluster: name,
            network,
            managers,
            reachableSeconds: args.membership?.reachableSeconds ?? defaultReachableSeconds,
            ...(args.transform?.network && { transform: args.transform.network }),
          },
          { parent: this, dependsOn: swarm },
        ),
    );
  }
}

/** With which address a host comes to other sites, as far as anybody can know. */
function seenAs(planned: PlannedHost, machine: Machine): Pick<Member, "seenAs"> {
  if (planned.seenAs !== undefined) return { seenAs: planned.seenAs };
  const address = typeof planned.publicAddress === "string" ? planned.publicAddress : machine.publicAddress;
  return planned.publicAddress === undefined || address === undefined ? {} : { seenAs: address };
}
