import * as hcloud from "@pulumi/hcloud";
import { transformed } from "../../transform";
import { onceClear } from "../cloud/given";
import type { HostContext } from "../host";
import type { HetznerHostsArgs, HetznerNetwork } from "./args";
import { defaults } from "./defaults";
import type { Common } from "./names";

/** Where servers are put, once it is certain that nothing planned lies on the network. */
export type SiteNetwork = Pick<hcloud.types.input.ServerNetwork, "networkId" | "subnetId">;

/** One for all groups of the site: the first of them says what it is like. */
export function siteNetwork(args: HetznerHostsArgs, networkZone: string, common: Common, context: HostContext): SiteNetwork {
  const { privateNetwork } = args;
  return context.shared(common.once("network"), () =>
    privateNetwork === undefined ? ownNetwork(args, networkZone, common, context) : givenNetwork(privateNetwork, context),
  );
}

/** One subnet is the whole network: Hetzner's subnets separate nothing, and a location has none of its own. */
function ownNetwork(
  { network: ipRange = defaults.network, transform }: HetznerHostsArgs,
  networkZone: string,
  { named, labels, options }: Common,
  { parent }: HostContext,
): SiteNetwork {
  const network = new hcloud.Network(named(), transformed(transform?.network, { name: named(), ipRange, labels }), options(parent));
  const range = { networkId: network.id.apply(Number), type: "cloud", networkZone, ipRange };
  const subnet = new hcloud.NetworkSubnet(named(), transformed(transform?.subnet, range), options(parent));
  return { subnetId: subnet.id };
}

function givenNetwork({ id, cidr, subnetId }: HetznerNetwork, context: HostContext): SiteNetwork {
  const clear = onceClear(cidr, context);
  return subnetId === undefined ? { networkId: clear(id).apply(Number) } : { subnetId: clear(subnetId) };
}
