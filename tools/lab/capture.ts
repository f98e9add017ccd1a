import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./cluster";
import { askIn, type Background, type NetworkFile, startIn } from "./namespace";

/** A packet as it was seen on a wire. */
export interface Packet {
  /** `arp`, `ndp` (what IPv6 says on its own of neighbours and multicast), `ip6` and the like, or what is in the IPv4 packet: `tcp`, `udp`, `icmp`, `protocol 50`. */
  readonly protocol: string;
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
  /** Bytes, from the IP header on. */
  readonly size: number;
  /** Whether it is a piece of a larger one. */
  readonly fragment: boolean;
}

/** The name of the interface that has this address. */
export async function interfaceWith(network: NetworkFile, address: string): Promise<string> {
  const lines = await askIn(network, "ip", "-o", "-4", "address", "show");
  const line = lines.split("\n").find((each) => each.includes(` ${address}/`));
  if (line === undefined) throw new Error(`no interface has ${address}:\n${lines}`);
  return line.split(/\s+/)[1] ?? "";
}

/** Enough for the headers of a packet in a packet. */
const headers = 128;

/**
 * Everything that passes an interface while some work is done. Not for `lo`, whose packets the kernel counts twice.
 *
 * @param filter in tcpdump's words
 * @param bytes how many of each packet are kept in `bytes`
 */
export async function capture<T>(
  network: NetworkFile,
  device: string,
  work: () => Promise<T>,
  filter: readonly string[] = [],
  bytes = headers,
): Promise<{ readonly packets: readonly Packet[]; readonly bytes: Buffer; readonly result: T }> {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-capture-"));
  const file = join(folder, "packets");
  try {
    const options = ["-i", device, "-w", file, "-U", "--immediate-mode", "-s", String(bytes), "-B", "16384", "-Z", "root"];
    const watching = await startIn(network, /listening on/, "tcpdump", ...options, ...filter);
    let result: T;
    try {
      const never = await unread(watching);
      result = await work();
      await untilRead(watching, never);
    } finally {
      const said = await watching.stop();
      if (!/^0 packets dropped by kernel$/m.test(said)) throw new Error(`not everything was captured: ${said}`);
    }
    const seen = readFileSync(file);
    return { packets: readPackets(seen), bytes: seen, result };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How many packets the kernel has given to tcpdump that are not in its file. */
async function unread(watching: Background): Promise<number> {
  const counts = /(\d+) packets? captured, (\d+) packets? received by filter/;
  const [, read, received] = counts.exec(await watching.tell("SIGUSR1", counts)) ?? [];
  return Number(received) - Number(read);
}

/**
 * tcpdump ends without what it has not read yet, which is much where it waits for a processor.
 *
 * @param never those that it will not read: they came before its filter
 */
async function untilRead(watching: Background, never: number): Promise<void> {
  await eventually("tcpdump has read all packets", 60, async () => {
    const left = (await unread(watching)) - never;
    if (left > 0) throw new Error(`${left} are left`);
    return true;
  });
}

/** How many packets of each kind there were, the most frequent first. A kind is one of those that are expected, or spelt out. */
export function kinds(packets: readonly Packet[], expected: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const packet of packets) {
    const names = [packet.protocol, `${packet.protocol}/${packet.fromPort}`, `${packet.protocol}/${packet.toPort}`];
    const kind = names.find((name) => expected.includes(name)) ?? spell(packet);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return new Map([...counts].sort(([, one], [, other]) => other - one));
}

function spell({ protocol, from, to, fromPort, toPort }: Packet): string {
  return `${protocol} ${from}:${fromPort} > ${to}:${toPort}`;
}

const ethernetHeader = 14;
const protocols = new Map([
  [1, "icmp"],
  [2, "igmp"],
  [6, "tcp"],
  [17, "udp"],
]);
const etherTypes = new Map([
  [0x0806, "arp"],
  [0x86dd, "ip6"],
]);

/** Multicast listeners (RFC 2710, 3810), routers and neighbours (RFC 4861). */
const ndpTypes = [130, 131, 132, 133, 134, 135, 136, 137, 143];

/** Reports of listeners come behind a header of hop-by-hop options. */
function isNdp(packet: Buffer): boolean {
  const [hopByHop, icmp6, header] = [0, 58, 40];
  const behind = packet.readUInt8(6) === hopByHop;
  const next = packet.readUInt8(behind ? header : 6);
  const at = behind ? header + 8 * (packet.readUInt8(header + 1) + 1) : header;
  return next === icmp6 && at < packet.length && ndpTypes.includes(packet.readUInt8(at));
}

/** Reads tcpdump's file: a header of 24 bytes, then packets, each behind 16 bytes of which four say its length. */
export function readPackets(file: Buffer): Packet[] {
  const little = file.readUInt32LE(0) === 0xa1b2c3d4;
  if (!little && file.readUInt32BE(0) !== 0xa1b2c3d4) throw new Error("not a file of packets");
  const number = (at: number): number => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const packets: Packet[] = [];
  for (let at = 24; at + 16 <= file.length;) {
    const length = number(at + 8);
    packets.push(readFrame(file.subarray(at + 16, at + 16 + length)));
    at += 16 + length;
  }
  return packets;
}

function readFrame(frame: Buffer): Packet {
  const type = frame.readUInt16BE(12);
  const packet = frame.subarray(ethernetHeader);
  if (type !== 0x0800) {
    const known = etherTypes.get(type) ?? `ethernet 0x${type.toString(16)}`;
    const protocol = known === "ip6" && isNdp(packet) ? "ndp" : known;
    return { protocol, from: "", to: "", fromPort: 0, toPort: 0, size: packet.length, fragment: false };
  }
  const number = packet.readUInt8(9);
  const offset = packet.readUInt16BE(6) & 0x1fff;
  const header = (packet.readUInt8(0) & 0x0f) * 4;
  // Only the first piece of a packet tells its ports.
  const ports = (number === 6 || number === 17) && offset === 0;
  return {
    protocol: protocols.get(number) ?? `protocol ${number}`,
    from: packet.subarray(12, 16).join("."),
    to: packet.subarray(16, 20).join("."),
    fromPort: ports ? packet.readUInt16BE(header) : 0,
    toPort: ports ? packet.readUInt16BE(header + 2) : 0,
    size: packet.readUInt16BE(2),
    fragment: offset > 0 || (packet.readUInt16BE(6) & 0x2000) !== 0,
  };
}
