import { behaviour } from "../../../../components/hosts/hetzner/behaviour";
import { number, records, requiredText, text } from "../../../../tools/plugins/shared/properties";
import type { Props } from "../../../../tools/plugins/shared/values";
import type { Kind } from "../shared/kept";
import { cidr, type Outside, type PublicAddress } from "../shared/outside";
import type { Store, Stored } from "../shared/store";
import { checkLabels, checkName, newId, zones } from "./names";

const token = "hcloud:index/primaryIp:PrimaryIp";
const [inUse] = behaviour[token].deleteRefused;
const serverToken = "hcloud:index/server:Server";
const pool = cidr("10.233.254.0/24");

/** An address outside. It belongs to a location, and to at most one server there. */
export function primaryIp(store: Store, outside: Outside): Kind {
  return {
    id: newId,
    named: true,
    warnings: (inputs) =>
      inputs["assigneeType"] !== undefined && inputs["assigneeId"] === undefined
        ? [
            "Unused Attribute: assigneeType: This attribute is now optional and is only required together with the assignee_id attribute. " +
              "Please remove it from your configuration.",
          ]
        : [],
    async create(_id, inputs) {
      checkName(token, inputs, store);
      checkLabels(inputs);
      if (text(inputs, "type") !== "ipv4") throw new Error(`type: ${text(inputs, "type")} is left out of this stand-in plugin`);
      if (number(inputs, "assigneeId") !== undefined)
        throw new Error("assigneeId: left out of this stand-in plugin; name it in the server's publicNets");
      if (!(locationOf(inputs) in zones)) throw new Error(`location not found (not_found): ${locationOf(inputs)}`);
      const ipAddress = await outside.freeAddress(pool, () => store.all(token).map(({ properties }) => properties["ipAddress"]));
      return { outputs: { ipAddress, ipNetwork: "" } };
    },
    update(before, inputs) {
      checkName(token, inputs, store, before.id);
      checkLabels(inputs);
      return {};
    },
    delete({ id }) {
      const user = store.all(serverToken).find(({ properties }) => publicAddressOf(properties) === Number(id));
      if (user) throw new Error(`${inUse.says}: ${user.id}`);
    },
  };
}

function locationOf(inputs: Props): string {
  return text(inputs, "location") ?? text(inputs, "datacenter")?.split("-")[0] ?? "";
}

/** Id of the address that a server has. */
export function publicAddressOf(server: Props): number | undefined {
  return number(records(server, "publicNets")?.[0] ?? {}, "ipv4");
}

/** Refuses what Hetzner does: an address from elsewhere, or one that another server has. */
export function assignable(store: Store, id: number | undefined, location: string): Stored {
  const address = store.find(String(id));
  if (address?.token !== token) throw new Error(`primary IP with ID '${id}' not found (not_found)`);
  if (locationOf(address.properties) !== location) {
    throw new Error(`server location ${location} and primary IP location ${locationOf(address.properties)} do not match (invalid_input)`);
  }
  const user = store.all(serverToken).find(({ properties }) => publicAddressOf(properties) === id);
  if (user) throw new Error(`primary IP ${id} is already assigned to server ${user.id} (primary_ip_assigned)`);
  return address;
}

export function publicAddresses(store: Store): readonly PublicAddress[] {
  return store.all(serverToken).flatMap(({ properties, played }) => {
    const address = store.find(String(publicAddressOf(properties)));
    if (!address || played === undefined) return [];
    return [{ outside: requiredText(address.properties, "ipAddress"), inside: played["address"] ?? "", bridge: played["bridge"] ?? "" }];
  });
}
