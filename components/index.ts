export { type ClusterHost, type ClusterNetwork, SwarmCluster } from "./cluster";
export type { ClusterNode } from "./cluster/node";
export type { SwarmClusterArgs } from "./cluster/args";
export type { Transform } from "./transform";
export { planCluster } from "./cluster/plan";
export { type ClusterPlan, type Planned } from "./cluster/planned";
export type { OverlayOnHosts } from "./cluster/on-hosts";
export type { PlannedNetwork } from "./networks/network";
export type { NetworkSlice } from "./overlays/docker-network";
export type { NetworkRanges, RangedNetwork } from "./overlays/ranges";
export type { Quorum } from "./cluster/rules";
export type { DockerProviderArgs, DockerProviderSettings } from "./docker-provider/args";
export type { EngineArgs, LogLimits } from "./engine/args";
export type { BridgePlan } from "./engine/bridges";
export type { HostNeeds, KernelFeature } from "./engine/needs";
export type { AllowArgs, ExposeArgs, FirewallArgs, Port, RuleArgs } from "./firewall/args";
export type { CloudRule, CloudSource } from "./firewall/cloud";
export { FirewallRule } from "./firewall/resource";
export type { FirewallRule as PlannedRule, HostSelector, Source } from "./firewall/rule";
export type {
  AdmitContext,
  AssignedAddress,
  HostContext,
  HostDescription,
  HostGroup,
  HostRole,
  HostService,
  HostToMake,
  LateHostService,
  Machine,
  Member,
  PlannedHost,
  PlannedMember,
  PublicAddress,
  RulesContext,
  Site,
  Stop,
  Zone,
} from "./hosts/host";
export type { NetworkPolicyArgs } from "./network-policy/args";
export type { PoliciesOnHosts } from "./network-policy/compile";
export type { NetworkPolicy as PlannedPolicy } from "./network-policy/policy";
export { NetworkPolicy } from "./network-policy/resource";
export type { Problem } from "./report";
export type { NumberedHosts } from "./hosts/numbered";
export type { PlannedName } from "./names/name";
export type { NamesContext } from "./hosts/host";
export { compareSwarm } from "./cluster/compare";
export type { SwarmRole } from "./membership/swarm-api";
export { readSwarm, type SeenNetwork, type SeenNode, type SeenService, type SeenSwarm } from "./agents/read-swarm";
export type { AdoptArgs } from "./membership/adopt";
export type { MembershipArgs, SwarmOptions } from "./membership/args";
export type { MaintenanceArgs } from "./walk/args";
export type { GatewayArgs, GatewayHosts } from "./gateways/args";
export type { PlannedGateway } from "./gateways/gateway";
export type { NetworkArgs } from "./networks/args";
export { calico, type CalicoArgs, type CalicoPeerArgs } from "./overlays/calico";
export { type EtcdArgs, flannel, type FlannelArgs } from "./overlays/flannel";
export { openvswitch, type OpenvswitchArgs, type OpenvswitchTrunkArgs } from "./overlays/openvswitch";
export { native, type NativeArgs } from "./overlays/native";
export { weave, type WeaveArgs } from "./overlays/weave";
export type { Overlay, OverlayContext, OverlayKind, OverlayPlan, OverlaySecrets, Placement, RoutedIn, Serving } from "./overlays/overlay";
export type { PeersContext, PeersPlan, PlannedPeer, PlanPeers } from "./overlays/peers";
export type { PlannedTrunk, PlanTrunks, TrunksContext, TrunksPlan } from "./overlays/trunks";
export { direct } from "./underlay/direct";
export { wireguard, type WireGuardArgs } from "./underlay/wireguard";
export type { Tunnel, Underlay, UnderlayContext, UnderlayPlan } from "./underlay/underlay";
export type { ChannelName, EncryptionChannel } from "./addresses/encryption";
export { Encryption, SubnetAssignment } from "./addresses/resource";
export type { PlannedSubnet } from "./addresses/subnets";
export { type AddressesArgs, planAddresses, type PlannedAddress, type PlannedAddresses } from "./pieces/addresses";
export type { HostFirewallArgs, HostsAloneArgs, HostsAloneTransform, WireGuardMeshArgs } from "./pieces/args";
export { HostFirewall } from "./pieces/host-firewall";
export { type HostsAlonePlan, planHostFirewall, type PlannedHostsAlone, planWireGuardMesh } from "./pieces/plan";
export { WireGuardMesh } from "./pieces/wireguard-mesh";
export type { ProgramArgs, ProgramFileArgs, ProgramImageArgs, ProgramsArgs } from "./programs/args";
export type { HostProgram as PlannedProgram, ProgramSource } from "./programs/program";
export { HostProgram } from "./programs/resource";
export type { Connection } from "./remote/connection";
