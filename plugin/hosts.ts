import * as pulumi from "@pulumi/pulumi";
import type { HostGroup as RichGroup } from "../components/hosts/host";
import { isRecord } from "../components/options";
import { type Report, show } from "../components/report";
import type { Bastion, HostGroup } from "./args";
import { hostKinds, isKind, optionsOf, overrideKinds, reportKind } from "./kinds";

type Hosts = (args: never) => RichGroup;
type Provider = keyof typeof hostKinds;

/**
 * A program for one cloud needs the package of that cloud only, so each is loaded when a group asks for it.
 */
/* eslint-disable @typescript-eslint/no-require-imports */
const providers: Readonly<Record<Provider, { readonly load: () => { readonly hosts: Hosts }; readonly needs?: string }>> = {
  local: { load: () => require("../components/hosts/local") as typeof import("../components/hosts/local"), needs: "@pulumi/docker" },
  existing: { load: () => require("../components/hosts/existing") as typeof import("../components/hosts/existing") },
  aws: { load: () => require("../components/hosts/aws") as typeof import("../components/hosts/aws"), needs: "@pulumi/aws" },
  hetzner: { load: () => require("../components/hosts/hetzner") as typeof import("../components/hosts/hetzner"), needs: "@pulumi/hcloud" },
};
/* eslint-enable @typescript-eslint/no-require-imports */

/** Makes the function that makes a provider's groups. Replaced in tests, where every package is there. */
export type Load = (provider: Provider) => Hosts;

const load: Load = (provider) => providers[provider].load().hosts;

/** The groups as the TypeScript package has them. One that cannot be read is reported and left out. */
export function richHosts(groups: unknown, report: Report, loadHosts: Load = load): Record<string, RichGroup> {
  if (typeof groups !== "object" || groups === null || Array.isArray(groups)) {
    report(
      "hosts",
      groups === undefined || groups === null ? "groups of hosts are missing" : `${show(groups)} does not describe groups of hosts by name`,
      "write at least one, such as control: { provider: local, role: manager }",
    );
    return {};
  }
  if (typeof (groups as Record<string, unknown>)["provider"] === "string") {
    report("hosts", "this is one group, and groups by name are needed", "write it under a name, such as control: { provider: local, role: manager }");
    return {};
  }
  return Object.fromEntries(
    Object.entries(groups as Record<string, HostGroup>).flatMap(([key, group]) => {
      const rich = richGroup(`hosts.${key}`, group, report, loadHosts);
      return rich === undefined ? [] : [[key, rich]];
    }),
  );
}

function richGroup(path: string, group: HostGroup, report: Report, loadHosts: Load): RichGroup | undefined {
  if (!isRecord(group)) {
    report(path, `${show(group)} does not describe a group of hosts`, "write it as { provider: local, role: manager }");
    return undefined;
  }
  const { provider, role, ...given } = group as Partial<HostGroup>;
  const { kind } = given as { readonly kind?: unknown };
  if (provider === undefined && isKind(hostKinds, kind)) {
    report(`${path}.kind`, "kind is not an option of a group of hosts; did you mean provider?", `write provider: ${kind}`);
    return undefined;
  }
  if (!isKind(hostKinds, provider)) {
    reportKind(hostKinds, `${path}.provider`, "a provider of hosts", provider, report);
    return undefined;
  }
  const options = optionsOf(hostKinds, provider, path, given, report);
  const hosts = loaded(provider, `${path}.provider`, report, loadHosts);
  const { imageId: _imageId, ...same } = options;
  return hosts?.({
    role,
    ...same,
    ...image(path, options, report),
    ...bastion(provider, path, options, report),
    ...overrides(provider, path, options, report),
    ...secrets(options),
  } as never);
}

function loaded(provider: Provider, path: string, report: Report, loadHosts: Load): Hosts | undefined {
  try {
    return loadHosts(provider);
  } catch (error) {
    const { needs } = providers[provider];
    if (needs === undefined || (error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    report(path, `hosts of ${provider} need the npm package ${needs}, which is not beside pulumi-swarm`, `npm install ${needs}`);
    return undefined;
  }
}

type Given = Readonly<Record<string, unknown>>;

/** A release by its name, or an image by its id. */
function image(path: string, { image: release, imageId }: Given, report: Report): object {
  if (imageId === undefined) return {};
  if (release !== undefined) report(`${path}.image`, "image and imageId are both given", "keep one of them");
  return { image: { id: imageId } };
}

/** Clouds have no key of their own for somebody else's host; machines that stand share theirs with it. */
function bastion(provider: Provider, path: string, given: Given, report: Report): object {
  const hop = given["bastion"] as Bastion | undefined;
  // What is none is for its own check to say.
  if (!isRecord(hop)) return {};
  if (hop.privateKey === undefined && provider !== "existing") {
    report(`${path}.bastion.privateKey`, "there is no key for the host to hop over", "give the one that logs in there");
  }
  return { bastion: { ...hop, ...secrets(hop) } };
}

function overrides(provider: Provider, path: string, { each }: Given, report: Report): object {
  if (!isKind(overrideKinds, provider) || typeof each !== "object" || each === null) return {};
  const read = ([number, host]: [string, unknown]): [string, unknown] => [
    number,
    typeof host === "object" && host !== null ? optionsOf(overrideKinds, provider, `${path}.each.${number}`, host, report) : host,
  ];
  return { each: Object.fromEntries(Object.entries(each).map(read)) };
}

/** Some languages pass a whole group as one value, and what was secret in it is plain by then. */
function secrets(given: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    ["privateKey", "passphrase", "previousKey"].flatMap((name) => (given[name] === undefined ? [] : [[name, pulumi.secret(given[name])]])),
  );
}
