import { join } from "node:path";
import { askOn, runOn } from "./machines";
import { askIn, type Background, type NetworkFile, networkOf, runIn, startIn } from "./namespace";
import { root } from "./pulumi";
import { isVirtual } from "./virtual";

/*
 * What a host lets through, port by port. nmap asks some 3,000 ports, among them all that anything of a swarm has; that a firewall is as
 * its rules say on all 65,535 is shown once, by the test of the firewall. A table on the host notes which questions arrived there,
 * so that none was lost on the way, and which of them passed every firewall. The latter is the only way to know of UDP, which
 * need not answer (WireGuard never does).
 */

/** A host that is scanned: its container, and the address by which it is. */
export interface ScanTarget {
  readonly machine: string;
  readonly address: string;
}

type Protocol = "tcp" | "udp";

/** Port from which scans come, by which their packets are told from others. */
const scanPort = 61_111;
/** For the second question to the same port: to the called host the first one is a connection that has begun. */
const secondPorts = { first: 61_112, last: 62_111 } as const;
/** Those of scans, in tcpdump's words: a called host may still answer when the scan is over. */
export const notOfScans = `not portrange ${scanPort}-${secondPorts.last}`;
const table = "inet lab_scan";
const allPorts = 65_535;
/** Around what a swarm, its overlays and its users have. */
const near = [
  "1-1100",
  "2370-2390",
  "3780-3790",
  "4780-4800",
  "5000-5010",
  "6770-6800",
  "7930-7960",
  "8000-8100",
  "8280-8480",
  "9000-9110",
  "51800-51840",
  "65535",
];
/** BGP takes nothing without its password (RFC 2385), and refuses nothing either: it passed the firewall, and nmap hears nothing. */
const signed: readonly number[] = [179];
/** And every 61st of all. */
const asked: readonly number[] = [...new Set([...expand(near), ...Array.from({ length: 1_075 }, (_, index) => (index + 1) * 61 - 40)])];
const askedRanges = asRanges(asked);

/**
 * The TCP ports of a host that another machine gets an answer from, be it a connection or a refusal: a firewall that drops is
 * silent.
 */
export async function scanTcp(scanner: string, target: ScanTarget): Promise<number[]> {
  const passed = await watched(scanner, target, "tcp");
  if (passed.length === 0) return [];
  // Some of the answers may have been lost among so many.
  const from = secondPorts.first + Math.floor(Math.random() * (secondPorts.last - secondPorts.first));
  const xml = await nmap(scanner, target.address, from, `-sS --max-retries 10 -p ${asRanges(passed).join(",")} -oX -`);
  const answers = [...xml.matchAll(/<port protocol="tcp" portid="(\d+)"><state state="(?:open|closed)"/g)].map(([, port]) => Number(port));
  const summary = /<extraports state="closed"[^>]*>(.*?)<\/extraports>/s.exec(xml)?.[1] ?? "";
  const many = [...summary.matchAll(/ports="([^"]*)"/g)].flatMap(([, ranges]) => expand((ranges ?? "").split(",")));
  const unsigned = passed.filter((port) => signed.includes(port));
  return [...new Set([...answers, ...many, ...unsigned])].sort((one, other) => one - other);
}

/** The UDP ports of a host that take what another machine sends. */
export async function scanUdp(scanner: string, target: ScanTarget): Promise<number[]> {
  return watched(scanner, target, "udp");
}

/** Asks the ports until every question has arrived. @returns those that passed all firewalls */
async function watched(scanner: string, target: ScanTarget, protocol: Protocol): Promise<number[]> {
  const note = (chain: string, hook: string, set: string, port: string): string =>
    `chain ${chain} {\ntype filter hook ${hook};\n${protocol} sport ${scanPort} add @${set} { ${port} }\n}\n`;
  const set = (name: string): string => `set ${name} {\ntype inet_service; flags dynamic; size ${allPorts};\n}\n`;
  const rules = [
    set("arrived"),
    set("passed"),
    note("first", "prerouting priority -301", "arrived", `${protocol} dport`),
    note("host", "input priority 300", "passed", `${protocol} dport`),
    // At a container, by a port that Docker publishes: its number was changed before.
    note("container", "forward priority 300", "passed", "ct original proto-dst"),
  ];
  await nft(target.machine, replaced(rules));
  try {
    let missing = askedRanges;
    for (let rate = 40_000; missing.length > 0; rate /= 2) {
      if (rate < 100) throw new Error(`${target.machine}: these ports were asked in vain: ${missing.join(",").slice(0, 200)}`);
      const kind = protocol === "tcp" ? "-sS" : "-sU";
      await nmap(scanner, target.address, scanPort, `${kind} --max-retries 0 --min-rate ${rate} -p ${missing.join(",")}`);
      const arrived = new Set(await elements(target.machine, "arrived"));
      missing = asRanges(asked.filter((port) => !arrived.has(port)));
    }
    return await elements(target.machine, "passed");
  } finally {
    await nft(target.machine, `delete table ${table}\n`);
  }
}

/**
 * A scanner may be a host with a firewall of its own, which would drop some of the questions already; frames pass it by. Where
 * there are no frames, in a tunnel, what is sent is kept off the list of connections: it would fill that list, and a later scan
 * of the scanner itself would pass for an answer. nmap sees the answers before any firewall does.
 */
async function nmap(scanner: string, target: string, port: number, options: string): Promise<string> {
  // A scanner may be at work on several hosts at once.
  const untracked = `${table}_of_${target.replaceAll(".", "_")}`;
  const rule = `meta l4proto { tcp, udp } th sport ${scanPort}-${secondPorts.last} notrack`;
  await nft(scanner, replaced([`chain out {\ntype filter hook output priority raw;\n${rule}\n}\n`], untracked));
  try {
    const common = `-Pn -n -T5 --send-eth --source-port ${port}`;
    const args = [...common.split(" "), ...options.split(" "), target];
    return (await isVirtual(scanner)) ? await askOn(scanner, "nmap", ...args) : await askIn(await networkOf(scanner), "nmap", ...args);
  } finally {
    await nft(scanner, `delete table ${untracked}\n`);
  }
}

function replaced(content: readonly string[], name = table): string {
  return `table ${name}\ndelete table ${name}\ntable ${name} {\n${content.join("")}}\n`;
}

/** The machine's own nft: an older one may fail at reading what a newer one made. */
async function nft(machine: string, input: string): Promise<void> {
  const { code, stderr } = await runOn(machine, ["nft", "-f", "-"], { stdin: input });
  if (code !== 0) throw new Error(`nft on ${machine}: ${stderr}`);
}

async function elements(machine: string, set: string): Promise<number[]> {
  const { nftables } = JSON.parse(await askOn(machine, "nft", "-j", "list", "set", ...table.split(" "), set)) as {
    readonly nftables: readonly { readonly set?: { readonly elem?: readonly number[] } }[];
  };
  return nftables.flatMap((entry) => entry.set?.elem ?? []).sort((one, other) => one - other);
}

/** Ports as a person writes them: `22`, `30000-30100`. */
export function asRanges(ports: readonly number[]): string[] {
  const ranges: { first: number; last: number }[] = [];
  for (const port of [...ports].sort((one, other) => one - other)) {
    const before = ranges.at(-1);
    if (before?.last === port - 1) before.last = port;
    else ranges.push({ first: port, last: port });
  }
  return ranges.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
}

function expand(ranges: readonly string[]): number[] {
  return ranges.flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

const talk = join(root, "tools", "lab", "talk.js");

/** Answers on UDP ports of a network until it is stopped. */
export function echoUdp(network: NetworkFile, ...ports: readonly number[]): Promise<Background> {
  return startIn(network, /ready/, process.execPath, talk, "echo", ...ports.map(String));
}

/** @returns those of the ports on which an answer came back within a second and a half. */
export async function probeUdp(from: NetworkFile, target: string, ...ports: readonly number[]): Promise<number[]> {
  return JSON.parse(await askIn(from, process.execPath, talk, "ask", target, "1500", ...ports.map(String))) as number[];
}

/** What an HTTP server says to somebody in a network; nothing where no connection comes within two seconds. */
export async function get(from: NetworkFile, target: string, port: number): Promise<string | undefined> {
  const { code, stdout } = await runIn(from, process.execPath, [talk, "get", target, "2000", String(port)]);
  return code === 0 ? stdout : undefined;
}
