import { behaviour } from "../../../../components/hosts/hetzner/behaviour";
import { flag, number, records, requiredText, text, texts } from "../../../../tools/plugins/shared/properties";
import type { Props } from "../../../../tools/plugins/shared/values";
import type { Account } from "../shared/account";
import type { Kind } from "../shared/kept";
import { playing, removeMachine, stands, startMachine } from "../shared/machine";
import type { PrivateNetworks } from "../shared/network";
import { cidr } from "../shared/outside";
import type { Store } from "../shared/store";
import { checkNumber } from "./firewall";
import { type Image, images } from "./images";
import { checkLabels, checkName, newId, zones } from "./names";
import { type Place, placeIn } from "./network";
import { assignable, publicAddressOf } from "./primary-ip";

const token = "hcloud:index/server:Server";
const { userDataBytes, attachedAtOnce } = behaviour[token].quotas;
const most = {
  userDataBytes: userDataBytes.most,
  attachedAtOnce: attachedAtOnce.most,
  serversInNetwork: behaviour["hcloud:index/network:Network"].quotas.servers.most,
  serversInGroup: behaviour["hcloud:index/placementGroup:PlacementGroup"].quotas.servers.most,
} as const;

/** A container that plays a machine: it has the private address, and boots with the user data by cloud-init. */
export function server(store: Store, networks: PrivateNetworks, account: Account): Kind {
  return {
    id: newId,
    named: true,
    create: (id, inputs, context) =>
      attaching(attachmentOf(inputs), async () => {
        const location = text(inputs, "location") ?? "";
        check(inputs, store, id);
        const attachment = attachmentOf(inputs);
        const place = placeIn(store, attachment);
        if (zones[location] !== place.subnet.properties["networkZone"]) {
          throw new Error(`network zone ${String(place.subnet.properties["networkZone"])} has no location ${location} (invalid_input)`);
        }
        const address = freeAddress(store, place, text(attachment, "ip"));
        const image = imageOf(inputs);
        const outside = assignable(store, publicAddressOf(inputs), location);
        const name = requiredText(inputs, "name");
        const userData = text(inputs, "userData") ?? "";
        const machine = { id, name, hostname: name, image: image.container, network: networks.name(place.network.id), address, userData };
        // Others that begin meanwhile must find the address taken.
        const where = { network: place.network.id, subnet: place.subnet.id, address, bridge: place.network.played?.["bridge"] ?? "" };
        store.put({ id, token, properties: inputs, played: where });
        const container = await startMachine(machine, account, context).catch((error: unknown) => {
          store.remove(id);
          throw error;
        });
        return { outputs: { status: "running", ipv4Address: outside.properties["ipAddress"] }, played: { ...where, container } };
      }),
    async update(before, inputs, changes) {
      check(inputs, store, before.id);
      const changed = changes.map(({ path }) => path);
      for (const name of ["networks", "publicNets"].filter((one) => changed.includes(one)))
        throw new Error(`${name}: another one is left out of this stand-in plugin`);
      if (changed.includes("serverType") && architectureOf(inputs) !== architectureOf(before.properties)) {
        throw new Error("server type is of another architecture (invalid_server_type)");
      }
      // Its power is cut: nothing on it is told.
      if (changes.some(({ effect }) => effect === "powers off")) {
        await playing(before).kill();
        await playing(before).start();
      }
      return {};
    },
    stands,
    async refused(stored) {
      if (flag(stored.properties, "shutdownBeforeDeletion") === true) await playing(stored).stop({ t: 30 });
    },
    delete: removeMachine,
  };
}

/** Ids of the networks to which servers are being attached. */
const busy: string[] = [];

/** An attachment locks the network, and the provider tries so many times and no more. */
async function attaching<T>(attachment: Readonly<Record<string, unknown>>, work: () => Promise<T>): Promise<T> {
  const network = text(attachment, "subnetId")?.split("-")[0] ?? String(number(attachment, "networkId"));
  if (busy.filter((one) => one === network).length >= most.attachedAtOnce)
    throw new Error(`hcloud/inlineAttachServerToNetwork: attach server to network: network ${network} is locked (conflict)`);
  busy.push(network);
  try {
    return await work();
  } finally {
    busy.splice(busy.indexOf(network), 1);
  }
}

function check(inputs: Props, store: Store, id: string): void {
  checkName(token, inputs, store, id);
  checkLabels(inputs);
  const [name, location, type] = [requiredText(inputs, "name"), text(inputs, "location") ?? "", requiredText(inputs, "serverType")];
  if (!/^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/.test(name)) throw new Error(`invalid input in field 'name' (invalid_input): ${name}`);
  if (!(location in zones)) throw new Error(`location not found (not_found): ${location}`);
  if (!/^(cx|cpx|ccx|cax)\d\d$/.test(type)) throw new Error(`server type ${type} not found (not_found)`);
  if (Buffer.byteLength(text(inputs, "userData") ?? "") > most.userDataBytes)
    throw new Error(`user_data is longer than ${most.userDataBytes} bytes (invalid_input)`);
  if (flag(inputs, "deleteProtection") !== flag(inputs, "rebuildProtection")) {
    throw new Error("delete protection and rebuild protection must be the same (invalid_input)");
  }
  for (const key of texts(inputs, "sshKeys") ?? []) checkSshKey(store, key);
  checkGroup(store, inputs, id);
  checkPublicSide(inputs);
  checkNumber(store, { id, properties: inputs });
}

function checkSshKey(store: Store, key: string): void {
  const found = store.all("hcloud:index/sshKey:SshKey").some(({ id, properties }) => id === key || properties["name"] === key);
  if (!found) throw new Error(`SSH key not found (not_found): ${key}`);
}

/** Those of a placement group are each on another machine, and there are ten. */
function checkGroup(store: Store, inputs: Props, id: string): void {
  const group = number(inputs, "placementGroupId");
  if (group === undefined) return;
  if (store.find(String(group))?.token !== "hcloud:index/placementGroup:PlacementGroup")
    throw new Error(`placement group with ID '${group}' not found (not_found)`);
  const others = store.all(token).filter((one) => one.id !== id && one.properties["placementGroupId"] === group);
  if (others.length >= most.serversInGroup) throw new Error(`placement group ${group} has ${most.serversInGroup} servers already (placement_error)`);
}

function checkPublicSide(inputs: Props): void {
  const [side, ...more] = records(inputs, "publicNets") ?? [];
  if (side === undefined || more.length > 0 || flag(side, "ipv6Enabled") !== false || number(side, "ipv4") === undefined) {
    throw new Error("publicNets: this stand-in plugin knows one with an ipv4 and ipv6Enabled: false, and nothing else");
  }
  for (const name of ["firewallIds", "backups", "iso", "rescue"])
    if (inputs[name] !== undefined) throw new Error(`${name}: left out of this stand-in plugin`);
}

function attachmentOf(inputs: Props): Readonly<Record<string, unknown>> {
  const [attachment, ...more] = records(inputs, "networks") ?? [];
  if (attachment === undefined || more.length > 0) throw new Error("networks: this stand-in plugin knows servers in exactly one");
  if ((texts(attachment, "aliasIps") ?? []).length > 0) throw new Error("networks.aliasIps: left out of this stand-in plugin");
  return attachment;
}

/** Taken are the addresses of other servers; kept are the network's first and last two. */
function freeAddress(store: Store, { network, subnet }: Place, asked: string | undefined): string {
  const [whole, within] = [cidr(requiredText(network.properties, "ipRange")), cidr(requiredText(subnet.properties, "ipRange"))];
  const others = store.all(token).filter(({ played }) => played?.["network"] === network.id);
  if (others.length >= most.serversInNetwork)
    throw new Error(`network ${network.id} has ${most.serversInNetwork} servers already (resource_limit_exceeded)`);
  const taken = others.map(({ played }) => played?.["address"]);
  const kept = [whole.address(0), whole.address(1), whole.address(whole.size - 1n), within.address(0), within.address(within.size - 1n)];
  const first = Array.from({ length: 200 }, (_, offset) => within.address(offset)).find((one) => !taken.includes(one) && !kept.includes(one));
  const address = asked ?? first ?? "";
  if (!within.contains(cidr(`${address}/32`)) || kept.includes(address))
    throw new Error(`ip ${address} not available in ${within} (ip_not_available)`);
  if (taken.includes(address)) throw new Error(`ip ${address} not available: another server has it (ip_not_available)`);
  return address;
}

function imageOf(inputs: Props): Image {
  const asked = requiredText(inputs, "image");
  const found = images.find(({ id, name, architecture }) => String(id) === asked || (name === asked && architecture === architectureOf(inputs)));
  if (!found) throw new Error(`image ${asked} not found (not_found)`);
  if (found.architecture !== architectureOf(inputs)) {
    throw new Error(`image ${asked} is for ${found.architecture}, and ${requiredText(inputs, "serverType")} is not (invalid_input)`);
  }
  return found;
}

function architectureOf(inputs: Props): Image["architecture"] {
  return requiredText(inputs, "serverType").startsWith("cax") ? "arm" : "x86";
}
