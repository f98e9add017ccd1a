import { type Renumbering, renumbered } from "../network/subnets";
import type { SwarmClusterArgs } from "./args";
import { planCluster } from "./plan";

/**
 * What an edit would move of what is in use, and so which pins keep all of it: what one of them keeps may push another
 * aside, so the plan is made again with them until nothing moves any more.
 *
 * @param remembered Where each owner was, by its name.
 */
export function planRenumbering(args: SwarmClusterArgs, remembered: Readonly<Record<string, string | undefined>>): Renumbering[] {
  const found = new Map<string, Renumbering>();
  for (;;) {
    const { plan } = planCluster(withPins(args, [...found.values()]));
    const more = renumbered(plan.subnets, remembered).filter(({ owner }) => !found.has(owner) && args.renumber?.includes(owner) !== true);
    if (more.length === 0) return [...found.values()];
    for (const move of more) found.set(move.owner, move);
  }
}

/** The same cluster with these places kept, as the user would write it. */
export function withPins(args: SwarmClusterArgs, moves: readonly Renumbering[]): SwarmClusterArgs {
  const networks = { ...args.networks };
  const pins: Record<string, string> = { ...args.pins };
  for (const { owner, was } of moves) {
    const network = /^(?:network|slice) (.*)$/.exec(owner)?.[1];
    if (network !== undefined) {
      const { prefix: _prefix, ...given } = networks[network] ?? {};
      networks[network] = { ...given, subnet: was };
    } else if (owner !== "docker pool") {
      // Its place is a fixed part of the address space.
      pins[owner] = was;
    }
  }
  return { ...args, networks, pins };
}
