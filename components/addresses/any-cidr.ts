import { Address6 } from "ip-address";
import { Cidr, isCidr } from "./cidr";
import type { NoCidr } from "./cidr-meant";

/** Why a text is none, and how it was probably meant where that can be told. */
type NoAnyCidr = Pick<NoCidr, "problem"> & Partial<NoCidr>;

/** An IPv4 or IPv6 network, for who may connect. Subnets of our own are IPv4 only and have a class of their own, `Cidr`. */
export class AnyCidr {
  private constructor(
    readonly version: 4 | 6,
    private readonly first: bigint,
    readonly prefix: number,
  ) {}

  /** Everybody, in either family. */
  static readonly world: readonly AnyCidr[] = [new AnyCidr(4, 0n, 0), new AnyCidr(6, 0n, 0)];

  /** @returns the network, or why the text is none. */
  static parse(text: string): AnyCidr | NoAnyCidr {
    if (typeof text !== "string") return { problem: "what is given is not a network in CIDR form, such as 203.0.113.0/24 or 2001:db8::/32" };
    return text.includes(":") ? parse6(text, (first, prefix) => new AnyCidr(6, first, prefix)) : parse4(text);
  }

  private static readonly known = new Map<string, AnyCidr>();

  /** The network of one address. Remembered: the rules of each of a thousand hosts name all the others. */
  static host(address: string): AnyCidr {
    const known = AnyCidr.known.get(address);
    if (known) return known;
    const parsed = AnyCidr.parse(`${address}/${address.includes(":") ? 128 : 32}`);
    if (!isAnyCidr(parsed)) throw new Error(`"${address}" is not an address`);
    AnyCidr.known.set(address, parsed);
    return parsed;
  }

  static of4(first: bigint, prefix: number): AnyCidr {
    return new AnyCidr(4, first, prefix);
  }

  get isWorld(): boolean {
    return this.prefix === 0;
  }

  /** Whether nothing of it ever comes from another machine. */
  get isLoopback(): boolean {
    return loopback.some((own) => own.contains(this));
  }

  contains(other: AnyCidr): boolean {
    return other.version === this.version && other.first >= this.first && other.first + other.size <= this.first + this.size;
  }

  /** @returns the network of which this is the first half and the other one the second; undefined where they are not. */
  joined(other: AnyCidr): AnyCidr | undefined {
    if (other.version !== this.version || other.prefix !== this.prefix || this.prefix === 0) return undefined;
    const isFirstHalf = this.first % (this.size * 2n) === 0n;
    return isFirstHalf && other.first === this.first + this.size ? new AnyCidr(this.version, this.first, this.prefix - 1) : undefined;
  }

  /** IPv4 before IPv6, then by address, the wider first. */
  compare(other: AnyCidr): number {
    if (this.version !== other.version) return this.version - other.version;
    if (this.first !== other.first) return this.first < other.first ? -1 : 1;
    return this.prefix - other.prefix;
  }

  private text: string | undefined;

  toString(): string {
    this.text ??= this.write();
    return this.text;
  }

  private write(): string {
    const address = this.version === 4 ? Cidr.at(this.first, 32).address(0) : Address6.fromBigInt(this.first).correctForm();
    return `${address}/${this.prefix}`;
  }

  /** How many addresses there are in it. */
  get size(): bigint {
    return 1n << BigInt((this.version === 4 ? 32 : 128) - this.prefix);
  }
}

const loopback = [AnyCidr.of4(127n << 24n, 8), AnyCidr.host("::1")];

function parse4(text: string): AnyCidr | NoAnyCidr {
  const parsed = Cidr.parse(text);
  if (!isCidr(parsed)) return parsed;
  return AnyCidr.of4(parsed.first, parsed.prefix);
}

function parse6(text: string, make: (first: bigint, prefix: number) => AnyCidr): AnyCidr | NoAnyCidr {
  // A zone (%eth0) has no meaning on another machine, and an IPv4 address in IPv6 form never arrives as one.
  if (!/^[0-9a-fA-F:]+\/\d+$/.test(text) || !Address6.isValid(text)) {
    return { problem: `"${text}" is not an IPv6 network in CIDR form, such as 2001:db8::/32` };
  }
  const address = new Address6(text);
  const network = make(address.startAddress().bigInt(), address.subnetMask);
  if (address.startAddress().bigInt() !== address.bigInt()) {
    return { problem: `"${text}" has bits set beyond its prefix; the network is ${network.toString()}` };
  }
  return network;
}

/** The same addresses in the fewest networks that there can be, whether or not they were given: two halves become the whole. */
export function merged(networks: readonly AnyCidr[]): readonly AnyCidr[] {
  const kept: AnyCidr[] = [];
  for (const network of normalised(networks)) {
    let last = network;
    for (let whole = kept.at(-1)?.joined(last); whole !== undefined; whole = kept.at(-1)?.joined(last)) {
      kept.pop();
      last = whole;
    }
    kept.push(last);
  }
  return kept;
}

export function isAnyCidr(parsed: AnyCidr | NoAnyCidr): parsed is AnyCidr {
  return parsed instanceof AnyCidr;
}

/** The same addresses in the fewest of the given networks, in one order. */
export function normalised(networks: readonly AnyCidr[]): readonly AnyCidr[] {
  const sorted = [...networks].sort((one, other) => one.compare(other));
  const kept: AnyCidr[] = [];
  // Sorted so, what contains a network is the last one kept.
  for (const network of sorted) if (!kept.at(-1)?.contains(network)) kept.push(network);
  return kept;
}
