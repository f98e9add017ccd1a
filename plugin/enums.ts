/* What a user chooses among in any language. */

export enum HostProvider {
  Local = "local",
  Existing = "existing",
  Aws = "aws",
  Hetzner = "hetzner",
}

export enum HostRole {
  Manager = "manager",
  Worker = "worker",
}

export enum OverlayKind {
  Native = "native",
  Weave = "weave",
  Flannel = "flannel",
  Calico = "calico",
  Openvswitch = "openvswitch",
}

export enum UnderlayKind {
  Direct = "direct",
  WireGuard = "wireguard",
}

export enum FlannelBackend {
  Vxlan = "vxlan",
  HostGw = "host-gw",
}

export enum AwsPublicAddress {
  Elastic = "elastic",
  None = "none",
}

export enum AwsAccess {
  Ssh = "ssh",
  Ssm = "ssm",
}

export enum Protocol {
  Tcp = "tcp",
  Udp = "udp",
}

export enum Publish {
  Host = "host",
  Ingress = "ingress",
}

export enum Enforce {
  Hosts = "hosts",
  None = "none",
}

export enum EngineSource {
  Present = "present",
  Distribution = "distribution",
  Docker = "docker",
}
