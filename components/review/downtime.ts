import type { Topology } from "../topology/topology";
import { type ClusterChange, type ClusterEdit, type Finding, isEdit, list, type Text, text, words } from "./findings";
import { isStopped } from "./hosts";
import { isSwitch, networksMadeAnew } from "./networks";
import { walkDowntime } from "./walk";

/** Kinds of services, by what an edit of their cluster does to them. */
const classes = {
  all: "all services on the cluster's networks",
  tunnel: "everything between hosts",
  replicated: "services with several replicas",
  single: "services with one replica",
  bound: "services bound to a host's volumes",
  hostPorts: "ports published by the host itself (mode=host)",
  meshPorts: "ports published by the ingress mesh",
  swarm: "changes of the swarm itself",
} as const;

type ServiceClass = keyof typeof classes;

/** What is to be expected of services while the edit is made: only what follows from its steps, with numbers that were measured. */
export function downtimeFindings(change: ClusterChange): Finding[] {
  if (!isEdit(change)) return [];
  const found = [...everywhere(change), ...(change.piece ? [] : [...atHosts(change), ...walkDowntime(change)])];
  return found.map(([kind, what]) => ({ section: "downtime", kind: "note", subject: kind, text: text`${words(classes[kind])}: ${what}` }));
}

type Expected = readonly [ServiceClass, Text];

/** What takes time on all hosts at once. */
function everywhere(change: ClusterEdit): Expected[] {
  const { before, after } = change;
  if (isSwitch(change)) {
    const stop: Expected = [
      "all",
      words(
        "they must be stopped before, or up refuses without changing anything, and started again after: Docker cannot move a network while it is used. Volumes, secrets and configs stay",
      ),
    ];
    return [stop];
  }
  const anew = networksMadeAnew(change);
  const both = [before, after] as const;
  return [
    ...(anew.length === 0
      ? []
      : [
          [
            "all",
            text`Docker cannot change ${list(anew)} in place: each is recreated if nothing uses it; otherwise it stays as it is, and up fails and says what uses it`,
          ] as const,
        ]),
    ...(rotationChanged(both, "underlay")
      ? [["tunnel", words("every host gets another tunnel key: at most 0.4 s were lost between two hosts")] as const]
      : []),
    ...(after.overlay === "weave" && rotationChanged(both, "overlay data")
      ? [["all", words("weave gets another password: about 1.3 s are lost everywhere, since all routers change at once")] as const]
      : []),
    ...(after.overlay === "weave" && versionChanged(both)
      ? [["all", words("weave's router restarts on each host: about 1.2 s are lost there")] as const]
      : []),
  ];
}

function rotationChanged([before, after]: readonly [Topology, Topology], name: string): boolean {
  const [was, will] = [before, after].map(({ encryption }) => encryption.find(({ channel }) => channel === name));
  return (
    was !== undefined && will !== undefined && was.protects && will.protects && was.mechanism === will.mechanism && was.rotation !== will.rotation
  );
}

function versionChanged([before, after]: readonly [Topology, Topology]): boolean {
  return after.programs.some(({ name, version }) => before.programs.some((was) => was.name === name && was.version !== version));
}

/** What is to be expected of hosts that are taken away, stopped or made anew. */
function atHosts({ before, after, machines }: ClusterEdit): Expected[] {
  const stay = new Set(after.hosts.map(({ key }) => key));
  const gone = before.hosts.filter(({ key }) => !stay.has(key)).map(({ key }) => key);
  const stopped = machines.filter(isStopped).map(({ host }) => host);
  const anew = machines.filter(({ how }) => how === "replaced").map(({ host }) => host);
  const deleted = machines.filter(({ host, how }) => how === "removed" && gone.includes(host)).map(({ host }) => host);
  const left = gone.filter((host) => !deleted.includes(host));
  const drained = [...gone, ...stopped];
  if (drained.length + anew.length === 0) return [];
  const managers = before.hosts.filter(({ key, role }) => role === "manager" && [...drained, ...anew].includes(key)).map(({ key }) => key);
  const expected: Expected[] = [
    [
      "replicated",
      joined([
        of("go on, for tasks are moved before the host is taken:", drained),
        of("go on with fewer, and are whole again when the swarm misses what was on", anew),
      ]),
    ],
    ["single", joined([of("a break where a task is moved from", drained), of("a break until the swarm misses a task that was on", anew)])],
    [
      "bound",
      joined([
        of("stand still while the machine is stopped:", stopped),
        of("end, and their data goes with the machine of", [...deleted, ...anew]),
        of("end; their data stays on", left),
      ]),
    ],
    ["hostPorts", joined([of("closed from now on at", gone), of("closed for a while at", [...stopped, ...anew])])],
    [
      "meshPorts",
      joined([
        of("no more answered at the addresses of", gone),
        of("not answered for a while at the addresses of", [...stopped, ...anew]),
        words("all other hosts answer"),
      ]),
    ],
  ];
  const swarm: Expected[] = managers.length === 0 ? [] : [["swarm", text`managers are away for a while, see Quorum: ${list(managers)}`]];
  return [...expected.filter(([, what]) => what.length > 0), ...swarm];
}

/** Hosts of which something is true. */
function of(what: string, hosts: readonly string[]): Text {
  return hosts.length === 0 ? [] : [`${what} `, ...list(hosts)];
}

function joined(texts: readonly Text[]): Text {
  return texts.filter(({ length }) => length > 0).flatMap((each, index): Text => (index === 0 ? each : ["; ", ...each]));
}
