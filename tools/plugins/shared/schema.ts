import type { Plugin, ResourceType } from "./plugin";

const ANY = { $ref: "pulumi.json#/Any" };

/** Enough for `pulumi package get-schema` to show name, version and properties; types are left out. */
export function schemaOf(plugin: Plugin): object {
  return {
    name: plugin.name,
    version: plugin.version,
    description: `Stand-in for the ${plugin.name} plugin, used where the real one cannot be downloaded.`,
    config: { variables: anyOf(plugin.config) },
    provider: { inputProperties: anyOf(plugin.config) },
    resources: Object.fromEntries(Object.entries(plugin.resources).map(([token, resource]) => [token, resourceSchema(resource)])),
  };
}

function resourceSchema(resource: ResourceType): object {
  return {
    inputProperties: anyOf(resource.inputs),
    requiredInputs: resource.required,
    properties: anyOf([...new Set([...resource.inputs, ...resource.computed])]),
  };
}

function anyOf(names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, ANY]));
}
