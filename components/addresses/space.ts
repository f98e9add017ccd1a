import type { Report } from "../report";
import { Cidr, isCidr, isPrivate } from "./cidr";
import type { Reserved } from "./subnets";

const defaultAddressSpace = "10.96.0.0/14";

/** What the address space is cut into. */
export interface Space {
  readonly whole: Cidr;
  /** For networks that somebody makes by hand: Docker's own pool. A quarter. */
  readonly docker: Cidr;
  /** For overlay networks. Half. */
  readonly networks: Cidr;
  /** For the subnets of hosts' containers, where the overlay routes. An eighth. */
  readonly containers: Cidr;
  /** For the addresses of hosts in the encrypted tunnel. A sixteenth. */
  readonly tunnel: Cidr;
  /** Docker's bridges, the same on every host, and the network of the ingress mesh. A sixty-fourth each. */
  readonly docker0: Cidr;
  readonly gwbridge: Cidr;
  readonly ingress: Cidr;
  /** What pinned networks must keep clear of: all but the half for them. */
  readonly lower: Cidr;
}

export function planSpace(given: string | undefined, reserved: readonly Reserved[], report: Report): Space {
  const parsed = Cidr.parse(given ?? defaultAddressSpace);
  if (!isCidr(parsed)) report("addressSpace", parsed.problem, parsed.fix);
  let whole = isCidr(parsed) ? parsed : (Cidr.parse(defaultAddressSpace) as Cidr);
  if (!isPrivate(whole)) {
    report("addressSpace", `${whole} are public addresses: containers could not reach their real owners`, "take private space, such as 10.96.0.0/14");
  }
  if (whole.prefix > 22) {
    report(
      "addressSpace",
      `${whole} is too small: half of it is for networks, a quarter for Docker's own`,
      "take a /22 or larger; /14 is a good choice",
    );
    whole = Cidr.at(0n, 8);
  }
  for (const { network, what } of isCidr(parsed) ? reserved : []) {
    if (whole.overlaps(network)) report("addressSpace", `${whole} overlaps ${network}, ${what}`, "choose a space that is free everywhere");
  }
  return cut(whole);
}

/**
 * The places are fixed fractions, so that nothing that is asked for moves anything else. For 10.96.0.0/14:
 *
 *     10.96.0.0/16    Docker's pool          10.97.128.0/20  docker0           10.97.192.0/18  tunnel
 *     10.97.0.0/17    containers per host    10.97.144.0/20  docker_gwbridge   10.98.0.0/15    overlay networks
 *                                            10.97.160.0/20  ingress
 */
function cut(whole: Cidr): Space {
  const [lower, networks] = whole.halves();
  const [docker, hosts] = lower.halves();
  const [containers, others] = hosts.halves();
  const [shared, tunnel] = others.halves();
  const piece = (index: number): Cidr => shared.subnet(whole.prefix + 6, index);
  return { whole, docker, networks, containers, tunnel, docker0: piece(0), gwbridge: piece(1), ingress: piece(2), lower };
}
