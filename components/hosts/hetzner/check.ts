import { Cidr, isCidr } from "../../addresses/cidr";
import { show } from "../../report";
import { checkBastionAndKey } from "../bastion";
import { checkEach } from "../cloud/each";
import { checkLoginKey } from "../cloud/keys";
import type { HostDescription } from "../host";
import type { Problem } from "../../report";
import type { HetznerHostsArgs } from "./args";
import { defaults } from "./defaults";
import { isLabelKey, isLabelValue, ownLabels } from "./names";

/** Every server's way to the Internet; a network that holds it would cut servers off. Source: docs.hetzner.cloud, networks. */
const gateway = "172.31.1.1";

/** All that is wrong with the arguments, but for locations. A program without types may give anything. */
export function checkArgs(args: HetznerHostsArgs, hosts: readonly HostDescription[], networkZone: string): Problem[] {
  return [
    ...checkNetwork(args),
    ...checkMachines(args, networkZone),
    ...checkEach(args.each, hosts, ({ serverType }, path) => checkServerType(serverType, `${path}.serverType`)),
    ...checkProtection(args),
    ...checkLoginKey(args.loginKey),
    ...checkLabels(args),
    ...(args.bastion ? checkBastionAndKey(args.bastion) : []),
  ];
}

function checkNetwork({ network, privateNetwork, mtu }: HetznerHostsArgs): Problem[] {
  const problems: Problem[] = [];
  if (privateNetwork !== undefined && network !== undefined) {
    const fix = "keep network to have one made, or privateNetwork to use yours";
    problems.push({ path: "network", message: "network and privateNetwork are both given", fix });
  }
  if (privateNetwork !== undefined && (privateNetwork?.id === undefined || privateNetwork?.cidr === undefined)) {
    problems.push({ path: "privateNetwork", message: `${show(privateNetwork)} is not a network`, fix: 'write { id: "…", cidr: "10.0.1.0/24" }' });
  }
  const path = privateNetwork === undefined ? "network" : "privateNetwork.cidr";
  const given: unknown = privateNetwork === undefined ? (network ?? defaults.network) : privateNetwork?.cidr;
  const own = typeof given === "string" ? Cidr.parse(given) : undefined;
  // Hetzner makes networks up to a /24; a subnet of yours can be smaller, with room for blocks down to a /26.
  const smallest = privateNetwork === undefined ? 24 : 26;
  if (own && isCidr(own) && (own.prefix < 8 || own.prefix > smallest)) {
    problems.push({ path, message: `${own} is too ${own.prefix < 8 ? "large" : "small"} for a network of hosts`, fix: `take a /8 to /${smallest}` });
  }
  const way = Cidr.parse(`${gateway}/32`);
  if (own && isCidr(own) && isCidr(way) && own.contains(way)) {
    problems.push({ path, message: `${own} holds ${gateway}, by which servers reach the Internet`, fix: "take another network" });
  }
  if (typeof mtu === "number" && mtu > defaults.mtu) {
    problems.push({ path: "mtu", message: `Hetzner's private networks carry ${defaults.mtu} bytes, not ${mtu}`, fix: "leave it out, or give less" });
  }
  return problems;
}

function checkMachines(args: HetznerHostsArgs, networkZone: string): Problem[] {
  const problems: Problem[] = [];
  const { image = defaults.image } = args;
  if (args.serverType === undefined && networkZone !== "eu-central") {
    const message = `none is given, and Hetzner sells the default, ${defaults.serverType}, in eu-central only`;
    problems.push({ path: "serverType", message, fix: `name one that is sold in ${networkZone}, such as "cpx21"` });
  }
  problems.push(...checkServerType(args.serverType, "serverType"));
  if (typeof image === "string" ? !["debian-13", "debian-12", "ubuntu-24.04"].includes(image) : image?.id === undefined) {
    problems.push({
      path: "image",
      message: `${show(image)} is not an image`,
      fix: 'write "debian-13", "debian-12", "ubuntu-24.04" or { id: "…" }',
    });
  }
  if (typeof image === "object" && image?.id === "")
    problems.push({ path: "image.id", message: '"" is not an image', fix: "write its number, as hcloud image list shows it" });
  return problems;
}

function checkServerType(type: unknown, path: string): Problem[] {
  if (type === undefined || (typeof type === "string" && /^c(x|px|cx|ax)\d+$/.test(type))) return [];
  const small = typeof type === "string" ? type.trim().toLowerCase() : "";
  const meant = small !== type && small !== "" && checkServerType(small, path).length === 0;
  const fix = meant ? `write "${small}"` : 'write one such as "cx23", "cpx22", "ccx13" or "cax11"';
  return [{ path, message: `${show(type)} is not a server type`, fix }];
}

/** The provider would shut the server down or leave it, and then be refused. */
function checkProtection({ protect, each = {} }: HetznerHostsArgs): Problem[] {
  if (protect !== true) return [];
  return Object.entries(each).flatMap(([place, one]): Problem[] => {
    if (one?.renew === undefined) return [];
    const message = `the servers are protected, so Hetzner refuses to delete host ${place}, and it cannot be replaced`;
    const fix = "set protect: false and run pulumi up once, then renew; after that leave renew out (the host stays as it is) and set protect again";
    return [{ path: `each.${place}.renew`, message, fix }];
  });
}

function checkLabels({ hcloudLabels = {} }: HetznerHostsArgs): Problem[] {
  return Object.entries(hcloudLabels).flatMap(([key, value]): Problem[] => {
    const path = `hcloudLabels["${key}"]`;
    if (key.startsWith(ownLabels))
      return [{ path, message: `labels that begin with ${ownLabels} are kept for this package`, fix: "name it otherwise" }];
    if (!isLabelKey(key)) {
      const fix = "use letters, digits, dots, hyphens and underscores, up to 63, after a DNS name and a slash if need be";
      return [{ path, message: `"${key}" is not a key of a label`, fix }];
    }
    if (typeof value !== "string" || isLabelValue(value)) return [];
    const fix = "use up to 63 letters, digits, dots, hyphens and underscores, beginning and ending with a letter or digit";
    return [{ path, message: `${show(value)} is not a value of a label`, fix }];
  });
}
