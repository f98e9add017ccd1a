import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../../remote/connection";
import { transformed } from "../../transform";
import { connectionOf } from "../cloud/connection";
import { type HostKeys, hostKeys } from "../cloud/keys";
import type { Birth, Remembered } from "../cloud/memory";
import { userData } from "../cloud/user-data";
import { oneAtATime } from "../cloud/rolling";
import { madeAs, replacingPaths } from "../cloud/made";
import type { HostContext, HostToMake, MadeAs, Machine } from "../host";
import type { AwsHostsArgs } from "./args";
import { behaviour } from "./behaviour";
import { defaults } from "./defaults";
import { newestImage } from "./image";
import { diskKey, remembered } from "./memory";
import type { Common } from "./names";
import type { SiteNetwork } from "./network";
import { architectureOf, hostArgs } from "./plan";
import { agentCommands, throughAgent } from "./ssm";

/** The interface changes with the address, the zone and the network, and waits itself for leave to do so. */
const replacing = replacingPaths(behaviour["aws:ec2/instance:Instance"], ["primaryNetworkInterface"]);

/** What a machine is made with, beside what the user says. */
export interface Surroundings {
  readonly common: Common;
  readonly context: HostContext;
  readonly network: SiteNetwork;
  readonly securityGroups: readonly aws.ec2.SecurityGroup[];
  readonly seed: pulumi.Output<string>;
}

/** An interface and an address, which stay, and the instance on them, which may become another one. */
export function createMachine(args: AwsHostsArgs, host: HostToMake, surroundings: Surroundings): Machine {
  const { seed, common, context } = surroundings;
  const { instanceType } = hostArgs(args, host.place);
  const memory = remembered(args, host, newestImage(args, architectureOf(instanceType), common, context), context);
  const keys = hostKeys(seed, host.key, args.loginKey);
  const face = createInterface(args, host, memory.birth, surroundings);
  const address = host.address ?? face.privateIp;
  const elastic = args.publicAddress === "none" ? undefined : createElasticIp(args, host, face, surroundings);
  const direct = connectionOf(elastic?.publicIp ?? address, keys, args.bastion);
  const byId = args.access === "ssm" ? (id: pulumi.Input<string>) => throughAgent(direct, args.region, id) : undefined;
  const instance = createInstance(
    args,
    host,
    { memory, diskKey: diskKey(args, host.key, memory, context), keys, face, ...(byId && { byId }) },
    surroundings,
  );
  return {
    id: instance.resource.id,
    made: instance.made,
    address,
    ...(elastic && { publicAddress: elastic.publicIp }),
    connection: byId?.(instance.resource.id) ?? direct,
  };
}

function createInterface(args: AwsHostsArgs, host: HostToMake, birth: pulumi.Output<Birth>, surroundings: Surroundings): aws.ec2.NetworkInterface {
  const { common, context, network, securityGroups } = surroundings;
  const name = `${context.cluster}-${host.key}`;
  const subnet = network.subnet(host.zone ?? "");
  const face = {
    region: common.region,
    tags: common.tags(name),
    description: `The host ${name}`,
    // Also a host that may not move is found out before anything of it is touched.
    subnetId: pulumi.all([subnet.id, birth, host.allowed]).apply(([id]) => id),
    securityGroups: securityGroups.map(({ id }) => id),
    sourceDestCheck: !context.containersRouted,
    ...(host.address !== undefined && { privateIps: [host.address] }),
  };
  return new aws.ec2.NetworkInterface(name, transformed(args.transform?.networkInterface, face), {
    ...common.options(host.parent),
    dependsOn: [...subnet.ready],
    // Its address is free only when it is gone.
    deleteBeforeReplace: true,
  });
}

function createElasticIp(
  args: AwsHostsArgs,
  host: HostToMake,
  face: aws.ec2.NetworkInterface,
  { common, context, network }: Surroundings,
): aws.ec2.Eip {
  const name = `${context.cluster}-${host.key}`;
  const elastic = { region: common.region, tags: common.tags(name), domain: "vpc", networkInterface: face.id };
  return new aws.ec2.Eip(name, transformed(args.transform?.elasticIp, elastic), { ...common.options(host.parent), dependsOn: [...network.gateway] });
}

interface Parts {
  readonly memory: Remembered;
  readonly diskKey: pulumi.Output<string | undefined>;
  readonly keys: pulumi.Output<HostKeys>;
  readonly face: aws.ec2.NetworkInterface;
  /** Where the instance is reached by its id. @default - by an address */
  readonly byId?: (id: pulumi.Input<string>) => pulumi.Output<Connection>;
}

function createInstance(
  args: AwsHostsArgs,
  host: HostToMake,
  { memory, diskKey: kmsKeyId, keys, face, byId }: Parts,
  { common, context }: Surroundings,
): { readonly resource: aws.ec2.Instance; readonly made: MadeAs } {
  const name = `${context.cluster}-${host.key}`;
  const { instanceType } = hostArgs(args, host.place);
  const tags = common.tags(name);
  const protect = args.protect ?? args.role === "manager";
  const commands = agentCommands(args, host.place);
  const instance = {
    region: common.region,
    tags,
    ami: memory.image,
    instanceType,
    primaryNetworkInterface: { networkInterfaceId: face.id },
    userData: keys.apply(({ login, machine }) => userData({ hostname: host.key, authorizedKey: login.publicKey, hostKey: machine, commands })),
    // Version 2 asks for a token, which a container behind one more hop does not get.
    metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
    rootBlockDevice: {
      encrypted: true,
      volumeType: "gp3",
      volumeSize: args.diskSize ?? defaults.diskSize,
      tags,
      kmsKeyId,
    },
    // Nobody else can terminate it; this stack can, as soon as it is no longer asked for.
    ...(protect && { disableApiTermination: true, forceDestroy: true }),
    ...(args.spot === true && { instanceMarketOptions: { marketType: "spot", spotOptions: { spotInstanceType: "one-time" } } }),
    ...(args.iamInstanceProfile !== undefined && { iamInstanceProfile: args.iamInstanceProfile }),
  };
  const asked = transformed(args.transform?.instance, instance);
  const made = { ...madeAs(asked, replacing, memory), zone: host.zone, address: host.address };
  const resource = new aws.ec2.Instance(
    name,
    { ...asked, ami: pulumi.all([asked.ami, host.allowed]).apply(([ami]) => ami ?? "") },
    {
      ...common.options(host.parent),
      // It holds the interface, which only one machine can have.
      deleteBeforeReplace: true,
      // User data counts at the first boot only: a later form of ours must not stop machines that stand.
      ignoreChanges: ["userData"],
      replacementTrigger: memory.renewed,
      ...oneAtATime(context, host, behaviour["aws:ec2/instance:Instance"], byId),
    },
  );
  return { resource, made };
}
