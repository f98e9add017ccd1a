import { type Renumbering, settleMoves } from "../addresses/subnets";
import type { SwarmClusterArgs } from "./args";
import { planCluster } from "./plan";

/** What an edit would move of what is in use. @param remembered Where each owner was, by its name. */
export function planRenumbering(args: SwarmClusterArgs, remembered: Readonly<Record<string, string | undefined>>): Renumbering[] {
  return settleMoves((moves) => planCluster(withPins(args, moves)).plan.subnets, remembered, args.renumber ?? []);
}

/** The same cluster with these places kept, as the user would write it. */
export function withPins(args: SwarmClusterArgs, moves: readonly Renumbering[]): SwarmClusterArgs {
  const networks = { ...args.networks };
  const pins: Record<string, string> = { ...args.pins };
  for (const { owner, was } of moves) {
    const network = /^(?:network|slice|ranges) (.*)$/.exec(owner)?.[1];
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
