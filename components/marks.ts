/*
 * What Pulumi's SDK made, told by the marks that its own `isInstance` looks for (@pulumi/pulumi, utils.ts). Programs on hosts read options and
 * messages too, and need not load the whole SDK for it.
 */

export function isOutput(value: unknown): boolean {
  return hasMark(value, "__pulumiOutput");
}

export function isProvider(value: unknown): boolean {
  // The SDK's own `ProviderResource.isInstance` takes any resource.
  return hasMark(value, "__pulumiCustomResource") && (value as { __pulumiType?: string }).__pulumiType?.startsWith("pulumi:providers:") === true;
}

function hasMark(value: unknown, mark: string): boolean {
  return typeof value === "object" && value !== null && mark in value && (value as Record<string, unknown>)[mark] === true;
}
