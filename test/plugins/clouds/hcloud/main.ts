import { createHash } from "node:crypto";
import { behaviour } from "../../../../components/hosts/hetzner/behaviour";
import { serve } from "../../../../tools/plugins/shared/server";
import { requiredText, text } from "../../../../tools/plugins/shared/properties";
import { Account, accountFile } from "../shared/account";
import { Filter } from "../shared/filter";
import { allKept, type Kind } from "../shared/kept";
import { PrivateNetworks } from "../shared/network";
import { Outside } from "../shared/outside";
import { PublishedTypes } from "../shared/published";
import { Store } from "../shared/store";
import { firewall, firewallRules } from "./firewall";
import { getImage } from "./images";
import { checkLabels, checkName, newId } from "./names";
import { network, subnet } from "./network";
import { primaryIp, publicAddresses } from "./primary-ip";
import { server } from "./server";

const types = new PublishedTypes("@pulumi/hcloud");
const account = new Account(accountFile("hcloud"));
const store = new Store(account.file);
const outside = new Outside(account);
const networks = new PrivateNetworks(account, outside);
const filter = new Filter("inet cl_cloud_firewall", () => firewallRules(store));
const settled = async (): Promise<void> => {
  await outside.translate(() => publicAddresses(store));
  await filter.apply();
};

const sshKey: Kind = {
  id: newId,
  named: true,
  create(_id, inputs) {
    checkName("hcloud:index/sshKey:SshKey", inputs, store);
    checkLabels(inputs);
    const [type = "", key = ""] = requiredText(inputs, "publicKey").split(" ");
    if (!/^(ssh-|ecdsa-)/.test(type)) throw new Error("invalid input in field 'public_key' (invalid_input)");
    const twin = store.all("hcloud:index/sshKey:SshKey").find(({ properties }) => requiredText(properties, "publicKey").split(" ")[1] === key);
    if (twin) throw new Error(`SSH key with the same fingerprint already exists (uniqueness_error): ${twin.id}`);
    const fingerprint = createHash("md5").update(Buffer.from(key, "base64")).digest("hex").match(/../g)?.join(":");
    return { outputs: { fingerprint } };
  },
};

const placementGroup: Kind = {
  id: newId,
  named: true,
  create(_id, inputs) {
    checkName("hcloud:index/placementGroup:PlacementGroup", inputs, store);
    checkLabels(inputs);
    if (text(inputs, "type") !== "spread") throw new Error("invalid input in field 'type' (invalid_input)");
    return { outputs: { servers: [] } };
  },
};

const kinds: Readonly<Record<keyof typeof behaviour, Kind>> = {
  "hcloud:index/network:Network": network(store, networks),
  "hcloud:index/networkSubnet:NetworkSubnet": subnet(store),
  "hcloud:index/sshKey:SshKey": sshKey,
  "hcloud:index/placementGroup:PlacementGroup": placementGroup,
  "hcloud:index/primaryIp:PrimaryIp": primaryIp(store, outside),
  "hcloud:index/firewall:Firewall": { ...firewall(store), settled: () => filter.apply() },
  "hcloud:index/server:Server": { ...server(store, networks, account), settled },
};

void serve(
  {
    name: "hcloud",
    version: "1.41.0",
    config: types.configuration(),
    resources: allKept(behaviour, kinds, types, store),
    functions: { "hcloud:index/getImage:getImage": getImage },
  },
  process.argv.slice(2),
);
