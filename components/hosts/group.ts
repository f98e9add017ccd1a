import { collectOptions, type Options, withTold } from "../options";
import type { HostGroup } from "./host";
import { type HostKind, hostOptionNames } from "./kinds";

/**
 * A group of hosts out of what a user wrote. What is wrong with it is told with all else of the cluster, so that nothing is thrown here;
 * where it cannot be read at all, the group has nothing but that problem.
 */
export function readGroup<Args extends object>(
  provider: HostKind,
  given: unknown,
  wanted: Options<Args>,
  describe: (args: Args) => HostGroup,
): HostGroup {
  const { args, problems } = collectOptions(given, wanted, "", { kind: provider, kinds: hostOptionNames });
  if (args === undefined) {
    const site = { key: provider, mtu: 1500 };
    // Nobody is to be asked who administers hosts that are not known.
    const adminSources = ["127.0.0.1/32"];
    return { provider, role: "worker", site, hosts: [], addressing: "given", adminSources, problems, create: () => new Map() };
  }
  return withTold(problems, describe(args));
}
