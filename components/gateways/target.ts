import { Cidr, isCidr } from "../addresses/cidr";
import type { PlannedNetwork } from "../networks/network";
import { isNot, type Report, show } from "../report";

/** Where a gateway may not lead. */
export interface TargetContext {
  readonly networks: readonly Pick<PlannedNetwork, "name" | "subnet">[];
  readonly addressSpace: Cidr;
}

const own = (text: string): Cidr => Cidr.parse(text) as Cidr;

/** Addresses that lead nowhere from a container, or where nobody should be led. */
const nowhere: readonly { readonly network: Cidr; readonly why: string }[] = [
  { network: own("127.0.0.0/8"), why: "the gateway's container itself" },
  { network: own("0.0.0.0/8"), why: "no address of a machine" },
  { network: own("169.254.0.0/16"), why: "a link-local address, where clouds keep the credentials of a machine" },
  { network: own("224.0.0.0/3"), why: "no address of one machine" },
];

/** Says what is wrong with what a gateway is to reach. @param gateways Names of all gateways. */
export function checkTarget(path: string, name: string, given: unknown, gateways: readonly string[], context: TargetContext, report: Report): void {
  const general = "an IPv4 address or a DNS name";
  const usual = 'write such as "192.168.7.20" or "oracle.example.com"';
  if (typeof given !== "string" || given.trim() === "") return report(path, isNot(given === "" ? undefined : given, general), usual);
  const bare = given
    .trim()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
    .replace(/\/.*$/, "");
  const [, host = "", port] = /^([^:]+):(\d+)$/.exec(bare) ?? [];
  if (port !== undefined) return report(path, `${show(given)} has a port in it`, `write to: "${host}", port: ${port}`);
  if (bare !== given && /^[\w.-]+$/.test(bare)) return report(path, isNot(given, general), `write "${bare}"`);
  if (given.includes(":")) return report(path, `${show(given)} is an IPv6 address, and overlay networks have IPv4 alone`, usual);
  const address = Cidr.parse(`${given}/32`);
  if (isCidr(address)) return checkAddress(path, given, address, context, report);
  if (!isDnsName(given)) return report(path, isNot(given, general), usual);
  if (given === "localhost")
    return report(path, '"localhost" is the gateway\'s container itself', "name the host by its address, and allow the port in firewall.allow");
  if (gateways.includes(given)) {
    report(
      path,
      given === name ? "the gateway would lead to itself" : `"${given}" is a gateway of the cluster itself`,
      "write what is outside by its whole name or its address",
    );
  }
}

function checkAddress(path: string, given: string, address: Cidr, { networks, addressSpace }: TargetContext, report: Report): void {
  const wrong = nowhere.find(({ network }) => network.contains(address));
  if (wrong) return report(path, `${given} is ${wrong.why}`, "write the address of what is to be reached");
  const network = networks.find(({ subnet }) => {
    const parsed = Cidr.parse(subnet);
    return isCidr(parsed) && parsed.contains(address);
  });
  const services = "services find each other by name, without a gateway; it is for what is outside";
  if (network) return report(path, `${given} is in ${network.subnet}, network ${network.name} of the cluster itself`, services);
  if (addressSpace.contains(address)) report(path, `${given} is in ${addressSpace}, the address space of the cluster itself`, services);
}

function isDnsName(text: string): boolean {
  const labels = text.replace(/\.$/, "").split(".");
  const each = labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
  return text.length <= 253 && each && /[a-z]/i.test(labels.at(-1) ?? "");
}
