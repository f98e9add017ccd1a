import { type Finding, known, type Row, type SeenPart, type StatusPart, upAgain } from "../../health";
import { loadScript } from "../../remote/script";
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
  script: loadScript(__dirname, "status.sh"),
  values: () => ({}),
  kinds: {
    "bird-stopped": "BIRD does not run on a host: the others drop their routes to its containers after 15 seconds",
    "bgp-session": "two hosts have no BGP session, so they do not learn of each other's containers",
    ...apartKind("calico"),
  },
  rows: (seen) =>
    seen.map(({ key, answer }): Row => {
      if (answer === undefined || typeof answer === "string") return { host: key, says: answer ?? "not seen" };
      if (!answer.answers) return { host: key, says: `BIRD does not answer (its unit is ${answer.unit})` };
      const sessions = sessionsOf(answer);
      return { host: key, says: `${sessions.filter(isEstablished).length} of ${sessions.length} BGP sessions established` };
    }),
  findings: (seen) => [...stopped(seen), ...broken(seen), ...notApart("calico", seen)],
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
