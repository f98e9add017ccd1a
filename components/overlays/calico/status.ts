import { type Finding, known, type Row, type SeenPart, type StatusPart, upAgain } from "../../health";
import { loadStatusScript } from "../scripts";
import { fewOf } from "../../report";
import { type Apart, apartKind, notApart } from "../routed/apart";

/** One host's BIRD, as `status.sh` tells it. */
export interface BirdState extends Apart {
  readonly unit: string;
  /** On its control socket. */
  readonly answers: boolean;
  /** The other host's key, and what BIRD says of the session: `Established`, or why it is not. */
  readonly sessions: readonly string[];
}

type Seen = readonly SeenPart<BirdState>[];

/** BIRD on all hosts: each tells the others, or those that tell all, whose containers are whose. */
export const calicoStatus: StatusPart<BirdState> = {
  name: "Calico (BGP)",
  key: "calico",
  script: loadStatusScript(__dirname),
  values: () => ({}),
  kinds: {
    "bird-stopped": "BIRD does not run on a host: the others drop their routes to its containers after 15 seconds",
    "bgp-session": "two hosts have no BGP session, so they do not learn of each other's containers",
    "bgp-peer": "a router outside the cluster has no BGP session with a host, and so knows no way to its containers",
    ...apartKind("calico"),
  },
  rows: (seen) =>
    seen.map(({ key, answer }): Row => {
      if (answer === undefined || typeof answer === "string") return { host: key, says: answer ?? "not seen" };
      if (!answer.answers) return { host: key, says: `BIRD does not answer (its unit is ${answer.unit})` };
      const [hosts, routers] = [sessionsOf(answer).filter((each) => !isRouter(each)), sessionsOf(answer).filter(isRouter)];
      const outside = routers.length === 0 ? "" : `, and ${established(routers)} with routers outside`;
      return { host: key, says: `${established(hosts)} BGP sessions established${outside}` };
    }),
  findings: (seen) => [...stopped(seen), ...broken(seen), ...silentRouters(seen), ...notApart("calico", seen)],
};

interface Session {
  readonly peer: string;
  readonly says: string;
}

function sessionsOf({ sessions }: BirdState): readonly Session[] {
  return sessions.map((line) => {
    const [peer = "", ...words] = line.split(" ");
    return { peer, says: words.join(" ") };
  });
}

/** Sessions with routers are called so in BIRD's configuration. */
const routerPrefix = "peer:";

function isRouter({ peer }: Session): boolean {
  return peer.startsWith(routerPrefix);
}

function established(sessions: readonly Session[]): string {
  return `${sessions.filter(isEstablished).length} of ${sessions.length}`;
}

function isEstablished({ says }: Session): boolean {
  return says.startsWith("Established");
}

function stopped(seen: Seen): Finding[] {
  return known(seen)
    .filter(({ answer }) => !answer.answers)
    .map(({ key, answer: { unit } }) => ({
      kind: "bird-stopped",
      severity: "broken",
      hosts: [key],
      text: `${key}: BIRD does not answer (its unit is ${unit}), so the other hosts lose their routes to its containers`,
      fix: `run "systemctl restart pulumi-swarm-calico" on ${key}; "journalctl -u pulumi-swarm-calico" there says why it stopped; if that fails, ${upAgain}`,
      drift: true,
    }));
}

/** Only between hosts on which BIRD runs: a session with one that does not is no other fault. Each pair is told once, by the first of both. */
function broken(seen: Seen): Finding[] {
  const running = new Map(known(seen).flatMap(({ key, answer }) => (answer.answers ? [[key, sessionsOf(answer)] as const] : [])));
  const told = new Set<string>();
  return [...running].flatMap(([key, sessions]): Finding[] => {
    const silent = sessions.filter((session) => !isEstablished(session) && running.has(session.peer) && !told.has(`${session.peer} ${key}`));
    for (const { peer } of silent) told.add(`${key} ${peer}`);
    const [first] = silent;
    if (!first) return [];
    const peers = fewOf(silent.map(({ peer }) => peer));
    return [
      {
        kind: "bgp-session",
        severity: "broken",
        hosts: [key],
        text: `${key}: no BGP session with ${peers}, so they do not learn of each other's containers: BIRD says "${first.says}"`,
        fix: `see whether 179/tcp and 3784/udp pass between ${key} and ${peers}; if they do, ${upAgain}`,
      },
    ];
  });
}

/** Each router once, with all hosts that it does not answer. */
function silentRouters(seen: Seen): Finding[] {
  const silent = known(seen).flatMap(({ key, answer }) =>
    (answer.answers ? sessionsOf(answer) : []).flatMap((session) =>
      isRouter(session) && !isEstablished(session) ? [{ key, router: session.peer.slice(routerPrefix.length), says: session.says }] : [],
    ),
  );
  return [...new Set(silent.map(({ router }) => router))].map((router): Finding => {
    const its = silent.filter((each) => each.router === router);
    const hosts = its.map(({ key }) => key);
    return {
      kind: "bgp-peer",
      severity: "warning",
      hosts,
      text: `${fewOf(hosts)}: no BGP session with the router ${router}, which so knows no way to their containers: BIRD says "${its[0]?.says}"`,
      fix: `see that ${router} runs, has these hosts as neighbours with the same password, and that 179/tcp passes; the session begins by itself`,
    };
  });
}
