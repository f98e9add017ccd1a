import assert from "node:assert/strict";
import { operatorOverlaps } from "../../components/cluster/operator";
import { planCluster } from "../../components/cluster/plan";
import * as local from "../../components/hosts/local";

const { plan } = planCluster({ hosts: { control: local.hosts({ role: "manager" }) } });
const ipv4 = (cidr: string, internal = false): { address: string; cidr: string; family: "IPv4"; internal: boolean } => ({
  address: cidr.split("/")[0] ?? "",
  cidr,
  family: "IPv4",
  internal,
});

describe("the operator's own networks", () => {
  it("are pointed out where they lie on the address space", () => {
    assert.deepEqual(operatorOverlaps(plan, { vpn0: [ipv4("10.97.3.4/24")], eth0: [ipv4("192.168.1.5/24")] }), [
      "this machine's 10.97.3.0/24 (vpn0) overlaps the address space 10.96.0.0/14: what is planned there cannot be reached from here",
    ]);
  });

  it("are no matter where they are a site's, this machine's loopback, or IPv6", () => {
    const ipv6 = { address: "fd00::1", cidr: "fd00::1/64", family: "IPv6" as const, internal: false };
    assert.deepEqual(operatorOverlaps(plan, { br0: [ipv4("10.213.0.1/16")], lo: [ipv4("10.96.0.1/8", true)], eth1: [ipv6] }), []);
  });
});
