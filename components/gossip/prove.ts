import { backoff } from "../remote/backoff";
import type { DockerApi } from "../remote/docker-api";
import { DockerApiError } from "../remote/docker-api";
import { type Failure, onEach, reasonOf } from "../remote/each";
import type { SshSession } from "../remote/ssh";
import { whileWaiting, type WaitingIo } from "../waiting";
import { gossipScript, portHolders, takenBy } from "./ports";

/** A member that the managers call ready. */
export interface ProvenHost {
  readonly key: string;
  /** Which it advertises to the others. */
  readonly address: string;
  readonly docker: Pick<DockerApi, "get">;
  readonly session: Pick<SshSession, "script">;
}

export interface ProofIo extends WaitingIo {
  progress(host: string | undefined, line: string): void;
  sleep(milliseconds: number): Promise<void>;
  now(): number;
  /** Has the managers attach nodes to the ingress network, which they forget of those that are there when it is made. */
  attach(): Promise<void>;
  /** Returns when the engine answers, and is in the swarm again. */
  restart(host: string): Promise<void>;
}

export interface ProofArgs {
  /** The swarm's own port of overlay data. */
  readonly dataPathPort: number;
  /** Whether packets of Docker's own overlay pass between the hosts: not where another overlay carries the data. */
  readonly packets: boolean;
}

/** As one host's engine has the ingress network, on which every member of a swarm is. */
interface Ingress {
  /** This host's address on it, without a prefix. */
  readonly address: string;
  /** Addresses of the other members of which its gossip does not know that they are on it. Those that it knows may be a thousand. */
  readonly lacks: ReadonlySet<string>;
}

interface Network {
  readonly Id: string;
  readonly Ingress?: boolean;
  readonly Scope: string;
  readonly Containers?: Readonly<Record<string, { readonly IPv4Address?: string }>> | null;
  readonly Peers?: readonly { readonly IP: string }[] | null;
}

/**
 * Milliseconds in which so many members must know each other. Push and pull of who is there is every 30 s (memberlist, PushPullInterval of
 * DefaultLANConfig), and stretched where they are many: the 33rd member doubles it, the 65th triples it (util.go, pushPullScale). Workers
 * look for an only manager that restarted about once a minute (seen on 26.1.5: 50 s).
 */
export function gossipLimit(members: number): number {
  const unstretched = 32;
  return 90_000 * (members <= unstretched ? 1 : Math.ceil(Math.log2(members / unstretched)) + 1);
}

/** A member has its ingress network 1 to 3 s after it has joined; on a machine that is short of processors, more than 20 s (seen). */
const ingressLimit = 60_000;
/** How long the managers may take before they are asked once more. */
const usually = 5_000;
/** With more hosts than this, each sends to a few others. */
const allPairs = 12;

/**
 * Proves that members gossip and carry packets: `Ready` is said by a node whose network agent never started (moby,
 * daemon/libnetwork/agent.go: "Error in agentInit" is only logged). Each host has the swarm's ingress network, its gossip lists all
 * others there, and a packet goes from it to others through it; of a single host, that its agent runs. It reads, sends one packet a pair,
 * and touches no network of the user. Nodes that the managers forgot when the network was made anew are attached. An engine whose agent
 * did not start, though nobody else has its ports, is restarted: nothing else starts it.
 */
export async function proveMembers(hosts: readonly ProvenHost[], args: ProofArgs, io: ProofIo): Promise<readonly Failure[]> {
  const id = await ingressId(hosts);
  if (id === undefined) return [];
  const failures: Failure[] = [];
  const areThere = ({ missing }: Look): boolean => missing.length === 0;
  let first = await lookUntil(hosts, id, usually, io, areThere);
  if (!areThere(first)) {
    io.progress(undefined, `asking the managers once more for the ingress network on ${some(first.missing.map(({ key }) => key))}`);
    await io.attach();
    first = await whileWaiting(io, undefined, "the ingress network", ingressLimit, (seen) =>
      lookUntil(hosts, id, ingressLimit, io, areThere, ({ missing }) => seen(some(missing.map(({ key }) => key)))),
    );
  }
  const restarted = await startAgents(first.missing, args, failures, io);
  const rest = hosts.filter(({ key }) => !failures.some(({ host }) => host === key));
  const limit = gossipLimit(hosts.length);
  const { seen, missing } = await whileWaiting(io, undefined, "all hosts to gossip with each other", limit, (tell) =>
    lookUntil(
      rest,
      id,
      limit,
      io,
      (look) => look.missing.length === 0 && strangers(rest, look.seen).length === 0,
      ({ seen }) => {
        const [one, ...more] = strangers(rest, seen);
        if (one) tell(`${one.host} not yet with ${some(one.others)}${more.length > 0 ? `; ${more.length} more wait likewise` : ""}`);
      },
    ),
  );
  for (const { key } of missing) {
    const why = restarted.has(key) ? ", also after a restart of Docker" : "";
    failures.push({ host: key, reason: `its engine is a member of the swarm, but its network agent does not run${why}: ${journal}` });
  }
  const here = rest.filter(({ key }) => seen.has(key));
  for (const { host, others } of strangers(here, seen))
    failures.push({
      host,
      reason: `its gossip does not know ${some(others)} after ${limit / 1000} s, so that containers there do not find each other: do 7946/tcp and 7946/udp pass between them? ${journal}`,
    });
  if (args.packets)
    failures.push(
      ...(await sendPackets(
        here.filter(({ key }) => !failures.some(({ host }) => host === key)),
        seen,
        args,
        io,
      )),
    );
  return failures;
}

const journal = 'Look at "journalctl -u docker" there';

async function ingressId(hosts: readonly ProvenHost[]): Promise<string | undefined> {
  for (const { docker } of hosts) {
    // A worker lists only what runs there; a manager all of the swarm.
    const networks = await docker.get<readonly Network[]>("/networks").catch(() => []);
    const found = networks.find(({ Ingress: ingress, Scope }) => ingress === true && Scope === "swarm");
    if (found) return found.Id;
  }
  return undefined;
}

interface Look {
  readonly seen: ReadonlyMap<string, Ingress>;
  readonly missing: readonly ProvenHost[];
}

/**
 * Only hosts that are not complete yet are asked again.
 *
 * @param tell Told of each look that is not enough.
 */
async function lookUntil(
  hosts: readonly ProvenHost[],
  id: string,
  limit: number,
  io: ProofIo,
  enough: (look: Look) => boolean,
  tell: (look: Look) => void = () => {},
): Promise<Look> {
  const until = io.now() + limit;
  const seen = new Map<string, Ingress>();
  const pause = backoff(100, 1_000);
  for (;;) {
    const asked = hosts.filter(({ key }) => seen.get(key)?.lacks.size !== 0);
    const found = await onEach(asked, [], (host) => ingressOf(host, id, hosts));
    for (const { key } of asked) seen.delete(key);
    for (const [key, ingress] of found) if (ingress) seen.set(key, ingress);
    const look = { seen, missing: hosts.filter(({ key }) => !seen.has(key)) };
    if (enough(look) || io.now() >= until) return look;
    tell(look);
    await io.sleep(pause());
  }
}

async function ingressOf({ address: own, docker }: ProvenHost, id: string, hosts: readonly ProvenHost[]): Promise<Ingress | undefined> {
  try {
    const { Containers, Peers } = await docker.get<Network>(`/networks/${id}`);
    const [endpoint] = Object.entries(Containers ?? {}).flatMap(([name, container]) => (name === "ingress-sbox" ? [container] : []));
    const address = endpoint?.IPv4Address?.replace(/\/.*$/, "");
    if (address === undefined) return undefined;
    const peers = new Set((Peers ?? []).map(({ IP }) => IP));
    return { address, lacks: new Set(hosts.flatMap((other) => (other.address === own || peers.has(other.address) ? [] : [other.address]))) };
  } catch (error) {
    if (error instanceof DockerApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** Whom each host does not know, though it is there. */
function strangers(hosts: readonly ProvenHost[], seen: Look["seen"]): { readonly host: string; readonly others: readonly string[] }[] {
  return hosts.flatMap(({ key }) => {
    const lacks = seen.get(key)?.lacks;
    const others = lacks?.size ? hosts.filter((other) => seen.has(other.key) && lacks.has(other.address)) : [];
    return others.length > 0 ? [{ host: key, others: others.map((other) => other.key) }] : [];
  });
}

/** One after the other, since managers are among them. @returns those that were restarted. */
async function startAgents(
  missing: readonly ProvenHost[],
  { dataPathPort }: ProofArgs,
  failures: Failure[],
  io: ProofIo,
): Promise<ReadonlySet<string>> {
  const restarted = new Set<string>();
  for (const { key, session } of missing) {
    try {
      const taken = takenBy(await portHolders(session, dataPathPort));
      if (taken !== undefined) throw new Error(taken);
      io.progress(key, "is a member of the swarm, but its network agent did not start: restarting Docker");
      await io.restart(key);
      restarted.add(key);
    } catch (error) {
      failures.push({ host: key, reason: reasonOf(error) });
    }
  }
  return restarted;
}

/** From each host to all others, or to a few beyond `allPairs`: the next ones in the ring, and one on its far side. */
export function packetsToSend<Host>(hosts: readonly Host[]): { readonly from: Host; readonly to: readonly Host[] }[] {
  const { length } = hosts;
  const steps = length <= allPairs ? Array.from({ length: length - 1 }, (_, index) => index + 1) : [1, 2, Math.floor(length / 2)];
  return hosts.map((from, index) => ({ from, to: steps.flatMap((step) => hosts[(index + step) % length] ?? []) }));
}

async function sendPackets(hosts: readonly ProvenHost[], seen: Look["seen"], { dataPathPort }: ProofArgs, io: ProofIo): Promise<readonly Failure[]> {
  if (hosts.length < 2) return [];
  const failures: Failure[] = [];
  const walks = packetsToSend(hosts).map(({ from, to }) => ({ ...from, to }));
  const addressOf = ({ key }: ProvenHost): string => seen.get(key)?.address ?? "";
  const answers = await onEach(walks, failures, ({ session, to }) =>
    session.script<{ tried: boolean; silent: readonly string[] }>(
      gossipScript,
      { PEERS: to.map(addressOf).join("\n") },
      { verb: "ping", timeout: 120_000 },
    ),
  );
  const untried = walks.flatMap(({ key }) => (answers.get(key)?.tried === false ? [key] : []));
  if (untried.length > 0) io.progress(undefined, `warning: no packet of the overlay was sent from ${some(untried)}, which have no ping or nsenter`);
  for (const { key, to } of walks) {
    const silent = to.filter((other) => answers.get(key)?.silent.includes(addressOf(other)));
    if (silent.length === 0) continue;
    failures.push({
      host: key,
      reason:
        `no packet of the overlay comes back from ${some(silent.map((other) => other.key))}, though both hosts are members of the swarm: ` +
        `does ${dataPathPort}/udp pass between them? ${journal}`,
    });
  }
  return failures;
}

function some(keys: readonly string[]): string {
  return keys.length <= 5 ? keys.join(", ") : `${keys.slice(0, 5).join(", ")} and ${keys.length - 5} more`;
}
