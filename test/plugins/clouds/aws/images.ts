import { createHash } from "node:crypto";
import { records, text } from "../../../../tools/plugins/shared/properties";
import type { Props } from "../../../../tools/plugins/shared/values";

/** An image, and what plays it here. */
export interface Image {
  readonly id: string;
  readonly name: string;
  readonly architecture: "x86_64" | "arm64";
  readonly container: string;
}

const debian = "136693071363";

/** All that can be booted: Debian as its cloud team publishes it, played by the host image that has cloud-init and no Docker. */
export const images: readonly (Image & { readonly owner: string })[] = (["x86_64", "arm64"] as const).map((architecture) => {
  const name = `debian-13-${architecture === "arm64" ? "arm64" : "amd64"}-20261101-2000`;
  return {
    id: `ami-${createHash("sha256").update(name).digest("hex").slice(0, 17)}`,
    name,
    architecture,
    owner: debian,
    container: "pulumi-swarm-host:trixie-cloud",
  };
});

/** As `aws.ec2.getAmi`: exactly one, or the newest of several. */
export function getAmi(args: Props): Props {
  const owners = args["owners"];
  const filters = records(args, "filters") ?? [];
  const found = images.filter((image) => {
    if (Array.isArray(owners) && !owners.includes(image.owner)) return false;
    return filters.every((filter) => {
      const values = Array.isArray(filter["values"]) ? filter["values"].map(String) : [];
      return values.some((value) => matches(value, property(image, text(filter, "name") ?? "")));
    });
  });
  const newest = [...found].sort((a, b) => (a.name < b.name ? 1 : -1))[0];
  if (!newest) throw new Error("Your query returned no results. Please change your search criteria and try again.");
  return {
    ...args,
    id: newest.id,
    imageId: newest.id,
    name: newest.name,
    architecture: newest.architecture,
    ownerId: newest.owner,
    state: "available",
  };
}

/** As `aws.getAvailabilityZones`, of regions of which it matters here. */
export function getAvailabilityZones(args: Props): Props {
  const region = text(args, "region") ?? "";
  const letters = region === "us-west-1" ? ["a", "c"] : ["a", "b", "c"];
  return { ...args, id: region, names: letters.map((letter) => `${region}${letter}`), zoneIds: [], groupNames: [region] };
}

function property(image: Image, filter: string): string {
  switch (filter) {
    case "name":
      return image.name;
    case "architecture":
      return image.architecture;
    case "state":
      return "available";
    default:
      throw new Error(`getAmi: the filter ${filter} is left out of this stand-in plugin`);
  }
}

function matches(pattern: string, value: string): boolean {
  const [first = "", ...rest] = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${[first, ...rest].join(".*")}$`).test(value);
}
