import type { Policy } from "@pulumi/policy";
import { nearestName } from "../nearest";

/**
 * The configuration of a policy. The engine checks the values of options that there are, and lets pass one whose name is misspelt,
 * by which a policy would be laxer than somebody meant.
 */
export function configOf<Config extends object>(
  { name, configSchema }: Pick<Policy, "name" | "configSchema">,
  { getConfig }: { readonly getConfig: <T extends object>() => T },
): Config {
  const config = getConfig<Config>();
  const options = Object.keys(configSchema?.properties ?? {});
  const strange = Object.keys(config).filter((option) => !options.includes(option));
  if (strange.length > 0) {
    const meant = strange.flatMap((option) => nearestName(option, options) ?? []);
    const guess = meant.length > 0 ? `; did you mean ${meant.join(", ")}?` : ".";
    const error = new Error(`The policy ${name} has no option "${strange.join('", "')}"${guess} Fix: its options are ${options.join(", ")}.`);
    // The SDK shows the stack, which is of no use to whoever wrote the configuration.
    error.stack = error.message;
    throw error;
  }
  return config;
}
