import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { answerOf, logWarnings } from "../agents/answer";
import { intendedCommand } from "../agents/intended";
import { agentCommand } from "../agents/program";
import type { NodesResponse, SwarmRequest, SwarmUpResponse } from "../agents/request";
import { dockerUrl, makeDockerProvider } from "../docker-provider";
import type { DockerProviderArgs } from "../docker-provider/args";
import { prometheusJob } from "../engine/metrics";
import type { HostRole, Machine } from "../hosts/host";
import { type MadeHosts, makeHosts, requestOf } from "../hosts/make";
import { Gateway } from "./gateway";
import type { ManagedArgs } from "./managed";
import { OverlayNetwork } from "./overlay-network";
import { nodeProblems, transformsOf } from "../node/on-path";
import type { Connection } from "../remote/connection";
import type { SwarmClusterArgs } from "./args";
import { ClusterNode } from "./node";
import { claimNames } from "../names/claimed";
import { givenNameProblems } from "../names/given";
import { describeLateNetwork } from "./late-network";
import { clusterNames } from "./names";
import { crossesBare } from "./on-hosts";
import { operatorOverlaps } from "./operator";
import { describeProblems, planCluster } from "./plan";
import { type ClusterPlan } from "./planned";
import { overlayPasswords } from "./passwords";
import { defaultReachableSeconds, nodesRequest, type RequestSecrets, swarmDownRequest, swarmRequest } from "./request";
import { showPlan } from "./resources";
import { lookAhead } from "./look-ahead";
import { guardMembers, settleManagers } from "./memory";
import { tellReplacing, walkedFor } from "./replacing";
import { planWith, type SlicePlaces } from "./kept-slices";
import { LateService, reachable } from "./service";
import { describeProblems as describe } from "../report";
import { ownerOfSlice } from "./subnets";
import { summarize } from "./summary";
import { mermaid } from "../picture/mermaid";
import { svg } from "../picture/svg";
import { rememberedSecret } from "../secret";
import { rememberedDay } from "../since";
import { topologyOf } from "./topology";
import { transformed } from "../transform";

/** A host of the cluster after it is made. */
export interface ClusterHost {
  /** What the host is in the swarm. */
  readonly role: HostRole;
  /** Key of its site. */
  readonly site: string;
  /** Address that the other hosts of its site use. */
  readonly address: string;
  /** Docker's id of the node. */
  readonly nodeId: string;
  /** Version of its engine. */
  readonly engine: string;
}

/** An overlay network of the cluster after it is made. */
export interface ClusterNetwork {
  /** Docker's id of the network. */
  readonly id: string;
  /** Range of its addresses, in CIDR form. */
  readonly subnet: string;
  /** Whether its containers have no outside access through it. */
  readonly internal: boolean;
}

/**
 * A Docker Swarm over hosts of any kind.
 *
 * The preview plans everything first, and reports all problems at once. Then the machines are made, and one program inspects
 * all hosts together and makes them match the plan: engine, membership, roles.
 *
 * @example
 * const swarm = new SwarmCluster("lab", {
 *   hosts: { control: local.hosts({ role: "manager", count: 3 }) },
 *   networks: { web: {} },
 * });
 * export const dockerHost = swarm.dockerHost;
 */
export class SwarmCluster extends pulumi.ComponentResource {
  /** The plan: everything that is decided before anything changes. */
  readonly plan: ClusterPlan;
  /** The plan as text: hosts, quorum, what is open to whom, what encrypts what, subnets, MTU. The preview shows it. */
  readonly summary: string;
  /** For `DOCKER_HOST` and `docker context create`: the first manager, over SSH. */
  readonly dockerHost: pulumi.Output<string>;
  /** Docker's id of the swarm. It stays the same when hosts join and leave. */
  readonly swarmId: pulumi.Output<string>;
  /** Each host after it is made, by its key such as `control-1`. */
  readonly hosts: pulumi.Output<Record<string, ClusterHost>>;
  /** Each host by its key, such as `nodes["edge-1"]`: its plan, its outputs, and the resource for `dependsOn`. */
  readonly nodes: Readonly<Record<string, ClusterNode>>;
  /** Each of the cluster's networks after it is made, by its name. */
  readonly networks: pulumi.Output<Record<string, ClusterNetwork>>;
  /**
   * An entry for Prometheus' `scrape_configs` on one line, with Docker's metrics of each host. Empty unless `engine.metrics` is `true`.
   */
  readonly prometheus: pulumi.Output<string>;
  /** How to reach each host over SSH. Secret. */
  readonly connections: pulumi.Output<Record<string, Connection>>;
  private readonly cluster: string;
  private readonly machines: ReadonlyMap<string, Machine>;
  /** What makes the cluster one that can be worked with: the swarm, its networks and gateways. */
  private readonly ready: readonly [local.Command, ...pulumi.Resource[]];
  private readonly dockerProviders = new Map<string, pulumi.ProviderResource>();

  constructor(name: string, args: SwarmClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const unnamed = givenNameProblems(name, "SwarmCluster");
    if (unnamed.length > 0) throw new pulumi.RunError(describe("swarm cluster", unnamed));
    const { plan, problems: mistakes } = planCluster(args);
    const problems = [...mistakes, ...nodeProblems(transformsOf(args))];
    // RunError is shown without a stack: it is the user's program that is to be mended, not ours.
    if (problems.length > 0) throw new pulumi.RunError(describeProblems(name, problems));
    const type = "pulumi-swarm:index:SwarmCluster";
    const names = clusterNames(name, plan, Object.entries(args.hosts), args.firewall);
    const taken = claimNames({ what: `swarm cluster "${name}"`, type, name, parent: opts?.parent, names });
    if (taken.length > 0) throw new pulumi.RunError(describeProblems(name, taken));
    const { addressSpace, overlay, underlay, mtu, quorum, enforced } = plan;
    // Only where a swarm was adopted: a review says what becomes of it when this is removed.
    const adopted = args.adopt && { adopted: args.adopt.dissolve === true ? "dissolved" : "lives on" };
    super(type, name, { addressSpace, overlay, underlay, mtu, enforced, quorum: quorum.says, ...adopted, ...walkedFor(args) }, opts);
    this.cluster = name;
    this.plan = plan;
    this.summary = summarize(name, plan);
    if (pulumi.runtime.isDryRun()) void pulumi.log.info(this.summary, this);
    for (const warning of operatorOverlaps(plan)) void pulumi.log.warn(warning, this);

    const checked = showPlan(name, plan, args, this);
    const made = this.createHosts(name, args, checked);
    const { machines } = made;
    const { swarm, told } = this.createSwarm(name, args, made, checked);
    const managed = this.managed(name, args, machines);
    const networks = this.createNetworks(name, args, managed, swarm, checked);
    const gateways = this.createGateways(name, args, managed, swarm, networks);
    logWarnings(swarm.stdout, this);
    this.machines = machines;
    this.ready = [swarm, ...networks, ...gateways];
    settleManagers({ cluster: name, args, plan, machines, parent: this }, this.ready);

    this.swarmId = pulumi.unsecret(swarm.stdout.apply((stdout) => answerOf<SwarmUpResponse>(stdout, "swarm-up").swarmId));
    this.hosts = pulumi.unsecret(
      told.stdout.apply((stdout) => {
        const { hosts } = answerOf<NodesResponse>(stdout, "nodes");
        return Object.fromEntries(
          plan.hosts.map(({ key, role, site, address }) => [
            key,
            { role, site, address: hosts[key]?.address ?? address ?? "", nodeId: hosts[key]?.nodeId ?? "", engine: hosts[key]?.engine ?? "" },
          ]),
        );
      }),
    );
    this.prometheus = this.hosts.apply((hosts) =>
      prometheusJob(
        args.engine ?? {},
        name,
        plan.hosts.map((host) => ({ ...host, address: hosts[host.key]?.address ?? "" })),
      ),
    );
    this.nodes = this.describeNodes(made);
    this.networks = pulumi
      .all(networks.map(({ networkId }) => networkId))
      .apply((ids) =>
        Object.fromEntries(plan.networks.map(({ name: network, subnet, internal }, index) => [network, { id: ids[index] ?? "", subnet, internal }])),
      );
    const first = plan.hosts.find(({ role }) => role === "manager");
    if (args.adopt?.look === true && pulumi.runtime.isDryRun()) lookAhead(plan, first?.key ?? "", machines, this);
    this.dockerHost = pulumi.unsecret(pulumi.output(machines.get(first?.key ?? "")?.connection)).apply((connection) => dockerUrl(connection));
    this.connections = made.connections;
    this.registerOutputs({ dockerHost: this.dockerHost, swarmId: this.swarmId, hosts: this.hosts, networks: this.networks });
  }

  /** The cluster as a picture in SVG: who may connect, the hosts and their places, what joins them, what is encrypted. */
  get picture(): string {
    return svg(topologyOf(this.cluster, this.plan));
  }

  /** The same as a Mermaid diagram, for Markdown. An edit changes few of its lines, so it makes a readable stack output. */
  get diagram(): string {
    return mermaid(topologyOf(this.cluster, this.plan));
  }

  /**
   * A provider for the services, networks, secrets and configs of `@pulumi/docker` on this swarm. It works through a manager,
   * over SSH with a pinned host key. These resources are made after the cluster and removed before it. Another call for the same
   * manager returns the same provider. Only this call loads `@pulumi/docker`; other programs do not need it.
   *
   * @throws RunError if it is not installed, or `ssh` could not log in.
   * @example
   * const provider = swarm.dockerProvider({ writeKeyTo: ".keys/example" });
   * new docker.Service("web", { taskSpec: { containerSpec: { image: "nginx" } } }, { provider });
   */
  dockerProvider(args: DockerProviderArgs = {}): pulumi.ProviderResource {
    const key = (args as DockerProviderArgs | null)?.host ?? "";
    const made = this.dockerProviders.get(key);
    if (made) return made;
    const connections = new Map([...this.machines].map(([host, { connection }]) => [host, connection]));
    const provider = makeDockerProvider(args, {
      cluster: this.cluster,
      hosts: this.plan.hosts,
      connections,
      dependsOn: this.ready,
      made: this.ready[0].id,
      parent: this,
    });
    this.dockerProviders.set(key, provider);
    return provider;
  }

  private createHosts(cluster: string, args: SwarmClusterArgs, checked: pulumi.Output<unknown>): MadeHosts {
    const { hosts, firewall, onHosts } = this.plan;
    const service = new LateService(args.membership ?? {}, () => hosts.flatMap((host) => reachable(host, made.machines.get(host.key))), this);
    const made: MadeHosts = makeHosts({
      cluster,
      groups: args.hosts,
      hosts,
      rules: firewall,
      containersRouted: crossesBare(onHosts?.routedIn) || this.plan.peers.length > 0,
      checked,
      service,
      parent: this,
      guard: (machines) => guardMembers({ cluster, args, plan: this.plan, machines, parent: this }, (leaving) => service.spare(leaving)),
      describeLateNetwork: (site, network) => describeLateNetwork(cluster, args, site, network),
    });
    return made;
  }

  private describeNodes({ machines, components }: MadeHosts): Record<string, ClusterNode> {
    const nodes = this.plan.hosts.flatMap((host): [string, ClusterNode][] => {
      const [machine, component] = [machines.get(host.key), components.get(host.key)];
      return machine && component ? [[host.key, new ClusterNode(host, component, machine, this.hosts)]] : [];
    });
    return Object.fromEntries(nodes);
  }

  private createSwarm(
    name: string,
    args: SwarmClusterArgs,
    made: MadeHosts,
    planned: pulumi.Output<SlicePlaces>,
  ): { readonly swarm: local.Command; readonly told: local.Command } {
    const overlay = this.plan.onHosts ? rememberedSecret(`${name}-overlay-secret`, this) : "";
    const memory = rememberedSecret(`${name}-memory-key`, this);
    const passwords = overlayPasswords(name, args.overlay, this);
    const secret = pulumi
      .all([overlay, memory, passwords])
      .apply(([own, key, given]) => JSON.stringify({ overlay: own, memory: key, passwords: given }));
    const identity = { project: pulumi.getProject(), stack: pulumi.getStack(), cluster: name };
    const since = this.plan.revisitDays === undefined ? "" : rememberedDay(`${name}-overlay-since`, this);
    const checked = pulumi.all([planned, made.allowed]);
    const request = requestOf(made, { secret, since, checked }, (known, secrets, day, [slices]) =>
      swarmRequest(identity, args, planWith(args, this.plan, slices), known, {
        ...(JSON.parse(secrets) as Omit<RequestSecrets, "since">),
        since: day,
      }),
    );
    const swarm = intendedCommand(
      `${name}-swarm`,
      { up: "swarm-up", down: "swarm-down", request, downRequest: swarmDownRequest },
      { work: args.transform?.swarm, intent: args.transform?.intent },
      { parent: this, dependsOn: [...made.admitted] },
    );
    const asked = pulumi.all([request, swarm.stdout]).apply(([text, run]) => JSON.stringify(nodesRequest(JSON.parse(text) as SwarmRequest, run)));
    const command = { ...agentCommand("nodes", undefined, pulumi.secret(asked)), addPreviousOutputInEnv: false };
    const told = new local.Command(`${name}-nodes`, transformed(args.transform?.nodes, command), {
      parent: this,
      dependsOn: swarm,
      ...tellReplacing(name, args, this.plan, this),
    });
    return { swarm, told };
  }

  /** What is made through any manager is told of all of them. */
  private managed(cluster: string, args: SwarmClusterArgs, machines: ReadonlyMap<string, Machine>): ManagedArgs {
    const { reachableSeconds = defaultReachableSeconds, recheck } = args.membership ?? {};
    const managers = pulumi.all(
      this.plan.hosts
        .filter(({ role }) => role === "manager")
        .map(({ key }) => pulumi.output(machines.get(key)?.connection).apply((connection) => ({ key, connection: connection as Connection }))),
    );
    return { cluster, managers, reachableSeconds, ...(recheck !== undefined && { recheck }) };
  }

  private createNetworks(
    name: string,
    args: SwarmClusterArgs,
    managed: ManagedArgs,
    swarm: local.Command,
    slices: pulumi.Output<SlicePlaces>,
  ): OverlayNetwork[] {
    const transform = args.transform?.network;
    const { networks, overlay } = this.plan;
    const keepUsed = args.adopt !== undefined && args.adopt.dissolve !== true;
    return networks.map((network) => {
      const slice = network.slice === undefined ? undefined : slices.apply((places) => places[ownerOfSlice(network.name)] ?? network.slice ?? "");
      const own = { ...managed, network: { ...network, ...(slice && { slice }) }, overlay, keepUsed, ...(transform && { transform }) };
      return new OverlayNetwork(`${name}-${network.name}`, own, { parent: this, dependsOn: swarm });
    });
  }

  private createGateways(
    name: string,
    args: SwarmClusterArgs,
    managed: ManagedArgs,
    swarm: local.Command,
    networks: readonly OverlayNetwork[],
  ): Gateway[] {
    const transform = args.transform?.gateway;
    const ids = new Map(this.plan.networks.map((network, index) => [network.name, networks[index]?.networkId ?? ""]));
    return this.plan.gateways.map((gateway) => {
      const networkIds = Object.fromEntries(gateway.networks.map((network) => [network, ids.get(network) ?? ""]));
      const options = { parent: this, dependsOn: [swarm, ...networks] };
      return new Gateway(`${name}-${gateway.name}`, { ...managed, gateway, networkIds, ...(transform && { transform }) }, options);
    });
  }
}
