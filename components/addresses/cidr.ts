import { Address4, AddressError } from "ip-address";
import { type NoCidr, noCidr } from "./cidr-meant";

/** Texts that were read before: a cluster of a thousand hosts asks for the same ones some thousand times. */
const readBefore = new Map<string, Cidr | NoCidr>();
const mostReadBefore = 10_000;

/** An IPv4 network. All address arithmetic of this package goes through here, on top of `ip-address`. */
export class Cidr {
  private constructor(
    readonly first: bigint,
    readonly prefix: number,
  ) {}

  /** @returns the network, or why the text is none. */
  static parse(text: string): Cidr | NoCidr {
    const before = readBefore.get(text);
    if (before !== undefined) return before;
    if (readBefore.size >= mostReadBefore) readBefore.clear();
    const parsed = Cidr.read(text);
    readBefore.set(text, parsed);
    return parsed;
  }

  private static read(text: string): Cidr | NoCidr {
    const address = read(text);
    if (!address) return noCidr(text);
    const network = Cidr.aroundAddress(address);
    if (network.first !== address.bigInt()) {
      return { problem: `"${text}" has bits set beyond its prefix; the network is ${network}`, fix: `write "${network}"` };
    }
    return network;
  }

  /** The network in which an interface's address with its prefix lies, such as `10.1.2.1/24`. */
  static around(text: string): Cidr | NoCidr {
    const address = read(text);
    return address ? Cidr.aroundAddress(address) : Cidr.parse(text);
  }

  private static aroundAddress(address: Address4): Cidr {
    const bits = BigInt(32 - address.subnetMask);
    return Cidr.at((address.bigInt() >> bits) << bits, address.subnetMask);
  }

  static at(first: bigint, prefix: number): Cidr {
    return new Cidr(first, prefix);
  }

  get size(): bigint {
    return 1n << BigInt(32 - this.prefix);
  }

  /** The last address as a number, to compare. */
  get last(): bigint {
    return this.first + this.size - 1n;
  }

  /** In the order of first addresses, the larger network first. */
  compare(other: Cidr): number {
    return this.first === other.first ? this.prefix - other.prefix : this.first < other.first ? -1 : 1;
  }

  /** The address at this offset, without a prefix. */
  address(offset: number | bigint): string {
    const value = Number(this.first + BigInt(offset));
    return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
  }

  /** How many networks of this prefix fit. */
  count(prefix: number): number {
    return prefix < this.prefix ? 0 : 2 ** (prefix - this.prefix);
  }

  subnet(prefix: number, index: number): Cidr {
    return Cidr.at(this.first + (BigInt(index) << BigInt(32 - prefix)), prefix);
  }

  halves(): readonly [Cidr, Cidr] {
    return [this.subnet(this.prefix + 1, 0), this.subnet(this.prefix + 1, 1)];
  }

  contains(other: Cidr): boolean {
    return other.first >= this.first && other.first + other.size <= this.first + this.size;
  }

  overlaps(other: Cidr): boolean {
    return this.first < other.first + other.size && other.first < this.first + this.size;
  }

  toString(): string {
    return `${this.address(0)}/${this.prefix}`;
  }
}

/** An address with a prefix. */
function read(text: string): Address4 | undefined {
  if (typeof text !== "string" || !/^[^/]+\/\d+$/.test(text)) return undefined;
  try {
    return new Address4(text);
  } catch (error) {
    if (error instanceof AddressError) return undefined;
    throw error;
  }
}

/** RFC 1918 and RFC 6598: what may be used inside without hiding somebody's public addresses. */
const privateSpaces = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map((text) => Cidr.parse(text) as Cidr);

export function isPrivate(network: Cidr): boolean {
  return privateSpaces.some((space) => space.contains(network));
}

export function isCidr(parsed: Cidr | NoCidr): parsed is Cidr {
  return parsed instanceof Cidr;
}
