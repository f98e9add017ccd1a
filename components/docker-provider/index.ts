import * as pulumi from "@pulumi/pulumi";
import type { PlannedHost } from "../hosts/host";
import type { Connection } from "../remote/connection";
import { sentence } from "../report";
import { stop } from "../stop";
import { transformed } from "../transform";
import { collectOptions } from "../options";
import { type DockerProviderArgs, dockerProviderOptions, type DockerProviderSettings } from "./args";
import { loginTo, writeIt } from "./login";
import { sshOptions } from "./ssh-options";

export type { DockerProviderArgs, DockerProviderSettings } from "./args";

/** What a provider for Docker's objects has to know of a cluster. */
export interface DockerProviderContext {
  readonly cluster: string;
  readonly hosts: readonly PlannedHost[];
  readonly connections: ReadonlyMap<string, pulumi.Input<Connection>>;
  /** What has to be there before anything is made on the swarm, and to stay until all of it is gone. */
  readonly dependsOn: readonly pulumi.Resource[];
  /** Known once the swarm was made, and the same ever after. */
  readonly made: pulumi.Output<unknown>;
  readonly parent: pulumi.Resource;
}

/** @throws RunError where the arguments are wrong, or `@pulumi/docker` is not installed. */
export function makeDockerProvider(given: DockerProviderArgs, context: DockerProviderContext): pulumi.ProviderResource {
  const { args = {}, problems } = collectOptions<DockerProviderArgs>(given, dockerProviderOptions, "");
  if (problems.length > 0)
    throw problem(context.cluster, problems.map(({ message }) => message).join("; "), problems.map(({ fix }) => fix).join("; "));
  const host = managerOf(args, context);
  checkLogin(args, host, context);
  const connection = pulumi.output(context.connections.get(host.key)) as pulumi.Output<Connection>;
  const refuse = (message: string, fix: string): never => stop(describe(context.cluster, message, fix), context.parent);
  const settings: DockerProviderSettings = {
    // Where a provider's arguments are known, the preview starts it and it asks Docker, which a machine of one's own may not have yet.
    host: pulumi.all([pulumi.unsecret(connection), context.made]).apply(([known]) => dockerUrl(known)),
    sshOpts: pulumi.unsecret(connection.apply((known) => sshOptions(known, loginTo(host.key, known, args, refuse)))),
  };
  const { Provider } = loadDocker(context.cluster);
  return new Provider(`${context.cluster}-docker-${host.key}`, transformed(args.transform, settings), {
    parent: context.parent,
    dependsOn: [...context.dependsOn],
  });
}

/** As Docker's own client takes it, in `DOCKER_HOST` and for contexts. */
export function dockerUrl(connection: Connection | undefined): string {
  const port = connection?.port ?? 22;
  return `ssh://${connection?.user ?? "root"}@${connection?.host ?? ""}${port === 22 ? "" : `:${port}`}`;
}

/** Loaded only for whoever asks for the provider: the package is optional. */
function loadDocker(cluster: string): typeof import("@pulumi/docker") {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require("@pulumi/docker") as typeof import("@pulumi/docker");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw problem(cluster, "the package @pulumi/docker is not installed", "npm install @pulumi/docker");
  }
}

function managerOf({ host }: DockerProviderArgs, { cluster, hosts }: DockerProviderContext): PlannedHost {
  const managers = hosts.filter(({ role }) => role === "manager");
  const found = host === undefined ? managers[0] : managers.find(({ key }) => key === host);
  if (found) return found;
  throw problem(
    cluster,
    `${JSON.stringify(host)} is no manager, and only managers make services`,
    `name one of ${managers.map(({ key }) => key).join(", ")}, or leave host out`,
  );
}

function checkLogin({ keyFile, writeKeyTo }: DockerProviderArgs, { key, provider }: PlannedHost, { cluster }: DockerProviderContext): void {
  if (keyFile !== undefined && writeKeyTo !== undefined)
    throw problem(cluster, "keyFile and writeKeyTo are both given", "keep keyFile where you have the file already");
  // Known before there is any key.
  if (provider === "local" && writeKeyTo === undefined)
    throw problem(cluster, `the key of ${key} is in Pulumi's state only, and ssh cannot read it there`, writeIt);
}

function problem(cluster: string, message: string, fix: string): pulumi.RunError {
  return new pulumi.RunError(describe(cluster, message, fix));
}

function describe(cluster: string, message: string, fix: string): string {
  return `There can be no Docker provider for the swarm cluster "${cluster}": ${sentence(message)} Fix: ${fix}.`;
}
