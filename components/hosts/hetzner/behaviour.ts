import type { CloudBehaviour, PropertyBehaviour, Quota } from "../cloud/behaviour";

/** Files of github.com/hetznercloud/terraform-provider-hcloud at v1.68.0, read from v1.63.0 on; over it lies @pulumi/hcloud 1.41.0. */
const server = "internal/server/resource.go";
const primaryIp = "internal/primaryip/resource.go";
const network = "internal/network/resource.go";
const subnet = "internal/network/resource_subnet.go";
const firewall = "internal/firewall/resource.go";
const placementGroup = "internal/placementgroup/resource.go";
const sshKey = "internal/sshkey/resource.go";

const updates = (source: string): PropertyBehaviour => ({ effect: "updates", source });
const replaces = (source: string): PropertyBehaviour => ({ effect: "replaces", source });
const nothing = (source: string, note: string): PropertyBehaviour => ({ effect: "nothing", source, note });
const quota = (most: number, of: string, source: string): Quota => ({ most, of, source });

/** What Hetzner and its provider do with what hosts are made of. */
export const behaviour = {
  "hcloud:index/server:Server": {
    properties: {
      name: updates(server),
      labels: updates(server),
      serverType: {
        effect: "powers off",
        source: `${server}, resourceServerUpdate: Poweroff, then ChangeType`,
        note: "cut off, not shut down; the API starts it again. Another architecture is refused (invalid_server_type)",
      },
      keepDisk: nothing(server, "read when the type changes, and not before"),
      image: {
        effect: "replaces",
        readBack: "the id where an id was given, else the name",
        source: `${server}, getServerAttributes`,
        note: "an image by name stays when Hetzner builds it anew",
      },
      location: replaces(server),
      userData: { effect: "replaces", readBack: "SHA-1 of it", source: `${server}, userDataHashSum`, note: "we ignore its changes" },
      sshKeys: { effect: "replaces", source: server, note: "we ignore their changes" },
      publicNets: {
        effect: "powers off",
        source: `${server}, updatePublicNet`,
        note: "also where nothing but a flag of it is another one; an address must not have another server",
      },
      networks: {
        effect: "updates",
        source: `${server}, updateServerInlineNetworkAttachments`,
        note: "another address is a detachment and an attachment: the host is without it meanwhile. What failed when the server was made stays so until --refresh",
      },
      ignoreRemoteFirewallIds: nothing(server, "hides firewalls that come by labels"),
      placementGroupId: {
        effect: "refuses",
        source: `${server}, setPlacementGroup`,
        note: "of a running server: removing a running server from a placement group is currently not supported in the provider",
      },
      deleteProtection: {
        effect: "updates",
        source: `${server}, setProtection`,
        note: "with rebuildProtection, both or none (docs.hetzner.cloud, change_protection); nothing lifts it before a deletion (issue #1206)",
      },
      rebuildProtection: updates(`${server}, setProtection`),
      shutdownBeforeDeletion: nothing(server, "read when the server is deleted, out of the state"),
    },
    deleteRefused: [
      {
        property: "deleteProtection",
        when: "it is protected",
        says: "server deletion is protected (protected)",
        note: "after it was shut down, where shutdownBeforeDeletion says so: it stays off",
        source: `${server}, resourceServerDelete`,
      },
    ],
    quotas: {
      userDataBytes: quota(32 * 1024, "bytes of user data", "docs.hetzner.cloud, create a server"),
      attachedAtOnce: quota(
        5,
        "servers that are being attached to one network",
        "internal/server/common.go, attachServerToNetwork: an attachment locks the network, and who finds it locked tries 5 times",
      ),
    },
  },
  "hcloud:index/primaryIp:PrimaryIp": {
    properties: {
      name: updates(primaryIp),
      labels: updates(primaryIp),
      type: replaces(primaryIp),
      location: replaces(primaryIp),
      assigneeType: {
        effect: "updates",
        absent: "kept",
        source: `${primaryIp}, ValidateConfig`,
        note: "without assigneeId a warning at each preview: it is optional, and only required together with the assignee_id",
      },
      autoDelete: updates(primaryIp),
    },
    deleteRefused: [
      {
        when: "a server has it",
        says: "primary IP is assigned to server (must_be_unassigned)",
        note: "the provider takes it from the server first, and cuts that server's power for it, where the state says that it is assigned",
        source: `${primaryIp}, Delete`,
      },
    ],
    quotas: {},
  },
  "hcloud:index/network:Network": {
    properties: { name: updates(network), labels: updates(network), ipRange: replaces(network) },
    deleteRefused: [],
    quotas: { servers: quota(100, "servers in one network", "docs.hetzner.com/cloud/networks/overview") },
  },
  "hcloud:index/networkSubnet:NetworkSubnet": {
    properties: { networkId: replaces(subnet), type: replaces(subnet), networkZone: replaces(subnet), ipRange: replaces(subnet) },
    deleteRefused: [
      {
        when: "servers are attached to it",
        says: "cannot remove subnet because servers are attached to it (service_error)",
        note: "after 50 tries the provider takes it out of the state and says nothing",
        source: `${subnet}, resourceNetworkSubnetDelete`,
      },
    ],
    quotas: {},
  },
  "hcloud:index/firewall:Firewall": {
    properties: {
      name: updates(firewall),
      labels: updates(firewall),
      applyTos: updates(`${firewall}, syncApplyTo`),
      rules: {
        effect: "updates",
        readBack: "each source as the network it is: 10.0.0.0/8, not 10.1.2.3/8",
        source: `${firewall}, resourceFirewallUpdate and normalizeIP`,
        note: "an empty list leaves the rules that there were",
      },
    },
    deleteRefused: [],
    quotas: {
      rules: quota(50, "rules of one firewall", "docs.hetzner.com/cloud/firewalls/overview#limits"),
      sources: quota(100, "sources of one rule", "docs.hetzner.com/cloud/firewalls/overview#limits"),
      effective: quota(500, "sources in all rules of one firewall", "docs.hetzner.com/cloud/firewalls/overview#limits"),
      beforeServer: quota(5, "firewalls before one server", "docs.hetzner.com/cloud/firewalls/faq"),
      description: quota(255, "characters of a description", "docs.hetzner.cloud, firewalls"),
    },
  },
  "hcloud:index/placementGroup:PlacementGroup": {
    properties: {
      name: updates(placementGroup),
      labels: updates(placementGroup),
      type: nothing(placementGroup, "resourcePlacementGroupUpdate does not look at it"),
    },
    deleteRefused: [],
    quotas: { servers: quota(10, "servers in one group", "docs.hetzner.com/cloud/placement-groups/overview") },
  },
  "hcloud:index/sshKey:SshKey": {
    properties: { name: updates(sshKey), labels: updates(sshKey), publicKey: replaces(sshKey) },
    deleteRefused: [],
    quotas: {},
  },
} as const satisfies CloudBehaviour;
