import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer";
import { generateSchema } from "@pulumi/pulumi/provider/experimental/schema";
import { inFlatWords } from "../../plugin/words";
import { type Option, Types } from "../docs/options";

/*
 * The schema of the package for all languages, worked out from the types of `plugin/` by Pulumi's own analyzer. What an option is for is
 * taken from the TypeScript arguments, where it is written once.
 */

/** Whose words describe a type: the interfaces that it is made of, each with the kind for which it holds. */
const described: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  HostGroup: { local: "LocalHostsArgs", existing: "ExistingHostsArgs", aws: "AwsHostsArgs", hetzner: "HetznerHostsArgs" },
  HostOverride: { aws: "AwsHostArgs", hetzner: "HetznerHostArgs" },
  Machine: { "": "ExistingMachine" },
  Bastion: { "": "Bastion" },
  Vpc: { "": "AwsVpc" },
  Subnet: { "": "AwsSubnet" },
  PrivateNetwork: { "": "HetznerNetwork" },
  Network: { "": "NetworkArgs" },
  Gateway: { "": "GatewayArgs" },
  Overlay: { native: "NativeArgs", weave: "WeaveArgs", flannel: "FlannelArgs", calico: "CalicoArgs", openvswitch: "OpenvswitchArgs" },
  Etcd: { "": "EtcdArgs" },
  BgpPeer: { "": "CalicoPeerArgs" },
  VlanTrunk: { "": "OpenvswitchTrunkArgs" },
  Underlay: { wireguard: "WireGuardArgs" },
  Programs: { "": "ProgramsArgs" },
  Program: { "an image": "ProgramImageArgs", "a file": "ProgramFileArgs" },
  Firewall: { "": "FirewallArgs" },
  Expose: { "": "ExposeArgs" },
  Allow: { "": "AllowArgs" },
  NetworkPolicy: { "": "NetworkPolicyArgs" },
  Rule: { "": "RuleArgs" },
  Engine: { "": "EngineArgs" },
  LogLimits: { "": "LogLimits" },
  Membership: { "": "MembershipArgs" },
  Maintenance: { "": "MaintenanceArgs" },
  Adopt: { "": "AdoptArgs" },
  Swarm: { "": "SwarmOptions" },
};

interface Property {
  description?: string;
  secret?: boolean;
}

type Properties = Record<string, Property>;

interface Schema {
  readonly resources: Readonly<Record<string, { readonly inputProperties: Properties; readonly properties: Properties }>>;
  readonly types: Readonly<Record<string, { readonly properties?: Properties }>>;
  readonly language: Readonly<Record<string, object>>;
}

const secrets: readonly string[] = ["privateKey", "passphrase", "previousKey", "formerKeys", "password"];

/** The schema as text, as it lies in `plugin/schema.json`. */
export function pluginSchema(root: string): string {
  const { version, description, license, author, homepage, repository, keywords } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  ) as Record<"version" | "description" | "license" | "author" | "homepage", string> & {
    readonly repository: { readonly url: string };
    readonly keywords: readonly string[];
  };
  const source = repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
  const { components, typeDefinitions, dependencies } = new Analyzer(
    join(root, "plugin"),
    "swarm",
    { main: "cluster.ts" },
    new Set(["Cluster"]),
  ).analyze();
  const schema = generateSchema("swarm", version, description, components, typeDefinitions, dependencies) as unknown as Schema;
  describe(schema, new Types(join(root, "components")));
  // What the registry shows of it. The picture is a bitmap, since NuGet takes no other.
  const shown = {
    displayName: "Docker Swarm",
    publisher: author,
    license,
    homepage,
    repository: source,
    logoUrl: `${source.replace("//github.com/", "//raw.githubusercontent.com/")}/main/docs/pictures/logo.png`,
    keywords: [...keywords, "kind/component", "category/infrastructure"],
    language: named(schema.language, source),
    // So that the Go package is a module of its own.
    meta: { supportPack: true },
  };
  return `${JSON.stringify({ ...schema, ...shown }, undefined, 2)}\n`;
}

/**
 * What the packages of other languages are called. Pulumi would make other names of a schema out of a file than of the same one out of a
 * git repository, whose owner it takes for a part of the name.
 */
function named(languages: Schema["language"], source: string): Schema["language"] {
  return {
    ...languages,
    csharp: { ...languages["csharp"], rootNamespace: "PulumiSwarm" },
    go: { ...languages["go"], importBasePath: `${source.replace("https://", "")}/sdk/go/swarm` },
    python: { ...languages["python"], packageName: "pulumi_swarm" },
  };
}

function describe(schema: Schema, types: Types): void {
  for (const [token, { properties = {} }] of Object.entries(schema.types)) {
    const name = token.split(":").at(-1) ?? "";
    for (const [kind, source] of Object.entries(described[name] ?? {})) take(properties, types.optionsOf(source), kind);
    for (const secret of secrets) if (properties[secret]) properties[secret].secret = true;
  }
  for (const { inputProperties, properties } of Object.values(schema.resources)) {
    take(inputProperties, types.optionsOf("SwarmClusterArgs"), "");
    if (properties["connections"]) properties["connections"].secret = true;
  }
}

/** Kinds that say the same of an option say it once. */
function take(properties: Properties, options: readonly Option[], kind: string): void {
  for (const option of options) {
    const property = properties[option.name];
    if (!property) continue;
    const said = words(option);
    const before = property.description ?? "";
    if (kind === "") property.description = said;
    else if (!before.includes(said)) property.description = `${before}${before === "" ? "" : "\n\n"}With ${kind}: ${said}`;
  }
}

function words({ meaning, preset }: Option): string {
  const said = [meaning, ...(preset === "" ? [] : [`Default: ${preset.replace(/^- /, "")}.`])];
  return inFlatWords(said.join(" ").trim());
}
