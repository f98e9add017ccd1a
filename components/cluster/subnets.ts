import type { BridgePlan, OwnBridges } from "../engine/bridges";
import { Cidr, isCidr } from "../addresses/cidr";
import type { Space } from "../addresses/space";
import { pinPath, type Pins, type PlannedSubnet } from "../addresses/subnets";
import type { NetworkArgs } from "../networks/args";
import type { PlannedNetwork } from "../networks/network";

interface Pieces {
  readonly space: Space;
  readonly pins: Pins;
  /** Blocks of groups of hosts: in their sites, in the tunnel. */
  readonly blocks: readonly PlannedSubnet[];
  readonly networks: readonly PlannedNetwork[];
  readonly given: Readonly<Record<string, NetworkArgs>>;
  /** What the user's settings of the engine say of Docker's bridges. */
  readonly own: OwnBridges;
}

/** Every piece of address space that has an owner, in one list. */
export function planSubnets({ space, pins, blocks, networks, given, own }: Pieces): PlannedSubnet[] {
  const from = `${space.whole}, the address space`;
  const shared = (owner: string, purpose: string, routes: string, place: Cidr): PlannedSubnet => {
    const pin = pins.take(owner, 16, 28);
    return { owner, purpose, cidr: (pin ?? place).toString(), from, routes, pin: pinPath(owner), pinned: pin !== undefined };
  };
  const onEachHost = "nowhere: the same on every host, translated to the host's address on the way out";
  return [
    ...[...blocks].sort((a, b) => (a.owner < b.owner ? -1 : 1)),
    docker0(shared("docker0", "containers on Docker's default bridge", onEachHost, space.docker0), own),
    // From the user's pools Docker chooses by itself, on each host.
    ...(own.pools ? [] : [shared("docker_gwbridge", "how containers on overlay networks get out", onEachHost, space.gwbridge)]),
    shared("ingress", "the mesh that takes published ports to a task wherever it runs", "between all hosts, by the overlay", space.ingress),
    {
      owner: "docker pool",
      purpose: "networks that somebody makes by hand",
      cidr: space.docker.toString(),
      from,
      routes: "between all hosts, by the overlay",
      pin: "addressSpace",
      pinned: false,
    },
    ...networks.map((network): PlannedSubnet => ({
      ...placeOf(network, space),
      routes: "between all hosts, by the overlay",
      pin: `networks.${network.name}.subnet`,
      pinned: given[network.name]?.subnet !== undefined,
    })),
  ];
}

type Place = Pick<PlannedSubnet, "owner" | "purpose" | "cidr" | "from">;

function placeOf(network: PlannedNetwork, space: Space): Place {
  if (network.slice !== undefined) return ofEachHost(network, network.slice);
  const own = ofItsOwn(network, space);
  // As with slices: of another size, and so another name.
  return network.configFrom === undefined ? own : { ...own, owner: `ranges ${network.name}`, purpose: `${own.purpose}, a range of it for each host` };
}

function ofItsOwn({ name, internal, subnet }: PlannedNetwork, { networks }: Space): Place {
  return {
    owner: `network ${name}`,
    purpose: internal ? "overlay network without a way out" : "overlay network",
    cidr: subnet,
    from: `${networks}, the half of the address space for networks`,
  };
}

/** Another name than for a subnet of its own: a change from one to the other is not a move. */
function ofEachHost({ name, subnet }: PlannedNetwork, slice: string): Place {
  return {
    owner: ownerOfSlice(name),
    purpose: "overlay network, a slice of each host's subnet",
    cidr: slice,
    from: `each host's subnet in ${subnet}`,
  };
}

const sliceWord = "slice ";

/** What a network's slice of each host's subnet is called as an owner. */
export function ownerOfSlice(network: string): string {
  return `${sliceWord}${network}`;
}

/** Whether it is a network's slice of each host's subnet. */
export function isSlice({ owner }: Pick<PlannedSubnet, "owner">): boolean {
  return owner.startsWith(sliceWord);
}

/** The network of a slice. */
export function networkOfSlice(owner: string): string {
  return owner.slice(sliceWord.length);
}

function docker0(planned: PlannedSubnet, { bip }: OwnBridges): PlannedSubnet {
  const network = bip === undefined ? undefined : Cidr.around(bip);
  if (!network || !isCidr(network)) return planned;
  return { ...planned, cidr: network.toString(), from: "engine.settings", pin: "engine.settings.bip", pinned: true };
}

/** What hosts are told of Docker's bridges; their own settings win there. */
export function planBridges(subnets: readonly PlannedSubnet[], { gwbridge, docker0 }: Space, mtu: number): BridgePlan {
  const place = (owner: string, otherwise: Cidr): Cidr => {
    const network = Cidr.parse(subnets.find((subnet) => subnet.owner === owner)?.cidr ?? "");
    return isCidr(network) ? network : otherwise;
  };
  const [one, other] = [place("docker0", docker0), place("docker_gwbridge", gwbridge)];
  return {
    docker0: { subnet: one.toString(), gateway: `${one.address(1)}/${one.prefix}` },
    gwbridge: { subnet: other.toString(), gateway: other.address(1) },
    mtu,
  };
}
