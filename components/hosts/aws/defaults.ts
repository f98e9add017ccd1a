import { behaviour } from "./behaviour";

/** What is taken where the user says nothing. */
export const defaults = {
  zones: ["a", "b", "c"],
  network: "10.64.0.0/16",
  instanceType: "t3.medium",
  image: "debian-13",
  diskSize: 20,
  mtu: 1500,
  securityGroupRules: behaviour["aws:ec2/securityGroup:SecurityGroup"].quotas.rules.most,
} as const;
