import type { SwarmClusterArgs } from "./args";
import { describeProblems, planCluster } from "./plan";

/**
 * What is wrong with a cluster now that a site's network is known, which only its provider could tell: the plan is made again
 * with it, so that nothing is checked otherwise than it would have been before.
 *
 * @returns undefined when nothing is.
 */
export function describeLateNetwork(cluster: string, args: SwarmClusterArgs, site: string, network: string): string | undefined {
  const hosts = Object.entries(args.hosts).map(([key, group]) => {
    return [key, group.site.key === site ? { ...group, site: { ...group.site, network } } : group] as const;
  });
  const { problems } = planCluster({ ...args, hosts: Object.fromEntries(hosts) });
  return problems.length === 0 ? undefined : describeProblems(cluster, problems);
}
