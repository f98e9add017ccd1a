import assert from "node:assert/strict";
import { join } from "node:path";
import type { OpenPorts } from "../../components/firewall/open";
import { mergePorts, rulePorts, showPorts } from "../../components/firewall/ports";
import type { Connection } from "../../components/remote/connection";
import { eventually, testImage } from "../../tools/lab/cluster";
import { connectionTo, docker, machineKeys, removeMachines, startMachine } from "../../tools/lab/machines";
import { root, run } from "../../tools/lab/pulumi";

const keys = machineKeys("firewall");
const network = "fwt-net";

/** A command inside a lab host, as root. */
export function inside(name: string, command: string): Promise<string> {
  return docker("exec", name, "sh", "-c", command);
}

/** A network with both families, as hosts of a cloud have. */
export async function makeNetwork(): Promise<void> {
  await removeAll();
  await docker("network", "create", "--ipv6", "--subnet", "10.240.0.0/24", "--subnet", "fd00:240::/64", network);
}

export function removeAll(): Promise<void> {
  return removeMachines("fwt-");
}

/** A whole machine with a user who may use sudo, as many clouds have. */
export async function startHost(name: string, place: number): Promise<Connection> {
  const [address, user] = [`10.240.0.${place}`, "ops"];
  await startMachine({ name, network, address, address6: `fd00:240::${place}`, keys, user });
  return connectionTo({ address, keys, user });
}

/** A machine that is no host of the cluster: only an address to come from. */
export async function startStranger(name: string, place: number): Promise<void> {
  const addresses = ["--network", network, "--ip", `10.240.0.${place}`, "--ip6", `fd00:240::${place}`];
  await docker(
    "run",
    "-d",
    "--name",
    name,
    ...addresses,
    "--cap-add",
    "ALL",
    "--cap-drop",
    "SYS_RESOURCE",
    "--entrypoint",
    "sleep",
    "pulumi-swarm-host:trixie",
    "infinity",
  );
}

/** Docker and a container image inside a host; the containers serve a page on port 80. */
export async function startContainers(host: string, runs: readonly string[]): Promise<void> {
  await eventually(`Docker on ${host}`, 60, async () => ((await run("docker", ["exec", host, "docker", "info"])).code === 0 ? true : undefined));
  await docker("cp", join(root, ".lab", "busybox.tar"), `${host}:/busybox.tar`);
  await inside(host, `docker image inspect ${testImage} >/dev/null 2>&1 || docker import /busybox.tar ${testImage}`);
  const serve = "mkdir /www; echo page >/www/index.html; truncate -s 100M /www/large; exec httpd -f -h /www";
  for (const options of runs) await inside(host, `docker run -d ${options} ${testImage} sh -c '${serve}'`);
}

/** Answers every datagram on these ports, and accepts TCP on those. */
export async function startServices(host: string, udp: readonly number[], tcp: readonly number[]): Promise<void> {
  const program = `
    use strict; use IO::Socket::INET; use IO::Select;
    my $all = IO::Select->new;
    my %udp;
    for (split / /, $ARGV[0]) { my $s = IO::Socket::INET->new(Proto => "udp", LocalPort => $_) or die "udp $_: $!"; $all->add($s); $udp{$s} = 1; }
    for (split / /, $ARGV[1]) { $all->add(IO::Socket::INET->new(Proto => "tcp", LocalPort => $_, Listen => 9, ReuseAddr => 1) or die "tcp $_: $!"); }
    open(my $ready, ">", "/run/services"); close $ready;
    while (1) { for my $s ($all->can_read) { if ($udp{$s}) { $s->recv(my $data, 999); $s->send($data) } else { $s->accept } } }`;
  await docker("exec", "-d", host, "perl", "-e", program, udp.join(" "), tcp.join(" "));
  await eventually(`services of ${host}`, 10, async () =>
    (await run("docker", ["exec", host, "test", "-e", "/run/services"])).code === 0 ? true : undefined,
  );
}

/** A host's own resolver, which has one answer for whoever asks for an IPv4 address. */
export async function answerNames(host: string, own: string, answer: string): Promise<void> {
  const program = `
    use strict; use IO::Socket::INET; use Socket;
    my $socket = IO::Socket::INET->new(Proto => "udp", LocalAddr => $ARGV[0], LocalPort => 53) or die "udp 53: $!";
    open(my $ready, ">", "/run/names"); close $ready;
    while ($socket->recv(my $query, 999)) {
      my $end = 12; while (my $length = ord(substr($query, $end, 1))) { $end += $length + 1 }
      my $question = substr($query, 12, $end + 5 - 12);
      my $answers = unpack("n", substr($query, $end + 1, 2)) == 1 ? 1 : 0;
      my $reply = substr($query, 0, 2) . pack("n5", 0x8180, 1, $answers, 0, 0) . $question;
      $reply .= pack("n3Nn", 0xc00c, 1, 1, 60, 4) . inet_aton($ARGV[1]) if $answers;
      $socket->send($reply);
    }`;
  await docker("exec", "-d", host, "perl", "-e", program, own, answer);
  await eventually(`names of ${host}`, 10, async () =>
    (await run("docker", ["exec", host, "test", "-e", "/run/names"])).code === 0 ? true : undefined,
  );
}

async function inNetworkOf(name: string, ...command: string[]): Promise<string> {
  const pid = await docker("inspect", "-f", "{{.State.Pid}}", name);
  const { code, stdout, stderr } = await run("nsenter", ["-t", pid, "-n", ...command]);
  assert.equal(code, 0, `${command.slice(0, 3).join(" ")}: ${stderr}`);
  return stdout;
}

/**
 * All TCP ports that are not filtered for somebody: open, or closed because nothing listens. A scan that misses some that
 * it should see lost packets on a busy machine, and is made again.
 */
export async function scanTcp(from: string, address: string, expected: readonly string[], ports = "1-65535"): Promise<readonly string[]> {
  for (let left = 2; ; left--) {
    const found = await scanOnce(from, address, ports);
    if (left === 0 || expected.every((range) => found.includes(range))) return found;
  }
}

async function scanOnce(from: string, address: string, ports: string): Promise<readonly string[]> {
  // Frames of its own making: else the scanning host's own firewall and connection tracking would be part of what is seen.
  const how = ["-sS", "-n", "-Pn", "--send-eth", "--min-rate", "6000", "--max-retries", "2", "-T4"];
  const options = [...how, "-p", ports, ...(address.includes(":") ? ["-6"] : [])];
  const said = await inNetworkOf(from, "nmap", ...options, "-oG", "-", address);
  assert.match(said, /Status: Up/, said);
  assert.doesNotMatch(said, /Ignored State: closed/, "most ports are not filtered");
  const found = [...(/Ports: ([^\t\n]*)/.exec(said)?.[1] ?? "").matchAll(/(\d+)\/(open|closed)\/tcp/g)].map((match) => String(match[1]));
  return mergePorts(rulePorts(found)).map(showPorts);
}

/** Which of these UDP ports answer somebody. */
export async function probeUdp(from: string, address: string, ports: readonly number[]): Promise<readonly number[]> {
  const program = `
    const [address, ...ports] = process.argv.slice(1);
    const found = new Set();
    const socket = require("node:dgram").createSocket("udp4").on("message", (_, { port }) => found.add(port)).on("error", () => {});
    let rounds = 0;
    const ask = () => {
      if (found.size === ports.length || rounds++ === 5) { console.log([...found].join(" ")); process.exit(0); }
      for (const port of ports) socket.send("hello", Number(port), address, () => {});
    };
    ask(); setInterval(ask, 300);`;
  const said = await inNetworkOf(from, process.execPath, "-e", program, address, ...ports.map(String));
  return said
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number)
    .sort((one, other) => one - other);
}

export function within(ports: readonly number[], open: OpenPorts["udp"]): readonly number[] {
  return ports.filter((port) => rulePorts(open).some(({ first, last }) => first <= port && port <= last)).sort((one, other) => one - other);
}

/** Whether a page comes, within two seconds. */
export async function reaches(from: string, url: string): Promise<boolean> {
  const { code } = await run("docker", ["exec", from, "curl", "-sf", "-m", "2", "-o", "/dev/null", url]);
  return code === 0;
}

/** The kernel here has no WireGuard; VXLAN on the same port is a tunnel of the same name. */
export async function makeTunnel(name: string, link: string, own: string, remote: string): Promise<void> {
  await inside(
    name,
    `ip link add swarm0 type vxlan id 99 dev ${link} remote ${remote} dstport 51820 srcport 51820 51821 && ip address add ${own}/24 dev swarm0 && ip link set swarm0 up`,
  );
}

/** A machine whose way out is a bridge, as virtualisation hosts have. */
export async function putUplinkOnBridge(name: string, place: number): Promise<void> {
  await inside(
    name,
    "set -e; ip link add br-lan type bridge; ip link set br-lan address $(cat /sys/class/net/eth0/address); ip link set br-lan up; ip link set eth0 master br-lan; ip address flush dev eth0; " +
      `ip address add 10.240.0.${place}/24 dev br-lan; ip route add default via 10.240.0.1`,
  );
}
