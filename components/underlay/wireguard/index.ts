export { type Mesh, type MeshFailure, type MeshIo, type MeshMember, type MeshOptions, lowerMesh, raiseMesh } from "./apply";
export { tunnelInterface, tunnelOverhead, type WireGuardArgs, wireGuardProblems, type WireGuardSettings, wireGuardSettings } from "./args";
export { type MeshHost, type MeshProblem, meshProblems, peersConf, type PlannedPeer, planPeers } from "./mesh";
