import * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";
import type { HostContext } from "../host";
import type { HetznerHostsArgs } from "./args";
import { defaults } from "./defaults";
import type { Common } from "./names";
import type { Architecture } from "./plan";

/** The image there is now: a name stays when Hetzner builds it anew, an id does not. Whether a host takes it is for the host to say. */
export function newestImage(
  { image = defaults.image }: HetznerHostsArgs,
  withArchitecture: Architecture,
  common: Common,
  context: HostContext,
): pulumi.Input<string> {
  if (typeof image !== "string") return image.id;
  return context.shared(common.once(`image ${image} ${withArchitecture}`), () =>
    hcloud.getImageOutput({ name: image, withArchitecture, mostRecent: true }, common.options(context.parent)).apply(({ id }) => String(id)),
  );
}
