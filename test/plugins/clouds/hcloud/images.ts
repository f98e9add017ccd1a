import { number, text, texts } from "../../../../tools/plugins/shared/properties";
import type { Props } from "../../../../tools/plugins/shared/values";

export interface Image {
  readonly id: number;
  readonly name: string;
  readonly architecture: "x86" | "arm";
  /** The host image that plays it. */
  readonly container: string;
}

/** All that can be booted: Debian as Hetzner offers it, played by the host image that has cloud-init and no Docker. */
export const images: readonly Image[] = [
  { id: 310_557_660, name: "debian-13", architecture: "x86", container: "pulumi-swarm-host:trixie-cloud" },
  { id: 310_557_661, name: "debian-13", architecture: "arm", container: "pulumi-swarm-host:trixie-cloud" },
];

/** As `hcloud.getImage`: by id, or by name and architecture. */
export function getImage(args: Props): Props {
  for (const name of ["selector", "withSelector"]) if (args[name] !== undefined) throw new Error(`${name}: left out of this stand-in plugin`);
  const [id, name, architecture] = [number(args, "id"), text(args, "name"), text(args, "withArchitecture") ?? "x86"];
  const found = images.find((image) => (id === undefined ? image.name === name && image.architecture === architecture : image.id === id));
  const available = (texts(args, "withStatuses") ?? ["available"]).includes("available");
  if (!found || !available) throw new Error(`no image found matching the selection: ${id ?? `${name} for ${architecture}`}`);
  const { container: _, ...told } = found;
  return {
    ...args,
    ...told,
    type: "system",
    osFlavor: "debian",
    osVersion: "13",
    description: "Debian 13",
    labels: {},
    rapidDeploy: true,
    deprecated: "",
    created: "",
  };
}
