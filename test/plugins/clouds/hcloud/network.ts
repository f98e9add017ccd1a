import { behaviour } from "../../../../components/hosts/hetzner/behaviour";
import { number, requiredText, text } from "../../../../tools/plugins/shared/properties";
import { cidr } from "../shared/outside";
import type { Kind } from "../shared/kept";
import type { PrivateNetworks } from "../shared/network";
import type { Store, Stored } from "../shared/store";
import { checkLabels, checkName, newId, zones } from "./names";

const networkToken = "hcloud:index/network:Network";
const [subnetInUse] = behaviour["hcloud:index/networkSubnet:NetworkSubnet"].deleteRefused;
const subnetToken = "hcloud:index/networkSubnet:NetworkSubnet";

/** What Hetzner's networks carry: docs.hetzner.com/networking/networks/faq. */
const mtu = 1450;

/** A Docker network, of which subnets are parts. */
export function network(store: Store, networks: PrivateNetworks): Kind {
  return {
    id: newId,
    named: true,
    async create(id, inputs, context) {
      checkName(networkToken, inputs, store);
      checkLabels(inputs);
      const range = cidr(requiredText(inputs, "ipRange"));
      const isPrivate = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].some((space) => cidr(space).contains(range));
      if (!isPrivate || range.prefix > 24) throw new Error(`invalid input in field 'ip_range' (invalid_input): ${range}`);
      return { outputs: {}, played: await networks.create({ id, bridge: `cl-h${id}`, range, mtu }, context) };
    },
    update(before, inputs) {
      checkName(networkToken, inputs, store, before.id);
      checkLabels(inputs);
      return {};
    },
    delete: (stored, context) => networks.delete(stored, context),
  };
}

export function subnet(store: Store): Kind {
  return {
    id: (inputs) => `${number(inputs, "networkId")}-${text(inputs, "ipRange")}`,
    create(_id, inputs) {
      const whole = found(store, number(inputs, "networkId"));
      const [range, ipRange] = [cidr(requiredText(whole.properties, "ipRange")), cidr(requiredText(inputs, "ipRange"))];
      if (text(inputs, "type") !== "cloud") throw new Error(`type: ${text(inputs, "type")} is left out of this stand-in plugin`);
      if (!Object.values(zones).includes(text(inputs, "networkZone") ?? "")) throw new Error("network_zone not found (not_found)");
      if (!range.contains(ipRange)) throw new Error(`invalid input in field 'ip_range' (invalid_input): ${ipRange} is not in ${range}`);
      const others = store.all(subnetToken).filter(({ properties }) => properties["networkId"] === inputs["networkId"]);
      const clash = others.find(({ properties }) => cidr(requiredText(properties, "ipRange")).overlaps(ipRange));
      if (clash) throw new Error(`ip_range overlaps with existing subnet (invalid_input): ${clash.id}`);
      return { outputs: { gateway: range.address(1) } };
    },
    delete({ id }) {
      const user = store.all("hcloud:index/server:Server").find(({ played }) => played?.["subnet"] === id);
      if (user) throw new Error(`${subnetInUse.says}: ${user.id}`);
    },
  };
}

/** Where a server is put. */
export interface Place {
  readonly network: Stored;
  readonly subnet: Stored;
}

/** By `subnetId`, or the last subnet of `networkId`. */
export function placeIn(store: Store, attachment: Readonly<Record<string, unknown>>): Place {
  const subnetId = text(attachment, "subnetId");
  const networkId = number(attachment, "networkId") ?? Number(subnetId?.split("-")[0]);
  const subnets = store.all(subnetToken).filter(({ properties }) => properties["networkId"] === networkId);
  const last = subnets.sort((one, other) => (one.id < other.id ? -1 : 1)).at(-1);
  const subnetOf = subnetId === undefined ? last : subnets.find(({ id }) => id === subnetId);
  if (!subnetOf) throw new Error(`the network has no such subnet (not_found): ${subnetId ?? networkId}`);
  return { network: found(store, networkId), subnet: subnetOf };
}

function found(store: Store, id: number | undefined): Stored {
  const network = store.find(String(id));
  if (network?.token !== networkToken) throw new Error(`network with ID '${id}' not found (not_found)`);
  return network;
}
