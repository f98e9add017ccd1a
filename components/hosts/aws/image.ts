import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { HostContext } from "../host";
import type { AwsHostsArgs, AwsImage } from "./args";
import type { Common } from "./names";
import { defaults } from "./defaults";
import type { Architecture } from "./plan";

/** Whose images they are, and how they are called. Accounts: wiki.debian.org/Cloud/AmazonEC2Image, documentation.ubuntu.com/aws. */
const releases: Readonly<Record<AwsImage, { readonly owner: string; readonly name: (architecture: string) => string }>> = {
  "debian-12": { owner: "136693071363", name: (architecture) => `debian-12-${architecture}-*` },
  "debian-13": { owner: "136693071363", name: (architecture) => `debian-13-${architecture}-*` },
  "ubuntu-24.04": { owner: "099720109477", name: (architecture) => `ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-${architecture}-server-*` },
};

/** The newest image there is now. Whether a host takes it is for the host to say. */
export function newestImage(args: AwsHostsArgs, architecture: Architecture, common: Common, context: HostContext): pulumi.Input<string> {
  const { image = defaults.image } = args;
  if (typeof image !== "string") return image.id;
  const { owner, name } = releases[image];
  return context.shared(common.once(`image ${image} ${architecture}`), () => {
    const filters = [
      { name: "name", values: [name(architecture === "arm64" ? "arm64" : "amd64")] },
      { name: "architecture", values: [architecture] },
      { name: "state", values: ["available"] },
    ];
    return aws.ec2.getAmiOutput({ region: common.region, owners: [owner], mostRecent: true, filters }, common.options(context.parent)).id;
  });
}
